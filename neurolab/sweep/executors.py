"""Points computed elsewhere: in other processes here, or in Slurm jobs, through submitit.

A task is some points; it computes them as they would be computed here and commits its batches to
the sweep's folder, which all share.  So what a task finished counts even if it then dies.
"""

from __future__ import annotations

import logging
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.config.settings import SettingsReader
from neurolab.problems import ConfigError, Problem, Problems
from neurolab.results.batches import SweepFolder

if TYPE_CHECKING:
    from neurolab.simulation.stop import StopRequest
    from neurolab.sweep.compute import Report
    from neurolab.sweep.progress import SweepProgress

__all__ = ["Executor", "compute_task", "read_executor"]

log = logging.getLogger("neurolab")
_POLL_SECONDS = 0.5
#: How long a result may take to be seen on a shared file system once its job has ended.
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Executor:
    """Where tasks run, and what each may use."""

    kind: str
    points_per_task: int = 1000
    processes: int = 2
    partition: str | None = None
    minutes: int = 60
    memory_mb: int = 4096
    cpus: int = 2
    gpus: int = 0

    def compute(
        self,
        device: Mapping[str, Any],
        points: np.ndarray,
        folder: SweepFolder,
        stop: StopRequest,
        progress: SweepProgress,
        most: int | None,
    ) -> Report:
        """Compute the points; those of a task that died and had not committed them are failed."""
        import submitit

        from neurolab.sweep.compute import Report

        report, submitter = Report(device=f"{self.kind} tasks"), self._submitter(folder.path)
        cuts = range(self.points_per_task, len(points), self.points_per_task)
        waiting = np.split(points, cuts) if len(points) else []
        running: list[_Task] = []
        before, began = folder.done(), time.perf_counter()
        while (waiting or running) and not stop.requested:
            while waiting and (self.kind != "local" or len(running) < self.processes):
                part = waiting.pop(0)
                try:
                    job = submitter.submit(compute_task, folder.path.resolve(), device, part, most)
                except submitit.core.utils.FailedJobError as error:
                    reason = " ".join(str(error).split())
                    if not running and not report.failed:  # nothing was accepted yet
                        raise ConfigError([Problem("hydra.launcher", self.kind, reason)]) from None
                    report.failed |= dict.fromkeys(part.tolist(), reason)
                    continue
                log.info("task %s: points %d to %d", job.job_id, part[0], part[-1])
                running.append(_Task(job, part))
            time.sleep(_POLL_SECONDS)
            gone = _gone([task.job for task in running])
            ended = [task for task in running if task.ended(task.job.job_id in gone)]
            done = folder.done()
            progress.tell(len(done - before))
            for task in ended:
                running.remove(task)
                report.failed |= {k: why for k, why in task.failures().items() if k not in done}
        for task in running:
            task.job.cancel()
        report.points = len(folder.done() - before)
        report.compute_s = time.perf_counter() - began
        return report

    def _submitter(self, folder: Path) -> Any:
        import submitit

        # A folder for each time: submitit takes what it finds for a job's result.
        tasks = folder / "tasks" / time.strftime("%Y-%m-%dT%H-%M-%S")
        try:
            submitter = submitit.AutoExecutor(tasks, cluster=self.kind)
        except RuntimeError as error:
            advice = f"{error}; is this a machine of the cluster?"
            raise ConfigError([Problem("hydra.launcher.executor", self.kind, advice)]) from None
        given: dict[str, Any] = {"timeout_min": self.minutes, "name": "neurolab"}
        if self.kind == "slurm":
            given |= {"slurm_mem": f"{self.memory_mb}M", "cpus_per_task": self.cpus}
            given["slurm_signal_delay_s"] = 0  # a batch is committed or computed again
            given |= {"slurm_partition": self.partition} if self.partition else {}
            given |= {"gpus_per_node": self.gpus} if self.gpus else {}
        submitter.update_parameters(**given)
        return submitter


@dataclass(eq=False)
class _Task:
    """A submitted task, and how it ended."""

    job: Any
    points: np.ndarray
    gone_at: float | None = None

    @property
    def has_result(self) -> bool:
        return Path(self.job.paths.result_pickle).exists()

    def ended(self, gone: bool) -> bool:
        """Whether it left a result, or is ``gone`` and its result has not come for a while."""
        now = time.monotonic()
        self.gone_at = (self.gone_at or now) if gone else None
        return self.has_result or (gone and now - (self.gone_at or now) > _GRACE_SECONDS)

    def failures(self) -> dict[int, str]:
        """Why points were not computed, and where the log is."""
        came = self.has_result
        error = self.job.exception() if came else None
        if came and error is None:
            return dict(self.job.result().failed)
        how = "died" if error is None else f"failed: {str(error).strip().splitlines()[-1]}"
        reason = f"task {self.job.job_id} {how}; its log: {self.job.paths.stderr}"
        log.error("points %s: %s", self.points.tolist(), reason)
        return dict.fromkeys(self.points.tolist(), reason)


_ENDED = re.compile(
    "COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL|DEADLINE|PREEMPTED"
)


def _gone(jobs: Sequence[Any]) -> set[str]:
    """Ids of jobs that run no more.

    For Slurm squeue is asked: submitit asks sacct, which there is none of without accounting, and
    then takes a job that was killed for one that runs.
    """
    processes = [job for job in jobs if hasattr(job, "_process")]
    if processes or not jobs:
        return {job.job_id for job in processes if job._process.poll() is not None}
    ids = [job.job_id for job in jobs]
    asked = subprocess.run(
        ["squeue", "--noheader", "--states=all", "--format=%i|%T", "--jobs", ",".join(ids)],
        capture_output=True,
        text=True,
    )
    if asked.returncode and "Invalid job id" not in asked.stderr:
        return set()  # Slurm does not answer now
    states = dict(line.strip().split("|") for line in asked.stdout.splitlines() if "|" in line)
    return {i for i in ids if _ENDED.match(states.get(i, "COMPLETED"))}


def compute_task(
    folder: Path, device: Mapping[str, Any], points: np.ndarray, most: int | None
) -> Report:
    """What a task does, in a process of its own: points of the plan that the folder has."""
    from neurolab.engine.device import prepare

    prepare(device)
    from neurolab.results.plan import Plan
    from neurolab.simulation.stop import StopRequest
    from neurolab.sweep.columns import PointReader
    from neurolab.sweep.compute import compute_groups
    from neurolab.sweep.files import digests
    from neurolab.sweep.refusals import Refusals

    logging.basicConfig(level=logging.INFO)
    store = SweepFolder(folder)
    plan = Plan.from_json(store.definition())
    groups, _ = PointReader(plan, Refusals(plan)).groups(points)
    if changed := plan.changed(digests(plan)):
        raise ConfigError([Problem("sweep", str(folder), f"{changed}, since the sweep began")])
    return compute_groups(groups, store, StopRequest(), most=most)


def read_executor(kind: Any, options: Mapping[str, Any]) -> Executor | None:
    """The executor that ``hydra.launcher`` asks for; None for this process.  A `ConfigError` tells
    all that is wrong."""
    launcher = SettingsReader({"executor": kind, **options}, "hydra.launcher", Problems())
    if kind not in (None, "local", "slurm"):
        launcher.refuse("executor", "expected local, slurm, or null: here")
    whole = {"points_per_task": 1, "processes": 1, "cpus": 1, "gpus": 0}
    launcher.only(("executor", "partition", "time", "memory", *whole))
    given = {key: launcher.whole(key, low, getattr(Executor, key)) for key, low in whole.items()}
    if kind is not None:
        given["minutes"] = max(1, round((launcher.time_ms("time", "60 min") or 0) / 60_000))
        given["memory_mb"] = launcher.n_bytes("memory", "4 GiB") // 2**20
    launcher.problems.raise_if_any()
    partition = options.get("partition")
    return kind and Executor(kind, partition=partition and str(partition), **given)
