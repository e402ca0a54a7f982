"""What the neurons of a run are given, computed from its models: `neurolab.results.stimulus`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurolab.config.experiment import Experiment
from neurolab.config.shown import shown_units
from neurolab.engine.loop import Loop
from neurolab.engine.population import Population
from neurolab.engine.structure import PopulationSpec, Structure
from neurolab.inputs import Signal
from neurolab.results.stimulus import Stimulus, write_stimuli
from neurolab.units import magnitude, unit_text

__all__ = ["keep_stimuli", "stimuli_of"]

log = logging.getLogger("neurolab")

#: Changes that are kept, and parts of the time of which the least and the largest value are: as
#: many as a picture has room for.
_MOST_CHANGES, _PARTS = 2000, 1000
#: Steps that are computed at once, at least.
_AT_ONCE = 2**14
_LEVELS = ("V_th", "V_T", "V_reset", "V_rest")


def keep_stimuli(experiment: Experiment, folder: Path, n_steps: int) -> dict[str, bool]:
    """Write them into the folder of the run; pictures do without them where that fails.  What the
    summary says of it, by which one knows that there is such a file."""
    try:
        if n_steps:
            write_stimuli(folder, stimuli_of(experiment, n_steps))
    except Exception as error:
        log.warning("the stimulus cannot be shown: %s", error)
        return {}
    return {"stimulus": True} if n_steps else {}


def stimuli_of(experiment: Experiment, n_steps: int) -> dict[str, Stimulus]:
    """Of each population, the current of its signals during ``n_steps`` from the start on, and the
    levels of its potential.

    Spikes and noise are no signals: they differ from neuron to neuron and by seed.
    """
    structure, found = experiment.structure, {}
    loop = Loop(structure, 1)
    with loop.environment():
        numbers = loop.arguments(experiment.numbers)
        for group in structure.populations:
            model = _built(structure, group, numbers)
            given: dict[str, Any] = {"levels": _levels(experiment, group, model.neuron)}
            signals = [name for name, one in model.inputs.items() if isinstance(one, Signal)]
            if signals:
                names = tuple(f"{group.full(name)}." for name in signals)
                key = group.full(signals[0])
                unit = shown_units(
                    structure, {key: group.current_unit}, experiment.parsed, experiment.numbers
                )[key]
                factor = float((1.0 * group.current_unit).to_decimal(unit))
                of = _current(structure, group, signals, numbers)
                step, value, held = _kept(of, n_steps, factor)
                given |= {"unit": unit_text(unit), "step": step, "value": value, "held": held}
                given["alone"] = len(signals) == len(model.inputs)
                given["first_neuron"] = any(k.startswith(names) for k in structure.per_neuron)
            found[group.name] = Stimulus(n_steps=n_steps, **given)
    return found


def _built(structure: Structure, group: PopulationSpec, numbers: Mapping[str, Any]) -> Population:
    return Population.of(group, structure.integrator, group.size, numbers)


def _current(
    structure: Structure, group: PopulationSpec, signals: list[str], numbers: Mapping[str, Any]
) -> Callable[[int], np.ndarray]:
    """The sum of signals into the first neuron during `_AT_ONCE` steps from one on, as means over
    each, in the unit of the population's currents."""

    @jax.jit
    def of(numbers: Mapping[str, Any], first: Any) -> Any:
        inputs = _built(structure, group, numbers).inputs
        drawn = (inputs[name].draw(first, _AT_ONCE) for name in signals)
        return sum(jnp.ravel(magnitude(one, group.current_unit)[..., :1]) for one in drawn)

    return lambda first: np.asarray(of(numbers, first), np.float64)


def _kept(
    of: Callable[[int], np.ndarray], n_steps: int, factor: float
) -> tuple[list[int], list[float], bool]:
    """Steps, the values in them times a factor, and whether those are all changes; else there are,
    of each part of the time, the least and the largest value, and the first and the last of all."""
    wide = 1 << max(-(-n_steps // _PARTS) - 1, 0).bit_length()
    changes, parts, n_changes, before = [], [], 0, np.nan
    for first in range(0, n_steps, max(_AT_ONCE, wide)):
        blocks = range(first, min(first + max(_AT_ONCE, wide), n_steps), _AT_ONCE)
        now = np.concatenate([of(block) for block in blocks])[: n_steps - first]
        if n_changes <= _MOST_CHANGES:
            at = np.flatnonzero(now != np.append(before, now[:-1]))
            n_changes, before = n_changes + at.size, now[-1]
            changes.append((at + first, now[at]))
        rows = np.pad(now, (0, -now.size % wide), mode="edge").reshape(-1, wide)
        inside = np.stack([rows.argmin(axis=1), rows.argmax(axis=1)])
        at = np.unique(np.append(inside + np.arange(len(rows)) * wide, [0, now.size - 1]))
        parts.append((at + first, now[at]))
    held = n_changes <= _MOST_CHANGES
    step, value = map(np.concatenate, zip(*(changes if held else parts), strict=True))
    return step.tolist(), (factor * value).tolist(), held


def _levels(experiment: Experiment, group: PopulationSpec, neuron: Any) -> dict[str, float]:
    """Potentials that are parameters of the neurons, where all have the same."""
    name, found = f"{group.prefix}neuron.V", {}
    if name not in experiment.units:
        return {}
    for key in _LEVELS:
        if key in getattr(neuron, "parameters", {}):
            values = np.unique(np.asarray(magnitude(getattr(neuron, key), experiment.units[name])))
            if values.size == 1 and np.isfinite(values).all():
                found[key] = float(experiment.in_shown_unit(name, values.astype(float))[0])
    return found
