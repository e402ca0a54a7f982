"""Ranges and samples of values with units: ``linspace(0mA, 50mA, 11)``.

A bound is a number and a unit text (``5mA``, ``-55 mV``, ``0.07/mV``, ``1.1rheobase``).  Numbers
are read as decimals, so that a step of 0.1 is a tenth, and written with twelve significant digits.
"""

from __future__ import annotations

import math
import re
import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from neurolab.results.axes import Axis, Column, plain_key

__all__ = [
    "MOST_POINTS",
    "FormError",
    "Interval",
    "add_coordinates",
    "check_size",
    "example",
    "read_numbers",
    "samples",
]

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)
#: Each form's arguments, how few and how many there may be, and a form that works.
_TAKES = {
    "linspace": ("start, stop, n", (3, 3), "linspace:0mA:50mA:11"),
    "logspace": ("start, stop, n", (3, 3), "logspace:1Hz:100Hz:9"),
    "range": ("start, stop, step", (1, 3), "range:5ms:20ms:5ms"),
    "random": ("low, high, n, and log or nothing", (3, 4), "random:10Hz:40Hz:100"),
    "sobol": ("low, high, n, and log or nothing", (3, 4), "sobol:10Hz:40Hz:128:log"),
    "zip": ("values", (1, math.inf), "zip:1mA:2mA:3mA"),
}
#: Spellings that Hydra's grammar refuses (both code points of micro and ohm), and plain ones.
_PLAIN = str.maketrans(
    {"\u00b5": "u", "\u03bc": "u", "\u03a9": "ohm", "\u2126": "ohm"}
    | {"·": "*", "²": "2", "³": "3", "^": "**"}
)
MOST_POINTS = 10**6
#: Keys whose values are whole numbers.
_WHOLE = re.compile(
    r"size|seed|record\.neurons|populations\.\w+\.size|projections\.\w+\.connectivity\.n"
)
#: Factors of units known without importing the unit library, which takes a second.
_COMMON = {"", "rheobase", "s", "ms", "us", "Hz", "kHz", "V", "mV", "A", "mA", "uA", "nA", "pA"}
_COMMON |= {"S", "mS", "uS", "nS", "pS", "ohm", "kohm", "Mohm", "F", "uF", "nF", "pF"}


class FormError(ValueError):
    """A form that cannot be read; the text says what would be right."""


@dataclass(frozen=True)
class Interval:
    """Bounds between which ``size`` values are drawn, by ``random`` or ``sobol``."""

    method: str
    size: int
    unit: str
    low: float
    high: float
    log: bool

    def __len__(self) -> int:
        return self.size

    def column(self, key: str, shares: np.ndarray) -> Column:
        """The values at shares (0 to 1) of the way from ``low`` to ``high``; of a key of whole
        numbers whole numbers between bounds that are such, both ends included."""
        ends = self.low.is_integer() and self.high.is_integer() and not self.unit
        whole = ends and _WHOLE.fullmatch(plain_key(key)) is not None
        low, high = self.low, self.high + whole
        if self.log:
            logs = math.log10(low), math.log10(high)
            values = 10 ** (logs[0] * (1 - shares) + logs[1] * shares)
        else:
            values = low * (1 - shares) + high * shares
        if whole:
            return Column(np.clip(np.floor(values), low, self.high).astype(np.int64), self.unit)
        return Column(_twelve_digits(np.clip(values, low, high).tolist()), self.unit)


def example(name: str) -> str:
    """A form of this name that works, in the spelling that no shell touches."""
    return _TAKES[name][2]


def check_size(n: int) -> None:
    """That a key has no more values than a sweep may have points."""
    if n > MOST_POINTS:
        raise FormError(f"{n:.3g} points; at most {MOST_POINTS}")


def read_numbers(name: str, arguments: Sequence[str]) -> Column | Interval:
    """What linspace, logspace, range, random or sobol stands for; a `FormError` for a wrong number
    of arguments, bounds that do not go together, or a size that is none."""
    takes, (least, most), _ = _TAKES[name]
    if not least <= len(arguments) <= most or arguments[3:] not in ([], ["log"]):
        raise FormError(f"{name} takes {takes}")
    if name == "range":
        return _range(arguments)
    (start, stop), unit = _in_one_unit(arguments[:2])
    if not re.fullmatch(r"0*[1-9]\d*", arguments[2], re.ASCII):
        raise FormError(f"'{arguments[2]}' is not a number of values")
    n = int(arguments[2])
    check_size(n)
    if name in ("random", "sobol"):
        log = len(arguments) == 4
        if log and not (start > 0 and stop > 0):
            raise FormError("with log both bounds must be positive")
        if start >= stop:
            raise FormError(f"low must be below high: {arguments[0]} is not below {arguments[1]}")
        return Interval(name, n, unit, float(start), float(stop), log)
    if n == 1 and start != stop:
        raise FormError(f"one value cannot be both ends; give {arguments[0]} alone, or n = 2")
    last = max(n - 1, 1)
    if name == "linspace":
        values = ((start * (last - k) + stop * k) / last for k in range(n))
        return Column(_twelve_digits(values), unit)
    if start * stop <= 0:
        raise FormError("the ends of logspace must be of one sign and not 0")
    low, high = float(start), float(stop)
    return Column(_twelve_digits(_between_logs(low, high, k / last) for k in range(n)), unit)


def samples(intervals: Mapping[str, Interval], seed: int) -> dict[str, Column]:
    """The values of the keys that are sampled together.

    The keys with sobol are the dimensions of one scrambled Sobol sequence; each with random has a
    stream of its own, which other keys and their order do not disturb.  More points begin with
    the same ones.
    """
    shares: dict[str, np.ndarray] = {}
    together = [key for key, interval in intervals.items() if interval.method == "sobol"]
    if together:
        from scipy.stats.qmc import Sobol

        with warnings.catch_warnings(action="ignore", category=UserWarning):  # n no power of 2
            sequence = Sobol(len(together), scramble=True, rng=np.random.default_rng(seed))
            drawn = sequence.random(intervals[together[0]].size)
        shares.update(zip(together, drawn.T, strict=True))
    for key, interval in intervals.items():
        if interval.method == "random":
            stream = np.random.default_rng([seed, zlib.crc32(key.encode())])
            shares[key] = stream.random(interval.size)
    return {key: interval.column(key, shares[key]) for key, interval in intervals.items()}


def add_coordinates(axis: Axis) -> None:
    """Give texts of several units such as ``1mA,20uA`` their numbers: 1 and 0.02 mA."""
    for key, column in axis.columns.items():
        values = column.values.tolist()
        if column.numeric or not column.plain:
            continue
        if all(isinstance(value, str) or value in (0, 0.0) for value in values):
            with suppress(FormError):
                numbers, unit = _in_one_unit(list(map(str, values)))
                axis.coordinates[key] = _twelve_digits(numbers).tolist(), unit


def _range(arguments: Sequence[str]) -> Column:
    numbers, unit = _in_one_unit(arguments)
    if len(numbers) == 1:
        numbers = [Decimal(0), *numbers]
    start, stop, step = numbers if len(numbers) == 3 else [*numbers, Decimal(1)]
    if step == 0:
        raise FormError("the step must not be 0")
    whole = range(0)
    size = math.ceil((stop - start) / step - Decimal("1e-9"))
    if all(number == number.to_integral_value() for number in (start, stop, step)):
        whole = range(int(start), int(stop), int(step))  # of any size, to the last digit
        size = -((int(start) - int(stop)) // int(step))
    if size < 1:
        way = "start and stop are the same" if start == stop else f"a step of {step:g} leads away"
        raise FormError(f"has no values: {way}")
    check_size(size)
    if whole:
        return Column.of([f"{number}{unit}" for number in whole], _whole)
    return Column(_twelve_digits(start + k * step for k in range(size)), unit)


def _in_one_unit(texts: Sequence[str]) -> tuple[list[Decimal], str]:
    """Quantities as numbers of the unit of the first that has one; 0 may stand without unit."""
    read = [_quantity(text) for text in texts]
    unit = next((unit for number, unit in read if unit or number), "")
    return [
        number if own == unit or not (own or number) else number * _factor(own, unit)
        for number, own in read
    ], unit


def _quantity(text: str) -> tuple[Decimal, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise FormError(f"'{text}' is not a number with a unit such as 5ms")
    if not math.isfinite(float(match[1])):
        raise FormError("the bounds must be finite")
    unit = re.sub(r"\s*([*/])\s*", r"\1", match[2].translate(_PLAIN))
    unit = re.sub(r"^(\*(?!\*)|1(?=/|$))", "", unit)  # 20*mV is 20mV, 0.07 1/mV is 0.07/mV
    if not _COMMON.issuperset(re.split(r"[*/]", unit)):
        from neurolab.units import UnitError, parse

        try:
            parse(f"1{unit}")
        except UnitError as error:
            raise FormError(str(error)) from error
    return Decimal(match[1]), unit


def _factor(own: str, wanted: str) -> Decimal:
    """How many of the wanted unit are in one of its own."""
    import brainunit as u

    from neurolab.units import parse

    ours, theirs = parse(f"1{own}"), parse(f"1{wanted}")
    if type(ours) is not type(theirs) or not ours.unit.has_same_dim(theirs.unit):
        raise FormError(f"'{own or 1}' and '{wanted or 1}' do not measure the same")
    return Decimal(repr(float(u.Quantity(1.0, unit=ours.unit).to(theirs.unit).mantissa)))


def _between_logs(start: float, stop: float, share: float) -> float:
    """The number at this share of the ratio of two; the ends exactly."""
    if share in (0, 1):
        return stop if share else start
    low, high = math.log10(abs(start)), math.log10(abs(stop))
    return math.copysign(10 ** (low + (high - low) * share), start)


def _twelve_digits(values: Iterable[Any]) -> np.ndarray:
    """Numbers as their texts are read: what is left of rounding is behind twelve digits."""
    return np.array([float(f"{float(value) + 0.0:.12g}") for value in values])


def _whole(text: str) -> Any:
    """A whole number of more than 64 bits, which an array has no place for."""
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else text
