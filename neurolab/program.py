"""A structure as one compiled program; numbers are its arguments.

Two pure functions: ``start(numbers) -> state`` and ``advance(numbers, state, n_steps) -> (state,
records)``.  Inside them ordinary brainstate modules are built with the numbers (possibly tracers)
put in place, their states are filled from ``state``, the steps are looped over, and the states
are read back.  ``n_steps`` is an argument too, so that one compiled program serves chunks of any
length up to its capacity, and runs of any duration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec

from neurolab.dynamics import Dynamics
from neurolab.network import Population
from neurolab.neurons import Neuron
from neurolab.records import choose_columns, pack
from neurolab.structure import Numbers, Structure, block_length
from neurolab.units import with_unit

__all__ = ["Program"]

State = dict[str, Any]
Records = dict[str, Any]


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
        self.structure = structure
        self.block = block_length(structure.size)
        self.n_blocks = -(-capacity // self.block) + 1
        devices = list(devices or jax.devices()[:1])
        while structure.size % len(devices):
            devices.pop()
        auto = (jax.sharding.AxisType.Auto,)
        self.devices = devices
        self.mesh = jax.make_mesh((len(devices),), ("neurons",), auto, devices=devices)
        self.local_size = structure.size // self.mesh.size
        self.columns, self._chosen = choose_columns(structure, self.mesh.size)
        self._compiled: dict[str, Any] = {}

    @property
    def capacity(self) -> int:
        """Most steps that one `advance` may make."""
        return (self.n_blocks - 1) * self.block

    def start(self, numbers: Numbers) -> State:
        """The state before the first step."""
        with self._environment():
            return self._function("start", numbers)(self._arguments(numbers), self._chosen)

    def advance(self, numbers: Numbers, state: State, n_steps: int) -> tuple[State, Records]:
        """The state ``n_steps`` later, and the records of these steps (see `Records`).

        Raises
        ------
        ValueError
            For more steps than the program's capacity.
        """
        if n_steps > self.capacity:
            raise ValueError(f"{n_steps} steps exceed the program's capacity, {self.capacity}")
        with self._environment():
            run = self._function("advance", numbers)
            return run(self._arguments(numbers), self._chosen, state, jnp.int32(n_steps))

    def variables(self, numbers: Numbers) -> dict[str, u.Unit]:
        """The states that the models have, by name, and their units."""
        found: dict[str, u.Unit] = {}

        def look(numbers: Numbers) -> None:
            for name, held in _states(self._build(numbers, 0)).items():
                found[name] = u.get_unit(held.value)

        with self._environment():
            jax.eval_shape(look, self._arguments(numbers))
        return found

    def compile(self, numbers: Numbers) -> None:
        """Compile both functions, so that a first `advance` is as fast as any other."""
        with self._environment():
            arguments = self._arguments(numbers)
            state = self._function("start", numbers)(arguments, self._chosen)
            run = self._function("advance", numbers)
            lowered = run.lower(arguments, self._chosen, state, jnp.int32(1))
            self._compiled["advance"] = lowered.compile()

    # -- one shard of the neurons -------------------------------------------------------------

    def _build(self, numbers: Numbers, shard: Any) -> Population:
        s, size = self.structure, self.local_size
        neuron = s.neuron.build(size, numbers, "neuron")
        if isinstance(neuron, Neuron):
            neuron.integrator = s.integrator()
        synapse = s.synapse.build(size, numbers, "synapse") if s.synapse else None
        output = s.output.build(size, numbers, "synapse.output") if s.output else None
        inputs = {name: part.build(size, numbers, name) for name, part in s.inputs}
        population = Population(neuron, synapse, output, inputs)
        for model in population.models().values():
            if isinstance(model, Dynamics):
                model.seed = numbers["seed"]
                model.index = jnp.arange(size, dtype=jnp.int32) + shard * size
        brainstate.nn.init_all_states(population)
        return population

    def _start_shard(self, numbers: Numbers, chosen: Any, shard: Any) -> State:
        return _read(self._build(numbers, shard)) | {"step": jnp.int32(0)}

    def _advance_shard(
        self, numbers: Numbers, chosen: Any, state: State, n_steps: Any, shard: Any
    ) -> tuple[State, Records]:
        recording, length, dt = self.structure.recording, self.block, brainstate.environ.get_dt()
        first, last = state["step"], state["step"] + n_steps
        first_block = first // length

        def sample(records: Records, values: State, i: Any) -> Records:
            row = (i + 1) // recording.every - first // recording.every - 1
            # Between samples the last row is written, which nobody reads.
            row = jnp.where((i + 1) % recording.every == 0, row, self._sample_rows - 1)
            whole = recording.neurons is None
            return records | {
                name: jax.lax.dynamic_update_index_in_dim(
                    records[name], values[name] if whole else values[name][chosen], row, 0
                )
                for name in recording.variables
            }

        def in_block(b: Any, carry: tuple[State, Records]) -> tuple[State, Records]:
            values, records = carry
            begin = (first_block + b) * length
            drawn = self._build(numbers, shard).draw(begin, length)

            def in_step(j: Any, carry: tuple[State, Any, Records]) -> tuple[State, Any, Records]:
                values, fired, records = carry
                here = jax.tree.map(lambda x: jax.lax.dynamic_index_in_dim(x, j, 0, False), drawn)
                population = self._build(numbers, shard)
                _write(population, values)
                i = begin + j
                with brainstate.StateTraceStack(), brainstate.environ.context(i=i, t=i * dt):
                    _seed_brainstate((numbers["seed"], i, shard))
                    out = population.update(here)
                values = _read(population)
                if recording.spikes:
                    fired = jax.lax.dynamic_update_index_in_dim(fired, out != 0, j, 0)
                return values, fired, sample(records, values, i)

            fired = jnp.zeros((length if recording.spikes else 0, self.local_size), bool)
            lower, upper = jnp.maximum(first - begin, 0), jnp.minimum(last - begin, length)
            start = (values, fired, records)
            values, fired, records = jax.lax.fori_loop(lower, upper, in_step, start)
            if recording.spikes:
                spikes = jax.lax.dynamic_update_slice_in_dim(
                    records["spikes"], pack(fired), b * length, 0
                )
                records = records | {"spikes": spikes}
            return values, records

        values = {name: value for name, value in state.items() if name != "step"}
        n_blocks = (last - 1) // length - first_block + 1
        start = (values, self._empty(values, chosen))
        values, records = jax.lax.fori_loop(0, n_blocks, in_block, start)
        return values | {"step": last}, records

    @property
    def _sample_rows(self) -> int:
        return self.capacity // self.structure.recording.every + 2

    def _empty(self, values: State, chosen: Any) -> Records:
        records: Records = {}
        if self.structure.recording.spikes:
            width = -(-self.local_size // 32)
            records["spikes"] = jnp.zeros((self.n_blocks * self.block, width), jnp.uint32)
        for name in self.structure.recording.variables:
            shape = (self._sample_rows, chosen.shape[0])
            records[name] = jnp.zeros(shape, values[name].dtype)
        return records

    # -- all shards ---------------------------------------------------------------------------

    def _environment(self) -> Any:
        stack = ExitStack()
        stack.enter_context(_kept_brainstate_random())
        double = self.structure.precision == 64
        stack.enter_context(jax.enable_x64(double))
        dt = self.structure.dt_ms * u.ms
        stack.enter_context(brainstate.environ.context(precision=self.structure.precision, dt=dt))
        return stack

    def _arguments(self, numbers: Numbers) -> dict[str, Any]:
        dtype = np.float64 if self.structure.precision == 64 else np.float32
        return {
            key: np.asarray(value, dtype if np.asarray(value).dtype.kind == "f" else None)
            for key, value in numbers.items()
        }

    def _function(self, name: str, numbers: Numbers) -> Any:
        if name not in self._compiled:
            self._compiled[name] = self._make(name, numbers)
        return self._compiled[name]

    def _make(self, name: str, numbers: Numbers) -> Any:
        functions: dict[str, Any] = {"start": self._start_shard, "advance": self._advance_shard}
        function = functions[name]
        if self.mesh.size == 1:
            return jax.jit(lambda args, chosen, *rest: function(args, chosen[0], *rest, 0))

        def shard(args: Numbers, chosen: Any, *rest: Any) -> Any:
            return function(args, chosen[0], *rest, jax.lax.axis_index("neurons"))

        split, whole = PartitionSpec("neurons"), PartitionSpec()
        arguments = {
            key: PartitionSpec(*[None] * (np.ndim(value) - 1), "neurons")
            if key in self.structure.per_neuron
            else whole
            for key, value in numbers.items()
        }
        shapes = jax.eval_shape(
            lambda args: self._start_shard(args, self._chosen[0], 0), self._local(numbers)
        )
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
                shard, mesh=self.mesh, in_specs=inputs, out_specs=outputs, check_vma=False
            )
        )

    def _local(self, numbers: Numbers) -> dict[str, Any]:
        return {
            key: value[..., : self.local_size] if key in self.structure.per_neuron else value
            for key, value in self._arguments(numbers).items()
        }


def _seed_brainstate(seed: tuple[Any, ...]) -> None:
    """Make ``brainstate.random``, which a user's model may draw from, a function of the step."""
    key = jax.random.PRNGKey(0)
    for number in seed:
        key = jax.random.fold_in(key, number)
    brainstate.random.DEFAULT.value = key


@contextmanager
def _kept_brainstate_random() -> Iterator[None]:
    """Leave ``brainstate.random`` as it was."""
    before = brainstate.random.DEFAULT.value
    try:
        yield
    finally:
        brainstate.random.DEFAULT.value = before


def _states(population: Population) -> dict[str, Any]:
    """The states of a population by name, the neuron's first: ``neuron.V``, ``synapse.g``, ..."""
    states: Any = population.states()
    named = {".".join(map(str, path)).removeprefix("inputs."): s for path, s in states.items()}
    order = ("neuron", "synapse")
    rank = {name: index for index, name in enumerate(order)}
    return dict(sorted(named.items(), key=lambda kv: rank.get(kv[0].partition(".")[0], 2)))


def _read(population: Population) -> State:
    return {name: u.get_mantissa(held.value) for name, held in _states(population).items()}


def _write(population: Population, values: State) -> None:
    for name, held in _states(population).items():
        held.value = with_unit(values[name], u.get_unit(held.value))
