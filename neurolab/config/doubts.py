"""What can be computed and is probably not what was meant: warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neurolab.engine.structure import ModelSpec, Structure
from neurolab.problems import Problem

__all__ = ["doubts"]


def doubts(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    """Warnings of numbers, those of one point or of many: time constants that are too short for the
    step, and cells that start above their threshold."""
    return [*_short_times(structure, numbers), *_above(structure, numbers)]


def _short_times(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    found, dt_ms = [], structure.dt_ms
    for model in structure.named().values():
        for name, key, shortest in _times(model, numbers):
            if name == "tau_ref" and 0 < shortest < dt_ms:
                advice = f"is shorter than a step, dt = {dt_ms:g} ms: no step is held"
            elif name != "tau_ref" and shortest < 2 * dt_ms:
                advice = f"is less than two steps, dt = {dt_ms:g} ms: expect large errors"
            else:
                continue
            found.append(Problem(key, f"{shortest:g} ms", advice))
    return found


def _times(model: ModelSpec, numbers: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """The time constants of a model: names, keys, and the shortest in ms."""
    given = {name: np.asarray(numbers[number.key]) for name, number in model.numbers}
    keys = {name: number.key for name, number in model.numbers}
    for name in [name for name in given if name.startswith("tau")]:
        yield name, keys[name], float(np.min(given[name]))
    if "C" in given and ("g_L" in given or "R" in given):  # in pF and nS, or ohm
        leak = given["g_L"] if "g_L" in given else 1e9 / given["R"]
        yield "tau", keys["C"], float(np.min(given["C"]) / np.max(leak))


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
