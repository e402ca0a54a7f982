"""Statistics and pictures of a run in Python: trains, intervals, rates around events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neurolab
from neurolab import analysis

NETWORK = {
    "defaults": [
        {"/neuron@populations.E.neuron": "lif"},
        {"/neuron@populations.R.neuron": "leaky_integrator"},
        {"/input@populations.E.inputs.drive": "poisson"},
    ],
    "populations": {"E": {"size": 5}, "R": {"size": 2}},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "<b>"
    return neurolab.run(size=5, duration="400ms", device="cpu", folder=folder)


def test_spike_trains_are_the_spikes_of_each_neuron(run):
    trains = run.spike_trains()
    assert len(trains) == 5 and sum(map(len, trains)) == run.spikes.sizes["spike"] > 10
    for neuron, train in enumerate(trains):
        mine = run.spikes["time"].values[run.spikes["neuron"].values == neuron]
        np.testing.assert_array_equal(train, np.sort(mine))
    np.testing.assert_array_equal(np.concatenate([np.diff(t) for t in trains]), run.isi())


def test_the_mean_cv_is_that_of_the_summary(run):
    assert np.nanmean(run.cv()) == pytest.approx(run.summary["isi_cv_mean"], rel=1e-9)
    late = [t[t > 100] for t in run.spike_trains()]
    expected = [np.std(np.diff(t)) / np.mean(np.diff(t)) if len(t) > 2 else np.nan for t in late]
    np.testing.assert_allclose(run.cv(begin_ms=100), expected)


def test_cv_is_0_of_a_clock_and_unknown_of_two_spikes():
    time, neuron = np.array([1.0, 2, 3, 4, 1, 5]), np.array([0, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(analysis.cv(time, neuron, 3), [0, np.nan, np.nan])


def test_psth_is_the_rate_around_events():
    time = np.array([9.0, 10.1, 12, 20.1, 22, 40])
    centre, rate = analysis.psth(time, 2, 50.0, [10, 20, 49], 2, 4, 2)
    np.testing.assert_allclose(centre, [-1, 1, 3])
    np.testing.assert_allclose(rate, np.array([1, 4, 0]) / (2 * 2 * 2e-3))  # 49 is cut short
    with pytest.raises(ValueError, match="within the 50"):
        analysis.psth(time, 2, 50.0, [49], 2, 4, 2)


def test_how_many_events_are_in_a_psth_is_told(run):
    """Those around which not all was recorded were left out in silence."""
    some = run.psth([10, 100, 390], 20, 40, 5)
    assert some.attrs["n_events"] == 1
    np.testing.assert_array_equal(some, run.psth(100, 20, 40, 5))


def test_psth_of_one_event_at_the_start_is_the_population_rate(run):
    own = run.psth(0, 0, 400, 10)
    np.testing.assert_allclose(own.values, run.population_rate(10).values)
    assert own["time"].attrs["units"] == "ms" and own.attrs["units"] == "Hz"


def test_a_population_has_its_own_trains():
    net = neurolab.run([NETWORK], duration="200ms", device="cpu", save=False)
    assert [len(net[name].spike_trains()) for name in net.populations] == [5, 2]
    assert np.isnan(net.cv()[5:]).all() and net.cv().size == 7
    assert sum(map(len, net["E"].spike_trains())) == net.spikes.sizes["spike"] > 0


def test_a_notebook_shows_the_summary_and_the_raster(run):
    shown = run._repr_html_()
    assert "completed" in shown and f"{run.summary['spike_count']} spikes" in shown
    assert "data:image/png;base64," in shown
    assert "<b>" not in shown and "&lt;b&gt;" in shown
    memory = neurolab.run(size=2, duration="20ms", device="cpu", save=False)._repr_html_()
    assert "in memory" in memory and "<img" not in memory


def test_a_notebook_shows_the_points_of_a_sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sweep = neurolab.run_sweep(
        seed=range(12), size=2, duration="20ms", device="cpu", folder=Path("a&b")
    )
    shown = sweep._repr_html_()
    assert "a&amp;b" in shown and shown.count("<tr") == 12 and "and 2 more" in shown
    assert len(sweep[3].spike_trains()) == 2 and "Point 3" in sweep[3]._repr_html_()
