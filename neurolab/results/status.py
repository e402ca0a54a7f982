"""status.json: how far a run or a sweep is, for whoever looks at its folder from elsewhere.

    {"status": "running", "simulated_ms": 1200.0, "duration_ms": 10000.0, "x_real_time": 3.1,
     "eta_s": 2.8, ..., "updated": "2026-11-20T12:00:03.120+00:00", "host": "node7", "pid": 4711}

It is replaced in one operation after each chunk, so a reader never sees half of it.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from neurolab.results.damage import SUMMARY, DamagedError, read_mapping
from neurolab.results.layout import write_whole

__all__ = ["STATUS", "StatusFile", "read_summary", "standing", "status_after", "utc_now"]

STATUS = "status.json"
_SECONDS = 0.2
#: What goes on says so several times a minute.
_SILENT_SECONDS = 60
_UNKNOWN = "running or killed"
#: What has a summary.
_SUMMARISED = ("completed", "diverged", "interrupted")


class StatusFile:
    """Writes status.json in a folder; as a context, also that an exception ended it."""

    def __init__(self, folder: Path | None, started: str | None = None) -> None:
        self._path = None if folder is None else folder / STATUS
        #: When it began, in UTC: now if not given.
        self.started = started or utc_now()
        self._facts = {"started": self.started, "host": socket.gethostname(), "pid": os.getpid()}
        self._began: float | None = None
        self._first = 0.0
        self._last = ("", 0.0)
        self._told: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.write(status_after(kind), **self._told)

    def write(self, status: str, **facts: Any) -> None:
        """Say how it stands; the same status no more than five times a second."""
        now = time.perf_counter()
        if status == self._last[0] and now - self._last[1] < _SECONDS:
            return
        self._last, self._told = (status, now), facts
        if self._path is None:
            return
        content = {"status": status, **facts, **self._facts, "updated": utc_now()}
        text = json.dumps(content, indent=2) + "\n"
        try:
            write_whole(self._path, text)
        except OSError:  # told where results are lost; on a full disk a file's own place is left
            with suppress(OSError), self._path.open("r+") as file:
                file.write(text)
                file.truncate()

    def eta_s(self, done: float, total: float) -> float | None:
        """Seconds left, as fast as it went since this was first asked; None before it can tell."""
        now = time.perf_counter()
        if self._began is None:
            self._began, self._first = now, done
        if done <= self._first:
            return None
        return round((total - done) * (now - self._began) / (done - self._first), 1)


def standing(folder: Path) -> tuple[str, dict[str, Any]]:
    """How it stands with what has no summary, and what status.json says, if anything."""
    try:
        facts = read_mapping(folder / STATUS, needed=False)
        status = str(facts.get("status", _UNKNOWN))
        silent_s = (datetime.now(UTC) - datetime.fromisoformat(facts["updated"])).total_seconds()
    except (KeyError, TypeError, ValueError):
        return _UNKNOWN, {}
    if status in ("running", "compiling"):
        killed = _is_gone(facts) or (silent_s > _SILENT_SECONDS and status == "running")
        status = "killed" if killed else status if status == "running" else _UNKNOWN
    return status, facts


def read_summary(folder: Path) -> dict[str, Any]:
    """`summary.json`; empty where none was written, as what was killed has none.

    Raises
    ------
    DamagedError
        It is not as it was written, or is missing although status.json says that it was written.
    """
    summary = read_mapping(folder / SUMMARY, needed=False)
    if not summary and (status := standing(folder)[0]) in _SUMMARISED:
        raise DamagedError(folder / SUMMARY, f"it is missing; {STATUS} says {status}")
    return summary


def _is_gone(facts: Mapping[str, Any]) -> bool:
    """Whether the process was one of this machine and is no more."""
    ours = facts.get("host") == socket.gethostname() and isinstance(facts.get("pid"), int)
    if not ours or os.name != "posix":  # elsewhere the signal 0 ends a process
        return False
    try:
        os.kill(facts["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is somebody else's
        pass
    return False


def status_after(error: type[BaseException]) -> str:
    """The status of what an exception ended."""
    return "interrupted" if issubclass(error, KeyboardInterrupt) else "failed"


def utc_now() -> str:
    """The date and time in UTC; to the millisecond, by which sessions of a sweep are told apart."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
