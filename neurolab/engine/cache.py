"""What is made once in a process for each structure: programs, and the variables of models."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import brainunit as u
import jax

from neurolab.engine.loop import Loop
from neurolab.engine.network import Network
from neurolab.engine.program import Program
from neurolab.engine.structure import Numbers, Structure

__all__ = ["program_of", "variables_of"]


def variables_of(
    structure: Structure, numbers: Numbers
) -> tuple[dict[str, u.Unit], dict[str, tuple[int, ...]]]:
    """The states that the models of a structure have, by name: the units of those that are a number
    per neuron, the shapes of others."""
    loop = Loop(structure, 1)
    with loop.environment():
        values = loop.arguments(numbers)
    found = _variables(structure, tuple((k, v.shape, v.dtype) for k, v in values.items()))
    others = {name: shape for name, shape, _ in found if shape != (structure.of(name).size,)}
    return {name: unit for name, _, unit in found if name not in others}, others


@lru_cache(maxsize=256)
def _variables(structure: Structure, numbers: tuple[Any, ...]) -> tuple[Any, ...]:
    found: list[Any] = []
    loop = Loop(structure, 1)

    def look(numbers: Numbers) -> None:
        for name, held in Network(structure, numbers, loop.indices(0)).states().items():
            found.append((name, u.math.shape(held.value), u.get_unit(held.value)))

    with loop.environment():
        jax.eval_shape(look, {k: jax.ShapeDtypeStruct(shape, kind) for k, shape, kind in numbers})
    return tuple(found)


@lru_cache(maxsize=32)
def program_of(
    structure: Structure,
    capacity: int,
    devices: tuple[Any, ...],
    points: int | None = None,
    varying: frozenset[str] = frozenset(),
    at_once: int = 1,
) -> Program:
    """`Program`, made once in a process for all that run the same: neither a second run in a
    notebook, nor a second batch, nor the next round of a search traces or compiles it again."""
    return Program(structure, capacity, devices, points, varying, at_once)
