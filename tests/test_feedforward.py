"""network=feedforward: sources that are Poisson, layers, and a readout that does not spike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch
from matplotlib.text import Text

import neurolab
from neurolab.plots.colours import GREEN, VERMILLION
from neurolab.plots.parts import mean_rate_hz
from neurolab.plots.rates import rates_of
from neurolab.plots.run import raster, rate, traces
from neurolab.results.run import Run
from neurolab.simulation.progress import print_summary
from tests.pages import data_of


@pytest.fixture(scope="module")
def run():
    typed = ["network=feedforward", "duration=2s", "record.variables=[V]", "record.neurons=all"]
    return neurolab.run(typed, save=False)


def test_each_layer_fires_and_the_readout_does_not(run):
    """Sources fire at their 20 Hz (4000 spikes, 3 s.d. are 190), layers at 5 to 80 Hz; the readout
    has a potential, no threshold, no spikes and no rate."""
    of = run.summary["populations"]
    assert list(of) == ["sources", "hidden_1", "hidden_2", "readout"]
    assert abs(of["sources"]["spike_count"] - 4000) < 190
    assert of["sources"]["isi_cv_mean"] == pytest.approx(0.95, abs=0.04)  # 1, less what is cut off
    assert all(5 < of[name]["rate_hz_mean"] < 80 for name in ("hidden_1", "hidden_2"))
    assert of["readout"]["rate_hz_mean"] is None and of["readout"]["spike_count"] is None
    assert run.spikes["neuron"].max() < 300
    V = run.traces["readout.V"]
    assert V.shape[1] == 10 and V.units == "mV" and V.values.max() > 1.5


def test_rates_are_of_the_neurons_that_can_fire(run, tmp_path, capsys):
    """The readout's 10 of 310 took 3 % of the rate, in sweeps too."""
    rate = run.summary["spike_count"] / 300 / 2.0
    assert run.summary["rate_hz_mean"] == pytest.approx(rate, rel=1e-12)
    assert (run.summary["n_neurons"], run.summary["n_spiking"]) == (310, 300)
    print_summary(run.summary, tmp_path)
    assert "s.d. over 300 neurons that spike" in capsys.readouterr().out
    counts = np.bincount(run.spikes["neuron"].values, minlength=300)
    assert run.summary["rate_hz_std"] == pytest.approx(counts.std() / 2.0, rel=1e-12)
    found = run.spike_statistics()
    assert found["rate_hz_mean"] == pytest.approx(rate)
    assert found["rate_hz_std"] == pytest.approx(counts.std() / 2.0)
    assert run.rate.mean() == pytest.approx(rate)
    killed = Run(run.path, run.commit, run.store)
    killed.summary = {}
    assert mean_rate_hz(killed) == pytest.approx(rate)
    sweep = neurolab.run_sweep(["network=feedforward", "duration=100ms", "seed=0,1"], tmp_path)
    assert sweep[1].rate.mean() == pytest.approx(sweep[1].summary["rate_hz_mean"])
    spikes = sweep.table["spike_count"].to_numpy()
    np.testing.assert_allclose(sweep.table["rate_hz"], spikes / 300 / 0.1, rtol=1e-12)


def test_weights_let_the_potential_vary_as_they_are_meant_to(run):
    """Without a threshold the first layer's V has an s.d. of 0.77 / 0.7746 mV, over neurons and
    time, for sources at 20 Hz: drawn weights are those of the formula in the YAML."""
    free = neurolab.run(
        ["network=feedforward", "duration=4s", "record.variables=[hidden_1.V]",
         "record.neurons=all", "populations.hidden_1.neuron.V_th=1e6mV"],
        save=False,
    )  # fmt: skip
    V = free.traces["hidden_1.V"]
    late = V.values[V["time"].values > 100]
    # Of a neuron the mean over time is not 0, but n nu tau times a sum of 100 weights.
    assert np.sqrt(late.var(axis=0).mean()) == pytest.approx(0.77 / 0.7746, rel=0.05)


@pytest.fixture(scope="module")
def read_out_first(tmp_path_factory):
    """The readout before the layers, as one may write it."""
    neurons = {"readout": "leaky_integrator", "E": "lif", "I": "lif"}
    network: dict[str, Any] = {
        "defaults": [{f"/neuron@populations.{n}.neuron": of} for n, of in neurons.items()]
        + [{f"/input@populations.{name}.inputs.drive": "constant"} for name in "EI"],
        "populations": {"readout": {"size": 2}, "E": {"size": 20}, "I": {"size": 10}},
    }
    folder = tmp_path_factory.mktemp("first") / "run"
    return neurolab.run(["duration=200ms", network], folder)


def test_pictures_of_traces_are_of_what_lines_say():
    """Whole numbers are places in time, before the first spike none: -1e8. Names of variables are
    above their panels, potentials first: beside them they ran into one another. The readout has no
    row of spikes."""
    typed = ["network=feedforward", "duration=100ms", "record=full", "record.neurons=2"]
    run = neurolab.run(typed, save=False)
    assert "hidden_1.last_spike_step" in run.traces
    axes = traces(run).axes
    layers = ("hidden_1", "hidden_2", "readout")
    titles = [f"{name}.V (mV)" for name in ("sources", *layers)]
    titles += [f"{name}.receptors.current.g (mA)" for name in layers]
    assert [ax.get_title(loc="left") for ax in axes] == titles
    rows = [sum(text.get_text() == "spikes" for text in ax.texts) for ax in axes]
    assert rows == [1, 1, 1, 0, 0, 0, 0]


def test_pictures_of_rates_have_none_of_the_readout(run, read_out_first):
    """It was a line at 0 Hz. Lines have the colours of their populations, whoever is before."""
    assert list(rates_of(run)) == ["sources", "hidden_1", "hidden_2"]
    figure = rate(run)
    told = [text.get_text() for text in figure.findobj(Text)]
    assert "readout" not in told and any(text.startswith("hidden_2 ") for text in told)
    for picture in (rate(read_out_first), raster(read_out_first)):
        drawn = [to_hex(steps.get_edgecolor()).upper() for steps in picture.findobj(StepPatch)]
        assert drawn == [VERMILLION, GREEN]


def test_pages_have_no_rate_and_no_intervals_of_the_readout(read_out_first):
    page = data_of(read_out_first.path / "report.html")["results"]
    assert page["rate"]["of"] == [part["name"] for part in page["isi"]["parts"]] == ["E", "I"]


def test_pictures_have_room_for_the_names_of_layers(run):
    for figure in (raster(run), traces(run)):
        figure.draw_without_rendering()
        left, _ = figure.canvas.get_width_height()
        texts = [text for ax in figure.axes for text in [*ax.get_yticklabels(), ax.yaxis.label]]
        assert min(text.get_window_extent().x0 for text in texts if text.get_text()) > 0
        assert max(text.get_window_extent().x1 for text in texts if text.get_text()) < left
