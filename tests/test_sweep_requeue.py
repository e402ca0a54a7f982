"""Tasks that are stopped before their end go on, and Slurm's jobs without their launcher too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sweeps import KEEP

import neurolab
from neurolab.results.table import VALUES

pytest_plugins = ["slurm_cluster"]

HOME = str(Path(neurolab.__file__).parent.parent)
#: Two points that take some seconds each, whose first chunk is committed soon.
SWEEP = ("input.rate=30Hz,40Hz", "size=200", "duration=60s", "device.count=1", KEEP)
TASKS = ("hydra.launcher.points_per_task=1", "hydra.launcher.memory=1GiB", "hydra.launcher.cpus=1")
#: A neuron whose task is told that its time ends before anything is computed.
CELLS = """
import os
import signal

from neurolab.neurons import LIF


class Hasty(LIF):
    '''A LIF that never has time.'''

    def initial(self):
        if os.environ.get("SUBMITIT_EXECUTOR"):
            signal.raise_signal(signal.SIGUSR2)
        return super().initial()
"""


def begin(folder, executor, *overrides, environment=None):
    """The command, in the background, with what it says in a file."""
    typed = (*SWEEP, *TASKS, f"hydra.launcher.executor={executor}", f"hydra.sweep.dir='{folder}'")
    path = {"PYTHONPATH": f"{HOME}{os.pathsep}{folder.parent}"}
    with (folder.parent / f"{folder.name}.txt").open("a") as told:
        return subprocess.Popen(
            [sys.executable, "-m", "neurolab", "-m", *typed, *overrides],
            cwd=folder.parent,
            env={**(environment or os.environ), **path},
            stdout=told,
            stderr=told,
        )


def said(folder):
    return (folder.parent / f"{folder.name}.txt").read_text()


def until(found, seconds=90.0):
    """What is found, once it is true."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return value


def committed(folder, n=1):
    """Wait until so many batches have committed something."""
    until(lambda: len(list(folder.glob("batches/*/commit.json"))) >= n)


def tasks(folder):
    """The ids of tasks: of processes here, or of Slurm jobs."""
    return sorted(p.name.removesuffix("_submitted.pkl") for p in folder.glob("tasks/*/*_sub*.pkl"))


def child(pid):
    """The process that a process has begun."""
    return int(until(Path(f"/proc/{pid}/task/{pid}/children").read_text))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return neurolab.run_sweep(SWEEP, tmp_path_factory.mktemp("whole") / "sweep")


def assert_same(folder, undisturbed):
    sweep = neurolab.open_sweep(folder)
    assert sweep.summary["status"] == "completed", said(folder)
    for name in VALUES:
        np.testing.assert_array_equal(sweep.data[name], undisturbed.data[name])
    for point, other in zip(sweep, undisturbed, strict=True):
        np.testing.assert_array_equal(point.rate, other.rate)


def test_a_task_whose_time_ends_goes_on(tmp_path, undisturbed):
    """A local process is begun again; its launcher waits for it."""
    folder = tmp_path / "sweep"
    launcher = begin(folder, "local")
    committed(folder, 2)
    for task in tasks(folder):
        os.kill(child(task), signal.SIGUSR2)
    assert launcher.wait() == 0, said(folder)
    logs = [path.read_text() for path in folder.glob("tasks/*/*_log.*")]
    assert sum("Requeued job" in text for text in logs) == 2
    assert_same(folder, undisturbed)


def test_a_task_that_gets_nowhere_fails(tmp_path):
    """After three times in a row, with its log: not without end."""
    (tmp_path / "cells.py").write_text(CELLS)
    folder = tmp_path / "sweep"
    launcher = begin(
        folder, "local", "neuron._target_=cells.Hasty", "hydra.launcher.points_per_task=2"
    )
    assert launcher.wait() == 1, said(folder)
    failed = neurolab.open_sweep(folder).table
    assert list(failed["status"]) == ["failed"] * 2
    assert "stopped 3 times in a row, now by SIGUSR2" in failed["message"].iloc[0]
    log = Path(failed["message"].iloc[0].rpartition("its log: ")[2])
    assert log.read_text().count("Requeued job") == 2


def test_local_tasks_end_with_their_launcher(tmp_path):
    """Ctrl-C in the terminal, which all processes hear: tasks commit what they have."""
    folder = tmp_path / "sweep"
    launcher = begin(folder, "local")
    committed(folder, 2)
    running = [child(task) for task in tasks(folder)]
    for process in (launcher.pid, *map(int, tasks(folder)), *running):
        os.kill(process, signal.SIGINT)
    assert launcher.wait() == 130, said(folder)
    assert not any(Path(f"/proc/{process}").exists() for process in running)
    assert "Traceback" not in said(folder)
    logs = [path.read_text() for path in folder.glob("tasks/*/*_log.err")]
    assert all("it was ended by SIGTERM" in text for text in logs), logs
    assert list(neurolab.open_sweep(folder).table["status"]) == ["partial"] * 2
