"""Points computed in other processes and by a real one-node Slurm give the same sweep."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import neurolab
from neurolab.results.table import VALUES
from neurolab.sweep.executors import Executor, _Queue
from neurolab.sweep.jobs import cancel, gone
from neurolab.sweep.slurm import jobs_of
from neurolab.sweep.task import Task

pytest_plugins = ["slurm_cluster"]

HOME = str(Path(neurolab.__file__).parent.parent)
CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
SWEEP = ("input.rate=linspace:15Hz:40Hz:6", "size=20", "duration=200ms", "device.count=1", KEEP)
TASKS = ("hydra.launcher.points_per_task=3", "hydra.launcher.memory=2GiB", "hydra.launcher.cpus=1")
#: A neuron that ends its process where a point has this capacity, as long as a file is there.
CELLS = '''
import os
import signal
from pathlib import Path

import brainunit as u
from neurolab.dynamics import parameter
from neurolab.neurons import LIF


class Deadly(LIF):
    """A LIF that can kill."""

    def initial(self):
        if Path(__file__).with_name("deadly").exists() and os.environ.get("SUBMITIT_EXECUTOR"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().initial()
'''


def call(folder, *overrides, cwd, environment=None):
    return subprocess.run(
        [sys.executable, "-m", "neurolab", "-m", *overrides, *SWEEP, f"hydra.sweep.dir='{folder}'"],
        cwd=cwd,
        env={**(environment or os.environ), "PYTHONPATH": f"{HOME}{os.pathsep}{cwd}"},
        capture_output=True,
        text=True,
    )


def check_executor(executor, tmp_path, environment):
    """The same table as here; a task that dies is reported with its log, and resumed."""
    neurolab.run_sweep(SWEEP, tmp_path / "here")
    (tmp_path / "cells.py").write_text(CELLS)
    (tmp_path / "deadly").touch()
    kind = f"hydra.launcher.executor={executor}"
    mixed = "neuron._target_=neurolab.neurons.LIF,cells.Deadly"
    dead = tmp_path / "dead"
    begun = call(dead, kind, *TASKS, mixed, cwd=tmp_path, environment=environment)
    assert begun.returncode == 1, begun.stderr
    sweep = neurolab.open_sweep(dead)
    assert list(sweep.table["status"]) == ["completed"] * 6 + ["failed"] * 6
    assert len(list(dead.glob("tasks/*/*result.pkl"))) == 2
    assert len(list(dead.glob("batches/*/commit.json"))) == 2
    failed = sweep.table[sweep.table["status"] == "failed"]
    log = Path(failed["message"].iloc[0].rpartition("its log: ")[2])
    assert log.exists()
    assert "its log:" in begun.stdout
    assert "Traceback" not in begun.stdout + begun.stderr

    (tmp_path / "deadly").unlink()
    again = call(
        dead, kind, *TASKS, mixed, f"sweep.resume='{dead}'", cwd=tmp_path, environment=environment
    )
    assert again.returncode == 0, again.stderr
    resumed = neurolab.open_sweep(dead)
    assert resumed.summary["sessions"][-1]["computed"] == 6
    assert set(resumed.table["status"]) == {"completed"}
    here = neurolab.open_sweep(tmp_path / "here")
    for name in VALUES:
        np.testing.assert_array_equal(resumed.data[name][0], here.data[name])


def test_local_processes(tmp_path):
    """executor=local: two processes, three points each."""
    check_executor("local", tmp_path, None)


def test_slurm(slurm, tmp_path):
    """executor=slurm: jobs of a real Slurm, with the resources that were asked for."""
    check_executor("slurm", tmp_path, slurm)
    (script, *_) = (tmp_path / "dead").glob("tasks/*/*.sh")
    text = script.read_text()
    assert "--mem=2048M" in text
    assert "--cpus-per-task=1" in text
    assert "--time=60" in text
    wrong = call(
        tmp_path / "wrong", "hydra.launcher.executor=slurm", "hydra.launcher.partition=nowhere",
        cwd=tmp_path, environment=slurm,
    )  # fmt: skip
    assert wrong.returncode == 2
    assert "hydra.launcher = slurm" in wrong.stderr
    assert "invalid partition" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_arrays_are_as_large_as_slurm_takes_them(slurm, tmp_path, monkeypatch):
    """At most 1000 tasks in one here: two of 600.  Their states are asked for, and they are ended,
    by one call each."""
    monkeypatch.setenv("SLURM_CONF", slurm["SLURM_CONF"])
    held = Executor("slurm", parameters={"mem": "100M", "additional_parameters": {"hold": True}})
    tasks = [Task(tmp_path, {}, np.array([k]), None) for k in range(1200)]
    queue = _Queue(held, tmp_path, tasks, [])
    assert queue.submit(1200) == {}
    ids = [job.id for job in queue.running]
    assert [len(ids), len({job.partition("_")[0] for job in ids})] == [1200, 2]
    assert {job for _, job in jobs_of(tmp_path)} == set(ids)
    called = []
    run = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda *given, **how: called.append(1) or run(*given, **how)
    )
    assert not gone(queue.running)
    cancel(queue.running)
    assert len(gone(queue.running)) == 1200
    assert len(called) == 3
    assert not list(jobs_of(tmp_path))


def test_what_is_wrong_with_an_executor_is_told(tmp_path):
    """An unknown executor, and numbers that cannot be, before anything runs."""
    done = call(
        tmp_path / "wrong", "hydra.launcher.executor=cloud", "hydra.launcher.cpus=0",
        "hydra.launcher.time=5mV", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    for told in ("hydra.launcher.executor = cloud", "hydra.launcher.cpus = 0", "expected a time"):
        assert told in done.stderr, done.stderr
