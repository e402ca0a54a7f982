"""The population rate as it is shown: one choice of its form for pictures and pages.

Spikes of one neuron, or of several that spike together, are shown as 1/ISI: in bins the edges of
these would show, not the rate. Of others bins are shown, none narrower than holds ten spikes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from neurolab.analysis import instantaneous_rate, population_rate
from neurolab.numbers import number
from neurolab.results.run import Run
from neurolab.results.trains import Trains

_FEW = 3  # different spike trains: of more, bins say what their spikes have in common
_LEAST = 10  # spikes in a bin
ACROSS = 300  # bins of a picture at most
_MOST = 20_000  # values at most: a zoom shows what a picture of all does not


@dataclass(frozen=True, eq=False)
class Rate:
    """A population rate in Hz, constant between edges in ms.

    ``bin_ms`` is the width of its bins, the last of which may be narrower; None for 1/ISI.
    ``least_ms`` is the width of the narrowest that may be shown.
    """

    edges: np.ndarray
    hz: np.ndarray
    bin_ms: float | None = None
    least_ms: float = 0.0

    @property
    def said(self) -> str:
        """What the rate is, in few words."""
        return "1/ISI" if self.bin_ms is None else f"{number(self.bin_ms, 3)} ms bins"

    @property
    def mean(self) -> float:
        """Over time."""
        return float(np.average(self.hz, weights=np.diff(self.edges)))

    def legible(self) -> Rate:
        """In as many bins as a picture of the whole shows."""
        if self.bin_ms is None:
            return self
        whole = float(self.edges[-1] - self.edges[0])
        return self.grouped(min(_nice(max(self.least_ms, whole / ACROSS)), whole))

    def grouped(self, bin_ms: float) -> Rate:
        """Neighbouring bins averaged to about this width."""
        if self.bin_ms is None:
            return self
        group = max(1, round(bin_ms / self.bin_ms))
        starts, widths = np.arange(0, self.hz.size, group), np.diff(self.edges)
        sums = np.add.reduceat(self.hz * widths, starts)
        edges = np.append(self.edges[starts], self.edges[-1])
        return replace(self, edges=edges, hz=sums / np.diff(edges), bin_ms=self.bin_ms * group)


def rates_of(run: Run, spikes: bool = True) -> dict[str, Rate]:
    """The rate of each population of a network that can fire by its name, all of them in the form
    that suits their mean; of one population alone by an empty name."""
    whole = rate_of(run, spikes)
    if whole is None or not run.populations:
        return {} if whole is None else {"": whole}
    names = [name for name in run.populations if name not in run.silent]
    found = {name: rate_of(run[name], spikes, whole) for name in names}
    return {name: rate for name, rate in found.items() if rate is not None}


def rate_of(run: Trains, spikes: bool = True, like: Rate | None = None) -> Rate | None:
    """The rate of a run or a population; None where neither spikes nor a rate were recorded.

    Parameters
    ----------
    spikes
        Whether to count the spikes, where they were recorded, rather than to take the bins that
        were.
    like
        The rate whose form is taken; None for that which suits this one.
    """
    bins = run.rate_bins
    if (spikes or bins is None) and run.spike_arrays is not None and run.recorded_ms:
        return _from_spikes(*run.spike_arrays, run, like)
    if bins is None or not bins[0].size:
        return None
    hz, bin_ms = bins
    edges = run.start_ms + np.arange(hz.size + 1) * bin_ms
    per_ms = float(hz.mean() * run.firing.sum()) * 1e-3
    least = like.least_ms if like else _LEAST / per_ms if per_ms else 0.0
    found = Rate(edges, hz, bin_ms, least)
    return found.grouped(bin_ms * -(-hz.size // _MOST))


def _from_spikes(time_ms: np.ndarray, neuron: np.ndarray, run: Trains, like: Rate | None) -> Rate:
    lasts_ms, time_ms = run.recorded_ms, time_ms - run.start_ms
    if like.bin_ms is None if like else _few(time_ms, neuron):
        edges, hz = instantaneous_rate(time_ms, neuron, run.n_neurons, lasts_ms)
        return Rate(run.start_ms + edges, hz)
    n_steps = run.committed_steps - run.start_step
    steps = max(1, -(-n_steps // _MOST))
    bin_ms, last = steps * run.dt_ms, n_steps % steps
    hz = population_rate(time_ms, run.n_neurons, lasts_ms, min(bin_ms, lasts_ms))[1]
    edges = np.arange(hz.size + 1) * bin_ms
    if last:  # fewer steps than the others
        rest = np.count_nonzero(time_ms > edges[-1] + 0.5 * run.dt_ms)
        hz = np.append(hz, rest / (run.n_neurons * last * run.dt_ms * 1e-3))
        edges = np.append(edges, lasts_ms)
    least = _LEAST * lasts_ms / time_ms.size if time_ms.size else 0.0
    return Rate(run.start_ms + edges, hz, bin_ms, like.least_ms if like else least)


def _few(time_ms: np.ndarray, neuron: np.ndarray) -> bool:
    """Whether there are few different spike trains, with intervals."""
    active = np.unique(neuron, return_counts=True)[1]
    times = np.unique(time_ms).size
    return bool(times and times <= min(_FEW * active.mean(), _MOST) and active.min() >= 2)


def smooth(y: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian average, weighted anew at the edges so that a constant stays constant."""
    reach = min(math.ceil(4 * sigma), y.size - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    inside = slice(reach, reach + y.size)
    smooth: np.ndarray = (
        np.convolve(y, kernel)[inside] / np.convolve(np.ones(y.size), kernel)[inside]
    )
    return smooth


def _nice(value: float) -> float:
    """The nearest of 1, 2, 5, 10, 20, 50, ... at or above a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9)))
