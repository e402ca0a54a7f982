"""A disk that is full at any of the writes of a run or a sweep: one sentence, and whole data."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest
from sweeps import KEEP, same_spikes

import neurolab
from neurolab.cli.main import main

RUN = ("size=20", "duration=100ms", "record=full", KEEP)
SWEEP = ("-m", "size=3", "duration=50ms", "seed=range:3", "sweep.batch=1", KEEP)


@pytest.fixture
def disk(tmp_path):
    """What makes an empty disk of so much: ``size`` in bytes, ``nr_inodes`` files."""
    place = tmp_path / "disk"
    place.mkdir()

    def unmount():
        subprocess.run(["umount", "-l", str(place)], capture_output=True)

    def make(**limits):
        unmount()
        given = ",".join(f"{key}={n}" for key, n in limits.items())
        made = ["mount", "-t", "tmpfs", "-o", given, "tmpfs", str(place)]
        try:
            mounted = subprocess.run(made, capture_output=True).returncode == 0
        except OSError:
            mounted = False
        if not mounted:
            pytest.skip("no disk can be mounted here")
        return place / "it"

    yield make
    unmount()


def command(monkeypatch, *typed):
    monkeypatch.setattr("sys.argv", ["neurolab", *typed])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def limits(folder):
    """Sizes of disks on which each is too small for another write of what is in a folder."""
    files = list(folder.rglob("*"))
    pages = sum(-(-path.stat().st_size // 4096) for path in files) + len(files)
    for n in np.unique(np.geomspace(17, pages, 9).astype(int)).tolist():
        yield {"size": 4096 * n, "nr_inodes": 10000}
    for n in np.linspace(4, len(files), 7).astype(int).tolist():
        yield {"size": 2**26, "nr_inodes": n}


def told(capfd, folder):
    """That what is told is one sentence."""
    said = capfd.readouterr().err
    assert said.count("No space left") == 1, said
    assert str(folder) in said
    assert "Traceback" not in said and "Logging error" not in said
    return said


def ended(folder):
    """What the files of a folder say of it."""
    names = ("status.json", "summary.json")
    found = {
        name: json.loads((folder / name).read_text()) for name in names if (folder / name).exists()
    }
    assert not [path for path in folder.rglob("*") if "partial" in path.name]
    return [found.get(name, {}) for name in names]


def test_a_run(disk, monkeypatch, capfd):
    monkeypatch.setattr("neurolab.simulation.runner._CHUNK_SECONDS", 0.0)  # many chunks
    folder = disk(size=2**26)
    typed = (*RUN, f"hydra.run.dir={folder}")
    assert command(monkeypatch, *typed) == 0
    whole = neurolab.open_run(folder)
    spikes, steps = {k: v.copy() for k, v in whole.spikes.items()}, whole.commit.steps
    values, seen = whole.traces["V"].values, set()
    sizes = list(limits(folder))
    capfd.readouterr()
    for size in sizes:
        disk(**size)
        code = command(monkeypatch, *typed)
        if code == 0:  # the last ones, perhaps
            capfd.readouterr()
            continue
        said = told(capfd, folder)
        status, summary = ended(folder)
        if code == 2:  # refused before anything was written
            assert not folder.exists(), (size, [*folder.rglob("*")], said)
            continue
        if not (folder / "results.zarr" / "zarr.json").exists():
            assert status.get("status", "failed") == "failed" and not summary.get("n_steps")
            continue
        done = neurolab.open_run(folder)
        n = done.commit.steps
        seen.add((n, summary.get("status")))
        if n < steps or status["status"] != "completed":
            assert status.get("status", "failed") == "failed"
            assert f"resume={folder}" in said
            assert "report.html" not in said
        if summary:
            assert summary["duration_ms"] == pytest.approx(n * 0.1)
            assert summary["spike_count"] == len(done.spikes["time"])
            assert summary["status"] == status["status"]
        if n:
            until = spikes["time"] <= n * 0.1 + 1e-6
            for name in spikes:
                np.testing.assert_array_equal(done.spikes[name], spikes[name][until])
            np.testing.assert_array_equal(done.traces["V"].values, values[:n])
    assert len({n for n, _ in seen}) > 2
    assert {status for _, status in seen} >= {"failed", "completed"}


@pytest.mark.nightly
def test_a_sweep(disk, monkeypatch, capfd):
    """It stops at the first write that fails, and goes on where there is room."""
    folder = disk(size=2**26)
    typed = (*SWEEP, f"hydra.sweep.dir={folder}")
    assert command(monkeypatch, *typed) == 0
    whole, seen = [neurolab.open_sweep(folder)[k] for k in range(3)], set()
    spikes = [{k: v.copy() for k, v in run.spikes.items()} for run in whole]
    sizes = list(limits(folder))
    capfd.readouterr()
    for size in sizes:
        disk(**size)
        code = command(monkeypatch, *typed)
        if code == 0:
            capfd.readouterr()
            continue
        said = told(capfd, folder)
        status, summary = ended(folder)
        if code == 2:
            assert not folder.exists()
            continue
        assert code == 1
        if summary.get("status") != "completed":  # pictures and a page may be missing
            assert status.get("status", "failed") == "failed" and not summary
            assert f"resume={folder}" in said
        if not (folder / "definition.json").exists():
            continue
        found = neurolab.open_sweep(folder)
        done = np.flatnonzero(found.table["status"] == "completed").tolist()
        seen.add((len(done), summary.get("status")))
        for k in done:
            assert same_spikes(found[k], type("", (), {"spikes": spikes[k]}))
    assert {n for n, _ in seen} == {0, 1, 2, 3}
    assert {status for _, status in seen} == {None, "completed"}
