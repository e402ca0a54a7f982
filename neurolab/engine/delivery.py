"""Spikes that arrive: from a history of who fired, along the synapses of projections.

What a population fired is kept as bits for as many steps as the longest delay.  In a step a bundle
of its projections looks, for each of its delays, at the spikes of that many steps ago, and adds up
the synapses of those that fired, at their targets.  So a step costs what its spikes cost, nothing
is cut off, and what is kept of the past is one bit for a neuron and step.

The sum at a target is over bundles, delays, sources and their synapses, in ascending order.  A
device has targets of its own and all of their synapses, so sums depend neither on devices nor on
their number.  Where additions have no order (on a GPU) the terms are whole multiples of a quantum
(`Bundle.made`), which add up exactly.  Where all hear the same, spikes are counted, once for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurolab.engine.projections import Bundle, Wiring
from neurolab.engine.records import pack
from neurolab.engine.structure import Structure

__all__ = ["arrivals", "everyone", "exchange", "no_spikes", "remember"]

#: Synapses that are added at once where loops are not.
_TOGETHER = 2**15


class Table(NamedTuple):
    """The synapses of a bundle onto the neurons of a shard (`neurolab.engine.wiring`)."""

    first: Any
    targets: Any
    weights: Any
    quantum: Any
    #: Neurons of the source in each shard, and different delays.
    n_source: int
    n_slots: int


def no_spikes(structure: Structure, source: str, n_words: int) -> Any:
    """The history of a population before the first step: whole blocks, for as long as its spikes
    are needed, [step, word]; a word after those of a step says whether any of them has a spike."""
    longest = max(w.delays[1] for w in structure.projections if w.source == source)
    length = (-(-(longest + 1) // structure.block) + 1) * structure.block
    return jnp.zeros((length, n_words + 1), jnp.uint32)


def exchange(words: Mapping[str, Any], axis: str | None) -> dict[str, Any]:
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


def remember(history: Any, words: Any, begin: Any, lower: Any, upper: Any) -> Any:
    """The history with the steps ``lower`` to ``upper`` of a block."""
    some = jax.lax.reduce(words, np.uint32(0), jax.lax.bitwise_or, (1,))
    words = jnp.concatenate([words, some[:, None]], 1)
    row, j = begin % history.shape[0], jnp.arange(words.shape[0])[:, None]
    before = jax.lax.dynamic_slice_in_dim(history, row, words.shape[0], 0)
    after = jnp.where((lower <= j) & (j < upper), words, before)
    return jax.lax.dynamic_update_slice_in_dim(history, after, row, 0)


def _fired(history: Any, i: Any, delay: Any) -> Any:
    """Who fired, as bits, whose spikes arrive at the beginning of step ``i``."""
    # A spike of step k ends that step, and with a delay of d steps it is there at the end of step
    # k + d: at the beginning of step k + 1 + d.
    row = (i - 1 - delay) % history.shape[0]
    return jax.lax.dynamic_index_in_dim(history, row, 0, False)[:-1]


def everyone(wiring: Wiring, history: Any, i: Any, own: Any, n_source: int) -> Any:
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


def arrivals(
    bundle: Bundle,
    numbers: Mapping[str, Any],
    history: Any,
    i: Any,
    n_source: int,
    n_target: int,
    before: Any = None,
) -> Any:
    """What arrives at each of the ``n_target`` neurons of the bundle's projections at the beginning
    of step ``i``: how many spikes, or the sum of their weights; beside what came ``before``."""
    given = {key: numbers[bundle.key(key)] for key in ("first", "targets")}
    weights = quantum = None
    if bundle.weighted:
        weights, quantum = numbers[bundle.key("weights")][0], numbers[bundle.key("quantum")]
    first, targets = given["first"][0], given["targets"][0]
    table = Table(first, targets, weights, quantum, n_source, bundle.n_slots)

    def of_delay(slot: Any, total: Any) -> Any:
        words = _fired(history, i, bundle.delays[0] + slot)
        return jax.lax.platform_dependent(
            words,
            total,
            cpu=partial(in_turn, table, slot),
            default=partial(together, table, slot),
        )

    kind: Any = jnp.int32 if weights is None else weights.dtype
    n_words = history.shape[1] - 1
    if weights is None and bundle.once and n_words * 32 < 2**15:  # half the memory to go through
        kind = jnp.int16
    # Behind a barrier: zeros that bundles share are copied for each in every step.
    # One place more than targets: what fills up groups of synapses goes there.
    if before is None:
        before = jnp.full(n_target + 1, jax.lax.optimization_barrier(jnp.zeros((), kind)))
    if bundle.n_slots == 1:
        return of_delay(0, before)
    return _for_all(_busy(history, i - 1 - bundle.delays[0], bundle.n_slots), of_delay, before)


def _busy(history: Any, last: Any, n_steps: int) -> Any:
    """In which of as many steps, from the ``last`` one back, any neuron fired, as bits."""
    rows, n = history[:, -1] != 0, history.shape[0]
    twice = jnp.concatenate([rows, rows])
    some = jax.lax.dynamic_slice_in_dim(twice, last % n + n - (n_steps - 1), n_steps)
    return pack(some[None, ::-1])[0]


def in_turn(table: Table, slot: Any, words: Any, total: Any) -> Any:
    """Spike after spike, synapse after synapse: plain loops, which a processor's compiler makes as
    fast as C (3 ns a synapse; a scatter of a row takes four times as long)."""
    n_words = -(-table.n_source // 32)

    def of_group(k: Any, total: Any) -> Any:
        targets = _at(table.targets, k).astype(jnp.int32)
        more = [1] * len(targets) if table.weights is None else _at(table.weights, k)
        for target, weight in zip(targets, more, strict=True):
            new = (_at(total, target) + weight)[None]
            total = jax.lax.dynamic_update_slice(
                total, new, (target,), allow_negative_indices=False
            )
        return total

    def of_word(k: Any, total: Any) -> Any:
        shard = k // n_words
        begin = shard * table.n_source + (k - shard * n_words) * 32

        def of_spike(bit: Any, total: Any) -> Any:
            place = (begin + bit) * table.n_slots + slot
            row = _at(table.first, place), _at(table.first, place + 1)
            return jax.lax.fori_loop(*row, of_group, total)

        return _for_bits(_at(words, k), of_spike, total)

    # Few neurons fire in a step: which words have a spike is found for 32 of them at once.
    return _for_all(pack((words != 0)[None])[0], of_word, total)


def _for_all(words: Any, body: Callable[[Any, Any], Any], total: Any) -> Any:
    """Go through the bits of words that are set, in ascending order."""

    def of_word(j: Any, total: Any) -> Any:
        return _for_bits(_at(words, j), lambda bit, total: body(j * 32 + bit, total), total)

    return jax.lax.fori_loop(0, words.shape[0], of_word, total)


def _for_bits(word: Any, body: Callable[[Any, Any], Any], total: Any) -> Any:
    """Go through the bits of a word that are set, from the lowest."""

    def of_lowest(left: tuple[Any, Any]) -> tuple[Any, Any]:
        word, total = left
        lowest = word & (~word + jnp.uint32(1))
        total = body(31 - jax.lax.clz(lowest).astype(jnp.int32), total)
        return word ^ lowest, total

    return jax.lax.while_loop(lambda left: left[0] != 0, of_lowest, (word, total))[1]


def _at(values: Any, k: Any) -> Any:
    """An element or row, whose index is known to be inside: what checks it takes longer."""
    begin, shape = (k, *[jnp.zeros_like(k)] * (values.ndim - 1)), (1, *values.shape[1:])
    return jax.lax.dynamic_slice(values, begin, shape, allow_negative_indices=False)[0]


def together(table: Table, slot: Any, words: Any, total: Any) -> Any:
    """Thousands of synapses at once, for devices that have as many threads.  Integers are added, in
    whatever order."""
    bits = (words[:, None] >> jnp.arange(32, dtype=jnp.uint32)) & jnp.uint32(1)
    n_words = -(-table.n_source // 32)
    fired = bits.reshape(-1, n_words * 32)[:, : table.n_source].reshape(-1) != 0
    (sources,) = jnp.nonzero(fired, size=fired.shape[0], fill_value=0)
    place = sources * table.n_slots + slot
    begin, end = table.first[place], table.first[place + 1]
    length = jnp.where(jnp.arange(fired.shape[0]) < fired.sum(), end - begin, 0)
    # Groups of synapses, spike after spike: as numbers of synapses they may be beyond 2^31.
    ends, width = jnp.cumsum(length), total.shape[0]
    groups = (begin - (ends - length), ends, table.targets)
    if table.weights is None:
        found = _added(lambda at: jnp.int32(1), groups, jnp.zeros(width, jnp.int32))
        return total + found.astype(total.dtype)
    return total + _summed(table.weights, groups, table.quantum, width)


def _added(more: Callable[[Any], Any], groups: tuple[Any, ...], found: Any) -> Any:
    """``found`` with the weights ``more`` of groups of synapses, whose places these are told by."""
    shift, ends, targets = groups
    most = max(_TOGETHER // targets.shape[1], 1)

    def some(c: Any, found: Any) -> Any:
        k = c * most + jnp.arange(most, dtype=ends.dtype)
        spike = jnp.minimum(jnp.searchsorted(ends, k, side="right"), ends.shape[0] - 1)
        there = k < ends[-1]
        at = jnp.where(there, shift[spike] + k, 0)
        return found.at[targets[at]].add(jnp.where(there[:, None], more(at), 0).astype(found.dtype))

    return jax.lax.fori_loop(0, -(-ends[-1] // most), some, found)


@partial(jax.custom_jvp, nondiff_argnums=(3,))
def _summed(weights: Any, groups: tuple[Any, ...], quantum: Any, width: int) -> Any:
    """Sums of weights as whole multiples of a quantum; of their derivatives no order is asked."""
    kind = jnp.int32 if weights.dtype == jnp.float32 else jnp.int64
    found = _added(lambda at: jnp.round(weights[at] / quantum), groups, jnp.zeros(width, kind))
    return found.astype(weights.dtype) * quantum


@_summed.defjvp
def _(width: int, given: tuple[Any, ...], changes: tuple[Any, ...]) -> tuple[Any, Any]:
    change, zeros = changes[0], jnp.zeros(width, given[0].dtype)
    return _summed(*given, width), _added(lambda at: change[at], given[1], zeros)
