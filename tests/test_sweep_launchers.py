"""Folders of points, and Hydra's own launchers and sweepers beside ours."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

import neurolab
from neurolab.cli import main

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
SWEEP = ("neuron.tau=5ms,10ms", "neuron=lif", "size=10", "duration=50ms", "device.count=1", KEEP)


@pytest.fixture
def call(monkeypatch):
    """The command line, in this process; returns the exit code."""

    def command(folder, *overrides):
        arguments = ["neurolab", "-m", *SWEEP, *overrides, f"hydra.sweep.dir='{folder}'"]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0

    return command


def test_folders_of_points_are_those_of_the_basic_launcher(call, tmp_path):
    """The same .hydra/config.yaml and overrides.yaml, and a run that opens, with equal spikes."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert call(ours, "sweep.folders=true") == 0
    assert call(theirs, "sweep.folders=true", "hydra/launcher=basic") == 0
    for k in ("0", "1"):
        for name in ("config.yaml", "overrides.yaml"):
            one, other = (path / k / ".hydra" / name for path in (ours, theirs))
            assert one.read_bytes() == other.read_bytes()
        run, alone = neurolab.open_run(ours / k), neurolab.open_run(theirs / k)
        np.testing.assert_array_equal(run.spikes["time"], alone.spikes["time"])
        np.testing.assert_array_equal(run.rate, alone.rate)
        np.testing.assert_allclose(run.traces["V"], alone.traces["V"], atol=1e-6)
        assert run.summary["rate_hz"] == alone.summary["rate_hz_mean"]


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_other_launchers_run_the_points(call, tmp_path, launcher):
    """Each job is a run in a folder of its own."""
    more = ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else []
    assert call(tmp_path, f"hydra/launcher={launcher}", *more) == 0
    runs = [neurolab.open_run(tmp_path / str(k)) for k in range(2)]
    assert [run.config.neuron.tau for run in runs] == ["5ms", "10ms"]
    assert {run.summary["status"] for run in runs} == {"completed"}


def test_hydras_basic_sweeper_with_our_launcher(call, tmp_path):
    """Rounds of two points each end in one sweep."""
    more = ["seed=1,2,3", "hydra/sweeper=basic", "hydra.sweeper.max_batch_size=4"]
    assert call(tmp_path, *more) == 0
    sweep = neurolab.open_sweep(tmp_path)
    assert sweep.data.sizes == {"point": 6}
    np.testing.assert_array_equal(sweep.data["neuron.tau"], [5, 5, 5, 10, 10, 10])
    assert sweep.data["neuron.tau"].attrs["units"] == "ms"
    np.testing.assert_array_equal(sweep.data["seed"], [1, 2, 3, 1, 2, 3])
    assert set(sweep.table["status"]) == {"completed"}
    assert sweep[5].config.neuron.tau == "10ms"
    assert len(sweep[5].spikes["spike"]) == sweep.table["spike_count"][5]


def test_exit_codes(call, tmp_path, capsys):
    """1 with a point that went wrong, 2 for a mistake, each told."""
    assert call(tmp_path / "one", "neuron.V_reset=0mV,5mV", "neuron.V_th=1mV,9mV") == 1
    told = capsys.readouterr().out
    assert "6 completed, 2 refused" in told
    assert "must lie above neuron.V_reset" in told
    assert call(tmp_path / "two", "input.rate=5mV,20Hz") == 2
    assert "expected a rate" in capsys.readouterr().err
    assert call(tmp_path / "two", "sweep.bach=3") == 2
    assert "There are: batch" in capsys.readouterr().err
