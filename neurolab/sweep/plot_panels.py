"""What the pictures of `neurolab.sweep.plots` are made of: keys, panels, and keys of colours."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab import plot_parts
from neurolab.plot_parts import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

WIDTH, HEIGHT = plot_parts.SIZE
Array = np.ndarray

#: How a run that was not completed is shown: as a symbol (in text, as marker) or a cell (likewise).
Mark = namedtuple("Mark", "symbol marker cell hatch colour")
#: From the least to the most serious: of several runs at one place the last is shown.
MARKS = {
    "undefined": Mark("", "", "□", "", GREY),  # completed, but there is no value
    "missing": Mark("○", "o", "░", "....", GREY),
    "unfinished": Mark("◇", "D", "▤", "---", "#4C78A8"),
    "refused": Mark("□", "s", "▧", "\\\\\\\\", PURPLE),
    "failed": Mark("△", "^", "▩", "xxxx", INK),
    "diverged": Mark("×", "x", "▨", "////", VERMILLION),
}


def marked(marks: Array) -> Iterator[tuple[str, Mark, Array]]:
    """Those of these marks that were not completed, and where."""
    for code, (name, mark) in enumerate(MARKS.items(), start=1):
        if mark.marker and (marks == code).any():
            yield name, mark, marks == code


def room(texts: Iterable[str]) -> float:
    """Width of a column of texts, in inches."""
    return 0.09 * max(map(len, texts))  # a character at 10.5 points


def limits(values: Array) -> tuple[float, float]:
    """The smallest and the largest value; panels that were left out may have all of them."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Key:
    """A swept key: its values along a dimension, numbers (float) or categories (str)."""

    name: str
    dim: str
    values: Array
    unit: str = ""
    joined: bool = True  # whether a line joins neighbours: not those of a random sample

    def __len__(self) -> int:
        return int(self.values.size)

    @property
    def numeric(self) -> bool:
        return self.values.dtype.kind == "f"

    @property
    def distinct(self) -> Array:
        """The different values in order, without NaN: points of other structures lack the key."""
        values = np.unique(self.values)
        return values[np.isfinite(values)] if self.numeric else values

    @property
    def label(self) -> str:
        return f"{self.name} ({self.unit})" if self.unit not in ("", "1") else self.name

    @property
    def places(self) -> Array:
        """Where the values stand on an axis."""
        return self.values if self.numeric else np.arange(float(len(self)))

    @property
    def texts(self) -> list[str]:
        """The values, in as few digits as tell them apart."""
        if not self.numeric:
            return [t if len(t) <= 28 else f"{t[:13]}…{t[-14:]}" for t in self.values.tolist()]
        rounded = ([f"{v:.{digits}g}" for v in self.values] for digits in range(4, 18))
        return next(t for t in rounded if len(set(t)) >= np.unique(self.values).size)

    @property
    def said(self) -> list[str]:
        """The values with their unit."""
        return [f"{t} {self.unit}" if self.label != self.name else t for t in self.texts]

    @property
    def log(self) -> bool:
        """Whether the middle value is nearer to the middle of a logarithmic axis."""
        values = self.distinct
        if not self.numeric or values[0] <= 0 or values[-1] < 4 * values[0]:
            return False
        off = [abs(np.median(v) - (v[0] + v[-1]) / 2) / np.ptp(v) for v in (values, np.log(values))]
        return bool(off[0] > 2 * off[1] + 0.1)

    def edges(self) -> Array:
        """The edges of cells around the values: half-way, on a logarithmic axis geometrically."""
        at = np.log(self.places) if self.log else self.places
        half = np.diff(at) / 2
        cells = np.concatenate([[at[0] - half[0]], at[:-1] + half, [at[-1] + half[-1]]])
        return np.exp(cells) if self.log else cells

    def shades(self) -> list[Any]:
        """Colours of lines: distinct for categories, in an order for numbers."""
        if not self.numeric:
            return [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK, GREY][: len(self)]
        from matplotlib import colormaps

        return [colormaps["plasma"](v) for v in np.linspace(0.0, 0.82, len(self))]

    def titles(self, length: float) -> list[str]:
        """Which value each panel is of; on two lines where one is too short."""
        names = [f"{self.name} = {text}" for text in self.said]
        return names if room(names) <= length else [name.replace(" = ", "\n= ") for name in names]

    def turned(self, length: float) -> tuple[float, float]:
        """The angle at which names of categories fit under an axis, and the room they need."""
        texts, slot = self.texts, length / len(self)
        pairs = pairwise([texts[0], *texts, texts[-1]])
        if self.numeric or room(a + b for a, b in pairs) / 2 + 0.1 < slot:
            return 0.0, 0.62
        beyond = max(0.82 * room([t]) - slot * (i + 0.5) for i, t in enumerate(texts))
        angle = 35.0 if beyond < 0.85 and slot > 0.25 else 90.0
        return angle, 0.6 + room(texts) * math.sin(math.radians(angle))

    def order(self) -> Array:
        """Positions of the values as an axis has them: numbers ascend and none comes twice."""
        order = np.unique(self.values, return_index=True)[1]
        return order[: self.distinct.size] if self.numeric else np.arange(len(self))

    def some(self, positions: Array) -> Key:
        return replace(self, values=self.values[positions])


class Grid:
    """A figure with a panel for each value of up to two keys, or for each of several x axes."""

    def __init__(self, title: str, xs: list[Key], keys: list[Key], left: float, right: float):
        n = len(xs) * math.prod(map(len, keys))
        columns = len(keys[0]) if len(keys) > 1 else {4: 2, 5: 3, 6: 3, 9: 3}.get(n, min(n, 4))
        gap, own = 0.25, len(xs) > 1
        width = (WIDTH - left - right + gap) / columns - gap
        names = keys[0].titles(width) if keys else []
        titles = 0.2 * (1 + names[0].count("\n")) if names else 0.0
        bottom = max(x.turned(width)[1] for x in xs)
        gap_y = bottom + 0.1 if own else titles + 0.22 if len(keys) < 2 else 0.2
        each = min(max(0.85 * width, 1.45 if n > columns else 2.0), HEIGHT - 1.3 if n == 1 else 3.0)
        top, rows = 0.72 + titles, -(-n // columns)
        height = top + bottom + rows * each + (rows - 1) * gap_y
        self.figure = figure = plot_parts.new_figure(title, height)
        figure.texts[0].set_fontsize(max(7.0, min(14.0, 14.0 * 54 / max(len(title), 1))))
        self.box = (left / WIDTH, bottom / height, 1 - right / WIDTH, 1 - top / height)
        figure.subplots_adjust(*self.box, wspace=gap / width, hspace=gap_y / each)
        grid = figure.subplots(rows, columns, sharex=not own, sharey=True, squeeze=False).ravel()
        self.axes, self.panel_height = list(grid[:n]), each
        for place, ax in enumerate(self.axes):
            plot_parts.label(ax, "")
            ax.xaxis.set_tick_params(labelbottom=own or place + columns >= n)
            set_axis(ax.xaxis, xs[place if own else 0], width)
        for ax in grid[n:]:
            ax.remove()
        fit = min(1.0, (width + 0.15) / room("\n".join(names or "1").split("\n")))
        style: dict[str, Any] = {"fontsize": 10.5 * fit, "color": INK}
        for ax, name in zip(self.axes, names, strict=False):
            ax.set_title(name, pad=5, **style)
        style |= {"rotation": 270, "va": "center", "textcoords": "offset points"}
        for row, name in enumerate(keys[1].titles(each) if len(keys) > 1 else ()):
            ax = self.axes[(row + 1) * columns - 1]
            ax.annotate(name, (1.0, 0.5), (5, 0), "axes fraction", **style)

    def name_axes(self, x: str, y: str) -> None:
        """Labels of the axes: one for all panels."""
        style: dict[str, Any] = {"fontsize": 12, "color": INK}
        if len(self.axes) == 1:
            self.axes[0].set_xlabel(x, **style)
            self.axes[0].set_ylabel(y, **style)
            return
        middle = (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2
        edge = 0.22 / WIDTH, 0.1 / self.figure.get_figheight()
        self.figure.supxlabel(x, x=middle[0], y=edge[1], va="bottom", **style)
        self.figure.supylabel(y, x=edge[0], y=middle[1], ha="left", **style)

    def colour_bar(self, text: str, gap: float) -> None:
        """What the colours of values are, right of all panels."""
        _, bottom, right, top = self.box
        cax = self.figure.add_axes((right + gap / WIDTH, bottom, 0.16 / WIDTH, top - bottom))
        bar = self.figure.colorbar(self.axes[0].collections[0], cax=cax)
        bar.outline.set_linewidth(0)
        bar.set_label(text, fontsize=12, color=INK)
        cax.tick_params(labelsize=10.5, color=GREY, labelcolor=INK)

    def line_key(self, key: Key, shade: list[Any], up: bool, gap: float) -> None:
        """What the colours of lines are, right of all panels; the last on top if they go up."""
        at, top, head = self.box[2] + gap / WIDTH, self.box[3], key.label.replace(" (", "\n(")
        self.figure.text(at, top, head, fontsize=10.5, color=INK, va="top")
        entries = list(zip(key.texts, shade, strict=True))
        for row, (text, colour) in enumerate(reversed(entries) if up else entries):
            y = top - (0.28 + 0.17 * head.count("\n") + 0.22 * row) / self.figure.get_figheight()
            self.figure.text(at, y, text, fontsize=10, color=colour, va="top", weight="bold")


def set_axis(axis: Any, key: Key, length: float) -> None:
    """Scale and ticks of the axis, of so many inches, that a key runs along."""
    from matplotlib import ticker

    which = axis.axis_name
    ticks = length / (0.6 if which == "x" else 0.35)  # so many have room
    if not key.numeric:
        step = math.ceil(len(key) * 0.2 / length)
        angle = key.turned(length)[0] if which == "x" else 0.0
        look = {"rotation": angle, "rotation_mode": "anchor", "ha": "right", "va": "center"}
        axis.set_ticks(list(key.places[::step]), key.texts[::step], **(look if angle else {}))
        axis.axes.set(**{f"{which}lim": (-0.5, len(key) - 0.5)})
    elif key.log:
        axis.axes.set(**{f"{which}scale": "log"})
        each = ticks / np.log10(key.distinct[-1] / key.distinct[0])  # in a decade
        subs = (1.0, 2.0, 5.0) if each > 3 else (1.0, 3.0) if each > 2 else (1.0,)
        axis.set_major_locator(ticker.LogLocator(subs=subs, numticks=max(2, int(ticks))))
        axis.set_major_formatter(lambda v, _: f"{v:.4g}".replace("e+0", "e").replace("e-0", "e-"))
        axis.set_minor_locator(ticker.NullLocator())
    else:
        whole = bool(np.all(key.distinct % 1 == 0)) and np.ptp(key.distinct) >= 2
        steps = {"steps": [1, 2, 2.5, 5, 10], "integer": whole}
        axis.set_major_locator(ticker.MaxNLocator(max(2, min(8, round(ticks))), **steps))


def lines(ax: Axes, x: Key, rows: Array, sd: Array, shade: list[Any]) -> None:
    """One line, or row of points, for each of the rows of values."""
    joined, spread = x.joined and x.numeric, sd if sd.any() else [None] * len(shade)
    size = 5.0 if len(x) <= 45 else 3.5 if len(x) <= 120 or not joined else 0.0
    for i, colour in reversed(list(enumerate(shade))):
        # Categories side by side, or they hide each other.
        at = x.places if x.numeric else x.places + 0.5 * ((i + 0.5) / len(shade) - 0.5)
        if joined:
            ax.plot(at, rows[i], "o-", color=colour, markersize=size, linewidth=1.6)
            ax.fill_between(at, rows[i] - sd[i], rows[i] + sd[i], color=colour, alpha=0.18, lw=0)
        else:
            style: dict[str, Any] = {"fmt": "o", "color": colour, "markersize": size}
            ax.errorbar(at, rows[i], spread[i], elinewidth=1.2, capsize=3, **style)


def heatmap(ax: Axes, x: Key, y: Key, values: Array, marks: Array, norm: Normalize) -> None:
    """A cell for each value; where runs were not completed hatched, without a value grey."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    sides = x.edges(), y.edges()
    ax.set_facecolor("#E4E4E4")
    ax.pcolormesh(*sides, np.ma.masked_invalid(values), cmap="viridis", norm=norm)
    cell = Path.unit_rectangle()
    corners, steps = np.array(cell.vertices, int).T, np.array(cell.codes)
    for name, m, here in marked(marks):
        # All cells as one path: cell by cell, hatching takes many seconds.
        cells = zip(sides, np.nonzero(here)[::-1], corners, strict=True)
        at = [side[first[:, None] + corner].ravel() for side, first, corner in cells]
        path = Path(np.stack(at, axis=1), np.tile(steps, here.sum()))
        ax.add_patch(PathPatch(path, fill=False, ec=m.colour, hatch=m.hatch, lw=0, label=name))


def cloud(ax: Axes, x: Key, y: Key, values: Array, marks: Array, norm: Normalize) -> None:
    """A point for each value in its colour; symbols where runs were not completed."""
    if x.joined:
        ax.plot(x.values, y.values, color="#CCCCCC", linewidth=1.2, zorder=0)
    size = 60 if values.size <= 60 else 30 if values.size <= 400 else 12
    ax.scatter(x.values, y.values, size, values, cmap="viridis", norm=norm, edgecolors="none")
    for name, mark, here in marked(marks):
        style = {"color": mark.colour, "markersize": size**0.5, "markerfacecolor": "none"}
        ax.plot(x.values[here], y.values[here], mark.marker, label=name, **style)


def strip(grid: Grid, xs: list[Key], marks: Array, ends: Array, shade: list[Any]) -> None:
    """Limits that show the ends; above, by (panel, line, x), what runs were not completed."""
    (low, high), ax = limits(ends), grid.axes[0]
    margin = 0.06 * ((high - low) or abs(high) or 1.0)
    low = 0.0 if 0 <= low <= 0.5 * high else low - margin
    rows = np.flatnonzero((marks > 1).any(axis=(0, 2)))
    part, edge = min(0.5, rows.size * 0.16 / grid.panel_height), high + margin
    row = part / (1 - part) * (edge - low) / max(rows.size, 1)
    ax.set_ylim(low - 0.015 * (edge - low), edge + row * rows.size)
    ax.set_yticks([tick for tick in ax.get_yticks() if low <= tick <= edge])
    for ax, x, panel in zip(grid.axes, xs, marks, strict=True):
        for place, i in enumerate(rows[::-1]):
            ax.axhline(edge, color=GREY, linewidth=0.6)
            for name, mark, here in marked(panel[i]):
                height = np.full(here.sum(), edge + (rows.size - place - 0.5) * row)
                style = {"color": shade[i], "markersize": 5.0, "markerfacecolor": "none"}
                ax.plot(x.places[here], height, mark.marker, label=name, **style)
