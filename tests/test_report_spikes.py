"""The page of a run with more spikes than it has room for: all of its time, of some neurons."""

from __future__ import annotations

import numpy as np
import pytest
from pages import array_of, data_of

import neurolab
from neurolab.report import run_page, run_spikes, write_report

pytest_plugins = ["browser"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    typed = ["neuron=lif", "input=poisson", "input.rate=40Hz", "size=90", "duration=6s",
        "record.variables=[V]", "record.neurons=[7,50]", "record.interval=0.1ms"]  # fmt: skip
    return neurolab.run(typed, tmp_path_factory.mktemp("many") / "run")


def spikes_in(page):
    text = page.read_text()
    if 'data-name="spike_step"' in text:
        step = array_of(page, "spike_step")
    else:
        counts = array_of(page, "spikes_of_step")
        step = np.repeat(np.arange(counts.size), counts)
    return step, array_of(page, "spike_neuron")


@pytest.mark.parametrize("part", [10, 0.4, 0.05])
def test_a_page_has_all_spikes_of_the_neurons_it_draws(run, monkeypatch, part):
    """Evenly chosen, twenty at least, and those whose traces are drawn; from the first step to the
    last, and rates of all."""
    most = int(part * run.spike_arrays[0].size)
    monkeypatch.setattr(run_spikes, "_MOST", most)
    page = write_report(run.path)
    (time, neuron), found = run.spike_arrays, data_of(page)["results"]
    drawn = run_spikes.drawn_neurons(run, [7, 50])
    assert drawn[[7, 50]].all() and (drawn.all() if part == 10 else drawn.sum() < 60)
    shown = run_spikes.shown_part(run, drawn)
    kept = drawn[neuron] & (time <= shown.duration_ms + 0.01)
    step, who = spikes_in(page)
    np.testing.assert_array_equal(who, neuron[kept])
    np.testing.assert_allclose((step + 1) * 0.1, time[kept])
    told = found["spikes"]
    assert (told["count"], told["all"], told["neurons"]) == (who.size, time.size, drawn.sum())
    if part == 0.4:
        assert found["shown_ms"] == 6000
        assert drawn.sum() >= run_spikes._FEWEST
        hz, edges = array_of(page, "rate"), array_of(page, "rate_edge")
        assert np.sum(hz * np.diff(edges)) * 90e-3 == pytest.approx(time.size, rel=1e-4)
    if part == 0.05:  # twenty neurons have more in all of the time
        assert found["shown_ms"] < 6000


def test_more_spikes_than_steps_are_counts(run, monkeypatch):
    arrays = {}
    few = neurolab.run(["neuron=lif", "input.rate=200Hz", "size=400", "duration=100ms"], save=False)
    run_spikes.embed_spikes(few, np.ones(400, bool), arrays)
    step = few.read("spike_step")
    assert step.size > 1000 and arrays["spikes_of_step"].dtype == np.uint8
    np.testing.assert_array_equal(arrays["spikes_of_step"], np.bincount(step))


def test_what_is_left_out_is_said(run, browser, monkeypatch):
    """Ticks above a trace are the spikes of its neuron, whatever the raster has of others; of
    traces with more samples than the page has their extremes, which is said where it shows."""
    monkeypatch.setattr(run_spikes, "_MOST", int(0.4 * run.spike_arrays[0].size))
    monkeypatch.setattr(run_page, "_MOST_SAMPLES", 2000)
    page = write_report(run.path)
    drawn = int(run_spikes.drawn_neurons(run, [7, 50]).sum())
    browser.open(page)
    notes = browser.texts(".cut")
    assert f"{drawn} of 90 neurons, evenly chosen, are drawn: " in notes[0]
    assert notes[1] == ""
    ticks = """return document.getElementById("traces").data.filter((one) => one.yaxis === "y2")
        .map(({ x }) => x.filter((at) => at !== null).length / 2);"""
    trains = run.spike_trains()
    whole = np.array(browser(ticks)) / [trains[7].size, trains[50].size]
    assert (whole > 0.9).all() and (whole <= 1).all()  # of those on one pixel one
    for _ in range(6):
        browser("document.querySelector('[aria-label=\"zoom in\"]').click()")
    assert "the least and the largest value only" in browser.texts(".cut")[1]
    begin, end = browser("return document.getElementById('traces').layout.xaxis.range")
    scale = 1e3 if end < 10 else 1.0
    inside = [np.sum((t >= begin * scale) & (t <= end * scale)) for t in (trains[7], trains[50])]
    assert browser(ticks) == inside
    assert browser.errors() == []
