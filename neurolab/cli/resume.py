"""``resume=<folder>``: a run or a sweep goes on, from its own configuration, with nothing retyped.

python -m neurolab resume=outputs/2026-01-31/12-00-00
python -m neurolab resume=outputs/2026-01-31/12-00-00 duration=20s
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurolab.cli.compose import compose_config, effective
from neurolab.cli.record import save_config, save_defaults
from neurolab.problems import ConfigError, Problem, did_you_mean
from neurolab.results.plan import flat
from neurolab.results.record import RECORD, RunRecord

if TYPE_CHECKING:
    from neurolab.simulation.runner import Outcome

__all__ = ["main", "resume_run"]

_KEYS = ("resume", "resume.accept")


def main(arguments: list[str]) -> int:
    """The command."""
    given, overrides = _split(arguments)
    folder = folder_of(given["resume"])
    outcome = resume_run(folder, overrides, _listed(given.get("resume.accept", "")))
    if outcome is None:
        print(f"{folder} is complete; a longer duration would go on with it")
        return 0
    return outcome.exit_code


def resume_run(
    folder: Path, overrides: Iterable[str] = (), accept: Iterable[str] = (), terminal: bool = True
) -> Outcome | None:
    """Go on with the run in a folder; None if it is complete.

    Raises
    ------
    ConfigError
        It would not be the same run, or cannot go on.
    """
    overrides, record = list(overrides), RunRecord.read(folder)
    config = updated(record, overrides)
    from neurolab.engine.device import prepare

    prepare(config.get("device") or {})
    from neurolab.config.experiment import check
    from neurolab.simulation.log import log_to
    from neurolab.simulation.progress import print_summary
    from neurolab.simulation.resume import resumed
    from neurolab.simulation.runner import simulate

    with log_to(folder, terminal):
        experiment = check(config)
        found = resumed(folder, record, experiment, accept)
        if found is None:
            return None
        record.config, record.overrides = config, _joined(record.overrides, overrides)
        if overrides and (folder / ".hydra").is_dir():
            save_config(config, record.overrides, folder, ".hydra")

        def on_summary(summary: Mapping[str, Any], folder: Path) -> None:
            if terminal:
                print_summary(summary, folder)
            if (hydra := _hydra(record)) is not None:
                save_defaults(folder, hydra)

        return simulate(experiment, folder, on_summary, record.overrides, resumed=found)


def folder_of(text: str) -> Path:
    """The folder that was given.

    Raises
    ------
    ConfigError
        It has no run.
    """
    folder = Path(text)
    if (folder / RECORD).exists():
        return folder
    advice = "is not the folder of a run" if folder.is_dir() else "there is no such folder"
    raise ConfigError([Problem("resume", text, f"{advice}; give one under outputs/")])


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


def _split(arguments: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """What is for this command, and the overrides."""
    given: dict[str, str] = {}
    rest = []
    for text in arguments:
        key, equals, value = text.partition("=")
        if text.startswith("-"):
            advice = "is for a run or sweep that begins; resume=<folder> has its own settings"
            raise ConfigError([Problem(text, "", advice)])
        if key.partition(".")[0] == "resume" and equals:
            if key not in _KEYS:
                raise ConfigError([Problem(key, value, did_you_mean(key, _KEYS))])
            given[key] = value
        else:
            rest.append(text)
    return given, rest


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.strip("[] ").split(",") if part.strip()]
