"""Adding up the synapses of the neurons that fired: in turn on a CPU, together on a GPU.

A sum is over sources and their synapses in ascending order.  Where additions have no order (on a
GPU) its terms are whole multiples of a quantum (`Bundle.made`), which add up exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from neurolab.engine.records import pack

__all__ = ["Table", "add_synapses"]

#: Synapses that are added at once where loops are not.
_TOGETHER = 2**15


class Table(NamedTuple):
    """The synapses of a bundle onto the neurons of a shard (`neurolab.engine.wiring`)."""

    first: Any
    places: Any
    weights: Any
    quantum: Any
    #: Neurons of the source in each shard.
    n_source: int


def add_synapses(table: Table, words: Any, total: Any, now: Any = None) -> Any:
    """``total`` with the synapses of those that fired, which are the bits of ``words``: how many
    arrive at each place, or the sum of their weights.

    ``total`` is a ring of places, which are counted from ``now`` on; from its first on if None.
    """
    cpu, default = partial(_in_turn, table, now), partial(_together, table, now)
    return jax.lax.platform_dependent(words, total, cpu=cpu, default=default)


def _from(now: Any, places: Any, size: int) -> Any:
    """Where places of a ring are that are counted from ``now`` on."""
    if now is None:
        return places.astype(jnp.int32)
    at = now + places.astype(jnp.int32)
    return jnp.where(at < size, at, at - size)


def _in_turn(table: Table, now: Any, words: Any, total: Any) -> Any:
    """Spike after spike, synapse after synapse: plain loops, which a processor's compiler makes as
    fast as C (3 ns a synapse; a scatter of a row takes four times as long)."""
    n_words = -(-table.n_source // 32)

    def of_group(k: Any, total: Any) -> Any:
        places = _from(now, _at(table.places, k), total.shape[0])
        more = [1] * len(places) if table.weights is None else _at(table.weights, k)
        for place, weight in zip(places, more, strict=True):
            new = (_at(total, place) + weight)[None]
            total = jax.lax.dynamic_update_slice(total, new, (place,), allow_negative_indices=False)
        return total

    def of_word(k: Any, total: Any) -> Any:
        shard = k // n_words
        begin = shard * table.n_source + (k - shard * n_words) * 32

        def of_spike(bit: Any, total: Any) -> Any:
            row = _at(table.first, begin + bit), _at(table.first, begin + bit + 1)
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


def _together(table: Table, now: Any, words: Any, total: Any) -> Any:
    """Thousands of synapses at once, for devices that have as many threads.  Integers are added, in
    whatever order."""
    bits = (words[:, None] >> jnp.arange(32, dtype=jnp.uint32)) & jnp.uint32(1)
    n_words = -(-table.n_source // 32)
    fired = bits.reshape(-1, n_words * 32)[:, : table.n_source].reshape(-1) != 0
    (sources,) = jnp.nonzero(fired, size=fired.shape[0], fill_value=0)
    begin, end = table.first[sources], table.first[sources + 1]
    length = jnp.where(jnp.arange(fired.shape[0]) < fired.sum(), end - begin, 0)
    # Groups of synapses, spike after spike: as numbers of synapses they may be beyond 2^31.
    ends, size = jnp.cumsum(length), total.shape[0]
    groups = (begin - (ends - length), ends, table.places, now)
    if table.weights is None:
        found = _added(lambda at: jnp.int32(1), groups, jnp.zeros(size, jnp.int32))
        return total + found.astype(total.dtype)
    return total + _summed(table.weights, groups, table.quantum, size)


def _added(more: Callable[[Any], Any], groups: tuple[Any, ...], found: Any) -> Any:
    """``found`` with the weights ``more`` of groups of synapses, whose places these are told by."""
    shift, ends, places, now = groups
    most = max(_TOGETHER // places.shape[1], 1)

    def some(c: Any, found: Any) -> Any:
        k = c * most + jnp.arange(most, dtype=ends.dtype)
        spike = jnp.minimum(jnp.searchsorted(ends, k, side="right"), ends.shape[0] - 1)
        there = k < ends[-1]
        at = jnp.where(there, shift[spike] + k, 0)
        place = _from(now, places[at], found.shape[0])
        return found.at[place].add(jnp.where(there[:, None], more(at), 0).astype(found.dtype))

    return jax.lax.fori_loop(0, -(-ends[-1] // most), some, found)


@partial(jax.custom_jvp, nondiff_argnums=(3,))
def _summed(weights: Any, groups: tuple[Any, ...], quantum: Any, size: int) -> Any:
    """Sums of weights as whole multiples of a quantum; of their derivatives no order is asked."""
    kind = jnp.int32 if weights.dtype == jnp.float32 else jnp.int64
    found = _added(lambda at: jnp.round(weights[at] / quantum), groups, jnp.zeros(size, kind))
    return found.astype(weights.dtype) * quantum


@_summed.defjvp
def _(size: int, given: tuple[Any, ...], changes: tuple[Any, ...]) -> tuple[Any, Any]:
    change, zeros = changes[0], jnp.zeros(size, given[0].dtype)
    return _summed(*given, size), _added(lambda at: change[at], given[1], zeros)
