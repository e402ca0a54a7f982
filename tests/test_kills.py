"""kill -9 at any moment: what was committed is a part of the undisturbed results, and the run, the
sweep or the network goes on to all of them, bit for bit.  Twenty moments; a hundred by night."""

import json
import random
import subprocess
import sys
import time

import pytest
from test_resume import KEEP, same

import neurolab
from neurolab.results.compare import first_difference
from neurolab.results.verify import verify

KINDS = {
    "run": ("neuron=adexif_ref", "synapse=expon", "size=1500", "duration=25s", "record.neurons=8"),
    "network": ("network=coba_ei", "populations.E.size=800", "populations.I.size=200",
        "duration=25s"),
    "sweep": ("neuron=adexif_ref", "size=150", "duration=3s", "sweep.batch=4",
        "neuron.b=linspace:0mA:10mA:8"),
}  # fmt: skip
MOMENTS = [*((kind, k) for kind, n in (("run", 8), ("network", 6), ("sweep", 6)) for k in range(n))]
BY_NIGHT = [(kind, 100 + k) for kind in KINDS for k in range(27)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The undisturbed results of each kind, made when first asked for."""
    made = {}

    def of(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp("whole") / kind
            compute = neurolab.run_sweep if kind == "sweep" else neurolab.run
            made[kind] = compute([*KINDS[kind], KEEP], folder)
        return made[kind]

    return of


def computes(process, folder):
    """Wait until a command computes."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        status = folder / "status.json"
        told = json.loads(status.read_text()) if status.exists() else {}
        if (told.get("status"), told.get("pid")) == ("running", process.pid):
            return
        time.sleep(0.01)
    raise AssertionError(f"it does not compute: {process.communicate()[0]}")


def kill(kind, folder, chance):
    """Begin the command and kill it: while it starts, or some time after it began to compute."""
    key = "hydra.sweep.dir" if kind == "sweep" else "hydra.run.dir"
    command = [sys.executable, "-m", "neurolab", *["-m"] * (kind == "sweep"), *KINDS[kind], KEEP]
    command += ["checkpoint.every=100ms", f"{key}={folder}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0, 3))
    else:
        computes(process, folder)
        time.sleep(chance.uniform(0, 1.5))
    process.kill()
    process.wait()


def survives(kind, k, tmp_path, whole):
    folder = tmp_path / kind
    kill(kind, folder, random.Random(f"{kind} {k}"))
    begun = (folder / ("definition.json" if kind == "sweep" else "run.json")).exists()
    expected = whole(kind)
    if kind == "sweep":
        found = (
            neurolab.resume(folder) if begun else neurolab.run_sweep([*KINDS[kind], KEEP], folder)
        )
        assert list(found.table["status"]) == ["completed"] * 8
        tables = [sweep.table.drop(columns="overrides") for sweep in (found, expected)]
        assert tables[0].equals(tables[1])
        assert [first_difference(*points) for points in zip(found, expected, strict=True)] == [
            None
        ] * 8
    else:
        if begun and (folder / "results.zarr" / "zarr.json").exists():
            before = neurolab.open_run(folder)
            assert first_difference(before, expected) is None
        same(
            neurolab.resume(folder) if begun else neurolab.run([*KINDS[kind], KEEP], folder),
            expected,
        )
    assert verify(folder) == []
    assert not list(folder.rglob("*.partial"))
    assert not list(folder.rglob("writer.json"))


@pytest.mark.parametrize(("kind", "k"), MOMENTS)
def test_a_killed_one_goes_on(kind, k, tmp_path, whole):
    survives(kind, k, tmp_path, whole)


@pytest.mark.nightly
@pytest.mark.parametrize(("kind", "k"), BY_NIGHT)
def test_it_does_at_eighty_moments_more(kind, k, tmp_path, whole):
    survives(kind, k, tmp_path, whole)


def test_killed_again_and_again(tmp_path, whole):
    """Also while it goes on: sessions are listed, and the results are one run's."""
    folder = tmp_path / "run"
    begin = [*KINDS["run"], KEEP, f"hydra.run.dir={folder}"]
    for given in (begin, [f"resume={folder}"], [f"resume={folder}"]):
        command = [sys.executable, "-m", "neurolab", *given, "checkpoint.every=100ms"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        computes(process, folder)
        time.sleep(0.3)
        process.kill()
        process.wait()
    same(neurolab.resume(folder), whole("run"))
    assert len(json.loads((folder / "summary.json").read_text())["sessions"]) > 1
