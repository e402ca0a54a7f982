"""Experiments in memory: neurolab as anybody uses it, and what is read from its runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

import neurolab
from neurolab.results.run import Run

__all__ = ["DOUBLE", "INTEGRATORS", "quantities", "rates_hz", "run", "steady_intervals"]

INTEGRATORS = ("exp_euler", "euler", "heun", "rk4")
DOUBLE = "device.precision=float64"


def run(*overrides: str) -> Run:
    """A completed run of this configuration, kept in memory.

    Raises
    ------
    RuntimeError
        If it did not complete: then nothing can be said.
    """
    found = neurolab.run(overrides, save=False)
    if found.summary["status"] != "completed":
        raise RuntimeError(f"{' '.join(overrides)}: {found.summary}")
    return found


def quantities(values: Iterable[float], unit: str) -> str:
    """A value for each neuron, as it is written in a configuration."""
    return f"[{','.join(f'{float(value)!r} {unit}' for value in values)}]"


def steady_intervals(found: Run, last: int = 5) -> np.ndarray:
    """The mean of each neuron's last inter-spike intervals in ms; NaN for fewer spikes."""
    time, neuron = found.spikes.time.values, found.spikes.neuron.values
    trains = [np.sort(time[neuron == index]) for index in range(found.n_neurons)]
    return np.array([np.diff(t[-last - 1 :]).mean() if len(t) > last else np.nan for t in trains])


def rates_hz(found: Run, skip_ms: float) -> tuple[float, float]:
    """The mean rate of independent neurons after a while, and its standard error."""
    late: Sequence[int] = found.spikes.neuron.values[found.spikes.time.values > skip_ms]
    counts = np.bincount(late, minlength=found.n_neurons)
    rates = counts / (found.duration_ms - skip_ms) * 1000.0
    return rates.mean(), rates.std(ddof=1) / np.sqrt(rates.size)
