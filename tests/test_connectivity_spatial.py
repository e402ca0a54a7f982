"""Connections by distance: probabilities beside a matrix of all distances, and what is refused."""

from __future__ import annotations

import tracemalloc

import brainunit as u
import numpy as np
import pytest
from scipy import stats
from test_network import network

from neurolab.config.experiment import read_experiment
from neurolab.connectivity import DistanceExponential, DistanceGaussian, Pairs, PairwiseBernoulli
from neurolab.problems import ConfigError

SEEDS = 20
LAWS = {
    DistanceGaussian: ("sigma", lambda d, length: np.exp(-(d**2) / (2 * length**2))),
    DistanceExponential: ("length", lambda d, length: np.exp(-d / length)),
}
RULES = pytest.mark.parametrize("rule", LAWS, ids=["gaussian", "exponential"])


def line(n: int) -> np.ndarray:
    return (np.arange(n)[:, None] + 0.5) / n


def square(side: int) -> np.ndarray:
    """A grid of side x side, row after row."""
    at = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(at, at, indexing="ij"), axis=-1).reshape(-1, 2)


def distances(source: np.ndarray, target: np.ndarray, extent: float, wraps: bool) -> np.ndarray:
    """Of all pairs; of places that repeat the least to any of the copies around."""
    shifts = (-1, 0, 1) if wraps else (0,)
    copies = np.stack(np.meshgrid(*[shifts] * source.shape[1]), axis=-1).reshape(
        -1, source.shape[1]
    )
    apart = source[:, None, None] - target[None, :, None] + copies
    return extent * np.sqrt((apart**2).sum(axis=-1)).min(axis=-1)


SPACES = {
    "line": ({"shape": "line"}, line(150), line(130), False),
    "periodic line": ({"shape": "line", "periodic": True}, line(150), line(130), True),
    "ring": ({"shape": "ring"}, line(90), line(150), True),
    "plane": ({"shape": "plane"}, square(13), square(11), False),
    "periodic plane": ({"shape": "plane", "periodic": True}, square(12), square(13), True),
}


def drawn(rule, pairs: Pairs, seed: int) -> np.ndarray:
    """Which pairs are connected, [source, target]; each at most once."""
    source, target, *own = rule.connect(np.random.default_rng(seed), pairs)
    assert own == [None, None]
    found = np.zeros((pairs.n_source, pairs.n_target), int)
    np.add.at(found, (source, target), 1)
    assert found.max(initial=0) <= 1
    return found


@pytest.mark.parametrize("reach", [0.04, 0.3])
@pytest.mark.parametrize("space", SPACES)
@RULES
def test_pairs_connect_with_the_probability_of_their_distance(rule, space, reach):
    """Chi-square of the number of connections in classes of distance, for each of many seeds."""
    given, source, target, wraps = SPACES[space]
    name, law = LAWS[rule]
    made = rule(1, p=0.6, extent=2 * u.mm, **{name: 2000 * reach * u.um}, **given)
    pairs = made.pairs(len(source), len(target), False)
    p = 0.6 * law(distances(source, target, 2.0, wraps), 2.0 * reach)
    assert made.refuses(pairs) == ""
    assert made.expected(pairs) == pytest.approx(p.sum(), rel=1e-9)
    order = np.argsort(p, axis=None)
    # Classes in which 12 or more are expected; the farthest pairs are one with the next.
    of = (np.cumsum(p.ravel()[order]) // max(p.sum() / 20, 12)).astype(int)
    expected = np.bincount(of, p.ravel()[order])
    spread = np.bincount(of, (p * (1 - p)).ravel()[order])
    values = []
    for seed in range(SEEDS):
        seen = np.bincount(of, drawn(made, pairs, seed).ravel()[order])
        values.append((seen - expected) ** 2 / spread)
    chances = stats.chi2(len(expected)).sf(np.sum(values, axis=1))
    assert stats.kstest(chances, "uniform").pvalue > 1e-3
    total = np.sum(values)
    assert 1e-4 < stats.chi2(len(expected) * SEEDS).sf(total) < 1 - 1e-4


@RULES
def test_every_pair_has_its_probability_and_is_drawn_by_itself(rule):
    """Frequencies of all 63 pairs over 2000 seeds, and of each with the next."""
    name, law = LAWS[rule]
    made, n = rule(1, p=0.9, shape="line", extent=1 * u.mm, **{name: 0.2 * u.mm}), 2000
    pairs = made.pairs(9, 7, False)
    found = np.array([drawn(made, pairs, seed).ravel() for seed in range(n)])
    p = 0.9 * law(distances(line(9), line(7), 1.0, False), 0.2).ravel()
    z = (found.sum(axis=0) - n * p) / np.sqrt(n * p * (1 - p))
    assert stats.chi2(63).sf((z**2).sum()) > 1e-3
    both, q = found[:, 1:] & found[:, :-1], p[1:] * p[:-1]
    z = (both.sum(axis=0) - n * q) / np.sqrt(n * q * (1 - q))
    assert np.abs(z).max() < 4.5


def test_a_ring_is_a_periodic_line():
    pairs = Pairs(200, 100, False)
    found = [
        drawn(DistanceGaussian(1, p=0.5, sigma=80 * u.um, **given), pairs, 3)
        for given in ({"shape": "ring"}, {"shape": "ring", "periodic": True},
                      {"shape": "line", "periodic": True}, {"shape": "line"})
    ]  # fmt: skip
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])
    assert found[0][:20, 80:].sum() > 20 > 1 > found[3][:20, 80:].sum()


@pytest.mark.parametrize("n", [1, 2, 3, 7, 24, 143, 9973])
def test_neurons_fill_a_square_evenly(n):
    """Rows of equal distances, with as many neurons or one more; each row's neurons likewise."""
    places = DistanceGaussian(1)._places(n)
    assert places.shape == (n, 2) and np.all((places > 0) & (places < 1))
    rows, counts = np.unique(places[:, 0], return_counts=True)
    assert len(rows) == round(n**0.5) and np.ptp(counts) <= 1
    np.testing.assert_allclose(rows, line(len(rows))[:, 0])
    for row, count in zip(rows, counts, strict=True):
        np.testing.assert_allclose(places[places[:, 0] == row, 1], line(count)[:, 0])


def test_of_a_square_number_it_is_a_grid():
    np.testing.assert_allclose(DistanceGaussian(1)._places(49), square(7))


@RULES
def test_the_ends_of_probabilities(rule):
    """All pairs, none, those at one place alone; and no autapses."""
    length, pairs = LAWS[rule][0], Pairs(50, 50, False)
    far, near = {length: 1e9 * u.mm}, {length: 1e-9 * u.mm}
    assert drawn(rule(1, p=1.0, **far), pairs, 0).all()
    assert not drawn(rule(1, p=0.0, **far), pairs, 0).any()
    assert np.array_equal(drawn(rule(1, p=1.0, **near), pairs, 0), np.eye(50))
    made = rule(1, p=1.0, autapses=False, **far)
    apart = made.pairs(50, 50, True)
    assert np.array_equal(drawn(made, apart, 0), 1 - np.eye(50))
    assert made.expected(apart) == pytest.approx(50 * 49)
    for sizes in ((0, 50), (50, 0), (0, 0)):
        nothing = made.pairs(*sizes, False)
        assert made.expected(nothing) == 0 and not drawn(made, nothing, 0).any()


@pytest.mark.parametrize("p", [1e-15, 1e-19, 1e-300])
def test_a_probability_may_be_as_small_as_can_be(p):
    """A gap that 64 bits cannot hold is the end, not a negative number."""
    for made in (PairwiseBernoulli(1, p=p), DistanceGaussian(1, p=p)):
        for seed in range(5):
            assert not drawn(made, Pairs(100, 100, False), seed).any()


@pytest.mark.parametrize("shape", ["line", "plane"])
def test_memory_is_that_of_the_synapses(shape):
    """100,000 neurons, some synapses each: 1e10 pairs, of which no byte may be kept each."""
    sigma = {"line": 5 * u.um, "plane": 10 * u.um}[shape]
    made = DistanceGaussian(1, p=0.02, shape=shape, sigma=sigma, periodic=True, autapses=False)
    pairs = made.pairs(100_000, 100_000, True)
    tracemalloc.start()
    try:
        source, target, *_ = made.connect(np.random.default_rng(0), pairs)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The integral of p, without the neuron itself.
    each = {"line": 100_000 * 2.5066 * 0.005, "plane": 100_000 * 6.2832 * 1e-4}[shape]
    assert source.size / 100_000 == pytest.approx(0.02 * (each - 1), rel=0.015)
    assert source.size == pytest.approx(made.expected(pairs), rel=0.015)
    assert not np.any(source == target)
    assert peak < 5e8


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"sigma": "1 mV"}, ".sigma", "expected a length such as 300 um"),
        ({"sigma": 250}, ".sigma", "has no unit"),
        ({"sigma": "0 um"}, ".sigma", "must be positive"),
        ({"extent": "-1 mm"}, ".extent", "must be positive"),
        ({"shape": "disc"}, ".shape", "line or ring or plane"),
        ({"shape": "ring", "periodic": False}, "", "a ring is periodic: leave periodic out"),
        ({"p": 1.2}, "", "a probability is at most 1"),
        ({"length": "1 um"}, ".length", "There are"),
        ({"p": ["uniform", 0.1, 0.2]}, ".p", "expected one value"),
        ({"sigma": [f"{k + 1} um" for k in range(19)]}, ".sigma", "expected one value"),
    ],
)
def test_what_cannot_be_is_refused(change, key, words):
    given = network({"name": "DistanceGaussian"})
    given["projections"]["E_I"]["connectivity"] = {
        "_target_": "neurolab.connectivity.DistanceGaussian", **change,
    }  # fmt: skip
    with pytest.raises(ConfigError) as error:
        read_experiment(given)
    (problem,) = error.value.problems
    assert problem.key == f"projections.E_I.connectivity{key}"
    assert words in problem.advice


def test_a_network_takes_lengths_in_any_unit():
    drawn = []
    for extent, length in (("1 mm", "100 um"), ("0.001 m", "0.1 mm")):
        rule = {"name": "DistanceExponential", "extent": extent, "length": length, "p": 0.5}
        drawn.append(read_experiment(network(rule)).numbers)
    assert drawn[0].keys() == drawn[1].keys()
    for key in drawn[0]:
        np.testing.assert_allclose(drawn[0][key], drawn[1][key], rtol=1e-12)
