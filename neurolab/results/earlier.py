"""Sweeps that were extended: where the points of earlier plans are in the present one.

What is written of points has the number of the plan that they are of, ``plan``: 0 is the first.  So
nothing that is there is written anew when the plan is replaced by a larger one, and what tasks that
began before write afterwards is of the right points, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurolab.problems import ResultsLostError

__all__ = ["COMPLETED", "PARTIAL", "Earlier", "Numbering"]

#: Status of a point that came to its end, and of one whose batch was stopped.
COMPLETED, PARTIAL = "completed", "partial"


@dataclass(frozen=True)
class Earlier:
    """What a plan was before it was extended; its points were numbered otherwise.

    Parameters
    ----------
    shape
        Places along each axis, then.
    axes
        Of each axis now: which it was then, None if it was none, and where its values are now.
    longer
        Whether its points ended earlier.
    """

    shape: tuple[int, ...]
    axes: Sequence[tuple[int | None, Sequence[int]]]
    longer: bool

    def points(self, points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """What points are called in a plan of a shape."""
        then = np.unravel_index(points, self.shape) if self.shape else ()
        first = np.zeros(np.shape(points), np.int64)
        now = [np.array(to)[first if of is None else then[of]] for of, to in self.axes]
        return np.ravel_multi_index(tuple(now), shape) if now else first

    def then(self, later: Earlier) -> Earlier:
        """Where its points are once that plan is extended in which they are now."""
        axes: list[tuple[int | None, Sequence[int]]] = []
        for between, to in later.axes:
            of, places = (None, [0]) if between is None else self.axes[between]
            axes.append((of, [to[place] for place in places]))
        return Earlier(self.shape, axes, self.longer or later.longer)


@dataclass(frozen=True)
class Numbering:
    """How the points of a sweep are called.

    Parameters
    ----------
    shape
        Of the present plan.
    earlier
        Of those before, the first first.
    """

    shape: tuple[int, ...] = ()
    earlier: Sequence[Earlier] = field(default_factory=list)

    @property
    def plan(self) -> int:
        """The number of the present plan."""
        return len(self.earlier)

    def now(self, points: Iterable[int], plan: int) -> list[int]:
        """What points of a plan are called now."""
        points = list(points)
        if plan == self.plan or not points:
            return points
        if plan > self.plan:
            raise ResultsLostError("the sweep was extended meanwhile; open it again")
        return [int(k) for k in self.earlier[plan].points(np.array(points), self.shape)]

    def mark(self, point: int) -> str:
        """What a point was called first, and in which plan: the same once there are more points."""
        for plan, one in enumerate(self.earlier):
            known = one.points(np.arange(np.prod(one.shape, dtype=np.int64)), self.shape)
            if (found := np.flatnonzero(known == point)).size:
                return f"{plan}.{found[0]}" if plan else f"{found[0]}"
        return f"{self.plan}.{point}" if self.plan else f"{point}"

    def goes_on(self, plan: int) -> bool:
        """Whether the points of a plan end later now."""
        return plan < self.plan and self.earlier[plan].longer

    def rows(self, notes: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of points in the notes of a commit, as they are called now: where they end later
        what was all of one is a part of it."""
        rows, plan = notes.get("rows", []), notes.get("plan", 0)
        if plan == self.plan:
            return list(rows)
        points = self.now([row["point"] for row in rows], plan)
        rows = [{**row, "point": point} for row, point in zip(rows, points, strict=True)]
        if self.goes_on(plan):
            rows = [_so_far(row) if row["status"] == COMPLETED else row for row in rows]
        return rows

    def can_go_on(self, notes: Mapping[str, Any], steps: int) -> bool:
        """Whether the state after the last of some steps is that of all points in a commit: not if
        one ended before others did and is to go on now."""
        early = (
            row["n_steps"] < steps for row in notes.get("rows", ()) if row["status"] == COMPLETED
        )
        return not (self.goes_on(notes.get("plan", 0)) and any(early))


def _so_far(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a point that was completed, as that of one which goes on."""

    def values(of: Mapping[str, Any]) -> dict[str, Any]:
        none = dict.fromkeys(("rate_hz", "rate_hz_std", "isi_cv"))
        measured = {name: [None, unit] for name, (_, unit) in of.get("measured", {}).items()}
        return {**of, **none, "rate_hz_so_far": of["rate_hz"], "measured": measured}

    found = {**values(row), "status": PARTIAL}
    if "populations" in row:
        found["populations"] = {name: values(own) for name, own in row["populations"].items()}
    return found
