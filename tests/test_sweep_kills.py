"""Whatever ends a sweep, what was committed stays, and resuming computes the rest."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import neurolab

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
SWEEP = (
    "size=200", "duration=1s", "device.count=1", "input.rate=linspace:15Hz:30Hz:10", "seed=range:6",
    "sweep.batch=2", KEEP,
)  # fmt: skip


def compute(folder: str) -> None:
    """Begin a sweep, or go on with it if it was begun."""
    begun = Path(folder, "definition.json").exists()
    neurolab.run_sweep([*SWEEP, *([f"sweep.resume='{folder}'"] if begun else [])], folder)


def committed(folder: Path) -> int:
    return len(list(folder.glob("batches/*/commit.json")))


@pytest.mark.nightly
def test_twenty_kills_leave_the_same_sweep(tmp_path):
    """Killed (SIGKILL) at twenty random moments and resumed, a sweep equals an undisturbed one.

    Half of the kills come at any time, half soon after a commit.  The processes are forked from
    one that has imported everything, so that a kill comes while something happens.
    """
    compute(str(tmp_path / "whole"))
    whole = neurolab.open_sweep(tmp_path / "whole")
    here = multiprocessing.get_context("forkserver")
    here.set_forkserver_preload(
        ["neurolab.api", "neurolab.sweep.compute", "neurolab.sweep.gather", "neurolab.plots.run"]
    )
    started = here.Process(target=time.sleep, args=(0,))  # the imports
    started.start()
    started.join()
    folder, chance, kills, while_computing = tmp_path / "killed", random.Random(0), 0, 0
    while kills < 20:
        before, wanted = committed(folder), kills % 2 * chance.randint(1, 2)
        process = here.Process(target=compute, args=(str(folder),))
        process.start()
        while process.is_alive() and committed(folder) < before + wanted:
            time.sleep(0.002)
        process.join(chance.uniform(0.0, 0.1 if wanted else 2.5))
        if not process.is_alive():  # it came to its end: the rest of the kills begin anew
            assert process.exitcode == 0
            folder.rename(tmp_path / f"ended{kills}")
            continue
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        kills += 1
        while_computing += committed(folder) > before
    process = here.Process(target=compute, args=(str(folder),))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert while_computing >= 8
    found = neurolab.open_sweep(folder)
    xr.testing.assert_identical(found.data, whole.data)
    assert found.table.equals(whole.table)
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one.spikes["time"], other.spikes["time"])
        np.testing.assert_array_equal(one.spikes["neuron"], other.spikes["neuron"])
        np.testing.assert_array_equal(one.traces["V"], other.traces["V"])
    assert not list(folder.rglob("*.partial"))


def test_a_stopped_sweep_says_so_and_can_be_resumed(tmp_path):
    """SIGTERM: exit code 143, batches that were committed stay, resuming computes the others."""
    arguments = [sys.executable, "-m", "neurolab", "-m", "size=500", "duration=2s", *SWEEP[2:]]
    folder = tmp_path / "sweep"
    process = subprocess.Popen([*arguments, f"hydra.sweep.dir='{folder}'"], cwd=tmp_path)
    while not list(folder.glob("batches/*/commit.json")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    stopped = neurolab.open_sweep(folder)
    done = int((stopped.table["status"] == "completed").sum())
    assert 2 <= done < 60
    assert stopped.summary["status"] == "interrupted"
    resumed = neurolab.run_sweep([*SWEEP, "size=500", "duration=2s", f"sweep.resume='{folder}'"])
    assert resumed.summary["sessions"][-1]["computed"] == 60 - done
    assert set(resumed.table["status"]) == {"completed"}
