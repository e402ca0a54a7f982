"""How far an oscillation has turned after any number of steps: exact where float32 is not.

After n steps it has made n f dt cycles, of which the fraction counts.  In float32 the product is
wrong by 6e-8 of all cycles, which after an hour is no small part of one.  So f dt is taken in units
of 2^-32 cycles, whole ones and what is left of one, and n times the whole ones modulo 2^32 is
arithmetic of words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from neurolab.dynamics import concrete

__all__ = ["turned"]

#: Bits of each factor of a product that float32 has exactly, and the factors of a known number.
_BITS, _FACTORS = 12, 4


def turned(frequency: Any, steps: jax.Array, within: float) -> jax.Array:
    """The fraction of a cycle that a frequency has gone at the fraction ``within`` of steps."""
    dtype, dt = brainstate.environ.dftype(), brainstate.environ.get_dt()
    cycles = jnp.asarray(u.maybe_decimal(frequency * dt), dtype)
    straight = cycles * (steps.astype(dtype) + within)
    if jnp.finfo(dtype).bits == 64:
        return jnp.mod(straight, 1.0)
    whole: Any = jnp.uint32(0)
    rest: Any = jnp.float32(0.0)
    for a in _factors(frequency.to_decimal(u.Hz)):
        for b in _factors(dt.to_decimal(u.second)):
            units = jnp.mod(a * b, 1.0) * 2.0**32
            whole += jnp.floor(units).astype(jnp.uint32)
            rest += units - jnp.floor(units)
    whole, rest = whole + jnp.floor(rest).astype(jnp.uint32), rest - jnp.floor(rest)
    word = whole * steps.astype(jnp.uint32) + (rest * steps).astype(jnp.uint32)
    turn = jnp.mod((word >> 8).astype(jnp.float32) * 2.0**-24 + cycles * within, 1.0)
    return turn + (straight - jax.lax.stop_gradient(straight))  # of which the derivative is


def _factors(value: Any) -> Iterator[jax.Array]:
    """Numbers of few bits that make up one which is not negative."""
    if concrete(value):
        left = np.asarray(value, np.float64)
        for _ in range(_FACTORS):
            part, exponent = np.frexp(left)
            factor = np.ldexp(np.floor(part * 2.0**_BITS), exponent - _BITS)
            yield jnp.asarray(factor, jnp.float32)
            left = left - factor
        return
    value = jax.lax.stop_gradient(jnp.asarray(value, jnp.float32))
    word = jax.lax.bitcast_convert_type(value, jnp.uint32)
    high = jax.lax.bitcast_convert_type(word & jnp.uint32(2**32 - 2**_BITS), jnp.float32)
    yield from (high, value - high)
