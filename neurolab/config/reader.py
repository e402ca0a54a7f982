"""The models of a configuration as parts of a structure, their values as numbers."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.values import UnfitValueError, read_number
from neurolab.dynamics import Dynamics, Parameter
from neurolab.engine.structure import Number, Part, Structure
from neurolab.inputs import Input, InputFileError, SignalFromFile, SpikesFromFile
from neurolab.inputs.files import read_samples, read_spikes
from neurolab.inputs.spikes import arrival_steps
from neurolab.neurons import Neuron
from neurolab.problems import Problem, Problems, did_you_mean, show
from neurolab.units import Relative, UnitError, dimension_name, unit_text

__all__ = ["ModelReader", "Reading", "declared_parameters", "in_order", "models", "ordered_numbers"]


@dataclass(frozen=True)
class Reading:
    """How the value of a key was read: enough to read another value of it."""

    declared: Parameter
    unit: u.Unit
    relative: bool
    shape: tuple[int, ...]

    @property
    def unit_name(self) -> str:
        """The unit of the number, as a person reads it; empty for a plain number."""
        if self.relative:
            return "rheobase*ms" if self.declared.role == "weight" else "rheobase"
        return unit_text(self.unit)


@dataclass
class ModelReader:
    """Reads the models of one configuration; keeps the numbers and the problems it finds."""

    size: int
    seed: int
    problems: Problems
    ordered: bool = True  # whether values that must lie above one another and do not are a problem
    neuron: Any = None
    synapse: Any = None
    output: Any = None
    numbers: dict[str, Any] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)

    def model(
        self, node: Mapping[str, Any], key: str, base: type, signal: u.Unit | None = None
    ) -> Part | None:
        """The part that a node with a ``_target_`` describes; None if it cannot be one.

        ``signal`` is the unit of what an input stands for, where it is not a current.
        """
        target = self.locate(node.get("_target_"), f"{key}._target_", base)
        if target is None:
            return None
        declared = {
            name: parameter
            for name, parameter in declared_parameters(target).items()
            if parameter.role not in ("samples", "events")  # they come from a file
        }
        if key == "neuron":
            self.neuron = target
        elif key == "synapse.output":
            self.output = target
        part = Part(target)
        recorded = issubclass(target, (SignalFromFile, SpikesFromFile))
        for name, value in node.items():
            if name == "_target_" or f"{key}.{name}" == "synapse.output":
                continue
            if name not in declared:
                self.problems.add(f"{key}.{name}", value, did_you_mean(name, declared))
            elif not (recorded and name in ("file", "unit")):
                part = self._argument(part, f"{key}.{name}", name, value, declared[name], signal)
        if recorded:
            part = self._recorded(part, key, node, signal)
        for problem in disorder(part, self.numbers) if self.ordered else ():
            self.problems.add(problem.key, problem.given, problem.advice)
        return part

    def locate(self, path: Any, key: str, base: type) -> Any:
        """The class that a dotted path names."""
        if not isinstance(path, str) or "." not in path:
            advice = "expected the dotted path of a class, such as neurolab.neurons.LIF"
            self.problems.add(key, path, advice)
            return None
        module, _, name = path.rpartition(".")
        try:
            target = getattr(importlib.import_module(module), name)
        except ImportError as error:
            self.problems.add(key, path, f"cannot be imported: {error}; is it on PYTHONPATH?")
            return None
        except AttributeError:
            known = [
                n for n, v in vars(importlib.import_module(module)).items() if inspect.isclass(v)
            ]
            self.problems.add(key, path, f"{module} has no '{name}'; {did_you_mean(name, known)}")
            return None
        if not (inspect.isclass(target) and issubclass(target, base)):
            self.problems.add(key, path, f"expected a class derived from {base.__name__}")
            return None
        return target

    def _argument(
        self,
        part: Part,
        key: str,
        name: str,
        value: Any,
        declared: Parameter,
        signal: u.Unit | None,
    ) -> Part:
        default = declared.default
        if isinstance(value, Mapping) and "_target_" in value:
            inner = self.model(value, key, Input, signal=u.Hz)
            return part if inner is None else replace(part, parts=(*part.parts, (name, inner)))
        if value == "???":
            self.problems.add(key, None, f"is needed: {declared.doc}")
            return part
        keyword = isinstance(default, str) and isinstance(value, str) and value.isidentifier()
        if declared.is_number and not keyword:
            return self._number(part, key, name, value, declared, signal)
        wanted = _wanted(value, declared)
        if wanted:
            self.problems.add(key, show(value), f"expected {wanted}")
            return part
        value = tuple(value) if isinstance(value, list) else value
        return replace(part, fixed=(*part.fixed, (name, value)))

    def _number(
        self,
        part: Part,
        key: str,
        name: str,
        value: Any,
        declared: Parameter,
        signal: u.Unit | None,
    ) -> Part:
        unit = self.unit(declared, signal)
        try:
            numbers, relative = read_number(
                value, unit, declared, size=self.size, seed=self.seed, key=key
            )
        except UnfitValueError as error:
            self.problems.add(key, show(value), str(error))
            return part
        self.readings[key] = Reading(declared, unit, relative, np.shape(numbers))
        if relative:
            unit = u.ms if declared.role == "weight" else u.UNITLESS
            rheobase = getattr(self.neuron, "rheobase", None)
            if self.neuron is not None and rheobase in (None, Neuron.rheobase):
                advice = f"{self.neuron.__name__} has no rheobase; give a unit, such as 1 mA"
                self.problems.add(key, show(value), advice)
        return self._with_number(part, name, key, numbers, unit, relative)

    def _with_number(
        self, part: Part, name: str, key: str, numbers: Any, unit: u.Unit, relative: bool
    ) -> Part:
        self.numbers[key] = np.asarray(numbers)
        per_neuron = np.shape(numbers)[-1:] == (self.size,) and self.size > 1
        number = Number(key, unit, relative, per_neuron)
        return replace(part, numbers=(*part.numbers, (name, number)))

    def unit(self, declared: Parameter, signal: u.Unit | None = None) -> u.Unit:
        """The unit of a parameter; those with a role take that of what they act on."""
        current = getattr(self.neuron, "current_unit", u.mA)
        potential = getattr(self.neuron, "potential_unit", u.mV)
        through = None if self.output is None else self.output.unit(current, potential)
        return {
            "": declared.unit,
            "current": current,
            "signal": signal or current,
            "potential": potential,
            "weight": potential if through is None else through,
            "g": declared.unit if through is None else through,
        }[declared.role]

    def _recorded(
        self, part: Part, key: str, node: Mapping[str, Any], signal: u.Unit | None
    ) -> Part:
        """Recorded data become numbers, so that another recording needs no new program."""
        file, unit = node.get("file"), str(node.get("unit"))
        if file in (None, "???"):
            doc = declared_parameters(part.target)["file"].doc
            self.problems.add(f"{key}.file", None, f"is needed: {doc}")
            return part
        try:
            if issubclass(part.target, SpikesFromFile):
                times, neurons = read_spikes(file, unit, self.size)
                steps = arrival_steps(times)
                self.numbers[f"{key}.arrivals"], self.numbers[f"{key}.neurons"] = steps, neurons
                names = ("arrivals", "neurons")
                numbers = tuple((n, Number(f"{key}.{n}", u.UNITLESS)) for n in names)
                return replace(part, numbers=(*part.numbers, *numbers))
            samples = read_samples(file, unit, self.size)
        except InputFileError as error:
            self.problems.add(f"{key}.file", file, str(error))
            return part
        except (UnitError, u.UnitMismatchError) as error:
            self.problems.add(f"{key}.unit", unit, str(error))
            return part
        if isinstance(samples, Relative):
            values, expected, relative = samples.value, u.UNITLESS, True
        else:
            expected, relative = self.unit(Parameter(None, "", role="signal"), signal), False
            if not samples.unit.has_same_dim(expected):
                self.problems.add(f"{key}.unit", unit, f"expected {dimension_name(expected)}")
                return part
            values = samples.to(expected).mantissa
        return self._with_number(part, "values", f"{key}.values", values, expected, relative)


def disorder(part: Part, numbers: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the values of a model that must lie above one another."""
    found = []
    for low, high in ordered_numbers(part):
        lower, upper = numbers[low.key], numbers[high.key]
        if np.any(lower >= upper):
            advice = f"must lie above {low.key} = {np.max(lower):g} {low.unit}"
            found.append(Problem(high.key, f"{np.min(upper):g} {high.unit}", advice))
    return found


def ordered_numbers(part: Part) -> list[tuple[Number, Number]]:
    """Pairs of numbers of a model of which the first must be the smaller."""
    given = dict(part.numbers)
    pairs = [
        (given[low], given[high])
        for low, high in getattr(part.target, "ordered", ())
        if low in given and high in given
    ]
    return [(low, high) for low, high in pairs if low.relative == high.relative]


def in_order(structure: Structure | None, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that models can be built with, where those given do not lie above one another."""
    found = dict(numbers)
    for part in models(structure) if structure else ():
        for low, high in ordered_numbers(part):
            if np.any(found[low.key] >= found[high.key]):
                above = np.max(found[low.key]) + 1.0
                found[high.key] = np.full(np.shape(found[high.key]), above)
    return found


def models(structure: Structure) -> list[Part]:
    """The models of a structure."""
    named = (structure.neuron, structure.synapse, structure.output)
    inputs = [part for _, part in structure.inputs]
    inner = [part for model in inputs for _, part in model.parts]
    return [part for part in (*named, *inputs, *inner) if part is not None]


def declared_parameters(target: type) -> dict[str, Parameter]:
    """What a model says of its parameters; of a foreign model, what its signature says."""
    if issubclass(target, Dynamics) and target.parameters:
        return target.parameters
    found = {}
    signature = inspect.signature(target.__init__)  # type: ignore[misc]
    for name, argument in signature.parameters.items():
        if name not in ("in_size", "name", "self") and argument.kind in (
            argument.POSITIONAL_OR_KEYWORD,
            argument.KEYWORD_ONLY,
        ):
            default = None if argument.default is argument.empty else argument.default
            found[name] = Parameter(default, f"argument of {target.__name__}")
    return found


def _wanted(value: Any, declared: Parameter) -> str:
    """What a value that is no quantity should have been; empty if it is right."""
    default = declared.default
    if declared.choices:
        return "" if value in declared.choices else " or ".join(map(str, declared.choices))
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, int):
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return "" if whole else "a whole number, zero or positive"
    if isinstance(default, str) and value != default and declared.is_surrogate:
        from braintools import surrogate

        known = [n for n in surrogate.__all__ if n[0].isupper() and n != "Surrogate"]
        return "" if value in known else f"a surrogate; {did_you_mean(str(value), known)}"
    return ""
