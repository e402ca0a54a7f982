"""A batch of a sweep that was stopped goes on from its checkpoint, to exactly what it would be."""

import os
import signal
import threading

import pytest
from nights import by_night

import neurolab
from neurolab.results.compare import first_difference

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR", "")
KEEP = f"device.cache_dir={CACHE}" if CACHE else "device.precision=float32"
DIVERGES = ("neuron=lif", "neuron.R=10ohm", "input=constant", "input.amplitude=0.2mA,-3e38mA",
    "size=3", "duration=50ms,100ms", "record=full", KEEP)  # fmt: skip
SWEEP = ("neuron=adexif_ref", "synapse=expon", "size=20", "duration=200ms",
    "neuron.b=0mA,2mA,4mA", "input.weight=20rheobase*ms,25rheobase*ms", "record=full",
    KEEP)  # fmt: skip


def same(one, other):
    assert list(one.table["status"]) == list(other.table["status"])
    for column in ("rate_hz", "isi_cv", "spike_count"):
        a, b = (sweep.table[column].to_numpy() for sweep in (one, other))
        assert ((a == b) | ((a != a) & (b != b))).all(), column
    for k in range(len(one.table)):
        if one.table["status"].iloc[k] in ("completed", "diverged"):
            assert first_difference(one[k], other[k]) is None
            ours, theirs = (dict(sweep[k].commit.lengths, spike_end=0) for sweep in (one, other))
            assert ours == theirs


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return neurolab.run_sweep(SWEEP, tmp_path_factory.mktemp("sweep") / "whole")


def stopped_at(monkeypatch, folder, typed, n):
    """A sweep of one batch that a signal stopped at a step."""
    from neurolab.simulation.computation import Computation

    finish, stopped = Computation._finish, threading.Event()

    def stops(self, before, state, records, first, m, on_written):
        finish(self, before, state, records, first, m, on_written)
        if first + m > n and not stopped.is_set():
            stopped.set()
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr("neurolab.sweep.compute._CHUNK_SECONDS", 1e-4)
        patch.setattr("neurolab.simulation.computation.FIRST_CHUNK_STEPS", 200)
        patch.setattr(Computation, "_finish", stops)
        found = neurolab.run_sweep(typed, folder)
    assert "partial" in set(found.table["status"])
    [begun] = (folder / "batches").iterdir()
    return begun


@pytest.mark.parametrize("batch", by_night([None, 4, 1], [None, 1]))
def test_a_batch_goes_on(tmp_path, monkeypatch, whole, batch):
    """Whatever the size of batches is then."""
    begun = stopped_at(monkeypatch, tmp_path / "sweep", SWEEP, 1000)
    typed = [] if batch is None else [f"sweep.batch={batch}"]
    resumed = neurolab.resume(tmp_path / "sweep", typed)
    assert [begun] == list((tmp_path / "sweep" / "batches").iterdir())
    same(resumed, whole)
    assert len(resumed.summary["sessions"]) == 2


def test_points_that_came_to_an_end_in_it_stay_as_they_were(tmp_path, monkeypatch):
    """One that diverged, one that was completed, one that was not."""
    begun = stopped_at(monkeypatch, tmp_path / "sweep", DIVERGES, 600)
    resumed = neurolab.resume(tmp_path / "sweep")
    assert [begun] == list((tmp_path / "sweep" / "batches").iterdir())
    assert list(resumed.table["status"]) == ["completed"] * 2 + ["diverged"] * 2
    same(resumed, neurolab.run_sweep(DIVERGES, tmp_path / "whole"))


@pytest.mark.parametrize("what", ["checkpoint.npz", "results.zarr/V/zarr.json"])
def test_a_batch_that_is_damaged_is_computed_anew(tmp_path, monkeypatch, whole, what):
    begun = stopped_at(monkeypatch, tmp_path / "sweep", SWEEP, 1000)
    (begun / what).write_bytes((begun / what).read_bytes()[:100])
    same(neurolab.resume(tmp_path / "sweep"), whole)


def test_what_was_being_written_of_a_completed_batch_does_not_stay(tmp_path):
    """Its last checkpoint, after the commit, when the process was killed: nobody opens it again."""
    path = neurolab.run_sweep([*SWEEP, "sweep.batch=1"], tmp_path / "sweep").path
    (kept, *_, last) = sorted((path / "batches").iterdir())
    left = kept / "checkpoint.npz.partial"
    left.write_bytes(b"x")
    (last / "commit.json").unlink()
    assert list(neurolab.resume(path).table["status"]) == ["completed"] * 6
    assert not left.exists()


def test_a_damaged_summary_is_made_anew(tmp_path, monkeypatch, whole):
    stopped_at(monkeypatch, tmp_path / "sweep", SWEEP, 1000)
    path = tmp_path / "sweep" / "summary.json"
    path.write_bytes(path.read_bytes()[:100])
    resumed = neurolab.resume(tmp_path / "sweep")
    same(resumed, whole)
    assert resumed.summary["status"] == "completed"
