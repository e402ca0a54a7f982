"""A structure as one compiled program; numbers are its arguments.

Two pure functions: ``start(numbers) -> state`` and ``advance(numbers, state, n_steps) -> (state,
records)``.  Inside them ordinary brainstate modules are built with the numbers (possibly tracers)
put in place, their states are filled from ``state``, the steps are looped over, and the states
are read back.  ``n_steps`` is an argument too, so that one compiled program serves chunks of any
length up to its capacity, and runs of any duration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec

from neurolab.integrators import Integrator
from neurolab.network import Population
from neurolab.units import Relative, with_unit

__all__ = ["Number", "Part", "Program", "Recording", "Structure", "block_length", "unpack"]

Numbers = Mapping[str, Any]
State = dict[str, Any]
Records = dict[str, Any]


@dataclass(frozen=True)
class Number:
    """Where a parameter's value is found among the numbers, and what it measures."""

    key: str
    unit: u.Unit
    relative: bool = False
    per_neuron: bool = False

    def quantity(self, numbers: Numbers) -> Any:
        value = numbers[self.key]
        return Relative(value, self.unit) if self.relative else with_unit(value, self.unit)


@dataclass(frozen=True)
class Part:
    """One model of a structure: its class, fixed arguments, numbers, and the models inside it."""

    target: type
    fixed: tuple[tuple[str, Any], ...] = ()
    numbers: tuple[tuple[str, Number], ...] = ()
    parts: tuple[tuple[str, Part], ...] = ()
    attributes: tuple[tuple[str, Any], ...] = ()

    def all_numbers(self) -> list[Number]:
        """The numbers of this model and of those inside it."""
        inside = [number for _, part in self.parts for number in part.all_numbers()]
        return [number for _, number in self.numbers] + inside

    def build(self, size: int, numbers: Numbers, name: str) -> Any:
        """The model itself, its numbers in place."""
        arguments = dict(self.fixed)
        arguments |= {key: number.quantity(numbers) for key, number in self.numbers}
        arguments |= {key: part.build(size, numbers, f"{name}.{key}") for key, part in self.parts}
        model = self.target(size, name=name, **arguments)
        for key, value in self.attributes:
            setattr(model, key, value)
        return model


@dataclass(frozen=True)
class Recording:
    """What the program hands out: spikes, and variables of some neurons every so many steps."""

    spikes: bool = True
    variables: tuple[str, ...] = ()
    neurons: tuple[int, ...] | None = None
    every: int = 1


@dataclass(frozen=True)
class Structure:
    """All that a compiled program depends on."""

    size: int
    dt_ms: float
    neuron: Part
    synapse: Part | None
    output: Part | None
    inputs: tuple[tuple[str, Part], ...]
    integrator: type[Integrator]
    precision: int = 32
    recording: Recording = field(default_factory=Recording)

    @property
    def per_neuron(self) -> frozenset[str]:
        """Keys of the numbers that have a value for each neuron."""
        parts = [self.neuron, self.synapse, self.output, *(part for _, part in self.inputs)]
        return frozenset(
            n.key for part in parts if part for n in part.all_numbers() if n.per_neuron
        )


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
        self.columns, self._chosen = _columns(structure, self.mesh.size)
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
        neuron.integrator = s.integrator()
        synapse = s.synapse.build(size, numbers, "synapse") if s.synapse else None
        output = s.output.build(size, numbers, "synapse.output") if s.output else None
        inputs = {name: part.build(size, numbers, name) for name, part in s.inputs}
        population = Population(neuron, synapse, output, inputs)
        for model in population.models().values():
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
            return records | {
                name: jax.lax.dynamic_update_index_in_dim(
                    records[name], values[name][chosen], row, 0
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
                seed = (numbers["seed"], begin + j, shard)
                with (
                    brainstate.environ.context(i=seed[1], t=seed[1] * dt),
                    _brainstate_random(seed),
                ):
                    out = population.update(here)
                values = _read(population)
                if recording.spikes:
                    fired = jax.lax.dynamic_update_index_in_dim(fired, out != 0, j, 0)
                return values, fired, sample(records, values, begin + j)

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


def block_length(size: int) -> int:
    """Steps whose random numbers are drawn together: as many as stay in cache, an even number."""
    return int(np.clip(2**20 // max(size, 1), 16, 128)) // 2 * 2


def pack(fired: jax.Array) -> jax.Array:
    """Spikes as bits: bool (steps, neurons) to uint32 (steps, ceil(neurons / 32))."""
    n_steps, size = fired.shape
    padded = jnp.pad(fired, ((0, 0), (0, -size % 32))).reshape(n_steps, -1, 32)
    bits = padded.astype(jnp.uint32) << jnp.arange(32, dtype=jnp.uint32)
    return jnp.sum(bits, axis=-1, dtype=jnp.uint32)


def _columns(structure: Structure, n_shards: int) -> tuple[np.ndarray, np.ndarray]:
    """Which columns of the recorded variables are wanted, and the neurons that each shard records.

    Every shard records the same number of its neurons; where it has fewer to record than another,
    it repeats its first.
    """
    local = structure.size // n_shards
    wanted = structure.recording.neurons
    neurons = np.arange(structure.size) if wanted is None else np.asarray(wanted, np.int64)
    width = max(int(np.bincount(neurons // local, minlength=n_shards).max(initial=0)), 1)
    chosen = np.zeros((n_shards, width), np.int32)
    columns = np.zeros(neurons.size, np.int64)
    filled = np.zeros(n_shards, np.int64)
    for k, neuron in enumerate(neurons):
        shard = neuron // local
        chosen[shard, filled[shard]] = neuron % local
        columns[k] = shard * width + filled[shard]
        filled[shard] += 1
    return columns, chosen


@contextmanager
def _brainstate_random(seed: tuple[Any, ...]) -> Iterator[None]:
    """Make ``brainstate.random``, which a user's model may draw from, a function of the step."""
    key = jax.random.PRNGKey(0)
    for number in seed:
        key = jax.random.fold_in(key, number)
    with brainstate.StateTraceStack():
        before = brainstate.random.DEFAULT.value
        brainstate.random.DEFAULT.value = key
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


def unpack(
    packed: Any, program: Program, first: int, n_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Steps and neurons of the spikes in the records of ``n_steps`` steps from ``first`` on.

    Sorted by step, then by neuron.
    """
    begin = first % program.block
    words = np.asarray(packed)[begin : begin + n_steps]
    width = -(-program.local_size // 32)
    row, column = np.nonzero(words)
    bits = np.unpackbits(
        words[row, column].astype("<u4").view(np.uint8).reshape(-1, 4), axis=1, bitorder="little"
    )
    which, bit = np.nonzero(bits)
    shard, word = np.divmod(column[which], width)
    neuron = shard * program.local_size + word * 32 + bit
    return row[which].astype(np.int64) + first, neuron.astype(np.int32)
