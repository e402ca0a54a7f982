"""Which part of a run is drawn where lines of all of it would be a solid block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["window_of"]

#: Intervals that are shown, and the most spikes of a line, more of which are a block; those that
#: can still be seen, where all of the time is to be shown.
_INTERVALS, _MOST, _MOST_SEEN = 10, 60, 200


def window_of(
    spikes: tuple[np.ndarray, np.ndarray],
    neurons: Sequence[int],
    whole: tuple[float, float],
    varies: bool,
) -> tuple[float, float]:
    """From and until when, in ms, some neurons are drawn.

    The ``whole`` time, unless one of them has more than sixty spikes, or 200 if what is given
    ``varies`` and is to be seen whole.  Then it is ten median intervals of that which spikes least,
    as long as that which spikes most has forty, around the middle one of its spikes.
    """
    time, neuron = spikes
    inside = np.isin(neuron, neurons)
    time, neuron = time[inside], neuron[inside]
    counts = {one: int(np.count_nonzero(neuron == one)) for one in neurons}
    most = max(counts, key=lambda one: counts[one], default=None)
    if most is None or counts[most] <= (_MOST_SEEN if varies else _MOST):
        return whole
    intervals = [
        float(np.median(np.diff(time[neuron == one])))
        for one, count in counts.items()
        if count > _INTERVALS
    ]
    width = min(_INTERVALS * max(intervals), 4 * _INTERVALS * min(intervals))
    middle = float(time[neuron == most][counts[most] // 2])
    first, last = whole
    begin = max(min(middle - width / 2, last - width), first)
    return begin, min(begin + width, last)
