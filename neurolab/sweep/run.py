"""A sweep, from its composed plan to its folder.  Read this first.

    plan = read_plan(...), compose_plan(plan, ...)   # cli/: axes, and templates composed by Hydra
    groups = PointReader(plan, ...).groups(points)   # columns.py: structures, numbers that vary
    compute_groups(groups, ...)                      # compute.py: batches of points, committed
    gather(folder)                                   # table, arrays, pictures, summary

What is wrong with the values as they were typed is told before anything runs.  A point that cannot
be run for how its values meet, that diverges or fails is marked in the table, and the others go on.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from neurolab.config.settings import Settings
from neurolab.engine.device import prepare
from neurolab.problems import ConfigError, Problem, tell
from neurolab.report.live import LivePage
from neurolab.results.batches import SweepFolder
from neurolab.results.digests import changes_results
from neurolab.results.lease import Lease
from neurolab.results.plan import Plan
from neurolab.results.same import differs
from neurolab.results.status import StatusFile
from neurolab.results.table import Table
from neurolab.simulation.stop import StopRequest
from neurolab.sweep.executors import Executor
from neurolab.sweep.ranges import add_coordinates
from neurolab.sweep.refusals import Refusals
from neurolab.sweep.words import described, title_of
from neurolab.trackers import NoTracker
from neurolab.trackers.session import TrackerSession

if TYPE_CHECKING:
    from neurolab.sweep.points import Group

__all__ = ["SweepOutcome", "run_sweep"]

log = logging.getLogger("neurolab")


@dataclass
class SweepOutcome:
    """How a sweep ended: what became of each point, and an exit code."""

    plan: Plan
    table: Table
    exit_code: int = 0
    summary: dict[str, Any] = field(default_factory=dict)


def run_sweep(
    plan: Plan,
    refused: Iterable[tuple[Iterable[Problem], np.ndarray]] | Mapping[str, np.ndarray],
    folder: Path,
    settings: Settings,
    executor: Executor | None = None,
    first: int = 0,
    *,
    began: float,
    started: str | None = None,
    strict: bool = True,
    on_begin: Callable[[], None] = lambda: None,
    lease: Lease | None = None,
) -> SweepOutcome:
    """Compute the points of a plan, or what of them is missing in the folder.

    Parameters
    ----------
    refused
        What could not be composed, and of which points; of a plan that was begun, what was refused.
    executor
        Where to compute; here if not given.
    first
        The first point to compute: those before it were in an earlier round.
    began
        The time when composing began, of ``time.perf_counter``.
    started
        The date and time of the session of which this is a round; now if not given.
    strict
        Whether a sweep of which every point is refused is so itself, by a `ConfigError`.
    on_begin
        Called once the folder has what the sweep is, before anything is computed.
    lease
        The folder's: nothing is written once it is lost.
    """
    store = SweepFolder(folder, None if lease is None else lease.token)
    refusals = Refusals(plan)
    if isinstance(refused, Mapping):
        refusals.take_over(refused)
    else:
        for problems, points in refused:
            for problem in problems:
                refusals.add_each(problem, points)
    device = (plan.templates[0].get("device") if plan.templates else None) or {}
    composed = time.perf_counter() - began
    prepare(device)
    from neurolab.results.digests import versions
    from neurolab.simulation.needs import Needs, doubted, needs_of, refuse
    from neurolab.sweep.columns import PointReader
    from neurolab.sweep.compute import compute_groups, devices_of
    from neurolab.sweep.files import digests
    from neurolab.sweep.gather import gather
    from neurolab.sweep.progress import SweepProgress
    from neurolab.sweep.sessions import begin
    from neurolab.sweep.tracking import SweepSession

    imported = time.perf_counter()
    with Console(stderr=True).status(f"reading {len(plan):,} points"):
        groups, warnings = PointReader(plan, refusals).groups(np.flatnonzero(~refusals.bad))
    if strict or not first:
        refusals.raise_if_mistaken(strict)
    each = (needs_of(group.experiment, group.n_steps, group.numbers(...)) for group in groups)
    needs = sum(each, Needs())
    refuse(needs, folder)
    for group in groups if executor is None else ():
        devices_of(group)  # or it is told now that they are not there
    tell([*warnings, *doubted(needs, folder)])
    plan.refused, plan.title, plan.files = refusals.by_reason(), title_of(plan), digests(plan)
    plan.about = described(plan)
    plan.versions = versions()
    for axis in plan.axes:
        add_coordinates(axis)
    accepted = _accepted(store, plan, settings) if settings.accept else {}
    plan, known = _begun(store, plan, settings, first, strict, groups)
    on_begin()
    failed = store.failures() if first else {}
    store.forget()
    composed += time.perf_counter() - imported
    if settings.resume or first:
        begin(store, len(known.where("completed", "diverged")))
        store.tidy()
    missing = known.where("missing", "partial", "failed", "damaged")
    missing = missing[(missing >= first) & ~refusals.bad[missing]]
    all_groups, total = groups, len(plan) - int(refusals.bad.sum())
    # What was accepted would be in the middle of a point.
    begun = {} if executor is not None or settings.accept else store.stopped()
    wanted = np.union1d(missing, [point for points in begun.values() for point in points])
    groups = [group.take(np.flatnonzero(np.isin(group.points, wanted))) for group in groups]
    groups = [group for group in groups if group.points.size]
    tracker = all_groups[0].experiment.tracker() if all_groups else NoTracker()
    with (
        store.or_nothing(),
        TrackerSession(tracker) as tracking,
        LivePage(folder) as page,
        StatusFile(folder, started, lease, page.tell) as status,
    ):
        session = SweepSession(tracking, store, all_groups, plan)
        session.start()
        with StopRequest() as stop:
            with SweepProgress(status, total, total - len(missing)) as progress:
                if executor is None:
                    given = groups, store, stop, progress.tell, settings.batch, begun, missing
                    report = compute_groups(*given)
                else:
                    batch = settings.batch
                    report = executor.compute(device, missing, store, stop, progress, batch)
            page.end()
            store.check()
            times = {"compose_s": composed, "wall_s": time.perf_counter() - began, **accepted}
            try:
                store.fail({index: row["message"] for index, row in failed.items()} | report.failed)
                store.tidy()
                table = Table(plan, store)
                summary, shown = gather(store, plan, table, report, times, status.started)
            except OSError as error:
                store.check_after(error)
                raise
            outcome = SweepOutcome(plan, table, summary=summary)
            progress.say(summary["status"], len(table) - int(refusals.bad.sum()))
            whole = shown and len(table.where("completed")) == len(plan)
            stopped = stop.requested and summary["status"] == "interrupted"
            outcome.exit_code = 128 + stop.requested if stopped else int(not whole)
            session.finish(outcome.exit_code, outcome.summary, table)
    return outcome


def _begun(
    store: SweepFolder,
    plan: Plan,
    settings: Settings,
    first: int,
    strict: bool,
    groups: Iterable[Group],
) -> tuple[Plan, Table]:
    """The plan of the folder, and what became of its points: the plan that was begun there, if it
    is to be gone on with."""
    if settings.resume and not first:
        try:
            store.summary()  # which is added to
            before = store.plan()
            known = Table(before, store)
            extended = len(plan.earlier) > len(before.earlier)
            other = _noted(before, plan, settings.accept)
            other = other or ("" if strict else _round(before, plan))
            same = before.changed(plan.files, settings.accept) if extended else ""
            other = other or same or ("" if extended else differs(plan, before, settings.accept))
            advice = "compute this one in another folder"
            if before.changed(plan.files, settings.accept):
                advice = f"put back what it was, or {advice}"
            found = other and f"is another sweep: {other}; {advice}"
        except ValueError as error:
            found = str(error)
        if found:
            raise ConfigError([Problem("sweep.resume", str(store.path), found)])
        if extended:
            _check_ends(plan, known, groups)
            from neurolab.sweep.sessions import begin

            begin(store, len(known.where("completed", "diverged")))
            store.forget()
            plan.files = before.files | plan.files
            store.define(plan.to_json())
            return plan, Table(plan, store)
        was = before.files, before.versions, copy.deepcopy(before.templates)
        before.files, before.versions = before.files | plan.files, plan.versions
        for kept, now in zip(before.templates, plan.templates, strict=False):
            kept |= {key: now[key] for key in now if not changes_results(key)}
        if (before.files, before.versions, before.templates) != was:  # tasks read it
            store.define(before.to_json())
        return before, known
    if not first:
        store.forget_record()
    store.define(plan.to_json())
    return plan, Table(plan, store)


def _accepted(store: SweepFolder, plan: Plan, settings: Settings) -> dict[str, Any]:
    """What differs from when a sweep began and is accepted, for the record.

    Raises
    ------
    ConfigError
        What is accepted is no such thing, or does not differ.
    """
    found = store.plan().differences(plan)
    if others := sorted(set(settings.accept) - found.keys()):
        differs = f"what differs is {', '.join(found)}" if found else "nothing of these differs"
        advice = f"of a sweep versions, files or source may differ, and {differs}"
        raise ConfigError([Problem("resume.accept", ", ".join(others), advice)])
    return {"accepted": {kind: found[kind] for kind in settings.accept}}


def _check_ends(plan: Plan, known: Table, groups: Iterable[Group]) -> None:
    """That no point of a sweep that is extended ends before it did.

    Raises
    ------
    ConfigError
        One does.
    """
    ends = np.full(len(plan), np.inf)
    for group in groups:
        ends[group.points] = group.n_steps
    points = plan.earlier[-1].points(np.arange(len(known.status)), plan.shape)
    if np.any(known.columns["n_steps"] > ends[points]):
        steps = int(np.nanmax(known.columns["n_steps"]))
        advice = f"{steps} steps of points are done, which can only become longer"
        raise ConfigError([Problem("duration", str(plan.config(0).get("duration")), advice)])


def _round(before: Plan, plan: Plan) -> str:
    """Whether a sweep is the first round of a search that was gone on with."""
    n = len(plan)
    if len(before) <= n or any(plan.typed(point) != before.typed(point) for point in range(n)):
        return ""
    return (
        f"it has {len(before)} points, of which the first round asks for {n}: of a search "
        "the sweeper chose the others when it had seen these, and cannot go on from here"
    )


def _noted(before: Plan, plan: Plan, accept: Collection[str] = ()) -> str:
    """How the version of neurolab differs from that of a sweep that goes on; other libraries are
    warned of, and all versions kept."""
    for name, (now,) in plan.versions.items():
        used = before.versions.get(name, [now])
        if now not in used:
            change = f"it was begun with {name} {used[-1]}, this is {now}"
            if name == "neurolab" and "versions" not in accept:
                return f"{change} (resume.accept=[versions])"
            log.warning("sweep.resume: %s; results may differ by rounding", change)
        plan.versions[name] = [*used, *({now} - set(used))]
    return ""
