"""A row of the table: a statement, what theory says of it, and what neurolab gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Row", "Section", "absolute", "at_least", "likely", "relative", "within"]


@dataclass(frozen=True)
class Row:
    """One statement; ``holds`` says whether the difference is as small as it is allowed to be."""

    statement: str
    theory: str
    found: str
    difference: str
    allowed: str
    holds: bool


@dataclass(frozen=True)
class Section:
    """Statements that are computed in one way, and which way that is."""

    title: str
    how: str
    rows: Sequence[Row]


def relative(statement: str, theory: float, found: float, allowed: float, unit: str = "") -> Row:
    """A number that may differ from theory by a share of it."""
    share = found / theory - 1
    return Row(
        statement,
        _number(theory, unit),
        _number(found, unit),
        _rounded(100 * share, "%"),
        f"{100 * allowed:.2g} %",
        bool(abs(share) <= allowed),
    )


def absolute(
    statement: str, theory: float, found: float, allowed: float, unit: str = "", why: str = ""
) -> Row:
    """A number that may differ from theory by so much, because of ``why``."""
    return Row(
        statement,
        _number(theory, unit),
        _number(found, unit),
        _rounded(found - theory, unit),
        f"{allowed:.2g}{_space(unit)}{why and f' ({why})'}",
        bool(abs(found - theory) <= allowed),
    )


def at_least(statement: str, theory: float, found: float, short: float) -> Row:
    """A number that may fall short of theory by so much; more is no fault."""
    return Row(
        statement,
        f"{theory:g}",
        f"{found:.2f}",
        f"{found - theory:+.2f}",
        f"−{short:g} or more",
        bool(found >= theory - short),
    )


def within(
    statement: str, theory: str, found: str, differences: Sequence[float], low: float, high: float,
    unit: str,
) -> Row:  # fmt: skip
    """Several differences that must all lie between two bounds."""
    # Without rounding errors, which would be a minus before a zero.
    least, most = (round(float(end), 9) + 0.0 for end in (np.min(differences), np.max(differences)))
    return Row(
        statement,
        theory,
        found,
        f"{least:+.2f} to {most:+.2f}{_space(unit)}",
        f"{low:g} to {high:g}{_space(unit)}",
        low - 1e-6 <= least and most <= high + 1e-6,
    )


def likely(statement: str, statistic: float, freedom: int, p: float, least: float = 1e-3) -> Row:
    """A chi-square of drawn numbers, which must not be improbable."""
    return Row(
        statement,
        f"{freedom} ± {np.sqrt(2 * freedom):.2g}",
        f"{statistic:.3g}",
        f"p = {p:.2g}",
        f"p ≥ {least:g}",
        bool(p >= least),
    )


def _rounded(difference: float, unit: str) -> str:
    """A difference; one of rounding is not the same everywhere, and is not told."""
    if abs(difference) < 1e-11:
        return "none"
    return f"{difference:+.2g}{_space(unit)}"


def _number(value: float, unit: str) -> str:
    return f"{value:.5g}{_space(unit)}"


def _space(unit: str) -> str:
    return f" {unit}" if unit else ""
