"""Seeds of a sweep as trials of one neuron."""

from __future__ import annotations

import numpy as np
import pytest

import neurolab
from neurolab import analysis

CELLS = ["neuron=lif", "input=poisson", "size=3", "duration=300ms", "record.variables=[V]",
    "record.neurons=2", "record.interval=1ms"]  # fmt: skip


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    typed = [*CELLS, "neuron.tau=10ms,20ms", "seed=range:5"]
    return neurolab.run_sweep(typed, tmp_path_factory.mktemp("trials") / "sweep")


def test_trials_are_the_spikes_of_one_neuron_in_each_run(sweep):
    trials = sweep.trials(neuron=1, tau=20)
    points = [5, 6, 7, 8, 9]
    assert (trials.n_neurons, trials.duration_ms, trials.names) == (5, 300, [0, 1, 2, 3, 4])
    for train, point in zip(trials.spike_trains(), points, strict=True):
        np.testing.assert_array_equal(train, sweep[point].spike_trains()[1])
    np.testing.assert_allclose(
        trials.traces["V"].values,
        np.stack([sweep[point].traces["V"].sel(neuron=1).values for point in points], axis=1),
    )
    time, trial = trials.spike_arrays
    assert (np.diff(time) >= 0).all()
    found = trials.psth([100.0, 200.0], 50, 50, 10)
    _, expected = analysis.psth(time, 5, 300.0, [100.0, 200.0], 50, 50, 10)
    np.testing.assert_allclose(found.values, expected)
    counts = np.bincount(trial, minlength=5)
    windows = [np.histogram(train, [0, 100, 200, 300])[0] for train in trials.spike_trains()]
    assert sum(map(np.sum, windows)) == counts.sum()
    np.testing.assert_allclose(trials.rates(), counts / 0.3)


def test_trials_are_drawn_as_such(sweep):
    trials = sweep.trials(neuron=1, tau=20)
    assert trials.plot.raster().get_ylabel() == "trial"
    ax = trials.plot.trace("V", neurons=[0, 4])
    assert [line.get_label() for line in ax.lines][:2] == ["trial 0", "trial 4"]
    assert "neuron 1 in 5 runs of 300 ms" in repr(trials)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({}, "neuron.tau has several values: say which, tau= one of 10, 20"),
        ({"tau": 15}, "has no value 15"),
        ({"tau": 10, "neuron": 3}, "neurons are 0 to 2; got 3"),
        ({"tau": 10, "neuron": -1}, "neurons are 0 to 2"),
    ],
)
def test_what_are_no_trials(sweep, where, told):
    with pytest.raises((ValueError, KeyError), match=told):
        sweep.trials(**where)
