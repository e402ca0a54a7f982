"""The models of a configuration as parts of a structure, their values as numbers."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.order import disorder
from neurolab.config.values import UnfitValueError, read_number
from neurolab.dynamics import Dynamics, Parameter
from neurolab.engine.structure import ModelSpec, Number
from neurolab.inputs import Input, InputFileError, SpikeInput
from neurolab.neurons import Neuron
from neurolab.problems import Problems, did_you_mean, show
from neurolab.results.run import open_run
from neurolab.units import Relative, UnitError, dimension_name, unit_text

__all__ = ["ModelReader", "ParsedValue", "declared_parameters"]


@dataclass(frozen=True)
class ParsedValue:
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
    parsed: dict[str, ParsedValue] = field(default_factory=dict)

    def model(
        self, node: Mapping[str, Any], key: str, base: type, signal: u.Unit | None = None
    ) -> ModelSpec | None:
        """The part that a node with a ``_target_`` describes; None if it cannot be one.

        ``signal`` is the unit of what an input stands for, where it is not a current.
        """
        if not isinstance(node, Mapping):
            more = f", such as +input@{key}=ou" if key.startswith("inputs.") else ""
            advice = f"expected an option{more}, or _target_ and parameters of a model"
            self.problems.add(key, show(node), advice)
            return None
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
        part = ModelSpec(target)
        recorded = target.recorded if issubclass(target, Input) else ()
        for name, value in node.items():
            if name == "_target_" or f"{key}.{name}" == "synapse.output":
                continue
            if name not in declared:
                self.problems.add(f"{key}.{name}", value, did_you_mean(name, declared))
            elif name not in recorded:
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
        part: ModelSpec,
        key: str,
        name: str,
        value: Any,
        declared: Parameter,
        signal: u.Unit | None,
    ) -> ModelSpec:
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
            if declared.is_number:
                wanted += f", or {dimension_name(self.unit(declared, signal))}"
            self.problems.add(key, show(value), f"expected {wanted}")
            return part
        try:
            hash(value := _fixed(value))
        except TypeError:
            self.problems.add(key, show(value), "expected a number, a text, or a list of these")
            return part
        return replace(part, fixed=(*part.fixed, (name, value)))

    def _number(
        self,
        part: ModelSpec,
        key: str,
        name: str,
        value: Any,
        declared: Parameter,
        signal: u.Unit | None,
    ) -> ModelSpec:
        unit = self.unit(declared, signal)
        try:
            numbers, relative = read_number(
                value, unit, declared, size=self.size, seed=self.seed, key=key
            )
        except UnfitValueError as error:
            self.problems.add(key, show(value), str(error))
            return part
        self.parsed[key] = ParsedValue(declared, unit, relative, np.shape(numbers))
        if relative:
            unit = u.ms if declared.role == "weight" else u.UNITLESS
            rheobase = getattr(self.neuron, "rheobase", None)
            if self.neuron is not None and rheobase in (None, Neuron.rheobase):
                advice = f"{self.neuron.__name__} has no rheobase; give a unit, such as 1 mA"
                self.problems.add(key, show(value), advice)
        return self._with_number(part, name, key, numbers, unit, relative)

    def _with_number(
        self, part: ModelSpec, name: str, key: str, numbers: Any, unit: u.Unit, relative: bool
    ) -> ModelSpec:
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
        self, part: ModelSpec, key: str, node: Mapping[str, Any], signal: u.Unit | None
    ) -> ModelSpec:
        """Recorded data become numbers, so that another recording needs no new program."""
        target: Any = part.target
        declared = declared_parameters(target)
        settings = {name: node.get(name, declared[name].default) for name in target.recorded}
        missing = [name for name, value in settings.items() if value in (None, "???")]
        for name in missing:
            self.problems.add(f"{key}.{name}", None, f"is needed: {declared[name].doc}")
        if missing:
            return part
        try:
            if issubclass(target, SpikeInput):
                settings = _spikes_of_run(settings)
            loaded = target.load(settings, self.size)
        except (UnitError, u.UnitMismatchError) as error:
            self.problems.add(f"{key}.unit", settings.get("unit"), str(error))
            return part
        except (InputFileError, OSError) as error:
            file = f"{key}.{target.recorded[0]}"
            self.problems.add(file, node.get(target.recorded[0]), str(error))
            return part
        expected = self.unit(Parameter(None, "", role="signal"), signal)
        for name, values in loaded.items():
            relative, where = isinstance(values, Relative), f"{key}.{name}"
            if declared[name].role == "events":
                self.numbers[where] = np.asarray(values)
                number = Number(where, u.UNITLESS)
                part = replace(part, numbers=(*part.numbers, (name, number)))
            elif relative:
                part = self._with_number(part, name, where, values.value, u.UNITLESS, relative)
            elif u.get_unit(values).has_same_dim(expected):
                mantissa = values.to(expected).mantissa
                part = self._with_number(part, name, where, mantissa, expected, relative)
            else:
                advice = f"expected {dimension_name(expected)}"
                self.problems.add(f"{key}.unit", settings.get("unit"), advice)
        return part


def _fixed(value: Any) -> Any:
    """A value that a structure can be compared by."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value


def _spikes_of_run(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the spikes of a run in place of its folder."""
    file = settings.get("file")
    if not isinstance(file, (str, Path)) or not Path(file).is_dir():
        return dict(settings)
    try:
        spikes = open_run(file).spikes
    except (ValueError, OSError) as error:
        raise InputFileError(f"{file} cannot be opened as a run: {error}") from error
    if spikes is None:
        raise InputFileError(f"{file} is a run that recorded no spikes (record.spikes=true)")
    table = np.column_stack([spikes["time"].values, spikes["neuron"].values])
    return {**settings, "file": table, "unit": "ms"}


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
