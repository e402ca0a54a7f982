"""Trackers: what is told of a run, a sweep or a point of one, while it goes and at its end.

A tracker is any class with the methods of `Tracker`, named by dotted path in the configuration
(``tracker._target_``); the other keys of that group are its constructor's arguments.  They are
checked by its signature, and by its classmethod ``check(**settings)`` if it has one, which raises
ValueError for what cannot be; it is made when a run or sweep begins.  It is called in a process of
its own, which it is pickled to before ``start``; what it raises there ends the session with a
warning, never the simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

__all__ = ["NoTracker", "Tracked", "Tracker"]


@dataclass(frozen=True)
class Tracked:
    """What begins.

    Attributes
    ----------
    kind
        ``run``, ``sweep``, or ``point``, which has no folder of its own but its sweep's.
    folder
        Where the results go, and where what a tracker keeps belongs.
    name
        What was overridden; of a run without overrides, its folder; of a sweep, its keys.
    config
        The configuration, numbers in the units that the models declare.
    units
        Those units, under the same keys.
    overrides
        What was given on the command line.
    group
        The sweep that a point, or a run of another launcher, belongs to.
    index
        Of a point in its sweep.
    mark
        What tells a point from the others of its sweep: the same once that has become larger.
    """

    kind: str
    folder: Path
    name: str
    config: Mapping[str, Any]
    units: Mapping[str, Any] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    group: str | None = None
    index: int | None = None
    mark: str = ""


class Tracker(Protocol):
    """The protocol of a tracker; ``finish`` is called however a run ends."""

    def start(self, tracked: Tracked) -> None:
        """Something begins."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Metrics after so many steps, ``time_ms`` among them, a hundred times in a run."""

    def finish(self, exit_code: int, summary: Mapping[str, Any]) -> None:
        """It has ended, its files are written; ``summary["status"]`` says how."""


class NoTracker:
    """Keeps nothing beyond the run folder."""

    def start(self, tracked: Tracked) -> None:
        pass

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        pass

    def finish(self, exit_code: int, summary: Mapping[str, Any]) -> None:
        pass
