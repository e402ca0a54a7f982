"""The random numbers: which they are, and that they are distributed as they should be."""

from __future__ import annotations

from functools import partial

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nights import by_night, every
from scipy import stats

from neurolab import random

WORD = st.integers(0, 2**32 - 1)
EXTREME = jnp.array([0, 1, 2**9 - 1, 2**9, 2**31, 2**32 - 2**9, 2**32 - 1], jnp.uint32)
MEANS = [0.01, 0.2, 1.0, 5.0, 16.0, 40.0, 200.0]
#: Two-sided probability of 4.5 standard errors.
UNLIKELY = 2 * stats.norm.sf(4.5)

words = jax.jit(random.words, static_argnums=3)


def sample(n_steps: int, size: int, seed: int = 1, stream: int = 5) -> jax.Array:
    return words(seed, stream, 0, n_steps, jnp.arange(size))


@partial(jax.jit, static_argnames=("size", "tables"))
def draw_counts(seed, mean, size: int, tables: tuple[int, int]) -> jax.Array:
    def draw(d: int) -> jax.Array:
        return random.words(seed, 9 + d, 0, 64, jnp.arange(size))

    return random.poisson(draw, mean, tables)


def counts_of(mean, size: int, seed: int = 1, tables=None) -> np.ndarray:
    """Poisson counts of 64 steps, with the tables that the largest mean needs."""
    tables = tables or random.poisson_tables(float(np.max(mean)))
    # Many words make a large program: there, compiling it takes longer than running it.
    draw = draw_counts if tables[0] <= 4 else draw_counts.__wrapped__
    drawn = draw(np.uint32(seed), jnp.asarray(mean, jnp.float32), size, tables)
    return np.asarray(drawn, np.int64)


# -- the words ------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(WORD, WORD, WORD, WORD)
@example(0, 0, 0, 0)
@example(2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1)
def test_threefry_is_that_of_jax(k0, k1, c0, c1):
    """Key and counter give bit for bit the two words of JAX's own Threefry-2x32."""
    key, counter = jnp.array([k0, k1], jnp.uint32), jnp.array([c0, c1], jnp.uint32)
    expected = jax.extend.random.threefry_2x32(key, counter)
    np.testing.assert_array_equal(random.threefry2x32((k0, k1), (c0, c1)), expected)


def test_threefry_known_answers():
    """Threefry-2x32-20 gives the words published with it (Salmon et al. 2011, Random123)."""
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    for k, c, expected in [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
        (pi[2:], pi[:2], (0xC4923A9C, 0x483DF7A0)),
    ]:
        key, counter = np.array(k, np.uint32), np.array(c, np.uint32)
        assert tuple(map(int, random.threefry2x32(tuple(key), tuple(counter)))) == expected


@pytest.mark.parametrize("first", [0, 6, 2**20, 2**31 - 34])
def test_words_do_not_depend_on_how_steps_are_cut(first):
    """One block of 32 steps, blocks of 2 and 30, and single steps give the same words."""
    elements = jnp.arange(5)
    whole = words(3, 7, first, 32, elements)
    cut = [words(3, 7, first, 2, elements), words(3, 7, first + 2, 30, elements)]
    single = [words(3, 7, first + k, 1, elements) for k in range(32)]
    np.testing.assert_array_equal(whole, jnp.concatenate(cut))
    np.testing.assert_array_equal(whole, jnp.concatenate(single))


def test_words_do_not_depend_on_how_elements_are_split():
    """Elements 40 to 99 drawn by themselves get the words that they get among 100."""
    whole, part = sample(8, 100), words(1, 5, 0, 8, jnp.arange(40, 100))
    np.testing.assert_array_equal(whole[:, 40:], part)


def test_words_are_all_different_and_their_bits_fair():
    """Among 2^20 words, repeats are as rare as chance has it, and each bit is 1 half the time."""
    drawn = np.asarray(sample(1024, 1024)).ravel()
    expected = drawn.size**2 / 2**33  # pairs that agree
    assert abs(drawn.size - np.unique(drawn).size - expected) < 4.5 * np.sqrt(expected)
    ones = np.unpackbits(drawn.view(np.uint8).reshape(-1, 4), axis=1).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 5.2 * 0.5 / np.sqrt(drawn.size)  # the largest of 32


def test_other_seeds_streams_steps_and_elements_are_uncorrelated():
    """Correlations of the uniforms with those of any neighbour are within 4.5 standard errors."""
    base = random.uniform(sample(256, 256), jnp.float32)
    others = {
        "seed": sample(256, 256, seed=2),
        "stream": sample(256, 256, stream=6),
        "swapped": sample(256, 256, seed=5, stream=1),
        "next step": words(1, 5, 2, 256, jnp.arange(256)),
        "odd and even": sample(256, 256).reshape(-1, 2, 256)[:, ::-1].reshape(256, 256),
        "next element": words(1, 5, 0, 256, jnp.arange(1, 257)),
        "transposed": sample(256, 256).T,
    }
    for name, other in others.items():
        other = random.uniform(other, jnp.float32)
        correlation = np.corrcoef(np.ravel(base), np.ravel(other))[0, 1]
        # Where pairs come twice, a standard error is up to sqrt(2) larger.
        assert abs(correlation) < 4.5 * np.sqrt(2) / 256, name


# -- uniform and normal ---------------------------------------------------------------------------


@pytest.mark.parametrize("precision", [32, 64])
def test_uniform_is_inside_the_open_interval_and_normal_finite(precision):
    """The extreme words give neither 0 nor 1, and normals within 5.4 standard deviations."""
    with jax.enable_x64(precision == 64):
        dtype = jnp.dtype(f"float{precision}")
        uniform, normal = random.uniform(EXTREME, dtype), random.normal(EXTREME, dtype)
        assert uniform.dtype == normal.dtype == dtype
        assert 0 < uniform.min() < 1e-7
        assert 1 - 2e-7 < uniform.max() < 1
        assert 5.2 < -normal.min() < 5.4
        assert 5.2 < normal.max() < 5.4
        np.testing.assert_allclose(normal, stats.norm.ppf(np.asarray(uniform)), rtol=0.02)


def test_uniform_distribution():
    """65536 uniforms pass a Kolmogorov-Smirnov test."""
    drawn = random.uniform(sample(256, 256), jnp.float32)
    assert stats.kstest(np.ravel(drawn), "uniform").pvalue > UNLIKELY


def test_normal_distribution():
    """2^18 normals have moments 0, 1, 0, 3 and pass a Kolmogorov-Smirnov test."""
    z = np.ravel(random.normal(sample(512, 512), jnp.float32)).astype(np.float64)
    for power, (moment, variance) in enumerate([(0, 1), (1, 2), (0, 15), (3, 96)], start=1):
        bound = 4.5 * np.sqrt(variance / z.size)
        assert abs((z**power).mean() - moment) < bound, power
    assert stats.kstest(z, "norm").pvalue > UNLIKELY


# -- Poisson counts -------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", every(MEANS, 2))
def test_poisson_distribution(mean):
    """Counts pass a chi-square test against the Poisson pmf, and have its mean and variance."""
    drawn = counts_of(mean, 2048).ravel()
    mean = float(np.float32(mean))
    n = drawn.size
    assert abs(drawn.mean() - mean) < 4.5 * np.sqrt(mean / n)
    assert abs(drawn.var() - mean) < 4.5 * np.sqrt((mean + 2 * mean**2) / n)
    # Cells of at least 20 expected counts, the outer ones with the tails.
    k = np.arange(drawn.max() + 2)
    inner = k[n * stats.poisson.pmf(k, mean) > 20]
    low, high = inner[0], inner[-1]
    expected = n * stats.poisson.pmf(np.arange(low, high + 1), mean)
    expected[0] = n * stats.poisson.cdf(low, mean)
    expected[-1] = n * stats.poisson.sf(high - 1, mean)
    found = np.bincount(np.clip(drawn, low, high) - low, minlength=expected.size)
    chi_square = np.sum((found - expected) ** 2 / expected)
    assert stats.chi2.sf(chi_square, expected.size - 1) > UNLIKELY


@pytest.mark.parametrize("mean", [1e-4, 0.01, 0.24, 1.0, 5.0, 16.0])
def test_thresholds_are_poisson_tails(mean):
    """Thresholds are 2^32 P(X > k), rounded down, to 1e-6 relative in either precision."""
    k = np.arange(64)
    for precision in (32, 64):
        with jax.enable_x64(precision == 64):
            number = jnp.asarray(mean, f"float{precision}")
            found = np.asarray(random._tail_thresholds(number, 64), np.float64)
        expected = 2.0**32 * stats.poisson.sf(k, float(number))
        # floor() costs up to 1; the largest threshold is the largest float32 below 2^32.
        error = np.abs(found - np.minimum(expected, 4294967040.0))
        assert (error <= 1e-6 * expected + 1 + (expected > 4294967040.0) * 256).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 64.0, width=32), min_size=5, max_size=5), WORD)
def test_larger_tables_and_other_means_do_not_change_counts(means, seed):
    """A neuron's counts depend on its own mean alone: beside a mean of 64, whose tables are larger,
    they are the same."""
    beside = counts_of([*means, 64.0], 6, seed, tables=(4, 64))
    for tables in [(1, 8), (1, 16), (1, 32), (1, 64), (2, 64)]:
        # The neurons for whose means these tables are large enough.
        served = [k for k, m in enumerate(means) if _enough(tables, random.poisson_tables(m))]
        small = counts_of([*means, 0.0], 6, seed, tables=tables)
        np.testing.assert_array_equal(small[:, served], beside[:, served])


def _enough(tables: tuple[int, int], needed: tuple[int, int]) -> bool:
    return all(have >= need for have, need in zip(tables, needed, strict=True))


@given(st.floats(0.0, 1000.0))
def test_tables_are_large_enough(mean):
    """What the tables leave out has less than 1e-9 probability a draw; both sizes are powers of 2.

    Every mean has enough words, none more than 16 on average per word.
    """
    n_words, n_thresholds = random.poisson_tables(mean)
    assert n_words * random.MEAN_PER_WORD >= mean
    assert n_words.bit_count() == n_thresholds.bit_count() == 1
    assert stats.poisson.sf(n_thresholds, min(mean, random.MEAN_PER_WORD)) < 1e-9


def test_a_mean_of_zero_never_counts():
    """A Poisson process of rate 0 is silent, also beside others, and for the word 0."""
    assert counts_of([0.0, 0.0, 0.0, 0.0, 0.0, 64.0], 6, tables=(4, 64))[:, :5].sum() == 0
    silent = random.poisson(lambda d: jnp.zeros((2, 3), jnp.uint32), jnp.float32(0.0), (1, 8))
    assert int(silent.sum()) == 0


@pytest.mark.parametrize("precision", by_night([32, 64], [32]))
@pytest.mark.parametrize(("table", "most"), [(8, 0.35), (16, 2.0), (32, 8.0), (64, 16.0)])
def test_thresholds_of_changing_means_are_poisson_tails_whatever_the_table(precision, table, most):
    """Means of steps, [steps, 1]: as exact as those of constant means, and the same from a larger
    table, whose sums have more terms."""
    means = np.r_[0.0, np.geomspace(1e-5, most, 200)][:, None]
    with jax.enable_x64(precision == 64):
        means = jnp.asarray(means, f"float{precision}")
        found = np.asarray(random._tail_thresholds(means, table), np.float64)
        larger = np.asarray(random._tail_thresholds(means, 64), np.float64)
        np.testing.assert_array_equal(found, larger[:table])
    means = np.asarray(means, np.float64)
    expected = 2.0**32 * stats.poisson.sf(np.arange(table)[:, None, None], means)
    error = np.abs(found - np.minimum(expected, 4294967040.0))
    assert (error <= 1e-6 * expected + 1 + (expected > 4294967040.0) * 256).all()
