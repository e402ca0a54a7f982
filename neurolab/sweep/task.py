"""A task: points of a sweep that a process of its own computes, here or as a Slurm job.

It computes them as they would be computed here and commits its batches to the sweep's folder, which
all tasks share.  So what a task finished counts even if it then dies.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.problems import ConfigError, Problem
from neurolab.results.batches import SweepFolder
from neurolab.simulation.stop import StopRequest
from neurolab.sweep.slurm import lets_run

if TYPE_CHECKING:
    from neurolab.results.plan import Plan
    from neurolab.sweep.compute import Report

__all__ = ["Task"]

log = logging.getLogger("neurolab")
#: Runs in a row that a task may be stopped in before anything more is committed.
_FRUITLESS = 3


@dataclass
class Task:
    """Points of a sweep, and how they are computed: called, and checkpointed, by submitit.

    When its time is about to end it commits what it has and is queued again; so it does where Slurm
    wants its place for another job, or asks it to end by SIGTERM or SIGHUP, if Slurm does not
    itself end it for good.  What is left is computed when it is called again.
    """

    folder: Path
    device: Mapping[str, Any]
    points: np.ndarray
    most: int | None
    #: The number of the plan that these are points of (`neurolab.results.earlier`).
    plan: int = 0
    #: Whose lease of the sweep this is computed under: it begins no batch more under another's.
    writer: str | None = None
    fruitless: int = 0

    def __call__(self) -> Report:
        """Compute the points that are not done."""
        import submitit

        at_end = signal.Signals[f"SIG{submitit.JobEnvironment.USR_SIG}"]
        store, environment = SweepFolder(self.folder, self.writer), submitit.JobEnvironment()
        with StopRequest(at_end) as stop:
            plan = store.plan()
            self.points = np.array(store.numbering.now(self.points, self.plan))
            self.plan = store.numbering.plan
            before, points = self._steps(store), self._left(store)
            report = self._compute(store, plan, points, stop)
        if not stop.requested or not set(self._left(store).tolist()) - report.failed.keys():
            return report
        self.fruitless = 0 if self._steps(store) > before else self.fruitless + 1
        log.info("stopped by %s: %d points are left", stop.name, len(self._left(store)))
        if environment.cluster != "slurm" and stop.requested != at_end:
            raise RuntimeError(f"it was ended by {stop.name}")
        if environment.cluster == "slurm" and not lets_run(environment.job_id):
            sys.exit(128 + stop.requested)  # Slurm decides whether it is run again
        if self.fruitless == _FRUITLESS:
            raise RuntimeError(
                f"it was stopped {_FRUITLESS} times in a row, now by {stop.name}, before anything "
                "more was committed; try a longer hydra.launcher.time, or a smaller sweep.batch"
            )
        signal.raise_signal(at_end)  # submitit queues it again, or says why not
        return report

    def checkpoint(self) -> Any:
        """What submitit is to call when it is run again."""
        import submitit

        return submitit.helpers.DelayedSubmission(self)

    def _compute(
        self, store: SweepFolder, plan: Plan, points: np.ndarray, stop: StopRequest
    ) -> Report:
        from neurolab.engine import memory
        from neurolab.engine.device import prepare

        memory.give_back()
        prepare(self.device)
        from neurolab.sweep.columns import PointReader
        from neurolab.sweep.compute import compute_groups
        from neurolab.sweep.files import digests
        from neurolab.sweep.refusals import Refusals

        logging.basicConfig(level=logging.INFO)
        groups, _ = PointReader(plan, Refusals(plan)).groups(self.points)
        if changed := plan.changed(digests(plan)):
            advice = f"{changed}, since the sweep began"
            raise ConfigError([Problem("sweep", str(self.folder), advice)])
        begun = {f: own for f, own in store.stopped().items() if np.isin(own, self.points).all()}
        wanted = np.union1d(points, [point for own in begun.values() for point in own])
        groups = [group.take(np.flatnonzero(np.isin(group.points, wanted))) for group in groups]
        groups = [group for group in groups if group.points.size]
        return compute_groups(groups, store, stop, most=self.most, begun=begun, missing=points)

    def _left(self, store: SweepFolder) -> np.ndarray:
        """The points that are not done."""
        return self.points[~np.isin(self.points, list(store.done()))]

    def _steps(self, store: SweepFolder) -> int:
        """Steps of the points that are committed."""
        rows = store.rows()
        return sum(rows[point]["n_steps"] for point in self.points.tolist() if point in rows)
