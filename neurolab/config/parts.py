"""The models that a population has several of: receptors and inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import brainstate

from neurolab.config.reader import ModelReader
from neurolab.engine.structure import ModelSpec, PopulationSpec
from neurolab.inputs import Input
from neurolab.synapses import Synapse

__all__ = ["read_population"]


@dataclass(frozen=True)
class _Kind:
    """Models of one base: one that is chosen by itself, and more that have names."""

    one: str
    more: str
    base: type
    example: str


_RECEPTORS = _Kind("synapse", "receptors", Synapse, "+synapse@receptors.gaba=expon")
_INPUTS = _Kind("input", "inputs", Input, "+input@inputs.noise=ou")


def read_population(config: Mapping[str, Any], reader: ModelReader) -> PopulationSpec | None:
    """A population: its neuron, receptors and inputs; None if its neuron cannot be one."""
    key = f"{reader.prefix}neuron"
    neuron = reader.model(config.get("neuron", {}), key, brainstate.nn.Dynamics)
    receptors = _read_parts(config, reader, _RECEPTORS)
    inputs = _read_parts(config, reader, _INPUTS)
    if neuron is None or not reader.size:
        return None
    return PopulationSpec(reader.prefix, reader.size, neuron, receptors, inputs)


def _read_parts(
    config: Mapping[str, Any], reader: ModelReader, kind: _Kind
) -> tuple[tuple[str, ModelSpec], ...]:
    """The models of a kind by their keys: ``synapse``, ``receptors.gaba``."""
    nodes: dict[str, Any] = {kind.one: config[kind.one]} if config.get(kind.one) else {}
    named = config.get(kind.more) or {}
    if not isinstance(named, Mapping):
        advice = f"expected {kind.more} by their names; {kind.example} adds one"
        reader.problems.add(reader.prefix + kind.more, named, advice)
        named = {}
    for name in named:
        wrong = "is the one that has no name" if name == kind.one else ""
        if not re.fullmatch(r"[A-Za-z_]\w*", str(name)):
            wrong = "expected a name of letters, digits and _, and no digit first"
        if wrong:
            reader.problems.add(
                f"{reader.prefix}{kind.more}.{name}",
                str(name),
                f"{wrong}; {kind.example} adds one",
            )
    nodes |= {f"{kind.more}.{name}": node for name, node in named.items()}
    parts = {key: reader.model(node, reader.prefix + key, kind.base) for key, node in nodes.items()}
    found = {key: part for key, part in parts.items() if part is not None}
    if kind is _RECEPTORS:
        reader.receptors = found
    return tuple(found.items())
