"""Small sweeps, and how their points are compared."""

from __future__ import annotations

import os
import signal

import numpy as np

import neurolab

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
SHORT = ("size=10", "duration=100ms", KEEP)


def sweep(folder, *overrides):
    return neurolab.run_sweep([*SHORT, *overrides], folder)


def batch_of(folder, first):
    """The folder of the batch that begins with a point."""
    (found,) = (folder / "batches").glob(f"{first:06d}-*")
    return found


def stop_at(monkeypatch, chunk):
    """From now on a sweep has short chunks and is stopped while one of them is worked up."""
    from neurolab.simulation.computation import Computation

    rate_counts, calls = Computation._rate_counts, []

    def stops(self, *arguments):
        calls.append(1)
        if len(calls) == chunk:
            signal.raise_signal(signal.SIGTERM)
        return rate_counts(self, *arguments)

    monkeypatch.setattr("neurolab.simulation.computation.FIRST_CHUNK_STEPS", 128)
    monkeypatch.setattr("neurolab.sweep.compute._CHUNK_SECONDS", 0.0)
    monkeypatch.setattr(Computation, "_rate_counts", stops)


def same_spikes(one, other):
    return all(np.array_equal(one.spikes[k], other.spikes[k]) for k in ("time", "neuron"))


def trace_difference(one, other):
    """The largest difference of two runs' traces; infinite if they are not of the same times."""
    if not all(one.traces[name].shape == other.traces[name].shape for name in other.traces):
        return float("inf")
    return max(
        float(np.abs(one.traces[name].values - other.traces[name].values).max())
        for name in other.traces
    )
