"""Hydra's own part of a configuration: what Hydra would import and call from it, before it does.

Hydra makes callbacks, launchers, sweepers and handlers of logs itself, before anything of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf

from neurolab.config.origin import not_to_be_named
from neurolab.problems import Problem, Problems, show
from neurolab.results.plan import flat

__all__ = ["unfit_for_hydra"]

#: The callback that refuses a configuration before its folder is made.
_CHECK = "neurolab.cli.compose.Check"
_PLUGINS = ("hydra_plugins.", "hydra._internal.core_plugins.")
#: Modules whose classes handle and format logs, and the streams that they go to.
_LOGS = {"logging", "logging.handlers", "neurolab.simulation.log", "colorlog", "sys"}


def unfit_for_hydra(hydra: Any) -> list[Problem]:
    """What of Hydra's part cannot be, or names code that a configuration may not name."""
    problems = Problems()
    _callbacks(hydra.get("callbacks"), problems)
    for group in ("launcher", "sweeper"):
        path = OmegaConf.select(hydra, f"{group}._target_")
        if not str(path).startswith(_PLUGINS):
            advice = f"is no plugin of Hydra; choose an option: hydra/{group}=..., see --info"
            problems.add(f"hydra.{group}._target_", show(path), advice)
    for group in ("job_logging", "hydra_logging"):
        _logs(hydra.get(group), f"hydra.{group}", problems)
    if not isinstance(hydra.verbose, bool | str) and not OmegaConf.is_list(hydra.verbose):
        advice = "expected true, false, or names of loggers such as [neurolab,jax]"
        problems.add("hydra.verbose", hydra.verbose, advice)
    return problems.found


def _callbacks(node: Any, problems: Problems) -> None:
    plain: Any = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else {}
    for name, callback in plain.items():
        key = f"hydra.callbacks.{name}"
        if not isinstance(callback, Mapping) or "_target_" not in callback:
            problems.add(key, show(callback), "expected a mapping with a _target_")
        for place, path in flat(callback, key):
            if place.endswith("._target_") and not (name == "check" and path == _CHECK):
                _code(path, place, problems)
    check = plain.get("check")
    if not problems.found and not (isinstance(check, Mapping) and check.get("_target_") == _CHECK):
        advice = f"is what refuses a wrong configuration; leave it, with _target_: {_CHECK}"
        problems.add("hydra.callbacks.check", None, advice)


def _logs(node: Any, key: str, problems: Problems) -> None:
    plain: Any = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else {}
    for place, value in flat(plain, key):
        text = str(value)
        if text.startswith("ext://") or place.rpartition(".")[2] in ("class", "()"):
            path = text.removeprefix("ext://")
            if path.rpartition(".")[0] not in _LOGS:
                _code(path, place, problems)


def _code(path: Any, key: str, problems: Problems) -> None:
    """That what is at a dotted path may be named."""
    module = str(path).rpartition(".")[0]
    if not module or "${" in module:
        problems.add(key, show(path), "expected a dotted path, module.Class")
    elif why := not_to_be_named(module):
        problems.add(key, path, why)
