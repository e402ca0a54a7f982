"""What a program hands out, as arrays: spikes as bits, variables of chosen neurons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurolab.engine.structure import Structure

__all__ = ["all_spikes", "by_device", "choose_columns", "neurons_of", "pack", "set_bits"]


def pack(fired: jax.Array) -> jax.Array:
    """Spikes as bits: bool (steps, neurons) to uint32 (steps, ceil(neurons / 32))."""
    n_steps, size = fired.shape
    padded = jnp.pad(fired, ((0, 0), (0, -size % 32))).reshape(n_steps, -1, 32)
    bits = padded.astype(jnp.uint32) << jnp.arange(32, dtype=jnp.uint32)
    return jnp.sum(bits, axis=-1, dtype=jnp.uint32)


def set_bits(words: np.ndarray) -> np.ndarray:
    """Positions of the bits that are set, ascending, 32 positions for each word in turn."""
    flat = np.ascontiguousarray(words).reshape(-1)
    place = np.flatnonzero(flat != 0)
    left, found = flat[place], [place[:0]]
    # Most words that have a spike have one: taking the lowest bit of all words, then of those that
    # have more, beats unpacking 32 bits of each.
    while left.size:
        lowest = left & (~left + np.uint32(1))
        bit = (lowest.astype(np.float32).view(np.int32) >> 23) - 127  # exponents of powers of 2
        found.append(place * 32 + bit)
        left = left ^ lowest
        more = np.flatnonzero(left)
        left, place = left[more], place[more]
    return np.sort(np.concatenate(found), kind="stable")  # merges what is sorted already


def unpack(
    words: np.ndarray, block: int, first: int, n_steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, steps and bits of the spikes of ``n_steps`` steps from ``first`` on.

    ``words`` are [point, row, word]; rows begin at a block of steps.  Sorted by point, then by
    step, then by bit.
    """
    begin = first % block
    if len(words) == 1:  # of many points the whole: a part of each would be copied
        words, begin = words[:, begin : begin + n_steps], 0
    rows, width = words.shape[1], words.shape[2] * 32
    where = set_bits(words)
    row = where // width
    point = row // rows
    bit = where - row * width  # twice as fast as divmod
    step, bit = row - point * rows + first - begin, bit.astype(np.int32)
    if step.size and not first <= step.min() <= step.max() < first + n_steps:
        inside = (step >= first) & (step < first + n_steps)
        return point[inside], step[inside], bit[inside]
    return point, step, bit


def all_spikes(
    parts: Sequence[np.ndarray], neurons: np.ndarray, *how: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `unpack`, of words by devices, with the ``neurons`` that bits stand for (`neurons_of`)."""
    found, n_before = [], 0
    for part in parts:
        point, step, bit = unpack(part, *how)
        found.append((point + n_before, step, bit))
        n_before += len(part)
    point, step, bit = found[0]
    if len(found) > 1:
        point, step, bit = (np.concatenate(of) for of in zip(*found, strict=True))
    neuron, there = neurons[bit], neurons[neurons >= 0]
    if np.any(np.diff(there) < 0):
        order = np.lexsort((neuron, step, point))
        point, step, neuron = point[order], step[order], neuron[order]
    return point, step, neuron


def by_device(words: Any, many: bool) -> list[np.ndarray]:
    """Records of points, those of each device by themselves: as a whole they are a copy."""
    if not many or not isinstance(words, jax.Array):
        words = np.asarray(words)
        return [words.reshape(-1, *words.shape[-2:])]
    shards = sorted(words.addressable_shards, key=lambda shard: shard.index[0].start or 0)
    return [np.asarray(shard.data) for shard in shards]


def choose_columns(structure: Structure, n_shards: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of each population, which columns of the recorded variables are wanted, and the neurons that
    each shard records.

    Every shard records the same number of its neurons; where it has fewer to record than another,
    it repeats its first.
    """
    columns, chosen = {}, {}
    for group in structure.populations:
        wanted = structure.recorded(group)
        columns[group.prefix], chosen[group.prefix] = _columns(wanted, group.size, n_shards)
    return columns, chosen


def _columns(wanted: np.ndarray, size: int, n_shards: int) -> tuple[np.ndarray, np.ndarray]:
    local = -(-size // n_shards)
    shard = wanted // local
    counts = np.bincount(shard, minlength=n_shards)
    chosen = np.zeros((n_shards, max(int(counts.max()), 1)), np.int32)
    place = np.zeros(wanted.size, np.int64)  # among those of its shard
    by_shard = np.argsort(shard, kind="stable")
    place[by_shard] = np.arange(wanted.size) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen[shard, place] = wanted % local
    return shard * chosen.shape[1] + place, chosen


def neurons_of(sizes: Sequence[int], n_shards: int) -> tuple[np.ndarray, np.ndarray]:
    """Which neuron, counted through all populations, each bit of a word of spikes stands for, -1
    where none; and where each neuron is in arrays of all shards of all populations."""
    ends, bits, places = np.cumsum([0, *sizes]), [], []
    for shard in range(n_shards):
        for size, first in zip(sizes, ends[:-1], strict=True):
            local = -(-size // n_shards)
            own = np.arange(-(-local // 32) * 32)
            known = (own < local) & (own + shard * local < size)
            bits.append(np.where(known, own + shard * local + first, -1))
    begin = 0
    for size in sizes:
        places.append(begin + np.arange(size))
        begin += -(-size // n_shards) * n_shards
    return np.concatenate(bits).astype(np.int32), np.concatenate(places)
