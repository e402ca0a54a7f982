"""The progress of a sweep, on a terminal and in status.json: points, and what part of a batch."""

from __future__ import annotations

import time
from typing import Any

from neurolab.results.status import StatusFile
from neurolab.simulation.progress import TerminalBar

__all__ = ["SweepProgress"]


class SweepProgress(TerminalBar):
    """A bar over points; a batch counts by the part of its time that is simulated."""

    def __init__(self, status: StatusFile, total: int, done: int) -> None:
        super().__init__("compiling", total, done)
        self.total, self.done, self._began = total, done, time.perf_counter()
        self._status = status
        self._write("compiling", done)

    def update(self, points: int, batch: int = 0, part: float = 0.0) -> None:
        """``points`` computed by now; the present batch has done a ``part`` of its time."""
        worth = points + batch * part
        speed = worth / max(time.perf_counter() - self._began, 1e-9)
        left = self._status.eta_s(worth, self.total - self.done)
        self._write("running", self.done + points, points_per_s=speed, eta_s=left)
        told = f"{self.done + points} of {self.total} points"
        told += f", the next {batch} at {part:.0%} of their time" if batch else ""
        told += f"  {speed:.3g} points/s"
        self.show(description="simulating", completed=self.done + worth, told=told)

    def end(self, status: str, points: int) -> None:
        """The results of so many points are written."""
        self._write(status, points)

    def _write(self, status: str, points: int, **facts: Any) -> None:
        self._status.write(status, points_done=points, points=self.total, **facts)
