"""The phase plane of the neurons of an experiment, under the current that they are given."""

from __future__ import annotations

from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.experiment import Experiment
from neurolab.engine.loop import Loop
from neurolab.inputs import Signal
from neurolab.neurons.phase_plane import PhasePlane, phase_plane
from neurolab.simulation.stimulus import stimuli_of
from neurolab.units import Relative, parse, parse_unit

__all__ = ["plane_of"]


def plane_of(
    experiment: Experiment,
    population: str = "",
    neuron: int = 0,
    current: Any = None,
    **limits: Any,
) -> PhasePlane:
    """Nullclines and fixed points of one neuron of an experiment, in the units of its results; see
    `neurolab.phase_plane`.

    Raises
    ------
    ValueError
        There is no such population or neuron, or the current is not one number.
    """
    structure = experiment.structure
    groups = {group.name: group for group in structure.populations}
    if population not in groups:
        there = ", ".join(filter(None, groups)) or "none, as there is one population alone"
        raise ValueError(f"no population {population!r}; there are: {there}")
    group = groups[population]
    if not 0 <= neuron < group.size:
        raise ValueError(f"neurons are 0 to {group.size - 1}; got {neuron}")
    drive = _given(experiment, population, neuron) if current is None else _quantity(current)
    loop, own = Loop(structure, 1), f"{group.prefix}neuron"
    with loop.environment():
        numbers = {
            key: value[neuron : neuron + 1]
            if key in structure.per_neuron and key.startswith(f"{own}.")
            else value
            for key, value in loop.arguments(experiment.numbers).items()
        }
        found = phase_plane(group.neuron.build(1, numbers, own), drive, **limits)
    shown = {
        name: experiment.shown.get(f"{own}.{name}", unit) for name, unit in found.units.items()
    }
    return found.to(shown)


def _given(experiment: Experiment, population: str, neuron: int) -> u.Quantity:
    """The current that a neuron is given all the time.

    Raises
    ------
    ValueError
        It is not always the same.
    """
    given = stimuli_of(experiment, experiment.n_steps)[population]
    (inputs,) = (one.inputs for one in experiment.structure.populations if one.name == population)
    others = [name for name, one in inputs if not issubclass(one.target, Signal)]
    if others or given.varies or (given.first_neuron and neuron):
        raise ValueError(
            "what the neuron is given is not one constant current: say which the plane is of, such "
            "as current=200 * u.pA"
        )
    return (given.value[0] if given.value else 0.0) * parse_unit(given.unit or "mA")


def _quantity(current: Any) -> u.Quantity:
    found = parse(current) if isinstance(current, str) else current
    if isinstance(found, Relative):
        raise ValueError(f"current must be a quantity, such as 200 * u.pA, got {current!r}")
    return u.Quantity(np.asarray(u.get_mantissa(found)), unit=u.get_unit(found))
