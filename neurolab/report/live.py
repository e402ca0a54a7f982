"""The page of what goes on: written anew now and then, by a thread beside it."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["LivePage"]

log = logging.getLogger("neurolab")

#: Until the first page, and between pages; a run that is shorter has the one at its end.
EVERY_S = 10.0
#: Writing pages takes at most this part of the time.
_PART = 0.02


class LivePage:
    """Has the page of a run or a sweep written while it goes, as often as that is cheap.

    Use it as a context; `tell` is called as often as anything is known.
    """

    def __init__(self, folder: Path | None, standalone: bool = False) -> None:
        self._folder, self._standalone = folder, standalone
        self._thread: threading.Thread | None = None
        self._due = time.perf_counter() + EVERY_S

    def tell(self, status: str) -> None:
        """What goes on has now this status: a page is begun if it is due."""
        busy = self._thread is not None and self._thread.is_alive()
        if self._folder is None or status != "running" or busy or time.perf_counter() < self._due:
            return
        self._thread = threading.Thread(target=self._write, args=(self._folder,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """No page comes after this, which would replace that of the end."""
        self._folder = None
        if self._thread is not None:
            self._thread.join()

    def _write(self, folder: Path) -> None:
        from neurolab.report import write_report

        began = time.perf_counter()
        try:
            write_report(folder, self._standalone)
        except Exception as error:  # the next one may be written; what goes on is not concerned
            log.debug("no page: %s: %s", type(error).__name__, error)
        spent = time.perf_counter() - began
        self._due = time.perf_counter() + max(EVERY_S, spent / _PART)
