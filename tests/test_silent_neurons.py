"""Neurons that cannot fire beside those that can, and projections that bring nothing."""

from __future__ import annotations

import numpy as np
import pytest

import neurolab
from neurolab.numbers import number
from neurolab.plots.parts import title
from neurolab.problems import ConfigError

SPIKING = {"_target_": "neurolab.neurons.LIFRef"}
DRIVE = {"_target_": "neurolab.inputs.Poisson", "rate": "40 Hz"}
RULE = {"_target_": "neurolab.connectivity.PairwiseBernoulli", "p": 0.5}
OWN = {
    "populations": {
        "A": {"size": 10, "neuron": {"_target_": "neurolab.neurons.LeakyIntegrator"}},
        "B": {"size": 20, "neuron": SPIKING, "inputs": {"d": DRIVE}},
    },
    "projections": {
        "B_A": {"from": "B", "to": "A", "connectivity": RULE, "weight": "0.1 mV", "delay": "1 ms"}
    },
}


@pytest.fixture(scope="module")
def run():
    return neurolab.run([OWN, "duration=400ms"], save=False)


def test_correlated_neurons_have_the_numbers_of_the_run(run):
    """The first population, of 10 neurons, cannot fire: those that vary are 10 to 29."""
    who = run.correlation().neurons
    assert np.isin(who, run.spikes["neuron"].values).all() and who.min() >= 10
    assert run.name_of(int(who[0])).startswith("B ")
    own = run["B"].correlation()
    np.testing.assert_array_equal(own.neurons + 10, who)


def test_the_title_says_which_neurons_the_rate_is_of(run):
    mean = run.summary["rate_hz_mean"]
    cells = "LeakyIntegrator and LIFRef"
    assert title(run) == f"{cells}, N = 30, mean {number(mean, 3)} Hz of the 20 that can fire"


@pytest.mark.parametrize("of", ["population_rate", "correlation", "synchrony"])
def test_bins_of_unlike_steps_are_refused(run, of):
    """They would rise and fall by themselves: bins of 0.05 ms were empty, every second one."""
    for bin_ms in (0.05, 0.25):
        with pytest.raises(ValueError, match=r"multiple of dt = 0\.1 ms, got"):
            getattr(run, of)(bin_ms=bin_ms)
    getattr(run, of)(bin_ms=0.3)


def test_bins_that_are_not_given_are_whole_steps():
    """With dt of 0.7 ms the 3 ms of synchrony are 2.8 ms, the 1 ms of spectra one step."""
    run = neurolab.run([OWN, "dt=0.7ms", "duration=1400ms"], save=False)["B"]
    assert run.synchrony() == run.synchrony(bin_ms=2.8)
    assert run.correlation().mean == run.correlation(bin_ms=2.1).mean
    spectrum = run.psd()
    assert spectrum["frequency"].values[-1] == pytest.approx(500 / 0.7)
    assert run.isi().size > 0


def test_nothing_is_left_after_the_end(run):
    with pytest.raises(ValueError, match="begin_ms must be before the end, 400"):
        run.isi(begin_ms=400.0)


def told(projection, *overrides):
    own = OWN | {"projections": {"X": OWN["projections"]["B_A"] | projection}}
    config = neurolab.api.experiment_of([own, *overrides])
    return {problem.key: problem.advice for problem in config.warnings}


def test_projections_that_bring_nothing_are_told():
    assert not told({})
    silent = told({"from": "A", "to": "B"})
    assert silent == {"projections.X.from": "has no spikes (LeakyIntegrator): it does nothing"}
    late = told({"delay": "50 ms"}, "duration=50ms")
    assert "not over before the end, duration = 50 ms" in late["projections.X.delay"]


def test_a_delay_that_no_memory_holds_is_refused():
    own = {"projections": {"X": OWN["projections"]["B_A"] | {"delay": "1e9 ms"}}}
    with pytest.raises(ConfigError, match=r"X\.delay = 1e\+09 ms\s+is 1e\+10 steps"):
        neurolab.compile([OWN | own])
    # Of many, each step and target has a sum; places are counted in 32 bits.
    own = {"projections": {"X": OWN["projections"]["B_A"] | {"delay": ["uniform", "1ms", "1e7ms"]}}}
    more = ["populations.A.size=300", "populations.B.size=3"]
    with pytest.raises(ConfigError, match=r"is 1e\+08 steps: what comes in so many takes 24\d GB"):
        neurolab.compile([OWN | own, *more])
