"""Other launchers and sweepers of Hydra work with neurolab's, and folders are as theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from wandb_files import inspect, logs

import neurolab
from neurolab.cli.main import main

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
SHORT = ("size=5", "duration=40ms", "device.count=1", "record.interval=1ms", KEEP)


@pytest.fixture
def command(monkeypatch, tmp_path):
    """``neurolab -m`` in this process, without pictures: its exit code and a folder.

    Without Hydra's logging, which would close what pytest captures with.
    """
    monkeypatch.setattr("neurolab.plots.run.draw_all", lambda run: [])
    monkeypatch.setattr("neurolab.plots.sweep.draw_all", lambda *_: [])
    monkeypatch.chdir(tmp_path)

    def call(folder, *overrides):
        quiet = ("hydra/hydra_logging=none", "hydra/job_logging=none", f"hydra.sweep.dir={folder}")
        monkeypatch.setattr(sys, "argv", ["neurolab", "-m", *SHORT, *overrides, *quiet])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, tmp_path / folder

    return call


def assert_same(one, other):
    assert one.committed_steps == other.committed_steps
    for name in ("time", "neuron"):
        np.testing.assert_array_equal(one.spikes[name], other.spikes[name])
    np.testing.assert_array_equal(one.rate, other.rate)
    np.testing.assert_allclose(one.traces["V"], other.traces["V"], atol=1e-6)


def test_folders_of_points_are_those_of_the_basic_launcher(command):
    """sweep.folders=true: the same .hydra files, byte for byte, and runs that open_run reads.

    With an added input, a value that refers to a swept one, and another class.
    """
    given = (
        "synapse=expon", "synapse.tau=4ms,6ms", "neuron._target_=neurolab.neurons.LIFRef",
        "neuron.tau=${synapse.tau}", "+input@inputs.noise=ou", "sweep.folders=true",
    )  # fmt: skip
    code, ours = command("ours", *given)
    basic_code, basic = command("basic", *given, "hydra/launcher=basic")
    assert (code, basic_code) == (0, 0)
    sweep = neurolab.open_sweep(ours)
    for index, point in enumerate(sweep):
        folder, there = ours / str(index), basic / str(index)
        for name in ("config.yaml", "overrides.yaml"):
            assert (folder / ".hydra" / name).read_bytes() == (there / ".hydra" / name).read_bytes()
        assert (folder / ".hydra" / "hydra.yaml").exists()
        exported, run = neurolab.open_run(folder), neurolab.open_run(there)
        assert_same(exported, run)
        assert_same(point, run)
        assert exported.summary["status"] == "completed"
        assert exported.summary["spike_count"] == run.summary["spike_count"]
        assert exported.config == run.config
        assert exported.config.neuron.tau == ("4ms", "6ms")[index]
        assert (folder / "report.html").exists()
        assert (there / "report.html").exists()
    assert sweep.spike_count.sum() > 0
    assert '"folders":true' in (ours / "report.html").read_text()  # links to those of the points
    assert (ours / "multirun.yaml").exists()
    assert (basic / "multirun.yaml").exists()


def test_the_basic_sweeper_feeds_the_batch_launcher(command):
    """hydra/sweeper=basic: Hydra's own forms make one sweep, whose axes are found from its jobs."""
    given = ("input=ou", "input.mean=1rheobase,2rheobase", "neuron.R=choice(1ohm,2ohm)")
    code, folder = command("basic", *given, "hydra/sweeper=basic")
    other_code, other = command("points", *given)
    assert (code, other_code) == (0, 0)
    found, wanted = neurolab.open_sweep(folder), neurolab.open_sweep(other)
    assert found.data.equals(wanted.data)
    assert found.data.sizes == {"input.mean": 2, "neuron.R": 2}
    assert not (folder / "0").exists()


def test_the_sweeper_feeds_the_basic_launcher(command):
    """Forms with units become Hydra's jobs: runs in folders, equal to the points of a sweep."""
    given = ("input=ou", "input.mean=zip:1rheobase:2rheobase", "neuron.tau=linspace:5ms:6ms:2")
    code, folder = command("basic", *given, "hydra/launcher=basic")
    assert code == 0
    sweep = neurolab.run_sweep([*SHORT, *given], folder.parent / "points")
    assert sweep.data.sizes == {"zip": 2, "neuron.tau": 2}
    for index, point in enumerate(sweep):
        job = yaml.safe_load((folder / str(index) / ".hydra" / "overrides.yaml").read_text())
        assert job == point.overrides
        assert_same(point, neurolab.open_run(folder / str(index)))
    assert not (folder / "4").exists()


@pytest.mark.parametrize(
    "launcher",
    [
        ("hydra/launcher=joblib", "hydra.launcher.n_jobs=1"),
        *(
            pytest.param(launcher, marks=pytest.mark.nightly)
            for launcher in (
                ("hydra/launcher=basic",),
                ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5"),
            )
        ),
    ],
    ids=["joblib", "basic", "submitit_local"],
)
def test_launchers_in_other_processes(tmp_path, launcher):
    """Of two jobs of the sweeper each has a folder and is a W&B run of the group."""
    home = str(Path(neurolab.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    tracker = ("tracker=wandb", "tracker.artifact=false")
    given = ("-m", *SHORT, *tracker, "input.rate=40Hz,80Hz", *launcher, "hydra.sweep.dir=a")
    done = subprocess.run(
        [sys.executable, "-m", "neurolab", *given],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for index, rate in enumerate(("40Hz", "80Hz")):
        run = neurolab.open_run(tmp_path / "a" / str(index))
        assert run.summary["status"] == "completed"
        assert run.config.input.rate == rate
        assert run.committed_steps == 400
        (log,) = logs(run.path)
        begun = next(record["run"] for record in inspect(log) if record["type"] == "run")
        assert begun["run_group"] == "a"
        state = inspect(log, "--summary")
        assert state["config"]["input"]["rate"] == float(rate.removesuffix("Hz"))
        assert (state["state"], state["exit_code"]) == ("finished", 0)
