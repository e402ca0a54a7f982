"""A sweep that went on has a record of the whole: what began it, and each session that computed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sweeps import SHORT, sweep
from test_resume import KEEP

import neurolab
from neurolab.cli.launcher import SweepLauncher
from neurolab.cli.main import main
from neurolab.problems import ConfigError
from neurolab.report import write_report
from neurolab.results.status import StatusFile
from neurolab.sweep.compute import _GroupRun

SWEEP = ("seed=range:6", "sweep.batch=2", "device.count=1")
LASTED_S = 120.0


def stopped(folder, monkeypatch):
    """A sweep that was stopped after its first batch, having written its summary."""
    written = _GroupRun._written

    def stops(self, writing):
        written(self, writing)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(_GroupRun, "_written", stops)
    found = sweep(folder, *SWEEP)
    monkeypatch.undo()
    assert 0 < found.summary["completed"] < 6
    return found


def test_going_on_adds_to_the_record(tmp_path, monkeypatch):
    """Points and seconds are sums; each session says when, with what, and how many."""
    one = stopped(tmp_path / "sweep", monkeypatch).summary
    resume = f"sweep.resume='{tmp_path / 'sweep'}'"
    two = sweep(tmp_path / "sweep", *SWEEP, resume).summary
    first, second = two["sessions"]
    assert [first] == one["sessions"]
    assert first["computed"] == one["completed"]
    assert second["computed"] == 6 - one["completed"]
    for key in ("computed", "wall_s", "compute_s", "compile_s", "compose_s"):
        assert two[key] == pytest.approx(first[key] + second[key])
    assert two["computed"] == two["completed"] == 6
    assert two["points_per_s"] == pytest.approx(6 / two["wall_s"])
    assert first["started"] <= second["started"]
    assert first["versions"] == second["versions"]
    assert "session 2" in write_report(tmp_path / "sweep").read_text()
    assert sweep(tmp_path / "sweep", *SWEEP, resume).summary == two


def test_a_sweep_that_was_killed_has_the_command_that_began_it(tmp_path, monkeypatch):
    """It is written before anything is computed."""

    def dies(self, stop, begun):
        raise KeyboardInterrupt

    def command(*given):
        typed = ["neurolab", "-m", *SHORT, *SWEEP, f"hydra.sweep.dir={folder}", *given]
        monkeypatch.setattr("sys.argv", typed)
        main()

    folder = tmp_path / "sweep"
    with monkeypatch.context() as patch:
        patch.setattr(_GroupRun, "go", dies)
        with pytest.raises(KeyboardInterrupt):
            command()
    begun = (folder / "multirun.yaml").read_text()
    assert "resume: null" in begun
    for _ in range(2):
        with pytest.raises(SystemExit, match="0"):
            command(f"sweep.resume={folder}")
        assert neurolab.open_sweep(folder).summary["computed"] == 6
        assert (folder / "multirun.yaml").read_text() == begun


def test_another_sweep_in_the_same_folder_has_a_record_of_its_own(tmp_path):
    sweep(tmp_path / "sweep", *SWEEP)
    (tmp_path / "sweep" / "definition.json").unlink()
    for batch in (tmp_path / "sweep" / "batches").iterdir():
        (batch / "commit.json").unlink()
    found = sweep(tmp_path / "sweep", "seed=1,2")
    assert [one["computed"] for one in found.summary["sessions"]] == [2]
    assert neurolab.open_sweep(tmp_path / "sweep").summary == found.summary


def dies_after(batches, folder, monkeypatch, *given):
    """A sweep of which a session ends without a word after so many batches."""
    written, calls = _GroupRun._written, []

    def dies(self, writing):
        written(self, writing)
        calls.append(1)
        if len(calls) > batches:
            raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(_GroupRun, "_written", dies)
        patch.setattr(StatusFile, "__exit__", lambda *_: None)
        with pytest.raises(SystemExit):
            sweep(folder, *SWEEP, *given)
    status = json.loads((folder / "status.json").read_text())
    status["elapsed_s"] = LASTED_S
    status["pid"] = 2**22 + 1  # which no process has
    (folder / "status.json").write_text(json.dumps(status))
    return neurolab.open_sweep(folder)


@pytest.mark.parametrize("session", [1, 2])
def test_a_session_that_was_killed_is_one_of_the_whole(tmp_path, monkeypatch, session):
    """Its points are those that are of no other, its time as far as status.json had told; of the
    second, the summary of the first was told as if nothing had come after."""
    folder = tmp_path / "sweep"
    resume = f"sweep.resume='{folder}'"
    if session == 2:
        stopped(folder, monkeypatch)
        assert "(interrupted)" in repr(neurolab.open_sweep(folder))
    found = dies_after(1, folder, monkeypatch, *([resume, "sweep.batch=1"] * (session == 2)))
    done = found.rows.counts()["completed"]
    assert "status" not in found.summary
    assert "(killed)" in repr(found)
    whole = sweep(folder, *SWEEP, resume).summary
    killed = whole["sessions"][session - 1]
    assert killed["status"] == "killed"
    assert killed["wall_s"] == LASTED_S
    assert whole["computed"] == sum(one["computed"] for one in whole["sessions"]) == 6
    assert sum(one["computed"] for one in whole["sessions"][:session]) == done
    assert whole["started"] == whole["sessions"][0]["started"] <= killed["started"]
    assert whole["points_per_s"] == pytest.approx(6 / whole["wall_s"])
    assert f"{killed['computed']} points in 2 min 0 s, killed" in write_report(folder).read_text()


def test_a_summary_without_sessions_or_memory_is_the_first(tmp_path, monkeypatch):
    """As sweeps of before have, and systems that do not tell of memory."""
    folder = tmp_path / "sweep"
    one = stopped(folder, monkeypatch).summary
    old = {key: value for key, value in one.items() if key not in ("sessions", "started")}
    (folder / "summary.json").write_text(json.dumps(old))
    monkeypatch.setattr("neurolab.results.summary.resource", None)
    two = sweep(folder, *SWEEP, f"sweep.resume='{folder}'").summary
    assert [s["computed"] for s in two["sessions"]] == [one["computed"], 6 - one["computed"]]
    assert two["started"] == one["started"]
    assert two["wall_s"] == pytest.approx(sum(s["wall_s"] for s in two["sessions"]))
    assert two["sessions"][1]["peak_rss_mb"] is None
    assert two["peak_rss_mb"] == one["peak_rss_mb"]


def test_a_round_that_computes_nothing_leaves_the_session_before(tmp_path, monkeypatch):
    """The rounds after it were added to that, which another process had computed."""
    folder = tmp_path / "sweep"
    typed = ["neurolab", "-m", *SHORT, "seed=0,1,2,3", "hydra/sweeper=basic"]
    typed += ["+hydra.sweeper.max_batch_size=2", f"hydra.sweep.dir={folder}"]
    monkeypatch.setattr("sys.argv", typed)
    run = SweepLauncher._run

    def ends(self, plan, first):
        if first:
            raise KeyboardInterrupt
        return run(self, plan, first)

    with monkeypatch.context() as patch, pytest.raises((KeyboardInterrupt, SystemExit)):
        patch.setattr(SweepLauncher, "_run", ends)
        main()
    path = folder / "summary.json"
    earlier = json.loads(path.read_text().replace('"started": "2', '"started": "1'))
    path.write_text(json.dumps({key: earlier[key] for key in earlier.keys() - {"sha256"}}))
    monkeypatch.setattr("sys.argv", [*typed, f"sweep.resume={folder}"])
    with pytest.raises(SystemExit, match="0"):
        main()
    found = neurolab.open_sweep(folder).summary["sessions"]
    assert [one["computed"] for one in found] == [2, 2]
    assert found[0]["started"] < found[1]["started"]


def test_a_session_that_was_killed_is_in_the_record(tmp_path):
    """Also if it had not come to the end of a point; it was left out, with its time."""
    folder = tmp_path / "sweep"
    typed = ["neuron=adexif_ref", "size=50", "duration=40s", "seed=range:2", KEEP]
    command = [sys.executable, "-m", "neurolab", "-m", *typed, f"hydra.sweep.dir={folder}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        until = time.monotonic() + 60
        while not any(folder.glob("batches/*/commit.json")) and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    first, second = neurolab.resume(folder).summary["sessions"]
    assert (first["status"], first["computed"], second["computed"]) == ("killed", 0, 2)
    assert first["wall_s"] > 0


@pytest.mark.parametrize("given", ["nonsense", "versions", "neuron.tau"])
def test_what_cannot_be_accepted_is_refused(tmp_path, given):
    """Of a sweep it was ignored."""
    found = sweep(tmp_path / "sweep", *SHORT, "seed=range:2")
    with pytest.raises(ConfigError, match=r"resume\.accept.*\n.*versions, files or source"):
        neurolab.resume(found.path, accept=[given])


def test_what_is_accepted_is_in_the_record(tmp_path, monkeypatch):
    """And what was another for it."""
    monkeypatch.chdir(tmp_path)
    np.save("drive.npy", np.full(100, 1.5))
    typed = ["input=current_from_file", "input.file=drive.npy", "input.unit=rheobase"]
    sweep(tmp_path / "sweep", *SHORT, "seed=range:2", *typed)
    np.save("drive.npy", np.full(100, 1.6))
    longer = neurolab.resume(tmp_path / "sweep", ["seed=range:3"], accept=["files"])
    said = longer.summary["sessions"][-1]["accepted"]
    assert said == {"files": "drive.npy has other contents now"}
