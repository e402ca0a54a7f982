"""What a compiled program depends on: the models, sizes and what is recorded, without numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import brainunit as u
import numpy as np

from neurolab.distributions import FILE
from neurolab.engine.projections import Bundle, Wiring
from neurolab.inputs import SpikeInput
from neurolab.integrators import Integrator
from neurolab.neurons import Neuron, Spiking
from neurolab.units import Relative, with_unit

__all__ = [
    "ModelSpec",
    "Number",
    "Numbers",
    "PopulationSpec",
    "Recording",
    "Structure",
    "short_name",
]

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
class PopulationSpec:
    """Neurons of one model, their receptors and their inputs."""

    #: What the names of its models begin with: ``populations.E.``; nothing for the only one.
    prefix: str
    size: int
    neuron: ModelSpec
    #: ``synapse``, ``receptors.gaba``, ...
    receptors: tuple[tuple[str, ModelSpec], ...]
    inputs: tuple[tuple[str, ModelSpec], ...]

    def full(self, name: str) -> str:
        """The name, in the configuration, of a receptor or an input; projections have their own."""
        return name if name.startswith("projections.") else self.prefix + name

    @property
    def name(self) -> str:
        """``E``; empty where it is the only one."""
        return self.prefix.removeprefix("populations.").removesuffix(".")

    @property
    def fires(self) -> bool:
        """Whether its neurons have spikes; a neuron of another package has."""
        target = self.neuron.target
        return issubclass(target, Spiking) or not issubclass(target, Neuron)

    @property
    def current_unit(self) -> u.Unit:
        """What currents into its neurons are in; into those of another package mA."""
        return getattr(self.neuron.target, "current_unit", u.mA)

    @property
    def currents(self) -> list[str]:
        """Full names of the inputs that are currents: they are recorded by these."""
        return [
            self.full(name) for name, part in self.inputs if not issubclass(part.target, SpikeInput)
        ]

    def named(self) -> dict[str, ModelSpec]:
        """All models by the names that they are built with, those inside of others too."""
        found: dict[str, ModelSpec] = {}
        waiting = [("neuron", self.neuron), *self.receptors, *self.inputs]
        while waiting:
            name, spec = waiting.pop()
            found[self.full(name)] = spec
            waiting += [(f"{name}.{key}", part) for key, part in spec.parts]
        return found


@dataclass(frozen=True)
class Structure:
    """All that a compiled program depends on."""

    populations: tuple[PopulationSpec, ...]
    dt_ms: float
    integrator: type[Integrator]
    precision: int = 32
    recording: Recording = field(default_factory=Recording)
    projections: tuple[Wiring, ...] = ()
    #: Each neuron is computed from itself alone: they may be computed in parts.
    independent: bool = False
    #: Variables and numbers may be set between steps: no V is known to be as a reset left it.
    stepped: bool = False

    @property
    def size(self) -> int:
        """Neurons in all."""
        return sum(self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons of each population."""
        return tuple(population.size for population in self.populations)

    @property
    def firing(self) -> np.ndarray:
        """Which neurons, of all, rates are over: those that can fire, or all where none can."""
        found = np.repeat([population.fires for population in self.populations], self.sizes)
        return found if found.any() else ~found

    @property
    def block(self) -> int:
        """Steps whose random numbers are drawn together; none of their spikes arrives within."""
        block = block_length(self.size)
        for wiring in self.projections:
            block = min(block, (wiring.delays[0] + 1) // 2 * 2)
        return block

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """The projections that have synapses, in bundles."""
        found: dict[Any, list[Wiring]] = {}
        for wiring in self.projections:
            if not wiring.everyone:
                alike = (wiring.source, wiring.delays, wiring.weights is None)
                found.setdefault(alike, []).append(wiring)
        return tuple(Bundle(tuple(wirings)) for wirings in found.values())

    @cached_property
    def sums(self) -> tuple[tuple[Bundle, ...], ...]:
        """The bundles, those together that bring weights to the same receptors: one sum of all."""
        found: dict[Any, list[Bundle]] = {}
        for bundle in self.bundles:
            ends: list[Any] = []
            for wiring in bundle.wirings:
                spec = dict(self.of(wiring.target).inputs)[wiring.name]
                own = wiring.weights == FILE or not bundle.weighted  # has a factor of its own
                unit = wiring.name if own else self.unit(wiring)
                ends.append((wiring.target, spec.fixed, unit))
            found.setdefault(tuple(ends), []).append(bundle)
        return tuple(map(tuple, found.values()))

    def named(self) -> dict[str, ModelSpec]:
        """All models by the names that they are built with, those inside of others too."""
        return {name: m for group in self.populations for name, m in group.named().items()}

    def unit(self, wiring: Wiring) -> u.Unit:
        """Of the weights of a projection."""
        spec = dict(self.of(wiring.target).inputs)[wiring.name]
        return dict(spec.numbers)["weight"].unit

    def of(self, name: str) -> PopulationSpec:
        """The population that a model, a number or a variable belongs to."""
        for wiring in self.projections:
            if name.startswith(f"{wiring.name}."):
                name = wiring.target
        return next(group for group in self.populations if name.startswith(group.prefix))

    def first(self, group: PopulationSpec) -> int:
        """The number of a population's first neuron, counted through all."""
        return sum(self.sizes[: self.populations.index(group)])

    def at(self, neuron: int) -> tuple[PopulationSpec, int]:
        """The population that a neuron is of, counted through all, and its number there."""
        for group in self.populations:
            if neuron < group.size:
                return group, neuron
            neuron -= group.size
        raise IndexError(f"there is no neuron {neuron} beyond the last")

    def recorded(self, group: PopulationSpec) -> np.ndarray:
        """The neurons of a population whose variables are recorded."""
        neurons = self.recording.neurons
        known = np.arange(group.size) if neurons is None else np.asarray(neurons, np.int64)
        return known[known < group.size]

    @cached_property
    def per_neuron(self) -> frozenset[str]:
        """Keys of the numbers that have a value for each neuron."""
        numbers = (number for model in self.named().values() for _, number in model.numbers)
        return frozenset(number.key for number in numbers if number.per_neuron)


def short_name(name: str) -> str:
    """The name that results have for a variable: ``V`` for ``neuron.V``, ``E.V`` in networks."""
    if not name.startswith("populations."):
        return name.removeprefix("neuron.")
    _, group, own = name.split(".", 2)
    return f"{group}.{own.removeprefix('neuron.')}"


def block_length(size: int) -> int:
    """Steps whose random numbers are drawn together: as many as stay in cache, an even number."""
    return int(np.clip(2**20 // max(size, 1), 16, 128)) // 2 * 2
