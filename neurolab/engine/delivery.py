"""Spikes that arrive: from a history of who fired, along the synapses of a projection.

What a population fired is kept as bits for as many steps as the longest delay.  In a step a
projection looks, for each of its delays, at the spikes of that many steps ago, and adds up the
synapses of those that fired, at their targets.  So a step costs what its spikes cost, nothing is
cut off, and what is kept of the past is one bit for a neuron and step.

The sum at a target is over delays, then sources, then their synapses, in ascending order.  A device
has targets of its own and all of their synapses, so sums depend neither on devices nor on their
number.  Where additions have no order (on a GPU) the terms are whole multiples of a quantum
(`Wiring.key("quantum")`), which add up exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from neurolab.engine.records import pack
from neurolab.engine.structure import Structure, Wiring

__all__ = ["arrivals", "history_length", "remember"]

#: Synapses that are added at once where loops are not.
_TOGETHER = 2**15


def history_length(structure: Structure, source: str) -> int:
    """Steps for which spikes of a population are kept: whole blocks."""
    longest = max(w.delays[1] for w in structure.projections if w.source == source)
    return (-(-(longest + 1) // structure.block) + 1) * structure.block


def remember(history: Any, fired: Any, begin: Any, lower: Any, upper: Any, axis: str | None) -> Any:
    """The history with the steps ``lower`` to ``upper`` of a block; ``fired`` is of this shard."""
    words = pack(fired)
    if axis is not None:
        words = jax.lax.all_gather(words, axis, axis=1, tiled=True)
    row, j = begin % history.shape[0], jnp.arange(fired.shape[0])[:, None]
    before = jax.lax.dynamic_slice_in_dim(history, row, fired.shape[0], 0)
    after = jnp.where((lower <= j) & (j < upper), words, before)
    return jax.lax.dynamic_update_slice_in_dim(history, after, row, 0)


def arrivals(
    wiring: Wiring, numbers: Mapping[str, Any], history: Any, i: Any, n_source: int, n_target: int
) -> Any:
    """What arrives at each of ``n_target`` neurons at the beginning of step ``i``: how many spikes,
    or the sum of their weights.  A shard has ``n_source`` neurons of the source."""
    first, targets = (numbers[wiring.key(part)][0] for part in ("first", "targets"))
    weights = numbers[wiring.key("weights")][0] if wiring.weights else None
    quantum = numbers[wiring.key("quantum")] if wiring.weights else None
    least, most = wiring.delays

    def synapses(slot: Any, source: Any) -> tuple[Any, Any]:
        place = source * (most - least + 1) + slot
        return first[place], first[place + 1]

    kind = jnp.int32 if weights is None else weights.dtype

    def of_delay(slot: Any, total: Any) -> Any:
        # A spike of step k ends that step, and with a delay of d steps it is there at the end of
        # step k + d: at the beginning of step k + 1 + d.
        row = (i - 1 - least - slot) % history.shape[0]
        words = jax.lax.dynamic_index_in_dim(history, row, 0, False)
        given = (partial(synapses, slot), targets, weights, quantum, n_source)
        return jax.lax.platform_dependent(
            words, total, cpu=partial(in_turn, *given), default=partial(together, *given)
        )

    if least == most:
        return of_delay(0, jnp.zeros(n_target, kind))
    return jax.lax.fori_loop(0, most - least + 1, of_delay, jnp.zeros(n_target, kind))


Synapses = Callable[[Any], tuple[Any, Any]]


def in_turn(
    synapses: Synapses,
    targets: Any,
    weights: Any,
    quantum: Any,
    n_source: int,
    words: Any,
    total: Any,
) -> Any:
    """Spike after spike, synapse after synapse: plain loops, which a processor's compiler makes as
    fast as C (3 ns a synapse; a scatter of a row takes four times as long)."""
    n_words = -(-n_source // 32)

    def of_word(k: Any, total: Any) -> Any:
        shard = k // n_words
        begin = shard * n_source + (k - shard * n_words) * 32

        def of_spike(left: tuple[Any, Any]) -> tuple[Any, Any]:
            word, total = left
            lowest = word & (~word + jnp.uint32(1))
            source = begin + 31 - jax.lax.clz(lowest).astype(jnp.int32)

            def of_synapse(k: Any, total: Any) -> Any:
                more = 1 if weights is None else weights[k]
                return total.at[targets[k]].add(more, mode="promise_in_bounds")

            return word ^ lowest, jax.lax.fori_loop(*synapses(source), of_synapse, total)

        return jax.lax.while_loop(lambda left: left[0] != 0, of_spike, (words[k], total))[1]

    return jax.lax.fori_loop(0, words.shape[0], of_word, total)


def together(
    synapses: Synapses,
    targets: Any,
    weights: Any,
    quantum: Any,
    n_source: int,
    words: Any,
    total: Any,
) -> Any:
    """Thousands of synapses at once, for devices that have as many threads.  Integers are added, in
    whatever order."""
    bits = (words[:, None] >> jnp.arange(32, dtype=jnp.uint32)) & jnp.uint32(1)
    n_words = -(-n_source // 32)
    fired = bits.reshape(-1, n_words * 32)[:, :n_source].reshape(-1) != 0
    (sources,) = jnp.nonzero(fired, size=fired.shape[0], fill_value=0)
    begin, end = synapses(sources)
    n_spikes = fired.sum()
    length = jnp.where(jnp.arange(fired.shape[0]) < n_spikes, end - begin, 0)
    ends = jnp.cumsum(length)

    def some(c: Any, found: Any) -> Any:
        k = c * _TOGETHER + jnp.arange(_TOGETHER)
        spike = jnp.minimum(jnp.searchsorted(ends, k, side="right"), ends.shape[0] - 1)
        at = begin[spike] + k - (ends[spike] - length[spike])
        there = k < ends[-1]
        at = jnp.where(there, at, 0)
        more = 1 if weights is None else jnp.round(weights[at] / quantum).astype(found.dtype)
        return found.at[targets[at]].add(jnp.where(there, more, 0))

    kind = jnp.int32 if weights is None or weights.dtype == jnp.float32 else jnp.int64
    found = jnp.zeros(total.shape, kind)
    found = jax.lax.fori_loop(0, -(-ends[-1] // _TOGETHER), some, found)
    return total + (found if weights is None else found.astype(total.dtype) * quantum)
