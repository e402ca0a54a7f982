"""One batch of points: computed in chunks, checked, counted and written, as a run is.

Every point keeps what it had before it diverged; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from neurolab.analysis import SpikeStatistics
from neurolab.engine.batch import Batch
from neurolab.engine.records import set_bits
from neurolab.results.batches import BatchWriter, SweepFolder
from neurolab.simulation.stop import StopRequest
from neurolab.sweep.points import Group

__all__ = ["BatchRun", "padded"]

_CHUNK_SECONDS = 1.0
#: Parts that a chunk is walked in to find where a point diverged.
_PARTS = 16


class BatchRun:
    """One batch: what is done and counted of each of its points."""

    def __init__(self, group: Group, program: Batch, folder: SweepFolder) -> None:
        self.group, self.program = group, program
        self.experiment = group.experiment
        structure = self.experiment.structure
        self.size, self.dt_ms, self.n = structure.size, structure.dt_ms, len(group.points)
        self.numbers = group.numbers(padded(np.arange(self.n), program.n_lanes))
        self.statistics = SpikeStatistics(self.n * self.size)
        #: Steps that count, for each point; fewer than computed once it has diverged.
        self.steps = np.zeros(self.n, np.int64)
        self.broken: dict[int, str] = {}
        self.last: Future[None] | None = None
        kept = self.experiment.kept
        self.carry = np.zeros((2, 0), np.int64)  # spikes in a rate bin not yet complete
        self.writer = BatchWriter(
            folder.batch(int(group.points[0])),
            self.n,
            n_neurons=self.size,
            dt_ms=self.dt_ms,
            traces=self.experiment.traces,
            record_spikes=kept.spikes,
            rate_bin_steps=kept.rate_bin_steps,
        )

    def go(
        self,
        n: int,
        stop: StopRequest,
        writer: ThreadPoolExecutor,
        told: Callable[[float], None],
    ) -> tuple[int, bool]:
        """Compute in chunks of about ``n`` steps at first; the steps that a chunk should have,
        and whether the end was reached."""
        program, total = self.program, int(self.group.n_steps.max())
        state, sent, written = program.start(self.numbers), 0, None
        while sent < total and not stop.requested:
            left = total - sent
            m = min(-(-left // max(round(left / n), 1)), program.loop.capacity)
            start = time.perf_counter()
            after, records = jax.block_until_ready(program.advance(self.numbers, state, m))
            took = time.perf_counter() - start
            if written:
                written.result()
            written = writer.submit(self._finish, state, after, records, sent, m)
            state, sent = after, sent + m
            told(sent / total)
            n = max(int(m * _CHUNK_SECONDS / took), program.loop.block)
        self.last = written
        return n, sent >= total

    def commit(self) -> None:
        """After the last chunk, on the thread that writes: from now on the batch counts."""
        if self.last:
            self.last.result()
        self.writer.commit(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """How each point went."""
        spikes = self.experiment.structure.recording.spikes
        durations = self.steps * self.dt_ms
        found = self.statistics.results(self.dt_ms, np.maximum(durations, self.dt_ms).tolist())
        seeds = self.group.columns.get("seed", np.full(self.n, self.experiment.numbers["seed"]))
        return [
            {
                "point": int(self.group.points[k]),
                "status": "diverged" if k in self.broken else "completed",
                "message": self.broken.get(k, ""),
                "rate_hz": summary["rate_hz_mean"] if spikes else None,
                "rate_hz_std": summary["rate_hz_std"] if spikes else None,
                "isi_cv": summary["isi_cv_mean"] if spikes else None,
                "spike_count": summary["spike_count"] if spikes else None,
                "duration_ms": float(durations[k]),
                "n_steps": int(self.steps[k]),
                "seed": int(seeds[k]),
            }
            for k, summary in enumerate(found)
        ]

    def _finish(self, before: Any, after: Any, records: Any, first: int, n: int) -> None:
        """Check a chunk and write it."""
        bad = _not_finite(after)[: self.n]
        bad[list(self.broken)] = False
        if bad.any():
            self._locate(before, first, n, np.flatnonzero(bad))
        alive = np.ones(self.n, bool)
        alive[list(self.broken)] = False
        self.steps[alive] = first + n
        recording = self.experiment.structure.recording
        point = step = neuron = np.zeros(0, np.int64)
        if recording.spikes:
            words = np.asarray(records["spikes"])[: self.n]  # no bit is set outside of this chunk
            where, (rows, width) = set_bits(words), (words.shape[1], words.shape[2] * 32)
            row = where // width
            point = row // rows
            neuron = where - row * width  # twice as fast as divmod
            step = row - point * rows + first - first % self.program.loop.block
            counts = step < self.steps[point]
            if not counts.all():
                point, step, neuron = point[counts], step[counts], neuron[counts]
            self.statistics.update(step, point * self.size + neuron)
        samples = (first + n) // recording.every - first // recording.every
        traces = {
            name.removeprefix("neuron."): np.asarray(records[name])[: self.n, :samples][
                ..., self.program.columns
            ]
            for name in recording.variables
        }
        self.writer.append((point, step, neuron), traces, self._rate_counts(point, step, first, n))

    def _rate_counts(
        self, point: np.ndarray, step: np.ndarray, first: int, n: int
    ) -> np.ndarray | None:
        """Spikes of every bin that this chunk completes; the rest waits for the next chunk."""
        width = self.experiment.kept.rate_bin_steps
        if width is None:
            return None
        point, step = np.concatenate([self.carry, [point, step]], axis=1)
        start, end = first // width, (first + n) // width
        later = step >= end * width
        self.carry = np.stack([point[later], step[later]])
        which = point[~later] * (end - start) + step[~later] // width - start
        return np.bincount(which, minlength=self.n * (end - start)).reshape(self.n, -1)

    def _locate(self, state: Any, first: int, n: int, lanes: np.ndarray) -> None:
        """Where each of some points stopped being finite, between ``first`` and ``n`` steps on.

        The steps are walked in parts, and those parts again in which a point goes bad: whatever
        their number, no more than a few times the chunk itself.
        """
        part, done = -(-n // _PARTS), 0
        while done < n and lanes.size:
            m = min(part, n - done)
            after, _ = self.program.advance(self.numbers, state, m)
            bad = lanes[_not_finite(after)[lanes]]
            if bad.size and m == 1:
                for lane in bad:
                    self.steps[lane] = first + done
                    self.broken[int(lane)] = self._told(after, int(lane), first + done)
            elif bad.size:
                self._locate(state, first + done, m, bad)
            lanes, state, done = np.setdiff1d(lanes, bad), after, done + m

    def _told(self, state: Mapping[str, Any], lane: int, step: int) -> str:
        for name, values in state["values"].items():
            value = np.asarray(values[lane])
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                neuron = int(np.argwhere(~np.isfinite(value))[0][-1]) if value.ndim else 0
                return (
                    f"{name.removeprefix('neuron.')} became {value[..., neuron].flat[0]} in step "
                    f"{step} ({(step + 1) * self.dt_ms:g} ms), neuron {neuron}"
                )
        return ""


def _not_finite(state: Mapping[str, Any]) -> np.ndarray:
    """Which points hold NaN or infinity."""
    found: Any = False
    for value in state["values"].values():
        value = np.asarray(value)
        if value.dtype.kind == "f":
            found = found | ~np.isfinite(value).reshape(len(value), -1).all(axis=1)
    return np.array(found)


def padded(lanes: np.ndarray, n_lanes: int) -> np.ndarray:
    """As many lanes as the program has: the last is repeated."""
    return np.pad(lanes, (0, n_lanes - len(lanes)), mode="edge")
