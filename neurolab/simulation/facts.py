"""What a summary says of one run, made at once or in steps, and what a sweep's table of points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.analysis import SpikeStatistics
from neurolab.config.experiment import Experiment
from neurolab.config.shown import rheobase_of
from neurolab.engine.structure import PopulationSpec
from neurolab.results.batches import COMPLETED
from neurolab.results.table import VALUES

if TYPE_CHECKING:
    from neurolab.simulation.computation import Computation

__all__ = ["facts_of", "notes_of"]


def facts_of(computation: Computation, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Of a computation of one point, so far; ``numbers`` are those that it has now."""
    of, done, dt_ms = computation.experiment, computation.done, computation.dt_ms
    counts, ends = computation.statistics, of.layout["populations"]
    found, spiking = _statistics(computation, _firing(computation)), int(of.structure.firing.sum())
    found |= {"n_spiking": spiking} if spiking < computation.size else {}
    for group in of.structure.populations:
        rheobase = _rheobase(of, group, numbers)
        rheobase |= _flat(_asked(computation, 0, group.name, not computation.broken))
        if not group.name:
            found |= rheobase
            continue
        own = _statistics(computation, counts.part(slice(*ends[group.name])), group.fires)
        own = {"n_neurons": group.size} | own
        found.setdefault("populations", {})[group.name] = own | rheobase
    return {
        "message": computation.message(0),
        "n_neurons": computation.size,
        "n_steps": done,
        "dt_ms": dt_ms,
        "duration_ms": done * dt_ms,
        **({"start_ms": computation.start * dt_ms} if computation.start else {}),
        "seed": int(numbers["seed"]),
        **found,
        "precision": f"float{of.structure.precision}",
    }


def notes_of(computation: Computation) -> dict[str, Any]:
    """What is committed with points: a row of each, and the number of the plan that they are of."""
    return {"rows": _rows_of(computation), "plan": computation.plan}


def _rows_of(computation: Computation) -> list[dict[str, Any]]:
    """How each point went, and each of its populations.  One that did not come to its end has no
    rate but so far."""
    whole, ends = computation.statistics, computation.experiment.layout["populations"]
    all_of = _values(computation, _firing(computation))
    fires = {group.name: group.fires for group in computation.experiment.structure.populations}
    own = {
        name: _values(computation, whole.part(slice(begin, end), computation.size), fires[name])
        for name, (begin, end) in ends.items()
    }
    rows = []
    for k, steps in enumerate(computation.steps.tolist()):
        row = {"point": int(computation.points[k]), "status": computation.status_of(k)}
        row |= {"message": computation.message(k), **all_of[k]}
        row |= {"duration_ms": steps * computation.dt_ms, "n_steps": steps}
        ended = row["status"] == COMPLETED
        row["measured"] = _asked(computation, k, "", ended)
        if own:
            row["populations"] = {
                name: values[k] | {"measured": _asked(computation, k, name, ended)}
                for name, values in own.items()
            }
        rows.append(row | {"seed": int(computation.seeds[k])})
    return rows


def _asked(
    computation: Computation, k: int, population: str, known: bool
) -> dict[str, tuple[Any, str]]:
    """What `record.summary` asks for, of a population of a point, with units."""
    of_spikes = computation.patterns.results(k, population, known)
    return computation.measured.results(k, population, known) | of_spikes


def _flat(measured: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
    """Values by their names, and the unit of each."""
    return {
        key: one
        for name, (value, unit) in measured.items()
        for key, one in ((name, value), (f"{name}_unit", unit))
    }


def _firing(computation: Computation) -> SpikeStatistics:
    """Of the neurons that rates are over."""
    counts, firing = computation.statistics, computation.experiment.structure.firing
    return counts if firing.all() else counts.part(firing, firing.size)


def _values(
    computation: Computation, counts: SpikeStatistics, fires: bool = True
) -> list[dict[str, Any]]:
    """The values of a table, of some neurons of each point; None for each where nothing spikes."""
    n, dt_ms = len(computation.ends), computation.dt_ms
    if not (fires and computation.experiment.structure.recording.spikes):
        return [dict.fromkeys(VALUES)] * n
    counted = computation.steps - computation.start
    lasted = np.maximum(counted, 1) * dt_ms
    spikes = counts.count.reshape(n, -1)
    short = spikes.mean(axis=1) / (lasted * 1e-3)
    ended = [computation.status_of(k) == COMPLETED for k in range(n)]
    full = counts.results(dt_ms, lasted.tolist()) if any(ended) else []
    return [
        {
            "rate_hz": full[k]["rate_hz_mean"] if ended[k] else None,
            "rate_hz_std": full[k]["rate_hz_std"] if ended[k] else None,
            "isi_cv": full[k]["isi_cv_mean"] if ended[k] else None,
            "spike_count": int(spikes[k].sum()),
            "rate_hz_so_far": None
            if ended[k] or counted[k] <= 0 < computation.start
            else float(short[k]),
        }
        for k in range(n)
    ]


def _statistics(
    computation: Computation, counts: SpikeStatistics, fires: bool = True
) -> dict[str, Any]:
    """How some neurons fired; None for each value where nothing spikes."""
    dt_ms, counted = computation.dt_ms, computation.done - computation.start
    found = dict(counts.result(dt_ms, max(counted, 1) * dt_ms))
    if counted <= 0 < computation.start:  # nothing was looked at so far
        return dict.fromkeys(found)
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
