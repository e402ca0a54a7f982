"""The figure of this study: python experiments/brunel_states/figure.py FOLDER_OF_THE_SWEEP"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erfcx

import neurolab
from neurolab.plots.colours import BLUE, GREY, INK, VERMILLION
from neurolab.plots.parts import colour_key, new_figure

#: Of each network of figure 8: its panel, g and eta, and of the paper the rate and the frequency
#: of the oscillation that were simulated, and the frequency of theory, in Hz.
STATES = {
    "brunel/a": ("A", 3.0, 2.0, 311.0, None, None),
    "brunel/b": ("B", 6.0, 4.0, 60.7, 180.0, 190.0),
    "brunel": ("C", 5.0, 2.0, 37.7, None, None),
    "brunel/d": ("D", 4.5, 0.9, 5.5, 22.0, 29.0),
}
NAMES = {
    "A": "synchronous, regular",
    "B": "synchronous, fast",
    "C": "asynchronous",
    "D": "synchronous, slow",
}
#: Bins of what is drawn; those of spectra are steps: wider ones fold harmonics of narrow volleys.
BIN_MS, STEP_MS, START_MS, CELLS = 0.5, 0.1, 100.0, 50


def siegert(mu: float, sigma: float) -> float:
    """The rate in Hz of the paper's cells under white noise of mean mu and s.d. sigma, in mV:
    1 / rate = t_ref + tau sqrt(pi) int exp(x^2) (1 + erf x) dx, (V_r - mu)/sigma < x < (theta -
    mu)/sigma, with tau = 20 ms, theta = 20 mV, V_r = 10 mV, t_ref = 2 ms."""
    low, high = ((V - mu) / sigma for V in (10.0, 20.0))
    if high > 20:  # exp(400)
        return 0.0
    return 1000.0 / (2.0 + 20.0 * np.sqrt(np.pi) * quad(lambda x: erfcx(-x), low, high)[0])


def theory(g: float, eta: float) -> float:
    """The rate in Hz at which cells are given what makes them fire at that rate; the highest."""

    def excess(rate: float) -> float:
        external, recurrent = 20.0 * eta, 20.0 * rate / 10.0  # in mV, nu_thr = 10 Hz
        mu = external + recurrent * (1 - g / 4)
        sigma = np.sqrt(0.1 * (external + recurrent * (1 + g**2 / 4)))
        return siegert(mu, sigma) - rate

    rates = np.append(np.geomspace(499.0, 1e-3, 200), 0.0)
    over = next(k for k, rate in enumerate(rates) if excess(rate) >= 0)
    return brentq(excess, rates[over], rates[over - 1]) if over else rates[0]


def draw(sweep: neurolab.Sweep) -> Figure:
    """A column for each state: spikes, the population rate, and its spectrum."""
    figure = new_figure("Four states of one network", height=8.2)
    axes = figure.subplots(3, 4, squeeze=False, height_ratios=(1.25, 1, 1.25))
    for index, (column, point) in enumerate(zip(axes.T, sweep, strict=False)):
        panel, g, eta, published, peak, expected = STATES[str(sweep.table["network"].iloc[index])]
        top, middle, bottom = column
        time, neuron = point.spikes["time"].values, point.spikes["neuron"].values
        start = min(START_MS, point.duration_ms / 2)
        rate = point.spike_statistics(begin_ms=start)["rate_hz_mean"]
        window = point.duration_ms - (200.0 if rate < 10 else 100.0), point.duration_ms
        shown = (time > window[0]) & (neuron < CELLS)
        top.plot(time[shown], neuron[shown], "o", markersize=1.2, color=BLUE)
        top.set_title(f"{panel}: {NAMES[panel]}", fontsize=10, color=INK, loc="left", pad=43)
        text = f"g = {g:g}, η = {eta:g}: {rate:.3g} Hz\npaper's simulation {published:g} Hz\n"
        text += f"theory {theory(g, eta):.3g} Hz"
        top.text(0, 1.03, text, transform=top.transAxes, fontsize=8, color=INK)
        hz = point.population_rate(BIN_MS).sel(time=slice(window[0], None))
        middle.fill_between(hz["time"], hz, step="mid", color=BLUE, linewidth=0)
        middle.set_ylim(bottom=0)
        for ax in (top, middle):
            ax.set_xlim(*window)
            ax.locator_params(axis="x", nbins=3)
        spectrum = point.psd(bin_ms=STEP_MS, begin_ms=start)
        frequency, power = spectrum["frequency"].values, spectrum.values
        seen = (frequency > 5) & (frequency < 400)
        frequency, power = frequency[seen], power[seen]
        bottom.semilogy(frequency, power, color=BLUE, linewidth=1.0)
        for value, colour in ((peak, GREY), (expected, VERMILLION)):
            if value is not None:
                bottom.axvline(value, color=colour, linewidth=1.0, linestyle=(0, (4, 3)))
        sharp = power.max() > 30 * np.median(power)
        said = f"peak at {frequency[power.argmax()]:.0f} Hz" if sharp else "no sharp peak"
        bottom.set_title(said, fontsize=9, color=INK, loc="left", pad=4)
        top.tick_params(labelbottom=False)
        middle.set_xlabel("time (ms)", fontsize=9, color=INK)
        bottom.set_xlabel("frequency (Hz)", fontsize=9, color=INK)
        for ax in column:
            ax.tick_params(labelsize=8)
            ax.spines[["top", "right"]].set_visible(False)
    for ax, label in zip(axes[:, 0], (f"{CELLS} cells", "rate (Hz)", "power (Hz)"), strict=True):
        ax.set_ylabel(label, fontsize=10, color=INK)
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(0.115, 0.55 * inch, 0.975, 1 - 1.5 * inch, hspace=0.5, wspace=0.34)
    for ax in axes[0]:  # whose times are those below
        x, y, width, height = ax.get_position().bounds
        ax.set_position((x, y - 0.065, width, height + 0.065))
    figure.align_ylabels(axes[:, 0])
    colour_key(figure, {"simulated": BLUE, "frequency in the paper's simulation": GREY,
                        "in its theory": VERMILLION})  # fmt: skip
    return figure


if __name__ == "__main__":
    study = run_path(str(Path(__file__).parent.parent / "study.py"))
    study["main"](__file__, draw, {"network": 1})
