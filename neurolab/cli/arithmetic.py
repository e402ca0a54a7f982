"""``${calc:'..'}``: values of a configuration that follow from others, units and all.

A network says its rule once, ``weight: ${calc:'-${network.g} * ${projections.E_E.weight}'}``, and
what is changed or swept is g.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

__all__ = ["calculate", "register"]

_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "round": round,
    "min": min,
    "max": max,
}
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+|(?![eE][+-]?\d))"
_QUANTITY = re.compile(rf"(?<![\w.])({_NUMBER})\s*([A-Za-z]+)(?![\w(.])")
#: A sign before a number to a power: it belongs to the power, unless a value was put there.
_POWER = re.compile(rf"(?:^|[-+*/(,])\s*-\s*{_NUMBER}\s*\*\*")


@dataclass(frozen=True)
class _Value:
    """A number and the text of its unit, which is empty for a plain one."""

    number: float
    unit: str = ""

    def __add__(self, other: _Value) -> _Value:
        return _Value(self.number + other.number, self._same(other))

    def __sub__(self, other: _Value) -> _Value:
        return _Value(self.number - other.number, self._same(other))

    def __mul__(self, other: _Value) -> _Value:
        if self.unit and other.unit:
            raise ValueError(f"{self} times {other}: one of two factors may have a unit")
        return _Value(self.number * other.number, self.unit or other.unit)

    def __truediv__(self, other: _Value) -> _Value:
        if other.unit:
            self._same(other)
            return _Value(self.number / other.number)
        return _Value(self.number / other.number, self.unit)

    def __pow__(self, other: _Value) -> _Value:
        if self.unit or other.unit:
            raise ValueError(f"{self} to the power of {other}: both are plain numbers")
        found = float(self.number) ** other.number  # whole numbers have no largest power
        whole = isinstance(self.number, int) and isinstance(other.number, int) and found < 2**53
        return _Value(int(found) if whole and other.number >= 0 else found)

    def _same(self, other: _Value) -> str:
        if self.unit != other.unit:
            raise ValueError(f"{self} and {other} have different units; write both in one")
        return self.unit

    def __str__(self) -> str:
        return f"{self.number:.15g} {self.unit}".rstrip()


def calculate(text: Any) -> float | int | str:
    """The value of an expression of numbers, quantities such as ``2 nS``, ``+ - * / **`` and
    parentheses, and of sqrt, exp, log, round, min and max.

    A whole number stays one; a quantity is a text again, ``0.5 nS``.

    Raises
    ------
    ValueError
        For what is no such expression, and units that do not fit.
    """
    written = str(text).strip()
    if _POWER.search(written):
        advice = "what is negative to a power needs brackets, as in (${x})**2 or -(3**2)"
        raise ValueError(f"calc: {written!r}: {advice}")
    try:
        tree = ast.parse(_QUANTITY.sub(r"(\1*_\2)", written), mode="eval").body
        found = _evaluate(tree)
        if not math.isfinite(found.number):
            raise ValueError(f"is {found}")
    except (ArithmeticError, KeyError, RecursionError, SyntaxError, TypeError) as error:
        raise ValueError(
            f"calc: {written!r} is no expression of numbers, quantities such as 2 nS, + - * / ** "
            f"and {', '.join(_FUNCTIONS)}: {error}"
        ) from None
    except ValueError as error:
        raise ValueError(f"calc: {written!r}: {error}") from None
    return str(found) if found.unit else found.number


def _evaluate(node: ast.AST) -> _Value:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _Value(number)
        case ast.Name(id=name) if name.startswith("_") and len(name) > 1:
            return _Value(1, name.removeprefix("_"))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _Value(-1) * _evaluate(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _evaluate(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_evaluate(left), _evaluate(right))
        case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in _FUNCTIONS:
            values = [_evaluate(one) for one in given]
            if any(value.unit for value in values):
                raise ValueError(f"{name} is of plain numbers; divide by a unit first")
            return _Value(_FUNCTIONS[name](*(value.number for value in values)))
    raise SyntaxError(f"{ast.unparse(node)!r} is not known")


def register() -> None:
    """Make ``${calc:..}`` known to OmegaConf."""
    OmegaConf.register_new_resolver("calc", calculate, replace=True)
