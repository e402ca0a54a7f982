"""The pictures of README, tutorial and how-tos, made anew: python -m docsite.figures"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import neurolab
from neurolab.plots.colours import BLUE, GREEN, GREY, INK, PURPLE, VERMILLION

__all__ = ["main"]

DOCS = Path(__file__).parent.parent / "docs"
_CELLS = 40
#: Panels of rates, in rows; neurons with a refractory period beside those without.
_NEURONS = (
    ("if", "lif", "lif_ref", "alif"),
    ("quaif", "expif", "expif_ref", "adquaif"),
    ("adexif", "adexif_ref", "gif", "izhikevich"),
)
_COLOURS = (BLUE, GREEN, PURPLE)
_DRIVES = np.concatenate([[0.5, 0.8], np.linspace(0.9, 1.2, 7), np.linspace(1.3, 3.0, 18)])


def adapting() -> Any:
    """Regular-spiking cells under a step of current and noise."""
    return neurolab.run(
        [
            "neuron=brette2005/regular_spiking", f"size={_CELLS}", "duration=1s", "record=full",
            "input=step", "input.amplitude=850pA", "input.start=200ms", "input.stop=800ms",
            "+input@inputs.noise=ou", "inputs.noise.mean=0pA", "inputs.noise.sigma=130pA",
        ],
        save=False,
    )  # fmt: skip


def rates(neuron: str) -> np.ndarray:
    """In the last of three seconds, from intervals, of a neuron under each of the drives."""
    given = ",".join(f"{drive}rheobase" for drive in _DRIVES)
    typed = [f"neuron={neuron}", "input=constant", f"input.amplitude=[{given}]", "duration=3s"]
    run = neurolab.run([*typed, f"size={_DRIVES.size}", "record.variables=[]"], save=False)
    spikes = [
        run.spikes["time"].values[run.spikes["neuron"].values == n] for n in range(_DRIVES.size)
    ]
    late = [times[times > 2000] for times in spikes]
    return np.array([1000 / np.diff(times).mean() if times.size > 1 else 0.0 for times in late])


def headline() -> Figure:
    """Stimulus, spikes, V and w of cells that adapt, beside the rates of twelve neurons."""
    figure = Figure(figsize=(10.4, 4.7), layout="constrained", dpi=150)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.12), wspace=0.03)
    axes = left.subplots(4, 1, sharex=True, gridspec_kw={"height_ratios": (0.55, 1.7, 1.4, 0.9)})
    run = adapting()
    t = run.traces["time"].values
    axes[0].plot(t, 850.0 * ((t > 200) & (t <= 800)), color=INK, linewidth=1.3)
    axes[1].scatter(
        run.spikes["time"], run.spikes["neuron"], s=3.2, color=INK, marker="|", linewidths=0.9
    )
    axes[2].plot(t, run.traces["V"].sel(neuron=0), color=BLUE, linewidth=0.9)
    axes[3].plot(t, run.traces["w"].sel(neuron=0), color=VERMILLION, linewidth=1.1)
    names = ("I (pA)", "neuron", "V (mV)", "w (pA)")
    for ax, name, ticks in zip(
        axes, names, ((0, 850), (0, _CELLS), (-70, 0), (0, 400)), strict=True
    ):
        ax.set_ylabel(name)
        ax.set_yticks(ticks)
    left.align_ylabels()
    axes[3].set_xlim(0, 1000)
    axes[3].set_xlabel("time (ms)")
    left.suptitle(
        "AdEx cells adapt to a step of current", x=0.02, ha="left", fontsize=11, fontweight="bold"
    )
    panels = right.subplots(len(_NEURONS), len(_NEURONS[0]), sharex=True)
    for row, colour, neurons in zip(panels, _COLOURS, _NEURONS, strict=True):
        for ax, neuron in zip(row, neurons, strict=True):
            y = rates(neuron)
            ax.plot(_DRIVES, y, color=colour, linewidth=1.6)
            ax.axvline(1.0, color=GREY, linewidth=0.7, linestyle=(0, (2, 3)))
            ax.set_title(neuron, loc="left", fontsize=9, pad=3)
            ax.set_ylim(bottom=-0.03 * y.max())
            ax.set_xticks([1, 2, 3])
            ax.locator_params(axis="y", nbins=3)
    right.supxlabel("current (rheobase)", fontsize=9)
    right.supylabel("firing rate (Hz)", fontsize=9)
    right.suptitle(
        "Rate against current, twelve neurons", x=0.02, ha="left", fontsize=11, fontweight="bold"
    )
    return figure


def of_page(page: Path) -> Figure:
    """What the Python blocks of a page draw last."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
    told: dict[str, Any] = {}
    exec(re.sub(r"^fig\.savefig.*$", "", code, flags=re.MULTILINE), told)
    return told["fig"]


def main() -> None:
    """All of them, into docs/."""
    mpl.use("agg")
    style = {
        "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
        "axes.edgecolor": GREY, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK,
        "ytick.color": INK, "xtick.labelsize": 8, "ytick.labelsize": 8,
    }  # fmt: skip
    with mpl.rc_context(style):
        headline().savefig(DOCS / "neurolab.png")
        for page in ("tutorial", "howto/fi_curve", "howto/phase_plane"):
            of_page(DOCS / f"{page}.md").savefig(DOCS / f"{page}.png", dpi=110)


if __name__ == "__main__":
    main()
