"""Values of variables that a summary has: their mean, spread, bounds, and what they end at.

For samples x of N neurons in n steps, those of ``record.interval``, of points computed together:

    mean = sum x / nN    std = sqrt(sum (x - mean)^2 / nN)    final = sum of the last samples / N

`min` and `max` are over all of them.  Sums are of differences from the first sample, in float64, of
neurons and then of samples in their order: they are the same however long chunks are, alone and
among other points, and a constant has no spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.config.experiment import Experiment
from neurolab.engine.structure import short_name
from neurolab.results.layout import kept
from neurolab.units import unit_text

if TYPE_CHECKING:
    from neurolab.simulation.computation import Computation

__all__ = ["Measured", "Samples"]

#: Of a chunk, by variable: sum, sum of squares, least, largest over neurons, [4, points, samples].
Samples = dict[str, np.ndarray]

#: What is held of a variable for each point, one after the other.
_COUNT, _SUM, _SQUARES, _LEAST, _LARGEST, _LAST, _FIRST = range(7)


class Measured:
    """What of their variables is in the summaries of points that are computed together.

    Parameters
    ----------
    experiment
        Says which (`RecordSettings.measured`).
    n_points
        How many points there are.
    """

    def __init__(self, experiment: Experiment, n_points: int) -> None:
        self._of, self._n = experiment, n_points
        measures = experiment.recorded.measured
        self.variables = tuple(dict.fromkeys(measure.variable for measure in measures))
        nothing = np.zeros((n_points, 7))
        nothing[:, [_LEAST, _LARGEST]] = np.inf, -np.inf
        self._held = {name: nothing.copy() for name in self.variables}
        #: The mean over neurons of the first sample, from which others are counted; NaN before it.
        self._origin = {name: np.full(n_points, np.nan) for name in self.variables}

    def chunk(
        self, computation: Computation, records: Mapping[str, Any], first: int, n: int
    ) -> tuple[dict[str, np.ndarray], Samples, np.ndarray]:
        """Of the samples in ``n`` steps from ``first`` on: those that are written, by the names of
        results; what is to be added of those that are measured; how many count of each point."""
        of, every = self._of, self._of.structure.recording.every
        before = max(first, of.recorded.start) // every
        there = kept(first + n, every, before * every)
        left_out = before - first // every
        counted = np.clip(computation.steps // every - before, 0, there)
        traces, measured = {}, {}
        for name in of.structure.recording.variables:
            group = of.structure.of(name)
            values = of.in_shown_unit(name, np.asarray(records[name]))
            values = values.reshape(-1, *values.shape[-2:])[: self._n]
            values = values[:, left_out : left_out + there]
            values = values[..., computation.program.columns[group.prefix]]
            if name in self.variables:
                measured[name] = self.samples(name, values, counted)
            if name in of.recorded.traced:  # some, of all that the program hands out
                own = of.recorded.chosen(group) if self.variables else slice(None)
                traces[short_name(name)] = values[..., own]
        return traces, measured, counted

    def samples(self, name: str, values: np.ndarray, counted: np.ndarray) -> np.ndarray:
        """What is to be added of a chunk of a variable, [points, samples, neurons], of which some
        samples of each point are ``counted``: sums over neurons."""
        values = np.ascontiguousarray(values, np.float64)
        origin = self._origin[name]
        new = np.isnan(origin) & (counted > 0)
        with np.errstate(all="ignore"):  # of what diverged, which is not counted
            if new.any():
                origin[new] = values[new, 0].mean(axis=-1)
            off = values - origin[:, None, None]
            sums = [off.sum(axis=-1), np.square(off).sum(axis=-1)]
            return np.stack([*sums, values.min(axis=-1), values.max(axis=-1)])

    def add(self, samples: Samples, counted: np.ndarray) -> None:
        """Count the samples of a chunk, which follow those before."""
        at = np.arange(self._n), counted  # among those before and each of the chunk's
        for name, (sums, squares, least, largest) in samples.items():
            held = self._held[name]
            with np.errstate(all="ignore"):
                for place, rows, gather in (
                    (_SUM, sums, np.add),
                    (_SQUARES, squares, np.add),
                    (_LEAST, least, np.minimum),
                    (_LARGEST, largest, np.maximum),
                ):
                    every = np.concatenate([held[:, place, None], rows], axis=1)
                    held[:, place] = gather.accumulate(every, axis=1)[at]
            held[:, _LAST] = np.concatenate([held[:, _LAST, None], sums], axis=1)[at]
            held[:, _COUNT] += counted

    def state(self) -> dict[str, np.ndarray]:
        """What it holds, by name."""
        found = {}
        for name, held in self._held.items():
            held[:, _FIRST] = self._origin[name]
            found[f"measured/{name}"] = held
        return found

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Hold what `state` gave."""
        for name in self.variables:
            self._held[name] = np.array(state[f"measured/{name}"], np.float64)
            self._origin[name] = self._held[name][:, _FIRST].copy()

    def results(self, k: int, population: str, known: bool = True) -> dict[str, tuple[Any, str]]:
        """Each value of a point, of one population, and its unit; None where nothing is ``known``
        of it, or there was no sample."""
        found = {}
        for measure in self._of.recorded.measured:
            group = self._of.structure.of(measure.variable)
            if group.name == population:
                counted = known and self._held[measure.variable][k, _COUNT] > 0
                value = self._value(measure.variable, measure.how, k, group.size)
                unit = unit_text(self._of.shown[measure.variable]) or "1"
                found[measure.own_name] = (value if counted else None, unit)
        return found

    def _value(self, name: str, how: str, k: int, size: int) -> float:
        held, origin = self._held[name][k], self._origin[name][k]
        n = max(held[_COUNT], 1) * size
        mean = held[_SUM] / n
        return float(
            {
                "mean": origin + mean,
                "std": np.sqrt(max(held[_SQUARES] / n - mean * mean, 0.0)),
                "min": held[_LEAST],
                "max": held[_LARGEST],
                "final": origin + held[_LAST] / size,
            }[how]
        )
