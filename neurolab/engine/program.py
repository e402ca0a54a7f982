"""A structure as one compiled program; numbers are its arguments.

``start(numbers) -> state`` and ``advance(numbers, state, n_steps) -> (state, records)``, with the
neurons shared by devices.  What they compute is in `neurolab.engine.loop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec

from neurolab.engine.loop import Loop, Records, State, states_of
from neurolab.engine.records import choose_columns
from neurolab.engine.structure import Numbers, Structure

__all__ = ["Program"]


class Program:
    """The two pure functions of a structure.

    Parameters
    ----------
    structure
        What to compile.
    capacity
        Most steps that one `advance` may make.
    devices
        Devices that share the neurons; as many of them are used as divide the size evenly.
    """

    def __init__(
        self, structure: Structure, capacity: int, devices: Sequence[Any] | None = None
    ) -> None:
        devices = list(devices or jax.devices()[:1])
        while structure.size % len(devices):
            devices.pop()
        auto = (jax.sharding.AxisType.Auto,)
        self.structure = structure
        self.devices = devices
        self.loop = Loop(structure, capacity, len(devices))
        self.mesh = jax.make_mesh((len(devices),), ("neurons",), auto, devices=devices)
        self.columns, self._chosen = choose_columns(structure, self.mesh.size)
        self._compiled: dict[str, Any] = {}

    @property
    def capacity(self) -> int:
        """Most steps that one `advance` may make."""
        return self.loop.capacity

    @property
    def block(self) -> int:
        """Steps whose random numbers are drawn together."""
        return self.loop.block

    @property
    def local_size(self) -> int:
        """Neurons on each device."""
        return self.loop.local_size

    def start(self, numbers: Numbers) -> State:
        """The state before the first step."""
        with self.loop.environment():
            return self._function("start", numbers)(self.loop.arguments(numbers), self._chosen)

    def advance(self, numbers: Numbers, state: State, n_steps: int) -> tuple[State, Records]:
        """The state ``n_steps`` later, and the records of these steps.

        Raises
        ------
        ValueError
            For more steps than the program's capacity.
        """
        if n_steps > self.capacity:
            raise ValueError(f"{n_steps} steps exceed the program's capacity, {self.capacity}")
        with self.loop.environment():
            run = self._function("advance", numbers)
            return run(self.loop.arguments(numbers), self._chosen, state, jnp.int32(n_steps))

    def variables(self, numbers: Numbers) -> dict[str, u.Unit]:
        """The states that the models have, by name, and their units."""
        found: dict[str, u.Unit] = {}

        def look(numbers: Numbers) -> None:
            for name, held in states_of(self.loop.build(numbers, 0)).items():
                found[name] = u.get_unit(held.value)

        with self.loop.environment():
            jax.eval_shape(look, self.loop.arguments(numbers))
        return found

    def compile(self, numbers: Numbers) -> None:
        """Compile both functions, so that a first `advance` is as fast as any other."""
        with self.loop.environment():
            arguments = self.loop.arguments(numbers)
            state = self._function("start", numbers)(arguments, self._chosen)
            run = self._function("advance", numbers)
            lowered = run.lower(arguments, self._chosen, state, jnp.int32(1))
            self._compiled["advance"] = lowered.compile()

    def _function(self, name: str, numbers: Numbers) -> Any:
        if name not in self._compiled:
            self._compiled[name] = self._make(name, numbers)
        return self._compiled[name]

    def _make(self, name: str, numbers: Numbers) -> Any:
        loop = self.loop

        def start(args: Numbers, chosen: Any, shard: Any) -> State:
            return loop.start(args, shard)

        def advance(args: Numbers, chosen: Any, state: State, n: Any, shard: Any) -> Any:
            return loop.advance(args, chosen[0], state, n, shard)

        function: Any = {"start": start, "advance": advance}[name]
        if self.mesh.size == 1:
            return jax.jit(lambda *args: function(*args, 0))

        split, whole = PartitionSpec("neurons"), PartitionSpec()
        arguments = {
            key: PartitionSpec(*[None] * (np.ndim(value) - 1), "neurons")
            if key in self.structure.per_neuron
            else whole
            for key, value in numbers.items()
        }
        shapes = jax.eval_shape(lambda args: loop.start(args, 0), self._local(numbers))
        state = {
            key: split if value.shape[-1:] == (self.local_size,) else whole
            for key, value in shapes.items()
        }
        records = PartitionSpec(None, "neurons")
        inputs: tuple[Any, ...] = (arguments, split)
        outputs: Any = state
        if name == "advance":
            inputs, outputs = (*inputs, state, whole), (state, records)
        return jax.jit(
            jax.shard_map(
                lambda *args: function(*args, jax.lax.axis_index("neurons")),
                mesh=self.mesh,
                in_specs=inputs,
                out_specs=outputs,
                check_vma=False,
            )
        )

    def _local(self, numbers: Numbers) -> dict[str, Any]:
        return {
            key: value[..., : self.local_size] if key in self.structure.per_neuron else value
            for key, value in self.loop.arguments(numbers).items()
        }
