"""The figure of this study: python experiments/fi_curves/figure.py FOLDER_OF_THE_SWEEP"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import neurolab
from neurolab.plots.colours import BLUE, GREY, INK, VERMILLION
from neurolab.plots.parts import colour_key, new_figure
from neurolab.units import magnitude, parse, parse_unit

UNITS = {"tau": "ms", "tau_ref": "ms", "c": "1/mV"}


def closed_form(neuron: str, config: Any) -> Any:
    """The rate in Hz as a function of the drive in rheobases, for neurons that have one; or None.

    LIF: T = tau_ref + tau log((x h - r) / (x h - h)), h = V_th - V_rest, r = V_reset - V_rest.
    QIF: tau dV/dt = c (V - m)^2 + k with m = (V_rest + V_c) / 2 and k = (x - 1) c (V_c - V_rest)^2
    / 4 takes tau / sqrt(c k) [atan((V - m) sqrt(c / k))] from V_reset to V_th.
    """
    given = {
        name: float(magnitude(parse(text), parse_unit(UNITS.get(name, "mV"))))
        for name, text in config.neuron.items()
        if name in ("tau", "tau_ref", "V_th", "V_reset", "V_rest", "V_c", "c")
    }
    tau, tau_ref = given["tau"], given.get("tau_ref", 0.0)
    if neuron in ("if", "lif", "lif_ref"):
        rest = given.get("V_rest", 0.0)
        h, r = given["V_th"] - rest, given.get("V_reset", 0.0) - rest

        def period(x: np.ndarray) -> np.ndarray:
            return tau_ref + tau * np.log((x * h - r) / (x * h - h))

    elif neuron == "quaif":
        c, m = given["c"], (given["V_rest"] + given["V_c"]) / 2

        def period(x: np.ndarray) -> np.ndarray:
            k = (x - 1) * c * (given["V_c"] - given["V_rest"]) ** 2 / 4
            ends = (np.arctan((given[v] - m) * np.sqrt(c / k)) for v in ("V_th", "V_reset"))
            return tau / np.sqrt(c * k) * (next(ends) - next(ends))

    else:
        return None

    def rate(x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, float)
        with np.errstate(all="ignore"):
            return np.where(x > 1, 1000 / period(np.maximum(x, 1 + 1e-12)), 0.0)

    return rate


def draw(sweep: neurolab.Sweep) -> Figure:
    """A panel for each neuron: simulated rates as dots, the closed form as a line."""
    rates = sweep.rate_hz
    neurons = [str(name) for name in rates["neuron"].values]
    columns = min(5, len(neurons))
    rows = -(-len(neurons) // columns)
    figure = new_figure("Rate against a constant current", height=1.6 + 1.75 * rows)
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False)
    x = rates["input.amplitude"].values
    fine = np.linspace(x.min(), x.max(), 600)
    for index, ax in enumerate(axes.flat):
        if index >= len(neurons):
            ax.set_visible(False)
            continue
        neuron = neurons[index]
        form = closed_form(neuron, sweep.config(index * x.size))
        if form is not None:
            ax.plot(fine, form(fine), color=VERMILLION, linewidth=2.2)
        y = rates.sel(neuron=neuron).values
        style = {} if form is not None else {"linewidth": 0.8}
        line = "none" if form is not None else "-"
        ax.plot(x, y, color=BLUE, marker="o", markersize=2.8, linestyle=line, **style)
        ax.axvline(1.0, color=GREY, linewidth=0.7, linestyle=(0, (2, 3)))
        ax.set_title(neuron, fontsize=11, color=INK, loc="left", pad=3)
        ax.set_ylim(bottom=-0.03 * max(float(np.nanmax(y)), 1.0))
        ax.tick_params(labelsize=9)
        ax.spines[["top", "right"]].set_visible(False)
        if index + columns >= len(neurons):
            ax.tick_params(labelbottom=True)
    figure.supxlabel("current (rheobase)", y=0.012, fontsize=12, color=INK)
    figure.supylabel("firing rate (Hz)", fontsize=12, color=INK)
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(0.09, 0.7 * inch, 0.985, 1 - 1.0 * inch, hspace=0.42, wspace=0.34)
    colour_key(figure, {"simulated": BLUE, "closed form": VERMILLION, "rheobase": GREY})
    return figure


if __name__ == "__main__":
    study = run_path(str(Path(__file__).parent.parent / "study.py"))
    study["main"](__file__, draw, {"neuron": 1, "input.amplitude": 2})
