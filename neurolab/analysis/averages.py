"""What a variable does around spikes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Values that are looked at together: more would not be in a cache.
_TOGETHER = 2**21


class SpikeTriggered(NamedTuple):
    """What `spike_triggered_average` returns.

    lag_ms: of a sample after the spike.
    mean, sem: of the samples around spikes, and its standard error, NaN of fewer than two.
    n_spikes: around how many.
    """

    lag_ms: np.ndarray
    mean: np.ndarray
    sem: np.ndarray
    n_spikes: int


def spike_triggered_average(
    spike_time_ms: np.ndarray,
    spike_column: np.ndarray,
    sample_time_ms: np.ndarray,
    values: np.ndarray,
    *,
    before_ms: float = 50.0,
    after_ms: float = 50.0,
) -> SpikeTriggered:
    r"""The mean of a sampled variable around spikes (de Boer & Kuyper 1968, IEEE Trans. Biomed.
    Eng. 15:169):

    .. math:: \bar x(\ell) = \frac{1}{n} \sum_{k=1}^{n} x(t_k + \ell)

    with the standard error :math:`s(\ell) / \sqrt{n}`, of spikes as if they were independent.
    Where samples are farther apart than steps, a spike is at the last sample that is not after it.
    Spikes around which not all was sampled are left out.

    Args:
        spike_time_ms, spike_column: of each spike its time, and the column of ``values`` it is for.
        sample_time_ms: of each row, at equal distances.
        values: samples over (time, column).
        before_ms, after_ms: how long before and after a spike is looked at, in whole samples.

    Returns:
        Lags, mean and standard error at these, and the number of spikes; NaN of none.

    Raises:
        ValueError: shapes do not fit, or the window is longer than what was sampled.
    """
    time, data = np.asarray(sample_time_ms, np.float64), np.asarray(values)
    columns = np.asarray(spike_column)
    if data.ndim != 2 or time.shape != data.shape[:1] or time.size < 2:
        told = f"{time.shape} and {data.shape}"
        raise ValueError(f"values are over (time, column), of two times at least; got {told}.")
    if columns.shape != np.shape(spike_time_ms) or columns.ndim != 1:
        told = f"{np.shape(spike_time_ms)} and {columns.shape}"
        raise ValueError(f"times and columns of spikes must be as many; got {told}.")
    if columns.size and not 0 <= columns.min() <= columns.max() < data.shape[1]:
        told = f"{columns.min()} to {columns.max()}"
        raise ValueError(f"columns are 0 to {data.shape[1] - 1}; got {told}.")
    step = (time[-1] - time[0]) / (time.size - 1)
    back, on = (int(np.floor(ms / step + 1e-6)) for ms in (before_ms, after_ms))
    width = back + on + 1
    if not (before_ms >= 0 and after_ms >= 0 and 1 < width <= time.size):
        told = f"from {before_ms} ms before to {after_ms} ms after"
        lasts = f"{step:g} ms apart over {time[-1] - time[0]:g} ms"
        raise ValueError(f"a window must have two samples, which are {lasts}; got {told}.")
    # A time such as 3 * 0.1 may be off by rounding: the margin is far below a step.
    first = np.floor((np.asarray(spike_time_ms) - time[0]) / step + 1e-6).astype(np.int64) - back
    whole = (first >= 0) & (first + width <= time.size)
    first, columns = first[whole], columns[whole]
    lag_ms, n = np.arange(-back, on + 1) * step, int(first.size)
    # Of what is around the middle, sums of squares lose nothing.
    middle = float(np.mean(data, dtype=np.float64)) if n else 0.0
    rows = np.ascontiguousarray(data.T, np.float64) - (middle if np.isfinite(middle) else 0.0)
    around = np.lib.stride_tricks.sliding_window_view(rows, width, axis=1)
    total, squares, many = np.zeros(width), np.zeros(width), max(1, _TOGETHER // width)
    for begin in range(0, n, many):
        part = slice(begin, begin + many)
        samples = around[columns[part], first[part]]
        total += samples.sum(axis=0)
        squares += np.einsum("kl,kl->l", samples, samples)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        variance = np.maximum(squares - n * mean**2, 0.0) / np.float64(n - 1)
        sem = np.where(n > 1, np.sqrt(variance / n), np.nan)
    return SpikeTriggered(lag_ms, mean + (middle if np.isfinite(middle) else 0.0), sem, n)
