"""Spikes and resets that select exactly and differentiate through a surrogate."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import brainunit as u
import jax
import jax.numpy as jnp

from neurolab.units import magnitude, with_unit

__all__ = ["Surrogate", "blend", "spike", "with_value"]


class Surrogate:
    """A surrogate gradient of `braintools.surrogate`, by name; imported when it is first used.

    A spike is 1 or 0; only a derivative asks for the surrogate, and importing braintools takes
    longer than most runs.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, x: Any) -> Any:
        return _surrogate(self.name)(x)

    def surrogate_grad(self, x: Any) -> Any:
        return _surrogate(self.name).surrogate_grad(x)

    def __repr__(self) -> str:
        return f"Surrogate({self.name!r})"


@cache
def _surrogate(name: str) -> Any:
    from braintools import surrogate

    kind = getattr(surrogate, name, None)
    if kind is None:
        known = [key for key in surrogate.__all__ if key[0].isupper() and key != "Surrogate"]
        raise ValueError(f"spk_fun={name} is not a surrogate; there are {', '.join(known)}")
    return kind()


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def spike(surrogate: Any, distance: jax.Array, height: jax.Array) -> jax.Array:
    """1 where distance >= 0, else 0; its derivative is the surrogate's at distance / height."""
    distance = jnp.broadcast_to(distance, jnp.broadcast_shapes(distance.shape, jnp.shape(height)))
    return (distance >= 0).astype(distance.dtype)


@spike.defjvp
def _spike_jvp(surrogate: Any, primals: Any, tangents: Any) -> Any:
    (distance, height), (d_distance, d_height) = primals, tangents
    scaled = distance / height
    d_scaled = (d_distance - scaled * d_height) / height
    return spike(surrogate, distance, height), surrogate.surrogate_grad(scaled) * d_scaled


def blend(spikes: jax.Array, after: Any, before: Any) -> Any:
    """``before + spikes * (after - before)``: selected exactly, differentiated as written.

    Written out, a potential that the upstroke took to 1e20 mV would be reset to a rounding error.
    """
    before, unit = u.split_mantissa_unit(before)
    after = jnp.asarray(magnitude(after, unit), before.dtype)
    return with_unit(_blend_numbers(spikes, after, before), unit)


@jax.custom_jvp
def _blend_numbers(spikes: jax.Array, after: jax.Array, before: jax.Array) -> jax.Array:
    return jnp.where(spikes != 0, after, before)


@_blend_numbers.defjvp
def _blend_jvp(primals: Any, tangents: Any) -> Any:
    (spikes, after, before), (d_spikes, d_after, d_before) = primals, tangents
    tangent = d_before + spikes * (d_after - d_before) + d_spikes * (after - before)
    return _blend_numbers(spikes, after, before), tangent


def with_value(V: Any, value: Any) -> Any:
    """``V - stop_gradient(V) + value``: that value, with the gradient of V added to its own."""
    mantissa, unit = u.split_mantissa_unit(V)
    number = jnp.asarray(magnitude(value, unit), mantissa.dtype)
    return with_unit(_replace(mantissa, number), unit)


@jax.custom_jvp
def _replace(x: jax.Array, value: jax.Array) -> jax.Array:
    return jnp.broadcast_to(value, x.shape)


@_replace.defjvp
def _replace_jvp(primals: Any, tangents: Any) -> Any:
    return _replace(*primals), tangents[0] + tangents[1]
