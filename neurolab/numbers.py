"""Numbers as pictures and pages write them: `number` here and in ``report/assets/common.js``."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

__all__ = ["number"]

#: Numbers beyond these have an exponent; whole ones are told to the last digit.
_LEAST, _MOST, _MOST_WHOLE = 1e-4, 1e6, 1e15


def number(value: float | None, digits: int = 4) -> str:
    """A number of so many digits: ``1,234``, ``0.01235``, ``1.2e-5``; a dash where there is none.

    Halves are rounded up, as JavaScript does.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == int(value) and abs(value) < _MOST_WHOLE:
        return f"{int(value):,}"
    exact = Decimal(value)
    last = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    rounded = exact.quantize(last, ROUND_HALF_UP).normalize()
    if _LEAST <= abs(value) < _MOST:
        return f"{rounded:,f}"
    sign, figures, _ = rounded.as_tuple()
    first, *rest = map(str, figures)
    part = f".{''.join(rest)}" if rest else ""
    return f"{'-' * sign}{first}{part}e{rounded.adjusted():+d}"
