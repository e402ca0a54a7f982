"""A sweep, from the overrides of its jobs to its folder.  Read this first.

    templates, points = compose_points(jobs, ...)    # compose.py: configurations, few by Hydra
    groups = group_points(templates, points)         # points.py: structures, and numbers that vary
    compute_groups(groups, ...)                      # compute.py: batches of points, committed
    gather(folder)                                   # table, arrays, pictures, summary

What is wrong with the values as they were typed is told before anything runs.  A point that cannot
be run for how its values meet, that diverges or fails is marked in the table, and the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.cli.points import Composer, Point, compose_points
from neurolab.config.settings import Settings
from neurolab.engine.device import choose as choose_devices
from neurolab.engine.device import prepare
from neurolab.problems import ConfigError, Problem, Problems
from neurolab.results.batches import SweepFolder
from neurolab.results.status import StatusFile
from neurolab.results.table import axes_of
from neurolab.simulation.stop import StopRequest
from neurolab.sweep.executors import Executor
from neurolab.trackers import NoTracker
from neurolab.trackers.telling import Telling

if TYPE_CHECKING:
    from neurolab.sweep.points import Group

__all__ = ["SweepOutcome", "run_sweep"]

log = logging.getLogger("neurolab")


@dataclass
class SweepOutcome:
    """How a sweep ended: the row of each point, and an exit code."""

    folder: Path
    exit_code: int = 0
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def run_sweep(
    jobs: Sequence[Sequence[str]],
    compose: Composer,
    folder: Path,
    settings: Settings,
    axes: Sequence[Mapping[str, Any]] | None = None,
    executor: Executor | None = None,
    first: int = 0,
) -> SweepOutcome:
    """Compute the jobs, or what of them is missing in the folder.

    Parameters
    ----------
    jobs
        The overrides of each point.
    axes
        Names and keys of the axes they span; found from the jobs if not given.
    executor
        Where to compute; here if not given.
    first
        Index of the first job: those before it are in the folder already.

    Raises
    ------
    ConfigError
        Before anything is computed.
    """
    began = time.perf_counter()
    store = SweepFolder(folder)
    before = store.definition() if first or settings.resume else None
    templates, points = compose_points(jobs, first, compose)
    for template in templates:
        template.pop("sweep", None)
    composed = time.perf_counter() - began
    prepare((templates[0].get("device") if templates else None) or {})
    from neurolab.sweep.definition import define, differences, extend
    from neurolab.sweep.points import group_points, mistakes
    from neurolab.sweep.tracking import SweepTelling

    imported = time.perf_counter()
    groups, warnings = group_points(templates, points)
    _refuse(points, mistakes(points))
    for warning in warnings:
        log.warning("%s = %s %s", warning.key, warning.given, warning.advice)
    if executor is None:
        _check_devices(groups)
    definition = define(templates, points, groups, axes or axes_of(jobs))
    if before is not None and settings.resume:
        found = differences(before, definition)
        if found:
            raise ConfigError([Problem("sweep.resume", str(folder), f"is another sweep: {found}")])
        definition = before
    elif before is not None:
        definition = extend(before, definition)
    store.define(definition)
    store.forget()
    composed += time.perf_counter() - imported
    done = store.done()
    missing = [p for p in points if not p.problems and p.index not in done]
    wanted = np.array([point.index for point in missing], np.int64)
    all_groups = [g.take(np.flatnonzero(np.isin(g.points, wanted))) for g in groups]
    groups = [group for group in all_groups if len(group.points)]
    from neurolab.sweep.gather import gather
    from neurolab.sweep.progress import SweepProgress

    total = sum(not point.problems for point in points)
    tracker = all_groups[0].experiment.tracker() if all_groups else NoTracker()
    with Telling(tracker) as told, StatusFile(folder) as status:
        telling = SweepTelling(told, folder, all_groups, templates)
        telling.start(definition)
        with StopRequest() as stop, SweepProgress(status, total, total - len(missing)) as progress:
            if executor is None:
                from neurolab.sweep.compute import compute_groups

                report = compute_groups(groups, store, stop, progress.update, settings.batch)
            else:
                report = executor.compute(templates, missing, store, stop, progress, settings.batch)
        store.fail(report.failed)
        store.tidy()
        outcome = SweepOutcome(folder, rows=store.all_rows(definition))
        times = {"compose_s": composed, "wall_s": time.perf_counter() - began}
        outcome.summary = gather(store, definition, outcome.rows, report, times, stop.requested)
        done = store.done()
        ended = sum(not p.problems and p.index in done for p in points)
        progress.end(outcome.summary["status"], ended)
        bad = [row for row in outcome.rows.values() if row["status"] != "completed"]
        outcome.exit_code = 128 + stop.requested if stop.requested else int(bool(bad))
        telling.finish(outcome.exit_code, outcome.summary, outcome.rows)
    return outcome


def _check_devices(groups: Sequence[Group]) -> None:
    problems = Problems()
    for group in groups:
        choose_devices(group.config.get("device") or {}, None, problems)
    problems.raise_if_any()


def _refuse(points: Sequence[Point], found: Mapping[int, tuple[Problem, ...]]) -> None:
    """Tell mistakes, each once, with the points it is at."""
    where: dict[Problem, list[int]] = {}
    for index, problems in found.items():
        for problem in problems:
            where.setdefault(problem, []).append(index)
    if not where:
        return
    by_index = {point.index: point for point in points}
    told = []
    for problem, indices in where.items():
        at = f"point {indices[0]}: {' '.join(by_index[indices[0]].overrides)}"
        more = f" and {len(indices) - 1} more" if len(indices) > 1 else ""
        told.append(Problem(problem.key, problem.given, f"{problem.advice}\n    at {at}{more}"))
    raise ConfigError(told)
