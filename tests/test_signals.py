"""A signal ends the command at any moment: one sentence, its exit code, no traceback, no holder."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from nights import every
from sweeps import KEEP

import neurolab
from neurolab.results.holder import WRITER, holder
from neurolab.simulation.stop import StopRequest, stop_signals

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONG = ("size=10", "duration=100000s", "hydra.run.dir=x")
SWEEP = ("-m", "size=10", "duration=1000s", "seed=range:20", "hydra.sweep.dir=x")


def begin(tmp_path, *given, ignored=(), **how):
    """The command, once it hears signals; those of this process's world may be ignored."""

    def prepare():
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
        if "stdin" in how:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
    process = subprocess.Popen(
        [sys.executable, *given] if given[0] == "-c"
        else [sys.executable, "-m", "neurolab", *given, KEEP],
        cwd=tmp_path, text=True, preexec_fn=prepare, **streams,
    )  # fmt: skip
    until(process, lambda: _hears(process.pid))
    return process


def _hears(pid):
    (line,) = (
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("SigCgt")
    )
    return int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1


def until(process, condition):
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def ended(process, number, folder):
    """What is said of the end: the same whatever the moment."""
    out, told = process.communicate(timeout=100)
    assert process.returncode == 128 + number, told
    assert "Traceback" not in told + out
    assert "Exception ignored" not in told
    assert told.count(f"neurolab: interrupted by {signal.Signals(number).name}; ") == 1
    assert not list(folder.rglob(WRITER))
    if (folder / "status.json").exists():
        assert json.loads((folder / "status.json").read_text())["status"] == "interrupted"
        assert str(folder.name) in told
    else:
        assert "nothing was run" in told
    return told


@pytest.mark.parametrize("given", [LONG, SWEEP], ids=["run", "sweep"])
@pytest.mark.parametrize("chance", every(range(3), 3))
def test_a_signal_at_any_moment(tmp_path, given, chance):
    """While modules are imported, a program is compiled, chunks are computed; three at a time."""
    moments = {}
    for k in range(3):
        place = tmp_path / str(k)
        place.mkdir()
        moments[begin(place, *given)] = (place / "x", STOPS[(k + chance) % 3], 0.2 + 1.3 * k)
    began = time.monotonic()
    for process, (_, number, delay) in moments.items():
        delay *= 0.5 + chance / 2
        time.sleep(max(began + delay - time.monotonic(), 0))
        process.send_signal(number)
    for process, (folder, number, _) in moments.items():
        ended(process, number, folder)


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_ctrl_c_twice(tmp_path, pause):
    """It had left 35 lines of traceback and no summary."""
    process = begin(tmp_path, *LONG)
    until(process, (tmp_path / "x" / "commit.json").exists)
    process.send_signal(signal.SIGINT)
    time.sleep(pause)
    process.send_signal(signal.SIGINT)
    ended(process, signal.SIGINT, tmp_path / "x")
    assert neurolab.open_run(tmp_path / "x").committed_steps > 0
    assert "(interrupted)" in repr(neurolab.open_run(tmp_path / "x"))


def test_while_pictures_are_drawn(tmp_path):
    """The results are complete, and stay so."""
    process = begin(tmp_path, "size=10", "duration=1s", "hydra.run.dir=x")
    until(process, (tmp_path / "x" / "summary.json").exists)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert "interrupted by SIGINT; what was committed is in" in told
    assert not (tmp_path / "x" / WRITER).exists()
    assert neurolab.open_run(tmp_path / "x").summary["status"] == "completed"


def test_what_is_ignored_stays_so(tmp_path):
    """With nohup a run goes on when its connection ends."""
    process = begin(tmp_path, *LONG, ignored=[signal.SIGHUP])
    until(process, (tmp_path / "x" / "commit.json").exists)
    process.send_signal(signal.SIGHUP)
    before = (tmp_path / "x" / "commit.json").read_text()
    until(process, lambda: (tmp_path / "x" / "commit.json").read_text() != before)
    process.send_signal(signal.SIGTERM)
    ended(process, signal.SIGTERM, tmp_path / "x")


def test_a_terminal_that_is_closed(tmp_path):
    """It is gone when the signal comes: nothing can be written to it."""
    ours, theirs = pty.openpty()
    process = begin(tmp_path, *LONG, stdin=theirs, stdout=theirs, stderr=theirs,
                    start_new_session=True)  # fmt: skip
    os.close(theirs)
    os.set_blocking(ours, False)

    def going():
        try:
            while os.read(ours, 4096):
                pass
        except BlockingIOError:
            pass
        return (tmp_path / "x" / "commit.json").exists()

    until(process, going)
    os.close(ours)
    assert process.wait(60) == 128 + signal.SIGHUP
    found = neurolab.open_run(tmp_path / "x")
    assert found.summary["status"] == "interrupted"
    assert found.summary["message"] == "by SIGHUP"
    assert found.committed_steps == found.summary["n_steps"] > 0
    assert (tmp_path / "x" / "report.html").exists()
    assert holder(tmp_path / "x") is None


STUCK = """
import hashlib
from pathlib import Path
from neurolab.cli.ending import Ending
from neurolab.results.lease import Lease
from neurolab.results.status import StatusFile
from neurolab.simulation.stop import StopRequest
with Ending() as ending, StopRequest():
    lease = ending.leases[Path("x")] = Lease("x").__enter__()
    StatusFile(Path("x"), lease=lease).write("running")
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""


def test_a_chunk_that_does_not_end(tmp_path):
    """It is given up; without that it would last for half an hour."""
    process = begin(tmp_path, "-c", STUCK)
    until(process, (tmp_path / "x" / "status.json").exists)
    process.send_signal(signal.SIGTERM)
    ended(process, signal.SIGTERM, tmp_path / "x")


def test_a_second_ctrl_c_is_an_exception_in_python():
    """As it was before: for who calls neurolab.run."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    connection = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    try:
        with StopRequest() as stop:
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
                signal.raise_signal(number)
            assert (stop.requested, stop.name) == (signal.SIGHUP, "SIGHUP")
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert stop_signals() == [signal.SIGTERM, signal.SIGHUP]
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGHUP, connection)


def test_the_first_chunk_of_many_neurons_is_short(tmp_path):
    """A thousand steps of a million neurons would last for longer than one waits."""
    seen = []
    from neurolab.engine.program import Program

    advance = Program.advance

    def noting(self, numbers, state, n):
        seen.append(n)
        return advance(self, numbers, state, n)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Program, "advance", noting)
        given = ["size=100000", "duration=30ms", "record=summary", "input=constant"]
        neurolab.run([*given, KEEP], save=False)
    assert seen[0] <= 100
    assert sum(seen) == 300
