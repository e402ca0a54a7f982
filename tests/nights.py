"""Which cases of a test wait for the night: the suite of the day ends within 15 minutes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def by_night(cases: Iterable[Any], day: Collection[Any]) -> list[Any]:
    """Cases for ``parametrize``: those that are not of the ``day`` are marked nightly."""
    cases = list(cases)
    if missing := [case for case in day if case not in cases]:
        raise ValueError(f"there are no cases {missing}")
    return [
        case if case in day else pytest.param(*_values(case), marks=pytest.mark.nightly)
        for case in cases
    ]


def every(cases: Iterable[Any], nth: int) -> list[Any]:
    """The first of each ``nth`` cases by day, the others by night."""
    cases = list(cases)
    return by_night(cases, cases[::nth])


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)
