"""The values of a plan's axes as columns of numbers: each is read once, not once a point.

What is wrong with a value by itself refuses the sweep before anything runs; points whose values do
not go together are a mask over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.experiment import Experiment, read_experiment, read_steps
from neurolab.config.order import crossed, ordered_numbers, out_of_order
from neurolab.config.reader import ParsedValue
from neurolab.config.settings import is_whole
from neurolab.config.values import (
    UnfitValueError,
    is_drawn,
    read_number,
    read_numbers,
    read_time,
    rounded,
)
from neurolab.dynamics import Parameter
from neurolab.problems import ConfigError, Problem, Problems, show
from neurolab.results.axes import Column, plain_key
from neurolab.results.plan import Plan
from neurolab.sweep.points import Group, by_code, join
from neurolab.sweep.refusals import Refusals, refuse_unfit, refuse_unrecorded

__all__ = ["PointReader"]

#: Points that are read whole before those of one kind are given up.
_TRIES = 5
_DURATION = ParsedValue(Parameter(None, "", positive=True), u.ms, relative=False, shape=())


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

    def _sources(self, points: np.ndarray, template: int) -> list[_Source]:
        """Where the points of a template get the values in which they differ."""
        plan, places = self.plan, self.plan.places(points)
        found = [
            _Source({plain_key(k): c for k, c in axis.columns.items() if c.plain}, place)
            for axis, place in zip(plan.axes, places, strict=True)
        ]
        for one in plan.references.get(template, ()):
            codes = one.of[tuple(places[number] for number in one.axes)]
            keys = {k: lambda code, k=k, of=one.rows: of[code][k] for k in one.rows[0]}
            found.append(_Source(keys, np.broadcast_to(codes, points.shape)))
        for key in plan.numbered:
            numbered = {plain_key(key): lambda code, key=key: plan.numbered_value(key, code)}
            found.append(_Source(numbered, points))
        return [source for source in found if np.any(source.codes != source.codes[:1])]

    def _read(self, points: np.ndarray, template: int) -> list[Group]:
        """The groups of points of one template, before those that are alike are joined."""
        points = points[~self.refusals.bad[points]]
        experiment = self._experiment(points, template)
        points = points[~self.refusals.bad[points]]
        if experiment is None:
            return []
        sources = self._sources(points, template)
        kinds = [
            source.kinds(key, experiment)
            for source in sources
            for key in source.keys
            if not key.startswith(("vars.", "network."))  # these decide nothing by themselves
        ]
        differ = [kind for kind in kinds if kind.any()]
        if differ:
            _, which = np.unique(np.stack(differ), axis=1, return_inverse=True)
            parts = [points[part] for part in by_code(which)]
            return [group for part in parts for group in self._read(part, template)]
        return self._columns(points, sources, experiment)

    def _experiment(self, points: np.ndarray, template: int) -> Experiment | None:
        """The experiment of the first of some points that can be read.  Where none of those tried
        can, what is wrong with their values refuses all that have these, and others are tried; what
        does not fit after that is refused as the last of them."""
        for last in (*[False] * (_TRIES - 1), True):
            points, failed = points[~self.refusals.bad[points]], []
            for at in np.unique(np.linspace(0, points.size - 1, _TRIES).astype(int)):
                if not points.size:
                    return None
                try:
                    return read_experiment(self.plan.config(int(points[at])), ordered=False)
                except ConfigError as error:
                    failed += [(int(at), problem) for problem in error.problems]
            if last:
                break
            sources = self._sources(points, template)
            for at, problem in failed:
                source = next((one for one in sources if problem.key in one.keys), None)
                same = slice(None) if source is None else source.codes == source.codes[at]
                self.refusals.add([problem], points[same], True)
        for problem in {(one.key, one.advice): one for _, one in failed}.values():
            self.refusals.add_each(problem, points)
        return None

    def _columns(
        self, points: np.ndarray, sources: Sequence[_Source], experiment: Experiment
    ) -> list[Group]:
        """The group of points that differ in numbers alone."""
        columns: dict[str, np.ndarray] = {}
        drawn = {k for k in experiment.parsed if is_drawn(_value_of(experiment.config, k))}
        read = {"seed", "duration", *experiment.parsed} - drawn
        for source in sources:
            codes, inverse = np.unique(source.codes, return_inverse=True)
            for key in [key for key in source.keys if key in read]:
                found, wrong = source.read(key, codes, experiment)
                columns[key] = found[inverse]
                parts = by_code(inverse) if wrong else []
                for place, problem in wrong.items():
                    self.refusals.add([problem], points[parts[place]], True)
            if "duration" in source.keys:
                warnings = self._rounded(source, codes, experiment)
                experiment = replace(experiment, warnings=(*experiment.warnings, *warnings))
        n_steps = columns.pop("duration", np.full(points.size, experiment.n_steps))
        self._draw(columns, points, drawn, sources, experiment)
        self._order(points, columns, experiment)
        good = ~self.refusals.bad[points]
        rest = {key: column[good] for key, column in columns.items()}
        warnings = refuse_unfit(self.refusals, points[good], rest, experiment)
        refuse_unrecorded(self.refusals, points, n_steps, experiment)
        fits = ~self.refusals.bad[points]
        if not fits.any():
            return []
        columns = {key: column[fits] for key, column in columns.items()}
        points, n_steps = points[fits], n_steps[fits]
        numbers = {**experiment.numbers, **{key: column[0] for key, column in columns.items()}}
        columns = {key: column for key, column in columns.items() if np.any(column != column[:1])}
        config, told = self.plan.config(int(points[0])), (*experiment.warnings, *warnings)
        about: dict[str, Any] = {"numbers": numbers, "config": config, "warnings": told}
        experiment = replace(experiment, n_steps=int(n_steps[0]), **about)
        return [Group(experiment, points, n_steps, columns)]

    def _rounded(self, source: _Source, codes: np.ndarray, experiment: Experiment) -> list[Problem]:
        """The first durations, of a thousand, that are no multiple of dt."""
        found: list[Problem] = []
        for value in (source.value("duration", code) for code in codes[:1000].tolist()):
            time_ms = read_time(value, "duration", Problems())
            if time_ms is not None and len(found) < _TRIES:
                found += rounded("duration", value, time_ms, experiment.structure.dt_ms)
        return found

    def _draw(
        self,
        columns: dict[str, np.ndarray],
        points: np.ndarray,
        drawn: set[str],
        sources: Sequence[_Source],
        experiment: Experiment,
    ) -> None:
        """The columns of what is drawn from distributions: for each of these and each seed once."""
        seeds = columns.get("seed", np.full(points.size, experiment.numbers["seed"]))
        for key in drawn:
            source = next((one for one in sources if key in one.keys), None)
            if source is None and "seed" not in columns:
                continue
            codes = np.zeros(points.size, np.int64) if source is None else source.codes
            pairs, inverse = np.unique(np.stack([codes, seeds]), axis=1, return_inverse=True)
            rows = [experiment.numbers[key]] * pairs.shape[1]
            for row, (code, seed) in enumerate(pairs.T.tolist()):
                value = source.value(key, code) if source else _value_of(experiment.config, key)
                try:
                    rows[row] = _read(key, value, experiment, seed)
                except UnfitValueError as error:
                    wrong = [Problem(key, show(value), str(error))]
                    self.refusals.add(wrong, points[inverse.ravel() == row], True)
            columns[key] = np.stack(rows)[inverse.ravel()]

    def _order(
        self, points: np.ndarray, columns: Mapping[str, np.ndarray], experiment: Experiment
    ) -> None:
        """Refuse the points at which values do not lie above one another."""
        shared = {key: np.asarray(value)[None] for key, value in experiment.numbers.items()}
        numbers = {**shared, **columns}
        for part in experiment.structure.named().values():
            for low, high in ordered_numbers(part):
                lower, upper, bad = (
                    np.broadcast_to(values, points.shape)
                    for values in crossed(numbers[low.key], numbers[high.key])
                )
                pairs, which = np.unique(
                    np.stack([lower[bad], upper[bad]]), axis=1, return_inverse=True
                )
                refused = points[bad]
                for (below, above), some in zip(pairs.T.tolist(), by_code(which), strict=True):
                    problem = out_of_order(low, high, below, above)
                    self.refusals.add([problem], refused[some], False)


@dataclass(eq=False)
class _Source:
    """Where some keys get their values: an axis, values that refer to others, the point's index."""

    keys: dict[str, Any]  # Column, or a function of the code
    codes: np.ndarray  # of every point that is read

    def value(self, key: str, code: int) -> Any:
        found = self.keys[key]
        return found.value(code) if isinstance(found, Column) else found(code)

    def _is_numeric(self, key: str) -> bool:
        return isinstance(self.keys[key], Column) and self.keys[key].numeric

    def kinds(self, key: str, experiment: Experiment) -> np.ndarray:
        """A number for each point: points of one number can be read into one column."""
        number = key in experiment.parsed or key in ("seed", "duration")
        if number and self._is_numeric(key):
            return np.zeros(self.codes.size, np.int64)
        codes, inverse = np.unique(self.codes, return_inverse=True)
        values = [self.value(key, code) for code in codes.tolist()]
        seen: dict[Any, int] = {}
        names = [_manner(value) if number else (type(value), show(value)) for value in values]
        return np.array([seen.setdefault(name, len(seen)) for name in names])[inverse]

    def read(
        self, key: str, codes: np.ndarray, experiment: Experiment
    ) -> tuple[np.ndarray, dict[int, Problem]]:
        """The numbers of a key at some codes (the steps of a duration), and what is wrong with
        which of them."""
        like = np.asarray(experiment.n_steps if key == "duration" else experiment.numbers[key])
        found = np.zeros((codes.size, *like.shape), like.dtype)
        alone = np.ones(codes.size, bool)  # what is not read with the others
        wrong: dict[int, Problem] = {}
        if self._is_numeric(key) and key != "seed" and not like.shape:
            column, reading = self.keys[key], experiment.parsed.get(key, _DURATION)
            with suppress(UnfitValueError):
                numbers, wrong_at = read_numbers(
                    column.values[codes], column.unit, reading.unit, reading.declared
                )
                alone[:] = False
                if key == "duration":
                    numbers = np.rint(numbers / experiment.structure.dt_ms)
                    alone = ~((numbers >= 2) & (numbers < 2**31))
                    wrong_at = {}
                for place, why in wrong_at.items():
                    wrong[place] = Problem(key, str(column.text(int(codes[place]))), why)
                found[~alone] = numbers[~alone]
        for place in np.flatnonzero(alone).tolist():
            value = self.value(key, int(codes[place]))
            try:
                found[place] = _read(key, value, experiment)
            except UnfitValueError as error:
                wrong[place] = Problem(key, show(value), str(error))
        return found, wrong


def _read(key: str, value: Any, experiment: Experiment, seed: int = 0) -> Any:
    """A value as a number of an experiment, or an `UnfitValueError`."""
    if key == "seed":
        if not is_whole(value, 0, 2**32 - 1):
            raise UnfitValueError("expected a whole number, 0 to 4294967295")
        return value
    if key == "duration":
        problems = Problems()
        _, n_steps = read_steps({**experiment.config, "duration": value}, problems)
        for problem in problems.found:
            raise UnfitValueError(problem.advice)
        return n_steps
    reading, size = experiment.parsed[key], experiment.structure.of(key).size
    found, _ = read_number(value, reading.unit, reading.declared, size=size, seed=seed, key=key)
    return found


def _manner(value: Any) -> Any:
    """What decides the shape of a number: one, a list, drawn, a word; in units or relative."""
    if value is None or (isinstance(value, str) and value.isidentifier()):
        return "word", value
    if is_drawn(value):
        return "drawn", "rheobase" in show(value)
    return len(value) if isinstance(value, list) else 0, "rheobase" in show(value)


def _value_of(config: Mapping[str, Any], key: str) -> Any:
    node: Any = config
    for name in key.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
