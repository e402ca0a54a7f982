"""The two pure functions of a structure, for one shard of its neurons: `start` and `advance`.

Inside them ordinary brainstate modules are built with the numbers (possibly tracers) put in place,
their states are filled from ``state``, the steps are looped over, and the states are read back.
``n_steps`` is an argument too, so that one compiled program serves chunks of any length up to its
capacity, and runs of any duration.  `neurolab.engine.program` compiles them, with neurons or points
shared by devices.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from neurolab.engine.delivery import Delivery
from neurolab.engine.network import Network, kept_random, seed_random
from neurolab.engine.records import pack
from neurolab.engine.structure import Numbers, PopulationSpec, Structure

__all__ = ["CLOCK", "FINITE", "NONFINITE", "Loop", "Records", "State"]

State = dict[str, Any]
Records = dict[str, Any]

#: In a state, beside the variables of the models: steps done, and after the prefix of a population,
#: for each neuron the step in which a variable of it (or one that is not per neuron) first was NaN
#: or infinite, `FINITE` if none was; and what `Delivery` keeps.
CLOCK, NONFINITE = "step", "nonfinite"
FINITE = 2**31 - 1


class Loop:
    """Start and advance a shard of a structure's neurons.

    Parameters
    ----------
    structure
        What is simulated.
    capacity
        Most steps that one `advance` may make.
    n_shards
        How many shards the neurons are in.
    """

    def __init__(self, structure: Structure, capacity: int, n_shards: int = 1) -> None:
        self.structure, self.n_shards = structure, n_shards
        #: Neurons of each population in a shard, and in all.  The last shard may have fewer than
        #: others: what its array has beyond them takes part in the steps, and is never told of.
        self.sizes = tuple(-(-group.size // n_shards) for group in structure.populations)
        self.local_size = sum(self.sizes)
        self.even = all(group.size % n_shards == 0 for group in structure.populations)
        widths = {g.prefix: n for g, n in zip(structure.populations, self.sizes, strict=True)}
        self.delivery = Delivery(structure, widths, n_shards)
        self.block = structure.block
        self.n_blocks = -(-capacity // self.block) + 1

    @property
    def capacity(self) -> int:
        """Most steps that one `advance` may make."""
        return (self.n_blocks - 1) * self.block

    def environment(self) -> Any:
        """The context in which both functions are traced and called: precision and dt."""
        stack = ExitStack()
        stack.enter_context(kept_random())
        double = self.structure.precision == 64
        stack.enter_context(jax.enable_x64(double))
        dt = self.structure.dt_ms * u.ms
        stack.enter_context(brainstate.environ.context(precision=self.structure.precision, dt=dt))
        return stack

    def arguments(self, numbers: Numbers) -> dict[str, Any]:
        """Numbers in the precision of the structure; what has it already is left where it is."""
        dtype = np.float64 if self.structure.precision == 64 else np.float32

        def fit(value: Any) -> Any:
            value = value if isinstance(value, jax.Array) else np.asarray(value)
            other = value.dtype.kind == "f" and value.dtype != dtype
            return value.astype(dtype) if other else value

        return {key: fit(value) for key, value in numbers.items()}

    def fitted(self, numbers: Numbers) -> dict[str, Any]:
        """Those that a step needs, of neurons as many as the shards have places for."""
        drawn_from = {key for of in self.structure.bundles for key in of.drawn_from} - {"seed"}
        found = {key: value for key, value in numbers.items() if key not in drawn_from}
        for key in self.structure.per_neuron if not self.even else ():
            value = found[key]
            more = self.width(key) * self.n_shards - np.shape(value)[-1]
            pad = jnp.pad if isinstance(value, jax.core.Tracer) else np.pad
            found[key] = pad(value, [(0, 0)] * (np.ndim(value) - 1) + [(0, more)], mode="edge")
        return found

    def width(self, name: str) -> int:
        """How many neurons of a shard a variable or number may have a value for."""
        return self.sizes[self.structure.populations.index(self.structure.of(name))]

    def indices(self, shard: Any) -> tuple[Any, ...]:
        """The numbers, in each whole population, of the neurons of a shard."""
        return tuple(jnp.arange(size, dtype=jnp.int32) + shard * size for size in self.sizes)

    def start(self, numbers: Numbers, shard: Any) -> State:
        """The state before the first step."""
        state = Network(self.structure, numbers, self.indices(shard)).read()
        for group, size in zip(self.structure.populations, self.sizes, strict=True):
            state[group.prefix + NONFINITE] = jnp.full(size, FINITE, jnp.int32)
        return state | self.delivery.start() | {CLOCK: jnp.int32(0)}

    def one_step(
        self, numbers: Numbers, state: State, indices: Any, i: Any, shard: Any
    ) -> tuple[State, Any]:
        """Step ``i`` by itself: the variables after it, and the spikes."""
        drawn = Network(self.structure, numbers, indices).draw(i, 2)
        here = jax.tree.map(lambda x: x[0], drawn)
        return self._step(numbers, state, here, indices, i, shard)

    def _step(
        self, numbers: Numbers, values: State, drawn: Any, indices: Any, i: Any, shard: Any
    ) -> tuple[State, Any]:
        network, dt = Network(self.structure, numbers, indices), brainstate.environ.get_dt()
        network.write(values)
        own = {g.prefix: k for g, k in zip(self.structure.populations, indices, strict=True)}
        arrives, kept = self.delivery.arrivals(numbers, values, own, i)
        for prefix, arrived in arrives.items():
            drawn = {**drawn, prefix: {**drawn[prefix], **arrived}}
        now = {"i": i, "t": i * dt, "stepped": self.structure.stepped}
        with brainstate.StateTraceStack(), brainstate.environ.context(**now):
            seed_random((numbers["seed"], i, shard))
            spikes = network.update(drawn)
        return network.read() | kept, spikes

    def advance(
        self, numbers: Numbers, chosen: Any, state: State, n_steps: Any, shard: Any
    ) -> tuple[State, Records]:
        """The state ``n_steps`` later, and what happened: spikes as bits, samples of variables.

        ``chosen`` are the neurons of this shard, in each population, whose variables are recorded.
        """
        recording, length, indices = self.structure.recording, self.block, self.indices(shard)
        first, last = state[CLOCK], state[CLOCK] + n_steps
        first_block = first // length
        groups = self.structure.populations
        #: The populations of which spikes are asked for.
        keeps = [g for g in groups if recording.spikes or g.prefix in self.delivery.sources]

        def sample(records: Records, values: State, i: Any) -> Records:
            row = (i + 1) // recording.every - first // recording.every - 1
            # Between samples the last row is written, which nobody reads.
            row = jnp.where((i + 1) % recording.every == 0, row, self._sample_rows - 1)
            whole = recording.neurons is None
            return records | {
                name: jax.lax.dynamic_update_index_in_dim(
                    records[name],
                    values[name] if whole else values[name][chosen[self.structure.of(name).prefix]],
                    row,
                    0,
                )
                for name in recording.variables
            }

        def in_block(b: Any, carry: tuple[State, Records]) -> tuple[State, Records]:
            values, records = carry
            begin = (first_block + b) * length
            drawn = Network(self.structure, numbers, indices).draw(begin, length)

            def in_step(j: Any, carry: tuple[State, Any, Records]) -> tuple[State, Any, Records]:
                values, fired, records = carry
                watched = self._watched(values, begin + j - 1)
                j = j + sum((of[0] < 0).astype(j.dtype) for of in watched.values())  # as it is
                here = jax.tree.map(lambda x: jax.lax.dynamic_index_in_dim(x, j, 0, False), drawn)
                i = begin + j
                values, spikes = self._step(numbers, values, here, indices, i, shard)
                values = self._in_place(values) | watched
                fired = {
                    group.prefix: jax.lax.dynamic_update_index_in_dim(
                        fired[group.prefix], self._fired(group, spikes, indices), j, 0
                    )
                    for group in keeps
                }
                return values, fired, sample(records, values, i)

            fired = {
                group.prefix: jnp.broadcast_to(
                    values[group.prefix + NONFINITE] < 0, (length, self.width(group.prefix))
                )
                for group in keeps
            }
            lower, upper = jnp.maximum(first - begin, 0), jnp.minimum(last - begin, length)
            start = (values, fired, records)
            values, fired, records = jax.lax.fori_loop(lower, upper, in_step, start)
            words = {prefix: pack(spikes) for prefix, spikes in fired.items()}
            values = values | self.delivery.remembered(values, words, (begin, lower, upper))
            if recording.spikes:
                new = jax.lax.dynamic_update_slice_in_dim(
                    records["spikes"],
                    jnp.concatenate([words[group.prefix] for group in keeps], 1),
                    b * length,
                    0,
                )
                records = records | {"spikes": new}
            return values, records

        values = {name: value for name, value in state.items() if name != CLOCK}
        n_blocks = (last - 1) // length - first_block + 1
        start = (values, self._empty(values, chosen))
        values, records = jax.lax.fori_loop(0, n_blocks, in_block, start)
        return values | self._watched(values, last - 1) | {CLOCK: last}, records

    def _fired(self, group: PopulationSpec, spikes: dict[str, Any], indices: Any) -> jax.Array:
        """Who of a population fired."""
        index = indices[self.structure.populations.index(group)]
        fired = spikes[group.prefix] != 0 if group.fires else index < 0
        return fired if self.even else fired & (index < group.size)

    def _watched(self, values: State, i: Any) -> State:
        """Of each population, where step ``i`` is the first after which a value is not finite.

        That is looked at where the next step begins: of values as they are written, which XLA else
        would compute once more.  That step seems to depend on it, by its number, since XLA would
        keep copies of what the step writes over.
        """
        totals: dict[str, Any] = {}
        for name, value in values.items():
            if jnp.issubdtype(value.dtype, jnp.floating) and name not in self.delivery.coming:
                zero, group = value * 0, self.structure.of(name)
                per_neuron = value.shape[-1:] == (self.width(name),)
                axes = tuple(range(zero.ndim - 1 if per_neuron else zero.ndim))
                zero = zero.sum(axes) if axes else zero
                totals[group.prefix] = totals.get(group.prefix, 0.0) + zero
        found = {}
        for group in self.structure.populations:
            before = values[group.prefix + NONFINITE]
            first = jnp.minimum(before, jnp.maximum(i, 0))
            finite = totals.get(group.prefix, 0.0) == 0
            found[group.prefix + NONFINITE] = jnp.where(finite, before, first)
        return found

    def _in_place(self, values: State) -> State:
        """The same values; those of receptors seem to depend on all that their old ones lead to:
        XLA, which else does not know what it may write over, would copy them in each step."""
        found = dict(values)
        for group in self.structure.populations:
            of_neuron, own = (
                [name for name in values if name.startswith(keys)]
                for keys in (
                    f"{group.prefix}neuron.",
                    tuple(f"{group.full(key)}." for key, _ in group.receptors),
                )
            )
            floats = [values[n] for n in of_neuron if values[n].dtype.kind == "f"]
            never = sum(value.reshape(-1)[0] > jnp.inf for value in floats)
            for name in own if floats else ():
                found[name] += jnp.asarray(never, found[name].dtype)
        return found

    @property
    def _sample_rows(self) -> int:
        return self.capacity // self.structure.recording.every + 2

    def _empty(self, values: State, chosen: Any) -> Records:
        """Zeros to be written over.  They are made of the state, of which there is one for each
        point: JAX would trace a loop over steps again for what it finds to differ only after it,
        twice for each loop around it."""
        nothing, records = values[self.structure.populations[0].prefix + NONFINITE][0] < 0, {}
        if self.structure.recording.spikes:
            shape = (self.n_blocks * self.block, sum(-(-size // 32) for size in self.sizes))
            records["spikes"] = jnp.broadcast_to(nothing.astype(jnp.uint32), shape)
        for name in self.structure.recording.variables:
            shape = (self._sample_rows, chosen[self.structure.of(name).prefix].shape[0])
            records[name] = jnp.broadcast_to(nothing.astype(values[name].dtype), shape)
        return records
