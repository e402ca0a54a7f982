"""Stopping cleanly: the first signal ends a run or a sweep after the current chunk."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["StopRequest", "stop_signals"]

#: Ctrl-C, what Slurm and systems that shut down send, and the end of a connection or a terminal.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


def stop_signals() -> list[signal.Signals]:
    """The signals that stop, where there are such.  What is ignored stays so: who begins a command
    with nohup, or in the background of a script, has said that it goes on."""
    there = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]
    others = (signal.SIG_IGN, None)  # None: what is called then is not Python
    return [number for number in there if signal.getsignal(number) not in others]


class StopRequest:
    """While active, the first of `stop_signals`, or of ``more``, sets ``requested`` to its number
    instead of ending the process.  A second Ctrl-C is what it was before: in Python a
    KeyboardInterrupt.  Outside the main thread signals are left alone."""

    def __init__(self, *more: int) -> None:
        self._number, self._more = 0, more
        #: Whether what goes on has seen that, and is coming to its end.
        self.heeded = False
        self._previous: dict[int, Any] = {}

    @property
    def requested(self) -> int:
        """The signal that came; 0 before."""
        self.heeded = self._number != 0
        return self._number

    @property
    def name(self) -> str:
        """``SIGINT``, ``SIGTERM`` or ``SIGHUP``."""
        return signal.Signals(self._number).name

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in {*stop_signals(), *self._more}:
                self._previous[number] = signal.signal(number, self._request)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        before = self._previous[number]
        if self._number and number == signal.SIGINT and callable(before):
            before(number, frame)
        self._number = self._number or number
