r"""How a model is stepped: exponential Euler, or an explicit Runge-Kutta method.

An integrator sees a model as a description, a function from the variables (a dict of quantities)
and a time within the step to their time derivatives, and makes one step of length dt.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from math import factorial
from typing import Any, ClassVar

import brainunit as u
import jax
import jax.numpy as jnp

from neurolab.units import magnitude, with_unit

__all__ = ["RK4", "Euler", "ExpEuler", "Heun", "Integrator", "relative_exp"]

Variables = dict[str, Any]
#: Of the variables, and of the fraction of the step that has passed; None for the mean over it.
Derivatives = Callable[[Variables, float | None], Mapping[str, Any]]


class Integrator:
    """One step of ``dy/dt = f(y, c)``, followed by the jumps of the delta inputs."""

    #: The fractions c of a step at which it asks for derivatives, hence for drives; None stands for
    #: drives that are constant, at their mean over the step: of a synapse all charge is delivered.
    nodes: ClassVar[tuple[float | None, ...]] = (None,)
    #: Their shares in the step of a variable that only drives move.
    weights: ClassVar[tuple[float, ...]] = (1.0,)

    @abstractmethod
    def step(
        self,
        f: Derivatives,
        y: Variables,
        dt: u.Quantity,
        jumps: Variables,
        held: Mapping[str, jax.Array] | None = None,
    ) -> Variables:
        """The variables at the end of a step that starts from ``y``.

        ``held`` are masks of the elements in which a variable stays where it is; the others see it
        there throughout.
        """
        raise NotImplementedError


def _stay(held: Mapping[str, jax.Array] | None, name: str, before: Any, after: Any) -> Any:
    return after if not held or name not in held else u.math.where(held[name], before, after)


class ExpEuler(Integrator):
    r"""Exponential Euler, one variable after the other (Gauss-Seidel).

    .. math:: y \leftarrow y + dt\,\varphi(dt\,J)\,f(y), \qquad
              \varphi(z) = (e^z - 1)/z, \quad J = \partial f_y/\partial y

    Exact for an equation linear in its own variable, under the mean of its drives.  Each variable
    sees the new values, jumps included, of those before it in the model's order.  First order for
    coupled and nonlinear models, and stable where Euler is not (Hochbruck & Ostermann, Acta
    Numerica 2010).
    """

    def step(
        self,
        f: Derivatives,
        y: Variables,
        dt: u.Quantity,
        jumps: Variables,
        held: Mapping[str, jax.Array] | None = None,
    ) -> Variables:
        y = dict(y)
        for name, value in y.items():
            new = self._advance(f, y, name, value, dt)
            y[name] = _stay(held, name, value, new + jumps[name] if name in jumps else new)
        return y

    @staticmethod
    def _advance(f: Derivatives, y: Variables, name: str, value: Any, dt: u.Quantity) -> Any:
        mantissa, unit = u.split_mantissa_unit(value)

        def slope(m: jax.Array) -> jax.Array:
            moved = y | {name: with_unit(m, unit)}
            change = magnitude(f(moved, None)[name] * dt, unit)
            return jnp.broadcast_to(change, m.shape)

        change, jacobian = jax.jvp(slope, (mantissa,), (jnp.ones_like(mantissa),))
        return with_unit(mantissa + relative_exp(jacobian) * change, unit)


class RungeKutta(Integrator):
    """An explicit Runge-Kutta method from its Butcher tableau; all variables step together."""

    #: Rows of the tableau below the first stage; `weights` are those of the stages.
    stages: ClassVar[tuple[tuple[float, ...], ...]]

    def step(
        self,
        f: Derivatives,
        y: Variables,
        dt: u.Quantity,
        jumps: Variables,
        held: Mapping[str, jax.Array] | None = None,
    ) -> Variables:
        slopes: list[Any] = []

        def moved(row: tuple[float, ...], name: str) -> Any:
            value = y[name]
            for weight, slope in zip(row, slopes, strict=True):
                if weight:
                    value = value + (weight * dt) * slope[name]
            return value

        for row, c in zip(((), *self.stages), self.nodes, strict=True):
            slopes.append(f({k: _stay(held, k, y[k], moved(row, k)) for k in y}, c))
        new = {name: moved(self.weights, name) for name in y}
        new |= {name: new[name] + jump for name, jump in jumps.items()}
        return {name: _stay(held, name, y[name], new[name]) for name in y}


class Euler(RungeKutta):
    """Forward Euler, first order, under the mean of the drives."""

    nodes = (None,)
    stages = ()
    weights = (1.0,)


class Heun(RungeKutta):
    """Heun's method, the explicit trapezoidal rule, second order (Heun 1900)."""

    nodes = (0.0, 1.0)
    stages = ((1.0,),)
    weights = (1 / 2, 1 / 2)


class RK4(RungeKutta):
    """The classical Runge-Kutta method, fourth order (Kutta 1901)."""

    nodes = (0.0, 1 / 2, 1 / 2, 1.0)
    stages = ((1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0))
    weights = (1 / 6, 1 / 3, 1 / 3, 1 / 6)


@jax.custom_jvp
def relative_exp(z: jax.Array) -> jax.Array:
    r""":math:`\varphi(z) = (e^z - 1)/z` to rounding for any z, with its limit 1 at 0.

    In float32 :math:`e^z = 2^k e^r` with :math:`|r| \le \ln(2)/2` and
    :math:`e^z - 1 = 2^k (e^r - 1) + (2^k - 1)`, where the polynomial of :math:`e^r - 1` loses
    nothing: more accurate than a float32 ``expm1``, and four times as fast.  A step of a neuron
    spends a sixth of its time here, so every operation counts.
    """
    if z.dtype == jnp.float64:
        safe = jnp.where(z == 0, 1.0, z)
        return jnp.where(z == 0, 1.0, jnp.expm1(safe) / safe)
    z = jnp.where(z == 0, 1e-30, z)  # of which e^z - 1 is z
    x = jnp.where(z < -87.0, -87.0, z)  # below, e^z is less than the rounding of 1
    # A float32 beside this number is whole, and its last bits say k + 127: 2^k as they are.
    shifted = x * _LOG2_E + _WHOLE
    shifted = jnp.where(shifted > _WHOLE + 127.0, _WHOLE + 127.0, shifted)
    k = shifted - _WHOLE
    power = jax.lax.bitcast_convert_type(shifted, jnp.int32) << 23
    power = jax.lax.bitcast_convert_type(power, jnp.float32)
    r = (x - k * _LN2[0]) - k * _LN2[1]
    series: Any = _SERIES[-1]
    for coefficient in _SERIES[-2::-1]:
        series = coefficient + r * series
    return (power * (r * series) + (power - 1.0)) / z


@relative_exp.defjvp
def _(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """By (e^z - phi)/z, or its series where that loses digits."""
    (z,), (change,) = primals, tangents
    found, small = relative_exp(z), jnp.abs(z) < 1.0
    near, other = jnp.where(small, z, 0.0), jnp.where(small, 1.0, z)
    series: Any = 0.0
    for n in range(_TERMS, -1, -1):
        series = series * near + (n + 1) / factorial(n + 2)
    slope = jnp.where(small, series, (jnp.exp(z) - found) / other)
    return found, slope * change


_LOG2_E = 1.44269504
_WHOLE = 1.5 * 2**23 + 127
#: ln(2) as the sum of two float32 numbers, the first short enough that its multiples are exact.
_LN2 = (0.693359375, -2.12194440e-4)
#: (e^r - 1)/r for |r| up to ln(2)/2, within 1.1e-8 of it: by interpolation in Chebyshev points.
_SERIES = (1.0, 0.49999997, 0.16666506, 0.04166725, 0.008369054, 0.0013881424)
#: Powers of z up to 1 with which the series of the derivative is right in float64.
_TERMS = 17
