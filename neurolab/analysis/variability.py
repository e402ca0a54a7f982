r"""How irregular trains are, beside the CV: counts in windows, and intervals beside the next ones.

The CV takes a slow change of the rate for irregularity; what compares an interval with the next
one does not. All of these are of each neuron, and for Poisson processes known:

| | Poisson | clock |
|---|---|---|
| `fano_factor` | 1 | 0, in windows of whole periods |
| `lv` | 1 | 0 |
| `cv2` | 1 | 0 |
| `adaptation_index` | 0 | 0 |
"""

from __future__ import annotations

import numpy as np

from neurolab.analysis.trains import MIN_SPIKES_FOR_CV, bins, check, intervals_of, since


def rates(
    spike_time_ms: np.ndarray,
    spike_neuron: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    *,
    begin_ms: float = 0.0,
) -> np.ndarray:
    """The rate of each neuron in Hz, 0 for silent ones: how rates are distributed.

    Raises:
        ValueError: sizes, times or neuron indices do not fit.
    """
    check(spike_time_ms, spike_neuron, n_neurons)
    if not duration_ms > 0:
        raise ValueError(f"duration_ms must be positive, got {duration_ms}.")
    lasts_ms, _, neuron = since(begin_ms, duration_ms, spike_time_ms, spike_neuron)
    return np.bincount(neuron, minlength=n_neurons) / (lasts_ms * 1e-3)


def fano_factor(
    spike_time_ms: np.ndarray,
    spike_neuron: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    *,
    window_ms: float = 100.0,
    begin_ms: float = 0.0,
) -> np.ndarray:
    r"""Variance over mean of the spike counts of each neuron, :math:`F = \mathrm{var}\,n / \langle
    n \rangle`, in windows one after the other (Fano 1947, Phys. Rev. 72:26).

    1 for a Poisson process, whatever the window; of a renewal process it goes from 1, in windows
    that are short beside its intervals, to CV² in long ones (Cox 1962, Renewal Theory). The
    variance is that of these windows (over their number, not one less), as of Elephant.

    Args:
        spike_time_ms, spike_neuron: one entry per spike, in any order.
        n_neurons: neurons recorded, silent ones included.
        duration_ms: how long was recorded.
        window_ms: width of a window; a last one that is not whole is left out.
        begin_ms: what was until then is left out.

    Returns:
        A value for each neuron; NaN without spikes in the windows.

    Raises:
        ValueError: sizes, times or neuron indices do not fit, or there are less than two windows.
    """
    check(spike_time_ms, spike_neuron, n_neurons)
    lasts_ms, time_ms, neuron = since(begin_ms, duration_ms, spike_time_ms, spike_neuron)
    n, window, inside = bins(time_ms, lasts_ms, window_ms)
    if n < 2:
        told = f"window_ms must be at most half of {lasts_ms:g} ms, for two windows"
        raise ValueError(f"{told}, got {window_ms}.")
    # Whole numbers, whose sums are exact: counts that are equal have no variance, not 1e-17.
    pairs, counts = np.unique(neuron[inside] * np.int64(n) + window[inside], return_counts=True)
    of = pairs // n
    total, squares = np.zeros(n_neurons, np.int64), np.zeros(n_neurons, np.int64)
    np.add.at(total, of, counts)
    np.add.at(squares, of, counts**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (n * squares - total**2) / (n * total)


def lv(
    spike_time_ms: np.ndarray, spike_neuron: np.ndarray, n_neurons: int, *, begin_ms: float = 0.0
) -> np.ndarray:
    r"""Local variation of each neuron's n intervals (Shinomoto, Shima & Tanji 2003, Neural Comput.
    15:2823):

    .. math:: L_V = \frac{3}{n - 1} \sum_{k=1}^{n-1} \left( \frac{I_k - I_{k+1}}{I_k + I_{k+1}}
        \right)^2

    1 for a Poisson process, 0 for a clock, :math:`3 / (2 k + 1)` for intervals of a gamma
    distribution of shape k. Of spikes after ``begin_ms``; NaN with fewer than three.

    Raises:
        ValueError: sizes or neuron indices do not fit.
    """
    contrast, neuron = _contrasts(spike_time_ms, spike_neuron, n_neurons, begin_ms)
    return 3 * _mean(contrast**2, neuron, n_neurons)


def cv2(
    spike_time_ms: np.ndarray, spike_neuron: np.ndarray, n_neurons: int, *, begin_ms: float = 0.0
) -> np.ndarray:
    r"""CV2 of each neuron's n intervals (Holt, Softky, Koch & Douglas 1996, J. Neurophysiol.
    75:1806):

    .. math:: CV_2 = \frac{2}{n - 1} \sum_{k=1}^{n-1} \frac{|I_k - I_{k+1}|}{I_k + I_{k+1}}

    1 for a Poisson process, 0 for a clock. Of spikes after ``begin_ms``; NaN with fewer than three.

    Raises:
        ValueError: sizes or neuron indices do not fit.
    """
    contrast, neuron = _contrasts(spike_time_ms, spike_neuron, n_neurons, begin_ms)
    return 2 * _mean(np.abs(contrast), neuron, n_neurons)


def adaptation_index(
    spike_time_ms: np.ndarray, spike_neuron: np.ndarray, n_neurons: int, *, begin_ms: float = 0.0
) -> np.ndarray:
    r"""How each neuron's n intervals become longer, from one to the next:

    .. math:: A = \frac{1}{n - 1} \sum_{k=1}^{n-1} \frac{I_{k+1} - I_k}{I_{k+1} + I_k}

    Between -1 and 1: positive for a neuron that slows down, 0 for one that does not. It is the
    accommodation index of Druckmann et al. 2007 (Front. Neurosci. 1:7), who leave out the first
    four intervals, or a fifth of them; here all count that are after ``begin_ms``, as in the
    adaptation index of the Allen Cell Types Database. NaN with fewer than three spikes.

    Raises:
        ValueError: sizes or neuron indices do not fit.
    """
    contrast, neuron = _contrasts(spike_time_ms, spike_neuron, n_neurons, begin_ms)
    return _mean(contrast, neuron, n_neurons)


def _contrasts(
    spike_time_ms: np.ndarray, spike_neuron: np.ndarray, n_neurons: int, begin_ms: float
) -> tuple[np.ndarray, np.ndarray]:
    """Difference over sum of each interval and the one before it, and the neuron of both."""
    check(spike_time_ms, spike_neuron, n_neurons)
    _, time_ms, neuron = since(begin_ms, np.inf, spike_time_ms, spike_neuron)
    interval, neuron, _ = intervals_of(time_ms, neuron, n_neurons)
    same = neuron[1:] == neuron[:-1]
    difference, both = np.diff(interval)[same], (interval[1:] + interval[:-1])[same]
    # Spikes at one time have intervals of 0, which are equal.
    return np.divide(difference, both, out=np.zeros_like(both), where=both > 0), neuron[1:][same]


def _mean(values: np.ndarray, neuron: np.ndarray, n_neurons: int) -> np.ndarray:
    """Of each neuron's pairs of intervals; NaN where there are too few."""
    pairs = np.bincount(neuron, minlength=n_neurons)
    total = np.bincount(neuron, weights=values, minlength=n_neurons)
    enough = pairs + 2 >= MIN_SPIKES_FOR_CV
    return np.divide(total, pairs, out=np.full(n_neurons, np.nan), where=enough)
