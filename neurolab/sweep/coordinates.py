"""Values of an axis that were typed in several units, as numbers of the first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import brainunit as u

from neurolab.results.axes import Axis
from neurolab.units import Relative, UnitError, parse

__all__ = ["add_coordinates"]

_UNIT = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*(.*?)\s*", re.DOTALL)


def add_coordinates(axis: Axis) -> None:
    """Give texts such as ``1mA,20uA`` their numbers: 1 and 0.02 mA."""
    for key, column in axis.columns.items():
        if not column.numeric and column.plain:
            found = _numbers(column.values.tolist())
            if found is not None:
                axis.coordinates[key] = found


def _numbers(values: Sequence[Any]) -> tuple[list[float], str] | None:
    if not all(isinstance(value, str) for value in values if value not in (0, 0.0)):
        return None
    try:
        read = [parse(value) for value in values]
    except UnitError:
        return None
    units = [match[1] for value in values if (match := _UNIT.fullmatch(str(value)))]
    unit = next((unit for unit in units if unit), "").replace(" ", "")
    try:
        first = parse(f"1{unit}")
    except UnitError:
        return None
    numbers = []
    for one in read:
        if isinstance(one, Relative):
            one = u.Quantity(one.value, unit=one.unit)
            relative = True
        else:
            relative = one.mantissa == 0 and one.unit.is_unitless and isinstance(first, Relative)
            one = u.Quantity(0.0, unit=first.unit) if one.mantissa == 0 else one
        if relative != isinstance(first, Relative) or not one.unit.has_same_dim(first.unit):
            return None
        numbers.append(float(f"{float(one.to(first.unit).mantissa):.12g}"))
    return numbers, unit
