"""The progress of a sweep, on a terminal and in status.json: points, and what part of a batch."""

from __future__ import annotations

import time
from typing import Any

from neurolab.results.status import StatusFile
from neurolab.simulation.progress import Bar

__all__ = ["SweepProgress"]


class SweepProgress(Bar):
    """A bar over points; a batch counts by the part of its time that is simulated."""

    def __init__(self, status: StatusFile, total: int, before: int) -> None:
        super().__init__(total, before)
        self._status, self._total, self._before = status, total, before
        self._began = time.perf_counter()
        self.say("compiling", before)

    def tell(self, points: int, batch: int = 0, part: float = 0.0) -> None:
        """``points`` computed by now; the present batch has done a ``part`` of its time."""
        done, worth = self._before + points, points + batch * part
        speed = worth / max(time.perf_counter() - self._began, 1e-9)
        eta_s = self._status.eta_s(worth, self._total - self._before)
        self.say("running", done, points_per_s=speed, eta_s=eta_s)
        text = f"{done} of {self._total} points"
        text += f", the next {batch} at {part:.0%} of their time" if batch else ""
        self.show(self._before + worth, f"{text}  {speed:.3g} points/s")

    def say(self, status: str, points: int, **facts: Any) -> None:
        """How the sweep stands, with so many points done, in status.json."""
        self._status.write(status, points_done=points, points=self._total, **facts)
