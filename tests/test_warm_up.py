"""`record.start`: what comes before is computed, and left out of everything that a run has."""

from __future__ import annotations

import brainunit as u
import numpy as np
import pytest
from pages import array_of, data_of
from sweeps import KEEP
from test_resume import same, stopped

import neurolab
from neurolab import ConfigError
from neurolab.plots.run import draw_all, raster
from neurolab.report import write_report
from neurolab.results.verify import verify

pytest_plugins = ["browser"]

CELL = ["neuron=adexif_ref", "input=poisson", "size=12", "duration=400ms", KEEP,
    "record.neurons=[2,5]", "record.interval=0.7ms",
    "record.summary=[V_mean,V_min,V_final]"]  # fmt: skip
NETWORK = ["network=coba_ei", "populations.E.size=160", "populations.I.size=40", "duration=300ms",
    KEEP]  # fmt: skip
START = "record.start=155ms"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All of a run, and what is left of it."""
    folder = tmp_path_factory.mktemp("warm")
    return neurolab.run(CELL, folder / "whole"), neurolab.run([*CELL, START], folder / "late")


def later(run, start_ms):
    time, neuron = run.spike_arrays
    return time[time > start_ms + 1e-6], neuron[time > start_ms + 1e-6]


def test_what_is_recorded_is_the_rest_of_the_whole(runs):
    """Spikes, traces at their own times, and bins of the rate, at the times that they have in the
    whole; the neurons know nothing of it."""
    whole, late = runs
    for one, other in zip(later(whole, 155), late.spike_arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    kept = whole.traces["time"].values > 155 + 1e-6
    np.testing.assert_array_equal(whole.traces["V"].values[kept], late.traces["V"].values)
    np.testing.assert_array_equal(whole.traces["time"].values[kept], late.traces["time"].values)
    np.testing.assert_array_equal(whole.rate.values[31:], late.rate.values)
    np.testing.assert_allclose(whole.rate["time"].values[31:], late.rate["time"].values)
    assert (late.start_ms, late.recorded_ms, late.duration_ms) == pytest.approx((155, 245, 400))
    assert "recorded from 155 ms on" in repr(late)
    assert verify(late.path) == []


def test_statistics_are_over_the_rest(runs):
    """Of summaries and of all that is computed afterwards: as with ``begin_ms`` of the whole."""
    whole, late = runs
    known, found = whole.spike_statistics(begin_ms=155), late.spike_statistics()
    assert found == known
    for key in ("rate_hz_mean", "rate_hz_std", "isi_cv_mean", "spike_count"):
        assert late.summary[key] == pytest.approx(known[key], rel=1e-12)
    assert late.summary["start_ms"] == pytest.approx(155)
    assert "start_ms" not in whole.summary
    values = late.traces["V"].values
    every = neurolab.run([*CELL, START, "record.neurons=all"], save=False).traces["V"].values
    assert late.summary["V_mean"] == pytest.approx(float(every.mean(dtype=float)), rel=1e-9)
    assert late.summary["V_min"] == every.min() <= values.min()
    assert late.summary["V_final"] == whole.summary["V_final"]
    begin = {"begin_ms": 155.0}
    np.testing.assert_array_equal(late.rates(), whole.rates(**begin))
    for own, other in zip(late.fano_factor(20), whole.fano_factor(20, **begin), strict=True):
        assert own == other or (np.isnan(own) and np.isnan(other))
    assert late.synchrony() == whole.synchrony(**begin)
    assert late.population_rate(3).equals(whole.population_rate(3, **begin))
    assert late.psd(bin_ms=1).equals(whole.psd(bin_ms=1, **begin))
    assert late.correlogram(lag_ms=20).equals(whole.correlogram(lag_ms=20, **begin))
    assert late.correlation(bin_ms=5).mean == whole.correlation(bin_ms=5, **begin).mean
    assert late.phase_histogram(40).equals(whole.phase_histogram(40, **begin))
    assert late.sta("V", before_ms=7, after_ms=7)["mean"].size == 21
    np.testing.assert_array_equal(late.isi(), whole.isi(**begin))


def test_only_events_that_were_recorded_count(runs):
    whole, late = runs
    found = late.psth([100, 160, 250, 390], before_ms=20, after_ms=30, bin_ms=5)
    assert found.attrs["n_events"] == 1
    assert found.equals(whole.psth(250, before_ms=20, after_ms=30, bin_ms=5))


def test_libraries_hear_when_recording_began(runs):
    neo, pynapple = pytest.importorskip("neo"), pytest.importorskip("pynapple")
    late = runs[1]
    (segment,) = late.to_neo().segments
    assert {float(train.t_start) for train in segment.spiketrains} == {155.0}
    signal = segment.analogsignals[0]
    assert float(signal.t_start) == pytest.approx(155.4)
    assert float(signal.sampling_period) == pytest.approx(0.7)
    support = late.to_pynapple()["spikes"].time_support
    assert float(support.start[0]) == pytest.approx(0.155)
    assert neo and pynapple


def test_pictures_begin_where_recording_does(runs):
    late = runs[1]
    figure = raster(late)
    assert {ax.get_xlim() for ax in figure.axes} == {(155.0, 400.0)}
    assert late.plot.raster().get_xlim()[0] >= 154
    with pytest.raises(ValueError, match="of 155 to 400; got"):
        late.plot.raster(time=(100, 300))


def test_a_page_begins_there_too(runs, browser):
    late = runs[1]
    page = write_report(late.path)
    browser.open(page)
    assert browser("return document.getElementById('raster').layout.xaxis.range") == [155, 400]
    lines = browser("return document.getElementById('traces').data.map((d) => [d.x[0], d.y[0]])")
    sample = late.traces["V"].isel(time=0)
    assert lines[0] == pytest.approx([155.4, float(sample[0])], abs=1e-4)
    assert "recorded from 155 ms on" in browser("return document.body.innerText")
    edges = array_of(page, "rate_edge")
    assert (edges[0], edges[-1]) == pytest.approx((155, 400))


@pytest.mark.parametrize("after", [1000, 2500], ids=["in it", "after it"])
def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch, after):
    """Also one that was stopped before anything was recorded."""
    typed = [*NETWORK, START]
    expected = neurolab.run(typed, tmp_path / "whole")
    stopped(monkeypatch, tmp_path / "run", typed, after)
    begun = neurolab.open_run(tmp_path / "run")
    assert begun.recorded_ms == 0 or after == 2500
    assert bool(draw_all(begun)) == (begun.recorded_ms > 0)
    write_report(begun.path)
    same(neurolab.resume(tmp_path / "run"), expected)
    assert verify(tmp_path / "run") == []
    assert expected["E"].rate_bins[0].size == 29


def test_a_run_that_becomes_longer(tmp_path):
    """Its start is where it was."""
    neurolab.run([*CELL, START, "duration=200ms"], tmp_path / "run")
    found = neurolab.resume(tmp_path / "run", ["duration=400ms"])
    same(found, neurolab.run([*CELL, START], tmp_path / "whole"))


def test_points_of_a_sweep(tmp_path):
    """As runs alone; one that would end before anything is recorded is told."""
    typed = [*CELL, "duration=100ms,400ms", "record.start=0ms,155ms"]
    sweep = neurolab.run_sweep(typed, tmp_path / "sweep")
    assert [*sweep.table["status"]] == ["completed", "refused", "completed", "completed"]
    assert "record.start = 155ms is no time before the end" in sweep.table["message"][1]
    late, whole = sweep[3], sweep[2]
    for one, other in zip(later(whole, 155), late.spike_arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    known = whole.spike_statistics(begin_ms=155)
    assert sweep.table["rate_hz"][3] == pytest.approx(known["rate_hz_mean"], rel=1e-12)
    page = tmp_path / "sweep" / "report.html"
    np.testing.assert_allclose(array_of(page, "start_ms"), [0, 0, 0, 155])
    ends, time = array_of(page, "spike_end"), array_of(page, "spike_time")
    window = data_of(page)["spikes"]["window_ms"]
    shown = 155 + time[ends[2] : ends[3]] * window / 65535
    np.testing.assert_allclose(np.sort(shown), np.sort(late.spike_arrays[0]), atol=0.01)
    assert verify(tmp_path / "sweep") == []


def test_of_what_is_not_known_nothing_is_said():
    """A run that diverges in its warm-up has no rate, not even so far."""
    typed = ["neuron=lif", "integrator=euler", "input=constant", "neuron.tau=0.02ms",
        "duration=100ms", KEEP]  # fmt: skip
    run = neurolab.run([*typed, "record.start=50ms"], save=False)
    assert run.summary["status"] == "diverged"
    assert run.summary["rate_hz_mean"] is None


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ("400ms", "is no time before the end, duration = 400ms: nothing is recorded"),
        ("-5ms", "must be zero or positive"),
        ("52ms", "a multiple of record.rate_bin = 5 ms, such as 50 ms or 55 ms"),
        ("3mV", "expected a time"),
    ],
)
def test_a_start_that_cannot_be_is_refused(given, advice):
    with pytest.raises(ConfigError) as error:
        neurolab.run([*CELL, f"record.start={given}"], save=False)
    (problem,) = error.value.problems
    assert problem.key == "record.start"
    assert advice in problem.advice


def test_without_a_rate_it_may_be_any_step():
    run = neurolab.run([*CELL, "record.start=52.3ms", "record.rate_bin=null"], save=False)
    assert run.start_step == 523
    assert run.traces["time"].values[0] == pytest.approx(52.5)  # 75 times 0.7 ms


def test_steps_are_looked_at_as_they_go():
    """What a simulation in steps has so far."""
    simulation = neurolab.Simulation([*CELL, START])
    simulation.advance(100 * u.ms)
    assert simulation.run.summary["rate_hz_mean"] is None
    simulation.advance(300 * u.ms)
    assert simulation.run.summary["rate_hz_mean"] > 0
