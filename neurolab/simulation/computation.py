"""Points computed together, one or many: chunk after chunk computed, checked, counted, written.

While a chunk computes, another thread works up the one before: finds the spikes, stops counting the
points that are not finite any more, writes the rest and commits it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from neurolab.analysis import SpikeStatistics
from neurolab.config.experiment import Experiment
from neurolab.engine.loop import NONFINITE
from neurolab.engine.program import Program
from neurolab.results.batches import COMPLETED, PARTIAL
from neurolab.results.layout import Chunk
from neurolab.results.writer import ResultsWriter
from neurolab.simulation.checkpoint import Checkpoints
from neurolab.simulation.divergence import locate
from neurolab.simulation.facts import notes_of
from neurolab.simulation.keeping import Counted, Keeping
from neurolab.simulation.lessen import lessen
from neurolab.simulation.measured import Measured
from neurolab.simulation.patterns import Found
from neurolab.simulation.stop import StopRequest

__all__ = ["FIRST_CHUNK_STEPS", "Computation"]

#: Steps of a first chunk, and updates in it at the most: slow networks make so many in seconds.
FIRST_CHUNK_STEPS, _FIRST_UPDATES = 1000, 10_000_000
#: The last chunk of a run, which nothing is computed beside, is this part of others at the least.
_LAST = 8
#: Spikes in a row that say nothing: of a cell that starts far above its threshold, say.
_FEW_STEPS = 20


class Computation:
    """What is done and counted of points that one program computes together.

    Parameters
    ----------
    experiment, program, numbers
        What is computed; a program of one point has records without an axis of points.
    n_steps
        Steps of each point.  Further points that fill the program's shape are left out.
    writer
        Takes each chunk; it has an axis of points exactly if the program has.
    seconds
        Wall time that a chunk aims at: often enough to see progress, and to stop.
    points, plan
        What the points are called, in a plan of this number (`neurolab.results.earlier`).
    """

    def __init__(
        self,
        experiment: Experiment,
        program: Program,
        numbers: Mapping[str, Any],
        n_steps: Sequence[int],
        writer: ResultsWriter,
        seconds: float,
        points: Sequence[int] = (0,),
        plan: int = 0,
    ) -> None:
        self.experiment, self.program, self.writer = experiment, program, writer
        self.numbers, self.seconds = program.place(numbers), seconds
        self.points, self.plan, n = points, plan, len(n_steps)
        self.seeds = np.broadcast_to(np.asarray(numbers["seed"]).reshape(-1)[:n], n)
        self.ends, self.total = np.asarray(n_steps, np.int64), int(max(n_steps))
        #: Steps that count, for each point; fewer than computed once it has diverged.
        self.steps = np.zeros(len(self.ends), np.int64)
        #: What diverged, where and when, by point.
        self.broken: dict[int, str] = {}
        self.done = self.sent = 0
        structure = experiment.structure
        self.size, self.dt_ms = structure.size, structure.dt_ms
        #: Spikes before this step are left out, and no rate is over them.
        self.start = experiment.recorded.start
        self.statistics, self.measured = SpikeStatistics(n * self.size), Measured(experiment, n)
        self.patterns = Found(self)
        self._firsts = np.array([structure.first(group) for group in structure.populations])
        self._open = np.zeros((n, len(self._firsts)), np.int64)  # spikes in a bin not yet full
        half, n_bytes = experiment.capacity() / 2, experiment.recorded.memory / 3
        self._keeping = Keeping(writer, half, n_bytes, self._count, lambda: notes_of(self))
        self._noted: tuple[bytes, int] | None = None  # how the points stood at the last commit
        self._last: Future[None] | None = None
        #: Steps that were committed in an earlier session: computed again they are not written.
        self.known = writer.commit.steps
        self.checkpoints = Checkpoints(self, experiment.checkpoint_s)
        self.finished = False
        self.state: Any = None  # after the last step that was begun; None before the first

    def go(
        self,
        stop: StopRequest,
        worker: ThreadPoolExecutor,
        on_chunk: Callable[[int], None],
        n: int = 0,
        most: Callable[[int], int] | None = None,
        on_written: Callable[[Mapping[str, Any], int | None], None] = lambda state, n_spikes: None,
        until: int | None = None,
    ) -> int:
        """Compute until the end (or step ``until``), a stop, or until every point has diverged.

        ``on_chunk`` hears, on this thread, of the steps computed; ``most`` says how many steps a
        chunk may have from some step on; ``on_written`` hears, on the other thread, of the state
        after a chunk and its spikes.  Returns the steps that a chunk should have: ``n`` at
        first, few if that is 0.
        """
        self.state = self.state or self.program.start(self.numbers)
        few = _FIRST_UPDATES // (self.size * len(self.ends))
        n = n or min(FIRST_CHUNK_STEPS, max(few, self.program.block))
        until = self.total if until is None else until
        while self.sent < until and not stop.requested:
            state, sent, left = self.state, self.sent, until - self.sent
            m = min(-(-left // max(round(left / n), 1)), self.program.capacity)
            if self.writer.n_points is None:  # what is left to be worked up at the end is little
                m = min(m, max(-(-left // 2), n // _LAST))
            m = m if most is None else min(m, most(sent))
            m = min(m, self.known - sent) if sent < self.known else m
            began = time.perf_counter()
            try:
                after, records = self.program.advance(self.numbers, state, m)
                jax.block_until_ready((after, records))
            except Exception as error:
                lessen(self, error)
                continue
            took = time.perf_counter() - began
            self.wait()
            if len(self.broken) == len(self.ends):
                return n
            self._last = worker.submit(self._finish, state, after, records, sent, m, on_written)
            self.state, self.sent = after, sent + m
            on_chunk(self.sent)
            n = max(int(m * self.seconds / took), self.program.block)
        self.finished = self.sent >= self.total
        return n

    def wait(self) -> None:
        """Until the last chunk is worked up; raises what went wrong in that."""
        if self._last is not None:
            self._last.result()

    def close(self) -> None:
        """Work up the last chunk and write what waits: on any thread, once `go` has returned."""
        self.wait()
        self.commit()
        if self.writer.n_points is None:
            return
        if self._noted != self._progress():
            self.writer.note(notes_of(self))  # of points that diverged before all steps
        if len(self.broken) < len(self.ends):
            self.checkpoints.take(self.state)
        else:
            self.checkpoints.remove()

    def commit(self) -> None:
        """See onto the disk what was computed and waits."""
        if self._keeping.commit():
            self._noted = self._progress()

    def counts(self) -> dict[str, np.ndarray]:
        """What was counted of all points so far, by name."""
        counted = self.statistics.state() | self.measured.state()
        return {"steps": self.steps, "open": self._open, **counted}

    def recount(self, counts: Mapping[str, np.ndarray]) -> None:
        """Take over what was counted."""
        self.steps, self._open = counts["steps"].copy(), counts["open"].copy()
        self.statistics.restore(counts)
        self.measured.restore(counts)

    def _count(self, chunks: Sequence[Counted]) -> None:
        for one in chunks:
            self.statistics.update(one.step, one.element)
            self.measured.add(one.samples, one.n_samples)

    def _progress(self) -> tuple[bytes, int]:
        """What `notes_of` are made of."""
        return self.steps.tobytes(), len(self.broken)

    def message(self, k: int) -> str:
        """What is wrong with a point, or probably is; empty if nothing."""
        counts = self.statistics.count.reshape(-1, self.size)[k]
        steps = max(self.steps[k] - self.start, 0)
        most = int(counts.argmax())
        if k in self.broken or counts[most] < max(0.5 * steps, _FEW_STEPS):
            return self.broken.get(k, "")
        often = f"{self.named(most)} fired in {counts[most]} of {steps} steps"
        return f"{often}: are the units of its drive and parameters right?"

    def named(self, neuron: int) -> str:
        """A neuron, counted through all populations, as it is called."""
        group, own = self.experiment.structure.at(neuron)
        return f"neuron {own}{f' of {group.name}' * bool(group.name)}"

    def status_of(self, k: int) -> str:
        """What became of a point so far."""
        if k in self.broken:
            return "diverged"
        return COMPLETED if self.steps[k] == self.ends[k] else PARTIAL

    def _finish(
        self,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        records: Mapping[str, Any],
        first: int,
        n: int,
        on_written: Callable[[Mapping[str, Any], int | None], None],
    ) -> None:
        """Check a chunk, count and write it."""
        structure = self.experiment.structure
        points, recording = len(self.ends), structure.recording
        alive = ~np.isin(np.arange(points), list(self.broken))
        seen = [np.asarray(after[group.prefix + NONFINITE]) for group in structure.populations]
        bad = np.concatenate([found.reshape(-1, found.shape[-1]) for found in seen], axis=1)
        bad = bad[:points, self.program.places]
        broken = alive & (bad.min(axis=1) < np.minimum(first + n, self.ends))
        self.steps[alive] = np.minimum(first + n, self.ends)[alive]
        self.steps[broken] = bad.min(axis=1)[broken]
        if broken.any():
            self.broken |= locate(self, before, first, bad, np.flatnonzero(broken))
        n = int(min(self.steps.max(), first + n)) - first  # nothing counts beyond
        if n <= 0:
            return
        point = step = neuron = np.zeros(0, np.int64)
        if recording.spikes:
            point, step, neuron = self.program.spikes(records, first, n)
            ends = np.pad(self.steps, (0, (self.program.points or 1) - points))
            if ends.min() < first + n:
                counts = step < ends[point]
                point, step, neuron = point[counts], step[counts], neuron[counts]
        fired = step.size if recording.spikes else None
        if first < self.start:
            late = step >= self.start
            point, step, neuron = point[late], step[late], neuron[late]
        traces, measured, n_samples = self.measured.chunk(self, records, first, n)
        rates = self._rate_counts(point, step, neuron, first, n)
        counted = Counted(step, point * self.size + neuron, measured, n_samples)
        if first >= self.known:
            chunk = self._chunk(first, n, point, step, neuron, traces, rates)
            self._keeping.take(chunk, counted)
        else:
            self._count([counted])
        self.done = first + n
        if broken.any() and self.program.points is None:  # as it was while it was finite
            after, _ = self.program.advance(self.numbers, dict(before), n)
        on_written(after, fired)
        if self._keeping.go_on():
            self._noted = self._progress()
        if self.checkpoints.due:
            self.checkpoints.take(after)

    def _chunk(
        self,
        first: int,
        n: int,
        point: np.ndarray,
        step: np.ndarray,
        neuron: np.ndarray,
        traces: dict[str, np.ndarray],
        rates: np.ndarray | None,
    ) -> Chunk:
        """A chunk as the writer takes it."""
        if not self.experiment.recorded.spikes:
            point, step, neuron = point[:0], step[:0], neuron[:0]
        if self.writer.n_points is not None:
            return Chunk(first, n, step, neuron, traces, rates, point)
        one = {name: values[0] for name, values in traces.items()}
        return Chunk(first, n, step, neuron, one, None if rates is None else rates[0])

    def _rate_counts(
        self, point: np.ndarray, step: np.ndarray, neuron: np.ndarray, first: int, n: int
    ) -> np.ndarray | None:
        """Spikes of every point in each bin that is complete now, of a network of each population;
        the last bin stays open."""
        width = self.experiment.recorded.rate_bin_steps
        if width is None:
            return None
        start, groups = first // width, len(self._firsts)
        shape = (len(self.ends), (first + n) // width - start + 1, groups)
        which = (point * shape[1] + step // width - start) * groups
        if groups > 1:
            which += np.searchsorted(self._firsts, neuron, side="right") - 1
        counts = np.bincount(which, minlength=math.prod(shape)).reshape(shape)
        counts[:, 0] += self._open
        self._open = counts[:, -1].copy()
        counts = counts[:, max(self.start // width - start, 0) : -1]
        return counts if self.writer.attributes["populations"] else counts[..., 0]
