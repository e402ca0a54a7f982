"""What a compiled program depends on: the models, sizes and what is recorded, without numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import brainunit as u
import numpy as np

from neurolab.integrators import Integrator
from neurolab.units import Relative, with_unit

__all__ = ["ModelSpec", "Number", "Numbers", "Recording", "Structure", "block_length"]

#: Values of the numbers by key (``neuron.tau``), in the unit that the structure says; ``seed`` too.
Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Number:
    """Where a parameter's value is found among the numbers, and what it measures."""

    key: str
    unit: u.Unit
    relative: bool = False
    per_neuron: bool = False

    def quantity(self, numbers: Numbers) -> Any:
        value = numbers[self.key]
        return Relative(value, self.unit) if self.relative else with_unit(value, self.unit)


@dataclass(frozen=True)
class ModelSpec:
    """One model of a structure: its class, fixed arguments, numbers, and the models inside it."""

    target: type
    fixed: tuple[tuple[str, Any], ...] = ()
    numbers: tuple[tuple[str, Number], ...] = ()
    parts: tuple[tuple[str, ModelSpec], ...] = ()
    attributes: tuple[tuple[str, Any], ...] = ()
    #: Of the fixed arguments: True, 1 and 1.0 are equal, and not the same.
    kinds: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", _kinds(tuple(value for _, value in self.fixed)))

    def all_numbers(self) -> list[Number]:
        """The numbers of this model and of those inside it."""
        inside = [number for _, part in self.parts for number in part.all_numbers()]
        return [number for _, number in self.numbers] + inside

    def build(self, size: int, numbers: Numbers, name: str) -> Any:
        """The model itself, its numbers in place."""
        arguments = dict(self.fixed)
        arguments |= {key: number.quantity(numbers) for key, number in self.numbers}
        arguments |= {key: part.build(size, numbers, f"{name}.{key}") for key, part in self.parts}
        model = self.target(size, name=name, **arguments)
        for key, value in self.attributes:
            setattr(model, key, value)
        return model


def _kinds(value: Any) -> Any:
    return tuple(map(_kinds, value)) if isinstance(value, tuple) else type(value)


@dataclass(frozen=True)
class Recording:
    """What the program hands out: spikes, and variables of some neurons every so many steps."""

    spikes: bool = True
    variables: tuple[str, ...] = ()
    neurons: tuple[int, ...] | None = None
    every: int = 1


@dataclass(frozen=True)
class Structure:
    """All that a compiled program depends on."""

    size: int
    dt_ms: float
    neuron: ModelSpec
    #: ``synapse``, ``receptors.gaba``, ...
    receptors: tuple[tuple[str, ModelSpec], ...]
    inputs: tuple[tuple[str, ModelSpec], ...]
    integrator: type[Integrator]
    precision: int = 32
    recording: Recording = field(default_factory=Recording)
    #: Each neuron is computed from itself alone: they may be computed in parts.
    independent: bool = False
    #: Variables and numbers may be set between steps: no V is known to be as a reset left it.
    stepped: bool = False

    def named(self) -> dict[str, ModelSpec]:
        """All models by the names that they are built with, those inside of others too."""
        found: dict[str, ModelSpec] = {}
        waiting = [("neuron", self.neuron), *self.receptors, *self.inputs]
        while waiting:
            name, spec = waiting.pop()
            found[name] = spec
            waiting += [(f"{name}.{key}", part) for key, part in spec.parts]
        return found

    @property
    def per_neuron(self) -> frozenset[str]:
        """Keys of the numbers that have a value for each neuron."""
        numbers = (number for model in self.named().values() for _, number in model.numbers)
        return frozenset(number.key for number in numbers if number.per_neuron)


def block_length(size: int) -> int:
    """Steps whose random numbers are drawn together: as many as stay in cache, an even number."""
    return int(np.clip(2**20 // max(size, 1), 16, 128)) // 2 * 2
