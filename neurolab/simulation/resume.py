"""A run that goes on in its folder: whether it is the same, and from where.

A run is the same where its configuration (but for `duration`, which may grow, and what changes no
result), the files that it names, its models' sources and the versions of what computes are.  What
differs is named, and refused unless it is accepted: then the run goes on from its last checkpoint,
and the record says so.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neurolab.config.experiment import Experiment
from neurolab.engine.cache import program_of
from neurolab.problems import ConfigError, Problem, did_you_mean
from neurolab.report import REPORT
from neurolab.results.checkpoint import Checkpoint
from neurolab.results.damage import SUMMARY, DamagedError, read_commit
from neurolab.results.digests import changes_results, digests_of, kind_of
from neurolab.results.layout import COMMIT, RESULTS, Commit
from neurolab.results.plan import flat
from neurolab.results.record import RECORD, RunRecord
from neurolab.results.run import Run
from neurolab.results.same import plain
from neurolab.results.summary import environment
from neurolab.results.verify import verify
from neurolab.results.writer import described
from neurolab.simulation.checkpoint import check_state

__all__ = ["Resumed", "differences", "resumed"]

log = logging.getLogger("neurolab")

#: Keys that a run keeps: steps, states or records would be of two kinds.
_LASTING = re.compile(
    r"(dt|size|device\.precision|record\.(?!memory).*|populations\.[^.]+\.size|network\.scale)$"
)
#: Of a program that is made to see whether a state is its own.
_FEW_STEPS = 1024
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
    if lasting := [key for key in sorted(accept & found.keys()) if _LASTING.match(key)]:
        raise ConfigError([found[key] for key in lasting])
    if unknown := sorted(accept - found.keys()):
        differs = f"what differs is {', '.join(found)}" if found else "nothing differs"
        hint = did_you_mean(unknown[0], found) if found else ""
        raise ConfigError([Problem("resume.accept", ", ".join(unknown), f"{differs}. {hint}")])
    if refused := [problem for key, problem in found.items() if key not in accept]:
        raise ConfigError(refused)
    commit, checkpoint, damaged = _whole(folder, _last(folder, record.id), record)
    if checkpoint is not None and checkpoint.step > commit.steps:
        checkpoint = None
    notes: dict[str, Any] = {}
    if found:
        notes["accepted"] = {key: problem.advice for key, problem in found.items()}
        if commit.steps and checkpoint is None:
            advice = "there is no checkpoint to go on from with it; begin another run"
            raise ConfigError([Problem("resume.accept", ", ".join(sorted(accept)), advice)])
        if checkpoint is not None:
            _check_form(folder, experiment, checkpoint, [found[key] for key in sorted(accept)])
        commit, record.files = _at(checkpoint), digests_of(flat(experiment.config))
    if experiment.n_steps < commit.steps:
        done = f"{commit.steps * experiment.structure.dt_ms:g} ms are done"
        given = str(experiment.config.get("duration"))
        raise ConfigError([Problem("duration", given, f"{done}; a run can only become longer")])
    told = all((folder / name).exists() for name in (SUMMARY, REPORT))  # or it is told again
    complete = told and not damaged and _is_complete(record, commit)  # ending it again mends it
    if commit.steps == experiment.n_steps and not found and complete:
        return None
    if commit.steps and checkpoint is None:
        log.warning(
            "there is no checkpoint in %s: all is computed again, but not written again", folder
        )
    return Resumed(record, commit, checkpoint, notes)


def differences(record: RunRecord, config: Mapping[str, Any]) -> dict[str, Problem]:
    """What a run with a configuration, here and now, would have otherwise than a record says; by
    what it is called in ``resume.accept``."""
    found: dict[str, Problem] = {}
    before, now = dict(flat(record.config)), dict(flat(config))
    for key in dict.fromkeys([*before, *now]):
        was, given = before.get(key), now.get(key)
        if key != "duration" and changes_results(key) and plain(str(was)) != plain(str(given)):
            advice = f"was {was} when the run began; leave it, or accept it: resume.accept=[{key}]"
            if _LASTING.match(key):  # steps, states and records would be of two kinds
                advice = f"was {was} when the run began, and stays so; begin another run with it"
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


def _check_form(
    folder: Path, experiment: Experiment, checkpoint: Checkpoint, accepted: list[Problem]
) -> None:
    """That what was accepted leaves states and records as they are.

    Raises
    ------
    ConfigError
        It does not; nothing was changed.
    """
    program = program_of(experiment.structure, _FEW_STEPS, tuple(experiment.devices))
    try:
        check_state(program, program.place(experiment.numbers), checkpoint)
        about, traces = Run(folder).attributes["traces"], described(experiment.traces)
        if Run(folder).start_step != experiment.recorded.start:
            raise ValueError("record.start is another")
        if about != traces:
            names = [name for name in about if about[name] != traces.get(name)] or [*traces]
            raise ValueError(f"{', '.join(names)} would be recorded in another way")
    except ValueError as error:
        why = f"cannot be accepted: {error}; begin another run with it"
        raise ConfigError([replace(problem, advice=why) for problem in accepted]) from error


def _last(folder: Path, of: str) -> Checkpoint | None:
    """The checkpoint of a folder, if it has one that is whole and of this run."""
    try:
        return Checkpoint.read(folder, of)
    except DamagedError as error:
        log.warning("%s: the run is computed again from its beginning", error)
        return None


def _whole(
    folder: Path, checkpoint: Checkpoint | None, record: RunRecord
) -> tuple[Commit, Checkpoint | None, bool]:
    """What is committed, the checkpoint, and whether anything is damaged; of results that are
    damaged as much as is whole: what there was at the checkpoint, or nothing, of which all is
    computed again; so if they are not of this run."""
    try:
        commit, of = read_commit(folder), record.id
        done = max([one.get("to_step", 0) for one in record.sessions], default=0)
        done = max(done, checkpoint.step if checkpoint else 0)
        if done and not (folder / COMMIT).exists():
            raise DamagedError(folder / COMMIT, f"it is missing; step {done} was reached")
        if of and commit.of not in ("", of):
            raise DamagedError(folder / RESULTS, f"it is of another run than {RECORD} says")
        damaged = verify(folder) if commit.steps else []
    except DamagedError as error:
        commit, damaged = Commit(), [error]
        error.first_step = 0
    since = [one.first_step for one in damaged if one.first_step is not None]
    for one in damaged:
        log.warning("%s", one)
    if not since:
        return commit, checkpoint, bool(damaged)
    if checkpoint is not None and checkpoint.step <= min(min(since), commit.steps):
        commit = _at(checkpoint)
    else:
        commit, checkpoint = Commit(), None
    log.warning("what is damaged is computed again, from step %d on", commit.steps)
    return commit, checkpoint, True


def _at(checkpoint: Checkpoint | None) -> Commit:
    """What was committed when a checkpoint was taken."""
    if checkpoint is None:
        return Commit()
    return Commit(checkpoint.step, dict(checkpoint.about["lengths"]))


def _is_complete(record: RunRecord, commit: Commit) -> bool:
    last = record.sessions[-1] if record.sessions else {}
    return last.get("status") == "completed" and last.get("to_step") == commit.steps
