"""Trackio: metrics and pictures in a local database, with a page that shows them live.

``trackio show`` opens the page, while runs go on as well; no account and no server is needed.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

from neurolab.problems import Problems
from neurolab.trackers import Tracked
from neurolab.trackers.folder import config, no_texts, shown

__all__ = ["TrackioTracker"]


class TrackioTracker:
    """A Trackio run for a run, for a whole sweep, or for each point of one.

    Parameters
    ----------
    project, name, group
        As Trackio has them; a name of None is what was overridden, a group of None the sweep.
    per_point
        A run for each point of a sweep in place of one for the sweep.
    folder
        Where the database is; None: where Trackio has it, so that ``trackio show`` finds it.

    Raises
    ------
    ConfigError
        If Trackio is not installed, or for settings that cannot be.
    """

    def __init__(
        self,
        project: str = "neurolab",
        name: str | None = None,
        group: str | None = None,
        per_point: bool = False,
        folder: str | None = None,
    ) -> None:
        problems = Problems()
        if importlib.util.find_spec("trackio") is None:
            problems.add("tracker", "trackio", "is not installed: pip install 'neurolab[trackio]'")
        if not isinstance(per_point, bool):
            problems.add("tracker.per_point", per_point, "expected true or false")
        no_texts({"project": project, "name": name, "group": group, "folder": folder}, problems)
        problems.raise_if_any()
        self.project, self.name, self.group = project, name, group
        self.per_point, self.folder = per_point, folder
        self._step = 0

    @classmethod
    def check(cls, **settings: Any) -> None:
        """What is wrong with settings: making one checks them, and does no more."""
        cls(**settings)

    def start(self, tracked: Tracked) -> None:
        if self.folder is not None:
            os.environ["TRACKIO_DIR"] = self.folder  # read when trackio is imported
        import trackio

        self.tracked = tracked
        # Names are unique in a project; the folder's is the time.
        place = "/".join(tracked.folder.resolve().parts[-2:])
        index = f"-{tracked.mark}" if tracked.mark else ""
        name = self.name or tracked.name
        self.run = trackio.init(
            project=self.project,
            name=(name if place in name else f"{name} ({place}{index})").replace("/", " "),
            group=self.group or tracked.group,
            config=config(tracked),
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self._step = step
        self.run.log(dict(metrics), step=step)

    def finish(self, exit_code: int, summary: Mapping[str, Any]) -> None:
        import trackio

        plain = {k: v for k, v in summary.items() if isinstance(v, (int, float, str))}
        row = {f"summary/{k}": v for k, v in {"exit_code": exit_code, **plain}.items()}
        try:
            row |= shown(self.tracked, trackio.Image, lambda data: trackio.Table(dataframe=data))
            self.run.log(row, step=self._step)
        finally:
            self.run.finish()
