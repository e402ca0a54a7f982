"""The page of a sweep: pictures of its values over its keys, its table, and every point's run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.plots.parts import duration
from neurolab.report.configuration import text_of
from neurolab.report.folders import (
    date_of,
    ended,
    flat,
    log_tail,
    place_of,
    read_json,
    seconds,
    short,
)
from neurolab.report.page import Page
from neurolab.report.sweep_spikes import spikes_of
from neurolab.results.batches import SweepFolder
from neurolab.results.table import VALUES

__all__ = ["sweep_page"]

_STYLES = ("common.css", "plots.css", "table.css", "sweep.css")
_SCRIPTS = (
    "common.js", "figures.js", "spikes.js", "points.js", "sweep_lines.js", "sweep_plot.js",
    "table.js", "drawer.js", "sweep.js",
)  # fmt: skip
_STATUSES = ("completed", "diverged", "refused", "failed", "missing")


def sweep_page(folder: Path) -> Page:
    """The page of a sweep, finished or not."""
    store = SweepFolder(folder)
    definition = store.definition()
    rows = store.all_rows(definition)
    summary = read_json(folder / "summary.json")
    n = len(definition["points"])
    statuses = [rows[i]["status"] if i in rows else "missing" for i in range(n)]
    status, message = ended(folder, summary)
    title = ", ".join(part for part in (definition.get("title"), f"{n:,} points") if part)
    title = f"Sweep: {title}"
    arrays: dict[str, np.ndarray] = {}
    kinds = [*_STATUSES, *sorted(set(statuses) - set(_STATUSES))]
    data: dict[str, Any] = {
        "kind": "sweep",
        "title": title,
        "status": status,
        "message": message,
        "date": date_of(folder),
        "folder": place_of(folder),
        "tiles": _tiles(definition, summary, rows, statuses),
        "keys": _keys(definition),
        "statuses": kinds,
        "status_of": [kinds.index(one) for one in statuses],
        "values": _values(rows, n),
        "messages": {i: row["message"] for i, row in rows.items() if row.get("message")},
        "durations": sorted({duration(row["duration_ms"]) for row in rows.values()
                             if row.get("duration_ms") is not None}),
        "typed": _overrides(definition["points"]),
        "folders": _run_folders(folder, n),
        "summary": [[key, text_of(value)] for key, value in flat(summary)],
        "log": "" if status == "completed" else log_tail(folder),
        "pictures": [f"{v}.png" for v in VALUES if (folder / f"{v}.png").exists()],
    }  # fmt: skip
    data["spikes"] = spikes_of(rows, arrays)
    return Page(title, _SCRIPTS, _STYLES, data, arrays)


def _tiles(
    definition: Mapping[str, Any],
    summary: Mapping[str, Any],
    rows: Mapping[int, Mapping[str, Any]],
    statuses: Sequence[str],
) -> list[dict[str, str]]:
    n, done = len(statuses), statuses.count("completed")
    shape = " × ".join(str(axis["size"]) for axis in definition["axes"])
    bad = [
        f"{statuses.count(s)} {s}"
        for s in dict.fromkeys(_STATUSES)
        if s in statuses and s != "completed"
    ]
    tiles = [
        {"label": "points", "value": f"{n:,}", "unit": "", "note": shape if "×" in shape else ""},
        {"label": "completed", "value": f"{done:,}", "unit": "", "note": ", ".join(bad) or "all"},
    ]
    good = [row for row in rows.values() if row["status"] == "completed"]
    rates = [row["rate_hz"] for row in good if row.get("rate_hz") is not None]
    if rates:
        low, high = short(min(rates)), short(max(rates))
        tiles.append({"label": "rates", "value": f"{low} – {high}", "unit": "Hz", "note": ""})
    if summary.get("wall_s") is not None:
        value, _, unit = seconds(summary["wall_s"]).rpartition(" ")
        note = f"compiling {seconds(summary.get('compile_s'))}"
        tiles.append({"label": "wall time", "value": value, "unit": unit, "note": note})
    if summary.get("points_per_s"):
        speed, device = short(summary["points_per_s"]), summary.get("device") or ""
        tiles.append({"label": "speed", "value": speed, "unit": "points/s", "note": device})
    return tiles


def _keys(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The swept keys: their different values, and which of them each point has."""
    axes = definition["axes"]
    places = np.unravel_index(np.arange(len(definition["points"])), [a["size"] for a in axes])
    keys = []
    for axis, place in zip(axes, places, strict=True):
        for key in axis["keys"]:
            given = axis["values"][key]
            numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given)
            texts = list(given) if numeric else [text_of(value) for value in given]
            different = sorted(set(texts)) if numeric else list(dict.fromkeys(texts))
            where = {value: i for i, value in enumerate(different)}
            of = np.array([where[value] for value in texts], np.int64)[place]
            unit = axis["units"].get(key) or ""
            keys.append({
                "name": key, "unit": unit, "numeric": numeric, "values": different,
                "of": of.tolist(), "sampled": axis["name"] == "point" and len(axis["keys"]) > 1,
            })  # fmt: skip
    return keys


def _values(rows: Mapping[int, Mapping[str, Any]], n: int) -> list[dict[str, Any]]:
    """The summary values of all points, to six digits."""
    found = []
    for name, (unit, long_name) in VALUES.items():
        of: list[float | None] = [None] * n
        for index, row in rows.items():
            value = row.get(name)
            of[index] = value if isinstance(value, int) or value is None else float(f"{value:.6g}")
        unit = "" if unit == "1" else unit
        found.append({"name": name, "unit": unit, "long_name": long_name, "of": of})
    return found


def _overrides(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was typed for each point, every text once; and what all points share."""
    texts: dict[str, int] = {}
    of = [[texts.setdefault(t, len(texts)) for t in point["overrides"]] for point in points]
    common = set.intersection(*map(set, of)) if of else set()
    return {
        "texts": list(texts),
        "common": sorted(common),
        "of": [[t for t in one if t not in common] for one in of],
    }


def _run_folders(folder: Path, n: int) -> bool:
    """Whether points have folders of their own (``sweep.folders``)."""
    return n > 0 and (folder / "0" / "summary.json").exists()
