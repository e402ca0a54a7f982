"""With ``tracker.per_point`` a tracker hears of each point once, however often a sweep goes on."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from sweeps import stop_at, sweep
from test_tracking import LINES

from neurolab.sweep.compute import _GroupRun
from neurolab.trackers.session import TrackerSession

SWEEP = ("seed=range:6", "sweep.batch=2", "device.count=1", "tracker._target_=endingtrackers.Each")


#: Is killed within the third end, once.
DIES = """

class Dies(Each):
    def finish(self, exit_code, summary):
        import os, pathlib, signal
        ended = pathlib.Path(self.out.name).with_name("ended")
        ended.open("a").write("x")
        if ended.read_text() == "xxx":
            os.kill(os.getpid(), signal.SIGKILL)
        super().finish(exit_code, summary)
"""


@pytest.fixture
def going_on(tmp_path, monkeypatch):
    """A sweep that goes on where it was begun; what it told, by the name of a point."""
    (tmp_path / "endingtrackers.py").write_text(LINES + DIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "sweep"

    def go_on(*more):
        begun = [f"sweep.resume='{folder}'"] if (folder / "definition.json").exists() else []
        sweep(folder, *SWEEP, *begun, *more)
        return told()

    def told():
        file = folder / "told.jsonl"
        lines = (
            [json.loads(text) for text in file.read_text().splitlines()] if file.exists() else []
        )
        return Counter(line["name"] for line in lines if line["what"] == "start")

    go_on.told = told
    return go_on


EACH = Counter({f"seed={k}": 1 for k in range(6)})


def test_points_of_a_session_that_was_killed_are_told_by_the_next(going_on, monkeypatch):
    """Points are told at the end of a session: those of one that had none were lost."""
    written, batches = _GroupRun._written, []

    def dies(self, writing):
        written(self, writing)
        batches.append(1)
        if len(batches) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_GroupRun, "_written", dies)
        with pytest.raises(KeyboardInterrupt):
            going_on()
    assert going_on() == EACH
    assert going_on() == EACH


def test_points_that_were_stopped_are_told_when_they_are_whole(going_on, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 12)
        first = going_on()
    assert 0 < len(first) < 6
    assert going_on() == EACH


def test_what_the_tracker_did_not_take_in_is_told_again(going_on, monkeypatch):
    """A session that ends while it tells; what was noted is what the tracker's process has."""
    send, sent = TrackerSession._send, []

    def ends(self, what, *rest, **more):
        sent.extend([1] * (what == "start"))
        if len(sent) == 4:
            raise KeyboardInterrupt
        send(self, what, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(TrackerSession, "_send", ends)
        with pytest.raises(KeyboardInterrupt):
            going_on()
    assert len(going_on.told()) == 3
    assert going_on() == EACH


def test_what_a_tracker_that_died_did_not_have_is_told_again(going_on, tmp_path):
    """All had been written to its pipe, and were noted as told."""
    going_on("tracker._target_=endingtrackers.Dies")
    assert (tmp_path / "sweep" / "told.txt").read_text() == "0\n1\n"
    going_on("tracker._target_=endingtrackers.Dies")
    ends = (tmp_path / "sweep" / "told.jsonl").read_text().count('"finish"')
    assert ends == 6
