"""What Slurm says of jobs: that it takes no more now, how they stand; and its jobs of a folder."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["cancel", "has_ended", "is_full", "jobs_of", "lets_run", "states"]

#: Of too many jobs, or where it does not answer (slurm_errno.h, and names of limits of jobs).
_FULL = re.compile(
    "Submit\\w*Limit|accounting/QOS policy|temporarily|timed out|Unable to contact"
    "|Invalid job array specification"  # of more tasks than an array may have
)
_ENDED = re.compile(
    "COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL|DEADLINE|PREEMPTED"
    "|no longer known"
)
_SUBMITTED, _SCRIPT, _RESULT = "_submitted.pkl", "_submission.sh", "_result.pkl"


def is_full(reason: str) -> bool:
    """Whether what sbatch refused may be taken later, or by and by."""
    return bool(_FULL.search(reason))


def has_ended(state: str) -> bool:
    """Whether a job of this state runs no more and does not wait to be run again."""
    return bool(_ENDED.match(state))


def states(ids: Iterable[str]) -> dict[str, str]:
    """The states of jobs, by their ids, or none where Slurm does not answer now.

    squeue is asked, once for all: submitit asks sacct, which there is none of without accounting,
    and then takes a job that was killed for one that runs.
    """
    ids = list(ids)
    found = _squeue(ids, "%T") if ids else {}
    return {} if found is None else {i: found.get(i, "no longer known to Slurm") for i in ids}


def lets_run(job: str) -> bool:
    """Whether Slurm means this job to go on: one that it ends itself, as by scancel, it would run
    once more if that were asked for."""
    return states([job]).get(job) == "RUNNING"


def cancel(ids: Iterable[str]) -> None:
    """End jobs: they are sent SIGTERM, and killed half a minute later or as the site has it."""
    arrays = _arrays(ids)
    if arrays:
        subprocess.run(["scancel", "--quiet", *arrays], capture_output=True)


def jobs_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """The jobs of the tasks of a sweep's folder that run or wait now: where each has its files, and
    its id."""
    ended = {p.name.rsplit("_", 2)[0] for p in folder.glob(f"tasks/*/*{_RESULT}")}
    submitted = sorted(folder.glob(f"tasks/*/*{_SUBMITTED}"))
    names = ((path.name.removesuffix(_SUBMITTED), path.parent) for path in submitted)
    places = {
        job: place
        for job, place in names
        if job not in ended and (place / f"{job.partition('_')[0]}{_SCRIPT}").exists()
    }
    known = (_squeue(places, "%T|%o") or {}) if places else {}
    for job, place in places.items():
        state, _, script = known.get(job, "").partition("|")
        # Another cluster has jobs with these ids too.
        if state and not has_ended(state) and Path(script).parent.resolve() == place.resolve():
            yield place, job


def _squeue(ids: Iterable[str], columns: str) -> dict[str, str] | None:
    """What squeue says of jobs, by their ids; None if it does not answer."""
    command = ["squeue", "--noheader", "--array", "--states=all", f"--format=%i|{columns}"]
    asked = subprocess.run(
        [*command, "--jobs", ",".join(_arrays(ids))], capture_output=True, text=True
    )
    if asked.returncode and "Invalid job id" not in asked.stderr:
        return None
    lines = (line.strip().partition("|") for line in asked.stdout.splitlines() if "|" in line)
    return {job: told for job, _, told in lines}


def _arrays(ids: Iterable[str]) -> list[str]:
    """The ids of the arrays that jobs are of, or their own."""
    return list(dict.fromkeys(job.partition("_")[0] for job in ids))
