"""Folders of points (``sweep.folders``) of a sweep that goes on: those that it would have had."""

import subprocess
import sys

import pytest
from test_resume import KEEP

import neurolab

TYPED = ("neuron=lif_ref", "size=5", "input=constant", "duration=100ms", KEEP)
KEY = "input.amplitude"


def command(*typed):
    done = subprocess.run(
        [sys.executable, "-m", "neurolab", *typed], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def same_folders(one, other):
    """All that is in the folders of points but what says when and where."""
    names = sorted(path.name for path in one.iterdir() if path.name.isdigit())
    assert names == sorted(path.name for path in other.iterdir() if path.name.isdigit())
    for name in names:
        a, b = (neurolab.open_run(folder / name) for folder in (one, other))
        assert a.spikes.identical(b.spikes)
        assert a.duration_ms == b.duration_ms
        assert (a.config.input, a.config.duration) == (b.config.input, b.config.duration)
        assert (a.summary["status"], a.summary["point"]) == ("completed", int(name))
        assert a.summary["spike_count"] == b.summary["spike_count"]
    return names


@pytest.mark.nightly
def test_folders_are_of_their_points(tmp_path):
    """With more values, then for longer: folder 0 had another point's results, completed."""
    begun, whole = tmp_path / "begun", tmp_path / "whole"
    command("-m", *TYPED, f"{KEY}=2rheobase,3rheobase", "sweep.folders=true",
        f"hydra.sweep.dir={begun}")  # fmt: skip
    more = f"{KEY}=0.5rheobase,2rheobase,3rheobase"
    command(f"resume={begun}", more)
    command(f"resume={begun}", "duration=200ms")
    longer = [text.replace("100ms", "200ms") for text in TYPED]
    command("-m", *longer, more, "sweep.folders=true", f"hydra.sweep.dir={whole}")
    assert same_folders(begun, whole) == ["0", "1", "2"]
    assert "Its page" in (begun / "report.html").read_text()


def test_folders_may_be_asked_for_later(tmp_path):
    """As anything that changes no result, under names that were chosen then; it was ignored."""
    folder = tmp_path / "sweep"
    command("-m", *TYPED, f"{KEY}=2rheobase,3rheobase", f"hydra.sweep.dir={folder}",
        "hydra.sweep.subdir=p${hydra.job.num}")  # fmt: skip
    assert not (folder / "p0").exists()
    command(f"resume={folder}", "sweep.folders=true", f"{KEY}=2rheobase,3rheobase,4rheobase")
    found = [neurolab.open_run(folder / f"p{k}").config.input.amplitude for k in range(3)]
    assert found == ["2rheobase", "3rheobase", "4rheobase"]
