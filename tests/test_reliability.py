"""What docs/reliability.md is made with; what it states is done and measured by its commands."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sweeps import KEEP

import neurolab
from benchmarks import checkpoints, soak
from benchmarks.reliability import document
from benchmarks.reliability.trial import Try, cells, contents, lost_bytes
from neurolab.simulation.checkpoint import Checkpoints


def test_a_section_takes_its_place_and_leaves_the_others(tmp_path):
    page = tmp_path / "page.md"
    first, second, third = document.TITLES
    document.write(third, "c\n", page)
    document.write(first, "a\n", page)
    document.write(second, document.table(["x", "y"], [("1", "2")]), page)
    document.write(third, "d\n", page)
    text = page.read_text()
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [*document.TITLES]
    assert "\n\na\n\n" in text and "| x | y |\n| --- | --- |\n| 1 | 2 |" in text
    assert text.endswith("\n\nd\n")


def test_bytes_are_lost_where_others_stand_or_none():
    before = {"a": np.arange(4), "b": np.ones((2, 3), np.float32)}
    assert lost_bytes(before, {"a": np.arange(9), "b": before["b"]}) == 0
    assert lost_bytes(before, {"a": np.arange(3), "b": before["b"]}) == 8
    assert lost_bytes(before, {"a": np.array([0, 1, 2, 4])}) == 1 + 24


def test_a_row_counts_what_came_back():
    tries = [Try("whole", 10, 0, 2.0), Try("told"), Try("whole", 10, 3, 4.0), Try("differs")]
    assert cells("it", tries) == ("it", "4", "1", "1", "3 of 20", "2", "3.0", "4.0")


def test_a_long_run_is_looked_at():
    memory, beside = [2**20 * (5 if k < 80 else 6) for k in range(101)], [1e-3] * 101
    looks = [soak.Look(k, 2.0 * k, 100 * k, memory[k], beside[k]) for k in range(1, 101)]
    seen = soak.Seen(looks)
    assert seen.memory().tolist() == [5.0] * 7 + [6.0] * 2
    assert seen.speeds("seconds") == pytest.approx(100.0)
    assert seen.speeds("cpu_s") == pytest.approx(50.0)
    assert seen.steady() == pytest.approx(50.0)


def test_a_slow_machine_is_no_slow_run():
    """Where all takes three times as long for a while, the run is as fast as it was."""
    seconds = np.cumsum([1.0] * 60 + [3.0] * 40)
    looks = [
        soak.Look(at, at, 100 * k, 1, 1e-3 * (3 if k > 60 else 1))
        for k, at in enumerate(seconds, 1)
    ]
    steady = soak.Seen(looks).steady()
    assert np.median(steady[-3:]) == pytest.approx(np.median(steady[:3]), rel=0.02)
    assert soak.Seen(looks).speeds("cpu_s")[-1] < 0.4 * soak.Seen(looks).speeds("cpu_s")[0]
    assert np.min(np.abs(soak.Seen(looks).changes())) < 0.02


def test_a_run_that_becomes_slower_is_so_by_every_clock():
    seconds = np.cumsum([1.0] * 50 + [1.1] * 50)
    looks = [soak.Look(at, at, 100 * k, 1, 1e-3) for k, at in enumerate(seconds, 1)]
    assert soak.Seen(looks).changes() == pytest.approx([1 / 1.1 - 1] * 3, rel=0.02)


def test_times_and_phases_of_a_run(tmp_path):
    typed = [*soak.RUNS[-1].typed, "size=2", "duration=3s", KEEP]
    run = neurolab.run(typed, tmp_path / "sine")
    assert soak.wrong_times(run, 30_000) == []
    assert soak.wrong_times(run, 30_001) != []
    assert soak.phases(run) < soak._PHASE
    assert len(contents(tmp_path / "sine")["time"]) == 30_000 // soak._EVERY
    spiking = neurolab.run([*soak.RUNS[0].typed, "size=5", "duration=300ms", KEEP], tmp_path / "x")
    assert spiking.spikes.sizes["spike"] and soak.wrong_times(spiking, 3000) == []


def test_what_a_run_spends_on_its_files_is_measured(monkeypatch):
    name = next(iter(checkpoints.RUNS))
    monkeypatch.setitem(checkpoints.RUNS, name, (("size=5", KEEP), 1.0))
    take = Checkpoints.take
    found = json.loads(json.dumps(checkpoints.inside(name, 0.1, True)))
    assert found["calls"]["checkpoints"] == 1 and found["calls"]["fsync"] > 1
    assert 0 < found["checkpoints"] < found["wall_s"] and Checkpoints.take is take
