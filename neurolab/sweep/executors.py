"""Points computed elsewhere: in other processes here, or in Slurm jobs, through submitit.

What they compute is in `neurolab.sweep.task`; here tasks are submitted, as job arrays where there
is Slurm, and waited for.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.problems import ConfigError, Problem
from neurolab.results.batches import SweepFolder
from neurolab.sweep.jobs import GRACE_SECONDS, Committed, Job, cancel, gone
from neurolab.sweep.slurm import is_full, jobs_of
from neurolab.sweep.task import Task

if TYPE_CHECKING:
    from neurolab.simulation.stop import StopRequest
    from neurolab.sweep.compute import Report
    from neurolab.sweep.progress import SweepProgress

__all__ = ["Executor"]

log = logging.getLogger("neurolab")
_POLL_SECONDS = 0.5
#: Slurm is asked ever more rarely: after a tenth of the time that has passed, and so long at most.
_RAREST_SECONDS = 30.0
#: What Slurm refused it is asked for again after this, if no task has ended before.
_AGAIN_SECONDS = 60.0
#: Minutes of a Slurm job where none are given, and of a local task: ten years, for no limit.
_SLURM_MINUTES, _LOCAL_MINUTES = 60, 5_000_000
#: A Slurm job is told so long before its time ends, or a quarter of its time if that is less.
_WARNING_SECONDS = 90
#: How often tasks go on when their time has ended: any number of times, and as submitit has it.
_REQUEUES = {"slurm": 10**6, "local": 5}
#: How long tasks that are to end are waited for: as long as they may take to commit what they have.
_ENDING_SECONDS = 6.0


@dataclass(frozen=True)
class Executor:
    """Where tasks run, and what each may use: ``parameters`` of submitit's executor for Slurm."""

    kind: str
    points_per_task: int = 1000
    processes: int = 2
    minutes: float | None = None
    requeues: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def compute(
        self,
        device: Mapping[str, Any],
        points: np.ndarray,
        folder: SweepFolder,
        stop: StopRequest,
        progress: SweepProgress,
        most: int | None,
    ) -> Report:
        """Compute the points; those of a task that did not commit them are failed, with a reason.

        Where Slurm takes no more jobs, the others are submitted when tasks have ended; what it
        refuses for another reason is failed.
        """
        from neurolab.sweep.compute import Report

        report = Report(device=f"{self.kind} tasks")
        running = self._going_on(folder, points)
        points = np.setdiff1d(points, [k for job in running for k in job.points])
        cuts = range(self.points_per_task, len(points), self.points_per_task)
        parts = np.split(points, cuts) if len(points) else []
        # Slurm's tasks outlive their launcher; those of this machine end soon after it.
        writer = folder.writer if self.kind == "local" else None
        where, plan = folder.path.resolve(), folder.numbering.plan
        tasks = [Task(where, device, part, most, plan, writer) for part in parts]
        queue = _Queue(self, folder.path, tasks, running)
        committed, began = Committed(folder), time.perf_counter()
        before = committed.look()
        try:
            report.failed |= queue.submit(len(tasks))
            while queue and not stop.requested:
                _wait(self._pause(time.perf_counter() - began), stop)
                states = gone(queue.running)
                ended = [job for job in queue.running if job.ended(states.get(job.id))]
                done = committed.look() if ended else committed.look_rarely()
                progress.tell(len(done - before))
                for job in ended:
                    queue.running.remove(job)
                    if job.succeeded and set(job.points.tolist()) - job.failed.keys() - done:
                        _wait(GRACE_SECONDS, stop)  # they may come
                        done = committed.look()
                    missing = {k: text for k, text in job.failures().items() if k not in done}
                    for text in dict.fromkeys(missing.values()):
                        log.error("points %s: %s", [k for k in missing if missing[k] == text], text)
                    report.failed |= missing
                if not stop.requested:
                    report.failed |= queue.submit_more(len(ended))
        except BaseException:
            cancel(queue.running)
            raise
        queue.end(stop)
        report.points = len(committed.look() - before)
        report.compute_s = time.perf_counter() - began
        return report

    def _going_on(self, folder: SweepFolder, points: np.ndarray) -> list[Job]:
        """Jobs of Slurm that compute some of the points: of a launcher that is no more."""
        if self.kind != "slurm":
            return []
        import submitit

        jobs = []
        for place, name in jobs_of(folder.path):
            job: Any = submitit.SlurmJob(place, name)
            task: Task = job.submission().function
            points_of = folder.numbering.now(task.points, task.plan)
            jobs.append(Job(job, np.array(points_of)))
        jobs = [job for job in jobs if np.isin(job.points, points).any()]
        if jobs:
            told = f"{sum(len(job.points) for job in jobs)} points: waiting for them"
            log.warning("Slurm jobs %s go on with %s", ", ".join(job.id for job in jobs), told)
        return jobs

    def _pause(self, elapsed: float) -> float:
        """Seconds until tasks are looked after again."""
        rarest = _POLL_SECONDS if self.kind == "local" else _RAREST_SECONDS
        return min(max(_POLL_SECONDS, elapsed / 10), rarest)

    def submitter(self, folder: Path) -> Any:
        """submitit's executor, for tasks of a sweep that is in a folder."""
        import submitit

        # A folder for each time: submitit takes what it finds for a job's result.
        tasks = folder / "tasks" / time.strftime("%Y-%m-%dT%H-%M-%S")
        requeues = _REQUEUES[self.kind] if self.requeues is None else self.requeues
        try:
            kinds = {"local": submitit.LocalExecutor, "slurm": submitit.SlurmExecutor}
            submitter = kinds[self.kind](tasks, max_num_timeout=requeues)
        except RuntimeError as error:
            advice = f"{error}; is this a machine of the cluster?"
            raise ConfigError([Problem("hydra.launcher.executor", self.kind, advice)]) from None
        if self.kind == "slurm":
            minutes = int(self.minutes or _SLURM_MINUTES)
            warning = min(_WARNING_SECONDS, 15 * minutes)
            given: dict[str, Any] = {"job_name": "neurolab", "time": minutes}
            given |= {"signal_delay_s": warning, "wckey": None}  # submitit's would be its name
            given |= self.parameters
            more = dict(given.get("additional_parameters", {}))
            if "no_requeue" not in more:  # some sites have it that jobs are not queued again
                more["requeue"] = True
            given["additional_parameters"] = more
        else:  # submitit interrupts a task half a minute before it ends it
            given = {"timeout_min": self.minutes + 0.5 if self.minutes else _LOCAL_MINUTES}
        submitter.update_parameters(**given)
        return submitter


class _Queue:
    """Tasks that wait to be submitted, and those that were."""

    def __init__(
        self, executor: Executor, folder: Path, waiting: list[Task], running: list[Job]
    ) -> None:
        self.executor, self.waiting, self.running = executor, waiting, running
        self.submitter = executor.submitter(folder)
        self._accepted, self._told, self._again = bool(running), "", 0.0

    def __bool__(self) -> bool:
        return bool(self.waiting or self.running)

    def submit_more(self, ended: int) -> dict[int, str]:
        """Submit as many as have ended; now and then see whether there is more room."""
        tried = not ended and self.running and time.monotonic() < self._again
        slurm = self.executor.kind == "slurm"
        return {} if tried and slurm else self.submit(max(ended, 1), once=ended > 0)

    def submit(self, most: int, once: bool = False) -> dict[int, str]:
        """Submit what waits: an array of so many tasks, of ever fewer where Slurm takes no more
        now, and further arrays unless ``once``.  Why points failed that it does not take at all."""
        from submitit.core.utils import FailedJobError

        failed: dict[int, str] = {}
        growing = True
        while self.waiting and (most := self._room(most)) > 0:
            tasks = self.waiting[:most]
            try:
                with _deaf_to_interrupts():
                    jobs = self.submitter.submit_array(tasks)
            except FailedJobError as error:
                reason = " ".join(str(error).split())
                self._forget()
                self._again = time.monotonic() + _AGAIN_SECONDS
                if full := is_full(reason):
                    most, growing = len(tasks) // 2, False
                elif not self._accepted:
                    raise ConfigError([Problem("hydra.launcher", "slurm", reason)]) from None
                else:
                    del self.waiting[:most]
                    failed |= {k: reason for task in tasks for k in task.points.tolist()}
                if reason != self._told and (not full or not most):
                    how = "wait for others to end" if full else "fail"
                    log.warning("tasks from point %d on %s: %s", tasks[0].points[0], how, reason)
                    self._told = reason
                continue
            last = f" to {jobs[-1].job_id}" if len(jobs) > 1 else ""
            first_point, last_point = tasks[0].points[0], tasks[-1].points[-1]
            log.info("tasks %s%s: points %d to %d", jobs[0].job_id, last, first_point, last_point)
            self.running += [Job(job, task.points) for job, task in zip(jobs, tasks, strict=True)]
            del self.waiting[:most]
            self._accepted, most = True, 0 if once else most * (1 + growing)
        return failed

    def _room(self, most: int) -> int:
        """How many tasks may be submitted now."""
        local = self.executor.kind == "local"
        return self.executor.processes - len(self.running) if local else most

    def _forget(self) -> None:
        """Remove what submitit wrote for tasks that were refused."""
        for path in self.submitter.folder.iterdir():
            if path.suffix == ".pkl" and "_" not in path.name:
                path.unlink()
            if path.name.startswith(".submission_file") and not path.is_symlink():
                path.unlink()

    def end(self, stop: StopRequest) -> None:
        """Tasks that run are to end, after a stop; if only the terminal is gone, Slurm's go on."""
        if self.running and stop.requested == signal.SIGHUP and self.executor.kind == "slurm":
            ids = ", ".join(job.id for job in self.running)
            log.warning("Slurm jobs %s go on; resume=<folder> waits for them", ids)
            return
        cancel(self.running)
        until = time.monotonic() + _ENDING_SECONDS
        while self.running and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            over = gone(self.running)
            self.running = [job for job in self.running if job.id not in over]


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started here do not hear Ctrl-C in their terminal: submitit would kill the
    tasks within a second, and they are asked to end in any case."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(seconds: float, stop: StopRequest) -> None:
    until = time.monotonic() + seconds
    while not stop.requested and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _POLL_SECONDS))
