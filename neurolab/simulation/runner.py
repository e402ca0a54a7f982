"""One experiment, from a checked configuration to its run folder.  Read this first.

    experiment = check(config)                     # config/: structure, numbers, steps
    program = program_of(experiment.structure, ..) # engine/: start, advance
    computation = Computation(program, numbers)    # computation.py, for runs and sweeps
    computation.go()                               # chunk after chunk
    summary.json, plots, the tracker's end

A chunk is computed, checked for NaN and infinity, written, and then committed; whatever ends the
run, what was committed stays.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import brainunit as u

from neurolab.config.experiment import Experiment
from neurolab.engine.cache import program_of
from neurolab.problems import tell
from neurolab.report import REPORT
from neurolab.report.live import LivePage
from neurolab.report.pictures import show
from neurolab.results.damage import SUMMARY
from neurolab.results.lease import Lease
from neurolab.results.record import RunRecord
from neurolab.results.run import Run
from neurolab.results.status import StatusFile
from neurolab.results.summary import as_config, peak_memory_mb, write_summary
from neurolab.results.writer import ResultsWriter
from neurolab.simulation.checkpoint import go_on
from neurolab.simulation.computation import Computation
from neurolab.simulation.facts import facts_of
from neurolab.simulation.lessen import compiled
from neurolab.simulation.needs import doubted, needs_of, refuse
from neurolab.simulation.outcome import Outcome, told
from neurolab.simulation.progress import Bar, in_words
from neurolab.simulation.resume import Resumed
from neurolab.simulation.stimulus import keep_stimuli
from neurolab.simulation.stop import StopRequest
from neurolab.simulation.tracking import Rows, tracked_run
from neurolab.trackers import NoTracker
from neurolab.trackers.session import TrackerSession
from neurolab.units import unit_text

__all__ = ["Outcome", "simulate"]

log = logging.getLogger("neurolab")

#: Wall time that a chunk aims at: often enough to see progress, and to stop.
_CHUNK_SECONDS = 0.5
#: Bytes of a chunk's records at the most.  They are zeros at first, also for a short chunk, and
#: memory that was given back to the system comes anew page by page: 33 MB take as long as 8000
#: steps of 4000 neurons, 16 MB as 400.
_RECORDS = {"cpu": 2**24}


def simulate(
    experiment: Experiment,
    folder: Path | None,
    on_summary: Callable[[Mapping[str, Any], Path], None] = lambda summary, folder: None,
    overrides: Sequence[str] = (),
    group: str | None = None,
    lease: Lease | None = None,
    resumed: Resumed | None = None,
) -> Outcome:
    """Run an experiment and leave a complete folder, whatever happens; without one (None) the
    results are in memory, as ``Outcome.run``, and nobody is told.

    ``on_summary`` gets the summary as soon as it stands, before the plots are drawn; ``overrides``
    and ``group`` (the sweep that the run belongs to) are for trackers; ``resumed`` is of a run that
    goes on in its folder.  Nothing more is written once the folder's ``lease`` is lost: that is a
    `ResultsLostError`.
    """
    done = resumed.commit.steps if resumed and resumed.commit else 0
    config, needs = experiment.config, needs_of(experiment, [max(experiment.n_steps - done, 0)])
    refuse(needs, folder)
    tell([*experiment.warnings, *doubted(needs, folder)])
    outcome = Outcome()
    listener = NoTracker() if folder is None else experiment.tracker()
    still_ours = (lambda: None) if lease is None else lease.check
    standalone = bool((config.get("report") or {}).get("standalone"))
    with (
        TrackerSession(listener) as tracker,
        LivePage(folder, standalone) as page,
        StatusFile(folder, lease=lease, told=page.tell) as status,
        StopRequest() as stop,
    ):
        run = _Run(experiment, folder, tracker, status, overrides, resumed, lease)
        if folder is not None:
            there = folder
            tracker.start(lambda: tracked_run(experiment, config, there, overrides, group))
        try:
            run.go(stop, outcome)
        except Exception as error:
            still_ours()
            outcome.fail(told(error, run.computation), "the run failed")
        try:
            page.end()
            run.close()
        except Exception as error:  # a full disk, say; what was committed is readable all the same
            outcome.fail(told(error, run.computation), "the results could not be closed")
        still_ours()
        try:
            outcome.summary = write_summary(folder, run.facts(outcome), config)
        except OSError as error:  # there is no place for it
            outcome.fail(told(error, run.computation), "the summary could not be written")
            outcome.summary = run.facts(outcome)
        run.say(outcome.status)
        level = logging.WARNING if outcome.message and not outcome.exit_code else logging.INFO
        said = f": {outcome.message}" if outcome.message else ""
        log.log(level, "%s after %g ms%s", outcome.status, outcome.summary["duration_ms"], said)
        if folder is None:
            outcome.run = run.in_memory(config, outcome.summary)
            return outcome
        if not outcome.lost:
            try:
                on_summary(outcome.summary, folder)
                shown = show(folder, standalone)
            except OSError as error:
                shown = False
                log.error("%s", told(error, run.computation))
            outcome.exit_code = outcome.exit_code or int(not shown)
        tracker.finish(outcome.exit_code, outcome.summary)
    return outcome


class _Run:
    """One run: its computation, and who hears of it."""

    def __init__(
        self,
        experiment: Experiment,
        folder: Path | None,
        tracker: TrackerSession,
        status: StatusFile,
        overrides: Sequence[str],
        resumed: Resumed | None,
        lease: Lease | None = None,
    ) -> None:
        self.experiment, self.tracker, self.status = experiment, tracker, status
        self.folder = folder
        resumed = resumed or Resumed(RunRecord.of(experiment.config, overrides))
        self.record, self.checkpoint = resumed.record, resumed.checkpoint
        structure = experiment.structure
        self.dt_ms, self.size = structure.dt_ms, structure.size
        self.started = time.perf_counter()
        self.compile_s = 0.0
        self.first_step_at = self.last_step_at = 0.0
        self.first_step = 0
        first = structure.populations[0]
        potential = f"{first.prefix}neuron.{getattr(first.neuron.target, 'potential', 'V')}"
        unit = unit_text(experiment.units.get(potential, u.UNITLESS))
        spiking = int(structure.firing.sum())
        told = resumed.commit.steps if resumed.commit else 0
        n_steps, devices = experiment.n_steps, experiment.devices
        self.rows = Rows(n_steps, self.dt_ms, spiking, tracker.log, potential, unit, told)
        self.program = program_of(structure, self._capacity(devices[0].platform), devices)
        self.device = f"{self.program.devices[0].device_kind} x {len(self.program.devices)}"
        if folder is not None:
            if lease is None:
                folder.mkdir(parents=True, exist_ok=True)
            self.record.begin(folder, status.started, told, **resumed.notes, device=self.device)
            (folder / REPORT).unlink(missing_ok=True)  # of what was there before; made anew at last
        layout = {**experiment.layout, "lease": lease, "of": self.record.id}
        self.writer = ResultsWriter(folder, **layout, go_on=resumed.commit)
        self.computation = Computation(
            experiment,
            self.program,
            experiment.numbers,
            [experiment.n_steps],
            self.writer,
            _CHUNK_SECONDS,
        )
        self.computation.checkpoints.about = lambda: {"rows": self.rows.state()}

    def _capacity(self, platform: str) -> int:
        """Most steps of a chunk: a power of two, that few programs may serve many runs."""
        capacity = self.experiment.capacity(n_bytes=_RECORDS.get(platform, math.inf))
        if self.tracker.active:  # a chunk is a row at most
            capacity = min(capacity, 2 * self.rows.every - 1)
        return 1 << (max(capacity, 1).bit_length() - 1)

    def go(self, stop: StopRequest, outcome: Outcome) -> None:
        """Compile, then compute until the end, a stop, or a divergence."""
        computation, total = self.computation, self.experiment.n_steps
        with Bar(total, computation.known) as bar, ThreadPoolExecutor(1) as worker:
            # Imports Zarr, while the program is compiled.
            opening = worker.submit(self.writer.open)
            self.say("compiling")
            if self.folder is not None:  # that of a run which becomes longer is of fewer steps
                (self.folder / SUMMARY).unlink(missing_ok=True)
            compiled(computation)
            self.compile_s = time.perf_counter() - self.started
            if self.checkpoint is not None:
                go_on(computation, self.checkpoint)
                self.rows.restore(self.checkpoint.about["rows"])
            self.first_step_at, self.first_step = time.perf_counter(), computation.done

            def on_chunk(sent: int) -> None:
                bar.show(computation.done, in_words(self.progress()))
                self.say("running")

            def on_written(state: Mapping[str, Any], n_spikes: int | None) -> None:
                opening.result()  # or what was wrong with it
                self._written(state, n_spikes)

            most = self.rows.left if self.tracker.active else None
            computation.go(stop, worker, on_chunk, most=most, on_written=on_written)
            computation.close()
        if not computation.broken:
            computation.checkpoints.take(computation.state)
        if computation.broken:
            outcome.status, outcome.exit_code = "diverged", 3
            outcome.message = computation.message(0)
        elif stop.requested and not computation.finished:
            outcome.status, outcome.exit_code = "interrupted", 128 + stop.requested
            outcome.message = f"by {stop.name}"
        else:
            outcome.status, outcome.exit_code = "completed", 0
            outcome.message = computation.message(0)

    def _written(self, state: Mapping[str, Any], n_spikes: int | None) -> None:
        if self.tracker.active:
            self.rows.add(self.computation.done, n_spikes, state)
        self.last_step_at = time.perf_counter()

    @property
    def speed(self) -> float:
        """Steps per second since the first one, writing included, compilation left out."""
        elapsed = self.last_step_at - self.first_step_at
        return (self.computation.done - self.first_step) / elapsed if elapsed > 0 else 0.0

    def close(self) -> None:
        """Nothing more comes."""
        self.rows.end()
        try:
            self.computation.commit()
        finally:
            # Of what was not there is nothing.
            self.computation.done = min(self.computation.done, self.writer.commit.steps)
            self.writer.close()

    def in_memory(self, config: Mapping[str, Any], summary: dict[str, Any]) -> Run:
        """The results of a run without a folder."""
        run = Run(Path(), self.writer.commit, self.writer.store)
        run.summary = summary
        run.config = as_config(config)
        return run

    def progress(self) -> dict[str, float]:
        """How far the run is, and how fast."""
        return {
            "simulated_ms": self.computation.done * self.dt_ms,
            "duration_ms": self.experiment.n_steps * self.dt_ms,
            "x_real_time": self.speed * self.dt_ms * 1e-3,
            "neuron_updates_per_s": self.speed * self.size,
        }

    def say(self, status: str) -> None:
        """How far the run is, in status.json."""
        total, done = self.experiment.n_steps, self.computation.done
        self.status.write(
            status,
            **self.progress(),
            eta_s=self.status.eta_s(done, total) if status == "running" else None,
        )

    def facts(self, outcome: Outcome) -> dict[str, Any]:
        """What the summary says of this run, of all its sessions."""
        session = {
            "status": outcome.status,
            "to_step": self.computation.done,
            "compile_s": self.compile_s,
            "wall_s": time.perf_counter() - self.started,
            "peak_rss_mb": peak_memory_mb(),
        }
        stimulus = {}
        if self.folder is not None:
            with suppress(OSError):  # the summary, which is written next, says that it cannot
                kept = {"checkpoint": self.computation.checkpoints.step}
                self.record.end(self.folder, session | kept)
                stimulus = keep_stimuli(self.experiment, self.folder, self.computation.done)
        return facts_of(self.computation, self.experiment.numbers) | {
            **session,
            "message": outcome.message,
            "neuron_updates_per_s": self.speed * self.size,
            "device": self.device,
            **stimulus,
            **(self.record.totals() if self.folder is not None else {}),
        }
