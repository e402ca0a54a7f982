"""When chunks are written, and when what was written is committed.

To write makes room in memory; to commit waits for the disk.  A run that records much writes several
times a second, and waits once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from neurolab.results.layout import Chunk
from neurolab.results.writer import ResultsWriter
from neurolab.simulation.measured import Samples

__all__ = ["Counted", "Keeping"]


class Counted(NamedTuple):
    """What of a chunk is counted for the summary."""

    #: Of spikes, and their neurons counted through all points.
    step: np.ndarray
    element: np.ndarray
    #: Samples of variables, and how many of them count of each point.
    samples: Samples
    n_samples: np.ndarray

    @property
    def nbytes(self) -> int:
        """Of all its arrays."""
        own = (self.step, self.element, *self.samples.values())
        return sum(array.nbytes for array in own)


#: Wall time between commits of a run, which sync a dozen files: four a second took 5 % of a run.
_COMMIT_SECONDS = 1.0


class Keeping:
    """Chunks on their way to the disk.

    Parameters
    ----------
    writer
        Takes them.  Of several points each chunk is committed.
    n_steps, n_bytes
        Steps that may wait to be written, and bytes that wait to be counted.
    count
        Hears of what is committed: a summary is of them alone.
    notes
        What is committed beside chunks of several points, which has what is counted.
    """

    def __init__(
        self,
        writer: ResultsWriter,
        n_steps: float,
        n_bytes: float,
        count: Callable[[Sequence[Counted]], None],
        notes: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.writer, self.n_steps, self.n_bytes = writer, n_steps, n_bytes
        self.count, self.notes = count, notes
        self._waiting: list[tuple[Chunk, Counted]] = []  # not yet written
        self._written: list[Counted] = []  # of chunks that are, and not yet committed
        self._committed_at = 0.0

    def take(self, chunk: Chunk, counted: Counted) -> None:
        """A chunk that was computed."""
        self._waiting.append((chunk, counted))

    def go_on(self) -> bool:
        """Write what takes too much memory, commit what is due; whether it was."""
        if sum(chunk.n_steps for chunk, _ in self._waiting) > self.n_steps:
            self._write()
        late = time.perf_counter() - self._committed_at > _COMMIT_SECONDS
        held = sum(counted.nbytes for counted in self._written)
        due = late or held > self.n_bytes or self.writer.n_points is not None
        return due and self.commit()

    def commit(self) -> bool:
        """Write the chunks that wait, and see all that was written onto the disk; whether there
        was any."""
        self._write()
        written, self._written = self._written, []  # what fails halfway is not kept once more
        if not written:
            return False
        if self.writer.n_points is not None:
            self.count(written)
            self.writer.keep(self.notes())
        else:
            self.writer.keep()
            self.count(written)
        self._committed_at = time.perf_counter()
        return True

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.writer.write(Chunk.joined([chunk for chunk, _ in waiting]))
            self._written += [counted for _, counted in waiting]
