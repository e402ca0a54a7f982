"""What a summary says of one run, whether it was made at once or in steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurolab.config.shown import rheobase_of
from neurolab.simulation.computation import Computation

__all__ = ["facts_of"]


def facts_of(computation: Computation, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Of a computation of one point, so far; ``numbers`` are those that it has now."""
    of, done, dt_ms = computation.experiment, computation.done, computation.dt_ms
    found = rheobase_of(of.structure, of.parsed, numbers) or (np.array(np.nan), "")
    rheobase, unit = found
    statistics = dict(computation.statistics.result(dt_ms, max(done, 1) * dt_ms))
    if computation.broken:  # what it did until then is no rate of this neuron
        so_far = {"rate_hz_so_far": statistics["rate_hz_mean"]}
        statistics |= dict.fromkeys(("rate_hz_mean", "rate_hz_std", "isi_cv_mean")) | so_far
    return {
        "message": computation.message(0),
        "n_neurons": computation.size,
        "n_steps": done,
        "dt_ms": dt_ms,
        "duration_ms": done * dt_ms,
        "seed": int(numbers["seed"]),
        **(statistics if of.structure.recording.spikes else dict.fromkeys(statistics)),
        "rheobase": float(rheobase.mean()),
        "rheobase_std": float(rheobase.std()) if np.isfinite(rheobase).all() else None,
        "rheobase_unit": unit,
        "precision": f"float{of.structure.precision}",
    }
