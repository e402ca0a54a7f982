"""status.json: how far a run or a sweep is, for whoever looks at its folder from elsewhere.

    {"status": "running", "simulated_ms": 1200.0, "duration_ms": 10000.0, "x_real_time": 3.1,
     "eta_s": 2.8, ..., "updated": "2026-11-20T12:00:03.120+00:00", "elapsed_s": 1.3,
     "host": "node7", "pid": 4711}

It is replaced in one operation after each chunk, so a reader never sees half of it.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from neurolab.results.damage import SUMMARY, DamagedError, read_mapping
from neurolab.results.holder import holder
from neurolab.results.layout import write_whole
from neurolab.results.lease import Lease

__all__ = [
    "STATUS",
    "StatusFile",
    "ended_by_signal",
    "read_summary",
    "standing",
    "status_after",
    "utc_now",
]

STATUS = "status.json"
_SECONDS = 0.2
_GOING = ("compiling", "running")
_UNKNOWN = "running or killed"
#: What has a summary.  What was interrupted twice has none.
_SUMMARISED = ("completed", "diverged")


class StatusFile:
    """Writes status.json in a folder, until its ``lease`` is lost; as a context, also that an
    exception ended it."""

    def __init__(
        self,
        folder: Path | None,
        started: str | None = None,
        lease: Lease | None = None,
        told: Callable[[str], None] = lambda status: None,
    ) -> None:
        #: Called with each status that is written.
        self._tell = told
        self._lease = lease
        self._path = None if folder is None else folder / STATUS
        #: When it began, in UTC: now if not given.
        self.started = started or utc_now()
        self._facts = {"started": self.started, "host": socket.gethostname(), "pid": os.getpid()}
        self._facts |= {} if lease is None else {"writer": lease.token}
        self._since = time.perf_counter()
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
        if self._path is None or (self._lease is not None and self._lease.lost):
            return
        when = {"updated": utc_now(), "elapsed_s": round(now - self._since, 3)}
        content = {"status": status, **facts, **self._facts, **when}
        text = json.dumps(content, indent=2) + "\n"
        try:
            write_whole(self._path, text)
        except OSError:  # told where results are lost; on a full disk a file's own place is left
            with suppress(OSError), self._path.open("r+") as file:
                file.write(text)
                file.truncate()
        self._tell(status)

    def eta_s(self, done: float, total: float) -> float | None:
        """Seconds left, as fast as it went since this was first asked; None before it can tell."""
        now = time.perf_counter()
        if self._began is None:
            self._began, self._first = now, done
        if done <= self._first:
            return None
        return round((total - done) * (now - self._began) / (done - self._first), 1)


def standing(folder: Path) -> tuple[str, dict[str, Any]]:
    """How it stands with what has no summary, and what status.json says, if anything: what was
    going on when it was written last still does if its writer lives and has the folder."""
    try:
        facts = read_mapping(folder / STATUS, needed=False)
        status = str(facts["status"])
        datetime.fromisoformat(facts["updated"])
        float(facts["elapsed_s"])
    except (KeyError, TypeError, ValueError):
        return _UNKNOWN if holder(folder) is None else "running", {}
    if status in _GOING:
        by = holder(folder)
        status = "running" if by is not None and by.token == facts.get("writer") else "killed"
    return status, facts


def ended_by_signal(folder: Path) -> None:
    """Say that what goes on in a folder is interrupted, where the process ends at once."""
    with suppress(OSError, ValueError):
        facts = read_mapping(folder / STATUS)
        if facts.get("status") in _GOING:
            told = facts | {"status": "interrupted", "eta_s": None, "updated": utc_now()}
            write_whole(folder / STATUS, json.dumps(told, indent=2) + "\n")


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


def status_after(error: type[BaseException]) -> str:
    """The status of what an exception ended."""
    return "interrupted" if issubclass(error, KeyboardInterrupt) else "failed"


def utc_now() -> str:
    """The date and time in UTC; to the millisecond, by which sessions of a sweep are told apart."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
