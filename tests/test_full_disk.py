"""A disk that is full, or a process that is gone: what ended says so, and nobody waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sweeps import KEEP

import neurolab
from neurolab.report.folders import ended
from neurolab.results.status import STATUS, standing


@pytest.fixture
def small(tmp_path):
    """A disk of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(made, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


#: Of which nobody can tell before what it takes when it is compressed.
DRIVE = "input=poisson_rates"


def command(folder, *typed):
    python = [sys.executable, "-m", "neurolab", "size=20", "record=full", DRIVE, KEEP, *typed]
    return subprocess.run(python, cwd=folder, capture_output=True, text=True)


def test_a_run_on_a_full_disk_has_failed(small, tmp_path):
    """Exit code 1, and status.json says so, though no file can be made any more."""
    done = command(tmp_path, "duration=20s", f"hydra.run.dir={small / 'run'}")
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((small / "run" / STATUS).read_text())["status"] == "failed"
    assert ended(small / "run", {})[0] == "failed"
    assert not list((small / "run").glob("*.json.partial"))


def test_a_sweep_on_a_full_disk_has_failed_and_can_go_on(small, tmp_path):
    """It computes no further batch; with room it is resumed."""
    folder, given = small / "sweep", ("-m", "seed=range:40", "sweep.batch=1", "duration=1s")
    done = command(tmp_path, *given, f"hydra.sweep.dir={folder}")
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert f"python -m neurolab resume={folder}" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((folder / STATUS).read_text())["status"] == "failed"
    assert ended(folder, {})[0] == "failed"
    stopped = neurolab.open_sweep(folder)
    assert "(failed)" in repr(stopped)
    completed = int((stopped.table["status"] == "completed").sum())
    assert 0 < completed < 40
    subprocess.run(["mount", "-o", "remount,size=50m", str(small)], check=True)
    again = command(tmp_path, *given, f"sweep.resume={folder}")
    assert again.returncode == 0, again.stderr
    found = neurolab.open_sweep(folder)
    assert set(found.table["status"]) == {"completed"}
    assert found.summary["computed"] == 40  # the first session, that had no room for its own, too


def test_a_status_that_cannot_be_read_says_nothing(tmp_path):
    for text in ("", "[1]", "{}", '{"status": "running", "updated": 3}'):
        Path(tmp_path / STATUS).write_text(text)
        assert standing(tmp_path) == ("running or killed", {})
