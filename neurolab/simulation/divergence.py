"""What became NaN or infinite, of points of a computation that diverged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.engine.structure import short_name

if TYPE_CHECKING:
    from neurolab.simulation.computation import Computation

__all__ = ["locate"]


def locate(
    of: Computation, state: Mapping[str, Any], first: int, bad: np.ndarray, points: np.ndarray
) -> dict[int, str]:
    """Which variable of some points was not finite, in the steps in which that happened first: the
    chunk from step ``first`` is walked once more, from one of these steps to the next.

    ``bad`` is the first such step of each neuron of each point.
    """
    steps, found = bad[points].min(axis=1), dict[int, str]()
    at = first
    for step in np.unique(steps):
        state, _ = of.program.advance(of.numbers, dict(state), int(step) + 1 - at)
        at = int(step) + 1
        for k in points[steps == step]:
            neuron = int(np.flatnonzero(bad[k] == step)[0])
            found[int(k)] = _what(of, state, int(k), int(step), neuron)
    return found


def _what(of: Computation, state: Mapping[str, Any], point: int, step: int, neuron: int) -> str:
    group, own = of.experiment.structure.at(neuron)
    when = f"in step {step} ({(step + 1) * of.dt_ms:g} ms), {of.named(neuron)}"
    for name, values in state.items():
        value = np.asarray(values)
        if not name.startswith(group.prefix) or value.dtype.kind != "f":  # as clocks are not
            continue
        value = value if of.program.points is None else value[point]
        per_neuron = value.shape[-1:] == of.program.arrays[group.prefix]
        mine = value[..., own] if per_neuron else value
        wrong = mine[~np.isfinite(mine)]
        if wrong.size:
            return f"{short_name(name)} became {float(wrong.flat[0])} {when}"
    return f"a variable was not finite {when}"
