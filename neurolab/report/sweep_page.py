"""The page of a sweep: pictures of its values over its keys, its table, and every point's run."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.plots.parts import duration
from neurolab.plots.sweep_keys import Key
from neurolab.plots.sweep_picture import (
    MOST_COLUMNS,
    MOST_PANELS,
    MOST_ROWS,
    key_of,
    picture_of,
)
from neurolab.report.folders import about, short, tile, tried, wall_time
from neurolab.report.page import Page
from neurolab.report.sweep_spikes import spikes_of
from neurolab.results.axes import of_sweep
from neurolab.results.batches import SweepFolder
from neurolab.results.dataset import as_dataset, name_of
from neurolab.results.dependence import importance_of
from neurolab.results.plan import Plan
from neurolab.results.status import read_summary
from neurolab.results.table import STATUSES, VALUES, Table

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["sweep_page"]

log = logging.getLogger("neurolab")

_STYLES = ("common.css", "plots.css", "table.css", "sweep.css")
_SCRIPTS = (
    "common.js", "tabs.js", "figures.js", "spikes.js", "points.js", "controls.js",
    "sweep_lines.js", "sweep_panels.js", "sweep_plot.js", "sweep_views.js", "filter.js",
    "table.js", "drawer.js", "sweep.js",
)  # fmt: skip
#: Values that are shown even where no point has them.
_MAIN = ("rate_hz", "rate_hz_std", "isi_cv", "spike_count")
_OTHERS = ("partial", "diverged", "refused", "failed", "damaged", "missing")
#: Rates that have room at the top: of all neurons, and of each of a few populations.
_MOST_TOLD = 5
#: Values of a key that are in the page as text; more are in it as an array.
_FEW = 1000


def sweep_page(folder: Path) -> Page:
    """The page of a sweep, finished or not; it says what is damaged."""
    store = SweepFolder(folder)
    plan = store.plan()
    table = Table(plan, store)
    damaged = list(table.damaged)
    summary = tried(lambda: read_summary(folder), damaged, {})
    n = len(plan)
    arrays: dict[str, np.ndarray] = {"status": table.status}
    durations = np.unique(table.columns["duration_ms"])
    arrays["lasted_ms"] = table.columns["duration_ms"].astype(np.float32)
    data_set = as_dataset(plan, table)
    keys = _keys(plan, data_set, arrays)
    values = _values(table, arrays)
    data = {
        **about(folder, summary),
        "title": f"Sweep: {', '.join(filter(None, (plan.title, f'{n:,} points')))}",
        "tiles": _tiles(plan, summary, table),
        "n": n,
        "keys": keys,
        **_picture(data_set, keys, arrays),
        "statuses": STATUSES,
        "values": values,
        "importance": _importance(data_set, values),
        "messages": table.messages,
        "student": _student(int(data_set.sizes.get("seed", 1))),
        "durations": [duration(ms) for ms in durations[np.isfinite(durations)][:2].tolist()],
        "fixed": [text for key, text in plan.fixed.items() if not of_sweep(key)],
        "alone": plan.mode,
        # Whether points have folders of their own (``sweep.folders``).
        "folders": (folder / "0" / "summary.json").exists(),
        "spikes": tried(lambda: spikes_of(table, arrays), damaged, {}),
    }
    if damaged:
        told = " ".join(map(str, damaged))
        if data["status"] != "running":  # the next page may have it
            log.warning("%s", told)
        data |= {"status": "damaged", "message": told, "spikes": data["spikes"] or {"why": told}}
    return Page(_SCRIPTS, _STYLES, data, arrays)


def _student(n_seeds: int) -> list[float]:
    """Student's t for a confidence of 95 %, by how many seeds have a value; `Sweep.plot.lines`."""
    if n_seeds < 2:
        return []
    from scipy.special import stdtrit

    return [0.0, 0.0, *stdtrit(np.arange(1, n_seeds), 0.975).tolist()]


def _tiles(plan: Plan, summary: Mapping[str, Any], table: Table) -> list[dict[str, str]]:
    n, counts = len(plan), table.counts()
    shape = " × ".join(map(str, plan.shape))
    bad = [f"{counts[status]} {status}" for status in _OTHERS if counts[status]]
    done, others = f"{counts['completed']:,}", ", ".join(bad) or "all"
    tiles = [
        tile("points", f"{n:,}", note=shape if "×" in shape else ""),
        tile("completed", done, note=others),
    ]
    rates = list(table.rates().items())
    for name, (low, high) in rates[: len(rates) if len(rates) <= _MOST_TOLD else 1]:
        of = f"rates of {name}" if name else "rates"
        least, most = short(low), short(high)
        tiles.append(tile(of, least if least == most else f"{least} – {most}", "Hz"))
    tiles += wall_time(summary)
    if summary.get("points_per_s"):
        speed, device = short(summary["points_per_s"]), summary.get("device") or ""
        tiles.append(tile("speed", speed, "points/s", device))
    return tiles


def _keys(plan: Plan, data: xr.Dataset, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """The swept keys: their different values, and which of them each place along an axis has."""
    keys: list[dict[str, Any]] = []
    for axis in plan.axes:
        dim = name_of(axis.name)
        for typed, name in zip(axis.columns, axis.keys, strict=True):
            key, column = key_of(data[name_of(name)], dim), axis.columns[typed]
            texts = None if column.numeric else list(column.texts or ())
            about = {"name": name, "typed": typed, "texts": texts}
            keys.append(about | _places(data, key, len(keys), arrays))
    return keys


def _places(
    data: xr.Dataset, key: Key, number: int, arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """The different values of a key, where they are, and how it is drawn along an axis."""
    import pandas as pd

    # Numbers in their order, texts in the order they were typed.
    of, different = pd.factorize(key.values, sort=key.numeric, use_na_sentinel=False)
    arrays[f"place{number}"] = of.astype(np.uint32)
    if large := key.numeric and different.size > _FEW:
        arrays[f"key{number}"] = different.astype(np.float64)
    shape = data["status"].sizes
    axis = list(shape).index(key.dim)
    return {
        "unit": key.unit, "about": key.about, "numeric": key.numeric,
        "values": None if large else different.tolist(),
        "axis": axis, "stride": math.prod(list(shape.values())[axis + 1 :]),
        "log": key.log, "joined": key.joined and key.numeric, "repeated": key.dim == "seed",
        "scattered": key.dim in ("sample", "point") and key.name != key.dim,
    }  # fmt: skip


def _picture(
    data: xr.Dataset, keys: list[dict[str, Any]], arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """What the page shows first, as the picture beside it does: the places of keys, by number.

    Keys that were walked together may have one axis between them, which is a key of its own.
    """
    asked = [str(name) for name, of in data.data_vars.items() if of.attrs.get("measured")]
    found = (picture_of(data, value) for value in [*VALUES, *asked])
    picture = next(filter(None, found), None)
    if picture is None:
        return {"picture": None, "joint": []}
    joint: list[dict[str, Any]] = []

    def number(key: Key) -> int:
        for place, one in enumerate([*keys, *joint]):
            if name_of(one["name"]) == key.name:
                return place
        place = len(keys) + len(joint)
        joint.append({"name": key.name} | _places(data, key, place, arrays))
        return place

    first = {
        "mark": picture.mark, "free": picture.free,
        "x": number(picture.x), "y": None if picture.y is None else number(picture.y),
        "panels": [number(key) for key in picture.panels],
        "each": [number(key) for key in picture.each],
        "most": [MOST_PANELS, MOST_COLUMNS, MOST_ROWS],
    }  # fmt: skip
    return {"picture": first, "joint": joint}


def _importance(data: xr.Dataset, values: list[dict[str, Any]]) -> dict[str, Any]:
    """What each key explains of each value by itself, or why that is not known."""
    axes = data["status"].dims
    found: dict[str, Any] = {}
    sampled = {"sampled": bool({"sample", "point"} & set(map(str, axes)))}
    for name in (value["name"] for value in values):
        if data["status"].size < 2 or name not in data or data[name].dims != axes:
            continue
        try:
            of = importance_of(data, name, None)
        except ValueError as error:
            found[name] = {"why": str(error)}
            continue
        parts = [float(part) if math.isfinite(part) else None for part in of.values]
        found[name] = {"keys": of["key"].values.tolist(), "of": parts}
    return found | sampled


def _values(table: Table, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """The summary values; those of all points are arrays."""
    found = []
    main = () if table.measured and not any(_any(table, name) for name in _MAIN) else _MAIN
    known = {
        name: about for name, about in table.about.items() if name in main or _any(table, name)
    }
    for number, (name, (unit, long_name)) in enumerate(known.items()):
        of = table.columns[name]
        exact = np.nan_to_num(of).max(initial=0.0) > 2**24  # a count that float32 has no place for
        arrays[f"value{number}"] = of if exact else of.astype(np.float32)
        unit = "" if unit == "1" else unit
        base, _, of_population = name.rpartition(".")
        if of_population not in table.populations:
            base, of_population = name, ""
        about = {"name": name, "base": base, "population": of_population, "unit": unit}
        found.append(about | {"long_name": long_name, "so_far": base.endswith("_so_far")})
    return found


def _any(table: Table, name: str) -> bool:
    return bool(np.isfinite(table.columns[name]).any())
