"""Computing the points of a sweep: group after group, batch after batch, chunk after chunk.

A group is cut into batches of equal size, so that one program serves them all; a batch is computed
as a run is (`neurolab.runner`): while a chunk computes, another thread checks and writes the one
before.  A batch counts when its points' rows are written, which is one operation.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np

from neurolab.analysis import SpikeStatistics
from neurolab.device import choose as choose_devices
from neurolab.problems import ConfigError, Problems
from neurolab.records import unpack
from neurolab.stop import StopRequest
from neurolab.structure import block_length
from neurolab.sweep.batch import Batch
from neurolab.sweep.points import Group, Lane
from neurolab.sweep.store import BatchWriter, SweepFolder

__all__ = ["Report", "compute_groups"]

log = logging.getLogger("neurolab")

#: Neurons of all points that one device steps together: what stays in a core's cache (measured:
#: 5000 to 10000 are equally fast, 50000 a third slower), and enough to fill a GPU.
_NEURONS_PER_DEVICE = {"cpu": 10240}
_NEURONS_PER_GPU = 2**19
_MOST_POINTS = 8192
_CHUNK_SECONDS = 1.0
_FIRST_CHUNK_STEPS = 1000
#: Parts that a chunk is walked in to find where a point diverged.
_PARTS = 16


@dataclass
class Report:
    """What was computed, and how long it took."""

    points: int = 0
    compute_s: float = 0.0
    compile_s: float = 0.0
    device: str = ""
    failed: dict[int, str] = field(default_factory=dict)


def compute_groups(
    groups: Sequence[Group],
    folder: SweepFolder,
    stop: StopRequest,
    told: Callable[[int, float], None] = lambda points, part: None,
    most: int | None = None,
) -> Report:
    """Compute all points of the groups, or as many as a stop request leaves.

    ``told`` hears how many points are done, and what part of the present batch; ``most`` bounds
    the points of a batch.  Points of a batch that raises are failed; the others go on.
    """
    report = Report()
    for group in groups:
        problems = Problems()
        devices = choose_devices(group.config.get("device") or {}, None, problems)
        if problems.found:
            raise ConfigError(problems.found)
        report.device = f"{devices[0].device_kind} x {len(devices)}"
        _GroupRun(group, devices, folder, report, told, most).go(stop)
        if stop.requested:
            break
    return report


class _GroupRun:
    """The batches of a group, one after the other; the last of one is written while the next
    computes."""

    def __init__(
        self,
        group: Group,
        devices: list[Any],
        folder: SweepFolder,
        report: Report,
        told: Callable[[int, float], None],
        most: int | None,
    ) -> None:
        self.group, self.devices, self.folder = group, devices, folder
        self.report, self.told = report, told
        self.n_lanes = _n_lanes(group, devices, most)
        self.program: Batch | None = None
        self.chunk_steps = _FIRST_CHUNK_STEPS

    def go(self, stop: StopRequest) -> None:
        remaining, began = list(self.group.lanes), time.perf_counter()
        writing: tuple[list[Lane], Future[None]] | None = None
        compiled = self.report.compile_s
        with ThreadPoolExecutor(1) as writer:
            while remaining and not stop.requested:
                lanes = remaining[: self.n_lanes]
                try:
                    commit = self._batch(lanes, stop, writer)
                except Exception as error:
                    if self._smaller(error):
                        continue
                    self._failed(lanes, error)
                    commit = None
                self._written(writing)
                writing = (lanes, commit) if commit else None
                remaining = remaining[len(lanes) :]
            self._written(writing)
        spent = time.perf_counter() - began
        self.report.compute_s += spent - (self.report.compile_s - compiled)

    def _batch(
        self, lanes: list[Lane], stop: StopRequest, writer: ThreadPoolExecutor
    ) -> Future[None] | None:
        """Compute a batch; what commits it is under way. None if stopped before the end."""
        program = self._program(lanes)
        run = _BatchRun(self.group, lanes, program, self.folder)
        done, n = self.report.points, len(lanes)
        self.chunk_steps, finished = run.go(
            self.chunk_steps, stop, writer, partial(_part_told, self.told, done, n)
        )
        if not finished:
            return None
        self.report.points += n
        return writer.submit(run.commit)

    def _program(self, lanes: Sequence[Lane]) -> Batch:
        if self.program is None:
            group, began = self.group, time.perf_counter()
            self.program = Batch(
                group.experiment.structure,
                min(group.experiment.capacity(self.n_lanes), group.n_steps),
                self.devices[: min(len(self.devices), self.n_lanes)],
                self.n_lanes,
                group.varying,
            )
            self.program.compile(group.numbers(_padded(lanes, self.n_lanes)))
            self.report.compile_s += time.perf_counter() - began
        return self.program

    def _written(self, writing: tuple[list[Lane], Future[None]] | None) -> None:
        if writing is None:
            return
        lanes, commit = writing
        try:
            commit.result()
        except Exception as error:
            self.report.points -= len(lanes)
            self._failed(lanes, error)

    def _failed(self, lanes: Sequence[Lane], error: Exception) -> None:
        log.error("points %s failed", [lane.point.index for lane in lanes], exc_info=error)
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        self.report.failed |= {lane.point.index: reason for lane in lanes}

    def _smaller(self, error: Exception) -> bool:
        """After running out of memory: smaller batches, if that is possible."""
        if "RESOURCE_EXHAUSTED" not in str(error) or self.n_lanes <= len(self.devices):
            return False
        n = len(self.devices)
        self.n_lanes, self.program = max(self.n_lanes // 2 // n, 1) * n, None
        log.warning("not enough memory: %d points at once from now on", self.n_lanes)
        return True


def _part_told(told: Callable[[int, float], None], done: int, n: int, part: float) -> None:
    told(done, part * n)


def _n_lanes(group: Group, devices: Sequence[Any], most: int | None) -> int:
    """Points of a batch: what memory and caches hold, in equal batches, the same per device."""
    structure, n_devices = group.experiment.structure, len(devices)
    neurons = _NEURONS_PER_DEVICE.get(devices[0].platform, _NEURONS_PER_GPU)
    wanted = most or min(max(neurons // structure.size, 1) * n_devices, _MOST_POINTS)
    # records of at least two blocks of steps must fit
    while wanted > 1 and group.experiment.capacity(wanted) < 2 * block_length(structure.size):
        wanted //= 2
    n_batches = -(-len(group.lanes) // wanted)
    lanes = -(-len(group.lanes) // n_batches)
    return lanes if lanes < n_devices else -(-lanes // n_devices) * n_devices


def _padded(lanes: Sequence[Lane], n_lanes: int) -> list[Lane]:
    return [*lanes, *[lanes[-1]] * (n_lanes - len(lanes))]


class _BatchRun:
    """One batch: what is done and counted of each of its points."""

    def __init__(
        self, group: Group, lanes: Sequence[Lane], program: Batch, folder: SweepFolder
    ) -> None:
        self.group, self.lanes, self.program = group, lanes, program
        self.experiment = group.experiment
        structure = self.experiment.structure
        self.size, self.dt_ms, self.n = structure.size, structure.dt_ms, len(lanes)
        self.numbers = group.numbers(_padded(lanes, program.n_lanes))
        self.statistics = SpikeStatistics(self.n * self.size)
        #: Steps that count, for each point; fewer than computed once it has diverged.
        self.steps = np.zeros(self.n, np.int64)
        self.broken: dict[int, str] = {}
        self.last: Future[None] | None = None
        kept = self.experiment.kept
        self.carry = np.zeros((2, 0), np.int64)  # spikes in a rate bin not yet complete
        self.writer = BatchWriter(
            folder.batch(lanes[0].point.index),
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
        """Compute in chunks of ``n`` steps at first; the steps that a chunk should have, and
        whether the end was reached."""
        program, total = self.program, self.group.n_steps
        state, sent, written = program.start(self.numbers), 0, None
        while sent < total and not stop.requested:
            m = max(1, min(n, total - sent, program.loop.capacity))
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
        seed = int(self.experiment.numbers["seed"])
        return [
            {
                "point": lane.point.index,
                "status": "diverged" if k in self.broken else "completed",
                "message": self.broken.get(k, ""),
                "rate_hz": summary["rate_hz_mean"] if spikes else None,
                "rate_hz_std": summary["rate_hz_std"] if spikes else None,
                "isi_cv": summary["isi_cv_mean"] if spikes else None,
                "spike_count": summary["spike_count"] if spikes else None,
                "duration_ms": float(durations[k]),
                "n_steps": int(self.steps[k]),
                "seed": int(lane.numbers.get("seed", seed)),
            }
            for k, (lane, summary) in enumerate(zip(self.lanes, found, strict=True))
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
        structure, recording = self.experiment.structure, self.experiment.structure.recording
        point = step = neuron = np.zeros(0, np.int64)
        if recording.spikes:
            words = np.asarray(records["spikes"])
            step, where = unpack(words.reshape(len(words), -1), self.program.loop, first, n)
            point, neuron = np.divmod(where, structure.size)
            here = (point < self.n) & (step < self.steps[np.minimum(point, self.n - 1)])
            if not here.all():
                point, step, neuron, where = point[here], step[here], neuron[here], where[here]
            self.statistics.update(step, where)
        samples = (first + n) // recording.every - first // recording.every
        traces = {
            name.removeprefix("neuron."): np.moveaxis(
                np.asarray(records[name])[:samples, : self.n][..., self.program.columns], 0, 1
            )
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
