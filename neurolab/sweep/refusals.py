"""Points of a plan that cannot be: which, why, and whether a value is wrong by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from neurolab.config.experiment import Experiment
from neurolab.config.projection import at_risk, unfit_synapses
from neurolab.config.recording import over_before
from neurolab.config.resolution import unresolved
from neurolab.config.settings import is_whole
from neurolab.config.shown import without_measure
from neurolab.problems import ConfigError, Problem
from neurolab.results.axes import plain_key
from neurolab.results.plan import Plan
from neurolab.sweep.points import by_code

__all__ = ["Refusals", "refuse_unfit", "refuse_unrecorded"]

_MOST_TOLD = 20


class Refusals:
    """A mask over the points of a plan, with reasons."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.bad = np.zeros(len(plan), bool)
        self._reasons: dict[Problem, list[np.ndarray]] = {}
        #: What is wrong with a value wherever it is used, or with a model that has it.
        self._wrong: dict[Problem, list[np.ndarray]] = {}
        self._known: dict[str, np.ndarray] = {}

    def take_over(self, refused: Mapping[str, np.ndarray]) -> None:
        """These points were refused when the sweep began, by reason."""
        self._known = dict(refused)
        for points in refused.values():
            self.bad[points] = True

    def add(self, problems: Iterable[Problem], points: np.ndarray, by_itself: bool) -> None:
        """These points have these problems; ``by_itself``, whatever their other values."""
        self.bad[points] = True
        for problem in problems:
            self._reasons.setdefault(problem, []).append(points)
            if by_itself:
                self._wrong.setdefault(problem, []).append(points)

    def add_each(self, problem: Problem, points: np.ndarray) -> None:
        """These points have a problem, each with what it gives the key."""
        for axis, place in zip(self.plan.axes, self.plan.places(points), strict=True):
            for column in (c for k, c in axis.columns.items() if plain_key(k) == problem.key):
                for at in np.unique(place).tolist():
                    given = replace(problem, given=column.text(at) or "")
                    self.add([given], points[place == at], True)
                return
        self.add([problem], points, True)

    def by_reason(self) -> dict[str, np.ndarray]:
        """The points that cannot be, each once, by all that is wrong with it."""
        reasons: dict[int, list[str]] = {}
        for problem, parts in self._reasons.items():
            why = f"{problem.key} = {problem.given} {problem.advice}"
            for point in np.unique(np.concatenate(parts)).tolist():
                reasons.setdefault(point, []).append(why)
        found: dict[str, list[int]] = {}
        for point, some in sorted(reasons.items()):
            found.setdefault("; ".join(some), []).append(point)
        return self._known | {why: np.array(points) for why, points in found.items()}

    def raise_if_mistaken(self, strict: bool = True) -> None:
        """Refuse a sweep that was typed wrongly: a value that is wrong at all points that have it,
        or no point that can be (unless not ``strict``, where each may be for how values meet).
        The `ConfigError` tells what is wrong, each once, and where."""
        mistaken, wrong = self._mistaken(), np.zeros(len(self.plan), bool)
        for parts in self._wrong.values():
            wrong[np.concatenate(parts)] = True
        if self.bad.all() and (strict or wrong.all()):
            shown, mistaken = self._reasons, self.bad
        else:
            keys = set(self.plan.keys)
            shown = {p: parts for p, parts in self._wrong.items() if p.key in keys}
        alike: dict[tuple[str, str], tuple[Problem, list[np.ndarray]]] = {}
        for problem, parts in shown.items():  # one mistake may have several values
            alike.setdefault((problem.key, problem.advice), (problem, []))[1].extend(parts)
        problems = []
        for problem, parts in alike.values():
            points = np.unique(np.concatenate(parts))
            points = points[mistaken[points]]
            if points.size:
                more = f" and {points.size - 1} more" if points.size > 1 else ""
                at = f"at point {points[0]}: {' '.join(self.plan.overrides(int(points[0])))}{more}"
                problems.append(Problem(problem.key, problem.given, f"{problem.advice}\n    {at}"))
            if len(problems) == _MOST_TOLD:
                problems.append(Problem("sweep", "", "these are the first; there are more"))
                break
        if problems:
            raise ConfigError(problems)

    def _mistaken(self) -> np.ndarray:
        """The points with a value that is wrong at all points that have it."""
        plan, found = self.plan, np.zeros(len(self.plan), bool)
        if not self._wrong:
            return found
        places = plan.places(np.arange(len(plan)))
        for axis, place in zip(plan.axes, places, strict=True):
            keys, here = set(axis.keys), np.zeros(len(plan), bool)
            for problem, parts in self._wrong.items():
                if problem.key in keys:
                    here[np.concatenate(parts)] = True
            wrong, all_of = (np.bincount(p, minlength=len(axis)) for p in (place[here], place))
            found |= here & (wrong == all_of)[place]
        return found


def refuse_unfit(
    refusals: Refusals,
    points: np.ndarray,
    columns: Mapping[str, np.ndarray],
    experiment: Experiment,
) -> list[Problem]:
    """Refuse the points at which synapses cannot be, a drive relative to the neuron has no finite
    size, or steps do not follow the neuron; warnings of others."""
    numbers, warnings = {**experiment.numbers, **columns}, []
    if not points.size:
        return []
    _refuse_synapses(refusals, points, columns, experiment)
    for problem, bad, certain in unresolved(experiment.structure, numbers, points.size):
        if certain:
            refusals.add([problem], points[bad], False)
        else:
            warnings.append(problem)
    own = [number.key for m in experiment.structure.named().values() for number in m.all_numbers()]
    if any(np.ndim(numbers[key]) != (key in columns) for key in own):
        return warnings  # some have a number for each neuron: these diverge in their first step
    found = without_measure(experiment.structure, experiment.parsed, numbers, points.size)
    for problem, bad in found:
        refusals.add([problem], points[bad], False)
    return warnings


def _refuse_synapses(
    refusals: Refusals,
    points: np.ndarray,
    columns: Mapping[str, np.ndarray],
    experiment: Experiment,
) -> None:
    """Refuse the points of which a projection cannot be: those that draw it alike at once."""
    structure, numbers = experiment.structure, experiment.numbers
    keys = {number.key for of in structure.projections for number in of.rule.all_numbers()}
    keys |= {key for of in at_risk(structure, numbers) for key in of.drawn_from}
    decide = sorted(keys & columns.keys())
    rows = np.stack([np.zeros(points.size), *(columns[key] for key in decide)], axis=1)
    _, alike = np.unique(rows, axis=0, return_inverse=True)
    for some in by_code(alike):
        own = {key: columns[key][some[0]] for key in decide}
        if found := unfit_synapses(structure, {**numbers, **own}, experiment.config):
            refusals.add(found, points[some], False)


def refuse_unrecorded(
    refusals: Refusals, points: np.ndarray, n_steps: np.ndarray, experiment: Experiment
) -> None:
    """Refuse points labelled by a number of recorded neurons that there are not, and those that end
    before anything is recorded."""
    ended = n_steps <= experiment.recorded.start
    if ended.any():
        refusals.add([over_before(experiment.config)], points[ended], False)
    wanted = (experiment.config.get("record") or {}).get("neurons")
    size, swept = experiment.structure.size, set(map(plain_key, refusals.plan.keys))
    if "record.neurons" in swept and is_whole(wanted, size + 1):
        advice = f"is more than there are: size = {size}"
        refusals.add([Problem("record.neurons", str(wanted), advice)], points, False)
