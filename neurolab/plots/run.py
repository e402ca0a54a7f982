"""Pictures of a run, made from its folder: raster.png, traces.png, rate.png.

Each function takes a `Run` and returns a matplotlib Figure, so a picture can be changed before it
is saved, or None when the run has nothing to show in it; `draw_all` saves them in the run folder.
"""

from __future__ import annotations

import itertools
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.plots import parts
from neurolab.plots.colours import BLUE, COLOURS, GREY, INK, PALE, VERMILLION
from neurolab.plots.parts import SIZE
from neurolab.plots.rates import Rate, rates_of, smooth
from neurolab.results.damage import DamagedError
from neurolab.results.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

log = logging.getLogger("neurolab")

_EXAMPLES = 3  # neurons drawn: more lines than these are a tangle
_MOST = 5_000_000  # spikes, and samples of a trace, that are read to be drawn
_MOST_TOLD = 4  # populations whose mean rates have room in the key
_MOST_BINS = 4000  # of the smoothed rate: several to a pixel
_MAX_MARKS = 30_000  # spikes drawn one by one; beyond, as an image of their density
_CELLS = (190, 520)  # of it: two pixels each, so that one spike can be seen


def draw_all(run: Run) -> list[Path]:
    """Save the pictures that a run has something for in its folder; returns their paths.  Of what
    is damaged there is none, which is told."""
    drawn: list[Path] = []
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
    n_spikes = run.spike_arrays[0].size
    figure = parts.new_figure(parts.title(run))
    top, strip = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": (3.6, 1), "hspace": 0.08}
    )
    scale = parts.time_axis(strip, run)
    parts.join_below(top)
    parts.label(top, "" if run.populations else "neuron")
    parts.neuron_axis(top, run.n_neurons)
    parts.bands(top, run.populations)
    black = ""
    if not n_spikes:
        parts.say(top, f"no spikes in {parts.duration(run.duration_ms)}")
    else:
        black = _spikes(top, run, scale)
    parts.label(strip, "rate (Hz)")
    strip.set_yticks([])
    shown = {name: rate.legible() for name, rate in rates_of(run).items()}
    if any(rate.hz.any() for rate in shown.values()):
        colours = parts.colours_of(run.populations) or {"": BLUE}
        high = parts.draw_steps(strip, shown, scale, colours, 1.0)
        strip.set_yticks([0, parts.round_down(high)])
        count = f"{n_spikes:,} spikes in {parts.duration(run.duration_ms)}"
        said = {next(iter(shown.values())).said: GREY if run.populations else BLUE}
        parts.colour_key(figure, {count + black: GREY, **said, **_end(run)})
    if not run.populations:  # whose names are where the label would be
        figure.align_ylabels([top, strip])
    return figure


def traces(run: Run) -> Figure | None:
    """Recorded variables of a few neurons over time, one panel each; None when there are none.

    The neurons are the first recorded ones, those that spiked before those that did not. Spikes
    are ticks above V at their times, as V itself is reset and does not show them.
    """
    data = parts.lines_of(run)
    if not data:
        return None
    chosen = {name: parts.examples(run, variable, _EXAMPLES) for name, variable in data.items()}
    shown = sorted({index for indices in chosen.values() for index in indices.values()})
    colours = dict(zip(shown, itertools.cycle(COLOURS), strict=False))
    voltages = {name for name in data if name.split(".")[-1] == "V"}
    fire = voltages if parts.has_spikes(run) else set()
    fire = {name for name in fire if name.split(".")[0] not in run.silent}
    figure = parts.new_figure(parts.title(run), height=max(SIZE[1], 1.6 + 1.25 * len(data)))
    ratios = [2.0 if name in voltages else 1.0 for name in data]
    axes = figure.subplots(
        len(data), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": ratios}
    )[:, 0]
    scale = parts.time_axis(axes[-1], run)
    for ax, (name, variable) in zip(axes, data.items(), strict=True):
        name_and_unit = parts.named(name, variable.unit)
        parts.label(ax, "" if run.populations else name_and_unit)
        if run.populations:  # whose names are too long for the height of a panel
            ax.set_title(name_and_unit, fontsize=9, color=INK, loc="left", y=1.0, pad=3)
        values = variable.of(list(chosen[name])).astype(float)
        for column, index in reversed(list(enumerate(chosen[name].values()))):
            line = parts.decimate(variable.time_ms * scale, values[:, column])
            ax.plot(*line, color=colours[index], linewidth=1.2, alpha=1.0 if column == 0 else 0.75)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if low == high:  # no other value was there to be beside the axis
            ax.set_yticks([low])
        else:
            ax.locator_params(axis="y", nbins=5)
        if name in fire:
            _spike_ticks(ax, run, {i: colours[i] for i in chosen[name].values()}, values, scale)
        if ax is not axes[-1]:
            parts.join_below(ax)
    parts.colour_key(figure, {run.name_of(i): colour for i, colour in colours.items()})
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
            (float(rate.edges[-1]) for rate in rates.values()), default=run.duration_ms
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
            key[f"smoothed, sigma {sigma_ms:.3g} ms"] = colour
        if name:
            key[f"{name} {mean:.3g} Hz" if few and mean is not None else name] = colour
        elif mean is not None:
            ax.axhline(mean, color=VERMILLION, linewidth=1.3, linestyle=(0, (5, 3)))
            key[f"mean {mean:.3g} Hz"] = VERMILLION
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
    return f", {'darkest' if run.populations else 'black'} from {black:.3g} Hz"


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


def _spike_ticks(
    ax: Axes, run: Run, colours: dict[int, str], values: np.ndarray, scale: float
) -> None:
    """A row of ticks for each neuron above its membrane potential, outside the axis of V."""
    if run.spike_arrays is None:
        return
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    middle, half = (low + high) / 2, (high - low) / 2 or 0.5  # of a constant, as good as any
    low, high = middle - half, middle + half
    row = 0.14 * half
    time, neuron = run.spike_arrays[0] * scale, run.spike_arrays[1]
    for place, (index, colour) in enumerate(reversed(colours.items())):
        bottom = high + row * (place + 1)
        at = np.repeat(time[neuron == index], 3)  # one broken line is faster than many lines
        ends = np.tile([bottom, bottom + 0.7 * row, np.nan], at.size // 3)
        ax.plot(at, ends, color=colour, linewidth=1.1, clip_on=False)
    inside = [tick for tick in ax.get_yticks() if low - row <= tick <= high + row / 2]
    ax.set_yticks(inside)
    ax.spines["left"].set_bounds(low - row, high + row / 2)
    ax.set_ylim(low - row, high + row * (len(colours) + 1))
    middle = high + row * (1 + len(colours) / 2)
    look: dict[str, Any] = {"ha": "right", "va": "center", "fontsize": 10, "color": GREY}
    look |= {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ax.annotate("spikes", (0, middle), (-6, 0), **look)
