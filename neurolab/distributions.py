"""Distributions that values are drawn from, on the host: those of braintools.init."""

from __future__ import annotations

import brainunit as u
import numpy as np

__all__ = ["DISTRIBUTIONS", "FILE", "draw"]

#: Distributions of braintools.init that take quantities, with their arguments.
DISTRIBUTIONS = {
    "uniform": ("Uniform", ("low", "high")),
    "normal": ("Normal", ("mean", "std")),
    "lognormal": ("LogNormal", ("mean", "std")),
    "truncated_normal": ("TruncatedNormal", ("mean", "std", "low", "high")),
    "exponential": ("Exponential", ("scale",)),
}
#: What stands in place of a distribution where numbers are not drawn but there: in a file.
FILE = "file"


def draw(
    name: str,
    arguments: np.ndarray,
    size: int,
    rng: np.random.Generator,
    own: np.ndarray | None = None,
) -> np.ndarray:
    """Draw ``size`` numbers, float64, from a distribution with plain numbers as arguments.

    Of `FILE` they are ``own``, times its argument.

    Raises
    ------
    ValueError
        For arguments that the distribution does not take.
    """
    if name == FILE and own is not None:
        return own * arguments[0]
    from braintools import init

    try:
        drawn = getattr(init, DISTRIBUTIONS[name][0])(*np.asarray(arguments).tolist())(
            size, rng=rng
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from error
    return np.asarray(u.get_mantissa(drawn), np.float64)
