"""Values of spikes that a summary has, of points that were computed to their end: from what was
written, `neurolab.results.statistics`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurolab.results.point import InBatch
from neurolab.results.run import Run
from neurolab.results.statistics import STATISTICS, value_of

if TYPE_CHECKING:
    from neurolab.simulation.computation import Computation

__all__ = ["Found"]


class Found:
    """The statistics that were asked for, of the points of a computation; each computed once."""

    def __init__(self, computation: Computation) -> None:
        self._of = computation
        self._wanted = computation.experiment.recorded.statistics
        #: By point, when it had so many steps.
        self._known: dict[tuple[int, int], dict[tuple[str, str], float | None]] = {}

    def results(self, k: int, population: str, known: bool = True) -> dict[str, tuple[Any, str]]:
        """Each value of a point, of one population, and its unit; None where nothing is ``known``
        of it, or it has too few spikes."""
        wanted = [name for of, name in self._wanted if of == population]
        values = self._values(k) if wanted and known else {}
        return {name: (values.get((population, name)), STATISTICS[name].unit) for name in wanted}

    def _values(self, k: int) -> dict[tuple[str, str], float | None]:
        steps = int(self._of.steps[k])
        if (k, steps) not in self._known:
            run = self._written(k, steps)
            parts = {"": run} | {name: run[name] for name in run.populations}
            self._known[k, steps] = {
                (of, name): value_of(name, parts[of]) for of, name in self._wanted
            }
        return self._known[k, steps]

    def _written(self, k: int, steps: int) -> Run:
        """What was written of a point, whether it is committed or will be with these values."""
        writer = self._of.writer
        folder, written = writer.folder or Path(), writer.written
        if writer.n_points is None:
            return Run(folder, written, writer.store)
        return InBatch(folder, k, steps, written, writer.store)
