"""Points computed elsewhere: in other processes here, or in Slurm jobs, through submitit.

A task is some points; it computes them as they would be computed here and commits its batches to
the sweep's folder, which all share.  So what a task finished counts even if it then dies.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.config.settings import SettingsReader
from neurolab.problems import ConfigError, Problem, Problems
from neurolab.results.batches import SweepFolder
from neurolab.sweep.slurm import gone, is_full

if TYPE_CHECKING:
    from neurolab.simulation.stop import StopRequest
    from neurolab.sweep.compute import Report
    from neurolab.sweep.progress import SweepProgress

__all__ = ["Executor", "compute_task", "read_executor"]

log = logging.getLogger("neurolab")
_POLL_SECONDS = 0.5
#: Slurm is asked ever more rarely: after a tenth of the time that has passed, and so long at most.
_RAREST_SECONDS = 30.0
#: The part of the time that may be spent on reading what is committed.
_READING = 0.05
#: Minutes of a Slurm job where none are given, and of a local task: ten years, for no limit.
_SLURM_MINUTES, _LOCAL_MINUTES = 60, 5_000_000
#: Options of sbatch that have keys of their own.
_OWN = {"mem": "memory", "cpus_per_task": "cpus", "gpus_per_node": "gpus"}
_OWN |= {"partition": "partition", "time": "time"}
#: How long a result may take to be seen on a shared file system once its job has ended.
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Executor:
    """Where tasks run, and what each may use."""

    kind: str
    points_per_task: int = 1000
    processes: int = 2
    partition: str | None = None
    minutes: int | None = None
    memory_mb: int = 4096
    cpus: int = 2
    gpus: int = 0
    sbatch: Mapping[str, Any] = field(default_factory=dict)

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
        import submitit

        from neurolab.sweep.compute import Report

        report, submitter = Report(device=f"{self.kind} tasks"), self._submitter(folder.path)
        cuts = range(self.points_per_task, len(points), self.points_per_task)
        waiting = np.split(points, cuts) if len(points) else []
        running: list[_Task] = []
        committed, began, told = _Committed(folder), time.perf_counter(), None
        before, room = committed.look(), True
        while (waiting or running) and not stop.requested:
            while waiting and room and (self.kind != "local" or len(running) < self.processes):
                part = waiting[0]
                try:
                    given = (folder.path.resolve(), device, part, most, folder.writer)
                    job = submitter.submit(compute_task, *given)
                except submitit.core.utils.FailedJobError as error:
                    reason = " ".join(str(error).split())
                    if told is None:  # nothing was accepted yet
                        raise ConfigError([Problem("hydra.launcher", self.kind, reason)]) from None
                    if room := not is_full(reason):
                        report.failed |= dict.fromkeys(waiting.pop(0).tolist(), reason)
                    if reason != told:
                        how = "fail" if room else "wait for others to end"
                        log.warning("tasks from point %d on %s: %s", part[0], how, reason)
                    told = reason
                    continue
                told = told or ""
                log.info("task %s: points %d to %d", job.job_id, part[0], part[-1])
                running.append(_Task(job, waiting.pop(0)))
            _wait(self._pause(time.perf_counter() - began), stop)
            states = gone([task.job for task in running])
            ended = [task for task in running if task.ended(states.get(task.job.job_id))]
            done = committed.look() if ended else committed.look_rarely()
            progress.tell(len(done - before))
            for task in ended:
                running.remove(task)
                if task.succeeded and set(task.points.tolist()) - task.failed.keys() - done:
                    _wait(_GRACE_SECONDS, stop)  # they may come
                    done = committed.look()
                missing = {k: text for k, text in task.failures().items() if k not in done}
                for text in dict.fromkeys(missing.values()):
                    log.error("points %s: %s", [k for k in missing if missing[k] == text], text)
                report.failed |= missing
            room = bool(ended) or not running
        for task in running:
            task.job.cancel()
        report.points = len(committed.look() - before)
        report.compute_s = time.perf_counter() - began
        return report

    def _pause(self, elapsed: float) -> float:
        """Seconds until tasks are looked after again."""
        rarest = _POLL_SECONDS if self.kind == "local" else _RAREST_SECONDS
        return min(max(_POLL_SECONDS, elapsed / 10), rarest)

    def _submitter(self, folder: Path) -> Any:
        import submitit

        # A folder for each time: submitit takes what it finds for a job's result.
        tasks = folder / "tasks" / time.strftime("%Y-%m-%dT%H-%M-%S")
        try:
            kinds = {"local": submitit.LocalExecutor, "slurm": submitit.SlurmExecutor}
            submitter = kinds[self.kind](tasks)
        except RuntimeError as error:
            advice = f"{error}; is this a machine of the cluster?"
            raise ConfigError([Problem("hydra.launcher.executor", self.kind, advice)]) from None
        given: dict[str, Any] = {}
        if self.kind == "slurm":
            given |= {"job_name": "neurolab", "time": self.minutes or _SLURM_MINUTES}
            given |= {"mem": f"{self.memory_mb}M", "cpus_per_task": self.cpus}
            given["signal_delay_s"] = 0  # a batch is committed or computed again
            given |= {"partition": self.partition} if self.partition else {}
            given |= {"gpus_per_node": self.gpus} if self.gpus else {}
            given |= {"additional_parameters": dict(self.sbatch)} if self.sbatch else {}
        else:  # submitit ends a task half a minute before its time
            given["timeout_min"] = self.minutes + 0.5 if self.minutes else _LOCAL_MINUTES
        submitter.update_parameters(**given)
        return submitter


@dataclass(eq=False)
class _Task:
    """A submitted task, and how it ended."""

    job: Any
    points: np.ndarray
    gone_at: float | None = None
    state: str = ""

    @property
    def has_result(self) -> bool:
        return Path(self.job.paths.result_pickle).exists()

    def ended(self, state: str | None) -> bool:
        """Whether it left a result, or is gone, with a ``state``, and its result has not come for a
        while."""
        now = time.monotonic()
        self.state = state or ""
        self.gone_at = (self.gone_at or now) if state else None
        gone = self.gone_at is not None and now - self.gone_at > _GRACE_SECONDS
        return self.has_result or gone

    @property
    def succeeded(self) -> bool:
        return self.has_result and self.job.exception() is None

    @property
    def failed(self) -> dict[int, str]:
        """Why points failed, as the task itself says."""
        return dict(self.job.result().failed) if self.succeeded else {}

    def failures(self) -> dict[int, str]:
        """Why points were not computed, if they were not, and where the log is."""
        how = f"died ({self.state})"
        if self.has_result:
            error = str(self.job.exception() or "").strip()
            how = f"failed: {error.splitlines()[-1]}" if error else "ended without them"
        why = dict.fromkeys(self.points.tolist(), how) | self.failed
        late = "came to the end of hydra.launcher.time"  # submitit interrupts what is computed
        task, place = f"task {self.job.job_id}", f"its log: {self.job.paths.stderr}"
        return {
            k: text if k in self.failed and text != late else f"{task} {text}; {place}"
            for k, text in ((k, late if "timed-out" in text else text) for k, text in why.items())
        }


class _Committed:
    """The points that are done.  To look takes a second where there are 100,000."""

    def __init__(self, folder: SweepFolder) -> None:
        self.folder = folder

    def look(self) -> set[int]:
        began = time.perf_counter()
        self.done = self.folder.done()
        self.looked = time.perf_counter()
        self.took = self.looked - began
        return self.done

    def look_rarely(self) -> set[int]:
        """As they were when last looked at, if that was just now."""
        due = time.perf_counter() - self.looked > self.took / _READING
        return self.look() if due else self.done


def _wait(seconds: float, stop: StopRequest) -> None:
    until = time.monotonic() + seconds
    while not stop.requested and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _POLL_SECONDS))


def compute_task(
    folder: Path,
    device: Mapping[str, Any],
    points: np.ndarray,
    most: int | None,
    writer: str | None = None,
) -> Report:
    """What a task does, in a process of its own: points of the plan that the folder has.  It begins
    no batch more once another process has gone on with the sweep than the ``writer`` that asked."""
    from neurolab.engine.device import prepare

    prepare(device)
    from neurolab.results.plan import Plan
    from neurolab.simulation.stop import StopRequest
    from neurolab.sweep.columns import PointReader
    from neurolab.sweep.compute import compute_groups
    from neurolab.sweep.files import digests
    from neurolab.sweep.refusals import Refusals

    logging.basicConfig(level=logging.INFO)
    store = SweepFolder(folder, writer)
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
    launcher.only(("executor", "partition", "time", "memory", "sbatch", *whole))
    given = {key: launcher.whole(key, low, getattr(Executor, key)) for key, low in whole.items()}
    if kind is not None:
        if options.get("time") is not None:
            minutes = (launcher.time_ms("time") or 0) / 60_000
            given["minutes"] = whole_minutes = max(1, round(minutes))
            if minutes and minutes != whole_minutes:
                used = f"is counted in minutes: {whole_minutes} min"
                log.warning("hydra.launcher.time = %s %s", options["time"], used)
        given["memory_mb"] = launcher.n_bytes("memory", "4 GiB") // 2**20
    named = options.get("sbatch") or {}
    if not isinstance(named, Mapping):
        launcher.refuse("sbatch", "expected options by their names, such as {account: lab}")
        named = {}
    sbatch = SettingsReader(named, "hydra.launcher.sbatch", launcher.problems)
    more = {str(key).replace("-", "_"): v for key, v in sbatch.node.items() if v is not None}
    for key in sorted(more.keys() & {*_OWN, "output", "error", "open_mode", "array", "signal"}):
        own = f"hydra.launcher.{_OWN[key]}" if key in _OWN else ""
        sbatch.refuse(key, f"is what {own} says" if own else "is each task's own")
    launcher.problems.raise_if_any()
    if more and kind != "slurm":
        named = ", ".join(sorted(more))
        log.warning("hydra.launcher.sbatch (%s) is for executor=slurm, and not used", named)
    partition = options.get("partition")
    return kind and Executor(kind, partition=partition and str(partition), sbatch=more, **given)
