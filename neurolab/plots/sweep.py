"""Pictures of a sweep, made from its Dataset: one value over the keys that were swept.

One key gives a line, two a heatmap or a line for each value of one of them, more small multiples;
keys that are walked together (a sample, a list of points) give scattered points. Seeds are
repetitions: they are averaged over. `neurolab.plots.sweep_picture` decides which.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurolab.numbers import number
from neurolab.plots import sweep_panels as parts
from neurolab.plots.colours import BLUE, GREY, INK, VERMILLION
from neurolab.plots.parts import named, save
from neurolab.plots.sweep_keys import MARKS, Key, limits, room
from neurolab.plots.sweep_picture import (
    MOST_COLUMNS,
    MOST_PANELS,
    MOST_ROWS,
    Picture,
    known,
    picture_of,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


#: Letters that axes have room for.
_WIDE, _TALL = 72, 38

#: What is drawn of every sweep; of networks also over the dimension ``population``.
VALUES = ("rate_hz", "isi_cv", "population_rate_hz", "population_isi_cv")


def draw_all(data: xr.Dataset, folder: Path, values: Sequence[str] = ()) -> list[Path]:
    """Save a picture of each value that has something to show in a folder, those that were asked
    for in ``record.summary`` too; returns their paths."""
    asked = [str(name) for name, of in data.data_vars.items() if of.attrs.get("measured")]
    values = values or [*VALUES, *asked]
    return save({value: draw(data, value) for value in values}, folder)


def draw(
    data: xr.Dataset, value: str = "rate_hz", *, along: Sequence[str] | None = None
) -> Figure | None:
    """A value over the swept keys; None when it has no number, or no key has two values.

    `along` names the keys that become the horizontal axis, the vertical axis or the lines, and the
    panels, in this order; see `neurolab.plots.sweep_picture.picture_of`.
    """
    picture = picture_of(data, value, along)
    cube = _Cube.read(data, value)
    if picture is None or cube is None:
        return None
    if picture.seeds:
        cube = cube.over_seeds()
    cube = cube.at_first(picture.fixed)
    return _each_key(cube, list(picture.each)) if picture.each else _picture(cube, picture)


@dataclass(frozen=True)
class _Cube:
    """A value over the swept dimensions, what became of the runs, and what is said of them.

    ``data`` has ``mean``; ``sd`` over the seeds, or zero; ``marks``: 0, or the place in MARKS
    counted from 1; and ``runs``: these of all seeds.
    """

    data: xr.Dataset
    title: str
    label: str
    each: str = ""
    seeds: str = ""

    @staticmethod
    def read(data: xr.Dataset, value: str) -> _Cube | None:
        array = known(data, value)
        if array is None:
            return None
        codes = {name: code for code, name in enumerate(MARKS, start=1)}
        marks = array.isnull().astype(int)
        if "status" in data and set(data["status"].dims) <= set(array.dims):
            status = data["status"].broadcast_like(array).transpose(*array.dims).astype(str)
            for word in set(np.unique(status.values).tolist()) - {"completed"}:
                marks = marks.where(status != word, codes.get(word, codes["partial"]))
        name, unit = (str(data[value].attrs.get(key, "")) for key in ("long_name", "units"))
        label = named(name or value, unit)
        title = textwrap.shorten(str(data.attrs.get("title", "")) or label, 60, placeholder=" …")
        cube = array.to_dataset(name="mean").assign(sd=0 * array, marks=marks, runs=marks)
        return _Cube(cube, title, label, _each(data))

    def notes(self, look: str, colour: str = "", spread: str = "") -> dict[str, str]:
        """What is said under the title: of each run, of seeds, of runs that were not completed."""
        said, runs = (self.each, self.seeds + spread if self.seeds else ""), self.data["runs"]
        notes = {text: GREY for text in said if text}
        runs = runs.max("population") if "population" in runs.dims else runs
        for code, (name, mark) in enumerate(MARKS.items(), start=1):
            n = int((runs == code).sum())
            if n and getattr(mark, look):
                notes[f"{getattr(mark, look)} {n} {name}"] = colour or mark.colour
        return notes

    def over_seeds(self) -> _Cube:
        """Averaged over repetitions."""
        values, n = self.data["mean"], self.data.sizes["seed"]
        some = bool((values.isnull().any("seed") & values.notnull().any("seed")).any())
        sd, marks = values.std("seed", ddof=1), self.data["marks"].max("seed")
        data = self.data.assign(mean=values.mean("seed"), sd=sd, marks=marks)
        seeds = f"mean of {'the completed of ' if some else ''}{n} seeds"
        return replace(self, data=data, seeds=seeds)

    def at_first(self, keys: Sequence[Key]) -> _Cube:
        """At the first value of keys that have no place in the picture."""
        first = {key.dim: int(key.order()[0]) for key in keys}
        said = [f"{key.name} = {key.said[first[key.dim]]}" for key in keys]
        return replace(self, data=self.data.isel(first), title=", ".join([self.title, *said]))

    def ordered(self, key: Key, most: int | None = None) -> tuple[_Cube, Key]:
        """With the values of a key in order, at most so many, evenly chosen."""
        order, title = key.order(), self.title
        if most and order.size > most:
            title = f"{title}, {most} of {order.size} {key.name}"
            order = order[np.linspace(0, order.size - 1, most).round().astype(int)]
        chosen = replace(key, values=key.values[order])
        return replace(self, data=self.data.isel({key.dim: order}), title=title), chosen

    def block(self, panels: list[Key], y: Key | None, x: Key) -> list[np.ndarray]:
        """Values, s.d. and marks as (panel, y, x) arrays; panels of the second key first."""
        rows = [] if y is None or y.dim == x.dim else [y]
        dims = [key.dim for key in (*panels[::-1], *rows, x)]
        data = self.data.fillna({"sd": 0.0}).transpose(..., *dims)
        rest = {dim: 0 for dim in data.dims if dim not in dims}
        shape = (-1, len(rows[0]) if rows else 1, len(x))
        shown = (data[name].isel(rest, missing_dims="ignore") for name in ("mean", "sd", "marks"))
        return [values.values.reshape(shape) for values in shown]


def _each(data: xr.Dataset) -> str:
    """How many neurons and how long, where these are of all runs."""
    n, lasts = data.attrs.get("size"), str(data.attrs.get("duration", ""))
    quantity = re.fullmatch(r"([\d.]+(?:e[+-]?\d+)?) *([a-zA-Zµ]+)", lasts)
    parts = [
        "" if n is None else f"N = {number(n)}",
        " ".join(quantity.groups() if quantity else ()),
    ]
    return ", ".join(filter(None, parts))


def _picture(cube: _Cube, picture: Picture) -> Figure:
    """One panel, or one for each value of up to two keys: lines, or colours."""
    x, y, panels = picture.x, picture.y, list(picture.panels)
    for i, key in enumerate(panels):
        most = MOST_PANELS if len(panels) == 1 else (MOST_COLUMNS, MOST_ROWS)[i]
        cube, panels[i] = cube.ordered(key, most)
    scattered = y is not None and y.dim == x.dim
    if not scattered:
        cube, x = cube.ordered(x)
    if y is not None and not scattered:
        cube, y = cube.ordered(y)
    if y is not None and picture.mark != "lines":
        return _colours(cube, x, y, panels)
    values, sd, marks = cube.block(panels, y, x)
    if y is not None and scattered:  # points in the colour of their category
        where = y.values == y.distinct[:, None]
        values, sd, marks = np.where(where, values, np.nan), sd * where, marks * where
        x, y = replace(x, joined=False), replace(y, values=y.distinct)
    beside = 0.18 if len(panels) < 2 else 0.55
    beyond = 0.0 if y is None else 0.15 + 1.1 * room([*y.label.split(" ("), *y.texts])
    grid = parts.Grid(cube.title, [x], panels, 0.92, 0.1 + beside + beyond, picture.free)
    shade = [BLUE] if y is None else y.shades()
    grid.lines([x] * len(grid.axes), values, sd, marks, shade)
    notes = cube.notes("symbol", INK, " ± s.d." if sd.any() else "")
    if y is not None:
        level = np.nan_to_num(values).mean(axis=(0, 2))
        grid.line_key(y, shade, bool(level[-1] > level[0]), beside)
    elif x.name == "seed":
        mean, several = float(np.nanmean(values)), int(np.isfinite(values).sum()) > 1
        grid.axes[0].axhline(mean, color=VERMILLION, linewidth=1.3, linestyle=(0, (5, 3)))
        spread = np.nanstd(values, ddof=int(several))
        notes = {f"mean {number(mean, 3)}, s.d. {number(spread, 2)}": VERMILLION, **notes}
    return grid.finished(x.words(_WIDE), cube.label, notes)


def _colours(cube: _Cube, x: Key, y: Key, panels: list[Key]) -> Figure:
    """Values as colours: of cells, or of points where the keys are walked together."""
    from matplotlib.colors import Normalize

    values, _, marks = cube.block(panels, y, x)
    left = 0.92 if y.numeric else 0.55 + room(y.texts)
    beside = 0.16 if len(panels) < 2 else 0.55
    grid = parts.Grid(cube.title, [x], panels, left, 0.92 + beside)
    norm = Normalize(*limits(values))
    for ax, cells, runs in zip(grid.axes, values, marks, strict=True):
        parts.set_axis(ax.yaxis, y, grid.panel_height)
        if y.dim == x.dim:
            parts.cloud(ax, x, y, cells[0], runs[0], norm)
        else:
            parts.heatmap(ax, x, y, cells, runs, norm)
    grid.colour_bar(cube.label, beside)
    return grid.finished(
        x.words(_WIDE), y.words(_TALL), cube.notes("symbol" if y.dim == x.dim else "cell")
    )


def _each_key(cube: _Cube, keys: list[Key]) -> Figure:
    """A panel for each of several keys that were walked together: the value against it."""
    shown = keys[:MOST_PANELS]
    title = cube.title if shown == keys else f"{cube.title}, {len(shown)} of {len(keys)} keys"
    names = [k if k.numeric else replace(k, values=k.distinct) for k in shown]
    grid = parts.Grid(title, names, [], 0.92, 0.28)
    blocks = cube.block([], None, keys[0])
    xs, orders = [], []
    for key in shown:
        at = key.values if key.numeric else np.unique(key.values, return_inverse=True)[1]
        orders.append(np.argsort(at, kind="stable"))
        joined = key.joined and key.numeric
        xs.append(replace(key, values=at[orders[-1]].astype(float), joined=joined))
    values, sd, marks = (np.stack([one[0][:, order] for order in orders]) for one in blocks)
    grid.lines(xs, values, sd, marks, [BLUE])
    notes = cube.notes("symbol", INK, " ± s.d." if sd.any() else "")
    return grid.finished(keys[0].label if len(keys) == 1 else "", cube.label, notes)
