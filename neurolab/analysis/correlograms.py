r"""Correlograms: when neurons fire around the spikes of one, by the lag.

Spikes are counted in bins, and a lag is one between bins, as of Elephant: at a lag of k bins are
delays between k - 1 and k + 1 bins, the nearer to k the more of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neurolab.analysis.trains import bins, by_neuron, check, since

#: Bins that are transformed together, at least: long recordings need no more memory than this.
_BLOCK = 2**16


class Correlogram(NamedTuple):
    """What `correlogram` returns, at each lag from the lowest to the highest.

    lag_ms: of the second spike after the first, from ``-lag_ms`` to ``lag_ms``.
    rate_hz: of a neuron, given a spike of another, or of itself, so long before.
    counts: pairs of spikes, summed over pairs of neurons.
    independent_hz: what the rate is at all lags where spikes know nothing of each other.
    """

    lag_ms: np.ndarray
    rate_hz: np.ndarray
    counts: np.ndarray
    independent_hz: float


def correlogram(
    spike_time_ms: np.ndarray,
    spike_neuron: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    *,
    other: tuple[np.ndarray, np.ndarray, int] | None = None,
    across: bool = False,
    lag_ms: float = 50.0,
    bin_ms: float = 1.0,
    begin_ms: float = 0.0,
) -> Correlogram:
    r"""The rate of neurons given a spike of a neuron, by the lag after it.

    .. math:: \lambda(\ell) = \frac{\sum_{ij} \sum_b n_i(b)\, m_j(b + \ell)}
        {\Delta\, M \sum_i \sum_b n_i(b)}

    of :math:`n_i(b)`, the spikes of neuron i in bin b of width :math:`\Delta`, and :math:`m_j`
    those of M others; the sum over b is over the bins from which the lag is within the recording,
    so that there is no triangle (Perkel, Gerstein & Moore 1967, Biophys. J. 7:391 and 419). Three
    kinds of pairs:

    - each neuron with itself, M = 1: autocorrelograms, in which a spike is not its own partner;
    - ``across``: each with each other one, M = n - 1;
    - ``other``: each with each of another set, such as another population.

    Populations are correlated as a whole, by Fourier transform: their time goes with the number of
    bins, not of pairs.

    Args:
        spike_time_ms, spike_neuron: one entry per spike, in any order.
        n_neurons: neurons recorded, silent ones included.
        duration_ms: how long was recorded.
        other: times and neurons of the spikes of other neurons, and how many these are.
        across: pairs of different neurons, instead of each with itself.
        lag_ms: the longest lag, in whole bins.
        bin_ms: width of a bin; a last one that is not whole is left out.
        begin_ms: what was until then is left out.

    Returns:
        Lags, rates and counts; NaN for a rate that is given by no spike.

    Raises:
        ValueError: sizes, times or neuron indices do not fit, the longest lag is shorter than a bin
            or no shorter than the recording, or there are no pairs of different neurons.
    """
    check(spike_time_ms, spike_neuron, n_neurons)
    lasts_ms, time, neuron = since(begin_ms, duration_ms, spike_time_ms, spike_neuron)
    n_bins, index, inside = bins(time, lasts_ms, bin_ms)
    index, neuron = index[inside], neuron[inside]
    far = int(np.floor(lag_ms / bin_ms + 1e-6))
    if not 1 <= far < n_bins:
        told = f"lag_ms must be from bin_ms = {bin_ms} to below {lasts_ms:g} ms"
        raise ValueError(f"{told}, got {lag_ms}.")
    if across and (other is not None or n_neurons < 2):
        why = "those of another set are" if other is not None else f"of {n_neurons} there are none"
        raise ValueError(f"across is for pairs of different neurons among these: {why}.")
    first = np.bincount(index, minlength=n_bins)
    own = np.bincount(neuron, minlength=n_neurons).astype(float)
    partners: float
    if other is not None:
        counts, partners, chance = _with_other(first, other, duration_ms, begin_ms, bin_ms, far)
    elif across:
        counts = _together(first, first, far) - _alone(index, neuron, n_neurons, far)
        counts[far] -= index.size  # each with itself
        partners, chance = n_neurons - 1, float((own * (own.sum() - own)).sum())
    else:
        counts = _alone(index, neuron, n_neurons, far)
        partners, chance = 1, float((own * (own - 1)).sum())
    sums, lags = np.concatenate([[0], np.cumsum(first)]), np.arange(-far, far + 1)
    given = sums[n_bins - np.maximum(lags, 0)] - sums[np.maximum(-lags, 0)]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate_hz = counts / (given * partners * bin_ms * 1e-3)
        independent = np.float64(chance) / (own.sum() * partners * n_bins * bin_ms * 1e-3)
    return Correlogram(lags * bin_ms, rate_hz, counts, float(independent))


def _with_other(
    first: np.ndarray, other: Any, duration_ms: float, begin_ms: float, bin_ms: float, far: int
) -> tuple[np.ndarray, int, float]:
    """Counts of pairs with another set, how many neurons it has, and pairs at all lags."""
    time, neuron, n_others = other
    check(time, neuron, n_others)
    lasts_ms, time = since(begin_ms, duration_ms, time)
    n_bins, index, inside = bins(time, lasts_ms, bin_ms)
    second = np.bincount(index[inside], minlength=n_bins)
    return _together(first, second, far), n_others, float(first.sum()) * float(second.sum())


def _together(first: np.ndarray, second: np.ndarray, far: int) -> np.ndarray:
    """Sums of first(b) * second(b + lag) over b, for lags from -far to far."""
    block = min(max(_BLOCK, 4 * far), first.size)
    length = _smooth(block + 2 * far)
    around = np.pad(second.astype(float), (far, far + block))
    total: Any = 0.0
    for begin in range(0, first.size, block):
        part = np.fft.rfft(first[begin : begin + block].astype(float), length)
        total = total + part.conj() * np.fft.rfft(around[begin : begin + block + 2 * far], length)
    found: np.ndarray = np.rint(np.fft.irfft(total, length)[: 2 * far + 1]).astype(np.int64)
    return found


def _smooth(n: int) -> int:
    """The least number from n on that is even and has no prime factor above 5: transforms of such
    lengths are fast."""
    powers = (2**i * 3**j * 5**k for i in range(1, n.bit_length() + 1) for j in range(21)
              for k in range(15) if 2**i * 3**j * 5**k >= n)  # fmt: skip
    return min(powers)


def _alone(index: np.ndarray, neuron: np.ndarray, n_neurons: int, far: int) -> np.ndarray:
    """How often two spikes of one neuron have each lag in bins, from -far to far."""
    order = np.argsort(index, kind="stable")
    index, neuron = index[order], neuron[order]
    order = by_neuron(neuron, n_neurons)
    # Neurons after one another, farther apart than any lag.
    place = index[order] + neuron[order].astype(np.int64) * (index.max(initial=0) + far + 1)
    after = np.zeros(far + 1, np.int64)
    left, ahead = np.arange(place.size), 0
    while left.size:  # as often as a neuron has spikes within the longest lag
        ahead += 1
        left = left[: np.searchsorted(left, place.size - ahead)]
        lag = place[left + ahead] - place[left]
        near = lag <= far
        after += np.bincount(lag[near], minlength=far + 1)
        left = left[near]
    after[0] *= 2  # each of the two is the first
    return np.concatenate([after[:0:-1], after])
