"""What trackers are told of a sweep: the whole as one, or each of its points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from neurolab.results.batches import SweepFolder
from neurolab.results.plan import Plan, flat
from neurolab.results.table import Table
from neurolab.simulation.tracking import in_units
from neurolab.sweep.points import Group
from neurolab.trackers import Tracked
from neurolab.trackers.session import TrackerSession

__all__ = ["SweepSession"]

#: Values of a swept key that a tracker is told one by one; of more, their ends.
_MOST_VALUES = 1000


class SweepSession:
    """A sweep as one thing that is tracked; with ``tracker.per_point`` every point is one, of
    which the end is told once, in whichever session of the sweep.

    ``groups`` has all points.
    """

    def __init__(
        self, session: TrackerSession, store: SweepFolder, groups: Sequence[Group], plan: Plan
    ) -> None:
        self.session, self.per_point = session, session.per_point
        self.store, self.folder, self.groups, self.plan = store, store.path, groups, plan

    def start(self) -> None:
        """The sweep begins."""
        if not self.per_point:
            self.session.start(lambda: self._sweep(self.groups))

    def finish(self, exit_code: int, summary: Mapping[str, Any], table: Table) -> None:
        """The sweep's results are written."""
        if not self.per_point:
            self.session.finish(exit_code, summary)
        elif self.session.active:
            ended = set(table.where("completed", "diverged", "failed").tolist())
            ended -= self.store.told()
            for group in self.groups:
                for row, point in enumerate(group.points.tolist()):
                    if point in ended:
                        self._point(group, row, point, table[point])

    def _point(self, group: Group, row: int, point: int, known: Mapping[str, Any]) -> None:
        session, plan = self.session, self.plan

        def tracked() -> Tracked:
            numbers = group.numbers(np.array(row))
            plain, units = in_units(plan.config(point), group.experiment.parsed, numbers)
            name, sweep = " ".join(plan.own(point)) or f"point {point}", self.folder.name
            overrides = tuple(plan.overrides(point))
            mark = self.store.numbering.mark(point)
            return Tracked("point", self.folder, name, plain, units, overrides, sweep, point, mark)

        session.start(tracked)
        asked = [key for key in known if f"{key}_unit" in known]  # record.summary
        names = ("rate_hz", "isi_cv", *asked)
        metrics = {k: known[k] for k in names if known.get(k) is not None}
        if known.get("n_steps") is not None:
            session.log(known["n_steps"], {"time_ms": known["duration_ms"], **metrics})
        code = {"completed": 0, "diverged": 3}.get(known["status"], 1)
        summary = {k: v for k, v in known.items() if k not in ("batch", "in_batch")}
        # One that failed is computed again when the sweep goes on.
        then = None if known["status"] == "failed" else partial(self.store.tell, point)
        session.finish(code, summary, then)

    def _sweep(self, groups: Sequence[Group]) -> Tracked:
        """The configuration that the points share, and what is swept."""
        experiment, plan = groups[0].experiment, self.plan
        varying = plan.varying.union(*(group.columns for group in groups))
        first, *others = (dict(flat(template)) for template in plan.templates)
        shared = {
            key: value
            for key, value in flat(groups[0].config)
            if key in first.keys() - varying
            and all(key in other and other[key] == first[key] for other in others)
        }
        plain, units = in_units(shared, experiment.parsed, experiment.numbers)
        swept: dict[str, Any] = {}
        for axis in plan.axes:
            for typed, key in zip(axis.columns, axis.keys, strict=True):
                values, unit = axis.coordinate(typed)
                described = {"values": values.tolist()}
                if values.size > _MOST_VALUES:  # texts have no order but that they were typed in
                    ends = (
                        np.sort(values)[[0, -1]] if values.dtype.kind in "iuf" else values[[0, -1]]
                    )
                    described = dict(zip(("from", "to"), ends.tolist(), strict=True))
                    described["n"] = values.size
                swept[key] = {**described, "unit": unit}
        plain["sweep"] = {"points": len(plan), "keys": plan.keys, "swept": swept}
        name = f"{plan.title or 'sweep'} over {', '.join(plan.keys) or 'nothing'}"
        return Tracked("sweep", self.folder, name, plain, units, tuple(sorted(plan.shared)))
