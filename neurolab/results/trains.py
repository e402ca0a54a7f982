"""The spikes of a run, or of one of its populations, with what is computed from them.

run["E"].rate, run["E"].synchrony(begin_ms=100), run.psd().attrs["peak_hz"]
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab import analysis
from neurolab.results.patterns import Patterns

if TYPE_CHECKING:
    import xarray as xr

    from neurolab.plots.panels import Plot
    from neurolab.results.stimulus import Stimulus

__all__ = ["Trains"]


class Trains(Patterns):
    """Spikes and rate of some neurons, numbered from 0.

    Statistics are those of `neurolab.analysis`, with its options (`psd` is its `power_spectrum`,
    `correlation` its `pairwise_correlation`, `sta` its `spike_triggered_average`): each but `psth`
    takes ``begin_ms``, the start that is left out (at least what ``record.start`` left out), and
    raises a ValueError where spikes were not recorded.
    """

    #: What each of its trains is of.
    member = "neuron"

    @property
    @abstractmethod
    def n_neurons(self) -> int:
        """How many neurons, silent ones included."""

    @property
    def firing(self) -> np.ndarray:
        """Which neurons can fire: rates and statistics are over these, where there are any."""
        return np.ones(self.n_neurons, bool)

    @abstractmethod
    def read(self, name: str) -> np.ndarray:
        """An array as it is stored, trimmed to the commit, of rate counts those of these neurons;
        a ValueError says if it is damaged."""

    @property
    @abstractmethod
    def traces(self) -> xr.Dataset:
        """Recorded variables over (time in ms, neuron)."""

    @cached_property
    def spike_arrays(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Times in ms, the end of the step, and neurons of all spikes; None when not recorded."""
        if not self.attributes["record_spikes"]:
            return None
        return (self.read("spike_step") + 1) * self.dt_ms, self.read("spike_neuron")

    @cached_property
    def spikes(self) -> xr.Dataset | None:
        """`time` (ms, end of the step) and `neuron` of every spike; None when not recorded."""
        import xarray as xr

        if self.spike_arrays is None:
            return None
        time_ms, neuron = self.spike_arrays
        return xr.Dataset(
            {"time": ("spike", time_ms, {"units": "ms"}), "neuron": ("spike", neuron)},
            attrs={"n_neurons": self.n_neurons, "duration_ms": self.duration_ms},
        )

    @cached_property
    def rate_bins(self) -> tuple[np.ndarray, float] | None:
        """Population rate in Hz in bins, and their width in ms; None when not recorded."""
        bin_steps = self.attributes["rate_bin_steps"]
        if bin_steps is None:
            return None
        counts, bin_ms = self.read("rate_counts"), bin_steps * self.dt_ms
        counts = counts.sum(axis=tuple(range(1, counts.ndim)))  # over populations
        return counts / (self.firing.sum() * bin_ms * 1e-3), bin_ms

    @cached_property
    def rate(self) -> xr.DataArray | None:
        """Population rate in Hz over the centre of each bin; None when not recorded."""
        if self.rate_bins is None:
            return None
        hz, bin_ms = self.rate_bins
        return _rate(self.start_ms + (np.arange(hz.size) + 0.5) * bin_ms, hz, bin_ms)

    def spike_trains(self) -> list[np.ndarray]:
        """The times in ms of the spikes of each neuron, in order."""
        time, neuron = self._recorded()
        order = np.lexsort((time, neuron))
        ends = np.cumsum(np.bincount(neuron, minlength=self.n_neurons))[:-1]
        return np.split(time[order], ends)

    def spike_statistics(self, **options: Any) -> analysis.SpikeSummary:
        """Rates and ISI variability over neurons."""
        return analysis.spike_statistics(*self._trains(), **self._late(options))

    def isi(self, **options: Any) -> np.ndarray:
        """All inter-spike intervals in ms."""
        time, neuron, n, lasts_ms = self._trains()
        begin_ms = options.get("begin_ms", 0.0)
        if begin_ms > 0 and not begin_ms < lasts_ms:
            raise ValueError(f"begin_ms must be before the end, {lasts_ms} ms, got {begin_ms}.")
        return analysis.isi(time, neuron, n, **options)

    def cv(self, **options: Any) -> np.ndarray:
        """Coefficient of variation of the intervals of each neuron, NaN with fewer than three
        spikes."""
        return analysis.cv(*self._recorded(), self.n_neurons, **options)

    def psth(self, event_ms: Any, before_ms: float, after_ms: float, bin_ms: float) -> xr.DataArray:
        """Rate in Hz around events, mean over these and over neurons, over the centre of each bin
        relative to the event: `neurolab.analysis.psth`. Events around which not all was recorded
        are left out: ``n_events``, among its attributes, is how many are in it."""
        time, _, n, lasts_ms = self._trains()
        bin_ms = self._bin(bin_ms, analysis.psth)
        event, lasts_ms = np.asarray(event_ms, np.float64) - self.start_ms, lasts_ms - self.start_ms
        time = time - self.start_ms
        found = analysis.psth(time, n, lasts_ms, event, before_ms, after_ms, bin_ms)
        whole = analysis.whole_events(event, lasts_ms, before_ms, after_ms)
        return _rate(*found, bin_ms).assign_attrs(n_events=int(whole.sum()))

    def population_rate(self, bin_ms: float, **options: Any) -> xr.DataArray:
        """Rate in Hz over the centre of each bin, from the spikes."""
        time, _, n, lasts_ms = self._trains()
        bin_ms = self._bin(bin_ms, analysis.population_rate)
        found = analysis.population_rate(time, n, lasts_ms, bin_ms, **self._late(options))
        return _rate(*found, bin_ms)

    def correlation(self, **options: Any) -> analysis.Correlation:
        """Correlation of the spike counts of pairs of neurons."""
        options["bin_ms"] = self._bin(options.get("bin_ms"), analysis.pairwise_correlation)
        found = analysis.pairwise_correlation(*self._trains(), **self._late(options))
        return found._replace(neurons=np.flatnonzero(self.firing)[found.neurons])

    def synchrony(self, **options: Any) -> float:
        """Variance over mean of the population's spike counts."""
        options["bin_ms"] = self._bin(options.get("bin_ms"), analysis.synchrony)
        return analysis.synchrony(*self._trains(), **self._late(options))

    def psd(self, above_hz: float = 5.0, **options: Any) -> xr.DataArray:
        """Power spectrum of the rate over frequency; ``peak_hz`` among its attributes is where it
        is largest above a frequency, as `neurolab.analysis.peak_of` finds it."""
        import xarray as xr

        found = self.psd_arrays(**options)
        about = {"units": "Hz", "long_name": "power spectrum of the rate, times neurons"}
        return xr.DataArray(
            found.power_hz,
            coords={"frequency": ("frequency", found.frequency_hz, {"units": "Hz"})},
            name="power",
            attrs=about | {"peak_hz": analysis.peak_of(found, above_hz)},
        )

    def psd_arrays(self, **options: Any) -> analysis.Spectrum:
        """`psd` as plain arrays."""
        options["bin_ms"] = self._bin(options.get("bin_ms"), analysis.power_spectrum)
        time, _, n, lasts_ms = self._trains()
        return analysis.power_spectrum(time, n, lasts_ms, **self._late(options))

    @property
    def stimuli(self) -> dict[str, Stimulus]:
        """What each population was given, by its name, ``""`` of the only one; nothing where that
        was not kept: of runs in memory, of points, and before a run has ended."""
        return {}

    @property
    def plot(self) -> Plot:
        """Panels on axes of one's own: ``run.plot.raster(ax, time=(200, 500), neurons=range(50))``;
        `neurolab.plots.panels`."""
        # Pictures stand above results, which do not import them: they are found by their name.
        found: Plot = import_module("neurolab.plots.panels").Plot(self)
        return found

    def to_neo(self) -> Any:
        """A `neo.Block` of one segment: a `neo.SpikeTrain` in ms for each neuron, whose annotations
        are ``neuron`` and ``population``, and a `neo.AnalogSignal` for each trace.

        Raises
        ------
        ImportError
            Without Neo, an extra: ``pip install 'neurolab[neo]'``.
        """
        from neurolab.results.exchange import to_neo

        return to_neo(self)

    def to_pynapple(self) -> dict[str, Any]:
        """``"spikes"`` as a `pynapple.TsGroup` with each neuron's ``population``, and each trace
        by its name as a `pynapple.TsdFrame`; times are in seconds, as everywhere in pynapple.

        Raises
        ------
        ImportError
            Without pynapple, an extra: ``pip install 'neurolab[pynapple]'``.
        """
        from neurolab.results.exchange import to_pynapple

        return to_pynapple(self)

    def to_nwb(self, path: str | Path) -> Path:
        """Write a file of Neurodata Without Borders: neurons as units, with their ``population``,
        and traces as acquired time series, in seconds; returns its path.

        Raises
        ------
        FileExistsError
            There is one of that name.
        ImportError
            Without pynwb, an extra: ``pip install 'neurolab[nwb]'``.
        """
        from neurolab.results.exchange import to_nwb

        return to_nwb(self, path)

    def _bin(self, bin_ms: float | None, by: Callable[..., Any], name: str = "bin_ms") -> float:
        """A width of bins that have as many steps each: with others a rate rises and falls by
        itself.  What is not given is the multiple of dt that is nearest to what ``by`` takes.

        Raises
        ------
        ValueError
            For bins that are no multiple of dt.
        """
        given_ms = signature(by).parameters[name].default if bin_ms is None else bin_ms
        steps = given_ms / self.dt_ms
        if not (0 < steps < np.inf):
            return given_ms  # which the analysis refuses
        whole = max(round(steps), 1)
        if bin_ms is not None and abs(steps - whole) > 1e-6 * steps:
            given = f"{name} must be a multiple of dt = {self.dt_ms:g} ms"
            raise ValueError(f"{given}, got {bin_ms}; {whole * self.dt_ms:g} ms is one.")
        return given_ms if abs(steps - whole) < 1e-12 * steps else whole * self.dt_ms

    def _recorded(self) -> tuple[np.ndarray, np.ndarray]:
        """Times in ms and neurons of all spikes; a `ValueError` where they were not recorded."""
        if self.spike_arrays is None:
            raise ValueError(
                "spikes were not recorded (record.spikes): run it again with record=spikes."
            )
        return self.spike_arrays

    def _trains(self) -> tuple[np.ndarray, np.ndarray, int, float]:
        """What functions of `neurolab.analysis` take."""
        time, neuron = self._recorded()
        if not (firing := self.firing).all():
            neuron = (np.cumsum(firing) - 1)[neuron]
        return time, neuron, int(firing.sum()), self.duration_ms


def _rate(centre_ms: np.ndarray, hz: np.ndarray, bin_ms: float) -> xr.DataArray:
    import xarray as xr

    return xr.DataArray(
        hz,
        coords={"time": ("time", centre_ms, {"units": "ms"})},
        name="rate",
        attrs={"units": "Hz", "long_name": "population rate", "bin_ms": bin_ms},
    )
