"""One experiment, from a checked configuration to its run folder.  Read this first.

    experiment, devices = check(config)           # config.py: structure, numbers, steps
    program = Program(experiment.structure, ...)  # program.py: start, advance
    state = program.start(numbers)
    while steps remain:                           # chunk after chunk
        state, records = program.advance(numbers, state, n)
        ... the chunk before is written while this one computes ...
    summary.json, plots, the tracker's end

A chunk is computed, checked for NaN and infinity, written, and then committed; whatever ends the
run, what was committed stays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brainunit as u
import jax
import numpy as np

from neurolab.analysis import SpikeStatistics
from neurolab.config.experiment import Experiment, check
from neurolab.engine.divergence import is_finite, locate
from neurolab.engine.program import Program
from neurolab.engine.records import unpack
from neurolab.report.pictures import draw_run
from neurolab.results.status import StatusFile
from neurolab.results.summary import peak_memory_mb, write_summary
from neurolab.results.writer import Chunk, ResultsWriter
from neurolab.simulation.progress import Progress
from neurolab.simulation.stop import StopRequest
from neurolab.simulation.tracking import Rows, tracked_run
from neurolab.trackers.telling import Telling
from neurolab.units import unit_text

__all__ = ["Outcome", "simulate"]

log = logging.getLogger("neurolab")

#: Wall time that a chunk aims at: often enough to see progress, to stop, and to lose little.
_CHUNK_SECONDS = 0.5
_FIRST_CHUNK_STEPS = 1000
#: Neuron-updates that a processor of a few cores makes in that time.
_UPDATES_PER_CHUNK = {"cpu": 2**27}


@dataclass
class Outcome:
    """How a run ended."""

    status: str = "failed"
    message: str = ""
    exit_code: int = 1
    error: Exception | None = None
    summary: dict[str, Any] = field(default_factory=dict)


def simulate(
    config: Mapping[str, Any],
    folder: Path,
    told: Callable[[Mapping[str, Any], Path], None] = lambda summary, folder: None,
    overrides: Sequence[str] = (),
    group: str | None = None,
) -> Outcome:
    """Run a configuration and leave a complete folder, whatever happens.

    ``told`` gets the summary as soon as it stands, before the plots are drawn; ``overrides`` and
    ``group`` (the sweep that the run belongs to) are for trackers.

    Raises
    ------
    ConfigError
        Before anything is computed, for a configuration that cannot be run.
    """
    experiment, found = check(config)
    for warning in experiment.warnings:
        log.warning("%s = %s %s", warning.key, warning.given, warning.advice)
    outcome = Outcome()
    with Telling(experiment.tracker()) as tracker, StatusFile(folder) as status:
        run = _Simulation(experiment, found, folder, tracker, status)
        tracker.start(lambda: tracked_run(experiment, config, folder, overrides, group))
        try:
            with StopRequest() as stop:
                run.go(stop, outcome)
        except Exception as error:
            outcome.error, outcome.message = error, f"{type(error).__name__}: {error}"
            log.exception("the run failed")
        try:
            run.close()
        except Exception:  # a full disk, say; what was committed is readable all the same
            log.exception("the results could not be closed")
        outcome.summary = write_summary(folder, run.facts(outcome), config)
        run.say(outcome.status)
        log.info("%s after %g ms %s", outcome.status, run.done * run.dt_ms, outcome.message)
        told(outcome.summary, folder)
        draw_run(folder, standalone=bool((config.get("report") or {}).get("standalone")))
        tracker.finish(outcome.exit_code, outcome.summary)
    return outcome


class _Simulation:
    """The state of one run: what is done, written and counted."""

    def __init__(
        self,
        experiment: Experiment,
        found: list[Any],
        folder: Path,
        tracker: Telling,
        status: StatusFile,
    ) -> None:
        self.experiment, self.tracker, self.status = experiment, tracker, status
        structure = experiment.structure
        self.dt_ms, self.size = structure.dt_ms, structure.size
        self.statistics = SpikeStatistics(structure.size)
        self.done = 0
        self.started = time.perf_counter()
        self.compile_s = 0.0
        self.first_step_at = self.last_step_at = 0.0
        self.waiting: list[Chunk] = []  # computed, and not yet written
        self.committed_at = 0.0
        self.broken = ""  # what diverged, where and when
        self.carry = np.zeros(0, np.int64)  # steps of spikes in a rate bin not yet complete
        potential = f"neuron.{getattr(structure.neuron.target, 'potential', 'V')}"
        unit = unit_text(experiment.units.get(potential, u.UNITLESS))
        self.rows = Rows(experiment.n_steps, self.dt_ms, self.size, tracker.log, potential, unit)
        self.program = Program(structure, self._capacity(found[0].platform), found)
        self.device = f"{self.program.devices[0].device_kind} x {len(self.program.devices)}"
        self.writer = ResultsWriter(
            folder,
            n_neurons=self.size,
            dt_ms=self.dt_ms,
            traces=experiment.traces,
            record_spikes=experiment.kept.spikes,
            rate_bin_steps=experiment.kept.rate_bin_steps,
        )

    def _capacity(self, platform: str) -> int:
        """Steps that records have memory for: each chunk fills all of it, also a short one."""
        capacity = self.experiment.capacity()
        longest = _UPDATES_PER_CHUNK.get(platform, capacity * self.size) // self.size
        if self.tracker.active:  # a chunk is a row at most
            longest = min(longest, self.rows.every)
        return min(capacity, 1 << (max(longest, 1) - 1).bit_length())  # few sizes: few programs

    def go(self, stop: StopRequest, outcome: Outcome) -> None:
        """Compile, then compute chunk after chunk until the end, a stop, or a divergence.

        While a chunk computes, another thread checks, writes and commits the one before.
        """
        program, numbers, total = self.program, self.experiment.numbers, self.experiment.n_steps
        with Progress(total, self.dt_ms, self.size) as progress, ThreadPoolExecutor(1) as writer:
            progress.say("compiling")
            self.say("compiling")
            state = program.start(numbers)
            program.compile(numbers)
            self.compile_s = time.perf_counter() - self.started
            self.first_step_at = time.perf_counter()
            sent, n, written = 0, min(_FIRST_CHUNK_STEPS, total), None
            while sent < total and not stop.requested:
                n = min(n, total - sent, program.capacity)
                n = min(n, self.rows.left(sent)) if self.tracker.active else n
                began = time.perf_counter()
                after, records = jax.block_until_ready(program.advance(numbers, state, n))
                took = time.perf_counter() - began
                if written and not written.result():
                    break
                written = writer.submit(self._finish, state, after, records, sent, n)
                state, sent = after, sent + n
                progress.update(self.done, self.speed)
                self.say("running")
                n = max(int(n * _CHUNK_SECONDS / took), program.block)
            broken = "" if written is None or written.result() else self.broken
        if broken:
            outcome.status, outcome.exit_code, outcome.message = "diverged", 3, broken
        elif stop.requested:
            outcome.status, outcome.exit_code = "interrupted", 128 + stop.requested
            outcome.message = f"by {stop.name}"
        else:
            outcome.status, outcome.exit_code = "completed", 0

    @property
    def speed(self) -> float:
        """Steps per second since the first one, writing included, compilation left out."""
        elapsed = self.last_step_at - self.first_step_at
        return self.done / elapsed if elapsed > 0 else 0.0

    def _finish(self, before: Any, after: Any, records: Any, first: int, n: int) -> bool:
        """Check a chunk, write it, commit it; False if the run has diverged in it."""
        finite = is_finite(after)
        if not finite:
            numbers, advance = self.experiment.numbers, self.program.advance
            n, self.broken = locate(lambda s, m: advance(numbers, s, m)[0], before, n, self.dt_ms)
            if n:
                after, records = advance(numbers, before, n)
        if n:
            n_spikes = self._write(records, first, n)
            if self.tracker.active:
                self.rows.add(self.done, n_spikes, after)
        self.last_step_at = time.perf_counter()
        return finite

    def _write(self, records: dict[str, Any], first: int, n: int) -> int | None:
        """Write a chunk; its spikes, or None where nothing spikes."""
        structure = self.experiment.structure
        recording = structure.recording
        step = neuron = np.zeros(0, np.int64)
        if recording.spikes:
            step, neuron = unpack(records["spikes"], self.program, first, n)
            self.statistics.update(step, neuron)
        samples = (first + n) // recording.every - first // recording.every
        traces = {
            name.removeprefix("neuron."): np.asarray(records[name])[:samples, self.program.columns]
            for name in recording.variables
        }
        rate = self._rate_counts(step, first, n)
        none = not self.experiment.kept.spikes
        self.waiting.append(
            Chunk(
                first, n, step[:0] if none else step, neuron[:0] if none else neuron, traces, rate
            )
        )
        self.done = first + n
        held = sum(chunk.n_steps for chunk in self.waiting)
        late = time.perf_counter() - self.committed_at > _CHUNK_SECONDS / 2
        if late or 2 * held > self.experiment.capacity():
            self.commit()
        return step.size if recording.spikes else None

    def commit(self) -> None:
        """Write the chunks that wait: small ones, of a run that is tracked, wait for more."""
        chunks, self.waiting = self.waiting, []  # what fails halfway is not written a second time
        if chunks:
            self.writer.append(Chunk.joined(chunks))
            self.committed_at = time.perf_counter()

    def close(self) -> None:
        """Nothing more comes."""
        self.rows.end()
        try:
            self.commit()
        finally:
            self.writer.close()

    def _rate_counts(self, step: np.ndarray, first: int, n: int) -> np.ndarray | None:
        """Spikes of every bin that this chunk completes; the rest waits for the next chunk."""
        width = self.experiment.kept.rate_bin_steps
        if width is None:
            return None
        steps = np.concatenate([self.carry, step])
        start, end = first // width, (first + n) // width
        self.carry = steps[steps >= end * width]
        return np.bincount(steps[steps < end * width] // width - start, minlength=end - start)

    def say(self, status: str) -> None:
        """How far the run is, in status.json."""
        total = self.experiment.n_steps
        self.status.write(
            status,
            simulated_ms=self.done * self.dt_ms,
            duration_ms=total * self.dt_ms,
            x_real_time=self.speed * self.dt_ms * 1e-3,
            neuron_updates_per_s=self.speed * self.size,
            eta_s=self.status.eta_s(self.done, total) if status == "running" else None,
        )

    def facts(self, outcome: Outcome) -> dict[str, Any]:
        """What the summary says of this run."""
        spikes = self.experiment.structure.recording.spikes
        statistics = self.statistics.result(self.dt_ms, max(self.done, 1) * self.dt_ms)
        return {
            "status": outcome.status,
            "message": outcome.message,
            "n_neurons": self.size,
            "n_steps": self.done,
            "dt_ms": self.dt_ms,
            "duration_ms": self.done * self.dt_ms,
            "seed": int(self.experiment.numbers["seed"]),
            **({key: statistics[key] if spikes else None for key in statistics}),  # type: ignore[literal-required]
            "neuron_updates_per_s": self.speed * self.size,
            "compile_s": self.compile_s,
            "wall_s": time.perf_counter() - self.started,
            "peak_rss_mb": peak_memory_mb(),
            "device": self.device,
            "precision": f"float{self.experiment.structure.precision}",
        }
