"""The figure of this study: python experiments/brunel_phase_diagram/figure.py FOLDER"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from omegaconf import OmegaConf
from scipy.signal import welch

import neurolab
from neurolab.plots.colours import BLUE, GREEN, INK, PURPLE, VERMILLION
from neurolab.plots.parts import colour_key, new_figure
from neurolab.results.plan import flat

_STATES = run_path(str(Path(__file__).parent.parent / "brunel_states" / "figure.py"))
siegert_rate, STATES = _STATES["theory"], _STATES["STATES"]
I_E, DRIVE = "projections.I_E.weight", "populations.E.inputs.external.rate"
START_MS, SYNCHRONOUS, REGULAR, CHOSEN = 100.0, 1.5, 0.22, 1000


def measured(point: neurolab.Run) -> tuple[float, float, float]:
    """Rate in Hz, synchrony, and frequency of the oscillation in Hz of a point, after its start.

    Synchrony is the variance over the mean of spikes of 1000 neurons in a bin of the rate, 1 for
    independent Poisson processes; of all of them it is F, of 1000 of these 1 + (F - 1) 1000 / N.
    NaN stands for what cannot be told.
    """
    time, hz = point.rate["time"].values, point.rate.values
    hz = hz[time > min(START_MS, point.duration_ms / 2)]
    width = float(point.rate.attrs["bin_ms"])
    rate = float(hz.mean())
    counts = hz * point.n_neurons * width * 1e-3
    if counts.sum() < 100:
        return rate, np.nan, np.nan
    together = counts.var() / counts.mean()
    frequency, power = welch(hz, 1e3 / width, nperseg=min(round(500 / width), hz.size))
    seen = frequency > 5
    synchrony = 1 + (together - 1) * CHOSEN / point.n_neurons
    return rate, max(synchrony, 1e-2), float(frequency[seen][power[seen].argmax()])


def of_the_paper(sweep: neurolab.Sweep) -> bool:
    """Whether all but g, eta and the sizes is as in `network=brunel`."""
    varied = (".size", "I_E.weight", "I_I.weight", ".external.rate")
    own = OmegaConf.to_container(sweep.config(0), resolve=True)
    paper, own = (
        {k: v for k, v in flat(c) if k.startswith(("populations.", "projections."))}
        for c in (neurolab.api.experiment_of(["network=brunel"]).config, own)
    )
    differ = [k for k in paper.keys() | own.keys() if paper.get(k) != own.get(k)]
    return all(key.endswith(varied) for key in differ)


def draw(sweep: neurolab.Sweep) -> Figure:
    """Rate, synchrony and frequency over inhibition and drive, and rates beside theory."""
    weights = sweep.rate_hz[I_E].values
    J = float(str(sweep.config(0).projections.E_E.weight).split()[0])  # in mV, as the axis is
    g, eta = weights / -J, sweep.rate_hz[DRIVE].values / 10.0
    found = np.array([measured(point) for point in sweep])
    rate, synchrony, frequency = found.T.reshape(3, g.size, eta.size)
    # Regular cells fire in each cycle; bins are too wide for the harmonics of their volleys.
    frequency = np.where(sweep.data["isi_cv"].values < REGULAR, rate, frequency)
    expected = np.array([[siegert_rate(x, y) for y in eta] for x in g])
    published = of_the_paper(sweep)  # as theory is

    title = f"{g.size * eta.size} networks of {sweep[0].n_neurons:,} neurons, "
    title += "as of Brunel" if published else "like Brunel's, with other numbers"
    figure = new_figure(title, height=7.4)
    axes = figure.subplots(2, 2)
    maps = (
        (axes[0, 0], np.maximum(rate, 1e-2), "rate (Hz)", LogNorm(1, 400)),
        (axes[1, 0], synchrony, "synchrony", LogNorm(1, 400)),
        (axes[1, 1], np.where(synchrony > SYNCHRONOUS, frequency, np.nan), "frequency (Hz)",
         LogNorm(10, 400)),
    )  # fmt: skip
    for ax, values, name, norm in maps:
        image = ax.pcolormesh(g, eta, values.T, norm=norm, cmap="viridis", shading="nearest")
        bar = figure.colorbar(image, ax=ax, pad=0.02)
        bar.ax.tick_params(labelsize=8)
        ax.set_title(name, fontsize=10, color=INK, loc="left", pad=4)
        ax.set_facecolor("#EEEEEE")
        ax.set_xlabel("inhibition g", fontsize=9, color=INK)
        ax.set_ylabel("drive η", fontsize=9, color=INK)
        limits = ax.axis()
        for panel, x, y, *_ in STATES.values() if published else ():
            ax.annotate(panel, (x, y), color="white", fontsize=10, ha="center", va="center",
                        weight="bold", annotation_clip=True)  # fmt: skip
        ax.axis(limits)
    if published:
        axes[0, 0].contour(g, eta, expected.T, levels=[5, 20, 50, 100, 200], colors=VERMILLION,
                           linewidths=1.0)  # fmt: skip
    ax = axes[0, 1]
    for colour, wanted in ((GREEN, 1.0), (BLUE, 2.0), (PURPLE, 4.0)):
        k = int(np.abs(eta - wanted).argmin())
        fine = np.linspace(g.min(), g.max(), 120)
        if published:
            theory = [siegert_rate(x, eta[k]) for x in fine]
            ax.semilogy(fine, theory, color=VERMILLION, linewidth=1.2)
        ax.semilogy(g, rate[:, k], "o", color=colour, markersize=3)
        ax.text(g[-1], rate[-1, k] * 1.5, f"η = {eta[k]:.2g}", color=colour, fontsize=9, ha="right")
    ax.set_title(
        "rate (Hz)" + " beside theory" * published, fontsize=10, color=INK, loc="left", pad=4
    )
    ax.set_xlabel("inhibition g", fontsize=9, color=INK)
    ax.set_ylim(bottom=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    for ax in axes.flat:
        ax.tick_params(labelsize=8)
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(0.09, 0.5 * inch, 0.985, 1 - 0.95 * inch, hspace=0.3, wspace=0.16)
    if published:
        colour_key(figure, {"A to D: figure 8 of the paper": INK, "Siegert's theory": VERMILLION})
    return figure


if __name__ == "__main__":
    study = run_path(str(Path(__file__).parent.parent / "study.py"))
    study["main"](__file__, draw, {I_E: 2, DRIVE: 2})
