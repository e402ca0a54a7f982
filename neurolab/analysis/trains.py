"""Rates and inter-spike intervals (ISIs) of neurons, from all their spikes at once.

The coefficient of variation of a neuron's ISIs, CV = std(ISI) / mean(ISI) (population standard
deviation), is 0 for a clock and 1 for a Poisson process; it is averaged over the neurons with at
least three spikes, since two spikes make one interval, which has no spread.
"""

from __future__ import annotations

import math
from typing import Any, TypedDict

import numpy as np

MIN_SPIKES_FOR_CV = 3


class SpikeSummary(TypedDict):
    """What `spike_statistics` returns.

    spike_count: spikes of all neurons.
    rate_hz_mean, rate_hz_std: over all neurons, of each neuron's rate (silent ones included).
    isi_cv_mean: over the neurons with three spikes or more; None when there is none.
    """

    spike_count: int
    rate_hz_mean: float
    rate_hz_std: float
    isi_cv_mean: float | None


def spike_statistics(
    spike_time_ms: np.ndarray,
    spike_neuron: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    *,
    begin_ms: float = 0.0,
) -> SpikeSummary:
    """Rates and ISI variability of a recording.

    Args:
        spike_time_ms, spike_neuron: one entry per spike, in any order.
        n_neurons: neurons recorded, silent ones included.
        duration_ms: how long was recorded.
        begin_ms: what was until then is left out.

    Raises:
        ValueError: sizes or neuron indices do not fit, or `duration_ms` is not positive.
    """
    check(spike_time_ms, spike_neuron, n_neurons)
    duration_ms, spike_time_ms, spike_neuron = since(
        begin_ms, duration_ms, spike_time_ms, spike_neuron
    )
    intervals, neuron, _ = intervals_of(spike_time_ms, spike_neuron, n_neurons)
    count = np.bincount(spike_neuron, minlength=n_neurons)
    _, mean, variance = _moments(intervals, neuron, n_neurons)
    return summary_of(count, mean, variance, duration_ms)


def isi(
    spike_time_ms: np.ndarray,
    spike_neuron: np.ndarray,
    n_neurons: int | None = None,
    *,
    begin_ms: float = 0.0,
) -> np.ndarray:
    """All inter-spike intervals in ms, neuron after neuron, each neuron's in order of time; of
    spikes after ``begin_ms``."""
    if n_neurons is None:
        n_neurons = int(spike_neuron.max()) + 1 if spike_neuron.size else 1
    check(spike_time_ms, spike_neuron, n_neurons)
    _, spike_time_ms, spike_neuron = since(begin_ms, np.inf, spike_time_ms, spike_neuron)
    return intervals_of(spike_time_ms, spike_neuron, n_neurons)[0]


def cv(
    spike_time_ms: np.ndarray, spike_neuron: np.ndarray, n_neurons: int, *, begin_ms: float = 0.0
) -> np.ndarray:
    """Coefficient of variation of each neuron's ISIs, of spikes after ``begin_ms``; NaN with fewer
    than three spikes."""
    check(spike_time_ms, spike_neuron, n_neurons)
    _, time_ms, spike_neuron = since(begin_ms, np.inf, spike_time_ms, spike_neuron)
    intervals, neuron, _ = intervals_of(time_ms, spike_neuron, n_neurons)
    count, mean, variance = _moments(intervals, neuron, n_neurons)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.sqrt(variance) / mean
    return np.where(count + 1 >= MIN_SPIKES_FOR_CV, found, np.nan)


def population_rate(
    spike_time_ms: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    bin_ms: float,
    *,
    begin_ms: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean rate of the population in each complete bin from ``begin_ms`` on.

    Bin b holds the spikes with b * bin_ms < t - begin_ms <= (b + 1) * bin_ms: closed at the end
    because a spike is stamped with the end of its step.

    Returns:
        Bin centres in ms, and rates in Hz.

    Raises:
        ValueError: `bin_ms` is not positive or longer than the recording, or no neurons.
    """
    if n_neurons < 1:
        raise ValueError(f"n_neurons must be at least 1, got {n_neurons}.")
    lasts_ms, time_ms = since(begin_ms, duration_ms, np.asarray(spike_time_ms))
    n_bins, index, inside = bins(time_ms, lasts_ms, bin_ms)
    counts = np.bincount(index[inside], minlength=n_bins)
    return begin_ms + (np.arange(n_bins) + 0.5) * bin_ms, counts / (n_neurons * bin_ms * 1e-3)


def instantaneous_rate(
    spike_time_ms: np.ndarray, spike_neuron: np.ndarray, n_neurons: int, duration_ms: float
) -> tuple[np.ndarray, np.ndarray]:
    r"""Mean over neurons of 1/ISI, :math:`r(t) = \frac{1}{N} \sum_i 1 / I_i(t)`.

    :math:`I_i(t)` is the interval of neuron i that t lies in. Before its first spike and after its
    last one, the first and the last interval hold for their own length; beyond, the rate is 0.

    Returns:
        Edges in ms from 0 to the duration, and the rate in Hz between them.

    Raises:
        ValueError: sizes or neuron indices do not fit.
    """
    check(spike_time_ms, spike_neuron, n_neurons)
    interval, neuron, end = intervals_of(spike_time_ms, spike_neuron, n_neurons)
    new = np.diff(neuron.astype(np.int64), prepend=-1, append=n_neurons) != 0
    first, last = new[:-1], new[1:]
    start = end - interval * np.where(first, 2, 1)
    end = end + interval * last
    edges, at = np.unique(
        np.concatenate([[0.0, duration_ms], start, end]).clip(0.0, duration_ms),
        return_inverse=True,
    )
    steps = np.concatenate([[0.0, 0.0], 1e3 / interval, -1e3 / interval])
    rate = np.cumsum(np.bincount(at, weights=steps))[:-1] / n_neurons
    return edges, np.where(rate > 1e-9 * np.max(rate, initial=0.0), rate, 0.0)


def interval_histogram(
    intervals_ms: np.ndarray, dt_ms: float, end_ms: float, most: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """Counts of intervals up to ``end_ms`` in at most so many bins.

    Intervals are whole steps: so are the bins, from half a step on, and each can hold as many
    different intervals as any other.

    Returns:
        Edges in ms, and counts.
    """
    steps = np.rint(np.asarray(intervals_ms) / dt_ms).astype(np.int64)
    last = max(1, math.ceil(end_ms / dt_ms - 1e-6))
    width = -(-last // most)
    n_bins = -(-last // width)
    counts = np.bincount((steps[steps > 0] - 1) // width, minlength=n_bins)[:n_bins]
    return (0.5 + width * np.arange(n_bins + 1)) * dt_ms, counts


def bins(
    time_ms: np.ndarray, duration_ms: float, bin_ms: float
) -> tuple[int, np.ndarray, np.ndarray]:
    """The number of complete bins, the bin of each spike, and which spikes are in one of these.

    Raises:
        ValueError: `bin_ms` is not positive or longer than the recording.
    """
    if not 0 < bin_ms <= duration_ms * (1 + 1e-9):
        raise ValueError(f"bin_ms must be between 0 and the duration {duration_ms}, got {bin_ms}.")
    # A time on a bin's edge, such as 3 * 0.1, may be off by rounding: the margin is far below dt.
    index = np.ceil(time_ms / bin_ms - 1e-6).astype(np.int64) - 1
    n_bins = math.floor(duration_ms / bin_ms + 1e-6)
    return n_bins, index, (index >= 0) & (index < n_bins)


def since(begin_ms: float, duration_ms: float, time_ms: np.ndarray, *others: np.ndarray) -> Any:
    """How long is left after a beginning, the spikes' times from there on, and their ``others``.

    Raises:
        ValueError: nothing is left.
    """
    if begin_ms == 0:
        return duration_ms, time_ms, *others
    if not 0 < begin_ms < duration_ms:
        raise ValueError(
            f"begin_ms must be at least 0 and before the end, {duration_ms} ms, got {begin_ms}."
        )
    after = time_ms > begin_ms + 1e-6  # ms; a spike at it is of the step that ends there
    return duration_ms - begin_ms, time_ms[after] - begin_ms, *(other[after] for other in others)


def summary_of(
    count: np.ndarray, mean: np.ndarray, variance: np.ndarray, duration_ms: float
) -> SpikeSummary:
    """The statistics of neurons, of their numbers of spikes, and mean and variance of their ISIs.

    Raises:
        ValueError: `duration_ms` is not positive.
    """
    if not duration_ms > 0:
        raise ValueError(f"duration_ms must be positive, got {duration_ms}.")
    rate_hz = count / (duration_ms * 1e-3)
    enough = (count >= MIN_SPIKES_FOR_CV) & (mean > 0)
    cv = np.sqrt(np.maximum(variance[enough], 0.0)) / mean[enough]
    return {
        "spike_count": int(count.sum()),
        "rate_hz_mean": float(rate_hz.mean()),
        # Of counts, which are exact: the s.d. of equal ones is 0, not 1e-14.
        "rate_hz_std": float(count.std() / (duration_ms * 1e-3)),
        "isi_cv_mean": float(cv.mean()) if cv.size else None,
    }


def intervals_of(
    time_ms: np.ndarray, neuron: np.ndarray, n_neurons: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every ISI in ms, the neuron it belongs to and when it ends, sorted by neuron, then time."""
    if np.any(time_ms[1:] < time_ms[:-1]):
        by_time = np.argsort(time_ms, kind="stable")
        time_ms, neuron = time_ms[by_time], neuron[by_time]
    order = by_neuron(neuron, n_neurons)
    time_ms, neuron = np.asarray(time_ms, np.float64)[order], neuron[order]
    same = neuron[1:] == neuron[:-1]
    return np.diff(time_ms)[same], neuron[1:][same], time_ms[1:][same]


def _moments(
    intervals: np.ndarray, neuron: np.ndarray, n_neurons: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number, mean and variance of each neuron's intervals; 0 where there are none."""
    count = np.bincount(neuron, minlength=n_neurons)
    n = np.maximum(count, 1)
    mean = np.bincount(neuron, weights=intervals, minlength=n_neurons) / n
    deviation = intervals - mean[neuron]
    return count, mean, np.bincount(neuron, weights=deviation**2, minlength=n_neurons) / n


def by_neuron(neuron: np.ndarray, n_neurons: int) -> np.ndarray:
    """The stable order by neuron; as 16-bit keys NumPy sorts by radix, ten times faster."""
    key = neuron.astype(np.uint16) if n_neurons <= 2**16 else neuron
    return np.argsort(key, kind="stable")


def check(time: np.ndarray, neuron: np.ndarray, n_neurons: int) -> None:
    """That sizes and indices fit; else a ValueError."""
    if n_neurons < 1:
        raise ValueError(f"n_neurons must be at least 1, got {n_neurons}.")
    if time.ndim != 1 or time.shape != neuron.shape:
        raise ValueError(
            "spike times and neurons must be flat and of equal length, got shapes "
            f"{time.shape} and {neuron.shape}."
        )
    if neuron.dtype.kind not in "iu":
        raise ValueError(f"neuron indices must be integers, got {neuron.dtype}.")
    if neuron.size and (neuron.min() < 0 or neuron.max() >= n_neurons):
        raise ValueError(
            f"neuron indices must be 0 to {n_neurons - 1}, got {neuron.min()} to {neuron.max()}."
        )
