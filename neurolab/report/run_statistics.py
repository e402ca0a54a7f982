"""How spikes are distributed, for the page of a run: the panels of `run.plot`, as data.

A panel is drawn on axes as for a paper, and what is on these is read: page and figure cannot
disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.plots.colours import BLUE, GREY
from neurolab.plots.parts import duration
from neurolab.results.run import Run
from neurolab.results.trains import Trains

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["chart_of", "statistics_of"]

_MOST_SPIKES = 2_000_000  # that statistics are of
_MOST_POPULATIONS = 12
_DIGITS = 5

#: What is shown, by the name of its tab.
_PANELS: dict[str, tuple[str, Callable[[Trains, Axes], Any]]] = {
    "rates": ("Rates", lambda of, ax: of.plot.rates(ax)),
    "log-isi": ("log ISI", lambda of, ax: of.plot.isi(ax, log=True)),
    "cv": ("CV", lambda of, ax: of.plot.cv(ax)),
    "lv": ("LV", lambda of, ax: of.plot.lv(ax)),
    "fano": ("Fano", lambda of, ax: of.plot.fano(ax)),
    "psd": ("PSD", lambda of, ax: of.plot.psd(ax)),
    "auto": ("Autocorr.", lambda of, ax: of.plot.correlogram(ax)),
    "cross": ("Cross-corr.", lambda of, ax: of.plot.correlogram(ax, across=True)),
}


def statistics_of(run: Run) -> dict[str, Any]:
    """The panels of a run, or of each of its populations that can fire."""
    part = run.beginning(_MOST_SPIKES)
    names = [name for name in part.populations if name not in part.silent][:_MOST_POPULATIONS]
    parts: dict[str, Trains] = {name: part[name] for name in names} or {"": part}
    return {
        "of": "" if part.committed_steps == run.committed_steps else duration(part.recorded_ms),
        "tabs": [{"name": name, "title": title} for name, (title, _) in _PANELS.items()],
        "parts": [
            {"name": name} | {kind: _chart(of, draw) for kind, (_, draw) in _PANELS.items()}
            for name, of in parts.items()
        ],
    }


def _chart(of: Trains, draw: Callable[[Trains, Axes], Any]) -> dict[str, Any]:
    """A panel, or why there is none."""
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    try:
        with np.errstate(all="ignore"):
            draw(of, ax)
    except ValueError as error:
        return {"why": str(error)}
    chart = chart_of(ax)
    data = [mark for mark in chart["marks"] if mark["kind"] in ("bins", "line")]
    return chart if any(mark["y"] for mark in data) else {"why": "There are too few spikes."}


def chart_of(ax: Axes) -> dict[str, Any]:
    """What is on axes: marks with their data, labels, scales, and ends that were set."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_hex
    from matplotlib.patches import StepPatch

    marks: list[dict[str, Any]] = []
    levels = (ax.get_yaxis_transform(), "y"), (ax.get_xaxis_transform(), "x")

    def add(kind: str, x: Any, y: Any, colour: Any, artist: Any, **more: Any) -> None:
        label, ink = str(artist.get_label()), {BLUE: "one", GREY: "grey"}
        name = {} if label.startswith("_") else {"name": label}
        colour = ink.get(to_hex(colour).upper(), "ink")
        marks.append({"kind": kind, "x": _short(x), "y": _short(y), "ink": colour} | name | more)

    for patch in ax.patches:
        if isinstance(patch, StepPatch):
            values, edges, _ = patch.get_data()
            add("bins", edges, values, patch.get_facecolor(), patch)
    for band in ax.collections:
        if isinstance(band, PolyCollection):
            for path in band.get_paths():
                x, y = np.asarray(path.vertices).T
                add("band", x, y, np.ravel(band.get_facecolor())[:3].tolist(), band)
    for line in ax.lines:
        across = next((of for one, of in levels if line.get_transform() == one), None)
        x, y = (np.asarray(of, float) for of in line.get_data())
        if across:
            at = float((y if across == "y" else x)[0])
            add("level", [], [], line.get_color(), line, across=across, at=at)
        else:
            add("line", x, y, line.get_color(), line, dots=line.get_marker() not in ("None", ""))
    return {"marks": marks, "x": _axis(ax, "x"), "y": _axis(ax, "y")}


def _axis(ax: Axes, of: str) -> dict[str, Any]:
    own = getattr(ax, f"get_autoscale{of}_on")()
    ends = [float(end) for end in getattr(ax, f"get_{of}lim")()]
    label = getattr(ax, f"get_{of}label")().replace("\n", " ")
    log = getattr(ax, f"get_{of}scale")() == "log"
    return {"label": label, "log": log, "range": None if own else _short(ends)}


def _short(values: Any) -> list[float | None]:
    return [float(f"{v:.{_DIGITS}g}") if np.isfinite(v) else None
            for v in np.asarray(values, float).ravel().tolist()]  # fmt: skip
