"""What a summary says of one run, whether it was made at once or in steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurolab.analysis import SpikeStatistics
from neurolab.config.experiment import Experiment
from neurolab.config.shown import rheobase_of
from neurolab.engine.structure import PopulationSpec
from neurolab.simulation.computation import Computation

__all__ = ["facts_of"]


def facts_of(computation: Computation, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Of a computation of one point, so far; ``numbers`` are those that it has now."""
    of, done, dt_ms = computation.experiment, computation.done, computation.dt_ms
    counts, ends = computation.statistics, of.layout["populations"]
    found = _statistics(computation, counts)
    for group in of.structure.populations:
        rheobase = _rheobase(of, group, numbers)
        if not group.name:
            found |= rheobase
            continue
        own = _statistics(computation, counts.part(*ends[group.name]), group.fires)
        own = {"n_neurons": group.size} | own
        found.setdefault("populations", {})[group.name] = own | rheobase
    return {
        "message": computation.message(0),
        "n_neurons": computation.size,
        "n_steps": done,
        "dt_ms": dt_ms,
        "duration_ms": done * dt_ms,
        "seed": int(numbers["seed"]),
        **found,
        "precision": f"float{of.structure.precision}",
    }


def _statistics(
    computation: Computation, counts: SpikeStatistics, fires: bool = True
) -> dict[str, Any]:
    """How some neurons fired; None for each value where nothing spikes."""
    dt_ms = computation.dt_ms
    found = dict(counts.result(dt_ms, max(computation.done, 1) * dt_ms))
    if computation.broken:  # what it did until then is no rate of this neuron
        so_far = {"rate_hz_so_far": found["rate_hz_mean"]}
        found |= dict.fromkeys(("rate_hz_mean", "rate_hz_std", "isi_cv_mean")) | so_far
    spikes = computation.experiment.structure.recording.spikes
    return found if spikes and fires else dict.fromkeys(found)


def _rheobase(of: Experiment, group: PopulationSpec, numbers: Mapping[str, Any]) -> dict[str, Any]:
    known = rheobase_of(of.structure, group, of.parsed, numbers)
    rheobase, unit = known or (np.array(np.nan), "")
    return {
        "rheobase": float(rheobase.mean()),
        "rheobase_std": float(rheobase.std()) if np.isfinite(rheobase).all() else None,
        "rheobase_unit": unit,
    }
