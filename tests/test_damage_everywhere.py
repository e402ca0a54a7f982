"""Each file of a run and of a sweep is cut, emptied, deleted, and each byte of it flipped: what is
read then is what was written, or an error that names the file; never another answer."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from sweeps import SHORT, batch_of, sweep

import neurolab
from neurolab.report.run_page import run_page
from neurolab.report.sweep_page import sweep_page
from neurolab.results.batches import SweepFolder
from neurolab.results.damage import DamagedError
from neurolab.results.dataset import write_csv, write_zarr
from neurolab.results.verify import verify

RUN = ("neuron=adexif_ref", "input=poisson", "duration=50ms", "record.variables=[V,w]")
SWEEP = ("input=poisson", "seed=range:3", "sweep.batch=1", "duration=20ms", "size=3")
#: What tells others of results, or how far they are, and what a page compares with.
ADVICE = {".png", ".html", ".log", ".csv"}
NO_RESULTS = {"status.json", "defaults.yaml"}
#: Bytes that are flipped in a file for every change, of all that are nightly.
SOME = 2


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    neurolab.run([*SHORT, *RUN], folder)
    return folder


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A sweep of two batches, and a point that failed."""
    folder = tmp_path_factory.mktemp("sweep") / "sweep"
    sweep(folder, *SWEEP)
    shutil.rmtree(batch_of(folder, 2))
    store = SweepFolder(folder)
    store.fail({2: "it did not work"})
    now = neurolab.open_sweep(folder)
    write_zarr(now.data, folder / "sweep.zarr")
    write_csv(now.plan, now.rows, folder / "sweep.csv")
    return folder


def files(folder):
    """Those from which results are read."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [p for p in found if p.suffix not in ADVICE and p.name not in NO_RESULTS]


def of_a_chunk(path):
    return path.suffix not in (".json", ".yaml")


def mutations(path, every, together):
    """What becomes of a file, by name: None deletes it.  Of text one byte is flipped after the
    other, or some ``together``."""
    whole = path.read_bytes()
    yield "cut", whole[: len(whole) // 2]
    yield "emptied", b""
    yield "deleted", None
    width = 32 if of_a_chunk(path) else together
    places = range(0, len(whole), width)
    if not every:
        places = sorted(random.Random(path.name).sample(places, min(SOME, len(places))))
    for at in places:
        flipped = bytearray(whole)
        for k in range(at, min(at + width, len(whole))):
            flipped[k] ^= 0xFF if of_a_chunk(path) else 1 << (k % 7)
        yield f"byte {at}", bytes(flipped)


def plain(value):
    """A value as it can be compared, to the last bit."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    return repr(value)


def asked(question):
    """The answer, or the error."""
    try:
        return plain(question())
    except (DamagedError, ValueError) as error:
        return error


def page_of(make, folder):
    page = make(folder)
    data = {key: value for key, value in page.data.items() if key not in ("date", "pictures")}
    if "is damaged" in data["message"]:
        raise ValueError(data["message"])
    return {"data": data, "arrays": page.arrays}


def of_trains(run):
    traces = [str(name) for name in run.attributes["traces"]]
    found = {name: asked(lambda name=name: run.traces[name].to_dict("array")) for name in traces}
    found["config"] = asked(lambda: str(run.config))
    for name in ("summary", "committed_steps", "n_neurons", "dt_ms"):
        found[name] = asked(lambda name=name: getattr(run, name))
    for name in ("spikes", "rate"):
        found[name] = asked(lambda name=name: getattr(run, name).to_dict("array"))
    return found


def of_run(folder, page=True):
    """All that can be asked of a run."""
    found = {"page": asked(lambda: page_of(run_page, folder))} if page else {}
    try:
        run = neurolab.open_run(folder)
    except DamagedError as error:
        return found | {"run": error}
    text = repr(run)
    found["repr"] = ValueError(text) if "damaged" in text else text
    return found | of_trains(run)


def of_sweep(folder, page=True):
    """All that can be asked of a sweep and of its points."""
    found = {"page": asked(lambda: page_of(sweep_page, folder))} if page else {}
    try:
        sweep = neurolab.open_sweep(folder)
    except DamagedError as error:
        return found | {"sweep": error}
    found["summary"] = asked(lambda: sweep.summary)
    for row in sweep.table.reset_index().to_dict("records"):
        point = row["point"]
        told = row["status"] == "damaged" and row["message"]
        found[f"row {point}"] = ValueError(told) if told else plain(row)
        data = sweep.data.isel(seed=point)
        found[f"data {point}"] = ValueError(told) if told else plain(data.to_dict("array"))
        try:
            of = of_trains(sweep[point])
        except DamagedError as error:
            of = {"all": error}
        except KeyError as error:  # it failed
            of = {"all": str(error)}
        found |= {f"{name} of {point}": answer for name, answer in of.items()}
    return found


def tried(path, folder, ask, every, together=1):
    """Mutate a file in all ways; the answers must be those of before, or tell of the file."""
    before, content = ask(folder), path.read_bytes()
    assert not [answer for answer in before.values() if isinstance(answer, Exception)], before
    assert not verify(folder)
    named = path.relative_to(folder).as_posix().removesuffix("/zarr.json")
    try:
        for name, mutated in mutations(path, every, together):
            path.unlink() if mutated is None else path.write_bytes(mutated)
            page = not (every and name.startswith("byte"))  # as there are many
            after, where = ask(folder, page), f"{named}: {name}"
            for question, answer in after.items():
                if isinstance(answer, Exception):
                    assert (
                        named in str(answer)
                        or named.partition("/c.")[0] in str(answer)
                        or (name == "deleted" and "batches" in str(answer))
                    ), (where, question, answer)
                else:
                    assert answer == before[question], (where, question)
            damaged = verify(folder)
            same = not damaged and (
                harmless(content, mutated)
                if name.startswith("byte")
                # Of a batch that was completed: nothing is lost, but a longer one begins anew.
                else (path.name, path.parents[1].name, mutated)
                == ("checkpoint.npz", "batches", None)
            )
            assert damaged or same, where
            told = {Path(one.what) for one in damaged}
            assert same or name == "deleted" or told & {path, *path.parents}, (where, damaged)
    finally:
        path.write_bytes(content)


def harmless(content, mutated):
    """Whether a flipped byte says nothing else: a blank that became another; in metadata of a
    batch, more than was committed, which is not read; how a copy of metadata is to be taken, where
    Zarr refuses others."""
    try:
        one, other = json.loads(content), json.loads(mutated)
    except ValueError:
        return False
    for found in (one, other):
        if (copies := found.get("consolidated_metadata")) is not None:
            found["consolidated_metadata"] = copies.get("metadata")
    one_shape, other_shape = one.pop("shape", []), other.pop("shape", [])
    return one == other and all(a <= b for a, b in zip(one_shape, other_shape, strict=True))


PARTS = 4  # of the files, each a test of its own


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(k, marks=pytest.mark.nightly) for k in range(1, PARTS + 1))]
)
def test_no_file_of_a_run_gives_another_answer(run, part):
    """Some bytes of all files; nightly all bytes of a part of the files."""
    for path in files(run)[part - 1 :: PARTS] if part else files(run):
        tried(path, run, of_run, bool(part))


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(k, marks=pytest.mark.nightly) for k in range(1, PARTS + 1))]
)
def test_no_file_of_a_sweep_gives_another_answer(begun, part):
    """As of a run, some bytes at once; the arrays beside the batches, which nothing of ours reads,
    are verified."""
    found = [path for path in files(begun) if "batches/000000" not in path.as_posix()]
    for path in found[part - 1 :: PARTS] if part else found:
        beside = "sweep.zarr" in path.parts
        if part or not beside or path.parent.name in ("sweep.zarr", "rate_hz"):
            ask = (lambda folder, page=True: {}) if beside else of_sweep
            tried(path, begun, ask, bool(part), 8)
