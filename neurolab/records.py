"""What a program hands out, as arrays: spikes as bits, variables of chosen neurons."""

from __future__ import annotations

from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from neurolab.structure import Structure

__all__ = ["Layout", "bits", "choose_columns", "pack", "unpack"]


def pack(fired: jax.Array) -> jax.Array:
    """Spikes as bits: bool (steps, neurons) to uint32 (steps, ceil(neurons / 32))."""
    n_steps, size = fired.shape
    padded = jnp.pad(fired, ((0, 0), (0, -size % 32))).reshape(n_steps, -1, 32)
    bits = padded.astype(jnp.uint32) << jnp.arange(32, dtype=jnp.uint32)
    return jnp.sum(bits, axis=-1, dtype=jnp.uint32)


class Layout(Protocol):
    """How a program lays out its records: rows begin at a block, devices pack their neurons."""

    @property
    def block(self) -> int: ...

    @property
    def local_size(self) -> int: ...


def bits(words: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where every bit is that is set: its word's index along each axis, and its place there.

    In the order of the words, and within a word from the lowest bit on.
    """
    place = np.flatnonzero(words != 0)
    index = np.unravel_index(place, words.shape)
    left = words[index]
    count = np.bitwise_count(left).astype(np.int64)
    # Most words that have a spike have one: taking the lowest bit of all words, then of those that
    # have more, beats unpacking 32 bits of each.
    at = np.cumsum(count) - count
    bit = np.empty(int(count.sum()), np.int32)
    while left.size:
        lowest = left & (~left + np.uint32(1))
        bit[at] = (lowest.astype(np.float32).view(np.int32) >> 23) - 127  # exponents of powers of 2
        left = left ^ lowest
        more = left != 0
        left, at = left[more], at[more] + 1
    return *(np.repeat(axis, count) for axis in index), bit


def unpack(packed: Any, layout: Layout, first: int, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Steps and neurons of the spikes of ``n_steps`` steps from ``first`` on.

    Sorted by step, and within a step by neuron.
    """
    local_size = layout.local_size
    begin = first % layout.block
    row, column, bit = bits(np.asarray(packed)[begin : begin + n_steps])
    shard, word = np.divmod(column, -(-local_size // 32))
    neuron = shard * local_size + word * 32 + bit
    return row + first, neuron.astype(np.int32)


def choose_columns(structure: Structure, n_shards: int) -> tuple[np.ndarray, np.ndarray]:
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
