"""The models of a configuration as parts of a structure, their values as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.classes import class_at, declared_parameters
from neurolab.config.order import disorder
from neurolab.config.recorded import spikes_of_run
from neurolab.config.values import (
    UnfitValueError,
    fixed_value,
    read_number,
    relative_unit,
    unit_given,
)
from neurolab.connectivity import Connectivity
from neurolab.dynamics import Parameter
from neurolab.engine.population import receptor_of
from neurolab.engine.structure import ModelSpec, Number
from neurolab.inputs import Input, InputFileError, SpikeInput
from neurolab.neurons import Neuron
from neurolab.problems import Problems, did_you_mean, show
from neurolab.synapses import Current, Output, Synapse
from neurolab.units import Relative, UnitError, dimension_name, unit_text

__all__ = ["CONDUCTANCE", "ModelReader", "ParsedValue"]

#: Why a weight may not be negative.
CONDUCTANCE = "through a conductance, which inhibits by its reversal: output.E=inhibitory"


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
    #: What the keys of the population that is read begin with.
    prefix: str = ""
    ordered: bool = True  # whether values that must lie above one another and do not are a problem
    neuron: Any = None
    #: Output of the receptor that is read, or that the input which is read feeds; None: V itself.
    output: Any = None
    receptors: Mapping[str, ModelSpec] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    parsed: dict[str, ParsedValue] = field(default_factory=dict)

    def model(
        self, node: Mapping[str, Any], key: str, base: type, signal: u.Unit | None = None
    ) -> ModelSpec | None:
        """The part that a node with a ``_target_`` describes; None if it cannot be one.

        ``signal`` is the unit of what an input stands for, where it is not a current.
        """
        own = key.removeprefix(self.prefix)
        above, _, last = own.rpartition(".")
        group, usual = {"inputs": ("input", "ou"), "receptors": ("synapse", "expon")}.get(
            above, ({"output": "synapse/output", "rates": "input/rates"}.get(last, last), "")
        )
        if not isinstance(node, Mapping) or (usual and "_target_" not in node):
            named = isinstance(node, str) and re.fullmatch(r"[\w/]+", node)
            option, place = node if named else usual, f"{group}@{key}"
            if key in ("synapse.output", "input.rates"):
                place = group
            such = f", such as {'+' * bool(usual)}{place}={option} ("
            such += "without + where there is one already; " * bool(usual)
            more = f"{such}in defaults /{place}: {option})" if option and "." in key else ""
            advice = f"expected an option{more}, or _target_ and parameters of a model"
            self.problems.add(key, show(node), advice)
            return None
        inside = [name for name, v in node.items() if isinstance(v, Mapping) and "_target_" in v]
        if "_target_" not in node and inside:
            advice = "is a part, not the model: in the defaults of a file, options end in @_here_"
            self.problems.add(
                f"{key}.{inside[0]}", None, f"{advice}: /neuron/naud2008/tonic@_here_"
            )
            return None
        target = self.locate(node.get("_target_"), f"{key}._target_", base)
        if own == "neuron" and target and issubclass(target, (Input, Synapse, Output)):
            self.problems.add(
                f"{key}._target_", node["_target_"], "is no neuron; see neuron= in --help"
            )
            target = None
        if target is None:
            return None
        declared = {
            name: parameter
            for name, parameter in declared_parameters(target).items()
            if parameter.role not in ("samples", "events")  # they come from a file
        }
        if own == "neuron":
            self.neuron = target
        elif issubclass(target, Output):
            self.output = target
            if why := target.refuses(getattr(self.neuron, "potential_unit", u.mV)):
                self.problems.add(key, target.__name__, f"{why}; see synapse/output= in --help")
        elif issubclass(target, Synapse):
            self.output = Current
        elif issubclass(target, Input):
            self.output = self.fed(key, node) if issubclass(target, SpikeInput) else None
        recorded = target.recorded if issubclass(target, (Input, Connectivity)) else ()
        values: dict[str, Any] = {}
        chosen = self._chosen(node, key, target, declared)
        # What a synapse does to the cell first: the units of its values are by that.
        for name, value in sorted(chosen.items(), key=lambda item: item[0] != "output"):
            where = f"{key}.{name}"
            if name == "_target_" or name in recorded:
                continue
            try:
                if name not in declared:
                    if value is None and self.prefix:  # of a network's file, to another option
                        continue
                    advice = f"{target.__name__} has no {name}; {did_you_mean(name, declared)}"
                    if self.prefix:  # of a network
                        advice += f". If it is from the network's file, ~{where} leaves it out"
                    raise UnfitValueError(advice)
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

    def fed(self, key: str, node: Mapping[str, Any]) -> Any:
        """What the receptor that an input feeds does to the cell; None without a receptor."""
        try:
            fed = receptor_of(node.get("receptor"), self.receptors)
        except ValueError as error:
            self.problems.add(f"{key}.receptor", node.get("receptor"), str(error))
            return None
        output = None if fed is None else dict(self.receptors[fed].parts).get("output")
        return None if fed is None else Current if output is None else output.target

    def _chosen(
        self, node: Mapping[str, Any], key: str, target: type, declared: Mapping[str, Parameter]
    ) -> dict[str, Any]:
        """A node without what follows from others: without R where g_L is given."""
        chosen = dict(node)
        for derived, instead in getattr(target, "alternatives", ()):
            other = node.get(instead) if declared[instead].measures is not None else None
            value = chosen.get(derived) if other is None else chosen.pop(derived, None)
            if value is None and derived in node and other is None:
                self.problems.add(f"{key}.{derived}", "null", f"is needed, or {instead}")
                chosen.pop(derived)
            if value is None or other is None:
                continue
            advice = f"follows from {key}.{instead} = {show(other)}; leave one out: "
            advice += f"{key}.{derived}=null or {key}.{instead}=null"
            self.problems.add(f"{key}.{derived}", show(value), advice)
        return chosen

    def locate(self, path: Any, key: str, base: type) -> Any:
        """The class that a dotted path names; None if it names none."""
        try:
            return class_at(path, base)
        except UnfitValueError as error:
            self.problems.add(key, path, str(error))
            return None

    def _value(self, key: str, value: Any, declared: Parameter, signal: u.Unit | None) -> Any:
        """The argument of a model: a number, a model inside it, or what programs are compiled for;
        an `UnfitValueError` for what the parameter may not be."""
        inner = isinstance(value, Mapping) and "_target_" in value
        if inner or (declared.part is not None and value is not None):
            before = self.output
            found = self.model(value, key, declared.part or Input, signal=u.Hz)
            self.output = self.output if declared.part is Output else before
            return found
        if value is None and declared.measures is not None:
            return None
        if value == "???":
            raise UnfitValueError(f"is needed: {declared.doc}")
        unit = self.unit(declared, signal)
        word = isinstance(declared.default, str) and isinstance(value, str) and value.isidentifier()
        if not declared.is_number or word:
            return fixed_value(value, declared, unit)
        return self.number(key, value, declared, signal)

    def number(
        self, key: str, value: Any, declared: Parameter, signal: u.Unit | None = None
    ) -> Number:
        """A value that is a quantity; an `UnfitValueError` for what the parameter may not be."""
        unit, declared = self.unit(declared, signal), self.bounded(declared)
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

    def bounded(self, declared: Parameter) -> Parameter:
        """A parameter with the range that is left of its own by what it acts on."""
        g = declared.role in ("weight", "g")
        if g and self.output and self.output.depends_on_potential:
            return replace(declared, nonnegative=True, why=CONDUCTANCE)
        return declared

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
        missing = [name for name in missing if name not in getattr(target, "optional", ())]
        for name in missing:
            self.problems.add(f"{key}.{name}", None, f"is needed: {declared[name].doc}")
        if missing:
            return {}
        found = {}
        expected = self.unit(Parameter(None, "", role="signal"), signal)
        try:
            if issubclass(target, SpikeInput):
                settings = spikes_of_run(settings)
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
            where = "unit" if "unit" in settings else target.recorded[0]
            self.problems.add(f"{key}.{where}", settings.get(where), str(error))
        except (InputFileError, OSError) as error:
            file = target.recorded[0]
            self.problems.add(f"{key}.{file}", node.get(file), str(error))
        except Exception as error:  # whatever a model of the user's own does with its settings
            file, what = target.recorded[0], str(error) or type(error).__name__
            self.problems.add(f"{key}.{file}", show(node.get(file)), f"cannot be read: {what}")
        return found
