"""``resume=<folder>``: a run or a sweep goes on, from its own configuration, with nothing retyped.

python -m neurolab resume=outputs/2026-01-31/12-00-00
python -m neurolab resume=outputs/2026-01-31/12-00-00 duration=20s
python -m neurolab resume=outputs/2026-01-31/12-00-00-sweep seed=range:20
"""

from __future__ import annotations

import copy
import itertools
import logging
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from neurolab.cli.begun import folder_of, split
from neurolab.cli.compose import compose_config, compose_master, effective
from neurolab.cli.ending import held
from neurolab.cli.extend import extend
from neurolab.cli.folders import write_again
from neurolab.cli.points import diagnose_sweep
from neurolab.cli.raised import explained
from neurolab.cli.record import save_config, save_defaults
from neurolab.problems import ConfigError
from neurolab.results.batches import SweepFolder
from neurolab.results.checkpoint import CHECKPOINT
from neurolab.results.damage import SUMMARY
from neurolab.results.plan import flat
from neurolab.results.record import RunRecord
from neurolab.results.run import Run, open_run
from neurolab.results.sweep import Sweep, open_sweep
from neurolab.results.verify import verify

if TYPE_CHECKING:
    from neurolab.simulation.runner import Outcome
    from neurolab.sweep.run import SweepOutcome

__all__ = ["main", "resume", "resume_run", "resume_sweep", "updated"]

log = logging.getLogger("neurolab")

_KEYS = ("resume", "resume.accept")
#: What of a sweep may be another when it goes on: where and how it is computed.
_OF_SWEEPS = re.compile(
    r"(?!device\.precision\b|sweep\.(seed|resume)\b)(device|tracker|report|sweep|checkpoint)\b|hydra[./]launcher\b"
)

#: What says how folders of points are called (``sweep.folders``).
_OF_FOLDERS = ("hydra.sweep.subdir", "hydra.job.", "hydra.output_subdir")


def main(arguments: list[str]) -> int:
    """The command."""
    given, overrides = split(arguments, _KEYS)
    folder, accept = folder_of(given["resume"]), _listed(given.get("resume.accept", ""))
    if SweepFolder(folder).exists:
        return resume_sweep(folder, overrides, accept).exit_code
    outcome = resume_run(folder, overrides, accept)
    if outcome is None:
        print(f"{folder} is complete; a longer duration would go on with it")
        return 0
    return outcome.exit_code


def resume(
    folder: str | Path, overrides: Iterable[str] = (), accept: Iterable[str] = ()
) -> Run | Sweep:
    """Go on with the run or sweep in a folder, to exactly what it would have been, and return its
    results: `neurolab.resume`.

    Parameters
    ----------
    folder
        Of a run or a sweep that was stopped, in whatever way, or of a run that is to be longer.
    overrides
        ``["duration=20s"]``; of a sweep all values of an axis, of which there may be more than
        before, as ``["seed=range:20"]``; and what changes no result, as ``["device.count=2"]``.
    accept
        What may differ from when it began: ``versions``, ``files``, ``source``, or keys.

    Raises
    ------
    ConfigError
        It would not be the same, or cannot go on; it says what differs.
    Exception
        Whatever made it fail, as of `neurolab.run`.
    """
    path = folder_of(str(folder))
    if SweepFolder(path).exists:
        resume_sweep(path, overrides, accept, terminal=False)
        return open_sweep(path)
    outcome = resume_run(path, overrides, accept, terminal=False)
    if outcome is not None and outcome.error is not None:
        raise outcome.error
    return open_run(path)


def resume_run(
    folder: Path, overrides: Iterable[str] = (), accept: Iterable[str] = (), terminal: bool = True
) -> Outcome | None:
    """Go on with the run in a folder; None if it is complete.

    Raises
    ------
    ConfigError
        It would not be the same run, or cannot go on.
    """
    with held(folder, "resume") as lease:
        overrides, record = list(overrides), RunRecord.read(folder)
        config = updated(record, overrides)
        from neurolab.engine.device import prepare

        prepare(config.get("device") or {})
        from neurolab.config.experiment import check
        from neurolab.simulation.log import log_to
        from neurolab.simulation.progress import print_summary
        from neurolab.simulation.resume import resumed
        from neurolab.simulation.runner import simulate

        def on_summary(summary: Mapping[str, Any], folder: Path) -> None:
            if terminal:
                print_summary(summary, folder)
            if (hydra := _hydra(record)) is not None:
                save_defaults(folder, hydra)

        with log_to(folder, terminal):
            experiment = check(config)
            found = resumed(folder, record, experiment, accept)
            if found is None:
                return None
            record.config, record.overrides = config, _joined(record.overrides, overrides)
            if overrides and (folder / ".hydra").is_dir():
                save_config(config, record.overrides, folder, ".hydra")
            return simulate(
                experiment, folder, on_summary, record.overrides, lease=lease, resumed=found
            )


def resume_sweep(
    folder: Path, overrides: Iterable[str] = (), accept: Iterable[str] = (), terminal: bool = True
) -> SweepOutcome:
    """Compute what is missing of the sweep in a folder: batches that were begun go on.

    Raises
    ------
    ConfigError
        It would not be the same sweep, or cannot go on.
    """
    began, store = time.perf_counter(), SweepFolder(folder)
    plan, typed = store.plan(), list(overrides)
    more = [text for text in typed if not _OF_SWEEPS.match(text.lstrip("+~"))]
    typed = [text for text in typed if text not in more]
    usual = [text for text in _typed_for(folder) if _OF_SWEEPS.match(text.lstrip("+~"))]
    usual += [text for key, text in plan.fixed.items() if key == "sweep.seed"]
    explaining = explained(lambda: diagnose_sweep(typed), typed)
    with explaining, compose_master(_joined(usual, typed)) as (_, master):
        found: dict[str, Any] = OmegaConf.to_container(master)  # type: ignore[assignment]
        given = [
            group
            for group in ("device", "tracker", "report", "checkpoint")
            if any(re.match(rf"\W*{group}\b", text) for text in typed)
        ]
        for group in given:  # values that refer to others are these
            found[group] = OmegaConf.to_container(master[group], resolve=True)
    refused: Any = plan.refused
    if more:
        plan, refused = extend(plan, more, usual, found["sweep"]["seed"])
    for group, template in itertools.product(given, plan.templates):
        kept = {"precision": template["device"]["precision"]} if group == "device" else {}
        template[group] = {**found[group], **kept} if kept else found[group]
    launcher = found["hydra"]["launcher"]
    from neurolab.config.settings import read_settings
    from neurolab.simulation.log import log_to
    from neurolab.sweep.executor_options import read_executor
    from neurolab.sweep.gather import print_sweep
    from neurolab.sweep.run import run_sweep

    del launcher["_target_"]
    settings = replace(read_settings(found["sweep"]), resume=folder, accept=frozenset(accept))
    executor = read_executor(launcher.pop("executor", None), launcher)
    with held(folder, "resume") as lease, log_to(folder, terminal) as late:
        late.begun = True
        _without_damaged(store)
        outcome = run_sweep(plan, refused, folder, settings, executor, began=began, lease=lease)
    if settings.folders:
        own = [text for text in _typed_for(folder) if text.startswith(_OF_FOLDERS)]
        write_again(outcome.plan, outcome.table, folder, _joined([*own, *usual], typed))
    if terminal:
        print_sweep(store, outcome.plan, outcome.table, outcome.summary)
    return outcome


def _without_damaged(store: SweepFolder) -> None:
    """Remove the batches that are damaged: their points are computed again."""
    idle = store.idle()
    for error in verify(store.path):
        if error.what.name in (CHECKPOINT, SUMMARY):  # the results are whole without
            log.warning("%s", error)
            error.what.unlink(missing_ok=True)
            continue
        for batch in set(idle).intersection((error.what, *error.what.parents)):
            log.warning("%s; its points are computed again", error)
            shutil.rmtree(batch, ignore_errors=True)


def _typed_for(folder: Path) -> list[str]:
    """What was typed for a sweep by command; nothing where Python began it."""
    record = folder / "multirun.yaml"
    given = OmegaConf.load(record) if record.exists() else OmegaConf.create()
    plain: Any = OmegaConf.to_container(given)  # ${hydra.job.num} as it was typed
    found = (plain.get("hydra") or {}).get("overrides") or {}
    return [str(text) for key in ("hydra", "task") for text in found.get(key) or ()]


def updated(record: RunRecord, overrides: list[str]) -> dict[str, Any]:
    """The configuration of a run, and what follows from further overrides: also of values that
    refer to what these change."""
    config: dict[str, Any] = copy.deepcopy(record.config)
    if not overrides:
        return config
    together = _joined(record.overrides, overrides)
    before, after = (
        dict(flat(effective(compose_config(texts), texts)))
        for texts in (record.overrides, together)
    )
    for key in before.keys() | after.keys():
        if key in before and key in after and before[key] == after[key]:
            continue
        *path, name = key.split(".")
        node = config
        for step in path:
            inner = node.get(step)
            node = node.setdefault(step, {}) if not isinstance(inner, dict) else inner
        if key in after:
            node[name] = after[key]
        else:
            node.pop(name, None)
    return config


def _joined(before: Iterable[str], more: Iterable[str]) -> list[str]:
    """Overrides, the last of each key alone."""
    found = {text.partition("=")[0].lstrip("+"): text for text in (*before, *more)}
    return list(found.values())


def _hydra(record: RunRecord) -> Any:
    """Hydra's part of the configuration of a run; None where it cannot be composed any more."""
    try:
        return compose_config(record.overrides).hydra
    except ConfigError:
        return None


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.strip("[] ").split(",") if part.strip()]
