"""What a phase plane is drawn of: nullclines, fixed points, and lines that resets do not join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.plots.colours import COLOURS, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["apart", "draw_nullclines"]


def apart(time_ms: np.ndarray, spike_ms: np.ndarray, *lines: np.ndarray) -> list[np.ndarray]:
    """Samples with a gap after each spike: what follows is after the reset.

    A sample at the time of a spike is at the threshold, those after it are after the reset.
    """
    spikes = np.unique(np.searchsorted(time_ms, spike_ms + 1e-6))
    spikes = spikes[(spikes > 0) & (spikes < time_ms.size)]
    return [np.insert(line.astype(float), spikes, np.nan) for line in lines]


def draw_nullclines(
    ax: Axes, plane: Any, names: tuple[str, str], lines: Sequence[np.ndarray]
) -> None:
    """Of both variables, where the others are."""
    points = [[point.values[name] for name in names] for point in plane.fixed_points]
    for k, (name, values) in enumerate(plane.nullclines.items()):
        style: dict[str, Any] = {"color": COLOURS[1 + k], "linestyle": (0, (4, 3))}
        ax.plot(plane.potential, values, label=f"d{name}/dt = 0", **style)
    for point, found in zip(points, plane.fixed_points, strict=True):
        face = INK if found.stable else "white"
        ax.plot(*point, "o", color=INK, markerfacecolor=face, markersize=4, zorder=3)
    # Where the neuron went, the fixed points, and of each nullcline what is next to these there:
    # they go far beyond.
    fixed = [*np.transpose(points)] if points else [np.zeros(0)] * 2
    every_x, every_y = (np.append(line, at) for line, at in zip(lines, fixed, strict=True))
    there = (plane.potential >= np.nanmin(every_x)) & (plane.potential <= np.nanmax(every_x))
    for values in plane.nullclines.values():
        inside = np.append(values[there], np.nan)
        if np.isfinite(inside).any():
            middle = np.nanmean(every_y)
            every_y = np.append(every_y, inside[np.nanargmin(np.abs(inside - middle))])
    for axis, every in (("x", every_x), ("y", every_y)):
        low, high = float(np.nanmin(every)), float(np.nanmax(every))
        margin = 0.08 * (high - low) or 1.0
        ax.set(**{f"{axis}lim": (low - margin, high + margin)})
    ax.legend(frameon=False, fontsize=ax.xaxis.label.get_fontsize())
