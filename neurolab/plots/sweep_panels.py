"""What the pictures of `neurolab.plots.sweep` are made of: panels, lines, cells and clouds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.numbers import number
from neurolab.plots import parts as plot_parts
from neurolab.plots.colours import GREY, INK
from neurolab.plots.sweep_keys import Array, Key, limits, marked, room

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

WIDTH, HEIGHT = plot_parts.SIZE
_FEW = 8  # values of a logarithmic axis: their ticks are at them, as on pages


class Grid:
    """A figure with a panel for each value of up to two keys, or for each of several x axes; with
    one vertical axis, unless they are free."""

    def __init__(
        self, title: str, xs: list[Key], keys: list[Key], left: float, right: float,
        free: bool = False,
    ):  # fmt: skip
        n = len(xs) * math.prod(map(len, keys))
        columns = len(keys[0]) if len(keys) > 1 else {4: 2, 5: 3, 6: 3, 9: 3}.get(n, min(n, 4))
        gap, own, self.free = 0.55 if free else 0.25, len(xs) > 1, free
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
        grid = figure.subplots(
            rows, columns, sharex=not own, sharey=not free, squeeze=False
        ).ravel()
        self.axes, self.panel_height = list(grid[:n]), each
        for place, ax in enumerate(self.axes):
            plot_parts.label(ax, "")
            ax.xaxis.set_tick_params(labelbottom=own or place + columns >= n)
            set_axis(ax.xaxis, xs[place if own else 0], width)
            ax.set_xlabel(xs[place].label if own else "", fontsize=10.5, color=INK)
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

    def lines(
        self, xs: list[Key], values: Array, sd: Array, marks: Array, shade: list[Any]
    ) -> None:
        """Values by (panel, line, x) with their s.d.; above them, which runs were not completed."""
        for ax, x, rows, spread in zip(self.axes, xs, values, sd, strict=True):
            _lines(ax, x, rows, spread, shade)
        bad = np.flatnonzero((marks > 1).any(axis=(0, 2)))
        panels = np.arange(len(self.axes))
        for of in np.split(panels, panels.size) if self.free else [panels]:
            ax = self.axes[of[0]]
            ends = limits(np.stack([values - sd, values + sd], 1)[of])
            part = min(0.5, bad.size * 0.16 / self.panel_height)
            edge, row = _heights(ax, ends, part, bad.size)
            for panel in of if bad.size else ():
                ax = self.axes[panel]
                ax.axhline(edge, color=GREY, linewidth=0.6)
                for place, i in enumerate(bad[::-1], 1):
                    height = edge + (bad.size - place + 0.5) * row
                    for name, mark, here in marked(marks[panel][i]):
                        style = {"color": shade[i], "markersize": 5.0, "markerfacecolor": "none"}
                        at = xs[panel].places[here]
                        ax.plot(at, np.full(at.size, height), mark.marker, label=name, **style)

    def finished(self, x: str, y: str, notes: dict[str, str]) -> Figure:
        """The figure, with a label of each axis for all panels, and notes under its title."""
        style: dict[str, Any] = {"fontsize": 12, "color": INK}
        left, bottom, right, top = self.box
        if len(self.axes) == 1:
            self.axes[0].set_xlabel(x, **style)
            self.axes[0].set_ylabel(y, **style)
        else:
            edge = 0.22 / WIDTH, 0.1 / self.figure.get_figheight()
            self.figure.supxlabel(x, x=(left + right) / 2, y=edge[1], va="bottom", **style)
            self.figure.supylabel(y, x=edge[0], y=(bottom + top) / 2, ha="left", **style)
        if notes:
            plot_parts.colour_key(self.figure, notes)
        return self.figure

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


def _heights(ax: Axes, ends: tuple[float, float], part: float, n: int) -> tuple[float, float]:
    """Sets an axis for values between two ends, with a part of it above them for rows of marks;
    where this begins, and how high each of the n rows is."""
    low, high = ends
    margin = 0.06 * ((high - low) or abs(high) or 1.0)
    low, edge = 0.0 if 0 <= low <= 0.5 * high else low - margin, high + margin
    row = part / (1 - part) * (edge - low) / max(n, 1)
    ax.set_ylim(low - 0.015 * (edge - low), edge + row * n)
    ax.set_yticks([tick for tick in ax.get_yticks() if low <= tick <= edge])
    return edge, row


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
        if key.distinct.size <= max(ticks, _FEW):  # they are the values that there are
            at = np.log(key.distinct) / np.log(key.distinct[-1] / key.distinct[0]) * length
            texts = [number(value) for value in key.distinct]
            sizes = [room([text]) if which == "x" else 0.17 for text in texts]
            shown = _apart(at - at[0], sizes)
            axis.set_major_locator(ticker.FixedLocator(key.distinct.tolist()))
            axis.set_major_formatter(
                ticker.FixedFormatter([text if i in shown else "" for i, text in enumerate(texts)])
            )
            axis.set_minor_locator(ticker.NullLocator())
            return
        each = ticks / np.log10(key.distinct[-1] / key.distinct[0])  # in a decade
        subs = (1.0, 2.0, 5.0) if each > 3 else (1.0, 3.0) if each > 2 else (1.0,)
        axis.set_major_locator(ticker.LogLocator(subs=subs, numticks=max(2, int(ticks))))
        axis.set_major_formatter(lambda v, _: number(v))
        axis.set_minor_locator(ticker.NullLocator())
    else:
        whole = bool(np.all(key.distinct % 1 == 0)) and np.ptp(key.distinct) >= 2
        steps = {"steps": [1, 2, 2.5, 5, 10], "integer": whole}
        axis.set_major_locator(ticker.MaxNLocator(max(2, min(8, round(ticks))), **steps))


def _apart(at: Array, sizes: list[float]) -> set[int]:
    """Which texts, in the middle of places along an axis, have room: the last one and the first
    one, and of those between the ones that do not touch a chosen one."""
    chosen: list[int] = []
    for i in [len(sizes) - 1, *range(len(sizes) - 1)]:
        if all(abs(at[i] - at[k]) > (sizes[i] + sizes[k]) / 2 + 0.05 for k in chosen):
            chosen.append(i)
    return set(chosen)


def _lines(ax: Axes, x: Key, rows: Array, sd: Array, shade: list[Any]) -> None:
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
    ax.dataLim.update_from_data_x(x.places, ignore=False)  # also where there is no value
    ax.autoscale_view(scaley=False)


def heatmap(ax: Axes, x: Key, y: Key, values: Array, marks: Array, norm: Normalize) -> None:
    """A cell for each value; where runs were not completed hatched, without a value grey."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    ax.set_facecolor("#E4E4E4")
    ax.pcolormesh(x.edges(), y.edges(), np.ma.masked_invalid(values), cmap="viridis", norm=norm)
    for name, m, here in marked(marks):
        # All cells as one path: cell by cell, hatching takes many seconds.
        row, column = np.nonzero(here)
        left, right = x.edges()[column], x.edges()[column + 1]
        low, high = y.edges()[row], y.edges()[row + 1]
        corners = np.stack([left, low, right, low, right, high, left, high], axis=1)
        path = Path.make_compound_path_from_polys(corners.reshape(-1, 4, 2))
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
