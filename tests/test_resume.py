"""A run that was stopped, in whatever way, goes on to exactly what it would have been."""

import os

import pytest

import neurolab
from neurolab.results.compare import first_difference

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR", "")
KEEP = f"device.cache_dir={CACHE}" if CACHE else "device.precision=float32"
RUNS = {
    "adex": ("neuron=adexif_ref", "synapse=expon", "size=38", "duration=300ms", "record=full"),
    "gif": ("neuron=gif", "size=20", "duration=300ms", "+input@inputs.noise=ou"),
    "network": (
        "network=coba_ei",
        "populations.E.size=160",
        "populations.I.size=40",
        "duration=300ms",
    ),
    "delays": ("network=microcircuit", "network.scale=0.005", "duration=100ms"),
}
TIMES = ("compile_s", "wall_s", "neuron_updates_per_s", "peak_rss_mb", "sessions")


def same(one, other):
    """All that two runs recorded is equal, bit for bit, and so are their summaries."""
    assert one.committed_steps == other.committed_steps
    assert one.commit.lengths == other.commit.lengths
    for name in one.commit.lengths:
        a, b = one.read(name), other.read(name)
        assert a.dtype == b.dtype and a.tobytes() == b.tobytes(), name
    assert first_difference(one, other) is None
    for times in TIMES:
        one.summary.pop(times, None)
        other.summary.pop(times, None)
    assert one.summary == other.summary


class DiedError(Exception):
    """In place of a machine that stops."""


def stopped(monkeypatch, folder, overrides, after, written=True):
    """A run whose process came to no good in the chunk in which a step is: nothing of it ended."""
    from neurolab.simulation import runner
    from neurolab.simulation.computation import Computation

    finish = Computation._finish

    def dies(self, before, state, records, first, n, on_written):
        if first + n > after:
            raise DiedError
        finish(self, before, state, records, first, n, on_written)

    with monkeypatch.context() as patch:
        patch.setattr("neurolab.simulation.computation.FIRST_CHUNK_STEPS", 100)
        patch.setattr(runner, "_CHUNK_SECONDS", 1e-4)
        patch.setattr(Computation, "_finish", dies)
        with pytest.raises(DiedError):
            neurolab.run([*overrides, KEEP, "checkpoint.every=1us"], folder)
    assert 0 < neurolab.open_run(folder).committed_steps <= after


@pytest.mark.parametrize("name", RUNS)
def test_a_run_goes_on_bit_for_bit(tmp_path, monkeypatch, name):
    overrides = RUNS[name]
    whole = neurolab.run([*overrides, KEEP], tmp_path / "whole")
    n = whole.committed_steps
    stopped(monkeypatch, tmp_path / "run", overrides, n // 2)
    same(neurolab.resume(tmp_path / "run"), whole)
    sessions = neurolab.open_run(tmp_path / "run").summary["sessions"]
    assert [one["status"] for one in sessions] == ["failed", "completed"]
    assert 0 < sessions[0]["to_step"] == sessions[1]["from_step"] < n == sessions[1]["to_step"]
