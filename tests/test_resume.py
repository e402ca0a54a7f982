"""A run that was stopped, in whatever way, goes on to exactly what it would have been."""

import json
import os

import jax
import numpy as np
import pytest
from nights import by_night

import neurolab
from neurolab.problems import ConfigError
from neurolab.results.checkpoint import Checkpoint
from neurolab.results.compare import first_difference
from neurolab.results.damage import DamagedError

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
TIMES = ("compile_s", "wall_s", "neuron_updates_per_s", "peak_rss_mb", "sessions", "device")


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

    seconds = 0.02 if "network" in overrides[0] else 1e-4  # a dozen chunks or some
    with monkeypatch.context() as patch:
        patch.setattr("neurolab.simulation.computation.FIRST_CHUNK_STEPS", 100)
        patch.setattr(runner, "_CHUNK_SECONDS", seconds)
        patch.setattr(Computation, "_finish", dies)
        with pytest.raises(DiedError):
            neurolab.run([*overrides, KEEP, "checkpoint.every=1us"], folder)
    assert 0 < neurolab.open_run(folder).committed_steps <= after


@pytest.mark.parametrize("name", by_night(RUNS, ["adex", "network", "delays"]))
def test_a_run_goes_on_bit_for_bit(tmp_path, monkeypatch, name):
    overrides = RUNS[name]
    whole = neurolab.run([*overrides, KEEP], tmp_path / "whole")
    n = whole.committed_steps
    stopped(monkeypatch, tmp_path / "run", overrides, n // 2)
    same(neurolab.resume(tmp_path / "run"), whole)
    sessions = neurolab.open_run(tmp_path / "run").summary["sessions"]
    assert [one["status"] for one in sessions] == ["failed", "completed"]
    assert 0 < sessions[0]["to_step"] == sessions[1]["from_step"] < n == sessions[1]["to_step"]


def test_a_longer_run_is_what_it_would_have_been(tmp_path):
    """Of a run that was completed; its configuration says how long it is."""
    overrides = [*RUNS["adex"], KEEP]
    neurolab.run(overrides, tmp_path / "run")
    longer = neurolab.resume(tmp_path / "run", ["duration=500ms"])
    whole = neurolab.run([*overrides, "duration=500ms"], tmp_path / "whole")
    assert longer.config == whole.config
    same(longer, whole)
    assert neurolab.resume(tmp_path / "run").summary["status"] == "completed"
    assert len(neurolab.open_run(tmp_path / "run").summary["sessions"]) == 2
    with pytest.raises(ConfigError, match="500 ms are done; a run can only become longer"):
        neurolab.resume(tmp_path / "run", ["duration=400ms"])


def test_what_a_duration_decides_is_told(tmp_path):
    """A value that refers to the duration would be another for the steps that were made."""
    typed = [*RUNS["adex"], KEEP, "input=ramp", "input.stop=${duration}"]
    neurolab.run(typed, tmp_path / "run")
    with pytest.raises(ConfigError, match=r"input\.stop = 500ms\n.*was 300ms when the run began"):
        neurolab.resume(tmp_path / "run", ["duration=500ms"])


@pytest.mark.parametrize("name", by_night(["adex", "network", "delays"], ["adex"]))
def test_other_devices_go_on(tmp_path, monkeypatch, name):
    """A state is of neurons, wherever they are computed."""
    if len(jax.devices()) < 2:
        pytest.skip("there is one device")
    overrides = [*RUNS[name], "device.count=2"]
    whole = neurolab.run([*overrides, KEEP], tmp_path / "whole")
    stopped(monkeypatch, tmp_path / "run", overrides, whole.committed_steps // 2)
    same(neurolab.resume(tmp_path / "run", ["device.count=1"]), whole)


@pytest.mark.parametrize(
    "damage",
    by_night(["missing", "empty", "short", "flipped", "another"], ["missing", "another"]),
    ids=lambda name: name,
)
def test_a_checkpoint_that_is_not_whole_is_not_used(tmp_path, monkeypatch, damage, caplog):
    """Then the run is computed again from its beginning, and what was committed stays."""
    overrides = RUNS["adex"]
    whole = neurolab.run([*overrides, KEEP], tmp_path / "whole")
    stopped(monkeypatch, tmp_path / "run", overrides, whole.committed_steps // 2)
    path = tmp_path / "run" / "checkpoint.npz"
    content = path.read_bytes()
    at = len(content) // 2
    changed = {
        "empty": b"",
        "short": content[:at],
        "flipped": content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :],
        "another": b"something else",
    }
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(changed[damage])
    with caplog.at_level("WARNING", "neurolab"):
        same(neurolab.resume(tmp_path / "run"), whole)
    assert ("computed again from its beginning" in caplog.text) == (damage != "missing")


def test_each_byte_of_a_checkpoint_counts(tmp_path):
    """A checkpoint of which one byte is another is the same or is refused."""
    run = neurolab.run(["size=3", "duration=5ms", KEEP], tmp_path / "run")
    path, known = run.path / "checkpoint.npz", Checkpoint.read(run.path)
    content = path.read_bytes()
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x24]) + content[at + 1 :])
        try:
            found = Checkpoint.read(run.path)
        except DamagedError:
            continue
        assert (found.step, found.about) == (known.step, known.about)
        assert found.arrays.keys() == known.arrays.keys()
        assert all((found.arrays[k] == known.arrays[k]).all() for k in known.arrays)
    assert set(known.arrays) >= {"state/neuron.V", "state/step", "counts/count"}


def test_what_changed_is_named_and_can_be_accepted(tmp_path, monkeypatch):
    """Versions and files; the record says what was accepted, and from which step on."""
    drive = tmp_path / "drive.npy"
    np.save(drive, np.full(3000, 2.0))
    typed = ["neuron=lif", "size=4", "duration=300ms", "input=current_from_file"]
    typed += [f"input.file={drive}", "input.unit=mA", "input.sampling=0.1ms"]
    stopped(monkeypatch, tmp_path / "run", typed, 1500)
    np.save(drive, np.full(3000, 3.0))
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    del record["sha256"]
    record["sessions"][-1]["versions"]["jax"] = "0.0.1"
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError) as caught:
        neurolab.resume(tmp_path / "run")
    assert "drive.npy has other contents now" in str(caught.value)
    assert "jax was 0.0.1, is" in str(caught.value)
    assert str(caught.value).count("resume.accept=") == 2
    with pytest.raises(ConfigError, match=r"resume\.accept = source\n.*what differs is"):
        neurolab.resume(tmp_path / "run", accept=["source"])
    run = neurolab.resume(tmp_path / "run", accept=["files", "versions"])
    assert run.committed_steps == 3000
    session = run.summary["sessions"][-1]
    assert set(session["accepted"]) == {"files", "versions"} and session["from_step"] > 0
    assert "accepted" not in run.summary["sessions"][0]
    neurolab.resume(tmp_path / "run")  # what is now is what it is


def test_other_numbers_are_another_run(tmp_path, monkeypatch):
    stopped(monkeypatch, tmp_path / "run", RUNS["gif"], 1500)
    with pytest.raises(ConfigError, match=r"neuron\.R = 30ohm\n.*accept=\[neuron\.R\]"):
        neurolab.resume(tmp_path / "run", ["neuron.R=30ohm"])
    with pytest.raises(ConfigError, match=r"(?s)neuron\._target_ = neurolab.neurons.LIF"):
        neurolab.resume(tmp_path / "run", ["neuron=lif"])
    with pytest.raises(ConfigError, match="seed"):
        neurolab.resume(tmp_path / "run", ["seed=3"])
    with pytest.raises(ConfigError, match="no such folder"):
        neurolab.resume(tmp_path / "other")


def test_runs_in_a_folder_are_named(tmp_path):
    """As those of a sweep with `sweep.folders=true hydra/launcher=basic`."""
    neurolab.run(["size=2", "duration=5ms", KEEP], tmp_path / "0")
    with pytest.raises(ConfigError, match=r"goes on by itself, as resume=.*0"):
        neurolab.resume(tmp_path)


def test_while_a_run_becomes_longer_it_is_one_that_goes_on(tmp_path, monkeypatch):
    """Not one that was completed and has other steps, which would be damaged."""
    from neurolab.simulation.runner import _Run

    folder, seen, close = tmp_path / "run", [], _Run.close
    neurolab.run(["neuron=lif", "size=5", "duration=50ms", KEEP], folder)

    def looks(self):
        self.computation.commit()
        seen.append(neurolab.open_run(folder))
        close(self)

    monkeypatch.setattr(_Run, "close", looks)
    neurolab.resume(folder, ["duration=100ms"])
    assert [(run.committed_steps, run.summary, run.damaged) for run in seen] == [(1000, {}, {})]


@pytest.mark.parametrize("content", by_night(["", "{", None], ["{"]))
def test_a_commit_that_is_not_whole_is_no_obstacle(tmp_path, monkeypatch, content):
    """All is computed again; it had been told so, and then was not."""
    overrides = RUNS["adex"]
    whole = neurolab.run([*overrides, KEEP], tmp_path / "whole")
    stopped(monkeypatch, tmp_path / "run", overrides, whole.committed_steps // 2)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    del record["sha256"]
    for key in ("status", "to_step"):  # as kill -9 leaves it
        record["sessions"][-1].pop(key, None)
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    path = tmp_path / "run" / "commit.json"
    path.unlink() if content is None else path.write_text(content)
    same(neurolab.resume(tmp_path / "run"), whole)


@pytest.mark.parametrize("name", ["checkpoint.npz", "stimulus.json", "summary.json"])
@pytest.mark.parametrize("content", by_night([None, "[1,2"], ["[1,2"]))
def test_what_is_damaged_of_a_completed_run_is_mended(tmp_path, name, content):
    """It was told to be complete, as it is only when every file of it is whole."""
    overrides = ["neuron=lif", "size=5", "duration=50ms", KEEP]
    whole = neurolab.run(overrides, tmp_path / "whole")
    neurolab.run(overrides, tmp_path / "run")
    path = tmp_path / "run" / name
    path.unlink() if content is None else path.write_text(content)
    assert [found.what for found in neurolab.verify(tmp_path / "run")] == [path]
    same(neurolab.resume(tmp_path / "run"), whole)
    assert not neurolab.verify(tmp_path / "run")
