"""The figure of this study: python experiments/mihalas_niebur_patterns/figure.py FOLDER"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from string import ascii_uppercase
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import neurolab
from neurolab.plots.colours import BLUE, GREY, INK, VERMILLION
from neurolab.plots.parts import colour_key, new_figure
from neurolab.units import magnitude, parse, parse_unit


def current(config: Any) -> tuple[np.ndarray, np.ndarray]:
    """Times in ms and values in pA between which the current jumps."""
    values = list(config.input.get("values", [config.input.get("amplitude")]))
    durations = list(config.input.get("durations", [config.duration]))
    level = [float(magnitude(parse(value), parse_unit("pA"))) for value in values]
    ends = np.cumsum([float(magnitude(parse(some), parse_unit("ms"))) for some in durations])
    times = np.concatenate([[0.0], np.repeat(ends, 2)[:-1]])
    return times, np.repeat(level, 2)


def draw(sweep: neurolab.Sweep) -> Figure:
    """A panel for each pattern: potential, threshold, spikes, and below them the current."""
    columns, rows = 4, -(-len(sweep) // 4)
    figure = new_figure("Twenty firing patterns of one model", height=1.3 + 1.45 * rows)
    axes = figure.subplots(rows, columns, squeeze=False)
    for index, ax in enumerate(axes.flat):
        if index >= len(sweep):
            ax.set_visible(False)
            continue
        point, row = sweep[index], sweep.table.iloc[index]
        V, V_th = (point.traces[variable].sel(neuron=0) for variable in ("V", "V_th"))
        below = ax.inset_axes((0, -0.2, 1, 0.16), sharex=ax)
        times, level = current(sweep.config(index))
        below.plot(times, level, color=GREY, linewidth=1.0)
        below.set_ylim(min(level.min(), 0.0) - 40, max(level.max(), 0.0) + 40)
        below.axis("off")
        ax.plot(V_th["time"], V_th, color=VERMILLION, linewidth=0.9)
        ax.plot(V["time"], V, color=BLUE, linewidth=0.8)
        spikes = point.spikes["time"].values
        ax.plot(spikes, np.interp(spikes, V_th["time"], V_th), ".", color=INK, markersize=3.5)
        name = str(row["neuron"]).partition("/")[2].replace("_", " ")
        name = name.replace("hyperpolarization induced", "hyperpol.")
        name = name.replace("spike frequency adaptation", "adaptation")
        title = f"{ascii_uppercase[index]} {name}: {int(row['spike_count'])}"
        ax.set_title(title, fontsize=9, color=INK, loc="left", pad=2)
        ax.set_xlim(0, times[-1])
        ax.set_xticks([times[-1]], [f"{times[-1]:.0f} ms"], ha="right")
        ax.tick_params(labelsize=8, length=0, axis="x", pad=16)
        ax.tick_params(labelsize=8, length=2, axis="y")
        ax.spines[["top", "right", "bottom"]].set_visible(False)
    figure.supylabel("potential (mV)", x=0.012, fontsize=11, color=INK)
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(0.08, 0.45 * inch, 0.985, 1 - 0.9 * inch, hspace=0.62, wspace=0.28)
    legend = {
        "potential": BLUE,
        "threshold": VERMILLION,
        "spikes, counted": INK,
        "current (below)": GREY,
    }
    colour_key(figure, legend)
    return figure


if __name__ == "__main__":
    study = run_path(str(Path(__file__).parent.parent / "study.py"))
    study["main"](__file__, draw, {"neuron": 1})
