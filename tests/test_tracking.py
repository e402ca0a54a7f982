"""What trackers are told, whatever happens, and status.json."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sweeps import KEEP, SHORT

import neurolab
from neurolab.config.experiment import read_experiment
from neurolab.problems import ConfigError
from neurolab.results.plan import flat
from neurolab.results.status import StatusFile
from neurolab.simulation.tracking import Rows, in_units

LINES = """
import json


class Lines:
    \"\"\"Writes what it is told as lines of JSON.\"\"\"

    def __init__(self, file="told.jsonl", fail_in=""):
        self.file, self.fail_in = file, fail_in

    def start(self, tracked):
        self.out = open(tracked.folder / self.file, "a")
        facts = {"config": tracked.config, "units": tracked.units, "group": tracked.group}
        self._tell("start", kind=tracked.kind, name=tracked.name, **facts)

    def log(self, step, metrics):
        self._tell("log", step=step, **metrics)

    def finish(self, exit_code, summary):
        self._tell("finish", exit_code=exit_code, status=summary["status"])
        self.out.close()

    def _tell(self, what, **facts):
        if what == self.fail_in:
            raise RuntimeError(f"refuses to {what}")
        print(json.dumps({"what": what, **facts}, default=str), file=self.out, flush=True)


class Each(Lines):
    per_point = True


class Deaf(Each):
    patience_s = 0.5

    def start(self, tracked):
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(100)


class Choosy(Lines):
    def __init__(self, colour="red"):
        pass

    @classmethod
    def check(cls, colour="red"):
        if colour != "red":
            raise ValueError(f"colour {colour}: there is red")
"""


@pytest.fixture
def tracker(tmp_path, monkeypatch):
    """The override that names a class of the module above."""
    (tmp_path / "mytrackers.py").write_text(LINES)
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda name="Lines": f"tracker._target_=mytrackers.{name}"


def told(folder):
    return [json.loads(line) for line in (folder / "told.jsonl").read_text().splitlines()]


def test_a_tracker_of_the_user_hears_of_a_run(tracker, tmp_path):
    """Start, a hundred rows at equal distances, finish; numbers in the declared units."""
    folder = tmp_path / "run"
    every = ("record.neurons=all", "record.interval=null")
    run = neurolab.run([*SHORT, tracker(), "neuron.tau=0.02s", *every], folder)
    start, *rows, finish = told(folder)
    assert (start["what"], start["kind"]) == ("start", "run")
    assert start["config"]["neuron"]["tau"] == 20.0
    assert start["units"]["neuron"]["tau"] == "ms"
    assert (start["config"]["duration"], start["units"]["duration"]) == (100.0, "ms")
    assert start["name"].startswith("size=10 duration=100ms neuron.tau=0.02s")
    assert [row["step"] for row in rows] == list(range(10, 1001, 10))
    np.testing.assert_allclose([row["time_ms"] for row in rows], np.arange(1, 101))
    assert rows[-1]["spikes"] == run.summary["spike_count"]
    rates = np.array([row["rate_hz"] for row in rows])
    assert rates.mean() == pytest.approx(run.summary["rate_hz_mean"], rel=1e-12)
    mean = run.traces["V"].values.mean(axis=1)[9::10]
    np.testing.assert_allclose([row["V_mean_mV"] for row in rows], mean, rtol=1e-5, atol=1e-7)
    assert finish == {"what": "finish", "exit_code": 0, "status": "completed"}


def test_a_tracked_run_has_the_results_of_one_that_is_not(tracker, tmp_path):
    """The shorter chunks change nothing."""
    one = neurolab.run([*SHORT, tracker()], tmp_path / "one")
    other = neurolab.run(SHORT, tmp_path / "other")
    for name in ("time", "neuron"):
        np.testing.assert_array_equal(one.spikes[name], other.spikes[name])
    np.testing.assert_array_equal(one.rate, other.rate)
    np.testing.assert_array_equal(one.traces["V"], other.traces["V"])


def test_a_diverged_run_is_told_so(tracker, tmp_path):
    given = ("neuron=lif", "neuron.tau=0.02ms")  # unstable: dt > 2 tau
    neurolab.run([*SHORT, tracker(), *given, "integrator=euler"], tmp_path / "run")
    finish = told(tmp_path / "run")[-1]
    assert (finish["exit_code"], finish["status"]) == (3, "diverged")


@pytest.mark.parametrize("moment", ["start", "finish"])
def test_whatever_ends_a_run_is_told(tracker, tmp_path, monkeypatch, moment):
    """A second Ctrl-C, or a disk that is full when the summary is written."""
    error = KeyboardInterrupt() if moment == "start" else OSError(28, "No space left on device")

    def fails(*_):
        raise error

    where = {"start": "engine.program.Program.compile", "finish": "simulation.runner.write_summary"}
    monkeypatch.setattr(f"neurolab.{where[moment]}", fails)
    with pytest.raises(type(error)):
        neurolab.run([*SHORT, tracker()], tmp_path / "run")
    finish, status = told(tmp_path / "run")[-1], status_of(tmp_path / "run")["status"]
    assert finish["exit_code"] == 1
    assert finish["status"] == status == ("interrupted" if moment == "start" else "failed")


def test_a_tracker_that_does_not_listen_holds_nothing_up(tracker, tmp_path, monkeypatch):
    """It is left alone after its patience, with a warning; a sweep of points does not wait."""
    folder = tmp_path / "sweep"
    lists = f"neuron.V_initializer=[{','.join(['0.5mV'] * 500)}]"
    given = ("size=500", "duration=10ms", KEEP, tracker("Deaf"), lists, "seed=range:20")
    began = time.monotonic()
    neurolab.run_sweep(given, folder)
    assert time.monotonic() - began < 30
    text = (folder / "neurolab.log").read_text()
    assert text.count("WARNING") == 1
    assert "not waited for" in text
    subprocess.run(["kill", re.search(r"process (\d+) goes on", text)[1]], check=True)


def test_a_sweep_goes_on_with_another_tracker(tracker, tmp_path):
    """Who is told is no part of what a sweep is; status.json counts what can be computed."""
    folder = tmp_path / "sweep"
    swept = ("neuron.tau=5ms,10ms", "neuron.V_reset=-1mV,2mV")  # 2 mV is above the threshold
    neurolab.run_sweep([*SHORT, *swept], folder)
    neurolab.run_sweep([*SHORT, *swept, tracker(), f"sweep.resume={folder}"])
    assert [line["what"] for line in told(folder)] == ["start", "finish"]
    status = status_of(folder)
    assert (status["status"], status["points_done"], status["points"]) == ("partial", 2, 2)


def test_what_is_in_the_module_path_of_a_notebook_is_no_hindrance(tracker, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    neurolab.run([*SHORT, tracker()], tmp_path / "run")
    assert told(tmp_path / "run")[-1]["what"] == "finish"


@pytest.mark.parametrize("moment", ["start", "log", "finish"])
def test_a_tracker_that_fails_is_one_warning(tracker, tmp_path, moment):
    """The run completes; its log says what the tracker said."""
    folder = tmp_path / "run"
    run = neurolab.run([*SHORT, tracker(), f"+tracker.fail_in={moment}"], folder)
    assert run.summary["status"] == "completed"
    lines = (folder / "neurolab.log").read_text().splitlines()
    warnings = [line for line in lines if "WARNING" in line]
    assert len(warnings) == 1
    assert f"RuntimeError: refuses to {moment}" in warnings[0]
    if moment == "log":
        assert told(folder)[-1]["what"] == "finish"
    assert "results are not affected" in warnings[0]


def test_a_tracker_refuses_its_settings_before_anything_runs(tracker, tmp_path):
    with pytest.raises(ConfigError, match="colour blue: there is red"):
        neurolab.run([*SHORT, tracker("Choosy"), "+tracker.colour=blue"], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_sweep_is_one_thing_that_is_tracked(tracker, tmp_path):
    """Its configuration without what is swept, and that apart, with its unit."""
    folder = tmp_path / "sweep"
    neurolab.run_sweep([*SHORT, tracker(), "neuron.tau=5ms,0.01s", "seed=1,2"], folder)
    start, finish = told(folder)
    assert start["kind"] == "sweep"
    assert "neuron.tau" in start["name"]
    assert "tau" not in start["config"]["neuron"]
    assert "seed" not in start["config"]
    swept = start["config"]["sweep"]["swept"]
    assert swept["neuron.tau"] == {"values": [5.0, 10.0], "unit": "ms"}
    assert start["config"]["sweep"]["points"] == 4
    assert finish == {"what": "finish", "exit_code": 0, "status": "completed"}


@pytest.mark.parametrize(
    "swept",
    [("neuron=lif,quaif",),
     *(pytest.param(typed, marks=pytest.mark.nightly) for typed in (
         ("+input@inputs.noise=ou,constant",), ("+vars.b=5,6", "neuron.tau=${vars.b}ms"))),
     ("record.rate_bin=null,5ms", "neuron=lif,expif")],
)  # fmt: skip
def test_the_configuration_of_a_sweep_is_what_its_points_share(tracker, tmp_path, swept):
    """Every value in it is the one that each point has, and none that all have is left out."""
    for name in ("Lines", "Each"):
        neurolab.run_sweep([*SHORT, tracker(name), *swept], tmp_path / name)
    (sweep, *_), points = told(tmp_path / "Lines"), told(tmp_path / "Each")
    flats = [dict(flat(line["config"])) for line in points if line["what"] == "start"]
    shared = {
        key: value
        for key, value in flats[0].items()
        if all(key in other and other[key] == value for other in flats)
    }
    stated = dict(flat({k: v for k, v in sweep["config"].items() if k != "sweep"}))
    assert {k: v for k, v in stated.items() if k not in shared or shared[k] != v} == {}
    assert shared.keys() - stated.keys() <= {key for key in shared if key.startswith("vars")}


def test_a_thousand_texts_are_told_by_their_ends(tracker, tmp_path):
    files = ",".join(f"[normal,10ms,{i}us]" for i in range(1, 1102))
    neurolab.run_sweep(["size=1", "duration=1ms", KEEP, tracker(), f"neuron.tau={files}"], tmp_path)
    swept = told(tmp_path)[0]["config"]["sweep"]["swept"]["neuron.tau"]
    assert swept["n"] == 1101 and swept["from"] != swept["to"]


def test_or_each_of_its_points_is(tracker, tmp_path):
    folder = tmp_path / "sweep"
    bad = "neuron.V_reset=-1mV,2mV"  # 2 mV is above the threshold
    neurolab.run_sweep([*SHORT, tracker("Each"), "neuron.tau=5ms,10ms", bad], folder)
    starts = [line for line in told(folder) if line["what"] == "start"]
    assert [line["name"] for line in starts] == [
        "neuron.tau=5ms neuron.V_reset=-1mV",
        "neuron.tau=10ms neuron.V_reset=-1mV",
    ]
    assert {line["group"] for line in starts} == {"sweep"}
    assert [line["config"]["neuron"]["tau"] for line in starts] == [5.0, 10.0]
    sweep = neurolab.open_sweep(folder)
    rates = [line["rate_hz"] for line in told(folder) if line["what"] == "log"]
    assert rates == [sweep.rows[0]["rate_hz"], sweep.rows[2]["rate_hz"]]


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [(signal.SIGKILL, 1, "killed"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_run_that_is_killed_or_stopped_is_told_so(tracker, tmp_path, number, code, status):
    """Also by kill -9, which the run itself cannot tell; status.json says how far it was."""
    folder = tmp_path / "run"
    given = ["size=1000", "duration=1000s", KEEP, f"hydra.run.dir={folder}", tracker()]
    command = [sys.executable, "-m", "neurolab", *given]
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    going = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: status_of(folder)["eta_s"] is not None)
        facts = status_of(folder)
        assert (facts["status"], facts["pid"]) == ("running", going.pid)
        assert 0 < facts["simulated_ms"] < facts["duration_ms"] == 1e6
        assert facts["eta_s"] > 0
        going.send_signal(number)
        going.wait(30)
    finally:
        going.kill()
    wait_for(lambda: told(folder)[-1]["what"] == "finish")
    finish = told(folder)[-1]
    assert (finish["exit_code"], finish["status"]) == (code, status)


def status_of(folder):
    return json.loads((folder / "status.json").read_text())


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (FileNotFoundError, IndexError):
            pass
        time.sleep(0.05)
    raise TimeoutError


def test_status_is_a_file_that_is_always_whole(tmp_path):
    """What is left is told from the speed since the first call."""
    file = StatusFile(tmp_path)
    assert file.eta_s(0, 100) is None
    time.sleep(0.05)
    assert 0.1 <= file.eta_s(25, 100) < 1
    file.write("running", simulated_ms=1.0)
    file.write("completed", simulated_ms=2.0)
    facts = json.loads((tmp_path / "status.json").read_text())
    assert facts["status"] == "completed"
    assert facts["simulated_ms"] == 2.0
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_the_last_row_of_a_run_is_its_end_whatever_its_length():
    """1234 steps: rows after every 13, and after the last."""
    rows = []
    kept = Rows(1234, 0.1, 10, lambda step, row: rows.append((step, row)), "neuron.V", "mV")
    done = 0
    while done < 1234:
        n = min(kept.left(done), 1234 - done)
        done += n
        kept.add(done, n, {"neuron.V": np.full(10, float(done))})
    assert [step for step, _ in rows] == [*range(13, 1234, 13), 1234]
    assert rows[-1][1] == {
        "time_ms": pytest.approx(123.4),
        "rate_hz": pytest.approx(1000.0),
        "spikes": 1234,
        "V_mean_mV": 1234.0,
    }


def test_a_run_that_ends_between_two_rows_is_told_to_its_end():
    """Once, with the steps and spikes since the last row."""
    rows = []
    kept = Rows(1000, 0.1, 1, lambda step, row: rows.append((step, row)), "neuron.V", "mV")
    for done, spikes in ((10, 3), (14, 2)):
        kept.add(done, spikes, {"neuron.V": np.zeros(1)})
    kept.end()
    kept.end()
    assert [(step, row["spikes"]) for step, row in rows] == [(10, 3), (14, 5)]
    assert rows[-1][1]["rate_hz"] == pytest.approx(2 / 0.4e-3)


def test_numbers_in_declared_units():
    """Lists become lists, drives relative to the neuron say so, distributions stay text."""
    config = {
        "size": 2,
        "duration": "1 s",
        "dt": "100 us",
        "seed": 0,
        "neuron": {
            "_target_": "neurolab.neurons.LIF",
            "tau": ["0.01 s", "20 ms"],
            "R": "normal(1 ohm, 0.1 ohm)",
        },
        "input": {"_target_": "neurolab.inputs.Constant", "amplitude": "1.1 rheobase"},
        "integrator": {"_target_": "neurolab.integrators.ExpEuler"},
        "tracker": {"_target_": "neurolab.trackers.NoTracker"},
    }
    experiment = read_experiment(config)
    plain, units = in_units(config, experiment.parsed, experiment.numbers)
    assert plain["neuron"]["tau"] == [10.0, 20.0]
    assert plain["neuron"]["R"] == "normal(1 ohm, 0.1 ohm)"
    assert plain["input"]["amplitude"] == 1.1
    assert (plain["dt"], plain["duration"]) == (0.1, 1000.0)
    assert units == {
        "dt": "ms",
        "duration": "ms",
        "neuron": {"tau": "ms"},
        "input": {"amplitude": "rheobase"},
    }
    assert "tracker" not in plain
