"""Chunks are written as often as memory needs, and committed as seldom as a crash may lose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from neurolab.results.layout import Chunk, Trace
from neurolab.results.run import open_run
from neurolab.results.writer import ResultsWriter
from neurolab.simulation import keeping
from neurolab.simulation.keeping import Counted, Keeping

STEPS, NEURONS = 10, 3


def chunk(k: int) -> tuple[Chunk, Counted]:
    step = np.array([k * STEPS, k * STEPS + 4])
    neuron = np.array([k % NEURONS, 1])
    values = np.arange(k * STEPS, (k + 1) * STEPS, dtype=float)[:, None] + np.zeros(NEURONS)
    return Chunk(k * STEPS, STEPS, step, neuron, {"V": values}, None), Counted(
        step, neuron, {}, np.array([STEPS])
    )


def writer(folder: Path) -> ResultsWriter:
    trace = Trace("V", "mV", neurons=np.arange(NEURONS), every=1)
    return ResultsWriter(folder, n_neurons=NEURONS, dt_ms=0.1, traces=[trace])


def keeper(to: ResultsWriter, counted: list[Counted], n_bytes: float = 1e9) -> Keeping:
    return Keeping(to, STEPS / 2, n_bytes, counted.extend, dict)


def test_what_memory_forces_is_written_and_committed_later(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "_COMMIT_SECONDS", 1e6)
    counted: list[Counted] = []
    with writer(tmp_path / "run") as to:
        kept = keeper(to, counted)
        kept._committed_at = keeping.time.perf_counter()
        for k in range(4):
            kept.take(*chunk(k))
            assert not kept.go_on()
        assert to.commit.steps == 0 and not counted
        assert to._arrays.lengths["V"] == 4 * STEPS  # all of it is written
        assert kept.commit() and to.commit.steps == 4 * STEPS and len(counted) == 4
        assert not kept.commit()  # there is nothing more
        kept.take(*chunk(4))
        kept.go_on()
    run = open_run(tmp_path / "run")
    assert run.traces.V.shape == (4 * STEPS, NEURONS)
    assert np.array_equal(run.traces.V.values[:, 0], np.arange(4 * STEPS))


def test_many_spikes_are_committed_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "_COMMIT_SECONDS", 1e6)
    counted: list[Counted] = []
    with writer(tmp_path / "run") as to:
        kept = keeper(to, counted, n_bytes=2 * 2 * 8)  # those of a chunk
        kept._committed_at = keeping.time.perf_counter()
        kept.take(*chunk(0))
        assert not kept.go_on()
        kept.take(*chunk(1))
        assert kept.go_on() and len(counted) == 2


def test_of_a_chunk_that_fails_nothing_counts_and_what_was_written_does(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "_COMMIT_SECONDS", 1e6)
    counted: list[Counted] = []
    with writer(tmp_path / "run") as to:
        kept = keeper(to, counted)
        kept._committed_at = keeping.time.perf_counter()
        kept.take(*chunk(0))
        kept.go_on()
        append = to._arrays.append

        def full(name: str, values: Sequence[float]) -> None:
            if name == "spike_neuron":
                raise OSError(28, "No space left on device")
            append(name, values)

        monkeypatch.setattr(to._arrays, "append", full)
        kept.take(*chunk(1))
        with pytest.raises(OSError, match="No space"):
            kept.go_on()
        kept.commit()  # as a run does when it ends
        assert to.commit.steps == STEPS and len(counted) == 1
    run = open_run(tmp_path / "run")
    assert run.traces.V.shape == (STEPS, NEURONS) and run.spike_arrays[0].size == 2
