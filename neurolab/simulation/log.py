"""neurolab.log: what happened, in a run's or a sweep's folder."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["LateLog", "LogFile", "log_to"]

_LOCK = threading.Lock()
#: Level and propagation of the log before each of the runs that go on.
_BEFORE: list[tuple[int, bool]] = []


@contextmanager
def log_to(folder: Path, terminal: bool = False) -> Iterator[LateLog]:
    """Write what is logged to ``neurolab.log`` in a folder, made when there is something to say.

    With ``terminal`` warnings go there as well, and nothing else does.
    """
    log = logging.getLogger("neurolab")
    late = LateLog(folder / "neurolab.log", delay=True)
    handlers: list[logging.Handler] = [late]
    text = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    handlers[0].setFormatter(logging.Formatter(text))
    if terminal:
        handlers.append(logging.StreamHandler())
        handlers[1].setLevel(logging.WARNING)
        handlers[1].setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    with _LOCK:
        _BEFORE.append((log.level, log.propagate))
        log.setLevel(logging.INFO)
        log.propagate = log.propagate and not terminal
    for handler in handlers:
        log.addHandler(handler)
    try:
        yield late
    finally:
        with _LOCK:
            level, propagate = _BEFORE[0]
            _BEFORE.pop()
            if not _BEFORE:  # runs of several threads may end in any order
                log.setLevel(level)
                log.propagate = propagate
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()


class LogFile(logging.FileHandler):
    """A log file; nothing is written where its folder is gone or its disk full: others tell."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # it opens its file outside of its own handling of errors
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):  # what it holds has no room
            super().close()


class LateLog(LogFile):
    """A log file whose folder it may have to make; once that is there (`begun`), no more: it has
    been removed."""

    begun = False

    def _open(self):  # type: ignore[no-untyped-def]
        if not self.begun:
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()
