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


def test_statistics_of_each_neuron_are_those_of_its_train(run):
    late = [t[t > 100] for t in run.spike_trains()]
    np.testing.assert_allclose(run.rates(begin_ms=100), [len(t) / 0.3 for t in late])
    assert run.rates().mean() == pytest.approx(run.summary["rate_hz_mean"])
    for name in ("lv", "cv2", "adaptation_index"):
        alone = [getattr(analysis, name)(t, np.zeros(len(t), int), 1)[0] for t in late]
        np.testing.assert_allclose(getattr(run, name)(begin_ms=100), alone, rtol=1e-9)
    counts = [np.histogram(t, np.arange(0, 401, 50) + 1e-3)[0] for t in run.spike_trains()]
    np.testing.assert_allclose(run.fano_factor(50), [c.var() / c.mean() for c in counts])
    found = run.vector_strength(40)
    turns = [np.exp(2j * np.pi * 0.04 * t).mean() for t in run.spike_trains()]
    np.testing.assert_allclose(found.strength, np.abs(turns))
    np.testing.assert_allclose(found.phase, np.angle(turns))
    assert run.vector_strength(40, pooled=True).n_spikes == run.summary["spike_count"]
    hz = run.phase_histogram(40, n_bins=10)  # of 25 steps each
    assert hz.mean() == pytest.approx(run.summary["rate_hz_mean"])


def test_an_average_around_spikes_is_of_each_neurons_own(run):
    found = run.sta("V", before_ms=20, after_ms=10)
    data = run.traces["V"]
    np.testing.assert_allclose(data["time"], np.arange(1, 2001) * 0.2)  # every second step
    last = [np.floor(t / 0.2 + 1e-6).astype(int) - 1 for t in run.spike_trains()]
    cut = [
        data.sel(neuron=n).values[at - 100 : at + 51]
        for n in data["neuron"].values
        for at in last[n]
        if 100 <= at < 1950
    ]
    assert found.attrs["n_spikes"] == len(cut) > 10
    np.testing.assert_allclose(found["mean"], np.mean(cut, axis=0), rtol=1e-6)
    assert found["mean"].attrs["units"] == "mV" and found["lag"][[0, -1]].values.tolist() == [
        pytest.approx(-20),
        pytest.approx(10),
    ]
    late = run.sta("V", before_ms=20, after_ms=10, begin_ms=200, neurons=[1])
    assert late.attrs["n_spikes"] == ((t := run.spike_trains()[1]) > 200.05).sum() - (t > 390).sum()
    with pytest.raises(ValueError, match="V of neuron 9 was not recorded"):
        run.sta("V", neurons=[9])
    with pytest.raises(ValueError, match="V of no neuron was not recorded"):
        run.sta("V", neurons=[])


def test_populations_are_correlated_with_one_another():
    """A leaky integrator has no spikes: at all lags the rate is 0, and of its own unknown."""
    net = neurolab.run([NETWORK], duration="200ms", device="cpu", save=False)
    both = net["E"].correlogram(net["E"], lag_ms=10)
    own, across = (net["E"].correlogram(lag_ms=10, across=a) for a in (False, True))
    time = net["E"].spike_arrays[0]
    expected = own["counts"] + across["counts"] + time.size * (own["lag"] == 0)
    np.testing.assert_array_equal(both["counts"], expected)
    assert both["lag"].attrs["units"] == "ms" and both["rate"].attrs["units"] == "Hz"
    around = net["R"].sta("V", spikes=net["E"], before_ms=5, after_ms=5)
    assert around.attrs["n_spikes"] == ((time > 5.05) & (time < 195.05)).sum()
    other = neurolab.run(size=2, duration="20ms", device="cpu", save=False)
    with pytest.raises(ValueError, match=r"the same steps: 200 ms of 0\.1 ms; got 20 ms"):
        net["E"].correlogram(other)


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
