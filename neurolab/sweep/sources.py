"""Where the points of a plan get their values, and these values as numbers, each read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.experiment import Experiment, read_steps
from neurolab.config.values import UnfitValueError, is_drawn, read_number, read_numbers
from neurolab.dynamics import Parameter
from neurolab.problems import Problem, Problems, show
from neurolab.results.axes import Column

__all__ = ["Source"]

#: What is wrong with the values at some places.
Wrong = dict[int, Problem]


@dataclass(eq=False)
class Source:
    """Where some keys get their values: an axis, values that refer to others, the point's index."""

    keys: dict[str, Any]  # Column, or a function of the code
    codes: np.ndarray  # of every point that is read

    def value(self, key: str, code: int) -> Any:
        found = self.keys[key]
        return found.value(code) if isinstance(found, Column) else found(code)

    def kinds(self, key: str, experiment: Experiment) -> np.ndarray:
        """A number for each point: points of one number can be read into one column."""
        codes, inverse = np.unique(self.codes, return_inverse=True)
        number = key in experiment.parsed or key in ("seed", "duration")
        column = self.keys[key]
        if number and isinstance(column, Column) and column.numeric:
            return np.zeros(self.codes.size, np.int64)
        values = [self.value(key, code) for code in codes.tolist()]
        seen: dict[Any, int] = {}
        names = [_manner(value) if number else (type(value), show(value)) for value in values]
        return np.array([seen.setdefault(name, len(seen)) for name in names])[inverse]

    def numbers(
        self, key: str, codes: np.ndarray, experiment: Experiment
    ) -> tuple[np.ndarray, Wrong]:
        """The numbers of a key at some codes, and what is wrong with which of them."""
        reading, column = experiment.parsed[key], self.keys[key]
        if isinstance(column, Column) and column.numeric and reading.shape == ():
            found, _, told = read_numbers(
                column.values[codes], column.unit, reading.unit, reading.declared
            )
            places = sorted(told)
            wrong = {k: Problem(key, str(column.text(int(codes[k]))), told[k]) for k in places}
            return found, wrong
        rows, wrong = [], {}
        size = experiment.structure.size
        nothing = np.zeros(reading.shape)
        for place, code in enumerate(codes.tolist()):
            value = self.value(key, code)
            try:
                found, _ = read_number(
                    value, reading.unit, reading.declared, size=size, seed=0, key=key
                )
            except UnfitValueError as error:
                found, wrong[place] = nothing, Problem(key, show(value), str(error))
            rows.append(found)
        return np.stack(rows), wrong

    def seeds(self, codes: np.ndarray) -> tuple[np.ndarray, Wrong]:
        """The seeds at some codes, and what is wrong with which of them."""
        values = [self.value("seed", code) for code in codes.tolist()]
        whole = [isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2**32 for v in values]
        advice = "expected a whole number, 0 to 4294967295"
        wrong = {k: Problem("seed", show(v), advice) for k, v in enumerate(values) if not whole[k]}
        return np.array([v if fits else 0 for v, fits in zip(values, whole, strict=True)]), wrong

    def durations(self, codes: np.ndarray, config: Mapping[str, Any]) -> tuple[np.ndarray, Wrong]:
        column, wrong = self.keys["duration"], {}
        found, suspects = np.zeros(codes.size, np.int64), np.arange(codes.size)
        if isinstance(column, Column) and column.numeric:
            time = Parameter(None, "", positive=True)
            times, _, told = read_numbers(column.values[codes], column.unit, u.ms, time)
            steps = np.rint(times / read_steps(config, Problems())[0])
            odd = (steps < 2) | (steps >= 2**31)
            odd[list(told)] = True
            found[~odd], suspects = steps[~odd], np.flatnonzero(odd)
        for place in suspects.tolist():
            problems = Problems()
            value = self.value("duration", int(codes[place]))
            found[place] = read_steps({**config, "duration": value}, problems)[1]
            if problems.found:
                wrong[place] = problems.found[0]
        return found, wrong


def _manner(value: Any) -> Any:
    """What decides the shape of a number: one, a list, drawn; in units or relative."""
    if is_drawn(value):
        return "drawn", "rheobase" in show(value)
    return len(value) if isinstance(value, list) else 0, "rheobase" in show(value)
