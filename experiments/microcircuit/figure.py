"""The figure of this study: python experiments/microcircuit/figure.py FOLDER_OF_THE_SWEEP"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import numpy as np
from matplotlib.figure import Figure

import neurolab
from neurolab.plots.colours import BLUE, GREEN, INK, VERMILLION
from neurolab.plots.parts import colour_key, new_figure

#: Of the full network: NEST's rates, in Hz, as the authors' program records them, and ISI CVs of
#: NetPyNE (Romaro et al. 2021, table A.1).
NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
RATES = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)
CVS = (0.938, 0.916, 0.891, 0.873, 0.847, 0.809, 0.924, 0.819)
BEGIN_MS, RASTER_MS, SHARE = 500.0, 400.0, 0.2


def draw(sweep: neurolab.Sweep) -> Figure:
    """Spikes of the largest network, from the surface down; rates and irregularity of all."""
    figure = new_figure("A square millimetre of cortex", height=6.2)
    left, *right = figure.subplot_mosaic("AB;AC", width_ratios=(1.35, 1)).values()
    _raster(left, sweep[len(sweep) - 1])
    shades = np.linspace(0.35, 1.0, len(sweep))
    scales = sweep.table["network.scale"]
    for ax, title, full, own in zip(
        right, ("rate (Hz)", "ISI CV"), (RATES, CVS), ("rate_hz_mean", "isi_cv_mean"), strict=True
    ):
        ax.plot(range(8), full, "_", markersize=17, color=GREEN, markeredgewidth=2.5, zorder=1)
        for point, scale, shade in zip(sweep, scales, shades, strict=True):
            begin = min(BEGIN_MS, point.duration_ms / 2)
            found = [point[name].spike_statistics(begin_ms=begin)[own] for name in NAMES]
            values = [np.nan if value is None else value for value in found]
            ax.plot(range(8), values, "o", markersize=5, color=BLUE, alpha=shade, label=f"{scale}")
        ax.set_title(title, fontsize=10, color=INK, loc="left")
        ax.set_xticks(range(8), NAMES, fontsize=8)
        ax.set_ylim(0, None)
        ax.tick_params(axis="y", labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    legend = right[0].legend(title="scale", fontsize=8, title_fontsize=8, frameon=False)
    legend.set_loc("upper left")
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(0.115, 0.55 * inch, 0.985, 1 - 1.1 * inch, hspace=0.32, wspace=0.16)
    key = {"excitatory": BLUE, "inhibitory": VERMILLION, "published, full network": GREEN}
    colour_key(figure, key)
    return figure


def _raster(ax, point: neurolab.Run) -> None:
    """Spikes of a part of each population, layer 2/3 on top."""
    end = point.duration_ms
    begin, depth, ticks = max(end - RASTER_MS, 0.0), 0, []
    for name in NAMES:
        spikes = point[name].spikes
        time, neuron = spikes["time"].values, spikes["neuron"].values
        n = max(int(point[name].n_neurons * SHARE), 1)
        shown = (time > begin) & (neuron < n)
        colour = BLUE if name.endswith("E") else VERMILLION
        ax.plot(time[shown], depth + neuron[shown], "o", markersize=0.7, color=colour)
        ticks.append(depth + n / 2)
        depth += n
    ax.set_yticks(ticks, NAMES, fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(depth, 0)
    ax.set_xlim(begin, end)
    ax.set_xlabel("time (ms)", fontsize=9, color=INK)
    ax.tick_params(axis="x", labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    study = run_path(str(Path(__file__).parent.parent / "study.py"))
    study["main"](__file__, draw, {"network.scale": 1})
