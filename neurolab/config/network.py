"""Populations and the projections between them.

A configuration without ``populations`` is one population: its neuron, synapse and input stand at
the top.  In a network every population is such a group, under its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.parts import read_population
from neurolab.config.reader import ModelReader
from neurolab.config.settings import SettingsReader
from neurolab.config.values import (
    UnfitValueError,
    out_of_range,
    read_drawn,
    read_time,
    rounded,
)
from neurolab.connectivity import Connectivity
from neurolab.distributions import FILE
from neurolab.dynamics import Parameter
from neurolab.engine.structure import ModelSpec, Number, PopulationSpec, Wiring
from neurolab.inputs.projection import Projection
from neurolab.problems import Problem, Problems, did_you_mean, show
from neurolab.results.layout import RESERVED

__all__ = ["NetworkReader", "size_of"]

_POPULATION = ("size", "neuron", "synapse", "receptors", "input", "inputs")
_PROJECTION = ("from", "to", "receptor", "connectivity", "weight", "delay")
_DELAY = Parameter(1.0 * u.ms, "time from a spike to its arrival", positive=True)


def size_of(config: Mapping[str, Any]) -> int:
    """Neurons in all of a configuration that is not checked yet."""
    groups = config.get("populations") or {"": config}
    nodes = groups.values() if isinstance(groups, Mapping) else ()
    sizes = [node.get("size") for node in nodes if isinstance(node, Mapping)]
    return sum(size for size in sizes if isinstance(size, int)) or 1


@dataclass
class NetworkReader:
    """Reads populations and projections; keeps the numbers and what was parsed of all."""

    config: Mapping[str, Any]
    seed: int
    dt_ms: float
    problems: Problems
    ordered: bool

    def __post_init__(self) -> None:
        self.first = ModelReader(0, self.seed, self.problems, "", self.ordered)
        self.readers: dict[str, ModelReader] = {}

    def read(self) -> tuple[tuple[PopulationSpec, ...], tuple[Wiring, ...]]:
        """All populations that can be, and the projections between them."""
        if not self.config.get("populations"):
            top = SettingsReader(self.config, "", self.problems)
            self.first.size = top.whole("size", 1, most=2**31 - 1)
            if self.config.get("projections"):
                advice = "needs populations to connect; see network= in --help"
                self.problems.add("projections", "", advice)
            found = read_population(self.config, self.first)
            return (() if found is None else (found,)), ()
        for key in _POPULATION:
            if self.config.get(key):
                advice = "is of one population alone, and there are several: those of each stand "
                advice += f"under its name, populations.NAME.{key}; network=single has one"
                given = self.config[key]
                given = given.get("_target_", "") if isinstance(given, Mapping) else given
                self.problems.add(key, show(given), advice)
        groups = {}
        for name, node in self._named("populations"):
            group = self._population(name, node)
            if group is not None:
                groups[name] = group
        wirings = []
        for name, node in self._named("projections"):
            wiring, model = self._projection(name, node, groups) or (None, None)
            if wiring is not None and model is not None:
                wirings.append(wiring)
                target = groups[node["to"]]
                inputs = (*target.inputs, (wiring.name, model))
                groups[target.name] = replace(target, inputs=inputs)
        return tuple(groups.values()), tuple(wirings)

    def _named(self, key: str) -> list[tuple[str, Mapping[str, Any]]]:
        nodes = self.config.get(key) or {}
        if not isinstance(nodes, Mapping):
            self.problems.add(key, show(nodes), "expected a mapping of names to what they are")
            return []
        found = []
        for name, node in nodes.items():
            where = f"{key}.{name}"
            if not re.fullmatch(r"[A-Za-z_]\w*", str(name)) or name in RESERVED:
                advice = "expected a name of letters, digits and _, no digit first"
                advice += f", and none of {', '.join(sorted(RESERVED))}"
                self.problems.add(where, str(name), advice)
            elif not isinstance(node, Mapping):
                self.problems.add(where, show(node), "expected a mapping")
            else:
                found.append((str(name), node))
        return found

    def _population(self, name: str, node: Mapping[str, Any]) -> PopulationSpec | None:
        settings = SettingsReader(node, f"populations.{name}", self.problems)
        settings.only(_POPULATION)
        size = settings.whole("size", 1, most=2**31 - 1)
        reader = ModelReader(
            size, self.seed, self.problems, f"populations.{name}.", self.ordered,
            numbers=self.first.numbers, parsed=self.first.parsed,
        )  # fmt: skip
        self.readers[name] = reader
        return read_population(node, reader)

    def _projection(
        self, name: str, node: Mapping[str, Any], groups: Mapping[str, PopulationSpec]
    ) -> tuple[Wiring, ModelSpec] | None:
        key = f"projections.{name}"
        settings = SettingsReader(node, key, self.problems)
        settings.only(_PROJECTION)
        for end in ("from", "to"):
            given = node.get(end)
            if given not in self.readers:
                advice = f"is no population; {did_you_mean(str(given), self.readers)}"
                self.problems.add(f"{key}.{end}", show(given), advice)
        source, target = groups.get(node.get("from", "")), groups.get(node.get("to", ""))
        if source is None or target is None:
            return None
        reader = self.readers[target.name]
        rule = reader.model(node.get("connectivity") or {}, f"{key}.connectivity", Connectivity)
        own = None if rule is None else self._own(rule, key, node, (source.size, target.size))
        model, weights = self._weight(key, node, reader, own)
        delays, slots = self._delay(key, node, own)
        if own is None or rule is None or model is None or delays is None:
            return None
        return Wiring(key, source.prefix, target.prefix, rule, delays, weights, slots), model

    def _own(
        self, rule: ModelSpec, key: str, node: Mapping[str, Any], sizes: tuple[int, int]
    ) -> dict[str, np.ndarray] | None:
        """The weights and delays that a rule brings of its own; None if its synapses cannot be."""
        where, target = f"{key}.connectivity", rule.target
        if not target.recorded:  # type: ignore[attr-defined]
            return {}
        if not rule.numbers:  # its file could not be read
            return None
        edges: Connectivity = rule.build(1, self.first.numbers, where)
        if why := edges.refuses(edges.pairs(*sizes, same=False)):
            given = target.recorded[0]  # type: ignore[attr-defined]
            self.problems.add(f"{where}.{given}", node["connectivity"][given], why)
            return None
        found = {name: getattr(edges, name) for name in ("weight", "delay")}
        return {name: np.asarray(value) for name, value in found.items() if value is not None}

    def _of_file(
        self, where: str, value: Any, own: Mapping[str, np.ndarray] | None, drawn: Any
    ) -> np.ndarray | None:
        """What a file has of a projection's weights or delays, where these are to be taken."""
        name = where.rpartition(".")[2]
        there = (own or {}).get(name)
        if drawn is None or drawn[0] != FILE:
            if there is not None:
                advice = f"leaves the {name}s of the file unused; {name}=[{FILE}, ...] takes them, "
                advice += f"such as [{FILE}, {'1 ms' if name == 'delay' else '1 nS'}]"
                self.problems.warnings.append(Problem(where, show(value), advice))
            return None
        if there is None and own is not None:
            advice = f"takes {name}s that the rule of connectivity brings, and it brings none: "
            advice += f"a file with {name}s does, connectivity=edges or sonata; or give one for all"
            raise UnfitValueError(advice)
        return there

    def _weight(
        self,
        key: str,
        node: Mapping[str, Any],
        reader: ModelReader,
        own: Mapping[str, np.ndarray] | None,
    ) -> tuple[ModelSpec | None, str | None]:
        """The input that the projection is, and the distribution of its weights."""
        reader.output = reader.fed(key, node)
        declared, value = Projection.parameters["weight"], node.get("weight")
        fixed = (("receptor", node.get("receptor")),)
        try:
            if value is None:
                raise UnfitValueError(f"is needed: {declared.doc}")
            drawn = read_drawn(value, reader.unit(declared), declared)
            there = self._of_file(f"{key}.weight", value, own, drawn)
            if drawn is None:
                number = reader.number(f"{key}.weight", value, declared)
                return ModelSpec(Projection, fixed, (("weight", number),)), None
            name, arguments = drawn
            if there is not None and (
                wrong := out_of_range(there * arguments[0], reader.bounded(declared))
            ):
                raise UnfitValueError(wrong)
        except UnfitValueError as error:
            self.problems.add(f"{key}.weight", show(value), str(error))
            return None, None
        # What arrives is the sum of weights already; of those of a file the factor comes after.
        of_file, one = name == FILE, np.ones(1)
        reader.numbers[f"{key}.weight"] = one if of_file else arguments
        reader.numbers[f"{key}.unit"] = (arguments if of_file else one)[0]
        factor = Number(f"{key}.unit", reader.unit(declared))
        return ModelSpec(Projection, fixed, (("weight", factor),)), name

    def _delay(
        self, key: str, node: Mapping[str, Any], own: Mapping[str, np.ndarray] | None
    ) -> tuple[tuple[int, int] | None, str | None]:
        """The least and the most delay in steps, and the distribution of them."""
        where, value = f"{key}.delay", node.get("delay")
        try:
            drawn = None if value is None else read_drawn(value, u.ms, _DELAY)
            there = self._of_file(where, value, own, drawn)
        except UnfitValueError as error:
            self.problems.add(where, show(value), str(error))
            return None, None
        if drawn is None:
            delay = read_time(value, where, self.problems)
            if delay is None:
                return None, None
            if delay < self.dt_ms * (1 - 1e-9):
                advice = f"is less than a step, dt = {self.dt_ms:g} ms; at least one is needed"
                self.problems.add(where, show(value), advice)
                return None, None
            self.problems.warnings += rounded(where, value, delay, self.dt_ms)
            steps = max(round(delay / self.dt_ms), 1)
            return (steps, steps), None
        name, arguments = drawn
        if name == FILE:
            steps_of = self._steps(where, value, there, arguments)
            return steps_of, name
        bounds = {"uniform": (0, 1), "truncated_normal": (2, 3)}.get(name)
        if bounds is None:
            advice = "delays need bounds: [uniform, low, high] or [truncated_normal, mean, std, "
            self.problems.add(where, show(value), f"{advice}low, high]")
            return None, None
        low, high = (arguments[k] / self.dt_ms for k in bounds)
        if low < 0.5 * (1 - 1e-9):
            advice = f"may be less than half a step, dt = {self.dt_ms:g} ms; at least one is needed"
            self.problems.add(where, show(value), f"{advice}: raise the lower bound")
            return None, None
        self.first.numbers[where] = arguments
        return (max(int(np.rint(low)), 1), max(int(np.rint(high)), 1)), name

    def _steps(
        self, where: str, value: Any, there: np.ndarray | None, factor: np.ndarray
    ) -> tuple[int, int] | None:
        """The least and the most delay, in steps, of those that a file has."""
        if there is None:
            return None
        self.first.numbers[where] = factor
        steps = there * factor[0] / self.dt_ms
        least, most = steps.min(initial=np.inf), steps.max(initial=0.0)
        if least < 0.5 * (1 - 1e-9) or most >= 2**31:
            at = int(np.argmin(steps) if least < 0.5 else np.argmax(steps))
            advice = f"edge {at} (from 0) of the file has a delay of {steps[at] * self.dt_ms:g} ms"
            advice += f"; half a step is the least, dt = {self.dt_ms:g} ms, and 2^31 steps the most"
            self.problems.add(where, show(value), advice)
            return None
        off = np.abs(steps - np.rint(steps)) > 1e-6 * steps
        if off.any():
            at = int(np.argmax(off))
            used = max(round(steps[at]), 1) * self.dt_ms
            advice = f"is no multiple of dt = {self.dt_ms:g} ms for {off.sum()} of {off.size} edges"
            advice += f": edge {at} (from 0) gets {used:g} for {steps[at] * self.dt_ms:g} ms"
            self.problems.warnings.append(Problem(where, show(value), advice))
        bounds = (least, most) if steps.size else (1, 1)
        return (max(int(np.rint(bounds[0])), 1), max(int(np.rint(bounds[1])), 1))
