"""Pictures of a run, made from its folder: raster.png, traces.png, rate.png.

Each function takes a `Run` and returns a matplotlib Figure, so a picture can be changed before it
is saved, or None when the run has nothing to show in it; `draw_all` saves them in the run folder.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.numbers import number
from neurolab.plots import parts
from neurolab.plots.colours import BLUE, GREY, INK, PALE, VERMILLION
from neurolab.plots.given import given_to
from neurolab.plots.parts import SIZE
from neurolab.plots.rates import Rate, rates_of, smooth
from neurolab.plots.traces import traces
from neurolab.results.damage import DamagedError
from neurolab.results.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

log = logging.getLogger("neurolab")

_MOST = 5_000_000  # spikes, and samples of a trace, that are read to be drawn
_MOST_TOLD = 4  # populations whose mean rates have room in the key
_MOST_BINS = 4000  # of the smoothed rate: several to a pixel
_MAX_MARKS = 30_000  # spikes drawn one by one; beyond, as an image of their density
_CELLS = (190, 520)  # of it: two pixels each, so that one spike can be seen


def draw_all(run: Run) -> list[Path]:
    """Save the pictures that a run has something for in its folder; returns their paths.  Of what
    is damaged there is none, which is told."""
    drawn: list[Path] = []
    if run.start_step and not run.recorded_ms:
        return drawn  # it ended in its warm-up
    for draw in (raster, traces, rate):
        try:
            part = run if draw is rate else run.beginning(_MOST)
            drawn += parts.save({draw.__name__: draw(part)}, run.path)
        except DamagedError as error:
            log.error("%s.png could not be drawn: %s", draw.__name__, error)
    return drawn


def raster(run: Run) -> Figure | None:
    """Every spike over time and neuron, above the population rate; None if none were recorded."""
    if run.spike_arrays is None:
        return None
    n_spikes, given = run.spike_arrays[0].size, given_to(run)
    units = given.units
    figure = parts.new_figure(parts.title(run), height=SIZE[1] + 0.65 * len(units))
    ratios = {"height_ratios": (3.6, 1, *[0.7] * len(units)), "hspace": 0.08}
    axes = figure.subplots(2 + len(units), 1, sharex=True, gridspec_kw=ratios)
    top, strip, *below = axes
    scale = parts.time_axis(axes[-1], run)
    for ax in axes[:-1]:
        parts.join_below(ax)
    given.draw(below, scale)
    given.shade(axes, scale)
    parts.label(top, "" if run.populations else "neuron")
    parts.neuron_axis(top, run.n_neurons)
    parts.bands(top, run.populations)
    black = ""
    if not n_spikes:
        parts.say(top, f"no spikes in {parts.duration(run.recorded_ms)}")
    else:
        black = _spikes(top, run, scale)
    parts.label(strip, "rate (Hz)")
    strip.set_yticks([])
    shown = {name: rate.legible() for name, rate in rates_of(run).items()}
    if any(rate.hz.any() for rate in shown.values()):
        colours = parts.colours_of(run.populations) or {"": BLUE}
        high = parts.draw_steps(strip, shown, scale, colours, 1.0)
        strip.set_yticks([0, parts.round_down(high)])
        count = f"{n_spikes:,} spikes in {parts.duration(run.recorded_ms)}"
        said = {next(iter(shown.values())).said: GREY if run.populations else BLUE}
        parts.colour_key(figure, {count + black: GREY, **said, **given.told(), **_end(run)})
    elif told := given.told():
        parts.colour_key(figure, told)
    if not run.populations:  # whose names are where the label would be
        figure.align_ylabels(list(axes))
    return figure


def rate(run: Run) -> Figure | None:
    """The population rate: bins, a smoothed line over them, and the mean; None if not recorded."""
    if run.rate_bins is None and run.spike_arrays is None:
        return None
    few = run.commit.lengths.get("spike_step", 0) <= _MOST
    rates = rates_of(run, few and parts.has_spikes(run))
    figure = parts.new_figure(parts.title(run))
    ax = figure.subplots()
    scale = parts.time_axis(ax, run)
    parts.label(ax, "population rate (Hz)")
    if not any(rate.hz.any() for rate in rates.values()):
        ax.set_yticks([])
        covered_ms = max(
            (float(rate.edges[-1] - rate.edges[0]) for rate in rates.values()),
            default=run.recorded_ms,
        )
        what = "spikes" if parts.has_spikes(run) or not rates else "whole bin"
        parts.say(ax, f"no {what} in {parts.duration(covered_ms)}")
        return figure
    shown = {name: rate.legible() for name, rate in rates.items()}
    colours = parts.colours_of(run.populations)
    parts.draw_steps(ax, shown, scale, colours or {"": PALE}, 0.4)
    said = next(iter(shown.values())).said
    few = len(rates) <= _MOST_TOLD
    key = {said + ", means" * few: GREY} if run.populations else {said: "#7FB3D5"}
    for name, whole in rates.items():
        colour = colours.get(name, BLUE)
        mean = parts.mean_rate_hz(run[name] if name else run)
        if (sigma_ms := _smoothed(ax, whole, shown[name], scale, colour)) and not name:
            key[f"smoothed, sigma {number(sigma_ms, 3)} ms"] = colour
        if name:
            key[f"{name} {number(mean, 3)} Hz" if few and mean is not None else name] = colour
        elif mean is not None:
            ax.axhline(mean, color=VERMILLION, linewidth=1.3, linestyle=(0, (5, 3)))
            key[f"mean {number(mean, 3)} Hz"] = VERMILLION
    parts.colour_key(figure, key | _end(run))
    return figure


def _smoothed(ax: Axes, whole: Rate, shown: Rate, scale: float, colour: str) -> float | None:
    """A smooth line over bins, if there are enough of them; how far it averages, in ms."""
    if shown.bin_ms is None or whole.bin_ms is None or shown.hz.size < 10:
        return None
    fine = whole.grouped(float(whole.edges[-1]) / _MOST_BINS)
    width = float(fine.edges[1])
    line = smooth(fine.hz, shown.bin_ms / width)
    ax.plot((fine.edges[:-1] + width / 2) * scale, line, color=colour, linewidth=2.0)
    return shown.bin_ms


def _end(run: Run) -> dict[str, str]:
    """What is said in the key of a run that diverged: where."""
    summary = parts.summary_of(run)
    message = str(summary.get("message") or "")
    diverged = summary.get("status") == "diverged" and message
    return {message: VERMILLION} if diverged else {}


def _spikes(ax: Axes, run: Run, scale: float) -> str:
    """Spikes as marks as high as a neuron's row, or as an image where marks would fill it up; what
    is to be said of its shades."""
    time, neuron = run.spike_arrays  # type: ignore[misc]
    time = time * scale
    if time.size <= _MAX_MARKS:
        row = 72 * SIZE[1] * 0.55 / run.n_neurons  # points per neuron
        style: dict[str, Any] = {"marker": "|", "markersize": min(max(0.8 * row, 2.6), 30)}
        style["markeredgewidth"] = 0.9
        if row < 1.5:
            size = 1.6 if time.size < 10_000 else 1.1
            style = {"marker": "o", "markersize": size, "markeredgewidth": 0}
        # Those of the last step are on the edge: they are not cut off.
        for colour, of in _inks(run):
            own = (of.start <= neuron) & (neuron < of.stop)
            ax.plot(time[own], neuron[own], linestyle="none", color=colour, clip_on=False, **style)
        return ""
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    (start, end), (low, high) = ax.get_xlim(), ax.get_ylim()
    hz = _density(run.read("spike_step"), neuron, run)
    black = float(np.quantile(hz[hz > 0], 0.99))
    for colour, of in _inks(run):
        rows = slice(*(-(-end * len(hz) // run.n_neurons) for end in (of.start, of.stop)))
        others = np.ones(hz.shape, bool)
        others[rows] = False
        ax.imshow(
            np.ma.masked_array(hz, others),
            origin="lower",
            aspect="auto",
            extent=(start, end, low, high),
            cmap=LinearSegmentedColormap.from_list("ink", ["white", colour]),
            norm=PowerNorm(0.6, vmin=0, vmax=black),
            interpolation="nearest",
        )
    return f", {'darkest' if run.populations else 'black'} from {number(black, 3)} Hz"


def _inks(run: Run) -> list[tuple[str, slice]]:
    """The colour of the spikes of each population, and its neurons; ink where there are none."""
    if not run.populations:
        return [(INK, slice(0, run.n_neurons))]
    return [(c, run.populations[name]) for name, c in parts.colours_of(run.populations).items()]


def _density(step: np.ndarray, neuron: np.ndarray, run: Run) -> np.ndarray:
    """Spikes per neuron and second in the cells of an image, whatever of either is in each."""
    (n, steps), (rows, columns) = (run.n_neurons, run.committed_steps), _CELLS
    rows, columns = min(n, rows), min(steps, columns)
    y, x = neuron.astype(np.int64) * rows // n, step.astype(np.int64) * columns // steps
    counts = np.bincount(y * columns + x, minlength=rows * columns).reshape(rows, columns)
    neurons, widths = (
        np.diff(-(-np.arange(cells + 1) * whole // cells))
        for cells, whole in ((rows, n), (columns, steps))
    )
    hz: np.ndarray = counts / (neurons[:, None] * widths * run.dt_ms * 1e-3)
    return hz
