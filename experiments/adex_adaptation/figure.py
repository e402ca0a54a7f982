"""The figure of this study: python experiments/adex_adaptation/figure.py FOLDER_OF_THE_SWEEP"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

from matplotlib.figure import Figure

import neurolab
from neurolab.plots.colours import INK
from neurolab.plots.sweep import draw as draw_sweep


def draw(sweep: neurolab.Sweep) -> Figure:
    """The rate as a heatmap over drive and adaptation, with lines of equal rate."""
    figure = draw_sweep(sweep.data, "rate_hz", along=["input.rate", "neuron.b"])
    rate = sweep.rate_hz.transpose("neuron.b", "input.rate")
    ax = figure.axes[0]
    lines = ax.contour(
        rate["input.rate"], rate["neuron.b"], rate, levels=[15, 20, 25, 30, 40, 60, 80],
        colors="white", linewidths=1.0,
    )  # fmt: skip
    for text in ax.clabel(lines, fmt="%g Hz", fontsize=9):
        text.set_path_effects([])
        text.set_color("white")
    ax.set_xlabel("rate of each Poisson source (Hz)", color=INK)
    ax.set_ylabel("adaptation current per spike, b (mA)", color=INK)
    return figure


if __name__ == "__main__":
    study = run_path(str(Path(__file__).parent.parent / "study.py"))
    study["main"](__file__, draw, {"input.rate": 7, "neuron.b": 7})
