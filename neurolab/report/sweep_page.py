"""The page of a sweep: pictures of its values over its keys, its table, and every point's run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.plots.parts import duration
from neurolab.report.folders import about, read_json, short, tile, wall_time
from neurolab.report.page import Page
from neurolab.report.sweep_spikes import spikes_of
from neurolab.results.batches import SweepFolder
from neurolab.results.plan import Plan
from neurolab.results.table import STATUSES, VALUES, Table

__all__ = ["sweep_page"]

_STYLES = ("common.css", "plots.css", "table.css", "sweep.css")
_SCRIPTS = (
    "common.js", "figures.js", "spikes.js", "points.js", "sweep_lines.js", "sweep_plot.js",
    "table.js", "drawer.js", "sweep.js",
)  # fmt: skip
#: Values that are shown even where no point has them.
_MAIN = ("rate_hz", "rate_hz_std", "isi_cv", "spike_count")
_OTHERS = ("partial", "diverged", "refused", "failed", "missing")
#: Values of a key that are in the page as text; more are in it as an array.
_FEW = 1000


def sweep_page(folder: Path) -> Page:
    """The page of a sweep, finished or not."""
    store = SweepFolder(folder)
    plan = Plan.from_json(store.definition())
    table = Table(plan, store)
    summary = read_json(folder / "summary.json")
    n = len(plan)
    arrays: dict[str, np.ndarray] = {"status": table.status}
    durations = np.unique(table.columns["duration_ms"])
    data = {
        **about(folder, summary),
        "title": f"Sweep: {', '.join(filter(None, (plan.title, f'{n:,} points')))}",
        "tiles": _tiles(plan, summary, table),
        "n": n,
        "keys": _keys(plan, arrays),
        "statuses": STATUSES,
        "values": _values(table, arrays),
        "messages": table.messages,
        "durations": [duration(ms) for ms in durations[np.isfinite(durations)][:2].tolist()],
        "fixed": list(plan.fixed.values()),
        # Whether points have folders of their own (``sweep.folders``).
        "folders": (folder / "0" / "summary.json").exists(),
        "spikes": spikes_of(table, arrays),
    }
    return Page(_SCRIPTS, _STYLES, data, arrays)


def _tiles(plan: Plan, summary: Mapping[str, Any], table: Table) -> list[dict[str, str]]:
    n, counts = len(plan), table.counts()
    shape = " × ".join(map(str, plan.shape))
    bad = [f"{counts[status]} {status}" for status in _OTHERS if counts[status]]
    done, others = f"{counts['completed']:,}", ", ".join(bad) or "all"
    tiles = [
        tile("points", f"{n:,}", note=shape if "×" in shape else ""),
        tile("completed", done, note=others),
    ]
    rates = table.columns["rate_hz"][table.where("completed")]
    rates = rates[np.isfinite(rates)]
    if rates.size:
        low, high = short(float(rates.min())), short(float(rates.max()))
        tiles.append(tile("rates", f"{low} – {high}", "Hz"))
    tiles += wall_time(summary)
    if summary.get("points_per_s"):
        speed, device = short(summary["points_per_s"]), summary.get("device") or ""
        tiles.append(tile("speed", speed, "points/s", device))
    return tiles


def _keys(plan: Plan, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """The swept keys: their different values, and which of them each place along an axis has."""
    import pandas as pd

    keys: list[dict[str, Any]] = []
    strides = [math.prod(plan.shape[k + 1 :]) for k in range(len(plan.axes))]
    for axis, stride in zip(plan.axes, strides, strict=True):
        for typed, key in zip(axis.columns, axis.keys, strict=True):
            column = axis.columns[typed]
            values, unit = axis.coordinate(typed)
            numeric = values.dtype.kind in "if"
            # Numbers in their order, texts in the order they were typed.
            of, different = pd.factorize(values, sort=numeric, use_na_sentinel=False)
            number = len(keys)
            arrays[f"place{number}"] = of.astype(np.uint32)
            few = different.size <= _FEW or not numeric
            if not few:
                arrays[f"key{number}"] = different.astype(np.float64)
            keys.append({
                "name": key, "typed": typed, "unit": unit, "numeric": numeric, "stride": stride,
                "values": different.tolist() if few else None,
                "texts": None if column.numeric else list(column.texts or ()),
                "sampled": axis.name in ("point", "sample") and len(axis.columns) > 1,
            })  # fmt: skip
    return keys


def _values(table: Table, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """The summary values; those of all points are arrays."""
    found = []
    known = {name: about for name, about in VALUES.items() if name in _MAIN or _any(table, name)}
    for number, (name, (unit, long_name)) in enumerate(known.items()):
        of = table.columns[name]
        exact = np.nan_to_num(of).max(initial=0.0) > 2**24  # a count that float32 has no place for
        arrays[f"value{number}"] = of if exact else of.astype(np.float32)
        unit = "" if unit == "1" else unit
        found.append({"name": name, "unit": unit, "long_name": long_name})
    return found


def _any(table: Table, name: str) -> bool:
    return bool(np.isfinite(table.columns[name]).any())
