"""A sweep that went on has a record of the whole: what began it, and each session that computed."""

from __future__ import annotations

import signal

import pytest
from sweeps import SHORT, sweep

import neurolab
from neurolab.cli.main import main
from neurolab.report import write_report
from neurolab.sweep.compute import _GroupRun

SWEEP = ("seed=range:6", "sweep.batch=2", "device.count=1")


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

    def dies(self, stop):
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
