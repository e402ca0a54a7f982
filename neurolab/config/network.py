"""Populations and the projections between them.

A configuration without ``populations`` is one population: its neuron, synapse and input stand at
the top.  In a network every population is such a group, under its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from neurolab.config.parts import read_population
from neurolab.config.projection import ProjectionReader
from neurolab.config.reader import ModelReader
from neurolab.config.settings import SettingsReader
from neurolab.engine.projections import Wiring
from neurolab.engine.structure import ModelSpec, PopulationSpec
from neurolab.problems import Problems, did_you_mean, show
from neurolab.results.layout import RESERVED

__all__ = ["NetworkReader", "size_of", "sizes_of"]

_POPULATION = ("size", "neuron", "synapse", "receptors", "input", "inputs")
_PROJECTION = ("from", "to", "receptor", "connectivity", "weight", "delay")


def sizes_of(config: Mapping[str, Any]) -> dict[str, int]:
    """Neurons of each population of a configuration that is not checked yet, by their keys."""
    groups = config.get("populations") or {}
    nodes = groups.items() if isinstance(groups, Mapping) else ()
    found = {f"populations.{name}.size": of.get("size") for name, of in nodes if hasattr(of, "get")}
    found = found or {"size": config.get("size")}
    return {key: size for key, size in found.items() if isinstance(size, int)}


def size_of(config: Mapping[str, Any]) -> int:
    """Neurons in all of a configuration that is not checked yet."""
    return sum(sizes_of(config).values()) or 1


def of_one(key: str, like: str = "") -> str:
    """What is said of a key that a network with several populations has not, and which is ``like``
    it; else nothing."""
    if key.partition(".")[0] not in _POPULATION:
        return ""
    advice = "is of one population alone, and there are several: those of each stand under its name"
    return f"{advice}, {like or f'populations.NAME.{key}'}; network=single has one"


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
                advice = of_one(key)
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
            if not isinstance(given, str) or given not in self.readers:
                advice = f"is no population; {did_you_mean(str(given), self.readers)}"
                self.problems.add(f"{key}.{end}", show(given), advice)
        source, target = (groups.get(str(node.get(end))) for end in ("from", "to"))
        if source is None or target is None:
            return None
        reader = self.readers[target.name]
        return ProjectionReader(key, node, source, target, reader, self.dt_ms).read()
