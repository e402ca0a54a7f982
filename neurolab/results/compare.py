"""The first difference between two runs, in what both committed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurolab.results.run import Run

__all__ = ["Difference", "first_difference"]

#: Values of traces that are compared at a time.
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
    until = min(one.committed_steps, other.committed_steps)
    found = []
    for run in (one, other):
        steps = run.read("spike_step").astype(np.int64)
        found.append((steps * run.n_neurons + run.read("spike_neuron"))[steps < until])
    only = np.setxor1d(*found)  # a neuron fires once in a step
    if not only.size:
        return None
    step, neuron = divmod(int(only[0]), one.n_neurons)
    ours = bool(np.isin(only[0], found[0]))
    return Difference(step, neuron, "spike", ("fired", "not") if ours else ("not", "fired"))


def _of_trace(one: Run, other: Run, name: str) -> Difference | None:
    time, neuron = one.attributes["traces"][name]["axes"]
    length = min(run.commit.lengths.get(name, 0) for run in (one, other))
    if not length:
        return None
    every, of = one.attributes["traces"][name]["every"], one.traces[neuron].values
    rows = max(1, _AT_ONCE // max(of.size, 1))
    for began in range(0, length, rows):
        where = {time: slice(began, min(began + rows, length))}
        a, b = (np.ascontiguousarray(run.traces[name].isel(where).values) for run in (one, other))
        differs = (a.view(np.uint8) != b.view(np.uint8)).reshape(*a.shape, -1).any(axis=-1)
        if differs.any():
            row, column = divmod(int(np.argmax(differs)), of.size)
            values = str(a[row, column]), str(b[row, column])
            row += one.start_step // every
            return Difference((began + row + 1) * every - 1, int(of[column]), name, values)
    return None
