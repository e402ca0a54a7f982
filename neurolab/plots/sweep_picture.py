"""What a picture of a sweep shows: the place of each key in it, decided once.

`neurolab.plots.sweep` draws it, and so do pages: neither decides anything of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurolab.plots.sweep_keys import Key

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MOST_COLUMNS", "MOST_PANELS", "MOST_ROWS", "Picture", "key_of", "known", "picture_of"]

MOST_PANELS, MOST_COLUMNS, MOST_ROWS = 16, 4, 3  # of one key; of two
_MOST_LINES = 8  # in one panel
_FEW = 6  # numbers that are lines rather than rows of a heatmap


@dataclass(frozen=True, eq=False)
class Picture:
    """The places of keys in a picture.

    Parameters
    ----------
    mark
        ``lines``: the value over x, a line for each y; ``cells``, ``cloud``: the value as colours
        of cells, or of points, over x and y.
    panels
        A panel for each value of these.
    free
        Whether each panel has an axis of its own for the value: panels of categories, such as
        models, that differ more than what is swept within each.
    fixed
        What has no other place: shown at their first value, as a mean over what was chosen is no
        statistic.
    seeds
        Whether the value is a mean, with its standard deviation, over the dimension ``seed``.
    each
        Keys that were walked together, if each has a panel of its own; x is the first.
    """

    mark: str
    x: Key
    y: Key | None = None
    panels: tuple[Key, ...] = ()
    fixed: tuple[Key, ...] = ()
    seeds: bool = False
    each: tuple[Key, ...] = ()
    free: bool = False


def known(data: xr.Dataset, value: str) -> xr.DataArray | None:
    """A value of the points that have it: one of what was not completed is none, unless its name
    says so. None if no point has it."""
    if value not in data or data[value].dtype.kind not in "iufb":
        return None
    array = data[value].astype(float)
    array = array.where(np.isfinite(array))
    if "status" in data and not value.endswith("_so_far"):
        array = array.where(data["status"] == "completed")
    return array if bool(array.notnull().any()) else None


def picture_of(
    data: xr.Dataset, value: str = "rate_hz", along: Sequence[str] | str | None = None
) -> Picture | None:
    """The picture of a value over the swept keys; None when it has no number, or no key has two
    values.

    `along` names the keys that become x, y, and the panels, in this order; what it leaves open is
    chosen by how many values the keys have.

    Raises
    ------
    ValueError
        One of these was not swept.
    """
    wanted = [along] if isinstance(along, str) else list(along or ())
    if unknown := [name for name in wanted if name not in data.coords and name not in data.dims]:
        there = ", ".join(map(str, data.coords))
        raise ValueError(f"along: {', '.join(unknown)} was not swept; what was: {there}")
    array = known(data, value)
    if array is None or not (keys := _swept(data, array, wanted)):
        return None
    seeds = "seed" in keys and len(keys) > 1 and "seed" not in wanted
    if seeds:
        del keys["seed"]
    cloud = next((dim for dim, of in keys.items() if _is_cloud(dim, of, len(keys) == 1)), None)
    together = [] if cloud is None else keys.pop(cloud)
    axes = [_one_axis(of, dim) for dim, of in keys.items()]
    if not together:
        x, y, panels, fixed = _roles(axes, wanted)
        if y is not None and len(wanted) < 2 and _are_panels(x, y, panels):
            (y, *_), panels = [*panels, None], [y]
        mark = _mark(x, y)
        free = mark == "lines" and len(panels) == 1 and not panels[0].numeric
        return Picture(mark, x, y, tuple(panels), tuple(fixed), seeds, free=free)
    axes.sort(key=lambda key: (key.name not in wanted, len(key)))
    x, *others = sorted(together, key=lambda key: not key.numeric)
    if len(others) == 1 and x.numeric:
        y = others[0]
        if y.numeric or y.distinct.size <= _MOST_LINES:
            return Picture(_mark(x, y), x, y, tuple(axes[:2]), tuple(axes[2:]), seeds)
    return Picture("lines", together[0], None, (), tuple(axes), seeds, tuple(together))


def _mark(x: Key, y: Key | None) -> str:
    """Whether a value over two keys is shown by colours, rather than by a line for each y."""
    if y is None:
        return "lines"
    if y.dim == x.dim:
        return "cloud" if y.numeric else "lines"
    sizes = [key.distinct.size if key.numeric else len(key) for key in (x, y)]
    crowded = x.numeric and y.numeric and min(sizes) > _FEW
    return "cells" if crowded or sizes[1] > _MOST_LINES else "lines"


def _are_panels(x: Key, y: Key, panels: list[Key]) -> bool:
    """Whether categories, too many to be lines, are panels rather than rows of cells."""
    few = not panels or (len(panels) == 1 and panels[0].distinct.size <= _MOST_LINES)
    return x.numeric and not y.numeric and len(y) > _MOST_LINES and few


def _swept(data: xr.Dataset, array: xr.DataArray, wanted: list[str]) -> dict[str, list[Key]]:
    """The keys with more than one value along each dimension; of several, those wanted."""
    found: dict[str, list[Key]] = {}
    for dim in map(str, array.dims):
        names = [dim] if dim in data.coords else [str(name) for name in data.coords]
        keys = [key_of(data[name], dim) for name in names if data[name].dims == (dim,)]
        keys = [key for key in keys if key.distinct.size > 1]
        chosen = [key for name in wanted for key in keys if key.name == name]
        keys = chosen or [key for key in keys if key.name != "seed"] or keys
        if keys:
            found[dim] = keys
        elif array.sizes[dim] > 1:
            found[dim] = [Key(dim, dim, np.arange(float(array.sizes[dim])))]
    return found


def key_of(coordinate: xr.DataArray, dim: str) -> Key:
    """The key whose values are a coordinate along a dimension."""
    values = coordinate.values
    values = values.astype(float) if values.dtype.kind in "iuf" else values.astype(str)
    name, unit = str(coordinate.name), str(coordinate.attrs.get("units", ""))
    joined = dim not in ("sample", "point") and name != "seed"
    return Key(name, dim, values, unit, joined, str(coordinate.attrs.get("long_name", "")))


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
    crowded = len(keys) > 4  # of those left out, numbers are missed least
    by_size = sorted(rest, key=lambda key: (crowded and key.numeric, len(key)))
    chosen = by_size[: max(0, min(2, len(keys) - 2) - len(given[2:4]))]
    chosen = given[2:4] + sorted(chosen, key=len, reverse=True)
    # The largest two; of them the axis is the one named, a number, or the larger.
    pair = sorted((key for key in rest if key not in chosen), key=lambda key: -len(key))
    pair = (given[:2] + pair)[:2]
    if not given and len(pair) == 2 and not pair[0].numeric and len(pair[1]) >= 4:
        pair.sort(key=lambda key: not key.numeric)
    left = [key for key in keys if key not in pair and key not in chosen]
    return pair[0], pair[1] if len(pair) > 1 else None, chosen, left
