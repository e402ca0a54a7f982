"""Populations of a network: each read as a run is, a dimension of a sweep, a colour in pictures."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import xarray as xr
from matplotlib.text import Text
from sweeps import KEEP

import neurolab
from neurolab import analysis
from neurolab.numbers import number
from neurolab.plots import run as pictures
from neurolab.plots.parts import labels_of
from neurolab.plots.rates import rates_of
from neurolab.plots.sweep import draw
from neurolab.report import sweep_spikes
from neurolab.results.export import export_point

pytest_plugins = ["browser"]

SMALL = (
    "network=coba_ei",
    "populations.E.size=60",
    "populations.I.size=20",
    "duration=200ms",
    KEEP,
)
COLOURS = {"E": "#0072B2", "I": "#D55E00"}
DARK = {"E": (0x93, 0xCE, 0xF9), "I": (0xDD, 0x29, 0x09)}
WEIGHTS = "projections.E_E.weight=2nS,6nS,10nS"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return neurolab.run(
        [*SMALL, "record.variables=[V,receptors.exc.g]"], tmp_path_factory.mktemp("run") / "r"
    )


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep") / "s"
    return neurolab.run_sweep([*SMALL, WEIGHTS], folder)


def test_a_run_is_its_populations(run):
    """Their spikes are its spikes, numbered from 0 in each; and their rates its rate."""
    assert list(run.populations) == ["E", "I"]
    found = []
    for name, first in (("E", 0), ("I", 60)):
        own = run[name]
        assert (
            own.spikes["neuron"].max()
            < own.n_neurons
            == run.summary["populations"][name]["n_neurons"]
        )
        found += zip(own.spikes["time"].values, own.spikes["neuron"].values + first, strict=True)
    whole = zip(run.spikes["time"].values, run.spikes["neuron"].values, strict=True)
    assert sorted(found) == sorted(whole)
    rates = (60 * run["E"].rate + 20 * run["I"].rate) / 80
    np.testing.assert_allclose(rates, run.rate)
    for name in ("E", "I"):
        xr.testing.assert_allclose(run[name].rate, run[name].population_rate(5.0))


def test_a_population_has_the_traces_of_its_neurons(run):
    for name, first in (("E", 0), ("I", 60)):
        own = run[name].traces
        assert set(own.data_vars) == {"V", "receptors.exc.g"}
        assert own["V"].dims == ("time", "neuron")
        assert own["neuron"].values.tolist() == [0, 1, 2, 3]
        np.testing.assert_array_equal(own["V"], run.traces[f"{name}.V"])
        assert own["V"].attrs["units"] == "mV"
    assert [run.name_of(neuron) for neuron in (0, 59, 60, 79)] == ["E 0", "E 59", "I 0", "I 19"]


def test_statistics_of_a_population_are_those_of_its_spikes(run):
    """And what the summary says of it; the start is left out of each."""
    own = run["I"]
    trains = own.spikes["time"].values, own.spikes["neuron"].values, 20, 200.0
    late = {"begin_ms": 50.0}
    told = own.spike_statistics()
    for name, value in told.items():
        assert own.summary[name] == pytest.approx(value, rel=1e-9)
    assert own.spike_statistics(**late) == analysis.spike_statistics(*trains, **late)
    assert own.synchrony(**late) == analysis.synchrony(*trains, **late)
    assert own.correlation(**late).mean == analysis.pairwise_correlation(*trains, **late).mean
    np.testing.assert_array_equal(own.isi(**late), analysis.isi(*trains[:3], **late))
    spectrum = own.psd(**late)
    expected = analysis.power_spectrum(trains[0], 20, 200.0, **late)
    np.testing.assert_array_equal(spectrum, expected.power_hz)
    np.testing.assert_array_equal(spectrum["frequency"], expected.frequency_hz)
    assert spectrum.attrs["peak_hz"] == analysis.peak_of(expected)
    assert run.synchrony() > 0 and own.population_rate(10.0, **late)["time"][0] == 55.0


def test_what_is_no_population_is_told(run):
    with pytest.raises(KeyError, match="no population 'X'; there are: E, I"):
        run["X"]
    alone = neurolab.run(["neuron=lif", "size=3", "duration=20ms", KEEP], save=False)
    with pytest.raises(KeyError, match="of one population"):
        alone["E"]
    assert alone.name_of(2) == "neuron 2"


def test_rates_are_there_without_spikes(run, tmp_path):
    """What is kept where only the summary is has a rate of each population."""
    brief = neurolab.run([*SMALL, "record=summary"], tmp_path / "brief")
    for name in ("E", "I"):
        xr.testing.assert_identical(brief[name].rate, run[name].rate)
    with pytest.raises(ValueError, match="record=spikes"):
        brief["E"].synchrony()


def test_a_sweep_has_a_dimension_of_populations(sweep):
    """In arrays, in the table and in sweep.csv: what each point has alone."""
    data = sweep.data
    assert data["population"].values.tolist() == ["E", "I"]
    assert data["population_rate_hz"].dims == ("projections.E_E.weight", "population")
    assert data["rate_hz"].dims == ("projections.E_E.weight",)
    alone = neurolab.run([*SMALL, "projections.E_E.weight=10nS"], save=False)
    for name, of in alone.summary["populations"].items():
        chosen = sweep.sel(population=name, weight=10)
        for ours, told in (("rate_hz", "rate_hz_mean"), ("rate_hz_std", "rate_hz_std"),
                           ("isi_cv", "isi_cv_mean"), ("spike_count", "spike_count")):  # fmt: skip
            assert float(chosen[f"population_{ours}"]) == pytest.approx(of[told], rel=1e-12)
            assert sweep.table[f"{ours}.{name}"][2] == float(chosen[f"population_{ours}"])
        assert sweep[2][name].spikes.sizes["spike"] == of["spike_count"]
        point = sweep[2][name].summary
        assert {key: point[key] for key in of if "rheobase" not in key} == {
            key: value for key, value in of.items() if "rheobase" not in key
        }
        xr.testing.assert_identical(sweep[2][name].rate, alone[name].rate)
    whole = ("n_neurons", "dt_ms", "n_steps", "rate_hz_mean", "rate_hz_std", "isi_cv_mean")
    assert [sweep[2].summary[key] for key in whole] == [alone.summary[key] for key in whole]
    by_size = sweep.population_rate_hz @ xr.DataArray([0.75, 0.25], dims="population")
    np.testing.assert_allclose(by_size, sweep.rate_hz)
    assert "population" not in sweep.table
    with (sweep.path / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["spike_count.I"]) for row in rows] == sweep.table["spike_count.I"].tolist()
    xr.testing.assert_identical(xr.open_zarr(sweep.path / "sweep.zarr").load(), data)


def test_a_point_in_a_folder_of_its_own_has_its_populations(sweep, tmp_path):
    export_point(sweep.path, 1, tmp_path)
    point = neurolab.open_run(tmp_path)
    assert point.populations == sweep[1].populations
    xr.testing.assert_identical(point["I"].rate, sweep[1]["I"].rate)
    assert point["I"].summary == sweep[1]["I"].summary


def test_a_sweep_without_networks_has_no_such_dimension(tmp_path):
    one = neurolab.run_sweep(
        ["neuron=lif", "size=3", "duration=20ms", "seed=0,1", KEEP], tmp_path / "s"
    )
    assert "population" not in one.data.dims and "populations" not in one.rows[0]


def test_rows_of_a_point_are_told_apart_beyond_255(tmp_path, monkeypatch):
    """Sixty populations, of each of which 5 neurons are shown, have 300."""
    monkeypatch.setattr(sweep_spikes, "_MOST_NEURONS", 300)
    typed = ["neuron=lif", "input=constant", "input.amplitude=3rheobase", "size=300"]
    found = neurolab.run_sweep([*typed, "duration=50ms", "seed=0,1", KEEP], tmp_path / "s")
    arrays = {}
    sweep_spikes.spikes_of(found.rows, arrays)
    assert set(arrays["spike_neuron"]) == set(range(300))


def test_the_picture_of_a_sweep_has_a_line_for_each_population(sweep):
    """In the colours that the raster has, named beside; of one alone if that is chosen."""
    figure = draw(sweep.data, "population_rate_hz")
    lines = {line.get_color(): line.get_ydata() for line in figure.axes[0].lines}
    for name, colour in COLOURS.items():
        np.testing.assert_array_equal(lines[colour], sweep.population_rate_hz.sel(population=name))
    one = draw(sweep.sel(population="I"), "population_rate_hz")
    assert len(one.axes[0].lines) == 1
    assert (sweep.path / "population_rate_hz.png").exists()
    assert (sweep.path / "rate_hz.png").exists()


def said(figure):
    return " | ".join(text.get_text() for text in figure.findobj(Text))


def test_a_point_that_was_refused_is_one_in_the_picture(sweep):
    """However many populations it has no value for."""
    data = sweep.data.copy(deep=True)
    data["status"][1] = "refused"
    assert "1 refused" in said(draw(data, "population_rate_hz"))


def test_pictures_of_a_run_have_a_colour_for_each_population(run):
    """Its spikes, its rate, its name; bins are as wide for all."""
    top, strip = pictures.raster(run).axes
    marks = {line.get_color(): line.get_ydata() for line in top.lines if len(line.get_ydata()) > 2}
    rates = rates_of(run)
    assert rates["E"].bin_ms == rates["I"].bin_ms and rates["E"].least_ms == rates["I"].least_ms
    for (name, colour), label, steps in zip(
        COLOURS.items(), top.get_yticklabels(), strip.patches, strict=True
    ):
        of = run.populations[name]
        assert marks[colour].size == run[name].spikes.sizes["spike"]
        assert of.start <= marks[colour].min() and marks[colour].max() < of.stop
        assert (label.get_text(), label.get_color()) == (f"{name} {of.stop - of.start}", colour)
        np.testing.assert_allclose(steps.get_data().values, rates[name].legible().hz)
    told = said(pictures.rate(run))
    for name, of in run.summary["populations"].items():
        assert f"{name} {number(of['rate_hz_mean'], 3)} Hz" in told
    told = said(pictures.traces(run))
    assert "E 0" in told and "I 2" in told and "neuron" not in told


def test_names_of_small_populations_have_room():
    """At their middle, where that is far enough from others; all of them on the axis."""
    sizes = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
    ends = np.cumsum([0, *sizes])
    populations = {f"p{k}": slice(*ends[k : k + 2]) for k in range(8)}
    at = np.array(list(labels_of(populations).values()))
    assert np.diff(at).min() >= 0.05 * ends[-1] and at[0] >= 0 and at[-1] < ends[-1]
    assert at[0] == (20683 - 1) / 2


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_of_a_network(run, browser, theme, width):
    """Bands with their names and lines, a rate and intervals of each; nothing wider than it may."""
    browser.open(run.path / "report.html", theme, width)
    assert browser.errors() == []
    assert browser("return document.documentElement.scrollWidth") <= width
    legend = browser.texts(".legend > span")
    for text, (name, of) in zip(legend, run.summary["populations"].items(), strict=True):
        assert text.startswith(
            f"{name} {of['n_neurons']} neurons, {number(of['rate_hz_mean'], 3)} Hz"
        )
    data = "return document.getElementById(arguments[0])._fullData.map(t => [t.name, [...t.y]])"
    for (name, hz), (own, rate) in zip(browser(data, "rate"), rates_of(run).items(), strict=True):
        assert name == own and hz[:-1] == pytest.approx(rate.legible().hz.tolist(), rel=1e-6)
    shares = dict(browser(data, "isi"))
    for name in COLOURS:
        assert 90 < sum(shares[name][:-1]) <= 100.01
    ticks = "return document.getElementById('raster')._fullLayout.yaxis.ticktext"
    assert [text.split(">")[1].split("<")[0] for text in browser(ticks)] == ["E 60", "I 20"]


#: The colours of the canvas, in its lower and upper part, by how many pixels have them.
INK = """
const canvas = document.querySelector(arguments[0]), { width, height } = canvas, found = [{}, {}];
const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
for (let i = 0; i < data.length; i += 4) if (data[i + 3]) {
  const part = found[Number(i / 4 / width < height * arguments[1])];
  const colour = [data[i], data[i + 1], data[i + 2]].join();
  part[colour] = (part[colour] ?? 0) + 1;
}
return found;
"""


def colours(found):
    return {tuple(map(int, text.split(","))) for text, n in found.items() if n > 20}  # not rounding


def test_the_raster_of_a_page_is_in_colours_and_zooms_to_numbers(run, browser):
    """The hover box names a neuron in its population; the axis has names of all, numbers of a
    part."""
    browser.open(run.path / "report.html", "dark")
    lower, upper = browser(INK, "#raster .spikes", 20 / 80)
    assert colours(lower) == {DARK["E"]} and colours(upper) == {DARK["I"]}
    spikes = run["I"].spikes
    k = spikes.sizes["spike"] // 2
    time, neuron = float(spikes["time"][k]), int(spikes["neuron"][k])
    place = "const { xaxis, yaxis, _size: s } = document.getElementById('raster')._fullLayout;"
    place += "return [xaxis.l2p(arguments[0]) / s.w, yaxis.l2p(arguments[1]) / s.h]"
    browser.hover("#raster .nsewdrag", browser(place, time, neuron + 60))
    tip = "return document.querySelector('#raster .tip').textContent"
    assert browser.wait(tip) == f"I {neuron}, {time:g} ms"
    mode = "return document.getElementById('raster')._fullLayout.yaxis.tickmode === arguments[0]"
    browser.drag("#raster .nsewdrag", (0.25, 0.3), (0.5, 0.7))
    browser.wait(mode, "auto")
    browser.find("button.theme").click()
    assert browser(mode, "auto")
    browser("Plotly.relayout('raster', {'yaxis.range': [-0.5, 79.5]})")
    browser.wait(mode, "array")
    browser("localStorage.clear()")
    assert browser.errors() == []


def test_the_page_of_a_sweep_has_values_of_populations(sweep, browser):
    """To choose, to filter by, and the first neurons of each in the raster of a point."""
    browser.open(sweep.path / "report.html", "dark")
    assert "rate_hz.I" in browser.texts("#value option")
    browser.choose("#value", "rate_hz.I")
    y = browser("return [...document.getElementById('plot')._fullData[0].y]")
    assert y == pytest.approx(
        sweep.population_rate_hz.sel(population="I").values.tolist(), rel=1e-6
    )
    browser.choose("#value", "rate_hz of each population")
    lines = browser("return document.getElementById('plot')._fullData.map(t => [t.name, [...t.y]])")
    for (name, y), own in zip(lines, ("E", "I"), strict=True):
        assert name == own
        assert y == pytest.approx(sweep.table[f"rate_hz.{own}"].tolist(), rel=1e-6)
    title = "return document.getElementById('plot')._fullLayout.yaxis.title.text"
    assert browser(title) == "firing rate (Hz)"
    assert not browser.find("#colour").is_displayed()
    counts = sweep.table["spike_count.E"]
    browser.type("#filter", f"spike_count.E={counts[1]:.0f}")
    assert len(browser.texts("tr[data-point]")) == (counts == counts[1]).sum()
    browser("document.querySelector('tr[data-point=\"1\"]').click()")
    browser.wait("return document.querySelector('#point-raster .spikes')")
    lower, upper = browser(INK, "#point-raster .spikes", 12 / 49)
    assert colours(lower) == {DARK["E"]} and colours(upper) == {DARK["I"]}
    assert "of the first 49 neurons of E, I" in browser.find("#drawer").text
    assert "rates of I" in browser.texts(".tiles dt")
    assert browser.errors() == []
