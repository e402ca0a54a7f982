"""Commands that are ended from outside: kill -9 at any moment, and signals."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

from test_kills import kill

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
        fault = Fault(f"kill -9 of a {kind}")
        for _ in range(max(1, round(kills * share))):
            folder = place.new()
            kill(kind, folder, place.chance)
            fault.tries.append(place.goes_on(kind, folder))
        yield fault
    fault = Fault("kill -9 of a run, then of its `resume=`")
    for _ in range(max(1, round(kills * _AGAIN))):
        fault.tries.append(_again(place))
    yield fault
    for name, numbers in _SIGNALS.items():
        fault = Fault(f"{name}, of a run")
        for _ in range(others):
            fault.tries.append(_signalled(place, numbers))
        yield fault


def _again(place: Place) -> Try:
    """Killed, and killed while it goes on."""
    folder = place.new()
    kill("run", folder, place.chance)
    if (folder / "run.json").exists():
        process = command(f"resume={folder}")
        time.sleep(place.chance.uniform(0.5, 4.0))
        process.kill()
        process.communicate()
    return place.goes_on("run", folder)


def _signalled(place: Place, numbers: tuple[signal.Signals, ...]) -> Try:
    """It ends with 128 and the signal, and one sentence, and goes on."""
    folder = place.new()
    process = begin("run", folder, restore_signals=True, preexec_fn=_hears_all)
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


def _hears_all() -> None:
    """What is ignored in the background of a shell is not here."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
