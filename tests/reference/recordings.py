"""Reading the recorded cases: descriptions, inputs and arrays."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import brainunit as u
import numpy as np

from neurolab.units import parse

FOLDER = Path(__file__).parent

#: Neurons per case.
SIZE = 8


@cache
def cases() -> dict[str, dict[str, Any]]:
    """Every case by its name: class, parameters, initial values, inputs, how far to compare."""
    return json.loads((FOLDER / "cases.json").read_text())


@cache
def gradient_cases() -> dict[str, dict[str, Any]]:
    """The gradients of a mean over 500 steps with respect to each parameter."""
    return json.loads((FOLDER / "gradients.json").read_text())


@cache
def inputs() -> dict[str, np.ndarray]:
    """The dimensionless drives, one column per neuron."""
    with np.load(FOLDER / "inputs.npz") as file:
        return {key: file[key].astype(float) for key in file.files}


@cache
def _arrays() -> dict[str, dict[str, np.ndarray]]:
    found: dict[str, dict[str, np.ndarray]] = {}
    with np.load(FOLDER / "recordings.npz") as file:
        for key in file.files:
            case, _, name = key.partition("/")
            array = file[key]
            found.setdefault(case, {})[name] = unpack(array) if array.dtype == np.uint8 else array
    return found


def recording(name: str) -> dict[str, np.ndarray]:
    """The arrays of one case: ``steps`` and, for each of them, a row per variable."""
    return _arrays()[name]


def unpack(planes: np.ndarray) -> np.ndarray:
    """Floats ``(rows, SIZE)`` from the byte planes of the second differences of their bits."""
    bits = np.ascontiguousarray(planes.T).reshape(-1).view(np.int64).reshape(SIZE, -1)
    return np.cumsum(np.cumsum(bits, axis=1), axis=1).view(np.float64).T


def value(text: Any) -> u.Quantity:
    """A quantity from ``"20 ms"``, a number, or a list of them (one per neuron)."""
    if not isinstance(text, list):
        return parse(text)
    quantities = [parse(item) for item in text]
    unit = quantities[0].unit
    return u.Quantity(np.array([q.to(unit).mantissa for q in quantities]), unit=unit)


def raster(name: str) -> np.ndarray:
    """The recorded spikes as an array ``(n_steps, SIZE)`` of 0 and 1."""
    spikes = np.zeros((cases()[name]["n_steps"], SIZE))
    spikes[tuple(recording(name)["spikes"].T)] = 1
    return spikes
