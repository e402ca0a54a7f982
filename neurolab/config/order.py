"""Values of a model that must lie above one another, such as V_th above V_reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurolab.engine.structure import ModelSpec, Number, Structure
from neurolab.problems import Problem

__all__ = ["disorder", "in_order", "models", "ordered_numbers"]


def disorder(part: ModelSpec, numbers: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the values of a model that must lie above one another."""
    found = []
    for low, high in ordered_numbers(part):
        lower, upper = numbers[low.key], numbers[high.key]
        if np.any(lower >= upper):
            advice = f"must lie above {low.key} = {np.max(lower):g} {low.unit}"
            found.append(Problem(high.key, f"{np.min(upper):g} {high.unit}", advice))
    return found


def ordered_numbers(part: ModelSpec) -> list[tuple[Number, Number]]:
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


def models(structure: Structure) -> list[ModelSpec]:
    """The models of a structure."""
    named = (structure.neuron, structure.synapse, structure.output)
    inputs = [part for _, part in structure.inputs]
    inner = [part for model in inputs for _, part in model.parts]
    return [part for part in (*named, *inputs, *inner) if part is not None]
