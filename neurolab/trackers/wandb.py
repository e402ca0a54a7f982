"""Weights & Biases: runs and sweeps as W&B runs, offline unless asked otherwise.

Offline, everything is in the run folder (``wandb/offline-run-*``) until ``wandb sync`` uploads it;
``wandb leet`` shows it without a server.  Online, a server that does not answer or a key that is
missing makes a run offline, with a warning that says what to do.
"""

from __future__ import annotations

import http.client
import logging
import os
import re
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from neurolab.problems import Problems, did_you_mean
from neurolab.trackers import Tracked
from neurolab.trackers.folder import config, no_texts, result_files, shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WandbTracker"]

log = logging.getLogger("neurolab")

_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_MODES = ("offline", "online", "disabled")
#: What older versions of W&B call modes.
_ALIASES = {"dryrun": "offline", "run": "online"}
#: Why the server was given up: of many points only the first waits for it, and warns. (This is the
#: process of one run's or one sweep's tracker.)
_GIVEN_UP: list[str] = []


class WandbTracker:
    """A W&B run for a run, for a whole sweep, or for each point of one.

    Parameters
    ----------
    mode
        ``offline``, ``online`` or ``disabled``; None: WANDB_MODE, or else offline.
    project, entity, name, group, job_type, tags, notes
        As W&B has them; None: W&B's variable (WANDB_PROJECT, WANDB_RUN_GROUP..), or else the
        project neurolab, as name what was overridden, as group the sweep.
    per_point
        A run for each point of a sweep in place of one for the sweep.
    artifact
        Whether the results are an artifact.
    dir
        Where W&B writes; None: WANDB_DIR, or else into the run folder.
    init_timeout, finish_timeout
        How long to wait for a server at the start and at the end.

    Raises
    ------
    ConfigError
        For settings that cannot be.
    """

    def __init__(
        self,
        mode: str | None = None,
        project: str | None = None,
        entity: str | None = None,
        name: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        per_point: bool = False,
        artifact: bool = True,
        dir: str | None = None,
        init_timeout: str = "20 s",
        finish_timeout: str = "10 min",
    ) -> None:
        problems = Problems()
        mode, of_mode = _said("mode", mode, "offline")
        mode = _ALIASES.get(mode, mode) if of_mode == "WANDB_MODE" else mode
        project, of_project = _said("project", project, "neurolab")
        tags, of_tags = _said("tags", tags, ())
        if of_tags == "WANDB_TAGS":
            tags = [tag.strip() for tag in str(tags).split(",") if tag.strip()]
        if mode not in _MODES:
            problems.add(of_mode, mode, did_you_mean(str(mode), _MODES))
        if not project or re.search(r"[/\\#?%:]", str(project)) or len(str(project)) > 128:
            advice = "expected a name of at most 128 characters without / \\ # ? % :"
            problems.add(of_project, project, advice)
        texts = {"entity": entity, "name": name, "group": group, "job_type": job_type}
        no_texts({**texts, "notes": notes, "dir": dir}, problems)
        listed = isinstance(tags, list | tuple)
        if not listed or not all(isinstance(tag, str) and tag for tag in tags):
            problems.add("tracker.tags", tags, "expected a list, such as [pilot,figure2]")
        for key, given in (("per_point", per_point), ("artifact", artifact)):
            if not isinstance(given, bool):
                problems.add(f"tracker.{key}", given, "expected true or false")
        self.init_timeout_s, self.finish_timeout_s = (
            _seconds(text, f"tracker.{key}", problems)
            for key, text in (("init_timeout", init_timeout), ("finish_timeout", finish_timeout))
        )
        problems.raise_if_any()
        self.mode, self.project, self.entity = mode, project, _said("entity", entity)[0]
        self.name, self.group = _said("name", name)[0], _said("group", group)[0]
        self.job_type, self.notes = _said("job_type", job_type)[0], _said("notes", notes)[0]
        self.tags, self.dir = tuple(tags), _said("dir", dir)[0]
        self.per_point, self.artifact = per_point, artifact
        self.active = mode != "disabled"
        #: How long the end is waited for.
        self.patience_s = self.init_timeout_s + self.finish_timeout_s + 60
        self._step = 0

    @classmethod
    def check(cls, **settings: Any) -> None:
        """What is wrong with settings: making one checks them, and does no more."""
        cls(**settings)

    def start(self, tracked: Tracked) -> None:
        self.tracked = tracked
        self.remedy = "nothing of it was kept by W&B; `wandb status` shows its settings"
        self.folder = Path(self.dir or tracked.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        # Artifacts wait for their upload here, not in the user's home. This process is ours.
        os.environ.setdefault("WANDB_DATA_DIR", str(self.folder.resolve() / "wandb" / "data"))
        self.run = self._begin()
        self.remedy = f"`wandb sync {self.run.settings.sync_dir}` uploads what W&B has of it"
        self.run.define_metric("time_ms")
        self.run.define_metric("*", step_metric="time_ms")

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self._step = step
        self.run.log(dict(metrics), step=step)

    def finish(self, exit_code: int, summary: Mapping[str, Any]) -> None:
        try:
            self.run.summary.update(dict(summary))
            if self.tracked.kind != "point":
                self._results()
        finally:  # whatever the disk or the server says, it has ended
            self.run.finish(exit_code=exit_code)
        if self.tracked.kind != "point":
            path = self.run.settings.sync_dir
            log.info(
                "W&B: %s",
                f"offline; upload it with `wandb sync {path}`" if self.offline else self.run.url,
            )

    def _begin(self) -> Any:
        """The W&B run; offline where it cannot be online, with a warning that says what to do."""
        import wandb

        if self.mode == "offline" or _GIVEN_UP:
            return self._init("offline")
        why = self._unreachable(wandb.setup().settings.base_url)
        remedy = "see that the server can be reached"
        try:
            if not why and wandb.login(prompt=False):
                return self._init("online")
            if not why:
                why, remedy = "there is no API key", "`wandb login`"
        except (wandb.Error, OSError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
        run = self._init("offline")
        place, what = run.settings.sync_dir, "this run is"
        if self.tracked.kind == "point":
            place, what = f"{Path(place).parent}/offline-run-*", "these points are"
        log.warning("W&B: %s: %s kept offline; %s, then `wandb sync %s`", why, what, remedy, place)
        _GIVEN_UP.append(why)
        return run

    def _init(self, mode: Literal["online", "offline"]) -> Any:
        import wandb

        self.offline, tracked = mode == "offline", self.tracked
        chosen = {"WANDB_SWEEP_ID", *(["WANDB_RUN_ID"] if tracked.kind != "point" else [])}
        return wandb.init(
            mode=mode,
            project=self.project,
            entity=self.entity,
            # In a W&B sweep the agent has said which run this is.
            id=None if os.environ.keys() & chosen else self._id(),
            name=(self.name or tracked.name)[:128],
            group=self.group or tracked.group,
            job_type=self.job_type or tracked.kind,
            tags=self.tags,
            notes=self.notes,
            config=config(tracked),
            dir=str(self.folder),
            resume=None if self.offline else "allow",
            reinit="create_new",
            settings=wandb.Settings(
                silent=True,
                console="off",
                x_save_requirements=False,  # takes a while; versions are in the configuration
                init_timeout=self.init_timeout_s,
                finish_timeout=self.finish_timeout_s,
            ),
        )

    def _unreachable(self, url: str) -> str:
        """Why the server does not answer, empty if it does: W&B itself tries again for minutes."""
        try:
            urllib.request.urlopen(url, timeout=self.init_timeout_s).close()
        except urllib.error.HTTPError:
            return ""  # an answer all the same
        except (OSError, ValueError, http.client.HTTPException) as error:
            if isinstance(getattr(error, "reason", None), ssl.SSLError):
                return ""  # W&B has certificates of its own
            return f"{url} does not answer ({error})"
        return ""

    def _id(self) -> str:
        """The id of what is tracked: the same again when it is resumed in its folder."""
        path = self.tracked.folder / "wandb" / "run-id"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(secrets.token_hex(4))
        return path.read_text() + (f"-{self.tracked.mark}" if self.tracked.mark else "")

    def _results(self) -> None:
        """Pictures, the table of a sweep, and the files."""
        import wandb

        def table(data: pd.DataFrame) -> Any:
            return wandb.Table(dataframe=data, log_mode="IMMUTABLE")

        if row := shown(self.tracked, wandb.Image, table):
            # A W&B run that is resumed goes on where it was.
            self.run.log(row, step=max(self._step, self.run.starting_step))
        files = result_files(self.tracked.folder) if self.artifact else []
        if not files:
            return
        artifact = wandb.Artifact(f"{self.tracked.kind}-{self.run.id}", "results")
        for path in files:
            add = artifact.add_dir if path.is_dir() else artifact.add_file
            add(str(path), name=path.name, policy="immutable")  # they change no more: no copies
        self.run.log_artifact(artifact)


def _said(key: str, typed: Any, default: Any = None) -> tuple[Any, str]:
    """What was typed, or W&B's own variable says, or the default; and where it was said."""
    variable = "WANDB_" + {"group": "RUN_GROUP"}.get(key, key.upper())
    said = os.environ.get(variable) if typed is None else None
    return (said, variable) if said else (default if typed is None else typed, f"tracker.{key}")


def _seconds(text: Any, key: str, problems: Problems) -> float:
    """A time on the clock, such as 20 s, in seconds."""
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([a-z]*)\s*", str(text))
    number, unit = match.groups() if match else ("0", "?")
    seconds = float(number) * _SECONDS.get(unit, 0.0)
    if not unit:
        problems.add(key, text, f"has no unit; write for example {text}s")
    elif not seconds:
        problems.add(key, text, "expected a time above 0, such as 20 s, 10 min or 1 h")
    return seconds
