"""Ranges and samples of values with units, as texts: ``linspace(0mA, 50mA, 11)``."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence

import numpy as np

__all__ = ["FormError", "samples", "values_of"]

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*", re.DOTALL)
_TAKES = {
    "linspace": ("start, stop, n", "linspace(0mA, 50mA, 11)"),
    "logspace": ("start, stop, n", "logspace(1Hz, 100Hz, 9)"),
    "range": ("start, stop, step", "range(5ms, 20ms, 5ms)"),
    "random": ("low, high, n, and log or nothing", "random(10Hz, 40Hz, 100)"),
    "sobol": ("low, high, n, and log or nothing", "sobol(10Hz, 40Hz, 128)"),
}


class FormError(ValueError):
    """A form that cannot be read; the text says what would be right."""


def values_of(name: str, arguments: Sequence[str]) -> list[str]:
    """The values of linspace, logspace, range or zip."""
    if name == "zip":
        if not all(arguments):
            raise FormError("a value is empty; write for example zip(1mA, 2mA, 3mA)")
        return list(arguments)
    if name == "range":
        return _range(list(arguments))
    if len(arguments) != 3:
        raise _wrong(name)
    start, stop, unit = _bounds(arguments[0], arguments[1])
    n = _count(arguments[2], name)
    if name == "linspace":
        values = np.linspace(start, stop, n)
    else:
        if start * stop <= 0:
            raise FormError("the ends of logspace must be of one sign and not 0")
        values = np.geomspace(start, stop, n)
    return [_text(value, unit) for value in values]


def samples(name: str, arguments: Sequence[str], place: tuple[int, int], seed: int) -> list[str]:
    """The values of one of the keys that are sampled together.

    ``place`` is the key's number among those of this kind, and how many they are.  More points
    begin with the same ones.
    """
    if len(arguments) not in (3, 4) or (len(arguments) == 4 and arguments[3] != "log"):
        raise _wrong(name)
    low, high, unit = _bounds(arguments[0], arguments[1])
    n, (number, count) = _count(arguments[2], name), place
    if name == "random":
        x = np.random.default_rng([seed, number]).random(n)
    else:
        from scipy.stats import qmc

        with warnings.catch_warnings(action="ignore", category=UserWarning):  # n no power of 2
            x = qmc.Sobol(count, scramble=True, rng=np.random.default_rng(seed)).random(n)[
                :, number
            ]
    if len(arguments) == 4:
        if not (low > 0 and high > 0):
            raise FormError("with log both bounds must be positive")
        values = low * (high / low) ** x
    else:
        values = low + (high - low) * x
    return [_text(value, unit) for value in values]


def _range(arguments: list[str]) -> list[str]:
    if not 1 <= len(arguments) <= 3:
        raise _wrong("range")
    if len(arguments) == 1:
        arguments = ["0", *arguments]
    start, stop, unit = _bounds(arguments[0], arguments[1])
    step = 1.0
    if len(arguments) == 3:
        step, _, unit = _bounds(arguments[2], f"1{unit}" if unit else "0")
        if step == 0:
            raise FormError("the step must not be 0")
        start, stop, unit = _bounds(arguments[0], arguments[1], unit)
    n = math.ceil((stop - start) / step - 1e-9)
    if n < 1:
        raise FormError(f"has no values: from {arguments[0]} a step of {step:g} leads away")
    return [_text(start + k * step, unit) for k in range(n)]


def _bounds(low: str, high: str, unit: str | None = None) -> tuple[float, float, str]:
    """Two quantities as numbers of one unit: that given, or the first's."""
    read = []
    for text in (low, high):
        match = _QUANTITY.fullmatch(text)
        if match is None:
            raise FormError(f"'{text}' is not a number with a unit such as 5ms")
        read.append((float(match[1]), match[2]))
    (value, first), (_, second) = read
    wanted = unit or (first if value or first else second) or ""
    numbers = [_converted(value, own, wanted) for value, own in read]
    if not all(map(math.isfinite, numbers)):
        raise FormError("the bounds must be finite")
    return numbers[0], numbers[1], wanted


def _converted(value: float, unit: str, wanted: str) -> float:
    if unit == wanted or (value == 0 and not unit):
        return value
    import brainunit as u

    from neurolab.units import Relative, UnitError, parse

    try:
        ours, theirs = parse(f"{value} {unit}"), parse(f"1 {wanted}")
        if isinstance(ours, Relative) or isinstance(theirs, Relative):
            raise FormError(f"'{unit or 1}' and '{wanted or 1}' do not measure the same")
        return float(ours.to(theirs.unit).mantissa)
    except (UnitError, u.UnitMismatchError, TypeError) as error:
        told = f"'{unit or 1}' and '{wanted or 1}' do not measure the same: {error}"
        raise FormError(told) from error


def _count(text: str, name: str) -> int:
    if not re.fullmatch(r"\d+", text) or int(text) < 1:
        raise FormError(f"'{text}' is not a number of values; write for example {_TAKES[name][1]}")
    return int(text)


def _wrong(name: str) -> FormError:
    takes, example = _TAKES[name]
    return FormError(f"{name} takes {takes}; write for example {example}")


def _text(value: float, unit: str) -> str:
    """Up to twelve digits, without what rounding leaves behind them."""
    number = f"{float(value):.12g}"
    number = "0" if number in ("-0", "0") else number
    space = " " if unit and (unit[0].isdigit() or " " in unit) else ""
    return f"{number}{space}{unit}"
