"""The laws that degrees follow, over many seeds, and what rules leave out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurolab import connectivity

N_SOURCE, N_TARGET, SEEDS = 120, 90, 20


def rule(name, **values):
    return getattr(connectivity, name)(1, **values)


def degrees(name, same=False, **values):
    """In- and out-degrees for each of many seeds."""
    n_target = N_SOURCE if same else N_TARGET
    made = rule(name, **values)
    pairs = made.pairs(N_SOURCE, n_target, same)
    assert made.refuses(pairs) == ""
    found = [made.connect(np.random.default_rng(seed), pairs) for seed in range(SEEDS)]
    n_in = [np.bincount(target, minlength=n_target) for _, target, *_ in found]
    n_out = [np.bincount(source, minlength=N_SOURCE) for source, *_ in found]
    expected = made.expected(pairs) * SEEDS
    drawn = sum(len(source) for source, *_ in found)
    assert abs(drawn - expected) <= 5 * np.sqrt(expected)
    return np.array(n_in), np.array(n_out), found


def follows(counts, law):
    """Chi-square of all counts, in classes that expect eight or more, against a law."""
    counts = counts.ravel()
    edges = np.unique(law.ppf(np.linspace(0, 1, 12)[1:-1])).astype(int)
    below = np.concatenate([[0.0], law.cdf(edges), [1.0]])
    seen = np.bincount(np.searchsorted(edges, counts, side="left"), minlength=edges.size + 1)
    return stats.chisquare(seen, np.diff(below) * counts.size).pvalue


@pytest.mark.parametrize("autapses", [True, False])
def test_bernoulli_degrees_are_binomial_and_pairs_connect_once(autapses):
    n_in, n_out, found = degrees("PairwiseBernoulli", True, p=0.15, autapses=autapses)
    n = N_SOURCE - (not autapses)
    for counts in (n_in, n_out):
        assert follows(counts, stats.binom(n, 0.15)) > 1e-3
    for source, target, *_ in found:
        assert len(np.unique(source * 1000 + target)) == len(source)
        assert autapses or not np.any(source == target)


def test_poisson_degrees_are_poisson():
    n_in, n_out, _ = degrees("PairwisePoisson", mean=0.2)
    assert follows(n_in, stats.poisson(0.2 * N_SOURCE)) > 1e-3
    assert follows(n_out, stats.poisson(0.2 * N_TARGET)) > 1e-3


@pytest.mark.parametrize("multapses", [True, False])
def test_degrees_of_a_total_number(multapses):
    """Multinomial: of each neuron binomial; without multapses hypergeometric."""
    n_in, n_out, found = degrees("FixedTotalNumber", n=1500, multapses=multapses)
    assert all(len(source) == 1500 for source, *_ in found)
    if multapses:
        assert follows(n_in, stats.binom(1500, 1 / N_TARGET)) > 1e-3
        assert follows(n_out, stats.binom(1500, 1 / N_SOURCE)) > 1e-3
    else:
        assert follows(n_in, stats.hypergeom(N_SOURCE * N_TARGET, N_SOURCE, 1500)) > 1e-3
        for source, target, *_ in found:
            assert len(np.unique(source * 1000 + target)) == 1500


@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("name", ["FixedIndegree", "FixedOutdegree"])
def test_one_degree_is_fixed_and_the_other_is_not(name, multapses):
    n_in, n_out, found = degrees(name, n=12, multapses=multapses)
    fixed, free = (n_in, n_out) if name == "FixedIndegree" else (n_out, n_in)
    assert np.all(fixed == 12)
    others, n = (N_SOURCE, N_TARGET) if name == "FixedIndegree" else (N_TARGET, N_SOURCE)
    law = stats.binom(12 * n, 1 / others) if multapses else stats.binom(n, 12 / others)
    assert follows(free, law) > 1e-3
    if not multapses:
        for source, target, *_ in found:
            assert len(np.unique(source * 1000 + target)) == len(source)


def test_most_of_all_partners_are_drawn_as_well_as_few():
    """Sets of 80 of 90 without multapses: each partner as often as any other."""
    _, _, found = degrees("FixedOutdegree", n=80, multapses=False)
    counts = np.bincount(np.concatenate([target for _, target, *_ in found]), minlength=N_TARGET)
    left_out = SEEDS * N_SOURCE - counts
    assert stats.chisquare(left_out).pvalue > 1e-3


def test_rules_without_chance():
    source, target, *_ = rule("AllToAll", autapses=False).connect(
        np.random.default_rng(0), connectivity.Pairs(4, 4, True)
    )
    assert sorted(zip(source, target, strict=True)) == [
        (s, t) for s in range(4) for t in range(4) if s != t
    ]
    source, target, *_ = rule("OneToOne").connect(
        np.random.default_rng(0), connectivity.Pairs(5, 5, False)
    )
    assert list(source) == list(target) == [0, 1, 2, 3, 4]
