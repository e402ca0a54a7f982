"""A structure as one compiled program; numbers are its arguments.

``start(numbers) -> state`` and ``advance(numbers, state, n_steps) -> (state, records)``, for one
point or for many, with neurons or points shared by devices.  What they compute is in
`neurolab.engine.loop`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from neurolab.engine.loop import CLOCK, Loop, Records, State
from neurolab.engine.parts import Parts
from neurolab.engine.placed import Placed, with_synapses
from neurolab.engine.records import all_spikes, by_device, choose_columns, neurons_of
from neurolab.engine.sizes import too_small
from neurolab.engine.structure import Numbers, Structure

__all__ = ["Program"]


class Program:
    """The two pure functions of a structure.

    They may be traced: under `jax.jit`, `jax.vmap` and `jax.jvp`.

    Parameters
    ----------
    structure
        What to compile.
    capacity
        Most steps that one `advance` may make.
    devices
        Devices that share the neurons of one point, or points (as many as divide them evenly; the
        populations of a network may have a remainder).
    points
        How many points are computed together, along a first axis of states and records; None for
        one point without that axis.
    varying
        Keys of the numbers that have a value for each point, along their first axis.  The others
        are shared, and so is all that is computed from them alone: with one seed for all points,
        the random words.  Nothing passes between points, so each gives what it gives alone.
    at_once
        Points that a device steps together before it goes on to its next ones: a divisor of the
        points that it has.  What they need should stay in a core's cache.
    """

    def __init__(
        self,
        structure: Structure,
        capacity: int,
        devices: Sequence[Any] | None = None,
        points: int | None = None,
        varying: Collection[str] = (),
        at_once: int = 1,
    ) -> None:
        devices = list(devices or jax.devices()[:1])
        if points is not None or not structure.projections:
            while (structure.size if points is None else points) % len(devices):
                devices.pop()
        shape = (1, len(devices)) if points is None else (len(devices), 1)
        self.structure, self.devices = structure, devices
        changed = [of for of in structure.bundles if of.drawn_from & {*varying}]
        self.varying = frozenset((*varying, *(key for of in changed for key in of.made)))
        self.points, self.at_once = points, at_once
        self.tables = frozenset(key for of in structure.bundles for key in of.tables)
        self.whole = Loop(structure, capacity, shape[1])
        self.parts = Parts(structure, capacity, shape[1], devices[0].platform)
        self.loop = self.parts.loop
        auto = (jax.sharding.AxisType.Auto,) * 2
        self.mesh = jax.make_mesh(shape, ("points", "neurons"), auto, devices=devices)
        self.columns, self._chosen = choose_columns(structure, shape[1] * self.parts.n)
        bits = self.loop.n_shards  # of a single population also the parts
        self._neurons, self.places = neurons_of(structure.sizes, bits)
        #: Of each population the shape of a variable's array, which may have places for more.
        self.arrays = {
            group.prefix: (size * shape[1],)
            for group, size in zip(structure.populations, self.whole.sizes, strict=True)
        }
        #: Of the configuration that it was compiled for (`neurolab.compile`), and their units.
        self.numbers, self.units = Placed({}, {}), dict[str, str]()
        #: What says by a `ValueError` that numbers do not fit that configuration.
        self.check: Callable[[Numbers], None] = lambda numbers: None
        self._functions: dict[Any, Any] = {}
        self._compiled: list[Any] = []

    @property
    def capacity(self) -> int:
        """Most steps that one `advance` may make."""
        return self.loop.capacity

    @property
    def block(self) -> int:
        """Steps whose random numbers are drawn together."""
        return self.loop.block

    def place(self, numbers: Numbers) -> Placed:
        """Numbers on the devices, in the precision of the structure, and the synapses that are
        drawn from them: once for many calls.

        Raises
        ------
        ValueError
            For numbers that do not fit, or that an input's arrays are too small for, which would
            cut its counts off.
        """
        if isinstance(numbers, Placed) and numbers.program is self:
            return numbers
        self.check(numbers)
        own = {key: value for key, value in numbers.items() if key in self.varying}
        shared = {key: value for key, value in numbers.items() if key not in own}
        name = too_small(self.structure, shared, own)
        if name is not None:
            raise ValueError(
                f"{name}: the program was made for smaller numbers (a lower rate, fewer events); "
                "make one for the largest that it is to be given"
            )
        with self.loop.environment():
            values = self.loop.arguments(self.whole.fitted(self._with_synapses(numbers)))
            shared_by = {
                key: NamedSharding(self.mesh, self._number(key, value))
                for key, value in values.items()
            }
            return Placed(numbers, jax.device_put(values, shared_by), self)

    def _with_synapses(self, numbers: Numbers) -> dict[str, Any]:
        """The numbers and the tables of projections."""
        n_shards = self.mesh.shape["neurons"]
        return with_synapses(self.structure, numbers, n_shards, self.varying, self.numbers)

    def start(self, numbers: Numbers) -> State:
        """The state before the first step.

        Raises
        ------
        ValueError
            For numbers that it has not, or that an input's arrays are too small for (`place`).
        """
        numbers = self._known(numbers)
        with self.loop.environment():
            arguments = self.loop.arguments(numbers)
            return self._function("start", arguments)(arguments, self._chosen)

    def advance(self, numbers: Numbers, state: State, n_steps: Any) -> tuple[State, Records]:
        """The state ``n_steps`` later, and the records of these steps.

        A traced ``n_steps`` is at most the capacity: more steps are not made.

        Raises
        ------
        ValueError
            For more steps than the program's capacity, and as `start`.
        """
        numbers = self._known(numbers)
        if not isinstance(n_steps, jax.core.Tracer):
            n_steps = operator.index(n_steps)
            if not 0 <= n_steps <= self.capacity:
                raise ValueError(f"{n_steps} steps exceed the program's capacity, {self.capacity}")
        with self.loop.environment():
            arguments = self.loop.arguments(numbers)
            run = self._function("advance", arguments)
            if isinstance(n_steps, jax.core.Tracer):
                n_steps = jnp.clip(n_steps, 0, self.capacity).astype(jnp.int32)
            else:
                n_steps = np.int32(n_steps)  # of jnp it would be a program of its own
            return run(arguments, self._chosen, state, n_steps)

    def _known(self, numbers: Numbers) -> Numbers:
        """Arguments: of numbers that were placed, others checked as far as they are not traced."""
        if any(isinstance(value, jax.core.Tracer) for value in numbers.values()):
            self.check(numbers)
            return self.whole.fitted(self._with_synapses(numbers))
        return self.place(numbers).arguments

    def spikes(
        self, records: Mapping[str, Any], first: int, n_steps: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points, steps and neurons of the spikes in the records of ``n_steps`` steps from
        ``first`` on, sorted in this order; all of point 0 where there is but one."""
        words = records["spikes"]
        if first % self.block + n_steps > words.shape[-2]:
            raise ValueError(f"{n_steps} steps are more than these records have")
        parts = by_device(words, self.points is not None)
        return all_spikes(parts, self._neurons, self.block, first, n_steps)

    def compile(self, numbers: Numbers) -> None:
        """Compile both functions, so that a first `advance` is as fast as any other."""
        numbers = self._known(numbers)
        with self.loop.environment():
            arguments = self.loop.arguments(numbers)
            run = self._function("advance", arguments)
            if run in self._compiled:
                return
            state = self._function("start", arguments)(arguments, self._chosen)
            jax.block_until_ready(run(arguments, self._chosen, state, np.int32(0)))
            self._compiled.append(run)

    def _number(self, key: str, value: Any) -> PartitionSpec:
        """How a number is shared: the point first where it varies, the neuron last."""
        axes: list[str | None] = [None] * np.ndim(value)
        if key in self.varying:
            axes[0] = "points"
        if key in self.structure.per_neuron:
            axes[-1] = "neurons"
        if key in self.tables:
            axes[key in self.varying] = "neurons"
        return PartitionSpec(*axes)

    def _function(self, name: str, arguments: dict[str, Any]) -> Any:
        kind = (name, frozenset((key, np.shape(value)) for key, value in arguments.items()))
        if kind not in self._functions:
            self._functions[kind] = self._make(name, arguments)
        return self._functions[kind]

    def _make(self, name: str, arguments: dict[str, Any]) -> Any:
        whole: Any = {"start": self._start, "advance": self._advance}[name]
        if self.mesh.size == 1:
            return jax.jit(lambda *args: whole(0, *args))
        numbers = {key: self._number(key, value) for key, value in arguments.items()}
        point = () if self.points is None else ("points",)

        def of_state(name: str, value: jax.ShapeDtypeStruct) -> PartitionSpec:
            if not (split := name in self.whole.delivery.coming):
                split = name != CLOCK and name not in self.whole.delivery.histories
                split = split and value.shape[-1:] == (self.whole.width(name),)
            between = [None] * (value.ndim - split)
            return PartitionSpec(*point, *between, *(["neurons"] if split else []))

        one = {key: self._local(key, value) for key, value in arguments.items()}
        shapes = jax.eval_shape(lambda numbers: self.whole.start(numbers, 0), one)
        state = {k: of_state(k, value) for k, value in shapes.items()} | {CLOCK: PartitionSpec()}
        inputs: tuple[Any, ...] = (numbers, PartitionSpec("neurons"))
        outputs: Any = state
        if name == "advance":
            inputs = (*inputs, state, PartitionSpec())
            outputs = (state, PartitionSpec(*point, None, "neurons"))
        return jax.jit(
            jax.shard_map(
                lambda *args: whole(jax.lax.axis_index("neurons"), *args),
                mesh=self.mesh,
                in_specs=inputs,
                out_specs=outputs,
                check_vma=False,
            )
        )

    def _local(self, key: str, value: Any) -> Any:
        """A number as one point and one shard of the neurons have it."""
        value = value[0] if key in self.varying else value
        value = value[:1] if key in self.tables else value
        return value[..., : self.whole.width(key)] if key in self.structure.per_neuron else value

    def _start(self, shard: Any, numbers: Numbers, chosen: Any) -> State:
        if self.points is None:
            return self.whole.start(numbers, shard)
        shared, own, points = self._by_varying(numbers)
        state = jax.vmap(lambda own, _: self.whole.start({**shared, **own}, shard))(own, points)
        return state | {CLOCK: jnp.int32(0)}  # one clock for all

    def _advance(
        self, shard: Any, numbers: Numbers, chosen: Any, state: State, n_steps: Any
    ) -> tuple[State, Records]:
        if self.points is None:
            return self.parts.advance(numbers, chosen, state, n_steps, shard)
        shared, own, _ = self._by_varying(numbers)
        clock = state[CLOCK]

        def one(point: tuple[Numbers, State]) -> tuple[State, Records]:
            before = {**point[1], CLOCK: clock}
            after, records = self.parts.advance(
                {**shared, **point[0]}, chosen, before, n_steps, shard
            )
            del after[CLOCK]
            return after, records

        points = (own, {name: value for name, value in state.items() if name != CLOCK})
        # What each device does of a network depends on its spikes: one point at a time.
        together = None if self.structure.projections else self.at_once
        after, records = jax.lax.map(one, points, batch_size=together)
        return after | {CLOCK: clock + n_steps}, records

    def _by_varying(self, numbers: Numbers) -> tuple[dict[str, Any], dict[str, Any], Any]:
        """Shared numbers, those of each point, and an axis of points for where none varies."""
        own = {key: value for key, value in numbers.items() if key in self.varying}
        shared = {key: value for key, value in numbers.items() if key not in own}
        return shared, own, jnp.arange((self.points or 1) // self.mesh.shape["points"])
