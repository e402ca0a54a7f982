"""Recorded variables as NumPy arrays: for pictures and pages, which do not wait for xarray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurolab.results.damage import DamagedError

if TYPE_CHECKING:
    from neurolab.results.run import Run

__all__ = ["Samples", "samples_of"]


@dataclass(frozen=True, eq=False)
class Samples:
    """A variable of a run as it was recorded.

    Parameters
    ----------
    time_ms, neurons
        Of each row, and of each column.
    kind
        Of its values, as NumPy has it; empty where they are `damaged`.
    """

    run: Run
    name: str
    unit: str
    time_ms: np.ndarray
    neurons: np.ndarray
    kind: str = ""
    damaged: DamagedError | None = None

    def of(self, columns: Sequence[int]) -> np.ndarray:
        """Values over (time, columns); a `DamagedError` says what is wrong with them."""
        if self.damaged is not None:
            raise self.damaged
        rows = slice(0, self.time_ms.size)
        return self.run.part(self.name, *self.run.place, rows, np.asarray(columns))


def samples_of(run: Run) -> dict[str, Samples]:
    """Every variable that has samples, by its name."""
    found, axes = {}, dict[str, np.ndarray]()
    for name, trace in run.attributes["traces"].items():
        if not run.commit.lengths.get(name):
            continue
        try:
            for axis in trace["axes"]:
                if axis not in axes:
                    axes[axis] = run.part(axis, slice(0, run.commit.lengths[axis]))
            of, kind = [axes[axis] for axis in trace["axes"]], run.kind(name)
            found[name] = Samples(run, name, trace["unit"], of[0], of[1], kind)
        except DamagedError as error:
            none = np.zeros(0, np.int64)
            found[name] = Samples(run, name, trace["unit"], none, none, damaged=error)
    return found
