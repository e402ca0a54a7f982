"""Pictures of a sweep, made from its Dataset: one value over the keys that were swept.

One key gives a line, two a heatmap or a line for each value of one of them, more small multiples;
keys that are walked together (a sample, a list of points) give scattered points. Seeds are
repetitions: they are averaged over.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurolab.plots import sweep_panels as parts
from neurolab.plots.parts import BLUE, GREY, INK, VERMILLION, named, save
from neurolab.plots.sweep_keys import MARKS, Key, limits, room

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

_MOST_LINES = 8  # in one panel
_FEW = 6  # numbers that are lines rather than rows of a heatmap
_MOST_PANELS, _MOST_COLUMNS, _MOST_ROWS = 12, 4, 3


def draw_all(
    data: xr.Dataset, folder: Path, values: Sequence[str] = ("rate_hz", "isi_cv")
) -> list[Path]:
    """Save a picture of each value that has something to show in a folder; returns their paths."""
    return save({value: draw(data, value) for value in values}, folder)


def draw(
    data: xr.Dataset, value: str = "rate_hz", *, along: Sequence[str] | None = None
) -> Figure | None:
    """A value over the swept keys; None when it has no number, or no key has two values.

    `along` names the keys that become the horizontal axis, the vertical axis or the lines, and the
    panels, in this order; what it leaves open is chosen by how many values the keys have.
    """
    wanted = [along] if isinstance(along, str) else list(along or ())
    if unknown := [name for name in wanted if name not in data.coords and name not in data.dims]:
        known = ", ".join(map(str, data.coords))
        raise ValueError(f"along: {', '.join(unknown)} was not swept; what was: {known}")
    cube = _Cube.read(data, value)
    if cube is None or not (keys := _swept(data, cube.data["mean"], wanted)):
        return None
    if "seed" in keys and len(keys) > 1 and "seed" not in wanted:
        del keys["seed"]
        cube = cube.over_seeds()
    cloud = next((dim for dim, of in keys.items() if _is_cloud(dim, of, len(keys) == 1)), None)
    together = [] if cloud is None else keys.pop(cloud)
    axes = [_one_axis(of, dim) for dim, of in keys.items()]
    if not together:
        return _picture(cube, *_roles(axes, wanted))
    axes.sort(key=lambda key: (key.name not in wanted, len(key)))
    x, *others = sorted(together, key=lambda key: not key.numeric)
    if len(others) == 1 and x.numeric:
        y = others[0]
        if y.numeric or y.distinct.size <= _MOST_LINES:
            return _picture(cube, x, y, axes[:2], axes[2:])
    return _each_key(cube.over(axes), together)


@dataclass(frozen=True)
class _Cube:
    """A value over the swept dimensions, what became of the runs, and what is said of them.

    ``data`` has ``mean``; ``sd`` over the seeds, or zero; and ``marks``: 0, or the place in MARKS
    counted from 1.
    """

    data: xr.Dataset
    title: str
    label: str
    counts: dict[str, int]  # of runs that were not completed
    seeds: str = ""

    @staticmethod
    def read(data: xr.Dataset, value: str) -> _Cube | None:
        if value not in data or data[value].dtype.kind not in "iufb":
            return None
        array = data[value].astype(float)
        array = array.where(np.isfinite(array))
        if not bool(array.notnull().any()):
            return None
        known = {name: code for code, name in enumerate(MARKS, start=1)}
        marks = array.isnull().astype(int)
        if "status" in data and set(data["status"].dims) <= set(array.dims):
            status = data["status"].broadcast_like(array).transpose(*array.dims).astype(str)
            for word in set(np.unique(status.values).tolist()) - {"completed"}:
                marks = marks.where(status != word, known.get(word, known["partial"]))
        name, unit = (str(data[value].attrs.get(key, "")) for key in ("long_name", "units"))
        label = named(name or value, unit)
        title = textwrap.shorten(str(data.attrs.get("title", "")) or label, 60, placeholder=" …")
        counts = {name: n for name, code in known.items() if (n := int((marks == code).sum()))}
        cube = array.to_dataset(name="mean").assign(sd=0 * array, marks=marks)
        return _Cube(cube, title, label, counts)

    def notes(self, look: str, colour: str = "", spread: str = "") -> dict[str, str]:
        """What is said under the title of seeds, and of runs that were not completed."""
        notes = {self.seeds + spread: GREY} if self.seeds else {}
        for name, n in self.counts.items():
            if getattr(MARKS[name], look):
                notes[f"{getattr(MARKS[name], look)} {n} {name}"] = colour or MARKS[name].colour
        return notes

    def over_seeds(self) -> _Cube:
        """Averaged over repetitions."""
        sd, seeds = (
            self.data["mean"].std("seed", ddof=1),
            f"mean of {self.data.sizes['seed']} seeds",
        )
        return self._averaged(["seed"], sd, seeds=seeds)

    def over(self, keys: Sequence[Key]) -> _Cube:
        """Averaged over keys that have no place in the picture."""
        if not keys:
            return self
        names = ", ".join(key.name for key in keys)
        return self._averaged([key.dim for key in keys], title=f"{self.title}, mean over {names}")

    def _averaged(self, dims: list[str], sd: xr.DataArray | float = 0.0, **said: str) -> _Cube:
        mean, marks = self.data["mean"].mean(dims), self.data["marks"].max(dims)
        data = mean.to_dataset(name="mean").assign(sd=0 * mean + sd, marks=marks)
        return replace(self, data=data, **said)  # type: ignore[arg-type]

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
        return [data[name].isel(rest).values.reshape(shape) for name in ("mean", "sd", "marks")]


def _swept(data: xr.Dataset, array: xr.DataArray, wanted: list[str]) -> dict[str, list[Key]]:
    """The keys with more than one value along each dimension; of several, those wanted."""
    found: dict[str, list[Key]] = {}
    for dim in map(str, array.dims):
        names = [dim] if dim in data.coords else [str(name) for name in data.coords]
        keys = [_key(data[name], dim) for name in names if data[name].dims == (dim,)]
        keys = [key for key in keys if key.distinct.size > 1]
        chosen = [key for name in wanted for key in keys if key.name == name]
        keys = chosen or [key for key in keys if key.name != "seed"] or keys
        if keys:
            found[dim] = keys
        elif array.sizes[dim] > 1:
            found[dim] = [Key(dim, dim, np.arange(float(array.sizes[dim])))]
    return found


def _key(coordinate: xr.DataArray, dim: str) -> Key:
    values = coordinate.values
    values = values.astype(float) if values.dtype.kind in "iuf" else values.astype(str)
    name, unit = str(coordinate.name), str(coordinate.attrs.get("units", ""))
    return Key(name, dim, values, unit, joined=dim not in ("sample", "point") and name != "seed")


def _is_cloud(dim: str, keys: list[Key], alone: bool) -> bool:
    """Whether the points along a dimension are scattered, rather than along an axis."""
    return keys[0].name != dim and (alone or (len(keys) > 1 and dim != "zip"))


def _one_axis(keys: list[Key], dim: str) -> Key:
    """One axis for keys that are walked together: the first that tells all its places apart."""
    for key in keys:
        if key.name == dim or (key.numeric and key.order().size == len(key)):
            return key
    rows = zip(*(key.said for key in keys), strict=True)
    name = ", ".join(key.name for key in keys)
    return Key(name, dim, np.array([", ".join(t for t in row if t[:3] != "nan") for row in rows]))


def _roles(keys: list[Key], wanted: list[str]) -> tuple[Key, Key | None, list[Key], list[Key]]:
    """Which key is x, which y or lines, which are panels, and which have no place."""
    given = [key for name in wanted for key in keys if key.name == name]
    rest = [key for key in keys if key not in given]
    crowded = len(keys) > 4  # a mean over categories says less than one over numbers
    by_size = sorted(rest, key=lambda key: (crowded and key.numeric, len(key)))
    chosen = by_size[: max(0, min(2, len(keys) - 2) - len(given[2:4]))]
    chosen = given[2:4] + sorted(chosen, key=len, reverse=True)
    # The largest two; of them the axis is the one named, a number, or the larger.
    pair = sorted((key for key in rest if key not in chosen), key=lambda key: -len(key))
    pair = (given[:2] + pair)[:2]
    if not given and len(pair) == 2 and not pair[0].numeric and len(pair[1]) >= 4:
        pair.sort(key=lambda key: not key.numeric)
    averaged = [key for key in keys if key not in pair and key not in chosen]
    return pair[0], pair[1] if len(pair) > 1 else None, chosen, averaged


def _picture(cube: _Cube, x: Key, y: Key | None, panels: list[Key], averaged: list[Key]) -> Figure:
    """One panel, or one for each value of up to two keys: lines, or colours."""
    cube, panels = cube.over(averaged), list(panels)
    for i, key in enumerate(panels):
        most = _MOST_PANELS if len(panels) == 1 else (_MOST_COLUMNS, _MOST_ROWS)[i]
        cube, panels[i] = cube.ordered(key, most)
    scattered = y is not None and y.dim == x.dim
    if not scattered:
        cube, x = cube.ordered(x)
    if y is not None and not scattered:
        cube, y = cube.ordered(y)
    if y is not None and _are_colours(x, y):
        return _colours(cube, x, y, panels)
    values, sd, marks = cube.block(panels, y, x)
    if y is not None and scattered:  # points in the colour of their category
        where = y.values == y.distinct[:, None]
        values, sd, marks = np.where(where, values, np.nan), sd * where, marks * where
        x, y = replace(x, joined=False), replace(y, values=y.distinct)
    beside = 0.18 if len(panels) < 2 else 0.55
    beyond = 0.0 if y is None else 0.15 + 1.1 * room([*y.label.split(" ("), *y.texts])
    grid = parts.Grid(cube.title, [x], panels, 0.92, 0.1 + beside + beyond)
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
        notes = {f"mean {mean:.3g}, s.d. {spread:.2g}": VERMILLION, **notes}
    return grid.finished(x.label, cube.label, notes)


def _are_colours(x: Key, y: Key) -> bool:
    """Whether a value over two keys is shown by colours, rather than by a line for each y."""
    if y.dim == x.dim:
        return y.numeric
    crowded = x.numeric and y.numeric and min(len(x), len(y)) > _FEW
    return crowded or len(y) > _MOST_LINES


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
    return grid.finished(x.label, y.label, cube.notes("symbol" if y.dim == x.dim else "cell"))


def _each_key(cube: _Cube, keys: list[Key]) -> Figure:
    """A panel for each of several keys that were walked together: the value against it."""
    shown = keys[:_MOST_PANELS]
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
