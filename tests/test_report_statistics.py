"""The statistics on the page of a run: those of its panels, in tabs."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from pages import OTHER, data_of, make_outputs

import neurolab
from neurolab.report import run_statistics, write_report

pytest_plugins = ["browser"]

RIGHT, END = "\ue014", "\ue010"
DRAWN = """const { data, layout } = document.getElementById("chart-" + arguments[0]);
    const { title, type } = layout.xaxis;
    return [data.map(({ x, y }) => [x, y]), title.text, type ?? "linear"];"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return make_outputs(tmp_path_factory.mktemp("statistics"))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    typed = ["network=brunel", "populations.E.size=160", "populations.I.size=40", "duration=400ms"]
    return neurolab.run(typed, tmp_path_factory.mktemp("network") / "run")


def panels(of):
    """The panels of a run that a page has, as matplotlib draws them."""
    found = {}
    for name, (_, draw) in run_statistics._PANELS.items():
        ax = Figure().add_subplot()
        draw(of, ax)
        found[name] = ax
    return found


def test_a_chart_is_what_is_on_axes(outputs):
    """Bins and lines have the numbers of the artists, which are those of the analysis."""
    run = neurolab.open_run(outputs / OTHER)
    (part,) = data_of(outputs / OTHER / "report.html")["results"]["statistics"]["parts"]
    for name, ax in panels(run).items():
        chart = part[name]
        for patch, mark in zip(
            ax.patches, (m for m in chart["marks"] if m["kind"] == "bins"), strict=True
        ):
            values, edges, _ = patch.get_data()
            np.testing.assert_allclose(mark["x"], edges, rtol=1e-4)
            np.testing.assert_allclose(mark["y"], values, rtol=1e-4)
        assert chart["x"]["label"] == ax.get_xlabel() and chart["y"]["label"] == ax.get_ylabel()
        assert chart["x"]["log"] == (ax.get_xscale() == "log")
    power = run.psd()
    (line,) = (mark for mark in part["psd"]["marks"] if mark["kind"] == "line")
    np.testing.assert_allclose(line["x"], power["frequency"].values[1:], rtol=1e-4)
    np.testing.assert_allclose(line["y"], power.values[1:], rtol=1e-4)
    (floor,) = (mark for mark in part["psd"]["marks"] if mark["kind"] == "level")
    assert floor["at"] == pytest.approx(run.summary["rate_hz_mean"], rel=1e-4)
    assert (floor["name"], floor["across"]) == ("Poisson", "y")
    band = next(mark for mark in part["fano"]["marks"] if mark["kind"] == "band")
    assert len(band["x"]) == len(band["y"]) > 4


def test_populations_have_charts_of_their_own(network):
    parts = data_of(network.path / "report.html")["results"]["statistics"]["parts"]
    assert [part["name"] for part in parts] == ["E", "I"]
    for part in parts:
        counts = np.sum(part["rates"]["marks"][0]["y"])
        assert counts == network[part["name"]].n_neurons


def test_what_cannot_be_told_says_so(tmp_path):
    silent = neurolab.run(["neuron=lif", "input=none", "size=3", "duration=50ms"], tmp_path / "run")
    found = data_of(silent.path / "report.html")["results"]["statistics"]["parts"][0]
    assert found["cv"] == {"why": "There are too few spikes."}
    assert "too few" in found["log-isi"]["why"]


def test_many_spikes_are_told_of_a_part(outputs, monkeypatch):
    run = neurolab.open_run(outputs / OTHER)
    monkeypatch.setattr(run_statistics, "_MOST_SPIKES", run.spike_arrays[0].size // 2)
    found = run_statistics.statistics_of(run)
    assert found["of"].endswith(" ms") and found["of"] != "300 ms"


def test_tabs_are_read_with_the_keyboard(outputs, network, browser):
    """Arrows open each; what is open is in the address; no chart is of another than its tab."""
    page = outputs / OTHER / "report.html"
    write_report(page.parent)
    axes = panels(neurolab.open_run(page.parent))
    for theme in ("light", "dark"):
        browser.open(page, theme)
        browser("document.getElementById('statistic-isi').focus()")
        assert browser("return document.getElementById('isi').data.length") == 1
        for name, ax in axes.items():
            browser.press(RIGHT)
            assert browser("return document.activeElement.id") == f"statistic-{name}"
            traces, label, scale = browser(DRAWN, name)
            assert (label, scale) == (ax.get_xlabel(), ax.get_xscale())
            assert traces and all(len(x) == len(y) for x, y in traces)
        assert f"statistic={name}" in browser("return location.href")
        assert browser.errors() == []
    browser.driver.refresh()
    assert browser(DRAWN, name)
    browser.open(network.path / "report.html")
    browser("document.getElementById('statistic-rates').click()")
    whole = """return document.getElementById("chart-rates").data[0].y.slice(0, -1)
        .reduce((a, b) => a + b);"""
    assert browser(whole) == 160
    browser.choose("#population", "I")
    assert browser(whole) == 40
    assert browser.errors() == []
