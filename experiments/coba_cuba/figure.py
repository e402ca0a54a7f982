"""The figure of this study: python experiments/coba_cuba/figure.py FOLDER_OF_THE_SWEEP"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import numpy as np
from matplotlib.figure import Figure

import neurolab
from neurolab.plots.colours import BLUE, GREEN, INK, VERMILLION
from neurolab.plots.parts import colour_key, new_figure

#: Of each network what it is, and rates that Brian2 2.9 gives for two seeds, in Hz.
NETWORKS = {
    "cuba_ei": ("currents", (5.46, 5.54)),
    "coba_ei": ("conductances, a drive", (19.7, 21.5)),
    "coba_ei/kick": ("conductances, a kick", ()),
}
RASTER_MS, CELLS, BIN_MS = 500.0, 100, 5.0


def draw(sweep: neurolab.Sweep) -> Figure:
    """A column for each network: spikes, the population rate, and intervals."""
    figure = new_figure("Balanced networks of currents and of conductances", height=7.2)
    axes = figure.subplots(3, 3, squeeze=False, sharey="row", height_ratios=(1.5, 1, 1))
    for index, (column, point) in enumerate(zip(axes.T, sweep, strict=False)):
        name = str(sweep.table["network"].iloc[index])
        what, others = NETWORKS.get(name, ("", ()))
        top, middle, bottom = column
        for of, colour, below, most in (
            ("E", BLUE, 0, CELLS),
            ("I", VERMILLION, CELLS, CELLS // 4),
        ):
            time, neuron = point[of].spikes["time"].values, point[of].spikes["neuron"].values
            shown = (time < RASTER_MS) & (neuron < most)
            top.plot(time[shown], below + neuron[shown], "o", markersize=1.3, color=colour)
        cv = float(sweep.table["isi_cv"].iloc[index])
        rate = float(sweep.table["rate_hz"].iloc[index])
        top.set_title(f"{name}\n{what}", fontsize=10, color=INK, loc="left", pad=18)
        text = f"{rate:.3g} Hz, ISI CV {cv:.2f}"
        top.text(0, 1.03, text, transform=top.transAxes, fontsize=9, color=INK)
        hz = point.population_rate(BIN_MS)
        middle.plot(hz["time"], hz, color=BLUE, linewidth=0.7)
        for other in others:
            middle.axhline(other, color=GREEN, linewidth=1.4, zorder=3)
        intervals = point.isi()
        share = np.full(intervals.size, 100 / max(intervals.size, 1))
        edges = np.geomspace(5, 2000, 60)
        bottom.hist(intervals, edges, weights=share, color=BLUE, histtype="step")
        bottom.set_xscale("log")
        top.set_xlim(0, RASTER_MS)
        top.set_ylim(-1, 1.25 * CELLS)
        top.set_yticks([])
        middle.set_xlim(0, point.duration_ms)
        for ax, label in zip(column, ("time (ms)", "time (ms)", "interval (ms)"), strict=True):
            ax.set_xlabel(label, fontsize=9, color=INK)
            ax.tick_params(labelsize=8)
            ax.spines[["top", "right"]].set_visible(False)
    axes[1, 0].set_ylim(0, 1.8 * float(np.nanmax(sweep.rate_hz)))
    labels = (f"{CELLS} cells of E, {CELLS // 4} of I", "rate (Hz)", "intervals (%)")
    for ax, label in zip(axes[:, 0], labels, strict=True):
        ax.set_ylabel(label, fontsize=10, color=INK)
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(0.115, 0.55 * inch, 0.975, 1 - 1.35 * inch, hspace=0.42, wspace=0.14)
    figure.align_ylabels(axes[:, 0])
    colour_key(figure, {"E": BLUE, "I": VERMILLION, "mean rates of Brian2, two seeds": GREEN})
    return figure


if __name__ == "__main__":
    study = run_path(str(Path(__file__).parent.parent / "study.py"))
    study["main"](__file__, draw, {"network": 1})
