"""Random numbers as functions of (seed, stream, step, element): Threefry, written inline.

A counter-based generator has no state, so a draw does not depend on how a run is cut into chunks,
on how many devices share it, or on what else draws.  Threefry-2x32 with 20 rounds (Salmon et al.,
SC 2011) is JAX's own generator; written as elementwise operations it is several times faster than
`jax.random.bits`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

__all__ = [
    "MEAN_PER_WORD",
    "normal",
    "poisson",
    "poisson_tables",
    "threefry2x32",
    "uniform",
    "words",
]

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry2x32(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    """Two 32-bit words from a key and a counter of two 32-bit words each."""
    k0, k1 = (jnp.asarray(k, jnp.uint32) for k in key)
    keys = (k0, k1, k0 ^ k1 ^ jnp.uint32(0x1BD11BDA))
    x0, x1 = (jnp.asarray(c, jnp.uint32) for c in counter)
    x0, x1 = x0 + keys[0], x1 + keys[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = (x1 << jnp.uint32(rotation)) | (x1 >> jnp.uint32(32 - rotation))
            x1 = x0 ^ x1
        x0 = x0 + keys[(group + 1) % 3]
        x1 = x1 + keys[(group + 2) % 3] + jnp.uint32(group + 1)
    return x0, x1


def words(seed: Any, stream: Any, first: Any, n_steps: int, elements: Any) -> jax.Array:
    """One 32-bit word per step and element, shape ``(n_steps, n_elements)``.

    Both words of a Threefry block are used: they belong to an even step and the odd one after it.
    So ``n_steps`` is 1, or even with an even ``first``.
    """
    first, elements = jnp.asarray(first, jnp.int32), jnp.asarray(elements)
    if n_steps == 1:
        even, odd = threefry2x32((seed, stream), (first >> 1, elements[None, :]))
        return jnp.where((first & 1) == 0, even, odd)

    # XLA does not fuse across a loop.  Without one it would compute words that all points of a
    # batch share anew for each of them, as part of what the point makes of its words; and both
    # words of a block twice, once for each, unless they are one value: a complex number.
    def fill(k: Any, drawn: jax.Array) -> jax.Array:
        pair = threefry2x32((seed, stream), ((first >> 1) + k, elements))
        both = jax.lax.complex(*(jax.lax.bitcast_convert_type(word, jnp.float32) for word in pair))
        return jax.lax.dynamic_update_slice_in_dim(drawn, both[None], k, 0)

    n_pairs = n_steps // 2
    turns = n_pairs + (first < 0)  # which it is not: XLA would undo a loop of one turn
    empty = jnp.zeros((n_pairs, elements.shape[0]), jnp.complex64)
    both = jax.lax.fori_loop(0, turns, fill, empty)
    drawn = jnp.stack([both.real, both.imag], axis=1).reshape(n_steps, -1)
    return jax.lax.bitcast_convert_type(drawn, jnp.uint32)


def uniform(word: jax.Array, dtype: Any) -> jax.Array:
    """Uniform on the open interval (0, 1): the middles of 2^23 equal cells."""
    return ((word >> jnp.uint32(9)).astype(dtype) + 0.5) * jnp.asarray(2.0**-23, dtype)


def normal(word: jax.Array, dtype: Any) -> jax.Array:
    """Standard normal by inversion; the outermost of 2^23 cells lies at 5.3 standard deviations."""
    middle = (word >> jnp.uint32(9)).astype(dtype) + 0.5
    return jnp.sqrt(jnp.asarray(2.0, dtype)) * jax.lax.erf_inv(middle * 2.0**-22 - 1.0)


#: The largest mean that one word serves; a larger one is the sum of several draws.
MEAN_PER_WORD = 16.0


#: The largest mean per step: beyond it a step would take milliseconds a neuron.
MOST = 1e6


def poisson_tables(mean: float) -> tuple[int, int]:
    """How many words, and thresholds per word, `poisson` needs for means up to ``mean``.

    Both are powers of two, so that nearby means share a compiled program; more than needed never
    changes a count.
    """
    if not mean <= MOST:
        raise ValueError(f"a mean of {mean:.3g} events per step; at most {MOST:.0e} are drawn")
    n_words = 1
    while n_words * MEAN_PER_WORD < mean:
        n_words *= 2
    for n_thresholds, largest in ((8, 0.35), (16, 2.0), (32, 8.0)):
        if mean <= largest:
            return n_words, n_thresholds
    return n_words, 64


def poisson(
    draw: Any, mean: jax.Array, tables: tuple[int, int], count_dtype: Any = jnp.int8
) -> jax.Array:
    r"""Poisson counts by inversion, to the 32 bits of a word.

    Probabilities are multiples of 2^-32, rounded down: means are right to 2.3e-10, a process of
    1e-8 events per step to 2 %.  A word :math:`w` counts the thresholds above it,
    :math:`\#\{k: w < 2^{32} P(X > k)\}`.  A threshold depends on its mean alone, neither on the
    length of the table nor on a batch's other means.

    Parameters
    ----------
    draw
        ``draw(d)`` gives the words of the d-th draw.
    mean
        Expected count, of a shape that broadcasts to the words'.
    tables
        From `poisson_tables` of the largest mean.
    """
    n_words, n_thresholds = tables

    def counts(d: Any) -> jax.Array:
        share = jnp.clip(mean - d * MEAN_PER_WORD, 0.0, MEAN_PER_WORD)
        word, count = draw(d), jnp.asarray(0, count_dtype)
        for threshold in _tail_thresholds(share, n_thresholds):
            count = count + (word < threshold).astype(count_dtype)
        return count

    if n_words == 1:
        return counts(0)
    first = counts(0).astype(jnp.int32)
    return jax.lax.fori_loop(1, n_words, lambda d, total: total + counts(d), first)


#: Terms of every tail sum, whatever the table, so that a threshold depends on its mean alone.
_N_TERMS = 88


def _tail_thresholds(mean: jax.Array, n_thresholds: int) -> jax.Array:
    """``floor(2^32 P(X > k))`` for k = 0, 1, ... of a Poisson count with the given mean."""
    if jnp.ndim(mean) > 1:
        return _as_words(_tails(mean, n_thresholds))
    shape = (_N_TERMS,) + (1,) * jnp.ndim(mean)
    ratios = mean / jnp.arange(1, _N_TERMS + 1, dtype=jnp.result_type(mean)).reshape(shape)
    mass = jnp.exp(-mean) * jnp.cumprod(ratios, axis=0)  # P(X = 1), P(X = 2), ...
    tail = jnp.cumsum(mass[::-1], axis=0)[::-1][:n_thresholds]
    return _as_words(tail)


#: Terms that a table of so many thresholds needs: those beyond are lost in its tails' rounding.
_TERMS = {8: 24, 16: 44, 32: 68, 64: _N_TERMS}


def _tails(mean: jax.Array, n_thresholds: int) -> jax.Array:
    """``P(X > k)`` of means that change from step to step, term by term: a loop over terms is nine
    times as fast as cumulative sums of arrays, which are for means that are the same in all
    steps, and leave the loop over them."""

    def times(mass: jax.Array, k: jax.Array) -> tuple[jax.Array, jax.Array]:
        mass = mass * (mean / k)
        return mass, mass

    def plus(tail: jax.Array, mass: jax.Array) -> tuple[jax.Array, jax.Array]:
        tail = tail + mass
        return tail, tail

    terms = jnp.arange(1, _TERMS[n_thresholds] + 1, dtype=mean.dtype)
    _, masses = jax.lax.scan(times, jnp.exp(-mean), terms)  # P(X = 1), P(X = 2), ...
    _, tails = jax.lax.scan(plus, jnp.zeros_like(mean), masses, reverse=True)
    return tails[:n_thresholds]


def _as_words(tail: jax.Array) -> jax.Array:
    return jnp.minimum(tail * 2.0**32, 4294967040.0).astype(jnp.uint32)  # largest float32 < 2^32
