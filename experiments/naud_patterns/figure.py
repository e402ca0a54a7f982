"""The figure of this study: python experiments/naud_patterns/figure.py FOLDER_OF_THE_SWEEP"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

from matplotlib.figure import Figure

import neurolab
from neurolab.plots.colours import BLUE, INK, VERMILLION
from neurolab.plots.parts import colour_key, new_figure


def draw(sweep: neurolab.Sweep) -> Figure:
    """A panel for each pattern: the potential, and the adaptation current on an axis of its own."""
    columns, rows = 2, -(-len(sweep) // 2)
    figure = new_figure("Eight firing patterns of one model", height=1.3 + 1.35 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for index, (ax, point) in enumerate(zip(axes.flat, sweep, strict=False)):
        name = str(sweep.table["neuron"].iloc[index]).partition("/")[2].replace("_", " ")
        count = int(sweep.table["spike_count"].iloc[index])
        V, w = (point.traces[variable].sel(neuron=0) for variable in ("V", "w"))
        beside = ax.twinx()
        beside.plot(w["time"], w, color=VERMILLION, linewidth=1.0)
        beside.set_ylim(-200, 1000)
        ax.plot(V["time"], V, color=BLUE, linewidth=0.8)
        ax.set_zorder(beside.get_zorder() + 1)
        ax.patch.set_visible(False)
        current = sweep.config(index).input.amplitude
        spikes = f"{count} spike{'s' * (count != 1)}"
        ax.set_title(f"{name}: {spikes} at {current}", fontsize=10, color=INK, loc="left", pad=3)
        ax.set_ylim(-75, 5)
        for one in (ax, beside):
            one.tick_params(labelsize=8)
            one.spines[["top"]].set_visible(False)
        beside.tick_params(labelright=index % columns == columns - 1)
    figure.supxlabel("time (ms)", y=0.01, fontsize=11, color=INK)
    figure.supylabel("potential (mV)", x=0.012, fontsize=11, color=BLUE)
    figure.text(0.982, 0.5, f"adaptation current ({w.attrs['units']})", rotation=90, va="center",
                ha="center", fontsize=11, color=VERMILLION)  # fmt: skip
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(0.09, 0.55 * inch, 0.91, 1 - 0.9 * inch, hspace=0.35, wspace=0.08)
    colour_key(figure, {"potential": BLUE, "adaptation current": VERMILLION})
    return figure


if __name__ == "__main__":
    study = run_path(str(Path(__file__).parent.parent / "study.py"))
    study["main"](__file__, draw, {"neuron": 1})
