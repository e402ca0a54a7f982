"""The points of a plan as structures and numbers: which of them one program can compute.

Reading a configuration takes milliseconds, so one point of each structure is read whole; of the
others the numbers, a value of an axis once for all that have it (`neurolab.sweep.columns`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurolab.config.doubts import doubts
from neurolab.config.experiment import Experiment
from neurolab.engine.sizes import as_large, with_sizes, without_sizes
from neurolab.problems import Problem

__all__ = ["Group", "by_code", "join"]


@dataclass(eq=False)
class Group:
    """Points that one program computes together.

    Parameters
    ----------
    experiment
        Of its first point; the arrays of the structure are large enough for all points.
    points
        Their indices in the plan.
    n_steps
        Of each of them.
    columns
        The numbers that differ among them, points first.
    """

    experiment: Experiment
    points: np.ndarray
    n_steps: np.ndarray
    columns: dict[str, np.ndarray]

    @property
    def config(self) -> Mapping[str, Any]:
        """Of its first point."""
        return self.experiment.config

    @property
    def varying(self) -> list[str]:
        """Keys of the numbers that are not the same for all points."""
        return sorted(self.columns)

    def numbers(self, rows: Any) -> dict[str, Any]:
        """The numbers of a point; or of some, the varying ones with an axis of points in front."""
        own = {key: column[rows] for key, column in self.columns.items()}
        return {**self.experiment.numbers, **own}

    def take(self, rows: np.ndarray) -> Group:
        """The group of these rows alone."""
        columns = {key: column[rows] for key, column in self.columns.items()}
        return replace(self, points=self.points[rows], n_steps=self.n_steps[rows], columns=columns)


def join(parts: Sequence[Group]) -> tuple[list[Group], list[Problem]]:
    """Groups of those parts that one program computes, the points of each in order; and warnings
    of what they do, each once."""
    together: list[list[Group]] = []
    for part in parts:
        alike = next((some for some in together if _alike(some[0], part)), None)
        if alike is None:
            together.append(alike := [])
        alike.append(part)
    groups = [_joined(some) for some in together]
    warnings: list[Problem] = []
    for group in groups:
        structure = group.experiment.structure
        numbers = {**group.experiment.numbers, **group.columns}
        found = doubts(structure, numbers)
        keys = {problem.key for problem in found}
        found += [one for one in group.experiment.warnings if one.key not in keys]
        warnings += [problem for problem in found if problem not in warnings]
    return groups, warnings


def _alike(one: Group, other: Group) -> bool:
    """Whether one program computes both."""
    return (
        one.experiment.recorded == other.experiment.recorded
        and one.config.get("device") == other.config.get("device")
        and _shapes(one) == _shapes(other)
        and without_sizes(one.experiment.structure) == without_sizes(other.experiment.structure)
    )


def _shapes(group: Group) -> dict[str, tuple[int, ...]]:
    return {key: np.shape(value) for key, value in group.experiment.numbers.items()}


def _joined(parts: Sequence[Group]) -> Group:
    """Groups as one, with arrays large enough for all points; the parts come by first point."""
    first = parts[0]
    structure, base = first.experiment.structure, first.experiment.numbers
    keys = {key for part in parts for key in part.columns}
    for part in parts[1:]:
        own = part.experiment.numbers
        keys |= {key for key, value in own.items() if not np.array_equal(value, base[key])}
        structure = as_large(structure, part.experiment.structure)
    points = np.concatenate([part.points for part in parts])
    order = np.argsort(points)
    columns = {
        key: np.concatenate([_column(part, key) for part in parts])[order] for key in sorted(keys)
    }
    n_steps = np.concatenate([part.n_steps for part in parts])[order]
    experiment = replace(
        first.experiment,
        structure=with_sizes(structure, base, columns),
        warnings=tuple(dict.fromkeys(one for part in parts for one in part.experiment.warnings)),
    )
    return Group(experiment, points[order], n_steps, columns)


def _column(group: Group, key: str) -> np.ndarray:
    """A number of every point, whether or not it differs among them."""
    if key in group.columns:
        return group.columns[key]
    value = np.asarray(group.experiment.numbers[key])
    return np.broadcast_to(value, (len(group.points), *value.shape))


def by_code(codes: np.ndarray) -> list[np.ndarray]:
    """Where each code is, for codes from 0 on."""
    codes = codes.ravel()
    if not codes.size:
        return []
    ends = np.cumsum(np.bincount(codes))
    return np.split(np.argsort(codes, kind="stable"), ends[:-1])
