"""Panels of one's own, and figures for papers: what they draw is what was recorded."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from sweeps import KEEP

import neurolab
from neurolab.plot import main
from neurolab.plots import paper, size_in

USUAL = ["neuron=adexif_ref", "synapse=expon", "input=poisson", "size=6", "record=full", KEEP]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels") / "run"
    return neurolab.run([*USUAL, "duration=1s", "input.rate=40Hz"], folder)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    sizes = ["populations.E.size=40", "populations.I.size=10"]
    folder = tmp_path_factory.mktemp("panels") / "network"
    return neurolab.run(["network=coba_ei", *sizes, "duration=200ms", KEEP], folder)


def marks(collection):
    """Time and height of the middle of each mark."""
    ends = np.array(collection.get_segments()).reshape(-1, 2, 2)
    return ends[:, 0, 0], ends[:, :, 1].mean(axis=1)


def area(patch, log=False):
    values, edges, _ = patch.get_data()
    return (values * np.diff(np.log10(edges) if log else edges)).sum()


def test_a_raster_has_the_spikes_of_its_window(run):
    ax = run.plot.raster(time=(200, 500), neurons=[5, 1])
    time, row = marks(ax.collections[0])
    trains = run.spike_trains()
    expected = [(t, k) for k, n in enumerate((5, 1)) for t in trains[n] if 200 < t <= 500]
    assert len(expected) > 5
    assert sorted(zip(time, row, strict=True)) == pytest.approx(np.array(sorted(expected)))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["5", "1"]
    assert ax.get_xlim() == (200, 500)
    whole = run.plot.raster()
    assert len(marks(whole.collections[0])[0]) == run.summary["spike_count"]


def test_neurons_in_a_row_are_called_by_their_numbers(run):
    ax = run.plot.raster(neurons=range(2, 5))
    assert set(marks(ax.collections[0])[1]) <= {2, 3, 4}
    assert ax.get_ylim() == (1.5, 4.5)


def test_populations_have_their_colours_and_names(network):
    ax = network.plot.raster()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["E", "I"]
    counts = [len(marks(one)[0]) for one in ax.collections]
    assert counts == [network[name].summary["spike_count"] for name in ("E", "I")]
    assert not np.array_equal(*(one.get_color() for one in ax.collections))
    alone = network["I"].plot.raster(neurons=[3])
    assert len(marks(alone.collections[0])[0]) == len(network["I"].spike_trains()[3])


def test_a_trace_has_its_samples_and_ticks_at_its_spikes(run):
    ax = run.plot.trace("V", time=(100, 300), neurons=[4])
    x, y = ax.lines[0].get_data()
    data = run.traces["V"].sel(neuron=4)
    inside = (data["time"] > 100) & (data["time"] <= 300)
    assert np.array_equal(x, data["time"][inside]) and np.array_equal(y, data[inside])
    own = run.spike_trains()[4]
    assert np.array_equal(marks(ax.collections[0])[0], own[(own > 100) & (own <= 300)])
    assert ax.get_ylabel() == "V (mV)"
    assert not run.plot.trace("w").collections
    assert len(run.plot.trace("w").lines) == 3


def test_one_variable_against_another(run):
    """All samples, with a gap after each spike."""
    ax = run.plot.phase("V", "w", neuron=2)
    x, y = ax.lines[0].get_data()
    known = np.isfinite(x)
    assert np.array_equal(x[known], run.traces["V"].sel(neuron=2))
    assert np.array_equal(y[known], run.traces["w"].sel(neuron=2))
    time = run.spike_trains()[2]
    assert np.count_nonzero(~known) == np.count_nonzero(time < run.duration_ms - 1e-6)


def test_the_rate_is_that_of_the_spikes(run):
    ax = run.plot.rate(bin_ms=50)
    (patch,) = ax.patches
    assert area(patch) == pytest.approx(1e3 * run.summary["rate_hz_mean"])
    assert np.diff(patch.get_data().edges) == pytest.approx(50)


@pytest.mark.parametrize("log", [False, True])
def test_bins_of_intervals_are_whole_steps(run, log):
    """With others dt shows as peaks that are not there."""
    (patch,) = run.plot.isi(log=log).patches
    edges = patch.get_data().edges / run.dt_ms
    assert edges - np.floor(edges) == pytest.approx(0.5)
    assert area(patch, log) == pytest.approx(1)
    if not log:
        assert np.ptp(np.diff(edges)) == pytest.approx(0, abs=1e-6)


def test_neurons_are_counted_once(run):
    of = run.plot
    for panel in (of.rates(), of.rates(begin_ms=200), of.cv(), of.lv(), of.lv(begin_ms=100)):
        assert panel.patches[0].get_data().values.sum() == run.n_neurons


def test_the_spectrum_has_the_floor_of_poisson_trains(run):
    ax = run.plot.psd(begin_ms=100)
    mean = run.spike_statistics(begin_ms=100)["rate_hz_mean"]
    assert ax.lines[1].get_ydata() == pytest.approx([mean, mean])
    assert np.array_equal(ax.lines[0].get_ydata(), run.psd(begin_ms=100).values[1:])


def test_the_rate_around_events(run):
    (patch,) = run.plot.psth([300, 600], after_ms=100, bin_ms=10).patches
    assert np.array_equal(patch.get_data().values, run.psth([300, 600], 50, 100, 10).values)


def test_a_correlogram_has_the_rate_given_a_spike(network):
    of = network["E"]
    for own, options in (
        ({}, {"bin_ms": 2, "lag_ms": 20}),
        ({"other": network["I"]}, {"begin_ms": 50, "lag_ms": 30}),
        ({}, {"across": True}),
    ):
        ax = of.plot.correlogram(**own, **options)
        found = of.correlogram(*own.values(), **options)
        (patch,) = ax.patches
        assert np.array_equal(patch.get_data().values, found["rate"])
        assert np.diff(patch.get_data().edges) == pytest.approx(found.attrs["bin_ms"])
        assert ax.lines[0].get_ydata()[0] == found.attrs["independent_hz"]
    assert not of.plot.correlogram(chance=False).lines
    assert of.plot.correlogram(begin_ms=100).get_xlim() == pytest.approx((-25.5, 25.5))


def test_fano_factors_are_drawn_against_their_windows(run):
    ax = run.plot.fano(windows_ms=[10, 100], begin_ms=100)
    x, y = ax.lines[0].get_data()
    expected = [run.fano_factor(w, begin_ms=100).mean() for w in (10, 100)]
    assert x.tolist() == [10, 100] and y == pytest.approx(expected)
    windows = run.plot.fano().lines[0].get_xdata()
    assert windows[[0, -1]] == pytest.approx([1, 50])
    assert windows / run.dt_ms == pytest.approx(np.round(windows / run.dt_ms))


def test_phases_and_averages_around_spikes_are_those_of_the_run(run):
    (patch,) = run.plot.phases(40, n_bins=10, begin_ms=100).patches
    expected = run.phase_histogram(40, n_bins=10, begin_ms=100)
    assert np.array_equal(patch.get_data().values, expected)
    assert np.array_equal(patch.get_data().edges, np.linspace(0, 1, 11))
    around = {"before_ms": 20, "after_ms": 10, "neurons": [4, 1]}
    ax = run.plot.sta("w", **around, color="red")
    found = run.sta("w", **around)
    assert np.array_equal(ax.lines[0].get_data(), [found["lag"], found["mean"]])
    assert ax.lines[0].get_color() == "red" and ax.get_ylabel().startswith("w (")


def test_panels_are_drawn_where_it_is_said(run):
    with paper():
        figure = Figure(figsize=size_in(85, 60))
        axes = figure.subplots(2, 1, sharex=True)
        assert run.plot.raster(axes[0], color="red") is axes[0]
        run.plot.trace("w", axes[1], linewidth=2)
    assert axes[1].lines[0].get_linewidth() == 2
    assert figure.get_size_inches() * 25.4 == pytest.approx((85, 60))
    assert axes[1].xaxis.label.get_size() == 7


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda plot: plot.raster(time=(500, 200)), "from and until when"),
        (lambda plot: plot.raster(time=(2000, 3000)), "of 1000"),
        (lambda plot: plot.raster(neurons=[6]), "0 to 5; got 6"),
        (lambda plot: plot.raster(neurons=[]), "got none"),
        (lambda plot: plot.trace("u"), "there are: V, .*w, synapse.g"),
        (lambda plot: plot.trace("V", neurons=[9]), "neuron 9 was not recorded"),
        (lambda plot: plot.rates(begin_ms=1000), "before the end"),
        (lambda plot: plot.sta("u"), "there are: V, .*w, synapse.g"),
        (lambda plot: plot.fano(windows_ms=[0.17]), "window_ms must be a multiple of dt"),
        (lambda plot: plot.phases(0), "must be positive, got 0"),
    ],
)
def test_what_there_is_not_is_told(run, draw, words):
    with pytest.raises((ValueError, KeyError), match=words):
        draw(run.plot)


def test_what_was_not_recorded_is_told():
    quick = neurolab.run(["record=summary", "size=2", "duration=20ms", KEEP], save=False)
    for draw in (quick.plot.raster, quick.plot.isi):
        with pytest.raises(ValueError, match="spikes were not recorded"):
            draw()
    with pytest.raises(KeyError, match="there are: none"):
        quick.plot.trace()


def test_a_figure_has_its_size_and_its_font(run, tmp_path, capsys, caplog):
    """85 mm are 240.9 points; fonts are TrueType, which is CIDFontType2 in a PDF."""
    caplog.set_level(logging.WARNING)
    typed = ["--kind", "raster,rate,trace", "--time", "0.2s:500ms", "--neurons", "0:3"]
    typed += ["--width", "8.5cm", "--height", "100mm", "--format", "pdf,svg,png"]
    assert main([str(run.path), *typed, "--output", str(tmp_path)]) == 0
    made = [tmp_path / f"raster_rate_trace.{form}" for form in ("pdf", "svg", "png")]
    assert capsys.readouterr().out.split() == list(map(str, made))
    pdf, svg = made[0].read_bytes(), made[1].read_text()
    box = re.search(rb"/MediaBox \[ *0 0 ([\d.]+) ([\d.]+)", pdf)
    assert [float(end) for end in box.groups()] == pytest.approx([240.94, 283.46], abs=0.01)
    assert b"/CIDFontType2" in pdf and b"/Type3" not in pdf
    assert "@font-face{font-family:" in svg and "base64," in svg
    assert "time (ms)" in svg and "neuron" in svg
    sizes = set(re.findall(r"font-size: ([\d.]+)px", svg))
    assert sizes == {"7"}
    assert not caplog.records


def test_points_and_populations_are_drawn(network, tmp_path, capsys):
    sweep = neurolab.run_sweep(
        [*USUAL, "duration=100ms", "seed=0,1"], tmp_path / "sweep"
    )  # fmt: skip
    assert main([str(sweep.path), "--point", "1", "--kind", "trace,isi", "--format", "png"]) == 0
    assert (sweep.path / "trace_isi_1.png").stat().st_size > 10_000
    kinds = "raster,rates,cv,psd,log-isi"
    assert main([str(network.path), "--population", "E", "--kind", kinds]) == 0
    assert "raster_rates_cv_psd_log-isi_E.pdf" in capsys.readouterr().out
    more = ["lv,fano,correlogram,phases,sta", "--frequency", "0.04kHz", "--variable", "V"]
    assert main([str(network.path), "--population", "E", "--kind", *more]) == 0
    assert "lv_fano_correlogram_phases_sta_E.pdf" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["--neurons", "9"], "got 9"),
        (["--kind", "trace", "--neurons", "9"], "neuron 9 was not recorded"),
        (["--time", "3s:4s"], "of 1000"),
        (["--population", "E"], "of one population"),
        (["--point", "0"], "is no sweep"),
        (["--kind", "phases"], "--frequency 40Hz"),
        (["--kind", "phases", "--frequency", "0Hz"], "must be positive"),
    ],
)
def test_the_command_says_what_cannot_be_drawn(run, typed, words, capsys):
    assert main([str(run.path), *typed]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "typed", [["--kind", "rastr"], ["--width", "85"], ["--width", "1mm"], ["--time", "5ms"],
        ["--format", "gif"], ["--neurons", "a"], ["--frequency", "40"]]
)  # fmt: skip
def test_the_command_refuses_what_is_wrong(run, typed, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(run.path), *typed])
    assert "error: argument" in capsys.readouterr().err
