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
from dataclasses import replace
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.settings import is_whole
from neurolab.distributions import DISTRIBUTIONS, FILE, draw
from neurolab.dynamics import Parameter
from neurolab.problems import Problem, Problems, did_you_mean, show
from neurolab.units import Relative, UnitError, dimension_name, parse, unit_text

__all__ = [
    "DISTRIBUTIONS",
    "UnfitValueError",
    "fixed_value",
    "is_drawn",
    "out_of_range",
    "read_drawn",
    "read_number",
    "read_numbers",
    "read_time",
    "relative_unit",
    "rounded",
    "unit_given",
]

_MOST = float(np.finfo(np.float32).max)
_LEAST = float(np.finfo(np.float32).tiny)  # what is nearer to zero becomes zero
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
        _check_call(name, arguments)
        given, relative = _alike(arguments, unit, declared)
        rng = np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(key.encode())]))
        numbers = _draw(name, given, size, rng)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != size > 0:
            raise UnfitValueError(
                f"a list of {len(value)} values for {size} neurons (size={size}); give one value, "
                f"{size} of them, or a distribution such as [normal, mean, std]"
            )
        numbers, relative = _alike(value, unit, declared)
    else:
        numbers, relative = _quantity(value, unit, declared)
    wrong = out_of_range(numbers, declared)
    if wrong:
        raise UnfitValueError(wrong)
    return numbers, relative


def read_drawn(value: Any, unit: u.Unit, declared: Parameter) -> tuple[str, np.ndarray] | None:
    """The distribution that a value names, and its arguments as numbers of ``unit``; None of a
    value that is no distribution.  What does not fit is an `UnfitValueError`.

    `FILE` stands beside the distributions: numbers that a rule of connectivity brings, of which the
    argument says what 1 is."""
    name, arguments = _distribution(value)
    if name is None:
        return None
    if name != FILE:
        _check_call(name, arguments)
    elif len(arguments) != 1:
        raise UnfitValueError(f"{FILE} takes one value, what a 1 in the file is: {FILE}(unit)")
    numbers, relative = _alike(arguments, unit, declared)
    if relative:
        raise UnfitValueError("weights that are drawn, or of a file, need units of their own")
    if name != FILE:
        _draw(name, numbers, 0, np.random.default_rng(0))  # of arguments that it does not take
    return name, numbers


def _draw(name: str, given: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    try:
        return draw(name, given, size, rng)
    except ValueError as error:
        raise UnfitValueError(str(error)) from error


def read_numbers(
    values: np.ndarray, unit_text: str, unit: u.Unit, declared: Parameter
) -> tuple[np.ndarray, dict[int, str]]:
    """Many values of one typed unit as numbers of ``unit``, as `read_number` reads each; and what
    is wrong with some, by place.  A unit that does not fit is an `UnfitValueError`."""
    one, values = parse(f"1{unit_text}"), values.astype(float)
    relative = isinstance(one, Relative)
    many = replace(one, value=one.value * values) if relative else one * values
    numbers, _ = _quantity(many, unit, declared)
    suspects = np.flatnonzero(~((numbers >= _LEAST) & (numbers <= _MOST))).tolist()
    out = {place: out_of_range(numbers[place], declared) for place in suspects}
    return numbers, {place: wrong for place, wrong in out.items() if wrong}


def read_time(value: Any, key: str, problems: Problems, zero: bool = False) -> float | None:
    """A positive time in ms, such as a duration; or ``zero``, if that is allowed."""
    time = Parameter(None, "a time", positive=not zero, nonnegative=zero)
    try:
        number, _ = _quantity(value, u.ms, time)
        wrong = out_of_range(number, time)
    except UnfitValueError as error:
        wrong = str(error)
    if wrong:
        problems.add(key, show(value), wrong)
        return None
    return float(number)


def rounded(key: str, given: Any, time_ms: float, dt_ms: float) -> list[Problem]:
    """A warning of a time that is no multiple of dt, with the one that is used."""
    steps = max(round(time_ms / dt_ms), 1)
    if abs(time_ms / dt_ms - steps) <= 1e-6 * steps:
        return []
    advice = f"is no multiple of dt = {dt_ms:g} ms: {steps * dt_ms:.10g} ms is used"
    return [Problem(key, str(given), advice)]


def _alike(values: Sequence[Any], unit: u.Unit, declared: Parameter) -> tuple[np.ndarray, bool]:
    """Values that are all relative to the neuron or all not; zero is zero either way."""
    read = [_quantity(value, unit, declared) for value in values]
    kinds = {relative for number, relative in read if number} or {
        any(relative for _, relative in read)
    }
    if len(kinds) > 1:
        raise UnfitValueError("some values are relative to the neuron and some are not")
    return np.array([number for number, _ in read]), True in kinds


def _quantity(value: Any, unit: u.Unit, declared: Parameter) -> tuple[np.ndarray, bool]:
    """The mantissa of a quantity, and whether it is relative to the neuron."""
    try:
        quantity = parse(value)
    except UnitError as error:
        raise UnfitValueError(f"{error}; expected {_expected(unit, declared)}") from error
    wanted: u.Unit | None = unit
    relative = isinstance(quantity, Relative)
    if isinstance(quantity, Relative):
        wanted = relative_unit(unit, declared)
        quantity = u.Quantity(quantity.value, unit=quantity.unit)
    elif not np.any(quantity.mantissa) and (quantity.unit.is_unitless or declared.role == "g"):
        return np.zeros(np.shape(quantity.mantissa)), False  # zero is zero in any unit
    elif not np.all(np.isfinite(quantity.mantissa)):
        raise UnfitValueError(f"must be finite; expected {_expected(unit, declared)}")
    elif quantity.unit.is_unitless and not unit.is_unitless:
        raise UnfitValueError(f"has no unit; write for example {value}{unit_text(unit)}")
    if wanted is None or not quantity.unit.has_same_dim(wanted):
        raise UnfitValueError(f"expected {_expected(unit, declared)}")
    return np.asarray(quantity.to(wanted).mantissa, np.float64), relative


def relative_unit(unit: u.Unit, declared: Parameter) -> u.Unit | None:
    """What a value relative to the neuron is a multiple of, besides rheobase: time for the weight
    of a spike, which carries a charge; None where a value cannot be relative."""
    if declared.role == "weight":
        return u.ms
    drives = declared.role in ("current", "signal", "samples") and unit != u.Hz
    return u.UNITLESS if drives else None


def _expected(unit: u.Unit, declared: Parameter) -> str:
    name = dimension_name(unit)
    if declared.role == "weight":
        return f"{name}, or a charge relative to the neuron such as 0.5 rheobase*ms"
    if relative_unit(unit, declared) is not None:
        return f"{name}, or relative to the neuron such as 1.1 rheobase"
    return name


def out_of_range(numbers: np.ndarray, declared: Parameter) -> str:
    """What is wrong with the range of numbers; empty if nothing is."""
    if not np.all(np.abs(numbers) <= _MOST):
        return f"must be finite, and at most {_MOST:.2g}, as float32 holds"
    if declared.positive and np.any((numbers > 0) & (numbers < _LEAST)):
        return f"must be positive, and at least {_LEAST:.2g}, as float32 holds"
    low = numbers <= 0 if declared.positive else numbers < 0
    if not np.any(low) or not (declared.positive or declared.nonnegative):
        return ""
    wanted = "positive" if declared.positive else "zero or positive"
    wanted += f" {declared.why}" if declared.why else ""
    if numbers.ndim == 0:
        return f"must be {wanted}"
    return (
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


def unit_given(value: Any) -> u.Unit | None:
    """The unit of a value that was read, of the first of several; None where it has none, or is
    relative to the neuron."""
    name, arguments = _distribution(value)
    if name is None and isinstance(value, Sequence) and not isinstance(value, str):
        arguments = list(value)
    found = parse(arguments[0] if arguments else value)
    return None if isinstance(found, Relative) or found.unit.is_unitless else found.unit


def _check_call(name: str, arguments: Sequence[Any]) -> None:
    if name not in DISTRIBUTIONS:
        raise UnfitValueError(f"no distribution '{name}'; {did_you_mean(name, DISTRIBUTIONS)}")
    _, names = DISTRIBUTIONS[name]
    if len(arguments) != len(names):
        raise UnfitValueError(f"{name} takes {len(names)} values: {name}({', '.join(names)})")


def fixed_value(value: Any, declared: Parameter, unit: u.Unit) -> Any:
    """A value that is no quantity, as a structure can be compared by it."""
    wanted = _wanted(value, declared)
    if wanted:
        more = f", or {dimension_name(unit)}" if declared.is_number else ""
        raise UnfitValueError(f"expected {wanted}{more}")
    try:
        hash(value := _as_tuple(value))
    except TypeError:
        raise UnfitValueError("expected a number, a text, or a list of these") from None
    return value


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def _wanted(value: Any, declared: Parameter) -> str:
    """What a value that is no quantity should have been; empty if it is right."""
    default = declared.default
    if declared.choices:
        return "" if value in declared.choices else " or ".join(map(str, declared.choices))
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, int):
        return "" if is_whole(value) else "a whole number, zero or positive"
    if isinstance(default, str) and value != default and declared.is_surrogate:
        from braintools import surrogate

        known = [n for n in surrogate.__all__ if n[0].isupper() and n != "Surrogate"]
        return "" if value in known else f"a surrogate; {did_you_mean(str(value), known)}"
    return ""
