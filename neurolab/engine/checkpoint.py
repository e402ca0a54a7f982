"""A state as arrays of whole populations, whatever devices or batch it was computed with, and back.

A device has places for more neurons than its own, bits of spikes are packed for each, and of points
computed together some only fill the program's shape: none of that is in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from neurolab.engine.loop import State
from neurolab.engine.program import Program
from neurolab.engine.structure import Numbers

__all__ = ["gathered", "scattered"]


def gathered(
    program: Program, state: Mapping[str, Any], n_points: int = 1
) -> dict[str, np.ndarray]:
    """The variables of a state: of each neuron in the order of its population, of the first
    ``n_points`` points where there is an axis of them."""
    found = {}
    for name, values in state.items():
        value = np.asarray(values)
        if program.points is not None and value.ndim:
            value = value[:n_points]
        found[name] = _flat(program, name, value)[_places(program, name, value)]
    return found


def scattered(program: Program, numbers: Numbers, arrays: Mapping[str, np.ndarray]) -> State:
    """The state of a program that arrays are of; points that fill its shape are as the last.

    Raises
    ------
    ValueError
        They are of another structure.
    """
    start, found = program.start(numbers), {}
    if start.keys() != arrays.keys():
        differ = ", ".join(sorted(start.keys() ^ arrays.keys()))
        raise ValueError(f"the state is of other models: {differ}")
    for name, values in start.items():
        template, value = np.array(values), np.asarray(arrays[name])
        if program.points is not None and value.ndim:
            more = template.shape[0] - value.shape[0]
            value = np.concatenate([value, np.repeat(value[-1:], max(more, 0), axis=0)])
        places, flat = _places(program, name, template), _flat(program, name, template)
        expected = flat[places]
        if value.shape != expected.shape or value.dtype != expected.dtype:
            has = f"{value.dtype} {value.shape}, expected {expected.dtype} {expected.shape}"
            raise ValueError(f"the state is of other sizes: {name} is {has}")
        flat[places] = value
        if name in program.whole.delivery.histories:
            flat = np.packbits(flat, axis=-1, bitorder="little").view("<u4").astype(np.uint32)
        found[name] = jax.device_put(flat.reshape(template.shape), values.sharding)
    return found


def _flat(program: Program, name: str, value: np.ndarray) -> np.ndarray:
    """A variable, along whose last axis are places of neurons: bits of words by themselves."""
    if name not in program.whole.delivery.histories:
        return value
    words = np.ascontiguousarray(value, "<u4").view(np.uint8)
    return np.unpackbits(words, axis=-1, bitorder="little")


def _places(program: Program, name: str, value: np.ndarray) -> tuple[Any, ...]:
    """The index by which the neurons are found along the last axis: those of a population in order,
    of what is to arrive those of all targets in one coming step after another."""
    delivery, structure = program.whole.delivery, program.structure
    n_shards = program.mesh.shape["neurons"]
    if name in delivery.histories:
        prefix = delivery.histories[name]
        neurons, own = np.arange(structure.of(name).size), delivery.widths[prefix]
        return (..., neurons // own * (-(-own // 32) * 32) + neurons % own)
    if name in delivery.coming:
        *ends, width = delivery.ends(delivery.coming[name])
        length = value.shape[-1] // n_shards
        steps = np.arange(length // width)[:, None] * width
        found = []
        for end, wiring in zip(ends, delivery.coming[name][0].wirings, strict=False):
            own = delivery.widths[wiring.target]
            neurons = np.arange(structure.of(wiring.target).size)
            found.append(neurons // own * length + end + neurons % own)
        return (..., (steps + np.concatenate(found)).reshape(-1))
    if not value.ndim:
        return ()
    group = structure.of(name)
    padded = value.shape[-1:] == program.arrays[group.prefix]
    return (..., slice(group.size if padded else None))
