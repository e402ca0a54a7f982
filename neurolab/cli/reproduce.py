"""``reproduce=<folder>``: a run, or points of a sweep, computed again from the folder and compared.

python -m neurolab reproduce=outputs/2026-01-31/12-00-00
python -m neurolab reproduce=outputs/2026-01-31/12-00-00-sweep points=0,17
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.cli.begun import folder_of, split
from neurolab.cli.resume import updated
from neurolab.problems import ConfigError, Problem
from neurolab.results.batches import PARTIAL, SweepFolder
from neurolab.results.compare import Difference, first_difference
from neurolab.results.plan import flat
from neurolab.results.record import RunRecord
from neurolab.results.run import Run, open_run
from neurolab.results.summary import environment

if TYPE_CHECKING:
    from neurolab.results.sweep import Sweep

__all__ = ["Reproduced", "main", "reproduce"]

log = logging.getLogger("neurolab")

#: Numbers of a summary that say how it was computed, not what came of it.
_HOW = ("compile_s", "wall_s", "peak_rss_mb", "neuron_updates_per_s", "in_batch")


@dataclass(frozen=True)
class Reproduced:
    """What came of computing again.

    Parameters
    ----------
    steps
        How many were compared.
    differences
        The first difference of each that is not identical: of a run, or of points by their number.
    points
        The points that were computed again; of a run none.
    changed
        What is another here and now: versions, files, the device, the revision.
    """

    steps: int
    differences: Mapping[int | None, Difference | str]
    points: tuple[int, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether all is equal, bit for bit."""
        return not self.differences

    def __str__(self) -> str:
        what = f"{self.steps} steps"
        if self.points:
            what = f"{len(self.points)} point{'s' * (len(self.points) > 1)}, {what} in all"
        lines = [f"identical: {what}"] if self.identical else []
        for point, difference in self.differences.items():
            of = "" if point is None else f"point {point}: "
            lines.append(f"differs: {of}{difference}")
        return "\n".join(lines + [f"changed: {text}" for text in self.changed])


def main(arguments: list[str]) -> int:
    """The command; 1 where something differs."""
    given, overrides = split(arguments, ("reproduce", "points"))
    points = _points(given["points"]) if "points" in given else None
    found = reproduce(given["reproduce"], points, overrides)
    print(found)
    return int(not found.identical)


def reproduce(
    folder: str | Path, points: Sequence[int] | None = None, overrides: Iterable[str] = ()
) -> Reproduced:
    """Compute the run in a folder, or points of a sweep (all that are done, if not given), again
    and compare: identical, or the first difference, and what changed since.

    Parameters
    ----------
    overrides
        What changes no result, as ``device.count=2``.

    Raises
    ------
    ConfigError
        It cannot be computed again.
    """
    folder = folder_of(str(folder), "reproduce")
    if SweepFolder(folder).exists:
        return _sweep(folder, points, list(overrides))
    if points is not None:
        advice = "are of sweeps; this is a run"
        raise ConfigError([Problem("points", ",".join(map(str, points)), advice)])
    record = RunRecord.read(folder)
    config = updated(record, list(overrides))
    from neurolab.engine.device import prepare

    prepare(config.get("device") or {})
    from neurolab.config.experiment import check
    from neurolab.simulation.resume import differences
    from neurolab.simulation.runner import simulate

    then = open_run(folder)
    experiment = replace(check(config), n_steps=max(then.committed_steps, 1))
    outcome = simulate(experiment, None)
    if outcome.run is None or outcome.error is not None:
        raise outcome.error or RuntimeError(outcome.message)
    changed = [f"{one.key}: {one.given}" for one in differences(record, config).values()]
    for number, one in enumerate(record.sessions):
        if "accepted" in one:
            what = ", ".join(one["accepted"])
            changed.append(f"{what} from step {one['from_step']} on, as accepted in {number + 1}.")
    last = record.sessions[-1] if record.sessions else {}
    changed += _machine(last, outcome.summary["device"])
    difference = _difference(then, outcome.run)
    if difference is None and then.summary.get("status") == "completed":
        difference = _of_numbers(then.summary, outcome.summary)
    found: dict[int | None, Difference | str] = {} if difference is None else {None: difference}
    return Reproduced(
        min(then.committed_steps, outcome.run.committed_steps), found, (), (*changed,)
    )


def _sweep(folder: Path, points: Sequence[int] | None, overrides: list[str]) -> Reproduced:
    store = SweepFolder(folder)
    plan, rows = store.plan(), store.rows()
    done = [point for point, row in rows.items() if row["status"] != PARTIAL]
    if other := sorted(set(points or ()) - set(done)):
        advice = f"is not among the {len(done)} points that are done"
        raise ConfigError([Problem("points", str(other[0]), advice)])
    if overrides:
        advice = "is what the sweep is; leave it out"
        raise ConfigError([Problem(text.partition("=")[0], "", advice) for text in overrides])
    from neurolab.engine.device import prepare

    prepare(plan.templates[0].get("device") or {})
    from neurolab.results.sweep import open_sweep
    from neurolab.simulation.stop import StopRequest
    from neurolab.sweep.columns import PointReader
    from neurolab.sweep.compute import compute_groups
    from neurolab.sweep.files import digests
    from neurolab.sweep.refusals import Refusals

    then, chosen = open_sweep(folder), np.array(sorted(set(done if points is None else points)))
    refusals = Refusals(plan)
    refusals.take_over(plan.refused)
    # Of all points, since what differs among them is what the program takes.
    groups, _ = PointReader(plan, refusals).groups(np.flatnonzero(~refusals.bad))
    groups = [group.take(np.flatnonzero(np.isin(group.points, chosen))) for group in groups]
    with TemporaryDirectory(prefix="neurolab-") as place:
        again = SweepFolder(Path(place))
        again.define(plan.to_json())
        with StopRequest() as stop:
            report = compute_groups([group for group in groups if len(group.points)], again, stop)
        if stop.requested:
            raise KeyboardInterrupt
        for problem in report.failed.values():
            raise RuntimeError(problem)
        now, found = open_sweep(Path(place)), dict[int | None, Difference | str]()
        for point in chosen.tolist():
            if (difference := _of_point(then, now, point)) is not None:
                found[point] = difference
        steps = sum(rows[point]["n_steps"] for point in chosen.tolist())
    changed = [text] if (text := plan.changed(digests(plan))) else []
    here = environment()["versions"]
    for name, used in plan.versions.items():
        if here.get(name) not in used:
            changed.append(f"{name} was {', '.join(used)}, is {here.get(name)}")
    last = (store.summary().get("sessions") or [{}])[-1]
    changed += _machine(last, report.device)
    return Reproduced(steps, found, tuple(chosen.tolist()), tuple(changed))


def _of_point(then: Sweep, now: Sweep, point: int) -> Difference | str | None:
    was, is_now = (str(sweep.rows[point]["status"]) for sweep in (then, now))
    if was != is_now:
        return f"it was {was}, and is {is_now}"
    found = _difference(then[point], now[point])
    return found or _of_numbers(then.rows[point], now.rows[point])


def _of_numbers(was: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """The first number of a summary that is another: all that there is of what was not recorded."""
    ours, others = dict(flat(was)), dict(flat(now))
    for key in (key for key in ours if key in others and key not in _HOW):
        one, other = _number(ours[key]), _number(others[key])
        if one != other:
            return f"{key}: {one}, {other}"
    return None


def _number(value: Any) -> float | None:
    """A number of a summary; None for what is none, as NaN, which JSON has not."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        return None
    return None if np.isnan(value) else float(value)


def _difference(then: Run, now: Run) -> Difference | str | None:
    if then.attributes | {"n_points": None} != now.attributes | {"n_points": None}:
        return "another recording"
    found = first_difference(then, now)
    if found is None and then.committed_steps != now.committed_steps:
        return f"it had {then.committed_steps} steps, and has {now.committed_steps}"
    return found


def _machine(session: Mapping[str, Any], device: str) -> list[str]:
    """Where and of which revision a session was, where that is not here and now."""
    now = {"device": device, "git_revision": environment()["git_revision"]}
    return [
        f"{key.replace('_', ' ')} was {session[key]}, is {value}"
        for key, value in now.items()
        if session.get(key) not in (None, "", value)
    ]


def _points(text: str) -> list[int]:
    parts = [part.strip() for part in text.strip("[] ").split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ConfigError([Problem("points", text, "expected numbers of points, as points=0,17")])
    return [int(part) for part in parts]
