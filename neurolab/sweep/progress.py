"""The progress of a sweep, on a terminal and in status.json: points, and what part of a batch."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from neurolab.results.status import StatusFile

__all__ = ["SweepProgress"]


class SweepProgress:
    """A bar over points; a batch counts by the part of its time that is simulated."""

    def __init__(self, status: StatusFile, total: int, done: int) -> None:
        self.total, self.done, self._began = total, done, time.perf_counter()
        self._points, self._status = 0, status
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("compiling", total=total, completed=done, told="")

    def __enter__(self) -> Self:
        self._bar.start()
        self._say("compiling")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, points: int, batch: int = 0, part: float = 0.0) -> None:
        """``points`` computed by now; the present batch has done a ``part`` of its time."""
        worth = points + batch * part
        speed = worth / max(time.perf_counter() - self._began, 1e-9)
        self._points = points
        self._say(
            "running", points_per_s=speed, eta_s=self._status.eta_s(worth, self.total - self.done)
        )
        told = f"{self.done + points} of {self.total} points"
        told += f", the next {batch} at {part:.0%} of their time" if batch else ""
        self._bar.update(
            self._task,
            description="simulating",
            completed=self.done + worth,
            told=f"{told}  {speed:.3g} points/s",
        )

    def end(self, status: str, points: int) -> None:
        """The results of so many points are written."""
        self._points = points - self.done
        self._say(status)

    def _say(self, status: str, **facts: Any) -> None:
        self._status.write(status, points_done=self.done + self._points, points=self.total, **facts)
