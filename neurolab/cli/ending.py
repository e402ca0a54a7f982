"""How the command ends where a signal ends it, and the folders that it holds until it ends."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Self

from neurolab.simulation.stop import StopRequest, stop_signals

if TYPE_CHECKING:
    from neurolab.results.lease import Lease

__all__ = ["Ending", "held", "holding"]

#: What computes when a signal comes has so long to heed it: five seconds, with the last words.
_SECONDS = 4.0
#: And then to write what is left: a summary, pictures.  It takes two; more where all are waiting.
_LAST_SECONDS = 16.0
_CURSOR = "\r\x1b[2K\x1b[?25h"  # of a terminal: shown again, and no bar beside it

#: The leases of the command, by folder.
_HELD: ContextVar[dict[Path, Lease]] = ContextVar("held")


@contextmanager
def holding(leases: dict[Path, Lease]) -> Iterator[None]:
    """What is to be kept (`held`) meanwhile is kept until the end of this, and is in ``leases``."""
    before = _HELD.set(leases)
    try:
        yield
    finally:
        _HELD.reset(before)
        for lease in leases.values():
            lease.release()


@contextmanager
def held(folder: Path, key: str, keep: bool = False) -> Iterator[Lease]:
    """The lease of a folder: that which the command has already, or one for as long as this lasts;
    with ``keep`` until the command ends, if there is one.

    Raises
    ------
    ConfigError
        A living process has the folder.
    """
    from neurolab.results.lease import Lease

    leases, place = _HELD.get({}), folder.resolve()
    if place in leases:
        yield leases[place]
    elif keep and _HELD.get(None) is not None:
        leases[place] = Lease(folder, key).__enter__()
        yield leases[place]
    else:
        with Lease(folder, key) as lease:
            yield lease


class Ending:
    """As a context, from the first moment of the command to the last of its process, sees to it
    that a signal ends it with one sentence, 128 + its number, and no traceback.

    Where something goes on that heeds signals (a `StopRequest`), that has some seconds to do so and
    to end by itself; a second Ctrl-C ends it at once.  Nothing else is worth waiting for.  A thread
    hears of signals when they come, whatever the main thread does: it may import, compile, compute
    a long chunk.  What ends at once leaves what it had committed, and gives its folders free.
    """

    def __init__(self) -> None:
        #: The signal that came; 0 before.
        self.number = 0
        self.leases: dict[Path, Lease] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._signals = stop_signals()
        self._terminals = [fd for fd in (1, 2) if os.isatty(fd)]
        self._come, come = socket.socketpair()
        come.setblocking(False)
        self._keep = come  # or it is closed
        signal.set_wakeup_fd(come.fileno(), warn_on_full_buffer=False)
        for number in self._signals:
            signal.signal(number, self._hear)
        threading.Thread(target=self._listen, name="signals", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.number:  # it has been heeded
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            self._end()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        """The thread has heard of it already."""

    def _listen(self) -> None:
        by, late = None, False
        while True:
            left = None if by is None else max(by - time.monotonic(), 0.0)
            if not select.select([self._come], [], [], left)[0]:
                stop = getattr(signal.getsignal(self.number), "__self__", None)
                if late or not (isinstance(stop, StopRequest) and stop.heeded):
                    self._end()
                late, by = True, time.monotonic() + _LAST_SECONDS
                continue
            for number in self._come.recv(64):
                if number not in self._signals:
                    continue
                if number == getattr(signal, "SIGHUP", None):
                    self._hang_up()
                again = self.number and number == signal.SIGINT
                self.number = self.number or number
                if again or signal.getsignal(number) == self._hear:
                    self._end()
                by = by or time.monotonic() + _SECONDS

    def _hang_up(self) -> None:
        """The terminal is gone: to write there would be an error."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for terminal in self._terminals:
            os.dup2(nowhere, terminal)

    def _end(self) -> None:
        with self._lock:  # and never more
            name = signal.Signals(self.number).name
            told = f"neurolab: interrupted by {name}; "
            told += self._give_up() or "nothing was run"
            with suppress(OSError):
                os.write(2, f"{_CURSOR if 2 in self._terminals else ''}{told}\n".encode())
            os._exit(128 + self.number)

    def _give_up(self) -> str:
        """Give the folders free; says where something is."""
        kept = []
        for lease in list(self.leases.values()):
            from neurolab.results.status import STATUS, ended_by_signal

            if not lease.lost:
                ended_by_signal(lease.folder)
            if (lease.folder / STATUS).exists():
                kept.append(str(lease.folder))
            lease.release()
        return f"what was committed is in {', '.join(kept)}" if kept else ""
