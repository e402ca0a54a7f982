"""Whether steps of dt follow a neuron: the modes of its variables about its resting state.

A parameter that is left in another unit than its neighbours, a = 1 S beside g_L = 10 nS, couples V
and w within far less than a step.  Of such a pair steps make numbers that grow, while the neuron
itself would rest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import brainstate
import brainunit as u
import jax
import numpy as np

from neurolab.engine.structure import PopulationSpec, Structure
from neurolab.integrators import Integrator, RungeKutta
from neurolab.neurons import Spiking
from neurolab.problems import Problem
from neurolab.units import magnitude, unit_text, with_unit

__all__ = ["unresolved"]

log = logging.getLogger("neurolab")

#: Neurons of a population that are looked at, beside those with the least and most of a number,
#: and of all points together: of a million it would take seconds, and gigabytes.
_SOME, _MOST = 100, 100_000
#: A mode that changes by less than this share of itself in a step is not amplified by what is
#: compiled, exponential Euler; of Runge-Kutta methods NumPy tells in a moment.
_SLOW = 0.1
#: Radians in a step beyond which an oscillation that is not amplified is wrong: measured by the
#: least current that fires an AdEx cell, 1.5 % (exponential Euler) at 1.0 and 19 % at 1.3, or 0.8 %
#: (RK4) at 1.3 and 13 % at 1.6.
_FAST = 1.0

Rows = dict[str, np.ndarray]


def unresolved(
    structure: Structure, numbers: Mapping[str, Any], n_points: int = 0
) -> list[tuple[Problem, np.ndarray, bool]]:
    """Populations at rest that steps of dt do not follow; at which of ``n_points``, whose numbers
    have an axis of points in front; and whether that is certain, and not to be run: a step
    amplifies what coupled variables damp, and spikes hide it.  Otherwise it is an oscillation of
    few steps, or one variable alone, which has a time constant to be seen, and diverges.

    Nothing is said of a neuron of which no resting state is found."""
    found = []
    for group in structure.populations:
        target: Any = group.neuron.target
        if not issubclass(target, Spiking) or target.update is not Spiking.update:
            continue
        rows, which = _rows(group, numbers, n_points)
        try:
            J = _jacobian(structure, group, rows)
            grows, turns, fastest = _modes(structure.integrator, J)
            coupled, others = J.shape[-1] > 1, turns & ~grows
            for bad, certain, wrong in (
                (grows, coupled, "amplify"),
                (others, False, "follow with large errors"),
            ):
                if not bad.any():
                    continue
                worst = int(np.argmax(np.where(bad, fastest, 0.0)))
                keys = _keys(structure, group, {key: row[worst] for key, row in rows.items()})
                dt, least = structure.dt_ms, structure.dt_ms / fastest[worst]
                advice = (
                    f"at rest changes within {least:.2g} ms, which steps of dt = {dt:g} ms {wrong}"
                    f": are the units right of {keys}? If so, give a smaller dt"
                )
                problem = Problem(f"{group.prefix}neuron", target.__name__, advice)
                found.append((problem, np.flatnonzero(bad[which].any(axis=1)), certain))
        except Exception:  # a model of one's own that is not to be asked in this way
            log.debug("%sneuron at rest: not looked at", group.prefix, exc_info=True)
    return found


def _rows(
    group: PopulationSpec, numbers: Mapping[str, Any], n_points: int
) -> tuple[Rows, np.ndarray]:
    """The numbers of a population's neurons, each combination once, and which of them some neurons
    of each point have."""
    own = group.neuron.all_numbers()
    # With nothing, as a number of neurons that have none: their defaults are not read.
    values = {"": np.zeros(())} | {one.key: np.asarray(numbers[one.key], float) for one in own}
    each = [values[one.key].reshape(-1, group.size)[0] for one in own if one.per_neuron]
    extremes = [at for row in each for at in (row.argmin(), row.argmax())]
    n_points = max(n_points, 1)
    n = min(_SOME, max(_MOST // n_points, 1)) if each else 1
    some = np.unique([*extremes, *np.linspace(0, group.size - 1, n).astype(int)])
    shape = (n_points, some.size)
    table = [np.zeros(shape)] + [
        np.broadcast_to(
            values[one.key][..., some] if one.per_neuron else values[one.key].reshape(-1, 1), shape
        )
        for one in own
    ]
    flat = np.stack(table).reshape(len(table), -1)
    kept, which = np.unique(flat, axis=1, return_inverse=True)
    return dict(zip(values, kept, strict=True)), which.reshape(shape)


def _modes(
    integrator: type[Integrator], J: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of neurons: whether a step amplifies what they damp, whether they turn fast, and the largest
    rate of a mode in 1/dt."""
    modes = np.linalg.eigvals(J)
    fastest = abs(modes).max(axis=1)
    rests = (modes.real <= 1e-9 * fastest[:, None]).all(axis=1)
    compiled = not issubclass(integrator, RungeKutta)
    grows, at = np.zeros(len(J), bool), rests & (fastest > (_SLOW if compiled else 0))
    if at.any():
        with jax.enable_x64(True):
            step = (_compiled if compiled else _step)(integrator, J[at])
        growth = abs(np.linalg.eigvals(np.stack(step, axis=1))).max(axis=1)
        grows[at] = growth > 1 + 1e-6
    return grows, rests & (abs(modes.imag) > _FAST).any(axis=1), fastest


def _jacobian(structure: Structure, group: PopulationSpec, rows: Rows) -> np.ndarray:
    """dt times the Jacobian of each neuron's variables at rest, found by Newton's method from the
    resting potential; zero where there is no rest."""
    count, dt = len(next(iter(rows.values()))), structure.dt_ms * u.ms
    with (
        jax.enable_x64(True),
        brainstate.environ.context(dt=dt, precision=64),
        np.errstate(all="ignore"),
    ):
        one: Any = group.neuron.build(count, rows, "neuron")
        first = one.initial()
        units, n = {name: u.get_unit(value) for name, value in first.items()}, len(first)
        # Each neuron at a state, and with each variable moved up, and down.
        moved = np.concatenate([np.zeros((1, n)), np.eye(n), -np.eye(n)])[..., None]
        wide = {key: np.tile(row, len(moved)) for key, row in rows.items()}
        neuron: Any = group.neuron.build(count * len(moved), wide, "neuron")
        y = np.stack([np.broadcast_to(u.get_mantissa(first[name]), count) for name in first])
        y[list(first).index(one.potential)] = magnitude(one.rest(), units[one.potential])
        for _ in range(20):
            width = 1e-4 * np.maximum(abs(y), 1.0)
            at = dict(zip(first, np.moveaxis(y + moved * width, 1, 0), strict=True))
            given = {name: with_unit(at[name].reshape(-1), units[name]) for name in first}
            slopes = neuron.derivatives(given, lambda V: 0.0 * one.current_unit)
            change = np.stack(
                [
                    np.broadcast_to(magnitude(slopes[name] * dt, unit), (at[name].size,))
                    for name, unit in units.items()
                ]
            ).reshape(n, len(moved), count)
            J = np.moveaxis((change[:, 1 : n + 1] - change[:, n + 1 :]) / (2 * width), 2, 0)
            # A variable that nothing moves, as a threshold that does not decay, stays.
            away = np.linalg.solve(J - 1e-9 * np.eye(n), change[:, 0].T[..., None])[..., 0].T
            y = y - away
            settled = (abs(away) <= 1e-6 * np.maximum(abs(y), 1e-6)).all(axis=0)
            if settled.all():
                break
    return np.where(settled[:, None, None] & np.isfinite(J), J, 0.0)


def _step(integrator: type[Integrator], J: Any) -> list[Any]:
    """What a step makes of small deviations from rest, of one variable in each column: its rows."""
    n, dt = J.shape[-1], 1.0 * u.ms

    def flow(y: Mapping[str, Any], _: float | None) -> dict[str, Any]:
        return {str(i): sum(J[:, i, j, None] * y[str(j)] for j in range(n)) / dt for i in range(n)}

    y = {str(i): np.broadcast_to(np.eye(n)[i], (len(J), n)) for i in range(n)}
    return list(integrator().step(flow, y, dt, {}).values())


_compiled = jax.jit(_step, static_argnums=0)


def _keys(structure: Structure, group: PopulationSpec, row: Mapping[str, float]) -> str:
    """The numbers that the fastest mode depends on, as they are."""
    numbers = {one.key: one for one in group.neuron.all_numbers() if row[one.key]}
    nudged = np.array([[1.0, *(1 + 1e-5 * (key == k) for k in numbers)] for key in row])
    rows = {key: row[key] * nudged[i] for i, key in enumerate(row)}
    rate = abs(np.linalg.eigvals(_jacobian(structure, group, rows))).max(axis=1)
    told = zip(numbers.values(), abs(rate[1:] / rate[0] - 1) > 1e-6, strict=True)
    some = [f"{one.key} = {row[one.key]:g} {unit_text(one.unit)}" for one, moves in told if moves]
    return ", ".join(some)
