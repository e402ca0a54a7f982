"""Text with units to quantities and back: ``"20 ms"`` <-> ``20. * u.ms``.

Accepted: ``20ms``, ``20 ms``, ``20*ms``, ``1/ms``, ``0.07/mV``, ``-55mV``, ``2.5 nS/cm2``,
``5 mV/ms**2``, ``1e-3 s``, ``100 µS``, ``3 MΩ``, ``0.5`` (dimensionless).  A quantity may also be
relative to the neuron it drives, ``1.1 rheobase`` or ``0.5 rheobase*ms`` (see `Relative`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import brainunit as u
import numpy as np

__all__ = [
    "Relative",
    "UnitError",
    "dimension_name",
    "format_quantity",
    "magnitude",
    "parse",
    "parse_unit",
    "typed",
    "unit_text",
    "with_unit",
]


class UnitError(ValueError):
    """A text that is no quantity."""


@dataclass(frozen=True)
class Relative:
    """A drive measured by the neuron that receives it: ``value * rheobase * unit``.

    The rheobase is the smallest constant current that abolishes the neuron's resting state, so
    ``1.1 rheobase`` makes any spiking neuron fire, whatever the scale of its parameters; and a
    spike that carries the charge ``0.5 rheobase*ms`` moves any neuron alike, through any synapse.
    """

    value: Any
    unit: u.Unit = u.UNITLESS


_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf|nan"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*", re.DOTALL)
_FACTOR = re.compile(r"([A-Za-z%]+)(?:(?:\^|\*\*)?([+-]?\d+))?")
_SPELLINGS = {
    "\u00b5": "u",
    "\u03bc": "u",
    "\u03a9": "ohm",
    "\u2126": "ohm",
    "·": "*",
    "²": "2",
    "³": "3",
}
# Names the field uses that the unit library spells otherwise.
_ALIASES = {"Mohms": "Mohm", "ohms": "ohm", "sec": "second", "Sv": "", "rheobase": ""}


def parse_unit(text: str) -> u.Unit:
    """The unit that a text such as ``mV``, ``nS/cm2``, ``1/ms`` or ``mV**2*ms^-1`` names.

    Raises
    ------
    UnitError
        If a factor is not the name of a unit, or an angle per something: 20 rad/s are not 20 Hz.
    """
    for odd, plain in _SPELLINGS.items():
        text = text.replace(odd, plain)
    unit, angles = u.UNITLESS, False
    pieces = re.split(r"\s*([*/])\s*", text.strip().replace("**", "^"))
    for sign, piece in zip(["*", *pieces[1::2]], pieces[0::2], strict=True):
        if piece in ("", "1"):
            if piece == "" and len(pieces) > 1:
                raise UnitError(f"'{text}' is not a unit")
            continue
        factor = _FACTOR.fullmatch(piece)
        if factor is None:
            raise UnitError(f"'{piece}' in '{text}' is not a unit")
        name, power = factor[1], int(factor[2] or 1)
        try:
            base = u.parse_unit(_ALIASES.get(name, name) or "?")
        except (ValueError, KeyError) as error:
            raise UnitError(f"'{name}' is not the name of a unit") from error
        angles |= base.has_same_dim(u.UNITLESS)
        unit = unit * base**power if sign == "*" else unit / base**power
    if angles and not unit.has_same_dim(u.UNITLESS):
        raise UnitError(f"'{text}' counts angles; rates count cycles: write Hz, of 2 pi rad/s each")
    return unit


def parse(value: Any) -> u.Quantity | Relative:
    """The quantity that a text, or a plain number, stands for.

    Numbers come back dimensionless.  The mantissa is a NumPy float64, so that nothing is lost
    before the run's precision is known.

    Raises
    ------
    UnitError
        If the text has no number in front or its unit is not known.
    """
    if isinstance(value, (u.Quantity, Relative)):
        return value
    if isinstance(value, (bool, np.bool_)) or value is None:
        raise UnitError(f"{value} is not a quantity; write a number and a unit such as '20 ms'")
    if isinstance(value, (int, float, np.number)):
        return u.Quantity(np.float64(value))
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        raise UnitError(f"'{value}' is not a quantity; write a number and a unit such as '20 ms'")
    mantissa, rest = np.float64(match[1]), match[2]
    if rest.startswith("*"):
        rest = rest[1:].strip() or "*"
        if rest[0] in "*/":
            raise UnitError(f"'{value}' is not a quantity; write for example '20 ms'")
    if re.match(r"rheobase\b", rest):
        factor = rest.removeprefix("rheobase").strip()
        if factor and factor[0] not in "*/":
            raise UnitError(f"'{value}' is not a quantity; write for example '0.5 rheobase*ms'")
        return Relative(mantissa, parse_unit("1" + factor))
    return u.Quantity(mantissa, unit=parse_unit("1" + rest if rest.startswith("/") else rest))


def format_quantity(quantity: u.Quantity | Relative | float) -> str:
    """A text that `parse` reads back to the same quantity, such as ``-55 mV``."""
    if isinstance(quantity, Relative):
        tail = "" if quantity.unit.is_unitless else f"*{unit_text(quantity.unit)}"
        return f"{_number(quantity.value)} rheobase{tail}"
    if not isinstance(quantity, u.Quantity):
        return _number(quantity)
    unit, mantissa = quantity.unit, quantity.mantissa
    if unit.is_unitless:
        return _number(mantissa * unit.magnitude)
    text = unit_text(unit)
    if not text:  # spelt out in SI base units, which always reads back
        powers = {name: int(unit.dim.get_dimension(name)) for name in _SI}
        text = "*".join(f"{name}^{power}" for name, power in powers.items() if power)
        mantissa = mantissa * unit.magnitude
    return f"{_number(mantissa)} {text}"


def typed(quantity: u.Quantity) -> Any:
    """As it is typed in a configuration: a text of `format_quantity`; lists of an array."""
    factor, _, text = format_quantity(u.Quantity(1.0, unit=quantity.unit)).partition(" ")

    def of(numbers: Any) -> Any:
        if isinstance(numbers, list):
            return [of(one) for one in numbers]
        return f"{_number(numbers * float(factor))} {text}".rstrip()

    return of(np.asarray(quantity.mantissa).tolist())


def magnitude(value: Any, unit: u.Unit) -> Any:
    """The number of ``unit`` in a quantity; plain numbers pass as they are.

    Raises
    ------
    UnitMismatchError
        If the quantity measures something else.
    """
    return value.to(unit).mantissa if isinstance(value, u.Quantity) else value


def with_unit(number: Any, unit: u.Unit) -> Any:
    """``number * unit``; a plain array where the unit is 1."""
    return u.maybe_decimal(u.Quantity(number, unit=unit))


def dimension_name(unit: u.Unit) -> str:
    """What a unit measures, in a reader's words: ``a time such as 10 ms``."""
    for example, name in _DIMENSIONS:
        if unit.has_same_dim(parse_unit(example.partition(" ")[2])):
            return f"{name} such as {example}"
    return f"a quantity in {unit_text(unit)}" if not unit.is_unitless else "a plain number"


_DIMENSIONS = (
    ("10 ms", "a time"),
    ("-55 mV", "a voltage"),
    ("1.5 nA", "a current"),
    ("20 Hz", "a rate"),
    ("5 nS", "a conductance"),
    ("100 Mohm", "a resistance"),
    ("0.07 1/mV", "an inverse voltage"),
    ("200 pF", "a capacitance"),
    ("300 um", "a length"),
    ("1 mM", "a concentration"),
)


_SI = ("m", "kg", "s", "A", "K", "mol", "cd")


def unit_text(unit: u.Unit) -> str:
    """The text of a unit; empty where the unit library's own text does not read back."""
    if unit.is_unitless:
        return ""
    for text in (str(unit).replace(" ", ""), *_COMPOUNDS):
        try:
            if parse_unit(text) == unit:
                return text
        except UnitError:
            continue
    return ""


# Units of model parameters that the unit library prints in SI base units.
_COMPOUNDS = ("1/mV", "1/V", "mA/ms", "nA/ms", "pA/ms", "nS/ms", "mV*ms", "mA*ms")


def _number(value: Any) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
