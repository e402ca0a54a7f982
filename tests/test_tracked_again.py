"""What trackers hear of runs and sweeps that go on: each row and each point once."""

import json

import numpy as np
from sweeps import KEEP
from test_resume import stopped
from test_tracking import told, tracker  # noqa: F401

import neurolab
from neurolab.results.batches import SweepFolder

RUN = ("neuron=adexif_ref", "synapse=expon", "size=20", "duration=300ms")


def test_rows_of_a_run_that_died_are_told_once(tracker, tmp_path, monkeypatch):  # noqa: F811
    """Also those that its checkpoint does not have; and its metrics are those of one session."""
    neurolab.run([*RUN, KEEP, tracker()], tmp_path / "whole")
    stopped(monkeypatch, tmp_path / "run", [*RUN, tracker()], 1700)
    (tmp_path / "run" / "checkpoint.npz").unlink()
    neurolab.resume(tmp_path / "run")
    rows, whole = (
        [one for one in told(tmp_path / name) if one["what"] == "log"] for name in ("run", "whole")
    )
    assert sum(one["what"] == "start" for one in told(tmp_path / "run")) == 2
    # What was worked up when it died is told of as far as it went, between two hundredths.
    at = {row["step"] for row in whole}
    assert [row for row in rows if row["step"] in at] == whole
    assert len(rows) <= len(whole) + 1


def test_points_of_a_sweep_that_becomes_larger_are_told_once(tracker, tmp_path):  # noqa: F811
    """Each with a mark of its own, and the same again where it becomes longer."""
    folder, typed = tmp_path / "sweep", ["neuron=lif", "size=3", "duration=20ms", KEEP]
    neurolab.run_sweep([*typed, tracker("Each"), "neuron.tau=10ms,20ms"], folder)
    neurolab.resume(folder, ["neuron.tau=5ms,10ms,15ms,20ms"])
    names = [one["name"] for one in told(folder) if one["what"] == "start"]
    assert names == [f"neuron.tau={tau}ms" for tau in (10, 20, 5, 15)]
    numbering = SweepFolder(folder).numbering
    marks = [numbering.mark(point) for point in range(4)]
    assert marks == ["1.0", "0", "1.2", "1"]
    neurolab.resume(folder, ["duration=40ms"])
    numbering = SweepFolder(folder).numbering
    assert [numbering.mark(point) for point in range(4)] == marks
    names = [one["name"] for one in told(folder) if one["what"] == "start"]
    assert names[4:] == [f"neuron.tau={tau}ms" for tau in (5, 10, 15, 20)]
    assert json.loads((folder / "summary.json").read_text())["status"] == "completed"
    assert np.isfinite(neurolab.open_sweep(folder).rate_hz).all()
