"""Panels of how spikes are timed: irregularity, correlograms, phases, what is around spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.numbers import number
from neurolab.plots.colours import BLUE, GREY, INK
from neurolab.plots.panels_time import LONG, OverTime
from neurolab.plots.parts import named
from neurolab.plots.style import column, filled, logarithmic, tidy, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurolab.results.trains import Trains

__all__ = ["Timing"]

_DASHED = (0, (4, 3))
#: How far is looked on either side of a spike, in ms.
_AROUND_MS = 50.0
#: Windows that a Fano factor is drawn against, and how often the longest must fit.
_WINDOWS, _FIT = 12, 20


class Timing(OverTime):
    """Panels of when neurons fire, beside themselves and others; see `neurolab.plots.panels`."""

    def correlogram(
        self,
        ax: Axes | None = None,
        *,
        other: Trains | None = None,
        across: bool = False,
        lag_ms: float | None = None,
        bin_ms: float | None = None,
        begin_ms: float = 0.0,
        chance: bool = True,
        **look: Any,
    ) -> Axes:
        """The rate given a spike, over the lag after it: of each neuron with itself, of pairs of
        them (``across``), or with those of an ``other`` population; dashed what it is by
        ``chance``, of spikes that know nothing of each other. The longest lag is 50 ms, or a
        quarter of the time, if not given."""
        lag_ms = self._around(lag_ms, begin_ms)
        options: dict[str, Any] = {"lag_ms": lag_ms, "bin_ms": bin_ms, "begin_ms": begin_ms}
        found = self._of.correlogram_arrays(other, across=across, **options)
        ax, lag = column(ax), found.lag_ms
        middle = (lag[:-1] + lag[1:]) / 2
        edges = np.concatenate([[2 * lag[0] - middle[0]], middle, [2 * lag[-1] - middle[-1]]])
        filled(ax, found.rate_hz, edges, GREY, look)
        if chance:
            style: dict[str, Any] = {"color": BLUE, "linestyle": _DASHED, "label": "independent"}
            ax.axhline(found.independent_hz, **style)
        ax.set_xlim(edges[0], edges[-1])
        ax.set_ylim(0)
        ax.set(xlabel="lag (ms)", ylabel="rate (Hz)")
        return tidy(ax)

    def lv(self, ax: Axes | None = None, *, begin_ms: float = 0.0, **look: Any) -> Axes:
        """How the local variations of neurons' intervals are distributed."""
        found = self._of.lv(begin_ms=begin_ms)
        return self._histogram(ax, found[np.isfinite(found)], "local variation", look)

    def fano(
        self,
        ax: Axes | None = None,
        *,
        windows_ms: Sequence[float] | None = None,
        begin_ms: float = 0.0,
        **look: Any,
    ) -> Axes:
        """Fano factors against the window: their mean over neurons, and shaded between which half
        of them are; dashed that of Poisson processes. Windows are from 1 ms to a twentieth of the
        time, if not given."""
        dt = self._of.dt_ms
        if windows_ms is None:
            longest = max((self._of.duration_ms - max(begin_ms, self._of.start_ms)) / _FIT, 2 * dt)
            wide = np.geomspace(min(max(1.0, dt), longest / 2), longest, _WINDOWS)
            windows_ms = (np.unique(np.maximum(np.round(wide / dt), 1)) * dt).tolist()
        every = [self._of.fano_factor(window_ms=w, begin_ms=begin_ms) for w in windows_ms]
        ax = column(ax)
        known = np.isfinite(every).all(axis=0)  # of neurons with spikes in all of them
        if known.any():
            values = np.array([one[known] for one in every])
            low, high = np.quantile(values, (0.25, 0.75), axis=1)
            style: dict[str, Any] = {"color": BLUE, "marker": "o", "markersize": 2.5}
            ax.plot(windows_ms, values.mean(axis=1), **(style | look))
            color = ax.lines[-1].get_color()
            ax.fill_between(windows_ms, low, high, color=color, alpha=0.25, linewidth=0)
        ax.axhline(1, color=GREY, linestyle=_DASHED, label="Poisson")
        logarithmic(ax, "x")
        ax.set_ylim(0, 1.05 * ax.get_ylim()[1])
        ax.set(xlabel="window (ms)", ylabel="Fano factor")
        return tidy(ax)

    def phases(
        self,
        frequency_hz: float,
        ax: Axes | None = None,
        *,
        n_bins: int = 20,
        begin_ms: float = 0.0,
        **look: Any,
    ) -> Axes:
        """The rate over the phase of a frequency, mean over cycles and neurons; dashed over all
        phases."""
        found = self._of.phase_histogram(frequency_hz, n_bins=n_bins, begin_ms=begin_ms)
        mean = self._of.spike_statistics(begin_ms=begin_ms)["rate_hz_mean"]
        ax = column(ax)
        filled(ax, found.values, np.linspace(0, 1, n_bins + 1), BLUE, look)
        ax.axhline(mean, color=INK, linestyle=_DASHED)
        ax.set_xlim(0, 1)
        ax.set_ylim(0)
        ax.set(xlabel=f"phase of {number(frequency_hz)} Hz (cycles)", ylabel="rate (Hz)")
        return tidy(ax)

    def sta(
        self,
        name: str = "V",
        ax: Axes | None = None,
        *,
        neurons: Sequence[int] | None = None,
        spikes: Trains | None = None,
        before_ms: float | None = None,
        after_ms: float | None = None,
        begin_ms: float = 0.0,
        **look: Any,
    ) -> Axes:
        """A recorded variable around spikes, its own neuron's or all ``spikes`` of another
        population: its mean, shaded the standard error; dashed where the spike is. 50 ms on either
        side, or a quarter of the time, if not given."""
        both = {"before_ms": before_ms, "after_ms": after_ms}
        around: dict[str, Any] = {side: self._around(ms, begin_ms) for side, ms in both.items()}
        found = self._of.sta(name, neurons=neurons, spikes=spikes, begin_ms=begin_ms, **around)
        ax = column(ax)
        lag, mean, sem = (found[one].values for one in ("lag", "mean", "sem"))
        ax.plot(lag, mean, **({"color": BLUE} | look))
        color = ax.lines[-1].get_color()
        ax.fill_between(lag, mean - sem, mean + sem, color=color, alpha=0.25, linewidth=0)
        ax.axvline(0, color=GREY, linestyle=_DASHED)
        ax.set_xlim(lag[0], lag[-1])
        label = named(name, str(found["mean"].attrs.get("units", "")))
        label = label.replace(" (", "\n(") if len(label) > LONG else label
        ax.set(xlabel="time from the spike (ms)", ylabel=label)
        return tidy(ax)

    def _around(self, given_ms: float | None, begin_ms: float) -> float:
        """How far is looked on either side of a spike."""
        lasts_ms = self._of.duration_ms - max(begin_ms, self._of.start_ms)
        return min(_AROUND_MS, lasts_ms / 4) if given_ms is None else given_ms

    def _histogram(
        self, ax: Axes | None, values: np.ndarray, label: str, look: Any, grid: float = 0.0
    ) -> Axes:
        """Of a value for each neuron, in bins of whole steps of its ``grid``."""
        ax = column(ax)
        if values.size:
            edges = np.histogram_bin_edges(values, "auto")
            if grid:
                steps = max(1, round(float(np.diff(edges)[0]) / grid))
                ends = np.round(np.array([values.min(), values.max()]) / grid)
                edges = (np.arange(ends[0], ends[1] + steps + 0.5, steps) - 0.5) * grid
            counts = np.histogram(values, edges)[0]
            filled(ax, counts, edges, GREY, look)
        ax.set(xlabel=label, ylabel="neurons")
        whole_numbers(ax.yaxis)
        return tidy(ax)
