"""Panels for figures of papers and notebooks: ``run.plot.raster()``, each on axes of one's own.

    with neurolab.plots.paper():
        figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=size_in(85, 60))
        run.plot.raster(top, time=(200, 500), neurons=range(50))
        run.plot.trace("V", bottom, time=(200, 500), neurons=[3])

Each takes the axes to draw on, or makes a figure of one column, and returns the axes.  ``time`` is
from and until when, in ms; ``neurons`` are which, by their numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.plots.colours import BLUE, GREY
from neurolab.plots.panels_timing import Timing
from neurolab.plots.style import column, filled, logarithmic, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Plot"]

_BINS = 40


class Plot(Timing):
    """Panels of a run, of one of its populations, or of a point of a sweep: `Trains.plot`."""

    def isi(
        self,
        ax: Axes | None = None,
        *,
        begin_ms: float = 0.0,
        bin_ms: float | None = None,
        log: bool = False,
        **look: Any,
    ) -> Axes:
        """A histogram of the intervals between spikes of all neurons; ``log``, over their
        logarithm.  Its bins have as many steps each, so that dt does not show."""
        intervals, dt = self._of.isi(begin_ms=begin_ms), self._of.dt_ms
        ax = column(ax)
        if intervals.size and log:
            wide = np.geomspace(intervals.min() - dt / 2, intervals.max() + dt / 2, _BINS + 1)
            edges = (np.unique(np.round(wide / dt - 0.5)) + 0.5) * dt
            density = np.histogram(intervals, edges)[0] / np.diff(np.log10(edges)) / intervals.size
        elif intervals.size:
            most = float(np.quantile(intervals, 0.995))
            steps = max(1, round((bin_ms or most / _BINS) / dt))
            first = round(intervals.min() / dt) - 0.5
            edges = np.arange(first, intervals.max() / dt + steps + 0.5, steps) * dt
            density = np.histogram(intervals, edges, density=True)[0]
            ax.set_xlim(0, 1.05 * max(most, edges[1]))
        if intervals.size:
            filled(ax, density, edges, GREY, look)
        if log:
            logarithmic(ax, "x")
        ax.set(xlabel="interval (ms)", ylabel="density (1/decade)" if log else "density (1/ms)")
        return tidy(ax)

    def rates(self, ax: Axes | None = None, *, begin_ms: float = 0.0, **look: Any) -> Axes:
        """How the rates of neurons are distributed."""
        lasts_s = (self._of.duration_ms - max(begin_ms, self._of.start_ms)) * 1e-3
        if not lasts_s > 0:
            lasts_ms = self._of.duration_ms
            raise ValueError(f"begin_ms must be before the end, {lasts_ms} ms, got {begin_ms}.")
        hz = self._of.rates(begin_ms=begin_ms)
        return self._histogram(ax, hz[self._of.firing], "rate (Hz)", look, 1 / lasts_s)

    def cv(self, ax: Axes | None = None, *, begin_ms: float = 0.0, **look: Any) -> Axes:
        """How the coefficients of variation of neurons' intervals are distributed."""
        found = self._of.cv(begin_ms=begin_ms)
        return self._histogram(ax, found[np.isfinite(found)], "CV of intervals", look)

    def psd(self, ax: Axes | None = None, *, floor: bool = True, **options: Any) -> Axes:
        """The power spectrum of the rate, times neurons, on two logarithmic axes; dashed the
        ``floor``, which independent Poisson processes of this rate have.  ``options`` are those of
        `Trains.psd`; it says how ``bin_ms`` and ``segment_ms`` matter."""
        frequency, power = self._of.psd_arrays(**options)
        ax = column(ax)
        ax.plot(frequency[1:], power[1:], color=BLUE)
        logarithmic(ax, "x")
        logarithmic(ax, "y")
        if floor:
            begin_ms = options.get("begin_ms", 0.0)
            mean = self._of.spike_statistics(begin_ms=begin_ms)["rate_hz_mean"]
            ax.axhline(mean, color=GREY, linestyle=(0, (4, 3)), label="Poisson")
        ax.set(xlabel="frequency (Hz)", ylabel="power (Hz)")
        return tidy(ax)

    def psth(
        self,
        event_ms: Any,
        ax: Axes | None = None,
        *,
        before_ms: float = 50.0,
        after_ms: float = 200.0,
        bin_ms: float = 5.0,
        **look: Any,
    ) -> Axes:
        """The rate around events, mean over these and over neurons; dashed where they are."""
        found = self._of.psth(event_ms, before_ms, after_ms, bin_ms)
        centre, width = found["time"].values, found.attrs["bin_ms"]
        ax = column(ax)
        edges = np.append(centre - width / 2, centre[-1] + width / 2)
        filled(ax, found.values, edges, BLUE, look)
        ax.axvline(0, color=GREY, linestyle=(0, (4, 3)))
        ax.set_xlim(edges[0], edges[-1])
        ax.set_ylim(0)
        ax.set(xlabel="time from the event (ms)", ylabel="rate (Hz)")
        return tidy(ax)
