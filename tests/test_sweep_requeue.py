"""Tasks that are stopped before their end go on, and Slurm's jobs without their launcher too."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sweeps import KEEP

import neurolab
from neurolab.results.table import VALUES

pytest_plugins = ["slurm_cluster"]

HOME = str(Path(neurolab.__file__).parent.parent)
#: Two points that take some seconds each, whose first chunk is committed soon.
SWEEP = ("input.rate=30Hz,40Hz", "size=200", "device.count=1", KEEP)
TASKS = ("hydra.launcher.points_per_task=1", "hydra.launcher.memory=1GiB", "hydra.launcher.cpus=1")
LONG = "100s"
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


def begin(folder, executor, *overrides, environment=None, duration=LONG):
    """The command, in the background, with what it says in a file."""
    typed = (
        *SWEEP,
        f"duration={duration}",
        *TASKS,
        f"hydra.launcher.executor={executor}",
        f"hydra.sweep.dir='{folder}'",
    )
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


def until(found, seconds=100.0):
    """What is found, once it is true."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return value


def committed(folder, point):
    """Wait until the batch that begins with a point has committed something."""
    until(lambda: list(folder.glob(f"batches/{point:06d}*/commit.json")))


def tasks(folder):
    """The ids of tasks: of processes here, or of Slurm jobs."""
    return sorted(p.name.removesuffix("_submitted.pkl") for p in folder.glob("tasks/*/*_sub*.pkl"))


def child(pid):
    """The process that a process has begun."""
    return int(until(Path(f"/proc/{pid}/task/{pid}/children").read_text))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return neurolab.run_sweep(
        [*SWEEP, f"duration={LONG}"], tmp_path_factory.mktemp("whole") / "sweep"
    )


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
    for point in range(2):
        committed(folder, point)
        os.kill(child(tasks(folder)[point]), signal.SIGUSR2)
    assert launcher.wait() == 0, said(folder)
    logs = [path.read_text() for path in folder.glob("tasks/*/*_log.out")]
    assert [text.count("Requeued job") for text in logs] == [1, 1]
    assert_same(folder, undisturbed)


def test_a_task_that_gets_nowhere_fails(tmp_path):
    """After three times in a row, with its log: not without end."""
    (tmp_path / "cells.py").write_text(CELLS)
    folder = tmp_path / "sweep"
    launcher = begin(folder, "local", "neuron._target_=cells.Hasty")
    assert launcher.wait() == 1, said(folder)
    failed = neurolab.open_sweep(folder).table
    assert list(failed["status"]) == ["failed"] * 2
    assert "stopped 3 times in a row, now by SIGUSR2" in failed["message"].iloc[0]
    log = Path(failed["message"].iloc[0].rpartition("its log: ")[2])
    assert log.with_suffix(".out").read_text().count("Requeued job") == 2


def test_local_tasks_end_with_their_launcher(tmp_path):
    """Ctrl-C in the terminal, which all processes hear: tasks commit what they have."""
    folder = tmp_path / "sweep"
    launcher = begin(folder, "local")
    committed(folder, 0)
    committed(folder, 1)
    running = [child(task) for task in tasks(folder)]
    for process in (launcher.pid, *map(int, tasks(folder)), *running):
        os.kill(process, signal.SIGINT)
    assert launcher.wait() == 130, said(folder)
    assert not any(Path(f"/proc/{process}").exists() for process in running)
    assert "Traceback" not in said(folder)
    logs = [path.read_text() for path in folder.glob("tasks/*/*_log.err")]
    assert all("it was ended by SIGTERM" in text for text in logs), logs
    assert list(neurolab.open_sweep(folder).table["status"]) == ["partial"] * 2


@pytest.fixture
def counted(slurm, tmp_path):
    """The environment of a Slurm whose calls are counted, and how often each was made so far."""
    folder = tmp_path / "counted"
    folder.mkdir()
    for name in ("sbatch", "squeue", "scancel"):
        real = shutil.which(name, path=slurm["PATH"])
        (folder / name).write_text(f'#!/bin/sh\necho {name} >>{folder}/calls\nexec {real} "$@"\n')
        (folder / name).chmod(0o755)
    environment = slurm | {"PATH": f"{folder}{os.pathsep}{slurm['PATH']}"}
    return environment, lambda: Counter((folder / "calls").read_text().split())


def ask(environment, *command):
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


def states(slurm):
    """How Slurm says that its jobs stand."""
    return ask(slurm, "squeue", "-h", "--array", "--states=all", "--format=%i|%T").split()


@pytest.mark.nightly
def test_slurm_jobs_go_on_without_their_launcher(tmp_path, slurm, counted, undisturbed):
    """An array; its launcher is killed, its jobs are stopped, queued again, and waited for."""
    environment, calls = counted
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")  # as homes are
    folder = tmp_path / "link" / "sweep"
    launcher = begin(folder, "slurm", environment=environment)
    for point, number in enumerate(("USR2", "TERM")):  # its time ends; its place is wanted
        committed(folder, point)
        ask(slurm, "scancel", f"--signal={number}", tasks(folder)[point])
    assert calls()["sbatch"] == 1
    launcher.kill()
    launcher.wait()
    jobs = tasks(folder)
    assert [job.partition("_")[2] for job in jobs] == ["0", "1"]
    until(lambda: {f"{job}|PENDING" for job in jobs} <= set(states(slurm)))
    began, before = time.monotonic(), calls()["squeue"]
    folder = folder.resolve()
    resumed = begin(folder, "slurm", f"sweep.resume='{folder}'", environment=environment)
    until(lambda: f"Slurm jobs {', '.join(jobs)} go on with 2 points" in said(folder))
    for job in jobs:
        ask(slurm, "scontrol", "update", f"jobid={job}", "starttime=now")  # not in two minutes
    assert resumed.wait() == 0, said(folder)
    assert calls()["sbatch"] == 1  # none was submitted once more
    assert calls()["squeue"] - before < 2 * (time.monotonic() - began)
    logs = [path.read_text() for path in folder.glob("tasks/*/*_log.out")]
    assert [text.count("Requeued job") for text in logs] == [1, 1]
    assert_same(folder, undisturbed)


@pytest.mark.nightly
def test_slurm_jobs_that_are_cancelled_do_not_come_back(tmp_path, slurm):
    """One by its user, the other with its launcher: what they have is committed."""
    folder = tmp_path / "sweep"
    launcher = begin(folder, "slurm", environment=slurm, duration="1200s")
    committed(folder, 0)
    committed(folder, 1)
    jobs = tasks(folder)
    ask(slurm, "scancel", jobs[0])
    until(lambda: "died (CANCELLED)" in said(folder))
    launcher.terminate()
    assert launcher.wait() == 143, said(folder)
    assert {f"{job}|CANCELLED" for job in jobs} <= set(states(slurm))
    table = neurolab.open_sweep(folder).table
    assert table["message"].iloc[0].startswith(f"task {jobs[0]} died (CANCELLED); its log: ")
    assert table["status"].iloc[1] == "partial"
