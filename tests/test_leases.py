"""One process writes to a folder: a second is refused, one that is gone is followed by one."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from nights import every
from sweeps import KEEP, SHORT, same_spikes, sweep

import neurolab
from neurolab.cli.main import main
from neurolab.problems import ConfigError, ResultsLostError
from neurolab.results import holder as holders
from neurolab.results import lease as leases
from neurolab.results.batches import SweepFolder
from neurolab.results.holder import WRITER, Watch, holder
from neurolab.results.lease import Lease
from neurolab.results.run import open_run
from neurolab.results.status import StatusFile, standing
from neurolab.simulation.computation import Computation

HERE = multiprocessing.get_context("fork")


def written(folder, **changed):
    """What a lease says, changed."""
    path = folder / WRITER
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def left_by(folder, **changed):
    """A lease whose holder did not end it, of a process that was killed unless changed."""
    process = HERE.Process(target=lambda: (Lease(folder).__enter__(), os._exit(0)))
    process.start()
    process.join()
    written(folder, **changed)


def contents(folder):
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


def test_a_second_is_refused_and_told_who_has_it(tmp_path):
    with Lease(tmp_path / "a" / "run") as lease:
        before = contents(tmp_path)
        with pytest.raises(ConfigError, match=rf"process {os.getpid()} on .* \(since 20") as told:
            Lease(tmp_path / "a" / "run", "sweep.resume").__enter__()
        assert told.value.problems[0].key == "sweep.resume"
        lease.check()
        assert contents(tmp_path) == before
        assert holder(tmp_path / "a" / "run").pid == os.getpid()
        with Lease(tmp_path / "b") as other:  # another folder
            other.check()
    assert holder(tmp_path / "a" / "run") is None
    assert list(tmp_path.iterdir()) == []  # folders that were made, and have nothing in them


def test_an_exception_ends_it(tmp_path):
    with pytest.raises(ZeroDivisionError), Lease(tmp_path):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("started", [None, 1], ids=["gone", "another with its number"])
def test_one_who_was_killed_is_followed(tmp_path, started):
    left_by(tmp_path, **({} if started is None else {"pid": os.getpid(), "start": started}))
    assert holder(tmp_path) is None
    with Lease(tmp_path) as lease:
        lease.check()
        assert [path.name for path in tmp_path.iterdir()] == [WRITER]


def test_one_who_ended_and_is_not_waited_for_is_gone(tmp_path):
    """A zombie has its number still."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    try:
        left_by(tmp_path, pid=process.pid, start=holders._state(process.pid)[1])
        while holders._state(process.pid)[0] != "Z":
            time.sleep(0.01)
        with Lease(tmp_path):
            pass
    finally:
        process.wait()


def test_the_machine_began_anew(tmp_path):
    """Then nothing goes on, whatever has its number."""
    with Lease(tmp_path):
        shutil.copy(tmp_path / WRITER, tmp_path / "copy")
    (tmp_path / "copy").rename(tmp_path / WRITER)
    written(tmp_path, boot="another")
    if json.loads((tmp_path / WRITER).read_text())["machine"]:
        with Lease(tmp_path):
            pass


ELSEWHERE = {"host": "node7", "machine": "another", "boot": "another"}


@pytest.fixture
def soon(monkeypatch):
    """A minute lasts for a second."""
    for module in (holders, leases):
        monkeypatch.setattr(module, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(leases, "_LOOK_SECONDS", 0.05)


@pytest.mark.parametrize("moved_h", [-48, 0, 48])
def test_one_of_another_machine_is_looked_at_whatever_its_clock(tmp_path, soon, moved_h):
    """Silent, it is followed; beating, it is not."""
    left_by(tmp_path, **ELSEWHERE)
    then = time.time() + 3600 * moved_h
    os.utime(tmp_path / WRITER, (then, then))
    began = time.monotonic()
    with Lease(tmp_path):
        assert time.monotonic() - began >= 1.0
    left_by(tmp_path, **ELSEWHERE)
    ended = threading.Event()

    def beats():
        n = 0
        while not ended.wait(0.1):
            n += 1
            os.utime(tmp_path / WRITER, (then + n, then + n))

    thread = threading.Thread(target=beats)
    thread.start()
    try:
        with pytest.raises(ConfigError, match="on node7"):
            Lease(tmp_path).__enter__()
        watch = Watch()
        for _ in range(12):
            assert holder(tmp_path, watch).host == "node7"
            time.sleep(0.1)
    finally:
        ended.set()
        thread.join()


def test_one_of_another_container_may_live(tmp_path):
    """Its numbers are not ours."""
    left_by(tmp_path, numbers="pid:[1]")
    assert holder(tmp_path).numbers == "pid:[1]"


def test_it_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "_BEAT_SECONDS", 0.02)
    with Lease(tmp_path):
        first = (tmp_path / WRITER).stat().st_mtime_ns
        while (tmp_path / WRITER).stat().st_mtime_ns == first:
            time.sleep(0.01)


def take(folder, begin, taken, ended):
    begin.wait()
    try:
        with Lease(folder) as lease:
            taken.put(os.getpid())
            ended.wait()
            lease.check()
    except ConfigError:
        taken.put(None)


@pytest.mark.parametrize("before", every(["killed while it followed one", "killed", "none"], 2))
def test_of_many_one_follows(tmp_path, before):
    """Eight at once, many times: one has it, and the others are refused."""
    for k in range(6):
        folder = tmp_path / str(k)
        folder.mkdir()
        if before != "none":
            left_by(folder)
        if before == "killed while it followed one":
            first = json.loads((folder / WRITER).read_text())
            claim = folder / f"{WRITER}.{first['token']}"
            claim.write_text(json.dumps(first | {"token": "0" * 16}))
        begin, ended, taken = HERE.Event(), HERE.Event(), HERE.Queue()
        processes = [
            HERE.Process(target=take, args=(folder, begin, taken, ended)) for _ in range(8)
        ]
        for process in processes:
            process.start()
        begin.set()
        found = [taken.get(timeout=60) for _ in processes]
        holds = [pid for pid in found if pid is not None]
        assert len(holds) == 1
        assert holder(folder).pid == holds[0]
        ended.set()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "no"}', '{"token": "../../x"}'])
def test_a_lease_that_cannot_be_read_is_no_obstacle(tmp_path, soon, text):
    (tmp_path / WRITER).write_text(text)
    with Lease(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_links(tmp_path, monkeypatch):
    def link(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    with Lease(tmp_path), pytest.raises(ConfigError):
        Lease(tmp_path).__enter__()
    left_by(tmp_path)
    with Lease(tmp_path):
        pass


@pytest.mark.parametrize("how", ["taken", "removed"])
def test_a_run_that_lost_its_folder_writes_nothing_more(tmp_path, monkeypatch, how):
    """As a machine that slept finds it: neither results nor what is said of them."""
    keep, seen = neurolab.results.writer.ResultsWriter.keep, {}

    def loses(self, *arguments):
        keep(self, *arguments)
        if not seen:
            if how == "taken":
                written(tmp_path, token="f" * 16, host="node7")
            else:
                (tmp_path / WRITER).unlink()
            seen.update(contents(tmp_path))

    monkeypatch.setattr(neurolab.results.writer.ResultsWriter, "keep", loses)
    monkeypatch.setattr("neurolab.simulation.runner._CHUNK_SECONDS", 0.0)
    match = "on node7 .* now" if how == "taken" else "removed or emptied meanwhile"
    with pytest.raises(ResultsLostError, match=match):
        neurolab.run(["size=10", "duration=2s", KEEP], tmp_path)
    now = contents(tmp_path)
    for files in (seen, now):
        files.pop(tmp_path / "status.json", None)  # until it is known
    assert now == seen


def test_a_sweep_that_lost_its_folder_begins_no_batch(tmp_path, monkeypatch):
    close, closed = Computation.close, []

    def loses(self):
        close(self)
        closed.append(self)
        written(tmp_path, token="f" * 16, host="node7")

    monkeypatch.setattr(Computation, "close", loses)
    with pytest.raises(ResultsLostError, match="on node7"):
        sweep(tmp_path, "seed=range:8", "sweep.batch=1", "device.count=1")
    assert len(closed) < 5
    assert not (tmp_path / "summary.json").exists()
    assert json.loads((tmp_path / WRITER).read_text())["token"] == "f" * 16


def test_many_runs_of_one_process(tmp_path):
    """In folders of their own they go; two in one do not."""
    errors, runs = [], {}

    def run(k, folder):
        try:
            runs[k] = neurolab.run(["size=10", "duration=300s", f"seed={k % 2}", KEEP], folder)
        except ConfigError as error:
            errors.append(str(error))

    places = [tmp_path / "0", tmp_path / "1", tmp_path / "0"]
    threads = [threading.Thread(target=run, args=(k, place)) for k, place in enumerate(places)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 2
    assert len(errors) == 1
    assert f"process {os.getpid()}" in errors[0]
    assert all(run.summary["status"] == "completed" for run in runs.values())
    assert not list(tmp_path.rglob(f"{WRITER}*"))


def begun(tmp_path, *given):
    process = subprocess.Popen(
        [sys.executable, "-m", "neurolab", *given, KEEP],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not list((tmp_path / "x").rglob("commit.json")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    return process


def said(monkeypatch, *given):
    """The exit code of a command in this process."""
    monkeypatch.setattr("sys.argv", ["neurolab", *given, KEEP])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_a_second_run_of_a_folder_changes_nothing(tmp_path, monkeypatch, capsys):
    """It had overwritten the configuration, then died with a traceback.  After kill -9 there is no
    holder, and the results say so."""
    given = ("size=10", "duration=100000s", "hydra.run.dir=x")
    first = begun(tmp_path, *given)
    with first:
        before = contents(tmp_path / "x" / ".hydra")
        monkeypatch.chdir(tmp_path)
        assert said(monkeypatch, *given, "seed=1") == 2
        told = capsys.readouterr().err
        assert f"is being written by process {first.pid} on " in told
        assert "hydra.run.dir" in told
        assert contents(tmp_path / "x" / ".hydra") == before
        assert "(running)" in repr(open_run(tmp_path / "x"))
        assert holder(tmp_path / "x").pid == first.pid
        first.kill()
    assert holder(tmp_path / "x") is None
    assert "(killed)" in repr(open_run(tmp_path / "x"))
    assert (tmp_path / "x" / WRITER).exists()


def test_a_run_that_has_not_recorded_yet_is_not_written_over(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with Lease(tmp_path / "x"):
        for given in (("hydra.run.dir=x",), ("-m", "seed=1,2", "hydra.sweep.dir=x"),
                      ("-m", "seed=1,2", "hydra.sweep.dir=x", "hydra/launcher=basic")):  # fmt: skip
            assert said(monkeypatch, *given) == 2
            assert "is being written by process" in capsys.readouterr().err
            assert [path.name for path in (tmp_path / "x").iterdir()] == [WRITER]


SWEEP = ("neuron=lif_ref", "size=200", "seed=range:8", "sweep.batch=1", "device.count=1")


def test_a_sweep_has_one_process(tmp_path):
    """A second was let in by sweep.resume: both wrote to the same arrays, and the table said that
    all were completed."""
    typed = ("-m", *SWEEP, "duration=10s")
    first = begun(tmp_path, *typed, "hydra.sweep.dir=x")
    with first:
        resume = f"sweep.resume='{tmp_path / 'x'}'"
        for given in ([resume], [f"hydra.sweep.dir='{tmp_path / 'x'}'"]):
            with pytest.raises(ConfigError, match=f"process {first.pid} on ") as told:
                neurolab.run_sweep([*typed[1:], KEEP, *given])
            assert told.value.problems[0].key == given[0].partition("=")[0]
        assert first.poll() is None
        first.kill()
    found = neurolab.run_sweep([*typed[1:], KEEP, resume])
    assert set(found.table["status"]) == {"completed"}
    for point in found:
        assert point.spikes.sizes["spike"] == point.summary["spike_count"]
    assert not list((tmp_path / "x").rglob(WRITER))


@pytest.mark.nightly
def test_tasks_that_outlive_their_sweep(tmp_path):
    """The launcher is killed, its tasks run on, and the sweep is gone on with: each point is there
    as it would have been, a task that has lost its sweep begins no batch more."""
    given = (*SWEEP[:2], "seed=range:12", *SWEEP[3:], "duration=5s", KEEP)
    whole = neurolab.run_sweep(given, tmp_path / "whole")
    tasks = ("hydra.launcher.executor=local", "hydra.launcher.points_per_task=12")
    first = begun(tmp_path, "-m", *given[:-1], *tasks, "hydra.sweep.dir=x")
    with first:
        first.kill()
    alive = [folder for folder in (tmp_path / "x" / "batches").iterdir() if holder(folder)]
    assert alive
    assert holder(alive[0]).pid != first.pid
    resume = f"sweep.resume='{tmp_path / 'x'}'"
    found = neurolab.run_sweep([*given, resume])
    assert set(found.table["status"]) == {"completed"}
    assert found.table.drop(columns="overrides").equals(whole.table.drop(columns="overrides"))
    for one, other in zip(found, whole, strict=True):
        assert same_spikes(one, other)
        assert one.spikes.sizes["spike"] == one.summary["spike_count"]
    while any(holder(folder) for folder in (tmp_path / "x" / "batches").iterdir()):
        time.sleep(0.05)
    later = neurolab.open_sweep(tmp_path / "x")  # what a task committed last changes nothing
    assert [row["batch"] for row in SweepFolder(tmp_path / "x").rows().values()]
    assert later.table.equals(found.table)
    assert neurolab.run_sweep([*given, resume]).table.equals(found.table)
    batches = list((tmp_path / "x" / "batches").iterdir())
    assert {row["batch"] for row in SweepFolder(tmp_path / "x").rows().values()} == set(batches)


def test_the_first_commit_of_a_point_counts(tmp_path):
    """Whatever the names; and what a living process writes is not tidied away."""
    sweep(tmp_path, "seed=range:2", "sweep.batch=2")
    store = SweepFolder(tmp_path)
    (first,) = (tmp_path / "batches").iterdir()
    for name in ("000000-0", "000000-f"):
        shutil.copytree(first, first.with_name(name), copy_function=shutil.copyfile)
    going = store.new_batch(0).__enter__()
    assert {row["batch"] for row in store.rows().values()} == {first}
    with Lease(first.with_name("000000-f")):
        store.tidy()
        left = {path.name for path in (tmp_path / "batches").iterdir()}
        assert left == {first.name, "000000-f", going.folder.name}
    going.release()
    assert first.with_name("000000-f") in store.idle()
    store.tidy()
    (left,) = (tmp_path / "batches").iterdir()
    assert left == first
    assert len({store.new_batch(0).folder for _ in range(50)}) == 50


def test_status_is_what_the_holder_does(tmp_path):
    with Lease(tmp_path) as lease:
        status = StatusFile(tmp_path, lease=lease)
        for said in ("compiling", "running"):
            status.write(said)
            assert standing(tmp_path)[0] == "running"
        before = (tmp_path / WRITER).read_text()
        for other in ({"start": 1}, {"token": "f" * 16}):  # another process with its number
            written(tmp_path, **other)
            assert standing(tmp_path)[0] == "killed"
            (tmp_path / WRITER).write_text(before)
        status.write("completed")
        assert standing(tmp_path)[0] == "completed"


def test_reading_needs_no_lease(tmp_path):
    neurolab.run(SHORT, tmp_path)
    with Lease(tmp_path):
        assert neurolab.open_run(tmp_path).spikes.sizes["spike"] > 0
        assert neurolab.report.write_report(tmp_path).exists()


def test_nothing_in_memory_has_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    neurolab.run(SHORT, save=False)
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_leaves_no_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for given in (["neuron.tau=-1ms"], ["-m", "neuron.tau=-1ms,-2ms"]):
        key = "sweep" if "-m" in given else "run"
        assert said(monkeypatch, *given, f"hydra.{key}.dir=a/b/c") == 2
        assert list(tmp_path.iterdir()) == []
