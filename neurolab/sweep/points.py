"""The points of a sweep as structures and numbers: which of them one program can compute.

Reading a configuration takes milliseconds, so the first point of each kind is read whole; for one
that differs from it in numbers only, those numbers are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurolab.cli.points import Point, configuration
from neurolab.config.experiment import Experiment, read_experiment, read_steps, short_times
from neurolab.config.reader import disorder
from neurolab.config.values import UnfitValueError, is_drawn, read_number
from neurolab.engine.sizes import larger, with_sizes, without_sizes
from neurolab.engine.structure import Part, Structure
from neurolab.problems import ConfigError, Problem, Problems, show

__all__ = ["Group", "Lane", "group_points", "mistakes"]


@dataclass
class Lane:
    """A point as numbers: those in which it differs from its group's first."""

    point: Point
    numbers: dict[str, Any]
    n_steps: int


@dataclass
class Group:
    """Points that one program computes together.

    Attributes
    ----------
    experiment, config
        Of the first of them; the structure's arrays are large enough for all.
    points, n_steps
        Their indices, and the steps of each.
    columns
        The numbers that are not the same for all, points along the first axis.
    """

    experiment: Experiment
    config: dict[str, Any]
    points: np.ndarray
    n_steps: np.ndarray
    columns: dict[str, np.ndarray]
    lanes: list[Lane]

    @property
    def varying(self) -> list[str]:
        """Keys of the numbers that are not the same for all points."""
        return sorted(self.columns)

    def numbers(self, rows: np.ndarray) -> dict[str, Any]:
        """The numbers of some points: the varying ones with an axis of points in front."""
        return {**self.experiment.numbers, **{k: v[rows] for k, v in self.columns.items()}}

    def take(self, rows: np.ndarray) -> Group:
        """Some of the points."""
        columns = {key: column[rows] for key, column in self.columns.items()}
        lanes = [self.lanes[row] for row in rows]
        points, n_steps = self.points[rows], self.n_steps[rows]
        return replace(self, points=points, n_steps=n_steps, columns=columns, lanes=lanes)


@dataclass
class _Members:
    """A group that is being gathered."""

    experiment: Experiment
    config: dict[str, Any]
    lanes: list[Lane]

    def __post_init__(self) -> None:
        self.reference = self.experiment
        self._bare = without_sizes(self.experiment.structure)
        self._shapes = _shapes(self.experiment)
        self._device = self.config.get("device")

    def takes(self, experiment: Experiment, config: Mapping[str, Any]) -> bool:
        """Whether another experiment runs by the same program."""
        return (
            experiment.kept == self.experiment.kept
            and config.get("device") == self._device
            and _shapes(experiment) == self._shapes
            and without_sizes(experiment.structure) == self._bare
        )

    def group(self) -> Group:
        base = self.experiment.numbers
        varying = sorted({key for lane in self.lanes for key in lane.numbers})
        columns = {
            key: np.stack([np.asarray(lane.numbers.get(key, base[key])) for lane in self.lanes])
            for key in varying
        }
        structure = with_sizes(self.experiment.structure, base, columns)
        return Group(
            replace(self.experiment, structure=structure),
            self.config,
            np.array([lane.point.index for lane in self.lanes], np.int64),
            np.array([lane.n_steps for lane in self.lanes], np.int64),
            columns,
            self.lanes,
        )


def _shapes(experiment: Experiment) -> dict[str, tuple[int, ...]]:
    return {key: np.shape(value) for key, value in experiment.numbers.items()}


def group_points(
    templates: Sequence[Mapping[str, Any]], points: Iterable[Point]
) -> tuple[list[Group], list[Problem]]:
    """The groups of the points; what is wrong with one is added to its problems.

    Also returns warnings.
    """
    reader = _PointReader(templates)
    gathered: list[_Members] = []
    for point in points:
        if point.problems:
            continue
        try:
            experiment, lane = reader.read(point)
        except ConfigError as error:
            point.problems = error.problems
            continue
        _join(gathered, experiment, lane, templates[point.template])
    groups = [members.group() for members in gathered]
    warnings: list[Problem] = []
    for group in groups:
        structure = group.experiment.structure
        numbers = group.numbers(np.arange(len(group.points)))
        found = short_times(structure.neuron, numbers, structure.dt_ms)
        warnings += [problem for problem in found if problem not in warnings]
    return groups, warnings


def mistakes(points: Sequence[Point]) -> dict[int, tuple[Problem, ...]]:
    """Points that are wrong for what was typed, not for how values meet there.

    A value that is wrong wherever it is used cannot be meant; nor can a sweep without any right
    point.
    """
    bad = {point.index: point for point in points if point.problems}
    if len(bad) == len(points):
        return {index: point.problems for index, point in bad.items()}
    good = {text for point in points if not point.problems for text in point.overrides}
    found = {}
    for index, point in bad.items():
        keys = {problem.key for problem in point.problems}
        wrong = [text for text in point.overrides if text not in good]
        if any(text.lstrip("+").partition("=")[0] in keys for text in wrong):
            found[index] = point.problems
    return found


@dataclass
class _Reference:
    """A point that was read whole."""

    experiment: Experiment
    config: dict[str, Any]
    changes: dict[str, Any]
    drawn: list[str]


class _PointReader:
    def __init__(self, templates: Sequence[Mapping[str, Any]]) -> None:
        self.templates = templates
        self.references: dict[int, list[_Reference]] = {}
        self.read_values: dict[Any, Any] = {}

    def read(self, point: Point) -> tuple[Experiment, Lane]:
        references = self.references.setdefault(point.template, [])
        for reference in references:
            lane = self._as_numbers(reference, point)
            if lane is not None:
                return reference.experiment, lane
        config = configuration(self.templates[point.template], point.changes)
        experiment = read_experiment(config)
        drawn = [k for k in experiment.readings if is_drawn(_value_of(config, k))]
        references.append(_Reference(experiment, config, point.changes, drawn))
        return experiment, Lane(point, {}, experiment.n_steps)

    def _as_numbers(self, reference: _Reference, point: Point) -> Lane | None:
        """The point as numbers beside the reference's; None if it differs in more than these."""
        template, base = self.templates[point.template], reference.experiment
        changed = {}
        for key in {**reference.changes, **point.changes}:
            there = reference.changes.get(key, _value_of(template, key))
            here = point.changes.get(key, _value_of(template, key))
            if here != there or type(here) is not type(there):
                changed[key] = here
        if any(key not in base.readings and key not in ("seed", "duration") for key in changed):
            return None
        numbers, n_steps, problems = {}, base.n_steps, Problems()
        seed = changed.get("seed", int(base.numbers["seed"]))
        if "seed" in changed:
            if not isinstance(seed, int) or not 0 <= seed < 2**32:
                return None
            numbers["seed"] = np.uint32(seed)
            changed |= {k: _value_of(reference.config, k) for k in reference.drawn} | changed
        if "duration" in changed:
            timed = {**reference.config, "duration": changed["duration"]}
            _, n_steps = read_steps(timed, problems)
        for key, value in changed.items():
            if key not in base.readings:
                continue
            found = self._number(base, key, value, seed, key in reference.drawn, problems)
            if found is None:
                return None
            numbers[key] = found
        if problems.found:
            return None  # reading it whole tells all of them
        values = {**base.numbers, **numbers}
        for name, part in _parts(base.structure):
            if any(key.startswith(f"{name}.") for key in numbers) and disorder(part, name, values):
                return None
        return Lane(point, numbers, n_steps)

    def _number(
        self, base: Experiment, key: str, value: Any, seed: int, drawn: bool, problems: Problems
    ) -> Any:
        reading = base.readings[key]
        memo = (id(base), key, show(value), type(value), seed if drawn else None)
        if memo not in self.read_values:
            try:
                numbers, relative = read_number(
                    value,
                    reading.unit,
                    reading.declared,
                    size=base.structure.size,
                    seed=seed,
                    key=key,
                )
                fits = relative == reading.relative and np.shape(numbers) == reading.shape
                fits = fits and (drawn or not is_drawn(value))
            except UnfitValueError as error:
                problems.add(key, show(value), str(error))
                fits = False
            self.read_values[memo] = numbers if fits else None
        return self.read_values[memo]


def _join(
    groups: list[_Members], experiment: Experiment, lane: Lane, template: Mapping[str, Any]
) -> None:
    """Add a lane to the group that its structure fits, or to a new one."""
    for group in groups:
        if experiment is group.reference:
            group.lanes.append(lane)
            return
        if group.takes(experiment, template):
            base, own = group.experiment.numbers, {**experiment.numbers, **lane.numbers}
            differ = {k: v for k, v in own.items() if not np.array_equal(v, base[k])}
            group.lanes.append(replace(lane, numbers=differ))
            structure = _larger(group.experiment.structure, experiment.structure)
            group.experiment = replace(group.experiment, structure=structure)
            return
    groups.append(_Members(experiment, dict(template), [lane]))


def _larger(one: Structure, other: Structure) -> Structure:
    pairs = zip(one.inputs, other.inputs, strict=True)
    return replace(one, inputs=tuple((name, larger(a, b)) for (name, a), (_, b) in pairs))


def _parts(structure: Structure) -> list[tuple[str, Part]]:
    named = [
        ("neuron", structure.neuron),
        ("synapse", structure.synapse),
        ("synapse.output", structure.output),
        *structure.inputs,
    ]
    return [(name, part) for name, part in named if part is not None]


def _value_of(config: Mapping[str, Any], key: str) -> Any:
    node: Any = config
    for name in key.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
