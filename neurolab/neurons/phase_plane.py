"""The phase plane of neurons with two variables: nullclines, fixed points and their stability.

    import brainunit as u
    from neurolab.neurons import AdExIF
    from neurolab.neurons.phase_plane import phase_plane

    plane = phase_plane(AdExIF(1), 4.0 * u.mA)
    plane.potential, plane.nullclines["V"], plane.nullclines["w"]
    [(point.values, point.kind) for point in plane.fixed_points]

All of it is computed from the neuron's own `derivatives`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from neurolab.neurons.spiking import Spiking
from neurolab.units import magnitude, parse_unit, with_unit

__all__ = ["FixedPoint", "PhasePlane", "phase_plane"]

_POINTS = 2001
#: Of Newton's method and of halving: each more than double precision needs.
_ROUNDS, _HALVES = 20, 60


class FixedPoint(NamedTuple):
    """Where both derivatives are 0.

    values: of each variable, in its unit.
    eigenvalues: of the Jacobian there, in 1/ms.
    """

    values: dict[str, float]
    eigenvalues: np.ndarray

    @property
    def stable(self) -> bool:
        """Whether small deviations decay."""
        return bool((self.eigenvalues.real < 0).all())

    @property
    def kind(self) -> str:
        """``saddle``, or ``stable`` or ``unstable`` with ``node`` or ``focus``."""
        rates = self.eigenvalues
        if np.isrealobj(rates) or not rates.imag.any():
            if rates.real.min() < 0 < rates.real.max():
                return "saddle"
            shape = "node"
        else:
            shape = "focus"
        return f"{'stable' if self.stable else 'unstable'} {shape}"


class PhasePlane(NamedTuple):
    """What `phase_plane` returns.

    potential: values of the potential, in its unit.
    nullclines: by the variable whose derivative is 0, the other variable over the potential, in its
        unit; NaN where there is none.
    fixed_points: in order of the potential.
    units: of each variable, the potential first.
    """

    potential: np.ndarray
    nullclines: dict[str, np.ndarray]
    fixed_points: list[FixedPoint]
    units: dict[str, u.Unit]

    def to(self, units: Mapping[str, u.Unit | str]) -> PhasePlane:
        """The same in other units of the variables.

        Raises
        ------
        KeyError
            It has no such variable.
        UnitMismatchError
            A unit measures something else.
        """
        V, other = self.units
        wanted = {name: parse_unit(of) if isinstance(of, str) else of for name, of in units.items()}
        by = dict.fromkeys(self.units, 1.0)
        for name, of in wanted.items():
            by[name] = float((1.0 * self.units[name]).to(of).mantissa)
        points = [
            point._replace(values={name: by[name] * value for name, value in point.values.items()})
            for point in self.fixed_points
        ]
        nullclines = {name: by[other] * values for name, values in self.nullclines.items()}
        return PhasePlane(by[V] * self.potential, nullclines, points, self.units | wanted)


def phase_plane(
    neuron: Spiking,
    current: Any = None,
    *,
    low: Any = None,
    high: Any = None,
) -> PhasePlane:
    """Nullclines and fixed points of a neuron of two variables under a constant current.

    The nullclines are found by Newton's method in the second variable at each potential, fixed
    points where the derivative of the potential changes its sign along the other nullcline, and
    their stability from the Jacobian, which JAX derives.  Two fixed points closer together than a
    two-thousandth of the range are not told apart.

    Parameters
    ----------
    neuron
        With numbers, or one neuron: of several with numbers of their own give one.
    current
        The drive, a quantity; none, if not given.
    low, high
        From and until which potential: if not given 30 mV below the resting potential, and the
        threshold, or the potential at which the upstroke is cut off.

    Raises
    ------
    ValueError
        The neuron has not two variables, or parameters of several neurons, or no range.
    """
    first = neuron.initial()
    if len(first) != 2 or neuron.potential not in first:
        given = f"{type(neuron).__name__} has {', '.join(first)}"
        raise ValueError(f"a phase plane is of a potential and one other variable; {given}")
    if int(np.prod(neuron.varshape)) != 1:
        raise ValueError(
            f"a phase plane is of one neuron, got {neuron.varshape}: give one, of size 1"
        )
    V = neuron.potential
    (other,) = set(first) - {V}
    units = {V: u.get_unit(first[V]), other: u.get_unit(first[other])}
    drive = 0.0 * neuron.current_unit if current is None else current
    with jax.enable_x64(True), brainstate.environ.context(precision=64):
        slopes = _slopes(neuron, drive, V, other, units)
        ends = _range(neuron, first, V, units, low, high)
        potential = np.linspace(*ends, _POINTS)
        start = _scalar(u.get_mantissa(first[other]))
        found = {name: _nullcline(slopes, k, potential, start) for k, name in enumerate((V, other))}
        points = _fixed_points(slopes, potential, found[other], (V, other))
    return PhasePlane(potential, found, points, units)


def _slopes(
    neuron: Spiking, drive: Any, V: str, other: str, units: Mapping[str, u.Unit]
) -> Callable[[Any], Any]:
    """Both derivatives in unit/ms, of both values."""

    def slopes(y: Any) -> Any:
        given = {V: with_unit(y[0], units[V]), other: with_unit(y[1], units[other])}
        found = neuron.derivatives(given, lambda _: drive)
        each = [magnitude(found[name] * u.ms, units[name]) for name in (V, other)]
        return jnp.stack([jnp.reshape(jnp.asarray(one), ()) for one in each])

    return slopes


def _range(
    neuron: Spiking,
    first: Mapping[str, Any],
    V: str,
    units: Mapping[str, u.Unit],
    low: Any,
    high: Any,
) -> tuple[float, float]:
    if low is None:
        low = neuron.rest() - 30.0 * u.mV
    if high is None:
        high = neuron.peak(dict(first))
        if high is None:
            high = first[V] - neuron.threshold(dict(first))
    ends = _scalar(magnitude(low, units[V])), _scalar(magnitude(high, units[V]))
    if not ends[0] < ends[1]:
        raise ValueError(f"high must be above low = {low}, got {high}")
    return ends


def _scalar(value: Any) -> float:
    return float(np.asarray(value).reshape(-1)[0])


def _nullcline(
    slopes: Callable[[Any], Any], k: int, potential: np.ndarray, start: float
) -> np.ndarray:
    """The second variable at which a derivative is 0, at each potential."""

    def at(v: Any, w: Any) -> Any:
        return slopes(jnp.stack([v, w]))[k]

    both = jax.jit(jax.vmap(jax.value_and_grad(at, argnums=1)))
    w = np.full(potential.shape, start)
    moved = np.full(potential.shape, np.inf)
    with np.errstate(all="ignore"):
        for _ in range(_ROUNDS):
            value, slope = map(np.asarray, both(potential, w))
            step = value / slope
            w, moved = w - step, np.abs(step)
            if not (moved > 1e-9 * np.maximum(np.abs(w), 1e-9)).any():
                break
        settled = moved <= 1e-6 * np.maximum(np.abs(w), 1e-6)
    return np.where(settled & np.isfinite(w), w, np.nan)


def _fixed_points(
    slopes: Callable[[Any], Any], potential: np.ndarray, w: np.ndarray, names: tuple[str, str]
) -> list[FixedPoint]:
    along = jax.jit(jax.vmap(lambda v, y: slopes(jnp.stack([v, y]))[0]))
    sign = np.sign(np.asarray(along(potential, w)))
    changes = np.flatnonzero(sign[:-1] * sign[1:] < 0)
    exact = np.flatnonzero(sign == 0)
    low = np.concatenate([potential[changes], potential[exact]])
    high = np.concatenate([potential[changes + 1], potential[exact]])
    before = np.concatenate([sign[changes], sign[exact]])
    for _ in range(_HALVES):
        middle = (low + high) / 2
        at = _nullcline(slopes, 1, middle, float(np.nanmean(w))) if middle.size else middle
        same = np.sign(np.asarray(along(middle, at))) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
        if not (high - low > 1e-12 * np.abs(high)).any():
            break
    if not low.size:
        return []
    where = np.sort((low + high) / 2)
    second = _nullcline(slopes, 1, where, float(np.nanmean(w)))
    jacobian = jax.jit(jax.jacfwd(slopes))
    found = []
    for one, beside in zip(where, second, strict=True):
        rates = np.linalg.eigvals(np.asarray(jacobian(jnp.asarray([one, beside]))))
        values = dict(zip(names, (float(one), float(beside)), strict=True))
        found.append(FixedPoint(values, rates))
    return found
