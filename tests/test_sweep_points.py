"""A sweep in its folder: a grid with units, bad points, refusals, resuming, memory."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr

import neurolab
from neurolab.api import experiment_of
from neurolab.problems import ConfigError

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
SHORT = ("size=12", "duration=100ms", KEEP)


def sweep(folder, *overrides):
    return neurolab.run_sweep([*SHORT, *overrides], folder)


def assert_same(point, run):
    np.testing.assert_array_equal(point.spikes["time"], run.spikes["time"])
    np.testing.assert_array_equal(point.spikes["neuron"], run.spikes["neuron"])
    for name, values in run.traces.items():
        np.testing.assert_allclose(point.traces[name], values, rtol=1e-12, atol=1e-12)
        assert point.traces[name].attrs["units"] == values.attrs["units"]
    np.testing.assert_array_equal(point.rate, run.rate)


def test_a_grid_becomes_a_grid(tmp_path):
    """Swept keys are coordinates with units, in the parameter's unit whatever was typed."""
    found = sweep(
        tmp_path, "neuron.tau=5ms,0.01s", "input.rate=linspace:40Hz:80Hz:3", "record=summary"
    )
    assert found.rate_hz.dims == ("neuron.tau", "input.rate")
    assert found.data["neuron.tau"].attrs["units"] == "ms"
    np.testing.assert_array_equal(found.data["neuron.tau"], [5.0, 10.0])
    np.testing.assert_array_equal(found.data["input.rate"], [40.0, 60.0, 80.0])
    rate = found.rate_hz.sel({"neuron.tau": 10, "input.rate": 60})
    assert rate == found.table["rate_hz"][4] == found[4].summary["rate_hz_mean"]
    xr.testing.assert_identical(xr.open_zarr(tmp_path / "sweep.zarr").load(), found.data)
    lines = (tmp_path / "sweep.csv").read_text().splitlines()
    assert len(lines) == 7
    assert lines[5].startswith("4,0.01s,60Hz,completed,")
    assert (tmp_path / "rate_hz.png").stat().st_size > 1000


def test_one_bad_point_leaves_the_others(tmp_path):
    """A point that diverges keeps what it had, one whose values do not fit is refused."""
    overrides = ["neuron=lif", "integrator=euler", "input=constant", "device.precision=float64"]
    found = sweep(
        tmp_path / "sweep", *overrides, "neuron.tau=5ms,0.02ms,6ms",
        "neuron.V_reset=0mV,2mV",
    )  # fmt: skip
    assert list(found.table["status"]) == [
        "completed", "refused", "diverged", "refused", "completed", "refused",
    ]  # fmt: skip
    assert "neuron.V_th = 1 mV must lie above neuron.V_reset" in found.table["message"][1]
    alone = neurolab.run([*SHORT, *overrides, "neuron.tau=0.02ms"], tmp_path / "alone")
    assert alone.summary["status"] == "diverged"
    assert found[2].summary["message"] == alone.summary["message"]
    assert_same(found[2], alone)
    with pytest.raises(KeyError, match="point 3 is refused"):
        found[3]


def test_a_value_that_is_wrong_everywhere_refuses_the_sweep(tmp_path):
    """Nothing is computed or written, and each mistake is told with its point."""
    with pytest.raises(ConfigError) as caught:
        sweep(tmp_path / "sweep", "neuron.tau=5ms,5mV", "input.rate=20Hz,-3Hz")
    text = str(caught.value)
    assert "neuron.tau = 5mV" in text
    assert "input.rate = -3Hz" in text
    assert "at point 1" in text
    assert not (tmp_path / "sweep").exists()


def test_a_finished_sweep_is_not_computed_again(tmp_path):
    """Resuming gives the same table; another sweep is refused, with what differs."""
    sweep(tmp_path, "seed=range:3")
    again = sweep(tmp_path, "seed=range:3", f"sweep.resume='{tmp_path}'")
    assert again.summary["computed"] == 3
    assert list(again.table["status"]) == ["completed"] * 3
    for changed, told in (
        (["seed=range:4"], "it has 3 points, this command asks for 4"),
        (["seed=1,2,3"], "its point 0 has seed=0 where this command gives seed=1"),
        (["seed=range:3", "record.interval=1ms"], "record.interval=1ms"),
    ):
        with pytest.raises(ConfigError, match=told):
            sweep(tmp_path, *changed, f"sweep.resume='{tmp_path}'")
    with pytest.raises(ConfigError, match="already holds a sweep"):
        sweep(tmp_path, "seed=range:3")


def test_batches_fit_the_memory_that_records_may_take(tmp_path):
    """With 1 MiB for records the points are computed one or two at a time, with the same result."""
    wide = ("size=2000", "duration=20ms", "seed=range:3", "record=full")
    small = sweep(tmp_path / "small", *wide, "record.memory=1MiB")
    large = sweep(tmp_path / "large", *wide)
    assert len(list((tmp_path / "small" / "batches").iterdir())) > 1
    assert len(list((tmp_path / "large" / "batches").iterdir())) == 1
    for one, other in zip(small, large, strict=True):
        np.testing.assert_array_equal(one.spikes["time"], other.spikes["time"])
        np.testing.assert_allclose(one.traces["V"], other.traces["V"], rtol=1e-5, atol=1e-5)


def test_a_point_that_diverged_has_no_rate_but_so_far(tmp_path):
    """In table, arrays and csv; the sweep is partial, with exit code 1 as before."""
    typed = (
        "neuron=lif",
        "integrator=euler",
        "input=constant",
        "neuron.tau=0.02ms,10ms",
        "duration=1s",
    )
    found = sweep(tmp_path, *typed)
    assert list(found.table["status"]) == ["diverged", "completed"]
    assert np.isnan(found.rate_hz[0]) and found.rate_hz[1] > 0
    assert found.data["rate_hz_so_far"][0] > 0 and np.isnan(found.data["rate_hz_so_far"][1])
    for name in ("rate_hz_std", "isi_cv"):
        assert np.isnan(found.data[name][0])
    assert found.summary["status"] == "partial"
    one = found[0]
    seconds = one.committed_steps * 1e-4
    expected = found.rows[0]["spike_count"] / one.n_neurons / seconds
    assert found.rows[0]["rate_hz_so_far"] == pytest.approx(expected)
    header = (tmp_path / "sweep.csv").read_text().splitlines()[0].split(",")
    assert "rate_hz_so_far" in header


def test_a_range_over_a_key_that_only_swept_options_have(tmp_path):
    """Hydra composed without the options that are swept, and knew no such key."""
    given = ["neuron=adexif,adexif_ref", "neuron.b=linspace(0mA, 1mA, 3)", "size=1", "duration=1ms"]
    sweep = neurolab.run_sweep([*given, "device=cpu"], tmp_path)
    assert sweep.rate_hz.dims == ("neuron", "neuron.b")
    assert sweep.rate_hz.shape == (2, 3)


def test_each_refused_point_is_told_its_own_value(tmp_path):
    """All with a size of 0 or a negative tau were refused with "tau = 20ms must be positive", and
    the one that can be was refused as well; drives had the largest value and the least rheobase."""
    typed = ("neuron=lif,adexif_ref", "size=-1,0,2", "neuron.tau=20ms,-1ms", "duration=5ms")
    with pytest.raises(ConfigError) as error:
        neurolab.run_sweep(typed, tmp_path / "mistakes")
    assert "20ms\n    must" not in str(error.value)
    assert "size = 2" not in str(error.value)
    typed = ("neuron=adexif", "input.weight=1rheobase*ms,2rheobase*ms", "size=1", "duration=5ms",
             "neuron.V_T=-70mV,-75mV,-59.9mV")  # fmt: skip
    sweep = neurolab.run_sweep(typed, tmp_path / "drives")
    told = [sweep.table["message"][k] for k in range(6)]
    for point, weight, rheobase in ((0, 1, "-12.64"), (1, 1, "-22.64"), (4, 2, "-22.64")):
        assert f"input.weight = {weight} rheobase*ms" in told[point]
        assert f"which is {rheobase} mA here" in told[point]
    assert not told[2]
    with pytest.raises(ConfigError, match=r"(?s)neuron.nix = 1.*and 1 more"):
        neurolab.run_sweep(("neuron.nix=1,2", "duration=5ms"), tmp_path / "unknown")


def test_drawn_values_that_do_not_fit_refuse_the_points_of_their_seeds(tmp_path):
    """The sweep ended in a traceback."""
    typed = ("neuron=lif", "neuron.tau=[normal,5ms,2ms]", "size=100", "duration=5ms", "device=cpu")
    found = neurolab.run_sweep([*typed, "seed=0,1,2,3,4,5"], tmp_path)
    assert set(found.table["status"]) == {"completed", "refused"}
    for k, (status, message) in enumerate(found.table[["status", "message"]].itertuples(False)):
        if status == "completed":
            experiment_of(found.overrides(k))
            continue
        with pytest.raises(ConfigError) as error:
            experiment_of(found.overrides(k))
        (problem,) = error.value.problems
        assert message == f"{problem.key} = {problem.given} {problem.advice}"
    typed = ("neuron=lif", "neuron.tau=[normal,5ms,1ms],[uniform,2ms,1ms]", *typed[2:])
    with pytest.raises(ConfigError, match=r"(?s)strictly less than.*at point 1"):
        neurolab.run_sweep(typed, tmp_path / "wrong")
