"""Tasks that were submitted: whether each has ended and why its points are not there; and which
points are done."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.batches import SweepFolder
from neurolab.sweep import slurm

__all__ = ["GRACE_SECONDS", "Committed", "Job", "cancel", "gone"]

#: How long a result may take to be seen on a shared file system once its job has ended.
GRACE_SECONDS = 5.0
#: The part of the time that may be spent on reading what is committed.
_READING = 0.05


@dataclass(eq=False)
class Job:
    """A submitted task, and how it ended."""

    job: Any
    points: np.ndarray
    gone_at: float | None = None
    state: str = ""

    @property
    def id(self) -> str:
        """What Slurm calls it, or the number of its process."""
        return str(self.job.job_id)

    @property
    def process(self) -> Any:
        """Its process, if it is one of this machine."""
        return getattr(self.job, "_process", None)

    @property
    def has_result(self) -> bool:
        return Path(self.job.paths.result_pickle).exists()

    def ended(self, state: str | None) -> bool:
        """Whether it left a result, or is gone, with a ``state``, and its result has not come for a
        while."""
        now = time.monotonic()
        self.state = state or ""
        self.gone_at = (self.gone_at or now) if state else None
        gone = self.gone_at is not None and now - self.gone_at > GRACE_SECONDS
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
            error = _last_line(str(self.job.exception() or ""))
            how = f"failed: {error}" if error else "ended without them"
        why = dict.fromkeys(self.points.tolist(), how) | self.failed
        late = "came to the end of hydra.launcher.time"  # submitit interrupts what is computed
        task, place = f"task {self.id}", f"its log: {self._log}"
        return {
            k: text if k in self.failed and text != late else f"{task} {text}; {place}"
            for k, text in ((k, late if "timed-out" in text else text) for k, text in why.items())
        }

    @property
    def _log(self) -> Any:
        paths = self.job.paths  # with stderr_to_stdout there is one of them
        both = not Path(paths.stdout).exists() or Path(paths.stderr).exists()
        return paths.stderr if both else paths.stdout


def _last_line(error: str) -> str:
    """What an error says that submitit found: it is between dashes, below where it happened."""
    parts = error.split("-" * 22)
    return (parts[1 if len(parts) > 2 else 0].strip().splitlines() or [""])[-1].strip()


class Committed:
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


def gone(jobs: Sequence[Job]) -> dict[str, str]:
    """The states of those that run no more and are not queued again, by their ids."""
    over = [job.id for job in jobs if job.process and job.process.poll() is not None]
    asked = slurm.states(job.id for job in jobs if not job.process)
    ended = {job: state for job, state in asked.items() if slurm.has_ended(state)}
    return ended | dict.fromkeys(over, "its process is gone")


def cancel(jobs: Sequence[Job]) -> None:
    """Ask tasks to commit what they have and end."""
    for job in jobs:
        if job.process:  # it hands this on to the task
            job.process.send_signal(signal.SIGTERM)
    slurm.cancel(job.id for job in jobs if not job.process)
