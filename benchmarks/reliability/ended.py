"""Commands that are ended from outside: kill -9 at any moment, and signals."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.reliability.trial import Fault, Place, Try, begin, command, computing, told

__all__ = ["faults"]

_SHARES = {"run": 0.3, "network": 0.25, "sweep": 0.25}
_AGAIN = 0.2
_SIGNALS = {
    "SIGTERM": (signal.SIGTERM,),
    "SIGHUP": (signal.SIGHUP,),
    "Ctrl-C": (signal.SIGINT,),
    "Ctrl-C twice": (signal.SIGINT, signal.SIGINT),
}


def faults(place: Place, kills: int, others: int) -> Iterator[Fault]:
    for kind, share in _SHARES.items():
        tries = [partial(_killed, place, kind)] * max(1, round(kills * share))
        yield Fault(f"kill -9 of a {kind}", tries)
    again = [partial(_again, place)] * max(1, round(kills * _AGAIN))
    yield Fault("kill -9 of a run, then of its `resume=`", again)
    for name, numbers in _SIGNALS.items():
        yield Fault(f"{name}, of a run", [partial(_signalled, place, numbers)] * others)


def _kill(place: Place, kind: str, folder: Path) -> None:
    """At any moment: of five one while it starts, the others while it computes or soon after."""
    process = begin(kind, folder)
    if place.chance.random() < 0.2:
        time.sleep(place.chance.uniform(0, 4))
    else:
        computing(process, folder)
        time.sleep(place.chance.uniform(0, 1.5))
    process.kill()
    process.communicate()


def _killed(place: Place, kind: str) -> Try:
    folder = place.new()
    _kill(place, kind, folder)
    return place.goes_on(kind, folder)


def _again(place: Place) -> Try:
    """Killed, and killed while it goes on."""
    folder = place.new()
    _kill(place, "run", folder)
    if (folder / "run.json").exists():
        process = command(f"resume={folder}")
        time.sleep(place.chance.uniform(0.5, 4.0))
        process.kill()
        process.communicate()
    return place.goes_on("run", folder)


def _signalled(place: Place, numbers: tuple[signal.Signals, ...]) -> Try:
    """It ends with 128 and the signal, and one sentence, and goes on."""
    folder = place.new()
    process = begin("run", folder)
    computing(process, folder)
    time.sleep(place.chance.uniform(0, 0.8))
    ended_before = process.poll() is not None
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.05)
    said, _ = process.communicate(timeout=100)
    if not ended_before and process.returncode:
        how = told(said, process.returncode, 128 + numbers[0], "interrupted by")
        if how != "told":
            return Try(how)
    return place.goes_on("run", folder)
