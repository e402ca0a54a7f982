"""Runs and sweeps on disk, and what their small files say, whatever became of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neurolab.results.layout import RESULTS
from neurolab.results.status import STATUS

__all__ = [
    "date_of", "ended", "find", "is_run", "is_sweep", "log_tail", "overrides_of",
    "place_of", "read_json", "read_yaml", "seconds", "short",
]  # fmt: skip

_DEFINITION = "definition.json"
_NOT_INSIDE = {"batches", "assets", ".hydra", ".submitit", "sweep.zarr", RESULTS}
_DEEPEST = 4
_LOG_BYTES = 8192
#: A run that goes on says so several times a minute.
_SILENT_SECONDS = 60


def is_sweep(folder: Path) -> bool:
    """Whether a sweep was defined in this folder."""
    return (folder / _DEFINITION).is_file()


def is_run(folder: Path) -> bool:
    """Whether a run was begun in this folder."""
    return not is_sweep(folder) and any(
        (folder / name).exists() for name in (".hydra", "summary.json", RESULTS)
    )


def find(outputs: Path) -> Iterator[Path]:
    """The runs and sweeps below a folder; what is inside a sweep is shown by its own page."""
    yield from _find(outputs, _DEEPEST)


def _find(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            inside = sorted((e for e in entries if e.is_dir()), key=lambda e: e.name)
    except OSError:  # gone meanwhile, or not ours to read
        return
    for entry in inside:
        path = folder / entry.name
        if entry.name in _NOT_INSIDE:
            continue
        if is_sweep(path) or is_run(path):
            yield path
        elif depth > 1:
            yield from _find(path, depth - 1)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file; empty where there is none or it was not written whole."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_yaml(path: Path) -> Any:
    """A YAML file; None where there is none or it cannot be read."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is built
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def overrides_of(folder: Path) -> list[str]:
    """What was typed for a run."""
    found = read_yaml(folder / ".hydra" / "overrides.yaml")
    return [str(text) for text in found] if isinstance(found, list) else []


def date_of(folder: Path) -> str:
    """When a run or sweep began, as ``2026-11-20 12:00:00``: from its name, else its files."""
    day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", folder.resolve().parent.name)
    time = re.match(r"(\d{2})-(\d{2})-(\d{2})(?!\d)", folder.name)
    if day and time:
        return f"{day.group()} {':'.join(time.groups())}"
    for name in (".hydra/overrides.yaml", ".hydra", _DEFINITION, "summary.json", "."):
        if (folder / name).exists():
            then = datetime.fromtimestamp((folder / name).stat().st_mtime)
            return then.strftime("%Y-%m-%d %H:%M:%S")
    return ""


def place_of(folder: Path) -> str:
    """A folder as it is named from beside ``outputs``; its name alone elsewhere."""
    parts = folder.resolve().parts
    if "outputs" not in parts:
        return parts[-1]
    return "/".join(parts[len(parts) - 1 - parts[::-1].index("outputs") :])


def ended(folder: Path, summary: Mapping[str, Any]) -> tuple[str, str]:
    """The status of a run or sweep and what is to be said of it; of one that has no summary, as
    far as status.json tells."""
    if "status" in summary:
        return str(summary["status"]), str(summary.get("message") or "")
    facts = read_json(folder / STATUS)
    try:
        updated = datetime.fromisoformat(facts["updated"])
        if facts.get("duration_ms"):
            part = facts["simulated_ms"] / facts["duration_ms"]
        else:
            part = facts["points_done"] / max(facts["points"], 1)
    except (KeyError, TypeError, ValueError):
        return "running or killed", ""
    age = (datetime.now(UTC) - updated).total_seconds()
    going = "running" if age < _SILENT_SECONDS else "killed"
    status = going if facts.get("status") == "running" else "running or killed"
    left = f", {seconds(facts['eta_s'])} left" if facts.get("eta_s") and status == "running" else ""
    return status, f"{part:.0%} done at {updated.astimezone():%H:%M:%S on %Y-%m-%d}{left}"


def log_tail(folder: Path) -> str:
    """The end of the log."""
    try:
        with (folder / "neurolab.log").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= _LOG_BYTES else "...\n" + text.partition("\n")[2]


def short(value: float | None, digits: int = 3) -> str:
    """A number as one reads it: ``2.19 M`` rather than 2188013.2; a dash for None."""
    if value is None:
        return "–"
    for factor, prefix in ((1e9, " G"), (1e6, " M")):
        if abs(value) >= factor:
            return f"{value / factor:.{digits}g}{prefix}"
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def seconds(value: float | None) -> str:
    """A wall time."""
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
