"""What can be computed and is probably not what was meant: warnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurolab.engine.structure import Structure
from neurolab.problems import Problem

__all__ = ["doubts"]


def doubts(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    """Warnings of numbers, those of one point or of many: time constants that are too short for the
    step, and cells that start above their threshold."""
    return [*_short_times(structure, numbers), *_above(structure, numbers)]


def _short_times(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    found, dt_ms = [], structure.dt_ms
    for model in structure.named().values():
        for name, number in model.numbers:
            if not name.startswith("tau"):
                continue
            shortest = float(np.min(numbers[number.key]))
            if name == "tau_ref" and 0 < shortest < dt_ms:
                advice = f"is shorter than a step, dt = {dt_ms:g} ms: no step is held"
            elif name != "tau_ref" and shortest < 2 * dt_ms:
                advice = f"is less than two steps, dt = {dt_ms:g} ms: expect large errors"
            else:
                continue
            found.append(Problem(number.key, f"{shortest:g} ms", advice))
    return found


def _above(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    keys = {name: number.key for name, number in structure.neuron.numbers}
    V, threshold = keys.get("V_initializer"), keys.get("V_th", keys.get("V_th_initializer"))
    if V is None or threshold is None:
        return []
    start, level = np.asarray(numbers[V]), np.asarray(numbers[threshold])
    if start.ndim != level.ndim:  # those of many points, or neurons, beside one
        start, level = start[..., None], level[..., None]
    above = np.any(start >= level)
    if not above:
        return []
    advice = (
        f"starts at or above the threshold, {threshold} = {float(level.min()):g} in its unit, and "
        f"is reset before the first step; give {V} the resting potential"
    )
    return [Problem(V, f"{float(start.max()):g} (in the same unit)", advice)]
