"""What is drawn on the host follows its law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

from neurolab.distributions import draw

FAR = [(0.0, 1.0, -10.0, -9.0), (0.1, 0.05, 5.0, 6.0), (2.0, 3.0, 1e3, 1.1e3), (0.0, 1.0, 4.0, 5.0)]


def law(mean, std, low, high):
    """The cumulative distribution, by quadrature of the density over that at the nearer bound."""
    near = min((low, high), key=lambda bound: abs(bound - mean))

    def density(x):
        return np.exp(((near - mean) ** 2 - (x - mean) ** 2) / (2 * std**2))

    scale = std**2 / abs(near - mean)  # in which the density falls by e
    far = near + np.clip(40 * scale, 0, high - low) * (1 if near == low else -1)
    x = np.linspace(min(near, far), max(near, far), 100_001)
    sums = integrate.cumulative_simpson(density(x), x=x, initial=0)
    return lambda values: np.interp(values, x, sums / sums[-1])


@pytest.mark.parametrize("arguments", FAR)
def test_a_truncated_normal_far_from_its_mean_is_one(arguments):
    """Of less than 1e-7 of the mass nothing was left but the bound."""
    drawn = draw("truncated_normal", np.array(arguments), 20_000, np.random.default_rng(1))
    assert np.all((drawn >= arguments[2]) & (drawn <= arguments[3]))
    assert len(np.unique(drawn)) > 19_000
    assert stats.kstest(drawn, law(*arguments)).pvalue > 1e-3


def test_a_seed_gives_the_quantiles_of_its_uniform_numbers():
    """F^-1(F(low) + u (F(high) - F(low))), where bounds hold little."""
    drawn = draw("truncated_normal", np.array([1.0, 2.0, 5.0, 7.0]), 100, np.random.default_rng(3))
    low, high = special.ndtr([2.0, 3.0])
    p = low + np.random.default_rng(3).random(100) * (high - low)
    assert np.allclose(drawn, 1 + 2 * special.ndtri(p), rtol=1e-12)
