"""Poisson inputs whose mean takes many random words, as they are configured."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from nights import by_night
from scipy import stats

import neurolab
from neurolab.cli.compose import compose_config, effective
from neurolab.config.experiment import read_experiment

#: crc32 of half of these is above 2^31, which a step of the draws added to as a signed integer.
SHORT = ("a", "b", "inh", "exc", "noise", "background", "E", "I", "x")
NAMES = (
    "input",
    *(f"inputs.{name}" for name in SHORT),
)


def counts(mean: int) -> dict[str, np.ndarray]:
    """Counts of 64 steps and 500 neurons of every input, drawn by the models of a configuration."""
    more = [f"+input@{name}=poisson" for name in NAMES[1:]]
    typed = ["neuron=lif", "size=500", "dt=0.1ms", *more]
    typed += [f"{name}.n={mean * 500}" for name in NAMES]  # 20 Hz for 0.1 ms each
    experiment = read_experiment(effective(compose_config(typed), typed))
    structure, numbers = experiment.structure, experiment.numbers
    found = {}
    with brainstate.environ.context(dt=structure.dt_ms * u.ms, precision=32):
        for name, part in structure.populations[0].inputs:

            @jax.jit
            def draw(numbers, name=name, part=part):
                model = part.build(500, numbers, name)
                model.seed = numbers["seed"]
                model.index = jnp.arange(500, dtype=jnp.int32)
                return model.draw(128, 64)

            found[name] = np.asarray(draw(numbers))
    return found


@pytest.mark.parametrize("mean", by_night([20, 200, 2000], [200]))
def test_counts_are_poisson_whatever_the_name(mean):
    """Chi-square against the Poisson law in some twenty classes, mean and variance, for each name;
    different names are uncorrelated."""
    found = counts(mean)
    assert tuple(found) == NAMES
    law = stats.poisson(mean)
    edges = np.unique(law.ppf(np.linspace(0.0, 1.0, 21)[1:-1]))
    expected = np.diff(law.cdf(edges), prepend=0.0, append=1.0)
    for name, drawn in found.items():
        n = drawn.size
        observed = np.bincount(np.searchsorted(edges, drawn.ravel()), minlength=edges.size + 1)
        assert stats.chisquare(observed, expected * n).pvalue > 1e-4, name
        assert drawn.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / n))
        assert drawn.var() == pytest.approx(mean, rel=5 * np.sqrt(2 / n))
    flat = np.array([drawn.ravel() for drawn in found.values()])
    r = np.corrcoef(flat)[np.triu_indices(len(flat), 1)]
    assert np.abs(r).max() < 5 / np.sqrt(flat.shape[1])


def test_a_run_with_many_sources():
    """``input.n=10000`` failed for the default input; weak sources drive as their mean does."""
    typed = ["neuron=lif", "input.n=10000", "input.rate=20Hz", "input.weight=0.0055rheobase*ms"]
    run = neurolab.run([*typed, "size=20", "duration=1s", "record=summary"])
    assert run.summary["status"] == "completed"
    mean = 1e3 / (5.0 * np.log(11.0))  # Hz: 1.1 rheobase without noise, tau = 5 ms
    assert run.summary["rate_hz_mean"] == pytest.approx(mean, rel=0.05)
