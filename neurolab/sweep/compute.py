"""Computing the points of a sweep: group after group, batch after batch, chunk after chunk.

A group is cut into batches of equal size, so that one program serves them all; a batch is computed
as a run is (`neurolab.simulation.computation`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.engine.cache import program_of
from neurolab.engine.device import choose as choose_devices
from neurolab.engine.parts import NEURONS_TOGETHER
from neurolab.engine.program import Program
from neurolab.engine.smaller import exhausted
from neurolab.problems import ConfigError, Problems
from neurolab.results.batches import SweepFolder
from neurolab.results.checkpoint import Checkpoint
from neurolab.results.damage import read_commit
from neurolab.results.writer import ResultsWriter
from neurolab.simulation.checkpoint import go_on
from neurolab.simulation.computation import Computation
from neurolab.simulation.stop import StopRequest
from neurolab.sweep.points import Group

__all__ = ["Report", "compute_groups", "devices_of"]

log = logging.getLogger("neurolab")

#: Neurons of all points of a batch on one device.
_NEURONS_PER_DEVICE = {"cpu": 10240}
_NEURONS_PER_GPU = 2**19
_MOST_POINTS = 8192
_CHUNK_SECONDS = 1.0


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
    on_progress: Callable[..., None] = lambda points, batch=0, part=0.0: None,
    most: int | None = None,
    begun: Mapping[Path, Sequence[int]] | None = None,
    missing: np.ndarray | None = None,
) -> Report:
    """Compute all points of the groups, or as many as a stop request leaves.

    ``on_progress`` hears how many points are done, how many the present batch has and what part of
    their time is computed; ``most`` bounds the points of a batch.  Points of a batch that raises
    are failed; the others go on.  Batches that were ``begun`` go on first, from their checkpoints;
    of points that the groups have for them alone none are computed otherwise (``missing`` are to
    be; all, if not given).
    """
    report = Report()
    for group in groups:
        devices = devices_of(group)
        report.device = f"{devices[0].device_kind} x {len(devices)}"
        wanted = np.ones(group.points.size, bool)
        if missing is not None:
            wanted = np.isin(group.points, missing)
        _GroupRun(group, devices, folder, report, on_progress, most, wanted).go(stop, begun or {})
        if stop.requested:
            break
    return report


def devices_of(group: Group) -> list[Any]:
    """The devices that share the points of a group; a `ConfigError` if they are not there."""
    problems = Problems()
    devices = choose_devices(group.config.get("device") or {}, None, problems)
    problems.raise_if_any()
    return devices


class _GroupRun:
    """The batches of a group, one after the other; the last of one is written while the next
    computes."""

    def __init__(
        self,
        group: Group,
        devices: list[Any],
        folder: SweepFolder,
        report: Report,
        on_progress: Callable[..., None],
        most: int | None,
        wanted: np.ndarray,
    ) -> None:
        self.group, self.devices, self.folder, self.wanted = group, devices, folder, wanted
        self.report, self.on_progress = report, on_progress
        self.plan = folder.numbering.plan  # that of the groups, whatever it becomes
        #: Points of a batch; places for them in its program; points stepped together.
        self.most, self.n_points, self.at_once = _n_points(group, devices, most)
        self.chunk_steps, self.most_steps = 0, int(group.n_steps.max())  # the first is not known
        #: Synapses, where all points have the same.
        self.synapses: dict[str, Any] = {}

    def go(self, stop: StopRequest, begun: Mapping[Path, Sequence[int]]) -> None:
        n_steps = self.group.n_steps
        remaining = np.argsort(n_steps, kind="stable")  # few end before their batch does
        remaining = remaining[self.wanted[remaining]]
        waiting = self._begun(begun)
        writing: tuple[np.ndarray, Future[None], bool] | None = None
        began, compiled = time.perf_counter(), self.report.compile_s
        with ThreadPoolExecutor(1) as worker:
            worker.submit(import_module, "zarr")  # takes a while: meanwhile the program is compiled
            while (waiting or remaining.size) and not stop.requested:
                into, rows = waiting.pop(0) if waiting else (None, remaining[: self.most])
                try:
                    computation = self._batch(rows, stop, worker, into)
                except Exception as error:
                    if into is not None:  # its points are computed as if nothing had been there
                        log.warning("%s cannot go on: %s", into, error)
                        continue
                    if self._smaller(error):
                        continue
                    self._failed(rows, error)
                    computation = None
                self._written(writing)
                writing = None
                if computation is not None:
                    writing = rows, worker.submit(_close, computation), computation.finished
                remaining = remaining[~np.isin(remaining, rows)]
            self._written(writing)
        spent = time.perf_counter() - began
        self.report.compute_s += spent - (self.report.compile_s - compiled)

    def _begun(self, begun: Mapping[Path, Sequence[int]]) -> list[tuple[Path | None, np.ndarray]]:
        """Batches of this group that go on, and the rows of their points."""
        places = {point: row for row, point in enumerate(self.group.points.tolist())}
        return [
            (folder, np.array([places[point] for point in points]))
            for folder, points in begun.items()
            if all(point in places for point in points)
        ]

    def _batch(
        self, rows: np.ndarray, stop: StopRequest, worker: ThreadPoolExecutor, into: Path | None
    ) -> Computation:
        """Compute a batch, or what of it a stop request leaves; in a folder in which it was begun,
        or in a new one."""
        group, experiment = self.group, self.group.experiment
        n_points, at_once = self.n_points, self.at_once
        if len(rows) > n_points:
            n_points, at_once = _shared(len(rows), len(self.devices), at_once)
        filled = np.concatenate([rows, np.repeat(rows[-1:], n_points - len(rows))])
        program, numbers = self._program(group.numbers(filled), n_points, at_once)
        n_steps, points = group.n_steps[rows], group.points[rows].tolist()
        with ExitStack() as failing:
            new = self.folder.new_batch(min(points)) if into is None else self.folder.again(into)
            lease = failing.enter_context(new)
            commit, of = read_commit(lease.folder), lease.folder.name
            checkpoint = Checkpoint.read(lease.folder, commit.of)
            layout = {**experiment.layout, "n_points": len(rows), "lease": lease, "of": of}
            writer = ResultsWriter(lease.folder, **layout, go_on=commit if into else None)
            computation = Computation(
                experiment, program, numbers, n_steps, writer, _CHUNK_SECONDS, points, self.plan
            )
            if checkpoint is not None:
                about, numbering = checkpoint.about, self.folder.numbering
                known = numbering.now(about["points"], about.get("plan", 0))
                go_on(computation, replace(checkpoint, about={**about, "points": known}))
            done, n = self.report.points, int(self.wanted[rows].sum())
            on_progress = partial(self.on_progress, done, n)
            self.chunk_steps = computation.go(
                stop, worker, lambda sent: on_progress(sent / computation.total), self.chunk_steps
            )
            failing.pop_all()
        self.report.points += n if computation.finished else 0
        return computation

    def _program(
        self, numbers: Mapping[str, Any], n_points: int, at_once: int
    ) -> tuple[Program, Mapping[str, Any]]:
        """The compiled program, and its numbers placed."""
        group, began = self.group, time.perf_counter()
        finest = 1 << max(int(group.n_steps.max()).bit_length() - 4, 0)
        longest = -(-int(group.n_steps.max()) // finest) * finest  # few sizes: few programs
        program = program_of(
            group.experiment.structure,
            min(group.experiment.capacity(n_points), longest, self.most_steps),
            tuple(self.devices),
            n_points,
            frozenset(group.varying),
            at_once,
        )
        placed = program.place({**numbers, **self.synapses})
        made = {key for of in group.experiment.structure.bundles for key in of.made}
        self.synapses = {key: placed.arguments[key] for key in made - program.varying}
        program.compile(placed)
        self.report.compile_s += time.perf_counter() - began
        return program, placed

    def _written(self, writing: tuple[np.ndarray, Future[None], bool] | None) -> None:
        if writing is None:
            return
        rows, closing, finished = writing
        try:
            closing.result()
        except Exception as error:
            self.report.points -= int(self.wanted[rows].sum()) if finished else 0
            self._failed(rows, error)

    def _failed(self, rows: np.ndarray, error: Exception) -> None:
        self.folder.check_after(error)
        points = self.group.points[rows].tolist()
        log.error("points %s failed", points, exc_info=error)
        problems = error.problems if isinstance(error, ConfigError) else ()
        reason = "; ".join(" ".join(str(problem).split()) for problem in problems)
        reason = reason or (str(error).splitlines() or [""])[0]
        self.report.failed |= dict.fromkeys(points, f"{type(error).__name__}: {reason}")

    def _smaller(self, error: Exception) -> bool:
        """After running out of memory: smaller batches, if that is possible."""
        if not exhausted(error):
            return False
        if self.most <= 1:
            return self._shorter()
        self.most = max(self.most // 2, 1)
        self.n_points, self.at_once = _shared(self.most, len(self.devices), self.at_once)
        log.warning("not enough memory: %d points at once from now on", self.most)
        return True

    def _shorter(self) -> bool:
        """Shorter chunks, of at least two blocks of steps."""
        experiment = self.group.experiment
        half = min(experiment.capacity(self.n_points), self.most_steps) // 2
        if half < 2 * experiment.structure.block:
            return False
        self.most_steps = half
        log.warning("not enough memory: chunks of %d steps at most from now on", half)
        return True


def _close(computation: Computation) -> None:
    """Write what is left of a batch; nobody writes to it from then on."""
    try:
        computation.close()
    finally:
        if computation.writer.lease is not None:
            computation.writer.lease.release()


def _n_points(group: Group, devices: Sequence[Any], most: int | None) -> tuple[int, int, int]:
    """Points of a batch, places for them in its program, and of those that a device steps together.

    As many as memory and caches hold, in equal batches, the same number for each device.
    """
    size, n_devices, kind = group.experiment.structure.size, len(devices), devices[0].platform
    neurons = _NEURONS_PER_DEVICE.get(kind, _NEURONS_PER_GPU)
    wanted = most or min(max(neurons // size, 1) * n_devices, _MOST_POINTS)
    # records of at least two blocks of steps must fit
    while wanted > 1 and group.experiment.capacity(wanted) < 2 * group.experiment.structure.block:
        wanted //= 2
    n_batches = -(-len(group.points) // wanted)
    points = -(-len(group.points) // n_batches)
    together = max(NEURONS_TOGETHER.get(kind, neurons) // size, 1)
    if group.experiment.structure.projections:  # points of networks are stepped one at a time
        together = 1
    places, at_once = _shared(points, n_devices, together)
    return min(places, most or places), places, at_once


def _shared(points: int, n_devices: int, at_once: int) -> tuple[int, int]:
    """At least so many points, in equal parts of at most ``at_once`` for every device.

    All devices have some, and two at least where that many are stepped together: what fills them up
    costs little, and a point would else depend on its batch in the last bit, since XLA computes
    with numbers of one point, which are scalars, or on one device, in another order.
    """
    own = max(-(-points // n_devices), min(at_once, 2))
    parts = -(-own // at_once)
    at_once = -(-own // parts)
    return n_devices * parts * at_once, at_once
