"""The process that trackers run in: it takes calls from its standard input until that ends.

A message is one of ``("start", tracker, tracked)``, ``("log", step, metrics)`` and ``("finish",
exit_code, summary)``, pickled twice: one that cannot be read here leaves the others readable.  What
is to be said is written to standard output, a line of JSON each, and after each ``finish`` whether
the tracker took it.  If the input ends within a run, the simulation was killed, and its tracker is
told so.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, TextIO

__all__ = ["main"]

_EXIT_SECONDS = 3.0


def main() -> None:
    """Serve until the end of standard input."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the simulation decides when to end
        if name in signal.Signals.__members__:
            signal.signal(signal.Signals[name], signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is not ours to say
    log = logging.getLogger("neurolab")
    log.setLevel(logging.INFO)
    log.propagate = False
    lines = logging.StreamHandler(out)
    lines.setFormatter(_Line())
    log.addHandler(lines)
    _serve(sys.stdin.buffer, out)
    # What libraries do at exit must end too: one that lost its server may wait for it for ever.
    last = threading.Timer(_EXIT_SECONDS, os._exit, (0,))
    last.daemon = True
    last.start()


def _serve(messages: BinaryIO, out: TextIO) -> None:
    tracker: Any = None
    reported: set[str] = set()
    silent = False  # a tracker that failed hears nothing more but the end
    for message in _until_end(messages):
        what, taken = "", False
        try:
            what, *arguments = pickle.loads(message)
            if what == "start":
                tracker, silent = arguments.pop(0), False
            if tracker is not None and not (silent and what == "log"):
                getattr(tracker, what)(*arguments)
                taken = True
            if what == "finish":
                tracker = None
        except Exception as error:
            _say(tracker, error, reported)
            silent = True
            if what != "log":
                tracker = None
        if what == "finish":
            with suppress(OSError):  # nobody listens any more
                print(json.dumps(taken), file=out)


def _until_end(messages: BinaryIO) -> Iterator[bytes]:
    """The messages, and at last one that ends a run of which the end was not told."""
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(messages)
    why = "the simulation's process ended before it could say how"
    yield pickle.dumps(("finish", 1, {"status": "killed", "message": why}))


def _say(tracker: Any, error: Exception, reported: set[str]) -> None:
    """Warn, once of each reason."""
    name, log = type(tracker).__name__, logging.getLogger("neurolab")
    lines = str(error).strip().splitlines() or [""]
    reason = f"{type(error).__name__}: {lines[0]}"
    if reason not in reported:
        remedy = getattr(tracker, "remedy", "")
        more = f"; {remedy}" if remedy else ""
        log.warning("%s: %s; the run and its results are not affected%s", name, reason, more)
        log.info("the error of %s", name, exc_info=error)
    reported.add(reason)


class _Line(logging.Formatter):
    """A log record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps([record.levelno, super().format(record)])
