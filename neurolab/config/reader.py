"""The models of a configuration as parts of a structure, their values as numbers."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.order import disorder
from neurolab.config.settings import is_whole
from neurolab.config.values import (
    UnfitValueError,
    is_default,
    read_number,
    relative_unit,
    unit_given,
)
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
    #: As it was given; None for what has no unit, as 0.
    given: u.Unit | None = None

    @property
    def unit_name(self) -> str:
        """The unit of the number, as a person reads it; empty for a plain number."""
        if not self.relative:
            return unit_text(self.unit)
        return "rheobase*ms" if self.declared.role == "weight" else "rheobase"


@dataclass
class ModelReader:
    """Reads the models of one configuration; keeps the numbers and the problems it finds."""

    size: int
    seed: int
    problems: Problems
    ordered: bool = True  # whether values that must lie above one another and do not are a problem
    neuron: Any = None
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
        recorded = target.recorded if issubclass(target, Input) else ()
        values: dict[str, Any] = {}
        for name, value in self._chosen(node, key, target, declared).items():
            where = f"{key}.{name}"
            if name == "_target_" or where == "synapse.output" or name in recorded:
                continue
            try:
                if name not in declared:
                    raise UnfitValueError(did_you_mean(name, declared))
                found = self._value(where, value, declared[name], signal)
            except UnfitValueError as error:
                self.problems.add(where, None if value == "???" else show(value), str(error))
                continue
            if found is not None or value is None:  # else a model that cannot be
                values[name] = found
        if recorded:
            values |= self._recorded(target, key, node, signal)
        numbers = {k: v for k, v in values.items() if isinstance(v, Number)}
        parts = {k: v for k, v in values.items() if isinstance(v, ModelSpec)}
        fixed = {k: v for k, v in values.items() if k not in numbers and k not in parts}
        spec = ModelSpec(target, *(tuple(some.items()) for some in (fixed, numbers, parts)))
        self.problems.found += disorder(spec, self.numbers) if self.ordered else ()
        return spec

    def _chosen(
        self, node: Mapping[str, Any], key: str, target: type, declared: Mapping[str, Parameter]
    ) -> dict[str, Any]:
        """A node without what follows from others: without R where g_L is given."""
        chosen = dict(node)
        for derived, instead in getattr(target, "alternatives", ()):
            other = node.get(instead)
            value = chosen.get(derived) if other is None else chosen.pop(derived, None)
            if value is None and derived in node and other is None:
                self.problems.add(f"{key}.{derived}", "null", f"is needed, or {instead}")
                chosen.pop(derived)
            if value is None or other is None or is_default(value, declared[derived]):
                continue
            advice = f"follows from {key}.{instead} = {show(other)}; leave one out: "
            advice += f"{key}.{derived}=null or {key}.{instead}=null"
            self.problems.add(f"{key}.{derived}", show(value), advice)
        return chosen

    def locate(self, path: Any, key: str, base: type) -> Any:
        """The class that a dotted path names; None if it names none."""
        try:
            return _class_at(path, base)
        except UnfitValueError as error:
            self.problems.add(key, path, str(error))
            return None

    def _value(self, key: str, value: Any, declared: Parameter, signal: u.Unit | None) -> Any:
        """The argument of a model: a number, a model inside it, or what programs are compiled for;
        an `UnfitValueError` for what the parameter may not be."""
        if isinstance(value, Mapping) and "_target_" in value:
            return self.model(value, key, Input, signal=u.Hz)
        if value is None and declared.measures is not None:
            return None
        if value == "???":
            raise UnfitValueError(f"is needed: {declared.doc}")
        unit = self.unit(declared, signal)
        word = isinstance(declared.default, str) and isinstance(value, str) and value.isidentifier()
        if not declared.is_number or word:
            return _fixed(value, declared, unit)
        numbers, relative = read_number(
            value, unit, declared, size=self.size, seed=self.seed, key=key
        )
        shape, given = np.shape(numbers), unit_given(value)
        self.parsed[key] = ParsedValue(declared, unit, relative, shape, given)
        without = getattr(self.neuron, "rheobase", None) in (None, Neuron.rheobase)
        if relative and self.neuron is not None and without:
            name = self.neuron.__name__
            raise UnfitValueError(f"{name} has no rheobase; give a unit, such as 1 mA")
        own = relative_unit(unit, declared) if relative else unit
        return self._number(key, numbers, own, relative)

    def _number(self, key: str, values: Any, unit: u.Unit, relative: bool = False) -> Number:
        self.numbers[key] = np.asarray(values)
        per_neuron = np.shape(values)[-1:] == (self.size,) and self.size > 1
        return Number(key, unit, relative, per_neuron)

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
        self, target: Any, key: str, node: Mapping[str, Any], signal: u.Unit | None
    ) -> dict[str, Number]:
        """Recorded data become numbers, so that another recording needs no new program."""
        declared = declared_parameters(target)
        settings = {name: node.get(name, declared[name].default) for name in target.recorded}
        missing = [name for name, value in settings.items() if value in (None, "???")]
        for name in missing:
            self.problems.add(f"{key}.{name}", None, f"is needed: {declared[name].doc}")
        if missing:
            return {}
        found = {}
        expected = self.unit(Parameter(None, "", role="signal"), signal)
        try:
            if issubclass(target, SpikeInput):
                settings = _spikes_of_run(settings)
            for name, values in target.load(settings, self.size).items():
                where = f"{key}.{name}"
                if declared[name].role == "events":
                    self.numbers[where] = np.asarray(values)
                    found[name] = Number(where, u.UNITLESS)
                elif isinstance(values, Relative):
                    found[name] = self._number(where, values.value, u.UNITLESS, relative=True)
                elif u.get_unit(values).has_same_dim(expected):
                    found[name] = self._number(where, values.to(expected).mantissa, expected)
                else:
                    raise UnitError(f"expected {dimension_name(expected)}")
        except (UnitError, u.UnitMismatchError) as error:
            self.problems.add(f"{key}.unit", settings.get("unit"), str(error))
        except (InputFileError, OSError) as error:
            file = target.recorded[0]
            self.problems.add(f"{key}.{file}", node.get(file), str(error))
        return found


def _class_at(path: Any, base: type) -> Any:
    if not isinstance(path, str) or "." not in path:
        raise UnfitValueError("expected the dotted path of a class, such as neurolab.neurons.LIF")
    name, _, attribute = path.rpartition(".")
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise UnfitValueError(f"cannot be imported: {error}; is it on PYTHONPATH?") from error
    if not hasattr(module, attribute):
        known = [n for n, v in vars(module).items() if inspect.isclass(v)]
        raise UnfitValueError(f"{name} has no '{attribute}'; {did_you_mean(attribute, known)}")
    target = getattr(module, attribute)
    if not (inspect.isclass(target) and issubclass(target, base)):
        raise UnfitValueError(f"expected a class derived from {base.__name__}")
    return target


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


def _fixed(value: Any, declared: Parameter, unit: u.Unit) -> Any:
    """A value that is no quantity, as a structure can be compared by it."""
    wanted = _wanted(value, declared)
    if wanted:
        more = f", or {dimension_name(unit)}" if declared.is_number else ""
        raise UnfitValueError(f"expected {wanted}{more}")
    try:
        hash(value := _as_tuple(value))
    except TypeError:
        raise UnfitValueError("expected a number, a text, or a list of these") from None
    return value


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def _wanted(value: Any, declared: Parameter) -> str:
    """What a value that is no quantity should have been; empty if it is right."""
    default = declared.default
    if declared.choices:
        return "" if value in declared.choices else " or ".join(map(str, declared.choices))
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, int):
        return "" if is_whole(value) else "a whole number, zero or positive"
    if isinstance(default, str) and value != default and declared.is_surrogate:
        from braintools import surrogate

        known = [n for n in surrogate.__all__ if n[0].isupper() and n != "Surrogate"]
        return "" if value in known else f"a surrogate; {did_you_mean(str(value), known)}"
    return ""
