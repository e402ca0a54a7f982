"""Spikes that arrive: from a history of who fired, along the synapses of projections.

What a population fired is kept as bits for as many steps as its shortest delay.  In a step the
synapses of those that fired that many steps ago are gone through, and what each brings is added
where it arrives: at a target, now or in one of the next steps, which are a ring of as many rows as
there are different delays.  So a step costs what its spikes cost, and nothing is cut off.

The sum at a target is over the steps in which sources fired, bundles, sources and their synapses,
in ascending order.  A device has targets of its own and all of their synapses, so sums depend
neither on devices nor on their number.  Where all hear the same, spikes are counted, once for all.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurolab.engine.adding import Table, add_synapses
from neurolab.engine.projections import Bundle, Wiring
from neurolab.engine.structure import Numbers, Structure

__all__ = ["Delivery"]

#: In a state: the spikes of a population that projections look back at, [step, word of bits], after
#: its prefix; and what is to arrive, [step and place], after the name of a bundle.
_HISTORY, _COMING = "history", "coming"


class Delivery:
    """The projections of a structure in a shard of its neurons.

    Parameters
    ----------
    structure
        What is simulated.
    widths
        How many neurons of each population are in a shard, by prefix.
    n_shards
        How many shards there are.
    """

    def __init__(self, structure: Structure, widths: Mapping[str, int], n_shards: int) -> None:
        self.structure, self.widths, self.n_shards = structure, widths, n_shards
        self.sources = {wiring.source for wiring in structure.projections}
        #: The populations whose spikes are kept, by the names of their histories.
        self.histories = {
            f"{prefix}{_HISTORY}": prefix for prefix in widths if prefix in self.sources
        }
        #: The bundles of synapses with different delays, by the names of what is to arrive.
        self.coming = {
            of[0].key(_COMING): of
            for of in structure.sums
            if any(bundle.n_slots > 1 for bundle in of)
        }

    def start(self) -> dict[str, Any]:
        """The part of a state before the first step."""
        found = {name: self._no_spikes(prefix) for name, prefix in self.histories.items()}
        return found | {name: self._nothing(bundles) for name, bundles in self.coming.items()}

    def _no_spikes(self, source: str) -> Any:
        """Whole blocks, for as long as spikes of a population are needed."""
        block = self.structure.block
        longest = max(w.delays[0] for w in self.structure.projections if w.source == source)
        length = (-(-(longest + 1) // block) + 1) * block
        return jnp.zeros((length, self.n_shards * -(-self.widths[source] // 32)), jnp.uint32)

    def ends(self, bundles: Sequence[Bundle]) -> list[int]:
        """Where the neurons of each target of bundles begin, counted through; then how many places
        there are, of which the last takes what fills up groups of synapses."""
        widths = [self.widths[wiring.target] for wiring in bundles[0].wirings]
        ends = list(itertools.accumulate(widths, initial=0))
        return [*ends, ends[-1] + 1]

    def _nothing(self, bundles: Sequence[Bundle], zero: Any = 0) -> Any:
        """A zero for each place of each step in which synapses arrive."""
        first, double = bundles[0], self.structure.precision == 64
        kind: Any = np.float64 if double else np.float32
        if not first.weighted:
            once = first.once and self.structure.of(first.source).size < 2**15
            kind = np.int16 if once else np.int32  # half the memory to go through
        n_places = max(bundle.n_slots for bundle in bundles) * self.ends(bundles)[-1]
        return jnp.full(n_places, jnp.asarray(zero, kind))

    def arrivals(
        self, numbers: Numbers, values: Mapping[str, Any], indices: Mapping[str, Any], i: Any
    ) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        """What arrives at the beginning of step ``i`` by target and projection, how many spikes or
        the sum of their weights; and the part of the state from then on.

        ``indices`` are the numbers of a shard's neurons in their populations, by prefix.
        """
        found: dict[str, dict[str, Any]] = {}
        kept = {name: values[name] for name in self.histories}
        for wiring in self.structure.projections:
            arrives = None  # the sum is told of once for all that bring to it
            if wiring.everyone:
                history, n = values[wiring.source + _HISTORY], self.widths[wiring.source]
                arrives = _everyone(wiring, history, i, indices[wiring.target], n)
            found.setdefault(wiring.target, {})[wiring.name] = arrives
        for bundles in self.structure.sums:
            name, (*ends, width) = bundles[0].key(_COMING), self.ends(bundles)
            if name in self.coming:
                # What arrived in the step before is cleared only now, when nobody reads it.
                total, now = values[name], i % (values[name].shape[0] // width) * width
                gone, before = jnp.zeros(width, total.dtype), (now - width) % total.shape[0]
                total = jax.lax.dynamic_update_slice(total, gone, (before,))
                kept[name] = total = self._added(bundles, numbers, values, i, total, now)
                total = jax.lax.dynamic_slice(total, (now,), (width,))
            else:
                # Behind a barrier: zeros that sums share are copied for each in every step.
                zeros = self._nothing(bundles, jax.lax.optimization_barrier(jnp.float32(0)))
                total = self._added(bundles, numbers, values, i, zeros)
            for k, wiring in enumerate(bundles[0].wirings):
                found[wiring.target][wiring.name] = total[ends[k] : ends[k + 1]]
        return found, kept

    def _added(
        self,
        bundles: Sequence[Bundle],
        numbers: Numbers,
        values: Mapping[str, Any],
        i: Any,
        total: Any,
        now: Any = None,
    ) -> Any:
        """``total`` with the synapses of those that fired as long ago as the least delay."""
        for bundle in bundles:
            first, places = (numbers[bundle.key(part)][0] for part in ("first", "places"))
            weights = quantum = None
            if bundle.weighted:
                weights, quantum = numbers[bundle.key("weights")][0], numbers[bundle.key("quantum")]
            table = Table(first, places, weights, quantum, self.widths[bundle.source])
            words = _fired(values[bundle.source + _HISTORY], i, bundle.delays[0])
            total = add_synapses(table, words, total, now)
        return total

    def remembered(
        self, values: Mapping[str, Any], words: Mapping[str, Any], block: tuple[Any, Any, Any]
    ) -> dict[str, Any]:
        """The histories with the spikes of a block, [step, word] of each population: its first
        step, and which of its steps were made."""
        own = {name: words[prefix] for name, prefix in self.histories.items()}
        every = _exchange(own, "neurons" if self.n_shards > 1 else None)
        return {name: _remember(values[name], every[name], *block) for name in own}


def _exchange(words: Mapping[str, Any], axis: str | None) -> dict[str, Any]:
    """Spikes of a block, [step, word] of each population, of this shard and then of all of them: at
    once, since it is the number of exchanges that costs."""
    if axis is None or not words:
        return dict(words)
    every = jax.lax.all_gather(jnp.concatenate(list(words.values()), 1), axis)
    found, begin = {}, 0
    for prefix, own in words.items():
        of = every[:, :, begin : begin + own.shape[1]]
        found[prefix] = jnp.swapaxes(of, 0, 1).reshape(own.shape[0], -1)
        begin += own.shape[1]
    return found


def _remember(history: Any, words: Any, begin: Any, lower: Any, upper: Any) -> Any:
    """The history with the steps ``lower`` to ``upper`` of a block."""
    row, j = begin % history.shape[0], jnp.arange(words.shape[0])[:, None]
    before = jax.lax.dynamic_slice_in_dim(history, row, words.shape[0], 0)
    after = jnp.where((lower <= j) & (j < upper), words, before)
    return jax.lax.dynamic_update_slice_in_dim(history, after, row, 0)


def _fired(history: Any, i: Any, delay: Any) -> Any:
    """Who fired, as bits, whose spikes arrive at the beginning of step ``i``."""
    # A spike of step k ends that step, and with a delay of d steps it is there at the end of step
    # k + d: at the beginning of step k + 1 + d.
    row = (i - 1 - delay) % history.shape[0]
    return jax.lax.dynamic_index_in_dim(history, row, 0, False)


def _everyone(wiring: Wiring, history: Any, i: Any, own: Any, n_source: int) -> Any:
    """How many spikes arrive at each of the neurons ``own`` (their numbers) where every neuron of
    the source connects to all; ``n_source`` are the source's neurons in each shard."""
    words = _fired(history, i, wiring.delays[0])
    total = jnp.sum(jax.lax.population_count(words).astype(jnp.int32))
    apart = wiring.source == wiring.target and not wiring.autapses
    if not apart:
        return jnp.broadcast_to(total, own.shape)
    shard, k = own // n_source, own % n_source
    word = words[shard * -(-n_source // 32) + k // 32]
    return total - (word >> (k % 32).astype(jnp.uint32) & 1).astype(jnp.int32)
