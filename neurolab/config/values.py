"""The values of a configuration as numbers: one quantity, a list, or a distribution.

tau: 20 ms                          one for all neurons
tau: [18 ms, 20 ms, ...]            one for each
tau: normal(20 ms, 2 ms)            drawn for each, from a distribution of braintools.init
tau: [normal, 20 ms, 2 ms]          the same, easier to type in a shell
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any

import brainunit as u
import numpy as np

from neurolab.dynamics import Parameter
from neurolab.problems import Problems, did_you_mean, show
from neurolab.units import Relative, UnitError, dimension_name, parse, unit_text

__all__ = [
    "DISTRIBUTIONS",
    "UnfitValueError",
    "is_drawn",
    "read_number",
    "read_numbers",
    "read_time",
]

#: Distributions of braintools.init that take quantities, with their arguments.
DISTRIBUTIONS = {
    "uniform": ("Uniform", ("low", "high")),
    "normal": ("Normal", ("mean", "std")),
    "lognormal": ("LogNormal", ("mean", "std")),
    "truncated_normal": ("TruncatedNormal", ("mean", "std", "low", "high")),
    "exponential": ("Exponential", ("scale",)),
}

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*")


class UnfitValueError(ValueError):
    """A value that does not fit its parameter; the text says what would."""


def read_number(
    value: Any, unit: u.Unit, declared: Parameter, *, size: int, seed: int, key: str
) -> tuple[np.ndarray, bool]:
    """A configured value as numbers of ``unit``, scalar or one for each neuron.

    Returns
    -------
    The mantissa, shape () or (size,), float64; and whether it is relative to the neuron.

    Raises
    ------
    UnfitValueError
        For a text that is no quantity, a wrong dimension, length or range.
    """
    name, arguments = _distribution(value)
    if name is not None:
        numbers, relative = _draw(name, arguments, unit, declared, size=size, seed=seed, key=key)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != size > 0:
            raise UnfitValueError(
                f"a list of {len(value)} values for {size} neurons (size={size}); give one value, "
                f"{size} of them, or a distribution such as [normal, mean, std]"
            )
        listed, relative = _alike(value, unit, declared)
        numbers = np.array(listed)
    else:
        number, relative = _one(value, unit, declared)
        numbers = np.asarray(number)
    _check_range(numbers, declared)
    return numbers, relative


def read_numbers(
    values: np.ndarray, unit_text: str, unit: u.Unit, declared: Parameter
) -> tuple[np.ndarray, bool, dict[int, str]]:
    """Many values of one typed unit as numbers of ``unit``, as `read_number` reads each.

    Returns
    -------
    The mantissas; whether they are relative to the neuron; what is wrong with some, by place.
    """
    wrong: dict[int, str] = {}
    known = np.flatnonzero(values)
    typed = f"1{unit_text}" if known.size else "0"
    try:
        _, relative = _one(typed if unit_text or not known.size else 1.0, unit, declared)
    except UnfitValueError as error:
        return values.astype(float), False, {
            int(place): str(error).replace("1", f"{values[place]:.12g}", 1)
            if str(error).startswith("has no unit") else str(error)
            for place in known.tolist()
        }  # fmt: skip
    given = parse(typed)
    if isinstance(given, Relative):
        wanted = u.ms if declared.role == "weight" else u.UNITLESS
        numbers = u.Quantity(values.astype(float), unit=given.unit).to(wanted).mantissa
    elif given.unit.is_unitless and not unit.is_unitless:
        numbers = np.zeros(len(values))  # zero is zero in any unit
    else:
        numbers = u.Quantity(values.astype(float), unit=given.unit).to(unit).mantissa
    numbers = np.asarray(numbers, np.float64)
    low = numbers <= 0 if declared.positive else numbers < 0
    if declared.positive or declared.nonnegative:
        wanted_text = "must be positive" if declared.positive else "must be zero or positive"
        wrong |= dict.fromkeys(np.flatnonzero(low).tolist(), wanted_text)
    wrong |= dict.fromkeys(np.flatnonzero(~np.isfinite(numbers)).tolist(), "must be finite")
    return numbers, relative, wrong


def _read_text(text: Any) -> u.Quantity:
    """A quantity that stands alone (a duration, a time step)."""
    try:
        quantity = parse(text)
    except UnitError as error:
        raise UnfitValueError(str(error)) from error
    if isinstance(quantity, Relative):
        raise UnfitValueError("relative to the neuron; give a unit of its own")
    return quantity


def read_time(value: Any, key: str, problems: Problems) -> float | None:
    """A positive time in ms."""
    try:
        quantity = _read_text(value)
    except UnfitValueError as error:
        problems.add(key, show(value), str(error))
        return None
    if quantity.unit.is_unitless:
        problems.add(key, value, f"has no unit; write for example {value}ms")
    elif not quantity.unit.has_same_dim(u.ms):
        problems.add(key, value, f"expected {dimension_name(u.ms)}")
    elif not (0 < quantity.mantissa < np.inf):
        problems.add(key, value, "must be positive")
    else:
        return float(quantity.to(u.ms).mantissa)
    return None


def _alike(values: Sequence[Any], unit: u.Unit, declared: Parameter) -> tuple[list[float], bool]:
    """Values that are all relative to the neuron or all not; zero is zero either way."""
    read = [_one(value, unit, declared) for value in values]
    kinds = {relative for number, relative in read if number} or {
        any(relative for _, relative in read)
    }
    if len(kinds) > 1:
        raise UnfitValueError("some values are relative to the neuron and some are not")
    return [number for number, _ in read], True in kinds


def _one(value: Any, unit: u.Unit, declared: Parameter) -> tuple[float, bool]:
    try:
        quantity = parse(value)
    except UnitError as error:
        raise UnfitValueError(f"{error}; expected {_expected(unit, declared)}") from error
    if isinstance(quantity, Relative):
        # A spike carries a charge, so its weight is a multiple of rheobase * time.
        wanted = u.ms if declared.role == "weight" else u.UNITLESS
        if declared.role not in ("weight", "current", "signal", "samples") or unit == u.Hz:
            raise UnfitValueError(f"expected {_expected(unit, declared)}")
        if not quantity.unit.has_same_dim(wanted):
            raise UnfitValueError(f"expected {_expected(unit, declared)}")
        return float(u.Quantity(quantity.value, unit=quantity.unit).to(wanted).mantissa), True
    if quantity.mantissa == 0 and quantity.unit.is_unitless:
        return 0.0, False  # zero is zero in any unit
    if quantity.unit.is_unitless and not unit.is_unitless:
        raise UnfitValueError(f"has no unit; write for example {value}{unit_text(unit)}")
    if declared.role == "g" and quantity.mantissa == 0:
        return 0.0, False
    if not quantity.unit.has_same_dim(unit):
        raise UnfitValueError(f"expected {_expected(unit, declared)}")
    return float(quantity.to(unit).mantissa), False


def _expected(unit: u.Unit, declared: Parameter) -> str:
    name = dimension_name(unit)
    if declared.role == "weight":
        return f"{name}, or a charge relative to the neuron such as 0.5 rheobase*ms"
    if declared.role in ("current", "signal", "samples") and unit != u.Hz:
        return f"{name}, or relative to the neuron such as 1.1 rheobase"
    return name


def _check_range(numbers: np.ndarray, declared: Parameter) -> None:
    if not np.all(np.isfinite(numbers)):
        raise UnfitValueError("must be finite")
    low = numbers <= 0 if declared.positive else numbers < 0
    if (declared.positive or declared.nonnegative) and np.any(low):
        wanted = "positive" if declared.positive else "zero or positive"
        if numbers.ndim == 0:
            raise UnfitValueError(f"must be {wanted}")
        raise UnfitValueError(
            f"must be {wanted}, but {int(low.sum())} of {numbers.size} values are not "
            "(truncated_normal has bounds)"
        )


def _distribution(value: Any) -> tuple[str | None, list[Any]]:
    if isinstance(value, str) and (match := _CALL.fullmatch(value)):
        return match[1], [argument for argument in match[2].split(",") if argument.strip()]
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        first = value[0]
        if isinstance(first, str) and re.fullmatch(r"[A-Za-z_]\w*", first):
            return first, list(value[1:])
    return None, []


def is_drawn(value: Any) -> bool:
    """Whether a configured value is a distribution, so that its numbers depend on the seed."""
    return _distribution(value)[0] is not None


def _draw(
    name: str,
    arguments: list[Any],
    unit: u.Unit,
    declared: Parameter,
    *,
    size: int,
    seed: int,
    key: str,
) -> tuple[np.ndarray, bool]:
    if name not in DISTRIBUTIONS:
        raise UnfitValueError(f"no distribution '{name}'; {did_you_mean(name, DISTRIBUTIONS)}")
    kind, names = DISTRIBUTIONS[name]
    if len(arguments) != len(names):
        raise UnfitValueError(f"{name} takes {len(names)} values: {name}({', '.join(names)})")
    values, relative = _alike(arguments, unit, declared)
    from braintools import init

    generator = np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(key.encode())]))
    try:
        distribution = getattr(init, kind)(*values)
        drawn = np.asarray(u.get_mantissa(distribution(size, rng=generator)), np.float64)
    except (ValueError, TypeError) as error:
        raise UnfitValueError(f"{name}: {error}") from error
    return drawn, relative
