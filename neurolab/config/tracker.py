"""The tracker that a configuration names: its class and settings are checked; it is made when it is
used."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from neurolab.config.classes import class_at
from neurolab.config.settings import SettingsReader
from neurolab.config.values import UnfitValueError
from neurolab.problems import ConfigError, Problem, Problems, show
from neurolab.trackers import NoTracker, Tracker

__all__ = ["read_tracker"]

_METHODS = ("start", "log", "finish")


def read_tracker(node: Any, problems: Problems) -> Callable[[], Tracker]:
    """What makes the tracker of the group ``tracker``; it raises a `ConfigError` if it cannot."""
    if not isinstance(node, Mapping):
        problems.add("tracker", show(node), "expected an option; see tracker= in --help")
        return NoTracker
    path, found = node.get("_target_"), Problems()
    settings = {str(name): value for name, value in node.items() if name != "_target_"}
    try:
        target = class_at(path, object)
        lacks = [name for name in _METHODS if not callable(getattr(target, name, None))]
        if lacks:
            lacking = f"lacks {', '.join(lacks)}; see neurolab.trackers.Tracker"
            raise UnfitValueError(lacking)
    except UnfitValueError as error:
        problems.add("tracker._target_", path, str(error))
        return NoTracker
    _check_settings(target, settings, found)
    if not found.found and _has_check(target):
        try:
            target.check(**settings)
        except ConfigError as error:
            found.found += error.problems
        except (TypeError, ValueError) as error:
            found.add("tracker", path, str(error))
    problems.found += found.found
    return partial(_made, target, str(path), settings)


def _check_settings(target: type, settings: Mapping[str, Any], problems: Problems) -> None:
    """That a class takes settings, by its signature."""
    try:
        taken = inspect.signature(target).parameters.values()
    except ValueError:  # it has none, as some of C's: whoever makes one sees
        return
    if not any(one.kind is one.VAR_KEYWORD for one in taken):
        SettingsReader(settings, "tracker", problems).only([one.name for one in taken])
    for one in taken:
        by_name = one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        if by_name and one.default is one.empty and one.name not in settings:
            advice = f"is needed by {target.__name__}: add +tracker.{one.name}=..."
            problems.add(f"tracker.{one.name}", None, advice)


def _has_check(target: type) -> bool:
    """Whether a class can tell of its settings without one being made."""
    return isinstance(inspect.getattr_static(target, "check", None), classmethod | staticmethod)


def _made(target: Callable[..., Tracker], path: str, settings: Mapping[str, Any]) -> Tracker:
    try:
        return target(**settings)
    except ConfigError:
        raise
    except Exception as error:  # whatever a class of the user's own does
        advice = f"cannot be made: {type(error).__name__}: {error}; tracker=none is without"
        raise ConfigError([Problem("tracker", path, advice)]) from error
