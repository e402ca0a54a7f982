"""Populations of a network: each read as a run is, and a dimension of what a sweep leaves."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import xarray as xr
from sweeps import KEEP

import neurolab
from neurolab import analysis
from neurolab.plots.sweep import draw
from neurolab.results.export import export_point

SMALL = (
    "network=coba_ei",
    "populations.E.size=60",
    "populations.I.size=20",
    "duration=200ms",
    KEEP,
)
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
        assert set(own.data_vars) == {"V", "receptors.exc.g"} and own["V"].dims == (
            "time",
            "neuron",
        )
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
    assert (
        own.pairwise_correlation(**late).mean == analysis.pairwise_correlation(*trains, **late).mean
    )
    np.testing.assert_array_equal(own.isi(**late), analysis.isi(*trains[:3], **late))
    spectrum = own.power_spectrum(**late)
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
        assert sweep[2][name].summary["spike_count"] == of["spike_count"]
        xr.testing.assert_identical(sweep[2][name].rate, alone[name].rate)
    np.testing.assert_allclose(
        (60 * sweep.population_rate_hz.sel(population="E")
         + 20 * sweep.population_rate_hz.sel(population="I")) / 80,
        sweep.rate_hz,
    )  # fmt: skip
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


def test_the_picture_of_a_sweep_has_a_line_for_each_population(sweep):
    """In the colours that the raster has, named beside; of one alone if that is chosen."""
    figure = draw(sweep.data, "population_rate_hz")
    lines = {line.get_color(): line.get_ydata() for line in figure.axes[0].lines}
    for name, colour in (("E", "#0072B2"), ("I", "#D55E00")):
        np.testing.assert_array_equal(lines[colour], sweep.population_rate_hz.sel(population=name))
    one = draw(sweep.sel(population="I"), "population_rate_hz")
    assert len(one.axes[0].lines) == 1
    assert (sweep.path / "population_rate_hz.png").exists()
    assert (sweep.path / "rate_hz.png").exists()
