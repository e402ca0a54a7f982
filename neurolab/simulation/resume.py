"""A run that goes on in its folder: whether it is the same, and from where.

A run is the same where its configuration (but for `duration`, which may grow, and what changes no
result), the files that it names, its models' sources and the versions of what computes are.  What
differs is named, and refused unless it is accepted: then the run goes on from its last checkpoint,
and the record says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurolab.config.experiment import Experiment
from neurolab.problems import ConfigError, Problem, did_you_mean
from neurolab.report import REPORT
from neurolab.results.checkpoint import Checkpoint
from neurolab.results.damage import SUMMARY, DamagedError, read_commit
from neurolab.results.digests import changes_results, digests_of, kind_of
from neurolab.results.layout import Commit
from neurolab.results.plan import flat
from neurolab.results.record import RunRecord
from neurolab.results.summary import environment
from neurolab.results.verify import verify

__all__ = ["Resumed", "differences", "resumed"]

log = logging.getLogger("neurolab")

#: Versions by which results may differ.
_LIBRARIES = ("neurolab", "jax", "jaxlib", "brainstate", "brainunit", "numpy")


@dataclass(frozen=True)
class Resumed:
    """Where a run goes on.

    Parameters
    ----------
    record
        What it is.
    commit
        What of its results stays; None if it is about to begin.
    checkpoint
        Where the computation goes on, at this commit or before; None: at the first step.
    notes
        What its record says of this session.
    """

    record: RunRecord
    commit: Commit | None = None
    checkpoint: Checkpoint | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


def resumed(
    folder: Path, record: RunRecord, experiment: Experiment, accept: Iterable[str] = ()
) -> Resumed | None:
    """How the run in a folder goes on as an experiment; None if it is complete.

    Parameters
    ----------
    accept
        What may differ: ``versions``, ``files``, ``source``, or keys of the configuration.

    Raises
    ------
    ConfigError
        What differs otherwise, or why it cannot go on.
    """
    found, accept = differences(record, experiment.config), set(accept)
    if unknown := sorted(accept - found.keys()):
        differs = f"what differs is {', '.join(found)}" if found else "nothing differs"
        hint = did_you_mean(unknown[0], found) if found else ""
        raise ConfigError([Problem("resume.accept", ", ".join(unknown), f"{differs}. {hint}")])
    if refused := [problem for key, problem in found.items() if key not in accept]:
        raise ConfigError(refused)
    commit, checkpoint = _whole(folder, _last(folder))
    if checkpoint is not None and checkpoint.step > commit.steps:
        checkpoint = None
    if commit.steps and checkpoint is None:
        log.warning(
            "there is no checkpoint in %s: all is computed again, but not written again", folder
        )
    notes: dict[str, Any] = {}
    if found:
        notes["accepted"] = {key: problem.advice for key, problem in found.items()}
        if commit.steps and checkpoint is None:
            advice = "there is no checkpoint to go on from with it; begin another run"
            raise ConfigError([Problem("resume.accept", ", ".join(sorted(accept)), advice)])
        commit, record.files = _at(checkpoint), digests_of(flat(experiment.config))
    if experiment.n_steps < commit.steps:
        done = f"{commit.steps * experiment.structure.dt_ms:g} ms are done"
        given = str(experiment.config.get("duration"))
        raise ConfigError([Problem("duration", given, f"{done}; a run can only become longer")])
    told = all((folder / name).exists() for name in (SUMMARY, REPORT))  # or it is told again
    complete = told and _is_complete(record, commit)
    if commit.steps == experiment.n_steps and not found and complete:
        return None
    return Resumed(record, commit, checkpoint, notes)


def differences(record: RunRecord, config: Mapping[str, Any]) -> dict[str, Problem]:
    """What a run with a configuration, here and now, would have otherwise than a record says; by
    what it is called in ``resume.accept``."""
    found: dict[str, Problem] = {}
    before, now = dict(flat(record.config)), dict(flat(config))
    for key in dict.fromkeys([*before, *now]):
        was, given = before.get(key), now.get(key)
        if key != "duration" and changes_results(key) and str(was) != str(given):
            advice = f"was {was} when the run began; leave it, or accept it: resume.accept=[{key}]"
            found[key] = Problem(key, str(given), advice)
    own = digests_of(flat(config))
    for name, digest in record.files.items():
        if name in own and own[name] == digest:
            continue
        how = "has other contents now" if name in own else "is not there any more"
        _add(found, kind_of(name), name, how)
    used, here = record.sessions[-1]["versions"] if record.sessions else {}, environment()
    for name in _LIBRARIES:
        if name in used and here["versions"].get(name) != used[name]:
            _add(found, "versions", name, f"was {used[name]}, is {here['versions'].get(name)}")
    return found


def _add(found: dict[str, Problem], kind: str, name: str, how: str) -> None:
    said = f"{name} {how}"
    if kind in found:
        said = f"{found[kind].given}; {said}"
    advice = f"put back what it was, or accept it: resume.accept=[{kind}]"
    found[kind] = Problem(kind, said, advice)


def _last(folder: Path) -> Checkpoint | None:
    """The checkpoint of a folder, if it has one that is whole."""
    try:
        return Checkpoint.read(folder)
    except DamagedError as error:
        log.warning("%s: the run is computed again from its beginning", error)
        return None


def _whole(folder: Path, checkpoint: Checkpoint | None) -> tuple[Commit, Checkpoint | None]:
    """What is committed, and the checkpoint; of results that are damaged as much as is whole: what
    there was at the checkpoint, or nothing, of which all is computed again."""
    try:
        commit = read_commit(folder)
        damaged = verify(folder) if commit.steps else []
    except DamagedError as error:
        commit, damaged = Commit(), [error]
        error.first_step = 0
    since = [one.first_step for one in damaged if one.first_step is not None]
    for one in damaged:
        log.warning("%s", one)
    if not since:
        return commit, checkpoint
    if checkpoint is not None and checkpoint.step <= min(min(since), commit.steps):
        commit = _at(checkpoint)
    else:
        commit, checkpoint = Commit(), None
    log.warning("what is damaged is computed again, from step %d on", commit.steps)
    return commit, checkpoint


def _at(checkpoint: Checkpoint | None) -> Commit:
    """What was committed when a checkpoint was taken."""
    if checkpoint is None:
        return Commit()
    return Commit(checkpoint.step, dict(checkpoint.about["lengths"]))


def _is_complete(record: RunRecord, commit: Commit) -> bool:
    last = record.sessions[-1] if record.sessions else {}
    return last.get("status") == "completed" and last.get("to_step") == commit.steps
