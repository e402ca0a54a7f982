"""A sweep that is stopped keeps what it committed; its programs are kept by structure alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest
from sweeps import KEEP, SHORT, same_spikes, stop_at, sweep

import neurolab
from neurolab.engine.cache import program_of

LONG = ("neuron=lif_ref", "size=40", "duration=400s", "seed=range:4", KEEP)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_batch_in_progress_is_kept(tmp_path, number):
    """One batch of long points, stopped in the middle: its points are partial, can be read, and are
    the beginning of what they would have been."""
    folder = tmp_path / "sweep"
    typed = ["-m", *LONG, f"hydra.sweep.dir={folder}"]
    process = subprocess.Popen([sys.executable, "-m", "neurolab", *typed], cwd=tmp_path,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    with process:
        commits = folder / "batches"
        while not any(
            json.loads(path.read_text())["steps"] > 50_000 for path in commits.glob("*/commit.json")
        ):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
    stopped = neurolab.open_sweep(folder)
    assert list(stopped.table["status"]) == ["partial"] * 4
    short = [text for text in LONG if not text.startswith(("duration", "seed"))]
    for k in (0, 3):
        point = stopped[k]
        assert point.summary["status"] == "partial"
        assert 50_000 < point.committed_steps < 4_000_000
        alone = neurolab.run([*short, "duration=5s", f"seed={k}"], save=False)
        for name in ("time", "neuron"):
            expected = alone.spikes[name].values
            np.testing.assert_array_equal(point.spikes[name][: expected.size], expected)
        beginning = alone.rate.values
        np.testing.assert_array_equal(point.rate[: beginning.size], beginning)
        assert f"{point.spikes.sizes['spike']} spikes" in repr(point)
        assert repr(point).startswith(f"Point {k} in ")
    if number == signal.SIGTERM:
        assert process.returncode == 128 + signal.SIGTERM
        assert json.loads((folder / "summary.json").read_text())["partial"] == 4


def test_partial_points_are_computed_again(tmp_path, monkeypatch):
    """Resumed, the sweep is what it would have been, and nothing of the first try is left."""
    typed = ("seed=range:6", "sweep.batch=3", "record=full")
    whole = sweep(tmp_path / "whole", *typed)
    stop_at(monkeypatch, 2)
    stopped = sweep(tmp_path / "sweep", *typed)
    assert set(stopped.table["status"]) == {"partial", "missing"}
    monkeypatch.undo()
    resumed = sweep(tmp_path / "sweep", *typed, f"sweep.resume='{tmp_path / 'sweep'}'")
    assert list(resumed.table["status"]) == ["completed"] * 6
    assert len(list((tmp_path / "sweep" / "batches").iterdir())) == 2
    for one, other in zip(resumed, whole, strict=True):
        assert same_spikes(one, other)
        np.testing.assert_array_equal(one.traces["V"], other.traces["V"])


def test_durations_share_a_program(tmp_path):
    """Fourteen durations are one program and one batch, and each point is the run it would be
    alone, to the step; they compiled fourteen."""
    program_of.cache_clear()
    found = sweep(tmp_path, "duration=range:0.01s:0.1s:0.0069s", "device.count=1")
    assert len(found) == 14
    assert program_of.cache_info().misses == 1
    assert len(list((tmp_path / "batches").iterdir())) == 1
    for k in (0, 6, 13):
        duration = round((10 + 6.9 * k) * 10)
        alone = neurolab.run([*SHORT, f"duration={duration / 10}ms"], save=False)
        assert alone.committed_steps == found[k].committed_steps == duration
        assert same_spikes(found[k], alone)
        np.testing.assert_array_equal(found[k].rate, alone.rate)
        assert found.table["rate_hz"][k] == alone.summary["rate_hz_mean"]
        assert found[k].traces["V"].shape == alone.traces["V"].shape


def test_a_second_sweep_of_a_structure_compiles_nothing(tmp_path, caplog):
    """Other values of the same keys are other numbers of a program that is there."""
    sweep(tmp_path / "one", "neuron.tau=5ms,6ms,7ms", "seed=1,2")
    with jax.log_compiles():
        sweep(tmp_path / "two", "neuron.tau=8ms,9ms,10ms", "seed=3,4")
    assert not [r for r in caplog.records if "Finished XLA compilation" in r.getMessage()]
