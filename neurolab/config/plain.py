"""Plain numbers for a compiled program, checked as those of a configuration are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import brainunit as u
import jax
import numpy as np

from neurolab.config.experiment import Experiment
from neurolab.config.order import disorder
from neurolab.config.values import out_of_range
from neurolab.distributions import FILE
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
    for key in numbers.keys() - own.keys():
        raise ValueError(f"{key}: {did_you_mean(key, own)}")
    for key in own.keys() - numbers.keys():
        raise ValueError(f"{key} is left out: give program.numbers | {{...}}, which has all")
    for key, value in numbers.items():
        reading = experiment.parsed.get(key)
        if isinstance(value, (u.Quantity, str)):
            unit = reading.unit_name if reading else ""
            raise ValueError(f"{key} = {value}: give a plain number{f', in {unit}' * bool(unit)}")
        if reading is None:
            continue
        if np.shape(value) != reading.shape:
            shapes = f"of shape {np.shape(value)}, and the program was compiled for {reading.shape}"
            raise ValueError(f"{key} = {value} is {shapes}; compile it with as many values")
        if not isinstance(value, jax.core.Tracer):
            known[key] = np.asarray(value, float)
            if wrong := out_of_range(known[key], reading.declared):
                raise ValueError(f"{key} = {value}: {wrong}")
    for wiring in experiment.structure.projections:
        key = wiring.key("unit")  # of drawn weights; those of a file have it as their scale
        if wiring.weights and wiring.weights != FILE and np.any(own[key] != numbers[key]):
            raise ValueError(f"{key} is 1; give the weights of {wiring.key('weight')}")
    for part in experiment.structure.named().values():
        whole = all(number.key in known for _, number in part.numbers)
        for problem in disorder(part, known) if whole else ():
            raise ValueError(str(problem))
