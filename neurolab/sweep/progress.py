"""The progress of a sweep on a terminal: points, and what part of the present batch."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["SweepProgress"]


class SweepProgress:
    """A bar over points; a batch counts by the part of its time that is simulated."""

    def __init__(self, total: int, done: int) -> None:
        self.total, self.done, self._began = total, done, time.perf_counter()
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
        told = f"{self.done + points} of {self.total} points"
        told += f", the next {batch} at {part:.0%} of their time" if batch else ""
        self._bar.update(
            self._task,
            description="simulating",
            completed=self.done + worth,
            told=f"{told}  {speed:.3g} points/s",
        )
