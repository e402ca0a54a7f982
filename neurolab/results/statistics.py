"""What of the spikes of a run, or of each point of a sweep, a summary may have: one number each.

``record.summary=[lv,peak_hz]``; those of each neuron are means over the neurons of which they are
known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neurolab.analysis import peak_of
from neurolab.results.damage import DamagedError
from neurolab.results.trains import Trains

__all__ = ["STATISTICS", "Statistic", "value_of"]


class Statistic(NamedTuple):
    """What a number is, in words and in which unit, and how spikes have it."""

    doc: str
    unit: str
    of: Callable[[Trains], float | None]


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


#: By what `record.summary` calls them; options are those that the methods of runs have.
STATISTICS = {
    "active": Statistic("part of neurons that fire", "1",
        lambda of: float(np.mean(of.rates()[of.firing] > 0))),
    "cv2": Statistic("CV2 of intervals", "1", lambda of: _mean(of.cv2())),
    "lv": Statistic("local variation of intervals", "1", lambda of: _mean(of.lv())),
    "adaptation_index": Statistic("how intervals become longer", "1",
        lambda of: _mean(of.adaptation_index())),
    "fano_factor": Statistic("Fano factor of counts in 100 ms", "1",
        lambda of: _mean(of.fano_factor())),
    "correlation": Statistic("correlation of counts in 2 ms", "1",
        lambda of: of.correlation().mean),
    "synchrony": Statistic("variance over mean of counts in 3 ms", "1", lambda of: of.synchrony()),
    "peak_hz": Statistic("peak of the rate's spectrum above 5 Hz", "Hz",
        lambda of: peak_of(of.psd_arrays())),
}  # fmt: skip


def value_of(name: str, trains: Trains) -> float | None:
    """A statistic of spikes; None where they are too few, or too short, to have it."""
    try:
        value = STATISTICS[name].of(trains)
    except DamagedError:
        raise
    except ValueError:  # no window, bin or segment is whole
        return None
    return None if value is None or not np.isfinite(value) else float(value)
