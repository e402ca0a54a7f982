"""Sizes of arrays that depend on numbers: tables of Poisson counts, windows of recorded events.

They are part of the structure, fixed beforehand for the largest numbers; larger ones than needed
never change a result, smaller ones would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import brainstate
import brainunit as u
import numpy as np

from neurolab.engine.structure import ModelSpec, PopulationSpec, Structure
from neurolab.problems import ConfigError, Problem

__all__ = ["as_large", "too_small", "with_sizes", "without_sizes"]


def sized(part: ModelSpec, size: int, block: int, numbers: Mapping[str, Any]) -> ModelSpec:
    """The part with the attributes that decide array sizes, from the numbers as they are now, for
    blocks of so many steps.

    The numbers may be those of as many points, in place of one for all neurons.
    """
    inner = tuple((name, sized(p, size, block, numbers)) for name, p in part.parts)
    part = replace(part, parts=inner)
    built = part.build(size, numbers, "input")
    return replace(part, attributes=tuple(built.sizes(block).items()))


def with_sizes(
    structure: Structure, numbers: Mapping[str, Any], varying: Mapping[str, Any] | None = None
) -> Structure:
    """The structure with arrays large enough for its numbers.

    ``varying`` are numbers of many points, along their first axis.  Where those of an input are one
    for all neurons, the values of all points are looked at together, as if they were those of as
    many neurons.

    Raises
    ------
    ConfigError
        For an input that draws more than can be.
    """
    varying, groups, block = dict(varying or {}), [], structure.block
    with brainstate.environ.context(dt=structure.dt_ms * u.ms, precision=structure.precision):
        for group in structure.populations:
            inputs = []
            for name, part in group.inputs:
                try:
                    inputs.append((name, _with_sizes(part, group.size, block, numbers, varying)))
                except ValueError as error:
                    advice = f"{error}; lower its rate or n, or take a smaller dt"
                    raise ConfigError([Problem(group.full(name), "", advice)]) from error
            groups.append(replace(group, inputs=tuple(inputs)))
    return replace(structure, populations=tuple(groups))


def _with_sizes(
    part: ModelSpec, size: int, block: int, numbers: Mapping[str, Any], varying: Mapping[str, Any]
) -> ModelSpec:
    keys = {number.key for number in part.all_numbers()}
    own = {key: value for key, value in numbers.items() if key in keys}
    many = {key: np.asarray(value) for key, value in varying.items() if key in keys}
    if not many:
        return larger(part, sized(part, size, block, own))
    n_points = len(next(iter(many.values())))
    if all(np.ndim(value) == 0 for value in own.values()) and all(
        value.ndim == 1 for value in many.values()
    ):
        wide = {key: value * np.ones(n_points) for key, value in own.items()} | many
        return larger(part, sized(part, n_points, block, wide))
    for k in range(n_points):
        one = own | {key: value[k] for key, value in many.items()}
        part = larger(part, sized(part, size, block, one))
    return part


def without_sizes(structure: Structure) -> Structure:
    """The structure but for the sizes: what points must share to be computed by one program."""

    def bare(part: ModelSpec) -> ModelSpec:
        inner = tuple((name, bare(p)) for name, p in part.parts)
        return replace(part, parts=inner, attributes=())

    return _each_input(structure, structure, lambda part, _: bare(part))


def as_large(one: Structure, other: Structure) -> Structure:
    """The structure with arrays as large as those of both."""
    return _each_input(one, other, larger)


def _each_input(
    one: Structure, other: Structure, change: Callable[[ModelSpec, ModelSpec], ModelSpec]
) -> Structure:
    def changed(group: PopulationSpec, like: PopulationSpec) -> PopulationSpec:
        pairs = zip(group.inputs, like.inputs, strict=True)
        return replace(group, inputs=tuple((name, change(a, b)) for (name, a), (_, b) in pairs))

    groups = map(changed, one.populations, other.populations)
    return replace(one, populations=tuple(groups))


def larger(one: ModelSpec, other: ModelSpec) -> ModelSpec:
    """A part whose arrays are as large as those of both."""
    inner = zip(one.parts, other.parts, strict=True)
    sizes = dict(one.attributes)
    for name, size in other.attributes:
        sizes[name] = _most(sizes[name], size) if name in sizes else size
    return replace(
        one,
        parts=tuple((name, larger(a, b)) for (name, a), (_, b) in inner),
        attributes=tuple(sizes.items()),
    )


def too_small(
    structure: Structure, numbers: Mapping[str, Any], varying: Mapping[str, Any]
) -> str | None:
    """The input whose arrays are too small for the numbers; None if all fit."""
    needed = with_sizes(structure, numbers, varying)
    for group, other in zip(structure.populations, needed.populations, strict=True):
        for (name, had), (_, wanted) in zip(group.inputs, other.inputs, strict=True):
            if had != wanted:
                return group.full(name)
    return None


def _most(a: Any, b: Any) -> Any:
    return tuple(map(max, a, b)) if isinstance(a, tuple) else max(a, b)
