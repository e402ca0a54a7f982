"""The values of a plan's axes as columns of numbers: each is read once, not once a point.

What is wrong with a value by itself refuses the sweep before anything runs; points whose values do
not go together are a mask over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurolab.config.experiment import Experiment, read_experiment
from neurolab.config.order import models, ordered_numbers
from neurolab.config.values import is_drawn, read_number
from neurolab.problems import ConfigError, Problem
from neurolab.results.axes import plain_key
from neurolab.results.plan import Plan
from neurolab.sweep.points import Group, join
from neurolab.sweep.refusals import Refusals
from neurolab.sweep.sources import Source

__all__ = ["PointReader"]

#: Keys that decide nothing by themselves.
_IDLE = ("vars.",)
#: Points that are read whole before those of one kind are given up.
_TRIES = 5


@dataclass(eq=False)
class PointReader:
    """Reads points of a plan into groups; what cannot be is among the refusals."""

    plan: Plan
    refusals: Refusals

    def groups(self, points: np.ndarray) -> tuple[list[Group], list[Problem]]:
        """The groups of some points, and warnings."""
        parts: list[Group] = []
        kinds = self.plan.kinds(points)
        for template in np.unique(kinds[kinds >= 0]).tolist():
            parts += self._read(points[kinds == template], template)
        parts.sort(key=lambda part: int(part.points[0]))
        return join(parts)

    def _sources(self, points: np.ndarray, template: int) -> list[Source]:
        plan, places = self.plan, self.plan.places(points)
        found = [
            Source({plain_key(k): c for k, c in axis.columns.items() if c.plain}, place)
            for axis, place in zip(plan.axes, places, strict=True)
        ]
        for one in plan.references.get(template, ()):
            codes = one.of[tuple(places[number] for number in one.axes)]
            keys = {
                key: (lambda code, key=key, one=one: one.rows[code][key]) for key in one.rows[0]
            }
            found.append(Source(keys, np.broadcast_to(codes, points.shape)))
        for key in plan.numbered:
            numbered = {plain_key(key): lambda code, key=key: plan.numbered_value(key, code)}
            found.append(Source(numbered, points))
        return found

    def _read(self, points: np.ndarray, template: int) -> list[Group]:
        """The groups of points of one template, before those that are alike are joined."""
        points = points[~self.refusals.bad[points]]
        experiment, at = self._experiment(points)
        if experiment is None:
            return []
        sources = self._sources(points, template)
        varying = [s for s in sources if s.codes.size and np.any(s.codes != s.codes[0])]
        found = []
        for source in varying:
            for key in source.keys:
                if not key.startswith(_IDLE):
                    found.append(source.kinds(key, experiment))
        stacked = np.stack([one for one in found if one.any()] or [np.zeros(points.size, np.int64)])
        unique, which = np.unique(stacked, axis=1, return_inverse=True)
        which = which.ravel()
        if unique.shape[1] > 1:
            parts = [points[which == number] for number in range(unique.shape[1])]
            return [group for part in parts for group in self._read(part, template)]
        return self._columns(points, varying, experiment, at)

    def _experiment(self, points: np.ndarray) -> tuple[Experiment | None, int]:
        """The experiment of the first of some points that can be read; which they are, but for
        values that do not fit: these are found with all others of their column."""
        if not points.size:
            return None, 0
        tried: dict[int, Sequence[Problem]] = {}
        for at in np.unique(np.linspace(0, points.size - 1, _TRIES).astype(int)):
            point = int(points[at])
            try:
                return read_experiment(self.plan.config(point), ordered=False), point
            except ConfigError as error:
                tried[point] = error.problems
        for problems in tried.values():
            self.refusals.add(problems, points, True)
        return None, 0

    def _columns(
        self, points: np.ndarray, sources: Sequence[Source], experiment: Experiment, at: int
    ) -> list[Group]:
        """The group of points that differ in numbers alone."""
        columns: dict[str, np.ndarray] = {}
        n_steps = np.full(points.size, experiment.n_steps)
        config = self.plan.config(at)
        drawn = {k for k in experiment.parsed if is_drawn(_value_of(config, k))}
        seeds = np.full(points.size, int(experiment.numbers["seed"]))
        for source in sources:
            codes, inverse = np.unique(source.codes, return_inverse=True)
            for key in source.keys:
                wrong: dict[int, Problem] = {}
                if key == "seed":
                    found, wrong = source.seeds(codes)
                    seeds = found[inverse]
                    columns[key] = seeds.astype(np.uint32)
                elif key == "duration":
                    found, wrong = source.durations(codes, config)
                    n_steps = found[inverse]
                elif key in experiment.parsed and key not in drawn:
                    found, wrong = source.numbers(key, codes, experiment)
                    columns[key] = found[inverse]
                parts = _parts(inverse) if wrong else []
                for place, problem in wrong.items():
                    self.refusals.add([problem], points[parts[place]], True)
        self._draw(columns, drawn, seeds, sources, config, experiment)
        self._order(points, columns, experiment)
        fits = ~self.refusals.bad[points]
        if not fits.any():
            return []
        columns = {key: column[fits] for key, column in columns.items()}
        points, n_steps = points[fits], n_steps[fits]
        numbers = {**experiment.numbers, **{key: column[0] for key, column in columns.items()}}
        columns = {key: column for key, column in columns.items() if np.any(column != column[:1])}
        experiment = replace(experiment, numbers=numbers, n_steps=int(n_steps[0]))
        return [Group(experiment, self.plan.config(int(points[0])), points, n_steps, columns)]

    def _draw(
        self,
        columns: dict[str, np.ndarray],
        drawn: set[str],
        seeds: np.ndarray,
        sources: Sequence[Source],
        config: Mapping[str, Any],
        experiment: Experiment,
    ) -> None:
        """The columns of what is drawn from distributions: for each of these and each seed once."""
        for key in drawn:
            source = next((one for one in sources if key in one.keys), None)
            if source is None and "seed" not in columns:
                continue
            codes = np.zeros(seeds.size, np.int64) if source is None else source.codes
            pairs, inverse = np.unique(np.stack([codes, seeds]), axis=1, return_inverse=True)
            reading = experiment.parsed[key]
            rows = []
            for code, seed in pairs.T.tolist():
                value = _value_of(config, key) if source is None else source.value(key, code)
                size = experiment.structure.size
                found, _ = read_number(
                    value, reading.unit, reading.declared, size=size, seed=seed, key=key
                )
                rows.append(found)
            columns[key] = np.stack(rows)[inverse.ravel()]

    def _order(
        self, points: np.ndarray, columns: Mapping[str, np.ndarray], experiment: Experiment
    ) -> None:
        """Refuse the points at which values do not lie above one another."""
        numbers = {**experiment.numbers, **columns}
        for part in models(experiment.structure):
            for low, high in ordered_numbers(part):
                lower, upper = (_extreme(numbers[one.key], one.key in columns, end)
                                for one, end in ((low, np.max), (high, np.min)))  # fmt: skip
                bad = np.broadcast_to(_crossed(numbers, columns, low.key, high.key), points.shape)
                if not bad.any():
                    continue
                values = np.stack([np.broadcast_to(v, points.shape)[bad] for v in (lower, upper)])
                pairs, which = np.unique(values, axis=1, return_inverse=True)
                refused = points[bad]
                for (below, above), some in zip(pairs.T.tolist(), _parts(which), strict=True):
                    advice = f"must lie above {low.key} = {below:g} {low.unit}"
                    problem = Problem(high.key, f"{above:g} {high.unit}", advice)
                    self.refusals.add([problem], refused[some], False)


def _parts(codes: np.ndarray) -> list[np.ndarray]:
    """Where each code is, for codes from 0 on."""
    codes = codes.ravel()
    ends = np.cumsum(np.bincount(codes))
    return np.split(np.argsort(codes, kind="stable"), ends[:-1])


def _extreme(values: Any, varies: bool, end: Any) -> Any:
    """One number of each point, where there is one for each neuron."""
    values = np.asarray(values)
    return end(values, axis=tuple(range(1 if varies else 0, values.ndim)))


def _crossed(numbers: Mapping[str, Any], columns: Mapping[str, Any], low: str, high: str) -> Any:
    """At which points some neuron's low value is not below its high one."""
    pair = []
    for key in (low, high):
        values = np.asarray(numbers[key])
        one = values.ndim == (1 if key in columns else 0)
        pair.append(values[..., None] if one else values)
    crossed = pair[0] >= pair[1]
    return crossed.any(axis=-1)


def _value_of(config: Mapping[str, Any], key: str) -> Any:
    node: Any = config
    for name in key.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
