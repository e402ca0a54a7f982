"""The clock is moved while a command goes on, and between sessions: nothing follows from it but the
dates that are written."""

import subprocess
import sys
import time

import pytest
from clock import HOUR, Clock
from test_kills import KINDS, computes
from test_resume import KEEP, same

import neurolab
from neurolab.results.compare import first_difference


@pytest.fixture
def clock(tmp_path):
    try:
        return Clock(tmp_path)
    except OSError as error:
        pytest.skip(str(error))


def begin(clock, *typed):
    command = [sys.executable, "-m", "neurolab", *typed]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=clock.environment, **streams)


def test_it_is_moved(clock):
    """Of a process that has it the date, not what measures how long something takes."""
    text = "import time, datetime as d; t = d.datetime.now(d.UTC).timestamp();"
    text += "print(time.time(), t, time.monotonic())"
    clock.move(-1000 * HOUR)
    typed = [sys.executable, "-c", text]
    said = subprocess.run(typed, env=clock.environment, capture_output=True, text=True).stdout
    found = [float(word) for word in said.split()]
    expected = [time.time() - 1000 * HOUR] * 2 + [time.monotonic()]
    assert found == pytest.approx(expected, rel=0, abs=60)


def test_a_run_whose_clock_is_moved(clock, tmp_path):
    """While it goes, then killed, then to elsewhere between its sessions."""
    first = -400 * 24 * HOUR
    usual = [text for text in KINDS["run"] if not text.startswith("duration")]
    usual += ["duration=10s", KEEP]
    whole = neurolab.run(usual, tmp_path / "whole")
    folder, began = tmp_path / "run", time.monotonic()
    typed = [*usual, "checkpoint.every=100ms", f"hydra.run.dir={folder}"]
    process = begin(clock, *typed)
    computes(process, folder)
    clock.move(first)
    time.sleep(0.5)
    process.kill()
    process.communicate()
    clock.move(-first)
    process = begin(clock, f"resume={folder}")
    time.sleep(2.5)
    clock.move(2 * first)
    said, _ = process.communicate(timeout=100)
    took = time.monotonic() - began
    assert process.returncode == 0, said
    summary = neurolab.open_run(folder).summary
    seconds = [one["wall_s"] for one in summary["sessions"]]
    assert len(seconds) == 2 and min(seconds) > 0 and sum(seconds) < took
    assert summary["wall_s"] == pytest.approx(sum(seconds))
    same(neurolab.open_run(folder), whole)


@pytest.mark.nightly
def test_a_sweep_whose_clock_is_moved(clock, tmp_path):
    whole = neurolab.run_sweep([*KINDS["sweep"], KEEP], tmp_path / "whole")
    folder, began = tmp_path / "sweep", time.monotonic()
    typed = [*KINDS["sweep"], KEEP, "checkpoint.every=100ms", f"hydra.sweep.dir={folder}"]
    process = begin(clock, "-m", *typed)
    until = time.monotonic() + 60
    while not any(folder.glob("batches/*/commit.json")) and time.monotonic() < until:
        time.sleep(0.01)
    clock.move(-24 * HOUR)
    time.sleep(0.5)
    process.kill()
    process.communicate()
    clock.move(24 * HOUR)
    process = begin(clock, f"resume={folder}")
    said, _ = process.communicate(timeout=100)
    took = time.monotonic() - began
    assert process.returncode == 0, said
    found = neurolab.open_sweep(folder)
    assert [first_difference(*points) for points in zip(found, whole, strict=True)] == [None] * 8
    seconds = [one["wall_s"] for one in found.summary["sessions"]]
    assert min(seconds) >= 0 and sum(seconds) < took
