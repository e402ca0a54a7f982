"""The index of many runs and sweeps: a list to filter and sort, and two side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from neurolab.report.folders import (
    date_of,
    ended,
    find,
    is_sweep,
    overrides_of,
    pictures_of,
    read_yaml,
    seconds,
    text_of,
)
from neurolab.report.page import Page
from neurolab.results.batches import SweepFolder
from neurolab.results.damage import DamagedError, read_mapping
from neurolab.results.plan import flat

__all__ = ["index_page"]

_STYLES = ("common.css", "index.css")
_SCRIPTS = ("common.js", "filter.js", "compare.js", "index_table.js", "index.js")
_VALUES = (
    "status", "message", "n_neurons", "duration_ms", "dt_ms", "seed", "spike_count", "rate_hz_mean",
    "rate_hz_std", "isi_cv_mean", "points", "completed", "partial", "diverged", "refused",
    "failed", "damaged", "missing", "wall_s", "compile_s", "neuron_updates_per_s", "points_per_s",
    "peak_rss_mb", "device", "precision", "git_revision", "config_hash",
)  # fmt: skip


def index_page(outputs: Path) -> Page:
    """The index of what is below a folder.

    Raises
    ------
    FileNotFoundError
        There is nothing.
    """
    texts: dict[str, int] = {}  # by number: configurations of many runs share nearly all of theirs
    entries = [_entry(path, outputs, texts) for path in find(outputs)]
    if not entries:
        raise FileNotFoundError(f"{outputs} holds no runs or sweeps, up to 4 folders deep.")
    entries.sort(key=lambda entry: str(entry["date"]), reverse=True)
    title = f"Runs and sweeps in {outputs.resolve().name}"
    data = {"title": title, "texts": list(texts), "entries": entries}
    return Page(_SCRIPTS, _STYLES, data, plots=False)


def _entry(folder: Path, outputs: Path, texts: dict[str, int]) -> dict[str, Any]:
    try:
        summary = read_mapping(folder / "summary.json", needed=False)
        status, message = ended(folder, summary)
    except DamagedError as error:
        summary, status, message = {}, "damaged", str(error)
    there = {path.name for path in folder.iterdir()}
    if sweep := is_sweep(folder):
        config, overrides, name = _definition(folder)
    else:
        found = read_yaml(folder / ".hydra" / "config.yaml")
        config, overrides = found if isinstance(found, dict) else {}, overrides_of(folder)
        name = _name(config)
    path = folder.relative_to(outputs).as_posix()
    rows = [(key, text_of(value)) for key, value in flat(config)]
    return {
        "path": path,
        "link": quote(path) + "/",
        "sweep": sweep,
        "date": date_of(folder),
        "name": name,
        "overrides": overrides,
        "status": status,
        "message": message,
        "rate": summary.get("rate_hz_mean"),
        "cv": summary.get("isi_cv_mean"),
        "points": summary.get("points"),
        "completed": summary.get("completed"),
        "wall": summary.get("wall_s"),
        "took": seconds(summary.get("wall_s")),
        "picture": next(iter(pictures_of(folder)), ""),
        "report": "report.html" in there,
        "values": [
            [key, text_of(summary[key])]
            for key in (*_VALUES, *(key for key in summary if f"{key}_unit" in summary))
            if summary.get(key) not in (None, "")
        ],
        "config": [[texts.setdefault(text, len(texts)) for text in row] for row in rows],
    }


def _definition(folder: Path) -> tuple[Mapping[str, Any], list[str], str]:
    """A sweep's first configuration, what all its points share of what was typed, and its name."""
    try:
        plan = SweepFolder(folder).plan()
    except ValueError:  # not written whole, or by another version
        return {}, [], "sweep"
    keys = [f"{', '.join(axis.keys)} ({len(axis)})" for axis in plan.axes]
    name = ", ".join(part for part in (plan.title, " × ".join(keys)) if part)
    return (plan.templates[0] if plan.templates else {}), plan.shared, name or "sweep"


def _name(config: Mapping[str, Any]) -> str:
    """What a person calls a run: the neuron and its input."""

    def model(group: str) -> str:
        node = config.get(group)
        target = node.get("_target_") if isinstance(node, Mapping) else None
        return str(target or "").rpartition(".")[2]

    return ", ".join(part for part in (model("neuron") or "run", model("input")) if part)
