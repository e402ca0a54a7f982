"""Irregularity, correlograms, locking and averages around spikes, as methods of what has spikes.

run["E"].lv(), run["E"].correlogram(run["I"]), run.sta("V", before_ms=20)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab import analysis

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Patterns"]


class Patterns(ABC):
    """Statistics that `neurolab.results.trains.Trains` has beside those of rate and interval.

    Those of each neuron are over all neurons in their order, NaN where too little is known.
    """

    @property
    @abstractmethod
    def n_neurons(self) -> int:
        """How many neurons, silent ones included."""

    @property
    @abstractmethod
    def traces(self) -> xr.Dataset:
        """Recorded variables over (time in ms, neuron)."""

    @property
    @abstractmethod
    def attributes(self) -> dict[str, Any]:
        """What the writer said about the recording."""

    @property
    @abstractmethod
    def committed_steps(self) -> int:
        """Steps whose results are here."""

    @property
    def dt_ms(self) -> float:
        """Length of a step."""
        return float(self.attributes["dt_ms"])

    @property
    def duration_ms(self) -> float:
        """Time that the committed steps cover."""
        return self.committed_steps * self.dt_ms

    @property
    def start_step(self) -> int:
        """The first step of which anything was kept (``record.start``)."""
        return int(self.attributes.get("start_step", 0))

    @property
    def start_ms(self) -> float:
        """From when on anything was kept: rates and statistics are over the time from there on."""
        return self.start_step * self.dt_ms

    @property
    def recorded_ms(self) -> float:
        """How long was recorded: what rates are over."""
        return max(self.duration_ms - self.start_ms, 0.0)

    @abstractmethod
    def _bin(self, bin_ms: float | None, by: Callable[..., Any], name: str = "bin_ms") -> float: ...

    @abstractmethod
    def _recorded(self) -> tuple[np.ndarray, np.ndarray]: ...

    @abstractmethod
    def _trains(self) -> tuple[np.ndarray, np.ndarray, int, float]: ...

    def _late(self, options: dict[str, Any]) -> dict[str, Any]:
        """Options of an analysis, of the time of which anything was kept."""
        return options | {"begin_ms": max(options.get("begin_ms", 0.0), self.start_ms)}

    def rates(self, **options: Any) -> np.ndarray:
        """The rate of each neuron in Hz."""
        of = (*self._recorded(), self.n_neurons, self.duration_ms)
        return analysis.rates(*of, **self._late(options))

    def fano_factor(self, window_ms: float | None = None, **options: Any) -> np.ndarray:
        """Variance over mean of the spike counts of each neuron, in windows of whole steps."""
        options["window_ms"] = self._bin(window_ms, analysis.fano_factor, "window_ms")
        of = (*self._recorded(), self.n_neurons, self.duration_ms)
        return analysis.fano_factor(*of, **self._late(options))

    def lv(self, **options: Any) -> np.ndarray:
        """Local variation of the intervals of each neuron, NaN with fewer than three spikes."""
        return analysis.lv(*self._recorded(), self.n_neurons, **options)

    def cv2(self, **options: Any) -> np.ndarray:
        """CV2 of the intervals of each neuron, NaN with fewer than three spikes."""
        return analysis.cv2(*self._recorded(), self.n_neurons, **options)

    def adaptation_index(self, **options: Any) -> np.ndarray:
        """How the intervals of each neuron become longer, NaN with fewer than three spikes."""
        return analysis.adaptation_index(*self._recorded(), self.n_neurons, **options)

    def correlogram(self, other: Patterns | None = None, **options: Any) -> xr.Dataset:
        """`rate` in Hz given a spike, and `counts` of pairs of spikes, over the lag in ms: of each
        neuron with itself, of pairs of these (``across=True``), or with those of ``other``, a
        population of the same run. ``independent_hz``, among its attributes, is the rate without
        correlation.

        Raises:
            ValueError: as `neurolab.analysis.correlogram`, or the other's time is another.
        """
        import xarray as xr

        options["bin_ms"] = self._bin(options.get("bin_ms"), analysis.correlogram)
        found = self.correlogram_arrays(other, **options)
        about = {"units": "Hz", "long_name": "rate given a spike"}
        return xr.Dataset(
            {"rate": ("lag", found.rate_hz, about), "counts": ("lag", found.counts)},
            coords={"lag": ("lag", found.lag_ms, {"units": "ms"})},
            attrs={"bin_ms": options["bin_ms"], "independent_hz": found.independent_hz},
        )

    def correlogram_arrays(
        self, other: Patterns | None = None, **options: Any
    ) -> analysis.Correlogram:
        """`correlogram` as plain arrays."""
        options["bin_ms"] = self._bin(options.get("bin_ms"), analysis.correlogram)
        if other is not None:
            if (other.dt_ms, other.duration_ms) != (self.dt_ms, self.duration_ms):
                own, given = (f"{x.duration_ms:g} ms of {x.dt_ms:g} ms" for x in (self, other))
                raise ValueError(f"both must have the same steps: {own}; got {given}.")
            options["other"] = other._trains()[:3]
        return analysis.correlogram(*self._trains(), **self._late(options))

    def vector_strength(self, frequency_hz: float, **options: Any) -> analysis.Locking:
        """How the spikes of each neuron, or of all (``pooled=True``), are locked to a frequency."""
        return analysis.vector_strength(*self._recorded(), self.n_neurons, frequency_hz, **options)

    def phase_histogram(self, frequency_hz: float, **options: Any) -> xr.DataArray:
        """Rate in Hz over the phase of a frequency, in cycles."""
        import xarray as xr

        options, (time, _, n, lasts_ms) = self._late(options), self._trains()
        phase, hz = analysis.phase_histogram(time, n, lasts_ms, frequency_hz, self.dt_ms, **options)
        return xr.DataArray(
            hz,
            coords={"phase": ("phase", phase, {"units": "cycles"})},
            name="rate",
            attrs={"units": "Hz", "long_name": "rate", "frequency_hz": frequency_hz},
        )

    def sta(
        self,
        name: str = "V",
        *,
        neurons: Sequence[int] | None = None,
        spikes: Patterns | None = None,
        begin_ms: float = 0.0,
        **options: Any,
    ) -> xr.Dataset:
        """`mean` and `sem` of a recorded variable around spikes, over the lag in ms; ``n_spikes``,
        among its attributes, is how many are in it.

        Each recorded neuron (or those of ``neurons``) is looked at around its own spikes, or around
        all ``spikes`` of another population. ``before_ms`` and ``after_ms`` are those of
        `neurolab.analysis.spike_triggered_average`.

        Raises:
            KeyError: the variable was not recorded; it says what was.
            ValueError: spikes were not recorded, nor such a neuron, or the window is too long.
        """
        import xarray as xr

        if name not in self.traces:
            there = ", ".join(map(str, self.traces.data_vars)) or "none: record.variables=[V]"
            raise KeyError(f"no recorded variable {name!r}; there are: {there}")
        data = self.traces[name]
        known = data[data.dims[1]].values
        chosen = known if neurons is None else np.asarray(neurons, known.dtype).reshape(-1)
        if not (chosen.size and np.isin(chosen, known).all()):
            missing = f"neuron {chosen[~np.isin(chosen, known)][0]}" if chosen.size else "no neuron"
            there = f"{known[:8].tolist()}{'..' * (known.size > 8)}"
            raise ValueError(f"{name} of {missing} was not recorded; of {there} it was")
        order, sampled = np.argsort(known), data[data.dims[0]].values
        values = data.values[:, order[np.searchsorted(known, chosen, sorter=order)]]
        time, neuron = (self if spikes is None else spikes)._recorded()
        late = time > begin_ms + 1e-6  # ms; a spike at it is of the step that ends there
        if spikes is None:
            column = np.full(self.n_neurons, -1)
            column[chosen] = np.arange(chosen.size)
            late &= column[neuron] >= 0
            time, column = time[late], column[neuron[late]]
        else:
            time, column = time[late], np.zeros(np.count_nonzero(late), np.int64)
            values = values.mean(axis=1, keepdims=True)
        found = analysis.spike_triggered_average(time, column, sampled, values, **options)
        about = {"units": data.attrs.get("units", "")}
        return xr.Dataset(
            {"mean": ("lag", found.mean, about), "sem": ("lag", found.sem, about)},
            coords={"lag": ("lag", found.lag_ms, {"units": "ms"})},
            attrs={"n_spikes": found.n_spikes},
        )
