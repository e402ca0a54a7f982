"""Stopping a run cleanly: the first Ctrl-C or SIGTERM ends it after the current chunk."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["StopRequest"]


class StopRequest:
    """While active, SIGINT, SIGTERM and ``more`` set ``requested`` to their number, instead of
    ending the process; a second Ctrl-C ends it at once.  Outside the main thread signals are left
    alone."""

    def __init__(self, *more: int) -> None:
        self.requested = 0
        self._numbers = {signal.SIGINT, signal.SIGTERM, *more}
        self._previous: dict[int, Any] = {}

    @property
    def name(self) -> str:
        """``SIGINT`` or ``SIGTERM``."""
        return signal.Signals(self.requested).name

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in self._numbers:
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
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = number
