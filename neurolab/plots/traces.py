"""The picture of what was recorded of some neurons: traces.png."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.numbers import number
from neurolab.plots import parts
from neurolab.plots.colours import COLOURS, GREY, INK
from neurolab.plots.given import given_to
from neurolab.plots.parts import SIZE
from neurolab.plots.window import window_of
from neurolab.results.run import Run
from neurolab.results.samples import Samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["traces"]

#: Letters that variables which stay as they are may have in the key.
_MOST_LETTERS = 50
_EXAMPLES = 3  # neurons drawn: more lines than these are a tangle


def traces(run: Run) -> Figure | None:
    """Recorded variables of a few neurons over time, one panel each, potentials first; None when
    there are none.

    The neurons are the first recorded ones, those that spiked before those that did not. Spikes
    are ticks above V at their times, as V itself is reset and does not show them. Of many spikes
    only some are shown (`window_of`), so that they can be told apart. Below is the current that
    was given; what stays as it is, and neurons that are the same, are said.
    """
    data = parts.lines_of(run)
    if not data:
        return None
    chosen = {name: parts.examples(run, variable, _EXAMPLES) for name, variable in data.items()}
    shown = sorted({index for indices in chosen.values() for index in indices.values()})
    spikes = run.spike_arrays if parts.has_spikes(run) else None
    given, lasts_ms = given_to(run), run.duration_ms
    begin, end = whole = run.start_ms, lasts_ms
    if spikes is not None:
        begin, end = window_of(spikes, shown, whole, bool(given.units))
    times, values = {}, {}
    for name, variable in data.items():
        rows = slice(*np.searchsorted(variable.time_ms, [begin, end * (1 + 1e-12)]))
        times[name] = variable.time_ms[rows]
        values[name] = variable.of(list(chosen[name]))[rows].astype(float)
    constant = _constant(values)
    same = len(shown) > 1 and not run.populations and all(map(_all_same, values.values()))
    panels = [name for name in data if name not in constant]
    units = given.units
    height = max(SIZE[1], 1.6 + 1.25 * len(panels)) + 0.65 * len(units)
    figure = parts.new_figure(parts.title(run), height)
    ratios = [2.0 if parts.is_potential(name) else 1.0 for name in panels] + [0.7] * len(units)
    grid = {"height_ratios": ratios}
    axes = [*figure.subplots(len(ratios), 1, sharex=True, squeeze=False, gridspec_kw=grid)[:, 0]]
    scale = parts.time_axis(axes[-1], run)
    axes[-1].set_xlim(begin * scale, max(end, begin + run.dt_ms) * scale)
    for ax in axes[:-1]:
        parts.join_below(ax)
    given.draw(axes[len(panels) :], scale)
    given.shade(axes, scale)
    colours = dict(zip(shown, itertools.cycle(COLOURS), strict=False))
    for ax, name in zip(axes[: len(panels)], panels, strict=True):
        own = {i: colours[i] for i in chosen[name].values()}
        if same:
            own = dict([*own.items()][:1])
        name_and_unit = parts.named(name, data[name].unit)
        above = len(name_and_unit) > parts.LONG_LABEL  # too long for the height of a panel
        parts.label(ax, "" if above else name_and_unit)
        if above:
            ax.set_title(name_and_unit, fontsize=9, color=INK, loc="left", y=1.0, pad=3)
        for column, colour in reversed([*enumerate(own.values())]):
            line = parts.decimate(times[name] * scale, values[name][:, column])
            ax.plot(*line, color=colour, linewidth=1.2, alpha=1.0 if column == 0 else 0.75)
        low, high = float(np.nanmin(values[name])), float(np.nanmax(values[name]))
        low, high = given.levels(ax, name, low, high, _thresholds(name, constant))
        if low == high:  # no other value was there to be beside the axis
            ax.set_yticks([low])
        else:
            ax.locator_params(axis="y", nbins=5)
        if spikes is not None and parts.is_potential(name):
            inside = np.isin(spikes[1], [*own]) & (spikes[0] >= begin) & (spikes[0] <= end)
            if inside.any():
                _spike_ticks(ax, spikes[0][inside] * scale, spikes[1][inside], own, (low, high))
    key = {run.name_of(i): colour for i, colour in colours.items()}
    if same:
        others = f"{', '.join(map(str, shown[:-1]))} and {shown[-1]}"
        key = {f"neurons {others}, which are the same": colours[shown[0]]}
    if (begin, end) != whole:
        unit = "s" if scale < 1 else "ms"
        part = f"{number(begin * scale)} to {number(end * scale)} {unit}"
        key[f"{part} of {parts.duration(run.recorded_ms)}"] = GREY
    key |= given.told() | _stay(constant, data, (begin, end) != whole)
    parts.colour_key(figure, key)
    figure.align_ylabels(list(axes))
    return figure


def _all_same(values: np.ndarray) -> bool:
    return bool(np.array_equal(values, np.repeat(values[:, :1], values.shape[1], 1), True))


def _constant(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Variables that stay as they are, and are the same in all neurons, but for potentials; of
    those alone the first, so that there is a panel."""
    found = {
        name: float(of.flat[0])
        for name, of in values.items()
        if not parts.is_potential(name) and of.size and np.all(of == of.flat[0])
    }
    if len(found) == len(values):
        del found[next(iter(found))]
    return found


def _thresholds(name: str, constant: Mapping[str, float]) -> dict[str, float]:
    """A threshold that is a variable of the neuron, and stays as it is."""
    threshold = name.removesuffix("V") + "V_th"
    return {"V_th": constant[threshold]} if threshold in constant else {}


def _stay(constant: Mapping[str, float], data: Mapping[str, Samples], part: bool) -> dict[str, str]:
    """What is said of variables that stay as they are, in the part that is shown."""
    told = (f"{name} {number(value)} {data[name].unit}".strip() for name, value in constant.items())
    text = ", ".join(told)
    if len(text) > _MOST_LETTERS:  # which would leave all of the key no room
        text = f"{len(constant)} variables as they are"
    return {f"{text} {'here' if part else 'throughout'}": GREY} if constant else {}


def _spike_ticks(
    ax: Axes,
    time: np.ndarray,
    neuron: np.ndarray,
    colours: dict[int, str],
    between: tuple[float, float],
) -> None:
    """A row of ticks for each neuron above its membrane potential, outside the axis of V."""
    low, high = between
    middle, half = (low + high) / 2, (high - low) / 2 or 0.5  # of a constant, as good as any
    low, high = middle - half, middle + half
    row = 0.14 * half
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
