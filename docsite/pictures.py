"""What a neuron does, computed by neurolab and drawn as SVG that takes the colours of the page."""

from __future__ import annotations

import io
import re
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import neurolab

__all__ = ["of_neuron"]

#: Drives in rheobases; the neuron whose response is drawn gets `_SHOWN`.
_DRIVES = (0.6, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0)
_SHOWN = 1.5
_ON, _OFF, _END = 50.0, 1050.0, 1100.0  # of the step, in ms
_SEEN = 350.0  # ms of the response that are drawn
_BLUE, _ORANGE = "#0b7fc2", "#d9691a"
_INK = "#123456"  # replaced by the colour of the text around the picture


@cache
def of_neuron(name: str) -> str:
    """The response to a step of current, and rates against the current."""
    given = ",".join(f"{drive}rheobase" for drive in _DRIVES)
    quiet = ["neuron.sigma=0"] if name == "sigmoid_rate" else []
    run = neurolab.run(
        [
            f"neuron={name}", *quiet, "input=step", f"input.amplitude=[{given}]",
            f"input.start={_ON}ms", f"input.stop={_OFF}ms", f"duration={_END}ms",
            f"size={len(_DRIVES)}", "record=full", "record.interval=0.1ms",
        ],
        save=False,
    )  # fmt: skip
    return _svg(_draw(run), f"{name}: response to a step of current")


def _draw(run: Any) -> Figure:
    fires = run.spikes is not None and run.spikes.sizes["spike"] > 0
    rates = "rate" in run.traces
    variables = [v for v in run.traces if run.traces[v].ndim == 2 and "last" not in v]
    main = "rate" if rates else "V"
    beside = [v for v in variables if v != main and np.ptp(run.traces[v].values) > 0]
    beside = [] if rates else beside
    heights = [0.5, 2.0, *(0.8 for _ in beside)]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8.2, 1.1 + 0.95 * sum(heights)), layout="constrained")
        left, right = (
            figure.subfigures(1, 2, width_ratios=(1.35, 1)) if fires or rates else (figure, None)
        )
        axes = left.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
        column = _DRIVES.index(_SHOWN)
        time = run.traces[main].dims[0]
        t = run.traces[main][time].values
        seen = t <= _ON + _SEEN
        axes[0].plot([0, _ON, _ON, _ON + _SEEN], [0, 0, 1, 1], color=_INK, linewidth=1.2)
        axes[0].set_axis_off()
        axes[0].text(_ON + 4, 0.5, f"{_SHOWN:g} rheobase", va="center", color=_INK)
        if rates:
            axes[0].texts[0].set_text(f"drive {_SHOWN:g}")
        for ax, name, colour in zip(
            axes[1:], [main, *beside], (_BLUE, *[_ORANGE] * 9), strict=False
        ):
            values = run.traces[name]
            ax.plot(t[seen], values.values[seen, column], color=colour, linewidth=1.1)
            unit = values.attrs.get("units", "")
            ax.set_ylabel(f"{name} ({unit})" if unit not in ("", "1") else name)
        if fires:
            _ticks(axes[1], run, column)
        axes[-1].set_xlabel("time (ms)")
        axes[-1].set_xlim(0, _ON + _SEEN)
        if right is not None:
            _curve(right.subplots(), run, rates)
    return figure


def _ticks(ax: Any, run: Any, column: int) -> None:
    """Spikes as ticks above the potential, which is reset and does not show them."""
    spikes = run.spikes
    times = spikes["time"].values[spikes["neuron"].values == column]
    low, high = ax.get_ylim()
    top = high + 0.25 * (high - low)
    ax.vlines(times[times <= _ON + _SEEN], high, top, color=_INK, linewidth=0.9)
    ax.set_ylim(low, top)


def _curve(ax: Any, run: Any, rates: bool) -> None:
    if rates:
        y = run.traces["rate"].values[int(0.9 * run.traces["rate"].shape[0])]
    else:
        late = run.spikes["time"].values > _OFF - 500.0
        late &= run.spikes["time"].values <= _OFF
        y = np.bincount(run.spikes["neuron"].values[late], minlength=len(_DRIVES)) / 0.5
    ax.plot(_DRIVES, y, color=_BLUE, marker="o", markersize=3.5, linewidth=1.1)
    ax.set_xlabel("drive" if rates else "current (rheobase)")
    ax.set_ylabel("rate" if rates else "firing rate (Hz)")
    if not rates:
        ax.set_ylim(bottom=-0.02 * max(y.max(), 1.0))


_STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "neurolab", "font.size": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": _INK, "axes.labelcolor": _INK,
    "xtick.color": _INK, "ytick.color": _INK, "text.color": _INK, "savefig.transparent": True,
}  # fmt: skip


def _svg(figure: Figure, title: str) -> str:
    with mpl.rc_context(_STYLE):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
    text = file.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text, count=1)
    text = text.replace("'DejaVu Sans', 'Bitstream Vera Sans', ", "")
    about = f'class="picture" role="img" aria-label="{title}" data-search-exclude'
    return f"<figure {about}>{text}</figure>"
