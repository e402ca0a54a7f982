"""The process that trackers run in: it takes calls from its standard input until that ends.

A message is one of ``("start", tracker, tracked)``, ``("log", step, metrics)`` and ``("finish",
exit_code, summary)``, pickled; what is to be said is written to standard output, a line of JSON
each.  If the input ends within a run, the simulation was killed, and its tracker is told so.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, BinaryIO

__all__ = ["main"]

_EXIT_SECONDS = 3.0


def main() -> None:
    """Serve until the end of standard input."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the simulation decides when to end
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is not ours to say
    log = logging.getLogger("neurolab")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(_Lines(out))
    _serve(sys.stdin.buffer)
    # What libraries do at exit must end too: one that lost its server may wait for it for ever.
    last = threading.Timer(_EXIT_SECONDS, os._exit, (0,))
    last.daemon = True
    last.start()


def _serve(messages: BinaryIO) -> None:
    tracker: Any = None
    failed: set[str] = set()
    while True:
        try:
            what, *arguments = pickle.load(messages)
        except EOFError:
            break
        except Exception as error:  # a module that is not found here, say
            _say(tracker, error, failed)
            return
        try:
            if what == "start":
                tracker = arguments.pop(0)
            if tracker is not None:
                getattr(tracker, what)(*arguments)
            if what == "finish":
                tracker = None
        except Exception as error:
            _say(tracker, error, failed)
            tracker = None
    if tracker is not None:
        try:
            message = "the simulation's process ended before it could say how"
            tracker.finish(1, {"status": "killed", "message": message})
        except Exception as error:
            _say(tracker, error, failed)


def _say(tracker: Any, error: Exception, failed: set[str]) -> None:
    """Warn, once of each reason."""
    name, log = type(tracker).__name__, logging.getLogger("neurolab")
    lines = str(error).strip().splitlines() or [""]
    reason = f"{type(error).__name__}: {lines[0]}"
    if reason not in failed:
        remedy = getattr(tracker, "remedy", "")
        told = f"; {remedy}" if remedy else ""
        log.warning(
            "%s stopped: %s; the run and its results are not affected%s", name, reason, told
        )
        log.info("the error of %s", name, exc_info=error)
    failed.add(reason)


class _Lines(logging.Handler):
    """Log records as lines of JSON."""

    def __init__(self, out: Any) -> None:
        super().__init__()
        self.out = out
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # nobody listens any more
            print(json.dumps([record.levelno, self.format(record)]), file=self.out)
