"""What spikes do around events, such as the beginnings of stimuli."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurolab.analysis.trains import bins


def whole_events(
    event_ms: Any, duration_ms: float, before_ms: float, after_ms: float
) -> np.ndarray:
    """Which of the events have all around them recorded."""
    event = np.atleast_1d(np.asarray(event_ms, np.float64))
    found: np.ndarray = (event - before_ms >= -1e-6) & (event + after_ms <= duration_ms + 1e-6)
    return found


def psth(
    spike_time_ms: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    event_ms: Any,
    before_ms: float,
    after_ms: float,
    bin_ms: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Peri-stimulus time histogram: the rate around events, mean over these and over neurons.

    Bin b holds the spikes with b * bin_ms < t - (event - before_ms) <= (b + 1) * bin_ms, as of
    `population_rate`.  Events around which not all was recorded are left out.

    Args:
        spike_time_ms: of all neurons, in any order.
        n_neurons: neurons recorded, silent ones included.
        duration_ms: how long was recorded.
        event_ms: the time of each event, or of one.
        before_ms, after_ms: how long before and after an event is looked at.
        bin_ms: width of a bin; a last one that is not whole is left out.

    Returns:
        Bin centres in ms from the event, and rates in Hz.

    Raises:
        ValueError: around none of the events all was recorded, or a bin is longer than the window.
    """
    event, window = np.atleast_1d(np.asarray(event_ms, np.float64)), before_ms + after_ms
    whole = whole_events(event, duration_ms, before_ms, after_ms)
    if not (whole.any() and window > 0 and n_neurons >= 1):
        given = f"from {before_ms} ms before to {after_ms} ms after, of {event.size} events"
        raise ValueError(f"a window must lie within the {duration_ms} ms recorded; got {given}.")
    begins = event[whole] - before_ms
    time = np.sort(np.asarray(spike_time_ms, np.float64))
    first, last = np.searchsorted(time, begins), np.searchsorted(time, begins + window + bin_ms)
    parts = zip(first, last, begins, strict=True)
    relative = np.concatenate([time[a:b] - begin for a, b, begin in parts])
    n_bins, index, inside = bins(relative, window, bin_ms)
    counts = np.bincount(index[inside], minlength=n_bins)
    centre_ms = (np.arange(n_bins) + 0.5) * bin_ms - before_ms
    return centre_ms, counts / (begins.size * n_neurons * bin_ms * 1e-3)
