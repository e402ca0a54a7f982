"""Trackers: what is told about a run while it goes.

A tracker is any class with the methods of `Tracker`, named by dotted path in the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

__all__ = ["NoTracker", "Tracker"]


class Tracker(Protocol):
    """The protocol of a tracker; ``finish`` is called however a run ends."""

    def start(self, folder: Path, config: Mapping[str, Any]) -> None:
        """A run begins in ``folder`` with this configuration."""

    def log(self, time_ms: float, metrics: Mapping[str, float]) -> None:
        """Metrics at a simulated time, after each chunk."""

    def finish(self, status: str, summary: Mapping[str, Any]) -> None:
        """The run has ended, its files are written."""


class NoTracker:
    """Keeps nothing beyond the run folder."""

    def start(self, folder: Path, config: Mapping[str, Any]) -> None:
        pass

    def log(self, time_ms: float, metrics: Mapping[str, float]) -> None:
        pass

    def finish(self, status: str, summary: Mapping[str, Any]) -> None:
        pass
