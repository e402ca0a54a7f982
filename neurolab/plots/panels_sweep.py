"""Panels of a sweep for figures of papers and notebooks: ``sweep.plot.lines()``.

    with neurolab.plots.paper():
        figure, (left, right) = plt.subplots(1, 2, figsize=size_in(170, 55))
        sweep.plot.lines(ax=left, x="amplitude", by="tau")
        sweep.plot.map("isi_cv", right, x="b", y="rate", contours=True)

Each takes the axes to draw on, or makes a figure of one column, and returns the axes. What has no
place in a panel is at one value, which ``where`` says; seeds are repetitions. Runs that were not
completed have no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.numbers import number
from neurolab.plots.colours import BLUE, GREY, INK
from neurolab.plots.parts import named
from neurolab.plots.style import column, tidy
from neurolab.plots.sweep_keys import Key, limits
from neurolab.plots.sweep_panels import heatmap, set_axis
from neurolab.plots.sweep_picture import key_of, known, picture_of
from neurolab.results.dependence import importance_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from neurolab.results.sweep import Sweep

__all__ = ["SweepPlot"]

_MOST_LINES = 2000  # of all points
_MOST_KEYED = 12  # that a legend has room for


class SweepPlot:
    """Panels of a sweep: `Sweep.plot`."""

    def __init__(self, of: Sweep) -> None:
        self._of = of

    def lines(
        self,
        value: str = "rate_hz",
        ax: Axes | None = None,
        *,
        x: str | None = None,
        by: str | None = None,
        where: Mapping[str, Any] | None = None,
        spread: str = "sd",
        **look: Any,
    ) -> Axes:
        """A value over the key ``x``, a line for each value of the key ``by``; over seeds its mean,
        with a band of ``spread``: the standard deviation (``sd``), the standard error of the mean
        (``sem``), the 95 % confidence interval of the mean by Student's t (``ci``), or none
        (``none``).

        Raises
        ------
        KeyError
            No swept key, or more than one, has this name; or there is no such value of it.
        ValueError
            There is no such value, or a key is neither ``x`` nor ``by`` and not in ``where``.
        """
        data, array = self._data(value, where)
        over, other = self._axes(data, value, [x, by])
        if other is not None and by is None and other.distinct.size > _MOST_KEYED:
            raise ValueError(f"{other.name} has {other.distinct.size} values: by='{other.name}'"
                f" draws a line for each, where={{'{other.name}': ..}} takes one")  # fmt: skip
        self._placed(array, [over, other])
        middle, half = _over_seeds(array, spread)
        ax, rows = column(ax), [0] if other is None else other.order().tolist()
        shades = [BLUE] if other is None else replace(other, values=other.values[rows]).shades()
        order = over.order()
        at = replace(over, values=over.values[order])
        for row, shade in zip(rows, shades, strict=True):
            own = (one if other is None else one.isel({other.dim: row}) for one in (middle, half))
            mean, around = (one.values[order] for one in own)
            name = None if other is None else other.said[row]
            style: dict[str, Any] = {
                "color": shade,
                "marker": "o",
                "markersize": 2.5,
                "label": name,
            }
            style |= {} if over.joined and over.numeric else {"linestyle": "none"}
            (line,) = ax.plot(at.places, mean, **(style | look))
            if np.nanmax(around, initial=0.0) > 0:
                edges = mean - around, mean + around
                ax.fill_between(at.places, *edges, color=line.get_color(), alpha=0.2, lw=0)
        set_axis(ax.xaxis, at, _inches(ax)[0])
        if other is not None:
            ax.legend(title=other.label)
        ax.set(xlabel=_words(ax, over), ylabel=_label(array, value))
        return tidy(ax)

    def map(
        self,
        value: str = "rate_hz",
        ax: Axes | None = None,
        *,
        x: str | None = None,
        y: str | None = None,
        where: Mapping[str, Any] | None = None,
        contours: bool = False,
        log: bool = False,
        colour_bar: bool = True,
    ) -> Axes:
        """A value over two keys as colours of cells, its mean over seeds; ``log``, on a logarithmic
        scale. Cells without a value are grey.

        Raises
        ------
        KeyError, ValueError
            As of `lines`; or there are not two keys.
        """
        from matplotlib.colors import LogNorm, Normalize

        data, array = self._data(value, where)
        over, up = self._axes(data, value, [x, y])
        if up is None or up.dim == over.dim:
            raise ValueError("a map is over two keys that were swept one against the other")
        self._placed(array, [over, up])
        mean = _over_seeds(array, "none")[0].transpose(up.dim, over.dim)
        mean = mean.isel({up.dim: up.order(), over.dim: over.order()})
        over, up = (replace(key, values=key.values[key.order()]) for key in (over, up))
        shown = mean.where(mean > 0) if log else mean
        ax, (low, high) = column(ax), limits(shown.values)
        heatmap(
            ax, over, up, shown.values, 0 * shown.values, (LogNorm if log else Normalize)(low, high)
        )
        ax.collections[0].set_rasterized(True)
        if contours:
            lines = ax.contour(over.places, up.places, mean.values, colors="white", linewidths=0.7)
            ax.clabel(lines, fontsize="x-small")
        for axis, key, length in zip((ax.xaxis, ax.yaxis), (over, up), _inches(ax), strict=True):
            set_axis(axis, key, length)
        if colour_bar:
            bar = ax.figure.colorbar(ax.collections[0], ax=ax, label=_label(array, value))
            bar.outline.set_linewidth(0)
        ax.set(xlabel=_words(ax, over), ylabel=up.label)
        return ax

    def importance(
        self,
        value: str = "rate_hz",
        ax: Axes | None = None,
        *,
        bins: int | None = None,
        **look: Any,
    ) -> Axes:
        """What each key explains of a value's variance by itself: `Sweep.importance`."""
        found = importance_of(self._of.data, value, bins)
        if found.ndim > 1:
            raise ValueError(f"{value} is of each population; name one of sweep.data")
        found = found.where(np.isfinite(found), drop=True).sortby(found)
        style: dict[str, Any] = {"color": BLUE, "height": 0.6}
        ax = column(ax)
        ax.barh(found["key"].values.tolist(), found.values, **(style | look))
        ax.set_xlim(0, max(1.0, float(found.max())))
        ax.set_xlabel("fraction of the variance")
        return tidy(ax)

    def parallel(self, value: str = "rate_hz", ax: Axes | None = None, **look: Any) -> Axes:
        """Each completed point as a line over all keys, and the value, in whose colour it is; of
        more than 2000 as many, evenly chosen."""
        from matplotlib.collections import LineCollection

        data, array = self._data(value, None)
        if set(array.dims) != set(data["status"].dims):
            raise ValueError(f"{value} is of each population; name one of sweep.data")
        keys = [key_of(of, str(of.dims[0])) for of in data.coords.values() if of.ndim == 1]
        keys = [key for key in keys if key.distinct.size > 1]
        dims = data["status"].dims
        columns = [np.log(key.places) if key.log else key.places for key in keys]
        along = [np.broadcast_to(_along(of, dims.index(key.dim), len(dims)), array.shape).ravel()
                 for key, of in zip(keys, columns, strict=True)]  # fmt: skip
        table = np.stack([*along, array.transpose(*dims).values.ravel()], axis=1)
        table = table[np.isfinite(table).all(axis=1)]
        chosen = np.linspace(0, len(table) - 1, min(len(table), _MOST_LINES)).round().astype(int)
        low, high = table.min(axis=0), table.max(axis=0)
        lines = (table[chosen] - low) / np.where(high > low, high - low, 1)
        ax, at = column(ax), np.arange(table.shape[1])
        segments = [np.stack([at, line], axis=1) for line in lines]
        style: dict[str, Any] = {"linewidths": 0.4, "alpha": 0.6, "cmap": "viridis"}
        drawn = LineCollection(segments, **(style | look))
        drawn.set_array(table[chosen, -1])
        ax.add_collection(drawn)
        ticks = [_told(key, low[i], high[i]) for i, key in enumerate(keys)]
        ticks.append(
            [(part, number(low[-1] + part * (high[-1] - low[-1]), 3)) for part in (0, 0.5, 1)]
        )
        ground = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5}
        for i, told in enumerate(ticks):
            ax.axvline(i, color=INK, linewidth=0.6)
            for height, text in told:
                ax.annotate(text, (i, height), (-2, 0), textcoords="offset points", ha="right",
                    va="center", fontsize="small", color=GREY, bbox=ground)  # fmt: skip
        labels = [*(key.label for key in keys), _label(array, value)]
        names = [label.replace(" (", "\n(") for label in labels]
        ax.set_xticks(at, names)
        ax.set(xlim=(-0.4, at[-1] + 0.1), ylim=(-0.03, 1.03), yticks=[])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        return ax

    def _data(self, value: str, where: Mapping[str, Any] | None) -> tuple[xr.Dataset, xr.DataArray]:
        """The data at some values, and the value of what was completed."""
        data = self._of.sel(**dict(where or {}))
        array = known(data, value)
        if array is None:
            numbers = [
                str(name)
                for name in data.data_vars
                if name != "point" and known(data, str(name)) is not None
            ]
            raise ValueError(f"no point has a {value}; there are {', '.join(numbers)}")
        return data, array.assign_attrs(data[value].attrs)

    def _axes(
        self, data: xr.Dataset, value: str, names: list[str | None]
    ) -> tuple[Key, Key | None]:
        """The keys that become the axes, or lines: those named, or those of the picture."""
        wanted = [self._of.key(name) for name in names if name is not None]
        picture = picture_of(data, value, wanted)
        if picture is None:
            raise ValueError("no key has two values")
        if len(wanted) == 2:
            return picture.x, picture.y
        return picture.x, next(iter(key for key in (picture.y, *picture.panels) if key), None)

    @staticmethod
    def _placed(array: xr.DataArray, keys: list[Key | None]) -> None:
        """
        Raises
        ------
        ValueError
            A dimension of several values has no place.
        """
        dims = {key.dim for key in keys if key is not None} | {"seed"}
        if left := [str(dim) for dim, n in array.sizes.items() if dim not in dims and n > 1]:
            first = array[left[0]].values[0] if left[0] in array.coords else 0
            raise ValueError(
                f"{left[0]} has several values: say which, where={{'{left[0]}': {first}}}"
            )


def _over_seeds(array: xr.DataArray, spread: str) -> tuple[xr.DataArray, xr.DataArray]:
    """The mean over seeds, of those that have a value, and half of the width of the band around."""
    if spread not in ("sd", "sem", "ci", "none"):
        raise ValueError(f"spread must be sd, sem, ci or none, got {spread!r}")
    if "seed" not in array.dims or array.sizes["seed"] == 1:
        only = array.isel(seed=0, missing_dims="ignore")
        return only, 0 * only
    mean, n = array.mean("seed"), array.notnull().sum("seed")
    half = array.std("seed", ddof=1).fillna(0.0)
    if spread == "none":
        return mean, 0 * half
    if spread in ("sem", "ci"):
        half = half / np.sqrt(n.clip(1))
    if spread == "ci":
        from scipy.special import stdtrit

        half = half * stdtrit(np.maximum(n.values - 1, 1), 0.975)
    return mean, half


def _inches(ax: Axes) -> tuple[float, float]:
    box = ax.get_window_extent()
    dpi = ax.figure.dpi
    return box.width / dpi, box.height / dpi


def _words(ax: Axes, key: Key) -> str:
    """What a key is, where there is room for it below the axes."""
    points = float(ax.xaxis.label.get_fontsize())
    return key.words(int(_inches(ax)[0] * 72 / (0.55 * points)))


def _label(array: xr.DataArray, value: str) -> str:
    return named(str(array.attrs.get("long_name") or value), str(array.attrs.get("units", "")))


def _along(values: np.ndarray, axis: int, n: int) -> np.ndarray:
    return values.reshape([-1 if i == axis else 1 for i in range(n)])


def _told(key: Key, low: float, high: float) -> list[tuple[float, str]]:
    """Heights along an axis, from 0 to 1, and what they say."""
    if not key.numeric:
        return [(i / (len(key) - 1), text) for i, text in enumerate(key.texts)]
    there = np.linspace(low, high, 3)
    at = np.exp(there) if key.log else there
    return [(part, number(v, 3)) for part, v in zip((0, 0.5, 1), at, strict=True)]
