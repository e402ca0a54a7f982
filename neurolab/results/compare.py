"""The first difference between two runs, in what both committed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurolab.results.damage import whole
from neurolab.results.run import Run

__all__ = ["Difference", "first_difference"]

#: Values that are compared at a time.
_AT_ONCE = 2**22


@dataclass(frozen=True, order=True)
class Difference:
    """Where two runs differ first.

    Parameters
    ----------
    step
        The step after which they do.
    neuron
        The neuron, counted through all populations.
    what
        The variable, ``spike``, or ``rate``.
    values
        What the one has and the other.
    """

    step: int
    neuron: int
    what: str
    values: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        one, other = self.values
        return f"{self.what} of neuron {self.neuron} in step {self.step}: {one}, {other}"


def first_difference(one: Run, other: Run) -> Difference | None:
    """The first difference of spikes and traces of two runs with one recording; None where they are
    identical, bit for bit, as far as both go."""
    found = [_of_trace(one, other, name) for name in one.attributes["traces"]]
    found += [_of_spikes(one, other)] if one.attributes["record_spikes"] else []
    return min((one for one in found if one is not None), default=None)


def _of_spikes(one: Run, other: Run) -> Difference | None:
    until, began = min(one.committed_steps, other.committed_steps), 0
    lengths = [run.commit.lengths.get("spike_step", 0) for run in (one, other)]
    while began < max(lengths):
        end = began + _AT_ONCE
        steps, neurons = (
            [
                whole(run._group(), name, slice(began, min(end, n)))
                for run, n in zip((one, other), lengths, strict=True)
            ]
            for name in ("spike_step", "spike_neuron")
        )
        n = min(map(len, steps))
        differs = (steps[0][:n] != steps[1][:n]) | (neurons[0][:n] != neurons[1][:n])
        at = int(np.argmax(differs)) if differs.any() else n
        left = [
            (int(s[at]), int(k[at])) for s, k in zip(steps, neurons, strict=True) if at < len(s)
        ]
        left = [spike for spike in left if spike[0] < until]
        if left and (at < n or len(set(map(len, steps))) > 1):
            step, neuron = min(left)
            fired = (_fires(steps[0], neurons[0], step, neuron), "a spike", "none")
            return Difference(step, neuron, "spike", fired[1:] if fired[0] else fired[:0:-1])
        if not left and at < n:
            return None
        began = end
    return None


def _fires(steps: np.ndarray, neurons: np.ndarray, step: int, neuron: int) -> bool:
    return bool(np.any((steps == step) & (neurons == neuron)))


def _of_trace(one: Run, other: Run, name: str) -> Difference | None:
    about = one.attributes["traces"][name]
    length = min(run.commit.lengths.get(name, 0) for run in (one, other))
    of = whole(one._group(), about["axes"][1], slice(None))
    rows = max(1, _AT_ONCE // max(of.size, 1))
    for began in range(0, length, rows):
        where = slice(began, min(began + rows, length))
        a, b = (whole(run._group(), name, where) for run in (one, other))
        same = a.view(np.uint8).reshape(*a.shape, -1) == b.view(np.uint8).reshape(*b.shape, -1)
        differs = ~same.all(axis=-1)
        if differs.any():
            row, column = divmod(int(np.argmax(differs)), of.size)
            step = (began + row + 1) * about["every"] - 1
            values = f"{a[row, column]!r}", f"{b[row, column]!r}"
            return Difference(step, int(of[column]), name, values)
    return None
