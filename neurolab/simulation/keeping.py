"""When chunks are written, and when what was written is committed.

To write makes room in memory; to commit waits for the disk.  A run that records much writes several
times a second, and waits once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from neurolab.results.layout import Chunk
from neurolab.results.writer import ResultsWriter

__all__ = ["Keeping", "Spikes"]

#: Of a chunk: the steps, and the neurons counted through all points.
Spikes = tuple[np.ndarray, np.ndarray]

#: Wall time between commits of a run, which sync a dozen files: four a second took 5 % of a run.
_COMMIT_SECONDS = 1.0


class Keeping:
    """Chunks on their way to the disk.

    Parameters
    ----------
    writer
        Takes them.  Of several points each chunk is committed.
    n_steps, n_bytes
        Steps that may wait to be written, and bytes of spikes to be counted.
    count
        Hears of the spikes that are committed: a summary is of them alone.
    notes
        What is committed beside chunks of several points, which has what is counted.
    """

    def __init__(
        self,
        writer: ResultsWriter,
        n_steps: float,
        n_bytes: float,
        count: Callable[[Sequence[Spikes]], None],
        notes: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.writer, self.n_steps, self.n_bytes = writer, n_steps, n_bytes
        self.count, self.notes = count, notes
        self._waiting: list[tuple[Chunk, Spikes]] = []  # not yet written
        self._written: list[Spikes] = []  # of chunks that are, and not yet committed
        self._committed_at = 0.0

    def take(self, chunk: Chunk, spikes: Spikes) -> None:
        """A chunk that was computed."""
        self._waiting.append((chunk, spikes))

    def go_on(self) -> bool:
        """Write what takes too much memory, commit what is due; whether it was."""
        if sum(chunk.n_steps for chunk, _ in self._waiting) > self.n_steps:
            self._write()
        late = time.perf_counter() - self._committed_at > _COMMIT_SECONDS
        held = sum(step.nbytes + element.nbytes for step, element in self._written)
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
            self._written += [spikes for _, spikes in waiting]
