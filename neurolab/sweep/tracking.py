"""What trackers are told of a sweep: the whole as one, or each of its points."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neurolab.cli.points import configuration
from neurolab.simulation.tracking import in_units
from neurolab.sweep.points import Group, Lane
from neurolab.trackers import Tracked
from neurolab.trackers.telling import Telling

__all__ = ["SweepTelling"]


class SweepTelling:
    """A sweep as one thing that is tracked; with ``tracker.per_point`` every point is one."""

    def __init__(
        self,
        telling: Telling,
        folder: Path,
        groups: Sequence[Group],
        templates: Sequence[Mapping[str, Any]],
    ) -> None:
        self.telling, self.per_point = telling, telling.per_point
        self.folder, self.groups, self.templates = folder, groups, templates

    def start(self, definition: Mapping[str, Any]) -> None:
        """The sweep begins."""
        given = [set(point["overrides"]) for point in definition["points"]]
        self.shared = set.intersection(*given) if len(given) > 1 else set()
        if not self.per_point:
            self.telling.start(lambda: self._sweep(definition))

    def finish(
        self, exit_code: int, summary: Mapping[str, Any], rows: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """The sweep's results are written; the groups have the points that were to be computed."""
        if not self.per_point:
            self.telling.finish(exit_code, summary)
        elif self.telling.active:
            for group in self.groups:
                for lane in group.lanes:
                    row = rows.get(lane.point.index)
                    if row is not None:
                        self._point(group, lane, row)

    def _point(self, group: Group, lane: Lane, row: Mapping[str, Any]) -> None:
        telling, point = self.telling, lane.point

        def tracked() -> Tracked:
            config = configuration(self.templates[point.template], point.changes)
            experiment = group.experiment
            numbers = {**experiment.numbers, **lane.numbers}
            plain, units = in_units(config, experiment.readings, numbers)
            own = [text for text in point.overrides if text not in self.shared]
            name, sweep = " ".join(own) or f"point {point.index}", self.folder.name
            return Tracked(
                "point", self.folder, name, plain, units, point.overrides, sweep, point.index
            )

        telling.start(tracked)
        metrics = {name: row[name] for name in ("rate_hz", "isi_cv") if row.get(name) is not None}
        if "n_steps" in row:
            telling.log(row["n_steps"], {"time_ms": row["duration_ms"], **metrics})
        code = {"completed": 0, "diverged": 3}.get(row["status"], 1)
        telling.finish(code, {k: v for k, v in row.items() if k not in ("batch", "lane")})

    def _sweep(self, definition: Mapping[str, Any]) -> Tracked:
        """The configuration that the points share, and what is swept."""
        experiment = self.groups[0].experiment
        plain, units = in_units(self.templates[0], experiment.readings, experiment.numbers)
        axes = definition["axes"]
        keys = [key for axis in axes for key in axis["keys"]]
        for key in keys:
            _drop(plain, key)
            _drop(units, key)
        swept = {
            key: {"values": axis["values"][key], "unit": axis["units"].get(key, "")}
            for axis in axes
            for key in axis["keys"]
        }
        plain["sweep"] = {"points": len(definition["points"]), "keys": keys, "swept": swept}
        name = f"{definition.get('title') or 'sweep'} over {', '.join(keys) or 'nothing'}"
        return Tracked("sweep", self.folder, name, plain, units, tuple(sorted(self.shared)))


def _drop(tree: dict[str, Any], key: str) -> None:
    *path, name = re.split(r"[./]", key)  # a group within a group has a slash
    for step in path:
        inner = tree.get(step)
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.pop(name, None)
