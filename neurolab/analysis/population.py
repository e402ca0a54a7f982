r"""What the neurons of a population have in common: correlation, synchrony, spectrum.

Of :math:`n_i(b)`, the spikes of neuron i in bin b, and their sum over neurons :math:`n(b)`. Where
neurons are chosen, they are so at random, and by a seed the same ones each time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neurolab.analysis.trains import bins, check, population_rate, since


class Correlation(NamedTuple):
    """What `pairwise_correlation` returns.

    mean: over the pairs; NaN where there is none.
    values: of each pair i < j of ``neurons``, in this order.
    neurons: those of the chosen ones whose count varies.
    silent: how many of the chosen ones have no spike, or equally many in all bins, and thus no
        correlation; none of their pairs is among the values.
    """

    mean: float
    values: np.ndarray
    neurons: np.ndarray
    silent: int


class Spectrum(NamedTuple):
    """What `power_spectrum` returns: frequencies in Hz from 0 on, and power in Hz."""

    frequency_hz: np.ndarray
    power_hz: np.ndarray


def pairwise_correlation(
    spike_time_ms: np.ndarray,
    spike_neuron: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    *,
    bin_ms: float = 2.0,
    most: int | None = 250,
    seed: int = 0,
    begin_ms: float = 0.0,
) -> Correlation:
    r"""Pearson's correlation of the spike counts of pairs of neurons.

    .. math:: \rho_{ij} = \frac{\langle n_i n_j \rangle - \langle n_i \rangle \langle n_j \rangle}
        {\sigma_i \sigma_j}

    over bins. Of independent neurons it is 0 with a standard error of
    :math:`1 / \sqrt{\text{bins}}`. The defaults are those of Dasbach et al. 2021 (Front.
    Neuroinform. 15:609147): bins of 2 ms, 250 neurons of a population.

    Args:
        spike_time_ms, spike_neuron: one entry per spike, in any order.
        n_neurons: neurons recorded, silent ones included.
        duration_ms: how long was recorded.
        bin_ms: width of a bin; a last one that is not whole is left out.
        most: neurons chosen at most, silent ones among them; None for all.
        seed: by which they are.
        begin_ms: what was until then is left out.

    Raises:
        ValueError: sizes, times or neuron indices do not fit.
    """
    from scipy.sparse import csr_array

    check(spike_time_ms, spike_neuron, n_neurons)
    lasts_ms, time_ms, neuron = since(begin_ms, duration_ms, spike_time_ms, spike_neuron)
    n_bins, bin_of, inside = bins(time_ms, lasts_ms, bin_ms)
    chosen, place = _chosen(n_neurons, most, seed)
    inside &= place[neuron] >= 0
    row, column = place[neuron[inside]], bin_of[inside]
    # Whole numbers, whose sums are exact: a train that is constant has no variance, not 1e-17.
    counts = csr_array((np.ones(row.size, np.int64), (row, column)), (chosen.size, n_bins))
    total = counts.sum(axis=1)
    covariance = n_bins * (counts @ counts.T).toarray() - np.outer(total, total)
    varies = np.diag(covariance) > 0
    covariance = covariance[np.ix_(varies, varies)]
    sd = np.sqrt(np.diag(covariance))
    values = (covariance / np.outer(sd, sd))[np.triu_indices(sd.size, 1)]
    mean = float(values.mean()) if values.size else float("nan")
    return Correlation(mean, values, chosen[varies], int(chosen.size - sd.size))


def synchrony(
    spike_time_ms: np.ndarray,
    spike_neuron: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    *,
    bin_ms: float = 3.0,
    most: int | None = 1000,
    seed: int = 0,
    begin_ms: float = 0.0,
) -> float:
    r"""Variance over mean of the spike counts of a population, :math:`\mathrm{var}\,n / \langle n
    \rangle`; NaN without spikes.

    1 for independent Poisson processes, above for neurons that fire together, in proportion to how
    many they are: to compare populations equally many are chosen. The defaults are those of
    Potjans & Diesmann 2014 (Cereb. Cortex 24:785): bins of 3 ms, 1000 neurons.

    Arguments and errors are those of `pairwise_correlation`.
    """
    check(spike_time_ms, spike_neuron, n_neurons)
    lasts_ms, time_ms, neuron = since(begin_ms, duration_ms, spike_time_ms, spike_neuron)
    n_bins, bin_of, inside = bins(time_ms, lasts_ms, bin_ms)
    inside &= _chosen(n_neurons, most, seed)[1][neuron] >= 0
    counts = np.bincount(bin_of[inside], minlength=n_bins)
    return float(counts.var() / counts.mean()) if counts.any() else float("nan")


def power_spectrum(
    spike_time_ms: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    *,
    bin_ms: float = 1.0,
    segment_ms: float = 500.0,
    begin_ms: float = 0.0,
) -> Spectrum:
    r"""Power spectrum of the population rate r(t), multiplied by the number of neurons.

    .. math:: S(f) = \frac{N}{T} \left| \int_0^T (r(t) - \bar r)\, e^{-2\pi i f t} dt \right|^2

    so that independent Poisson processes have their rate at each frequency, and neurons that fire
    together more. By Welch's method (IEEE Trans. Audio Electroacoust. 15:70, 1967): the mean over
    Hann windows that overlap by half.

    Args:
        spike_time_ms: of all neurons, in any order.
        n_neurons: neurons recorded, silent ones included.
        duration_ms: how long was recorded.
        bin_ms: of the rate: 1 ms is for up to 500 Hz.
        segment_ms: length of a window: 500 ms tells frequencies 2 Hz apart; what was recorded, if
            that is shorter.
        begin_ms: what was until then is left out.

    Raises:
        ValueError: as `population_rate`, or a segment is not longer than a bin.
    """
    rate = population_rate(spike_time_ms, n_neurons, duration_ms, bin_ms, begin_ms=begin_ms)[1]
    width = min(round(segment_ms / bin_ms), rate.size)
    if width < 2:
        given = f"{segment_ms} ms with bins of {bin_ms} ms, of {rate.size} bins"
        raise ValueError(f"segment_ms must have two bins at least, got {given}.")
    power = np.zeros(width // 2 + 1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)  # Hann's, periodic
    starts = range(0, rate.size - width + 1, width - width // 2)
    for start in starts:
        segment = rate[start : start + width]
        power += np.abs(np.fft.rfft(window * (segment - segment.mean()))) ** 2
    power *= bin_ms * 1e-3 / (len(starts) * np.sum(window**2))
    return Spectrum(np.fft.rfftfreq(width, bin_ms * 1e-3), power * n_neurons)


def peak_of(spectrum: Spectrum, above_hz: float = 5.0) -> float | None:
    """The frequency in Hz of the largest power above a frequency; None where there is no power.

    It is the top of the parabola through the logarithms of that power and its two neighbours, or
    the frequency itself where one of them is missing. Slow changes of the rate, as of its start,
    have power below some Hz: ``above_hz`` leaves them out.

    Raises:
        ValueError: no frequency is above.
    """
    frequency, power = spectrum
    if not above_hz < frequency[-1]:
        raise ValueError(f"above_hz must be below {frequency[-1]:g} Hz, got {above_hz}.")
    first = int(np.searchsorted(frequency, above_hz, side="right"))
    top = first + int(power[first:].argmax())
    if not power[top] > 0:
        return None
    around = power[max(top - 1, 0) : top + 2]
    if top <= first or around.size < 3 or not around.all():
        return float(frequency[top])
    left, middle, right = np.log(around)
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return float(frequency[top] + shift * (frequency[1] - frequency[0]))


def _chosen(n_neurons: int, most: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The neurons that are chosen, in order, and of each neuron its place among them or -1."""
    if most is None or most >= n_neurons:
        return np.arange(n_neurons), np.arange(n_neurons)
    if most < 1:
        raise ValueError(f"most must be at least 1 neuron, or None for all, got {most}.")
    chosen = np.sort(np.random.default_rng(seed).choice(n_neurons, most, replace=False))
    place = np.full(n_neurons, -1)
    place[chosen] = np.arange(most)
    return chosen, place
