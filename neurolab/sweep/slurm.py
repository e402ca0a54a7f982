"""What Slurm says of jobs: that it takes no more now, that they run no more."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from typing import Any

__all__ = ["gone", "is_full"]

#: Of too many jobs, or where it does not answer (slurm_errno.h, and names of limits of jobs).
_FULL = re.compile("Submit\\w*Limit|accounting/QOS policy|temporarily|timed out|Unable to contact")
_ENDED = re.compile(
    "COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL|DEADLINE|PREEMPTED"
)


def is_full(reason: str) -> bool:
    """Whether a job that sbatch refused may be taken later."""
    return bool(_FULL.search(reason))


def gone(jobs: Sequence[Any]) -> dict[str, str]:
    """The states of jobs that run no more, by their ids.

    For Slurm squeue is asked: submitit asks sacct, which there is none of without accounting, and
    then takes a job that was killed for one that runs.
    """
    processes = [job for job in jobs if hasattr(job, "_process")]
    if processes or not jobs:
        over = [job.job_id for job in processes if job._process.poll() is not None]
        return dict.fromkeys(over, "its process is gone")
    ids = [job.job_id for job in jobs]
    asked = subprocess.run(
        ["squeue", "--noheader", "--states=all", "--format=%i|%T", "--jobs", ",".join(ids)],
        capture_output=True,
        text=True,
    )
    if asked.returncode and "Invalid job id" not in asked.stderr:
        return {}  # Slurm does not answer now
    states = dict(line.strip().split("|") for line in asked.stdout.splitlines() if "|" in line)
    ended = {i: states.get(i, "no longer known to Slurm") for i in ids}
    return {i: state for i, state in ended.items() if i not in states or _ENDED.match(state)}
