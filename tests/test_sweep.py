"""What a sweep says of its points: values over axes with units, statuses, what is missing."""

from __future__ import annotations

import logging
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sweeps import KEEP, batch_of, same_spikes, sweep, trace_difference

import neurolab
from neurolab.cli.compose import compose_config, effective
from neurolab.cli.main import main


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch):
    """Pictures have tests of their own."""
    monkeypatch.setattr("neurolab.plots.run.draw_all", lambda run: [])
    monkeypatch.setattr("neurolab.plots.sweep.draw_all", lambda *_: [])


@pytest.fixture
def command(monkeypatch, tmp_path):
    """``neurolab -m`` in this process: its exit code; Hydra's logging is undone afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.chdir(tmp_path)

    def call(*overrides, folder="sweep"):
        quiet = ("hydra/hydra_logging=none", "hydra/job_logging=none", f"hydra.sweep.dir={folder}")
        monkeypatch.setattr(sys, "argv", ["neurolab", "-m", *overrides, KEEP, *quiet])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    yield call
    root.handlers[:], root.level = before


def test_values_are_coordinates_in_the_unit_of_the_parameter(tmp_path):
    """5000uA is 5.0 mA, 1.1 rheobase is relative; a point has spikes, traces, rate and config."""
    found = sweep(
        tmp_path, "neuron=adexif", "input=constant", "neuron.b=0mA,5000uA,0.01A",
        "input.amplitude=0.5rheobase,'2 rheobase'", "record=full",
    )  # fmt: skip
    assert found.data.sizes == {"neuron.b": 3, "input.amplitude": 2}
    np.testing.assert_array_equal(found.data["neuron.b"], [0.0, 5.0, 10.0])
    assert found.data["neuron.b"].attrs["units"] == "mA"
    np.testing.assert_array_equal(found.data["input.amplitude"], [0.5, 2.0])
    assert found.data["input.amplitude"].attrs["units"] == "rheobase"
    assert found.rate_hz.attrs["units"] == "Hz"
    line = found.rate_hz.sel({"neuron.b": 5})
    assert line.dims == ("input.amplitude",)
    assert line[0] == 0.0
    assert line[1] == found.table["rate_hz"][3] == found[3].summary["rate_hz_mean"] > 0
    xr.testing.assert_identical(xr.open_zarr(tmp_path / "sweep.zarr").load(), found.data)
    xr.testing.assert_identical(neurolab.open_sweep(tmp_path).data, found.data)
    rows = pd.read_csv(tmp_path / "sweep.csv")
    assert list(rows["neuron.b"]) == ["0mA", "0mA", "5000uA", "5000uA", "0.01A", "0.01A"]
    np.testing.assert_allclose(rows["rate_hz"], found.table["rate_hz"])
    assert list(rows["spike_count"]) == list(found.spike_count.values.ravel())

    point = found[3]
    assert point.spikes["time"].size == found.spike_count[1, 1] > 0
    assert set(point.traces) == {"V", "w"}
    assert point.traces["V"].shape == (1000, 10)
    assert point.traces["w"].attrs["units"] == "mA"
    # 5 ms bins of the rate count every spike once
    assert point.rate.sum() * 0.005 * 10 == pytest.approx(point.spikes["time"].size)
    composed = effective(compose_config(point.overrides), point.overrides)
    composed.pop("sweep")
    assert point.config == composed
    assert point.config.neuron.b == "5000uA"


def test_options_and_values_walked_together_are_axes_too(tmp_path):
    """Options are text on their axis; zip and random values share an axis of their own."""
    found = sweep(
        tmp_path / "a", "neuron=lif,expif", "input=constant", "seed=zip:7:8",
        "input.amplitude=zip:0.5rheobase:3rheobase", "record=spikes",
    )  # fmt: skip
    assert found.data.sizes == {"neuron": 2, "zip": 2}
    assert list(found.data["neuron"].values) == ["lif", "expif"]
    assert found.data["seed"].dims == found.data["input.amplitude"].dims == ("zip",)
    assert list(found.data["seed"].values) == [7, 8]
    assert list(found.rate_hz.sel(neuron="lif").values > 0) == [False, True]
    assert [found[k].config.neuron._target_[-3:] for k in (0, 3)] == ["LIF", "pIF"]

    given = ("input.rate=sobol:10Hz:40Hz:4", "neuron.tau=random:5ms:20ms:4", "record=summary")
    found = sweep(tmp_path / "b", *given, "sweep.seed=3")
    assert found.data.sizes == {"sample": 4}
    rates, taus = found.data["input.rate"], found.data["neuron.tau"]
    assert (rates.attrs["units"], taus.attrs["units"]) == ("Hz", "ms")
    assert sorted((rates.values - 10) // 7.5) == [0, 1, 2, 3]  # Sobol: one in each quarter
    assert ((taus > 5) & (taus < 20)).all()
    table = found.table
    np.testing.assert_array_equal(table["neuron.tau"], taus)
    text = next(text for text in found[2].overrides if text.startswith("neuron.tau="))
    assert float(text.partition("=")[2].removesuffix("ms")) == pytest.approx(taus[2])


def test_options_are_walked_together_whatever_is_hydras(tmp_path, command):
    """With ``hydra.sweep.dir`` Hydra was to read ``neuron=zip:lif:expif`` itself."""
    assert command("neuron=zip:lif:expif", "size=zip:5:7", "duration=20ms") == 0
    sizes = [
        (run.config.neuron._target_, run.n_neurons)
        for run in neurolab.open_sweep(tmp_path / "sweep")
    ]
    assert sizes == [("neurolab.neurons.LIF", 5), ("neurolab.neurons.ExpIF", 7)]


def test_sizes_durations_and_references_in_one_sweep(tmp_path, command):
    """Sizes and durations are axes; drawn values and those that refer to others follow the point.

    neuron.tau is the swept synapse.tau, V(0) is drawn anew for every seed: as in single runs.
    """
    given = (
        "synapse=expon", "neuron.tau=${synapse.tau}", "synapse.tau=5ms,8ms", "size=zip:4:6",
        "neuron.V_initializer=[uniform,0mV,1mV]", "duration=zip:40ms:0.06s", "seed=1,2",
        "record=full", "device.precision=float64",
    )  # fmt: skip
    assert command(*given) == 0
    found = neurolab.open_sweep(tmp_path / "sweep")
    assert found.data.sizes == {"synapse.tau": 2, "zip": 2, "seed": 2}
    np.testing.assert_array_equal(found.data["duration"], [40.0, 60.0])
    assert found.data["duration"].attrs["units"] == "ms"
    np.testing.assert_array_equal(found.data["size"], [4, 6])
    assert (found.data["status"] == "completed").all()
    shapes = [point.traces["V"].shape for point in found]
    assert shapes == [(400, 4), (400, 4), (600, 6), (600, 6)] * 2
    assert found[0].config.neuron.tau == "5ms"
    assert found[4].config.neuron.tau == found[4].config.synapse.tau == "8ms"
    for one, other in ((0, 1), (0, 4)):  # another seed, another tau
        assert trace_difference(found[one], found[other]) > 0.01
    for index in (1, 6):
        overrides = found.overrides(index)
        alone = neurolab.run(overrides, tmp_path / str(index))
        assert same_spikes(found[index], alone)
        assert trace_difference(found[index], alone) <= 1e-12


BAD = (  # unstable where dt > 2 tau
    "neuron=lif",
    "integrator=euler",
    "input=constant",
    "device.precision=float64",
)  # unstable where dt > 2 tau


def test_a_point_that_diverges_is_told_as_a_run_is(tmp_path):
    """In the middle of a batch of five: step, neuron and the data before as in the single run."""
    found = sweep(
        tmp_path / "sweep", *BAD, "record=full", "device.count=1",
        "neuron.tau=5ms,0.02ms,6ms,0.03ms,7ms",
    )  # fmt: skip
    assert len(list((tmp_path / "sweep" / "batches").iterdir())) == 1
    bad = "diverged"
    assert list(found.table["status"]) == ["completed", bad, "completed", bad, "completed"]
    for index in (1, 3):
        overrides = found.overrides(index)
        alone = neurolab.run(overrides, tmp_path / str(index))
        assert alone.summary["status"] == bad
        assert found.table["message"][index] == alone.summary["message"]
        good = alone.committed_steps
        assert 0 < good == found[index].committed_steps < 1000
        assert f"in step {good} " in alone.summary["message"]
        np.testing.assert_allclose(found[index].traces["V"], alone.traces["V"], rtol=1e-12)
        assert np.isfinite(found[index].traces["V"]).all()
        assert same_spikes(found[index], alone)
    for index in (0, 2, 4):
        assert found[index].traces["V"].shape == (1000, 10)


def test_a_key_that_one_option_lacks_refuses_its_points(tmp_path):
    """neuron.b is no key of LIF: its points say so, those of AdEx are computed."""
    found = sweep(tmp_path, "neuron=adexif_ref,lif", "neuron.b=1mA,2mA", "record=summary")
    assert list(found.table["status"]) == ["completed", "completed", "refused", "refused"]
    assert "neuron.b" in found.table["message"][3]
    assert np.isnan(found.rate_hz.sel(neuron="lif")).all()
    assert np.isfinite(found.rate_hz.sel(neuron="adexif_ref")).all()
    with pytest.raises(KeyError, match="point 2 is refused"):
        found[2]
    with pytest.raises(IndexError):
        found[4]


@pytest.mark.parametrize(
    ("code", "overrides"),
    [
        (0, ["neuron.tau=5ms,6ms"]),
        (1, ["neuron.V_reset=0mV,2mV"]),  # at or above V_th: 1 mV
        (2, ["neuron.tau=5ms,6mV", "neuron.R=1ohm,2mA"]),
        (2, ["neuron.tau=5ms,6ms", "sweep.bach=3"]),
    ],
)
def test_exit_codes_of_the_command(tmp_path, command, capsys, code, overrides):
    """0: all points; 1: some were refused; 2: a value is wrong everywhere, and nothing is made."""
    assert command("size=10", "duration=20ms", *overrides) == code
    told = capsys.readouterr()
    if code < 2:
        statuses = list(neurolab.open_sweep(tmp_path / "sweep").table["status"])
        assert statuses == ["completed", "refused" if code else "completed"]
        assert ("neuron.V_reset" in told.out) == bool(code)
    else:
        expected = "There are: batch" if "sweep.bach=3" in overrides else "at point"
        assert expected in told.err
        assert list(tmp_path.iterdir()) == []


def test_resuming_computes_what_is_missing_and_no_more(tmp_path):
    """A batch that was never committed is computed again; table and spikes are as before."""
    given = ("input.rate=linspace:20Hz:60Hz:6", "sweep.batch=2")
    whole = sweep(tmp_path, *given)
    table, spikes = whole.table, [point.spikes.load() for point in whole]
    (batch_of(tmp_path, 2) / "commit.json").unlink()
    there = ["completed"] * 2
    assert list(neurolab.open_sweep(tmp_path).table["status"]) == [
        *there,
        "damaged",  # the summary says that they were computed
        "damaged",
        *there,
    ]
    shutil.rmtree(tmp_path / "sweep.zarr")
    resume = f"sweep.resume='{tmp_path}'"
    for computed in ([6, 2], [6, 2]):
        again = sweep(tmp_path, *given, resume)
        assert [one["computed"] for one in again.summary["sessions"]] == computed
        assert again.table.equals(table)
        for point, before in zip(again, spikes, strict=True):
            xr.testing.assert_identical(point.spikes.load(), before)
