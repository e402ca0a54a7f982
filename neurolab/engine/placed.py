"""The numbers of a program: as they are given, and as it takes them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from neurolab.engine.structure import Numbers, Structure
from neurolab.engine.wiring import wired

__all__ = ["Placed", "with_synapses"]


class Placed(Mapping[str, Any]):
    """Numbers that were checked: as they were given, not to be changed, and on the devices, as the
    ``arguments`` of one program, with the tables of synapses that are drawn from them."""

    def __init__(self, given: Numbers, arguments: dict[str, Any], program: Any = None) -> None:
        self._given = {key: _fixed(value) for key, value in given.items()}
        self.arguments, self.program = arguments, program

    def __getitem__(self, key: str) -> Any:
        return self._given[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._given, **other}

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**other, **self._given}


def _fixed(value: Any) -> Any:
    """The value, an array as one that cannot be written to."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    return value


def with_synapses(
    structure: Structure,
    numbers: Numbers,
    n_shards: int,
    varying: Collection[str],
    before: Placed,
) -> dict[str, Any]:
    """The numbers and the tables of synapses: those that are given, those of numbers ``before``
    that are drawn from the same, and else drawn anew.

    Raises
    ------
    ValueError
        For a traced number that synapses are drawn from.
    """
    found = dict(numbers)
    for of in structure.bundles:
        if set(of.tables) <= found.keys():
            continue
        for key in of.drawn_from:
            if isinstance(found[key], jax.core.Tracer):
                advice = "synapses are drawn from it before anything is computed; give a number"
                raise ValueError(f"{key} is traced: {advice}")
        if all(key in before for key in of.drawn_from) and all(
            np.array_equal(found[key], before[key]) for key in of.drawn_from
        ):
            found |= {key: before.arguments[key] for key in of.made}
    return {**found, **wired(structure, found, n_shards, varying)}
