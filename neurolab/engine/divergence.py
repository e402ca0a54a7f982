"""Where a run stopped being finite: the variable, the step and the neuron."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["is_finite", "locate"]


def is_finite(state: Mapping[str, Any]) -> bool:
    """Whether no variable holds NaN or infinity."""
    return _not_finite(state) is None


def locate(
    advance: Callable[[Any, int], Mapping[str, Any]], before: Any, n: int, dt_ms: float
) -> tuple[int, str]:
    """The steps before the first that is not finite, and what happened there.

    Any number of steps from ``before`` can be made, so the first bad one is found by bisection
    with the compiled program; ``n`` steps on the state is known to be bad.
    """
    good, bad = 0, n
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if is_finite(advance(before, middle)) else (good, middle)
    name, neuron, value = _not_finite(advance(before, bad)) or ("state", 0, float("nan"))
    step = int(np.asarray(before["step"])) + bad - 1
    return good, (
        f"{name.removeprefix('neuron.')} became {value} in step {step} "
        f"({(step + 1) * dt_ms:g} ms), neuron {neuron}"
    )


def _not_finite(state: Mapping[str, Any]) -> tuple[str, int, float] | None:
    """A variable that holds NaN or infinity, the first such neuron, and the value."""
    for name, given in state.items():
        value = np.asarray(given)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            where = np.argwhere(~np.isfinite(value))[0]
            return name, int(where[-1]) if where.size else 0, float(value[tuple(where)])
    return None
