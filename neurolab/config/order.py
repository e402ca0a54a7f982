"""Values of a model that must lie above one another, such as V_th above V_reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurolab.engine.structure import ModelSpec, Number, Structure
from neurolab.problems import Problem

__all__ = ["crossed", "disorder", "in_order", "ordered_numbers", "out_of_order"]


def disorder(part: ModelSpec, numbers: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the values of a model that must lie above one another."""
    found = []
    for low, high in ordered_numbers(part):
        below, above, wrong = crossed(numbers[low.key][None], numbers[high.key][None])
        if wrong.any():
            found.append(out_of_order(low, high, below[0], above[0]))
    return found


def crossed(lower: np.ndarray, upper: np.ndarray) -> tuple[Any, Any, Any]:
    """Of values whose first axis is that of points, the second that of neurons if there is one: the
    largest lower and the smallest upper value, and at which points some pair is out of order."""
    lower, upper = (values.reshape(len(values), -1) for values in (lower, upper))
    return lower.max(axis=1), upper.min(axis=1), np.any(lower >= upper, axis=1)


def out_of_order(low: Number, high: Number, below: float, above: float) -> Problem:
    """That ``high`` is not above ``low``."""
    advice = f"must lie above {low.key} = {below:g} {low.unit}"
    return Problem(high.key, f"{above:g} {high.unit}", advice)


def ordered_numbers(part: ModelSpec) -> list[tuple[Number, Number]]:
    """Pairs of numbers of a model of which the first must be the smaller."""
    given = dict(part.numbers)
    pairs = [
        (given[low], given[high])
        for low, high in getattr(part.target, "ordered", ())
        if low in given and high in given
    ]
    return [(low, high) for low, high in pairs if low.relative == high.relative]


def in_order(structure: Structure, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that models can be built with, where those given do not lie above one another."""
    found = dict(numbers)
    for part in structure.named().values():
        for low, high in ordered_numbers(part):
            if np.any(found[low.key] >= found[high.key]):
                above = np.max(found[low.key]) + 1.0
                found[high.key] = np.full(np.shape(found[high.key]), above)
    return found
