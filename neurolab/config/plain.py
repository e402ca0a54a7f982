"""Plain numbers for a compiled program, checked as those of a configuration are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import brainunit as u
import jax
import numpy as np

from neurolab.config.experiment import Experiment
from neurolab.config.order import disorder
from neurolab.config.projection import BOUNDS, WEIGHT, unfit_synapses
from neurolab.config.reader import CONDUCTANCE
from neurolab.config.values import out_of_range
from neurolab.distributions import FILE
from neurolab.engine.projections import Wiring
from neurolab.problems import did_you_mean

__all__ = ["check_plain"]


def check_plain(experiment: Experiment, numbers: Mapping[str, Any]) -> None:
    """That a program of this experiment can be given these numbers, as far as they are not traced.

    Raises
    ------
    ValueError
        For keys that there are not or that are left out, and values with a unit, of another shape,
        out of their range or not above those that they must lie above.
    """
    own, known = experiment.numbers, dict[str, np.ndarray]()
    for key in (key for key in numbers if key not in own):
        raise ValueError(f"{key}: {did_you_mean(key, own)}")
    for key in (key for key in own if key not in numbers):
        raise ValueError(f"{key} is left out: give program.numbers | {{...}}, which has all")
    for key, value in numbers.items():
        reading = experiment.parsed.get(key)
        if isinstance(value, (u.Quantity, str)):
            unit = reading.unit_name if reading else ""
            raise ValueError(f"{key} = {value}: give a plain number{f', in {unit}' * bool(unit)}")
        if reading is None:
            if np.ndim(value) != np.ndim(own[key]):
                shapes = f"{np.ndim(value)} axes; the program was compiled for {np.ndim(own[key])}"
                raise ValueError(f"{key} = {value} has {shapes}")
            continue
        if np.shape(value) != reading.shape:
            shapes = f"of shape {np.shape(value)}, and the program was compiled for {reading.shape}"
            raise ValueError(f"{key} = {value} is {shapes}; compile it with as many values")
        if not isinstance(value, jax.core.Tracer):
            known[key] = np.asarray(value, float)
            if wrong := out_of_range(known[key], reading.declared):
                raise ValueError(f"{key} = {value}: {wrong}")
    seed = numbers["seed"]
    if not isinstance(seed, jax.core.Tracer) and not 0 <= seed == int(seed) < 2**32:
        raise ValueError(f"seed = {seed}: expected a whole number from 0 to 2^32 - 1")
    for wiring in experiment.structure.projections:
        _check_drawn(experiment, wiring, numbers)
    if not any(isinstance(value, jax.core.Tracer) for value in numbers.values()):
        for problem in unfit_synapses(experiment.structure, numbers, experiment.config):
            raise ValueError(str(problem))
    for part in experiment.structure.named().values():
        whole = all(number.key in known for _, number in part.numbers)
        for problem in disorder(part, known) if whole else ():
            raise ValueError(str(problem))


def _check_drawn(experiment: Experiment, wiring: Wiring, numbers: Mapping[str, Any]) -> None:
    """That what a projection draws, or has from a file, is what the program was compiled for."""
    keys = [wiring.key(part) for part in ("unit", "weight", "delay", "connectivity.weight")]
    keys = [key for key in (*keys, wiring.key("connectivity.delay")) if key in experiment.numbers]
    given = {key: numbers[key] for key in keys}
    if any(isinstance(value, jax.core.Tracer) for value in given.values()):
        return
    unit, weight, delay = (given.get(wiring.key(of), 1.0) for of in ("unit", "weight", "delay"))
    for key, name in ((wiring.key("weight"), wiring.weights), (wiring.key("delay"), wiring.slots)):
        if name and np.shape(given[key]) != np.shape(experiment.numbers[key]):
            raise ValueError(f"{key} = {given[key]}: expected the arguments of {name}")
    if wiring.weights and wiring.weights != FILE and unit != 1:
        raise ValueError(f"{wiring.key('unit')} is 1; give the weights of {wiring.key('weight')}")
    if wiring.weights == FILE and not wiring.signed:
        each = np.asarray(given[wiring.key("connectivity.weight")]) * weight[0] * unit
        if wrong := out_of_range(each, replace(WEIGHT, nonnegative=True, why=CONDUCTANCE)):
            raise ValueError(f"{wiring.key('weight')} = {unit}: {wrong}")
    if wiring.slots:
        if wiring.slots == FILE:
            each = np.asarray(given[wiring.key("connectivity.delay")]) * delay[0]
        else:
            each = np.asarray(delay)[list(BOUNDS[wiring.slots])]
        steps = np.maximum(np.rint(each / experiment.structure.dt_ms), 1)
        least, most = wiring.delays
        if steps.size and not least <= steps.min() <= steps.max() <= most:
            own = f"delays of {steps.min():g} to {steps.max():g} steps; it was compiled for"
            raise ValueError(f"{wiring.key('delay')} = {delay}: {own} {least} to {most}")
