"""Damaged results are told as such when they are opened: by file, what is wrong, what to try."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest
from sweeps import batch_of, sweep
from test_store import chunk, writer

import neurolab
from neurolab.problems import ConfigError
from neurolab.report.__main__ import main
from neurolab.results import damage
from neurolab.results import run as run_module
from neurolab.results.damage import DamagedError

SWEEP = ("neuron.tau=5ms,10ms,15ms,20ms", "sweep.batch=2")


@pytest.fixture
def run(tmp_path):
    """A run of 500 steps that completed."""
    folder = tmp_path / "run"
    with writer(folder) as results:
        results.append(chunk(0, 500))
    (folder / "summary.json").write_text(json.dumps({"status": "completed", "n_steps": 500}))
    neurolab.open_run(folder)
    return folder


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A sweep of two batches."""
    folder = tmp_path_factory.mktemp("begun") / "sweep"
    sweep(folder, *SWEEP)
    return folder


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def changed(**what):
    def change(path):
        path.write_text(json.dumps(json.loads(path.read_text()) | what))

    return change


def removed(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


RUN = [
    ("commit.json", removed, "it is missing; 500 were completed"),
    ("commit.json", cut, "no whole JSON"),
    ("commit.json", changed(steps=5000), "it has 5000 steps"),
    ("commit.json", changed(steps=400), "it has 400 steps"),
    ("commit.json", changed(steps=-5), "-5"),
    ("commit.json", changed(steps=None), "None"),
    ("commit.json", changed(steps="500"), "500"),
    ("commit.json", changed(lengths=[1]), "attribute"),
    ("summary.json", cut, "no whole JSON"),
    ("results.zarr", removed, "it is missing; 500 steps"),
    ("results.zarr/zarr.json", cut, "no whole JSON"),
    ("results.zarr/zarr.json", removed, "it is missing; 500 steps"),
    ("results.zarr/zarr.json", changed(attributes=None), "what was recorded"),
    ("results.zarr/V", removed, "it is missing"),
    ("results.zarr/V/zarr.json", cut, "no whole JSON"),
    ("results.zarr/V/zarr.json", changed(shape=[7, 20]), "500 values were committed, it has 7"),
]


@pytest.mark.parametrize(("name", "harm", "why"), RUN)
def test_a_damaged_run_is_told_when_it_is_opened(run, name, harm, why, capsys, caplog):
    """By `open_run` and by the report command, which shows what is left where the results are not
    there at all."""
    harm(run / name)
    with pytest.raises(DamagedError) as told:
        neurolab.open_run(run)
    place = str(told.value).partition(" is damaged: ")[0]
    assert place.startswith(str(run / name).removesuffix("/zarr.json"))
    assert why in str(told.value)
    assert "opy " in str(told.value)
    gone = harm is removed and name.startswith("results.zarr") and "V" not in name
    assert main([str(run)]) == (0 if gone else 1)
    assert f"{place} is damaged" in capsys.readouterr().err + caplog.text


def test_less_steps_without_traces_are_told(tmp_path):
    """Of spikes alone no array says how many steps there were; the summary does."""
    with writer(tmp_path, traces=(), rate_bin_steps=None) as results:
        whole = chunk(0, 500)
        whole.traces, whole.rate_counts = {}, None
        results.append(whole)
    (tmp_path / "summary.json").write_text('{"status": "completed", "n_steps": 500}')
    changed(steps=300)(tmp_path / "commit.json")
    with pytest.raises(DamagedError, match=r"commit\.json is damaged: it has 300 steps; 500"):
        neurolab.open_run(tmp_path)


@pytest.mark.parametrize("data", [b"", b"no chunk"])
@pytest.mark.parametrize("name", ["V", "time", "neuron"])
def test_a_damaged_chunk_of_a_trace_names_the_array(run, name, data):
    for file in (run / "results.zarr" / name / "c").rglob("*"):
        if file.is_file():
            file.write_bytes(data)
    with pytest.raises(DamagedError, match=rf"results\.zarr/{name} is damaged"):
        _ = neurolab.open_run(run).traces["V"].values


def test_traces_are_read_when_used_and_select_as_xarray_does(run):
    """Slices, lists, steps backwards, one after the other: as of an array in memory."""
    V = neurolab.open_run(run).traces["V"]
    plain = V.copy(data=np.asarray(chunk(0, 500).traces["V"]))
    one = neurolab.open_run(run).traces["V"]
    for pick in (
        {"time": slice(10, 400, 7), "neuron": [3, 1, 17]},
        {"time": slice(None, None, -3)},
        {"time": -1, "neuron": 4},
        {"neuron": slice(5, 2, -1)},
    ):
        np.testing.assert_array_equal(one.isel(pick).values, plain.isel(pick).values)
    assert one.isel(time=slice(100, 300)).isel(time=[5])[0, 2] == plain[105, 2]
    sent = pickle.loads(pickle.dumps(neurolab.open_run(run).traces))
    np.testing.assert_array_equal(sent["V"], plain)


@pytest.mark.parametrize(
    ("name", "harm", "why"),
    [
        ("definition.json", cut, "no whole JSON"),
        ("definition.json", changed(axes=[{}]), "no plan"),
        ("definition.json", changed(versions="jax"), "no plan"),
        ("definition.json", changed(versions={"jax": []}), "no versions"),
        ("definition.json", changed(versions={"neurolab": 1}), "no plan"),
        ("definition.json", changed(files=[1]), "no plan"),
        ("summary.json", cut, "no whole JSON"),
        ("batches/000002-*/commit.json", cut, "no whole JSON"),
        ("batches/000002-*/commit.json", changed(steps=-1), "-1"),
    ],
)
def test_a_damaged_sweep_is_told_when_it_is_opened_or_resumed(begun, tmp_path, name, harm, why,
                                                              capsys):  # fmt: skip
    folder = shutil.copytree(begun, tmp_path / "sweep")
    (name,) = folder.glob(name)
    harm(name)
    with pytest.raises(DamagedError) as told:
        neurolab.open_sweep(folder)
    assert f"{name} is damaged" in str(told.value)
    assert why in str(told.value)
    assert main([str(folder)]) == 1
    assert f"{name} is damaged" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="is damaged") as told:
        sweep(folder, *SWEEP, f"sweep.resume='{folder}'")
    assert str(name) in str(told.value)
    assert "another sweep" not in str(told.value)


def test_what_is_advised_for_a_damaged_batch_works(begun, tmp_path):
    """Remove the batch, and go on with the sweep."""
    folder = shutil.copytree(begun, tmp_path / "sweep")
    batch = batch_of(folder, 2)
    cut(batch / "commit.json")
    with pytest.raises(DamagedError, match=f"remove {batch} and go on with .*sweep.resume"):
        neurolab.open_sweep(folder)
    shutil.rmtree(batch)
    again = sweep(folder, *SWEEP, f"sweep.resume='{folder}'")
    assert set(again.table["status"]) == {"completed"}


def test_a_point_whose_results_are_gone_is_told(begun, tmp_path):
    folder = shutil.copytree(begun, tmp_path / "sweep")
    shutil.rmtree(batch_of(folder, 2) / "results.zarr")
    found = neurolab.open_sweep(folder)
    assert found[0].spikes.sizes["spike"] > 0
    with pytest.raises(DamagedError, match=r"000002-\w+/results\.zarr is damaged: it is missing"):
        found[2]


def test_the_index_lists_what_is_damaged(run):
    """With the reason, beside the others."""
    cut(run / "summary.json")
    assert main([str(run.parent)]) == 1
    page = (run.parent / "index.html").read_text()
    assert '"status":"damaged"' in page.replace(" ", "")
    assert "summary.json is damaged" in page


def test_a_run_that_ends_while_it_is_opened_is_whole(tmp_path, monkeypatch):
    """Between reading its commit and its summary: it was told as damaged."""
    commit = tmp_path / "commit.json"
    with writer(tmp_path) as results:
        results.append(chunk(0, 300))
        early = commit.read_text()
        results.append(chunk(300, 200))
    end = commit.read_text()
    commit.write_text(early)
    (tmp_path / "summary.json").write_text('{"status": "completed", "n_steps": 500}')
    read = damage.read_commit

    def ends(folder):
        found = read(folder)
        commit.write_text(end)
        return found

    for module in (damage, run_module):
        monkeypatch.setattr(module, "read_commit", ends, raising=False)
    assert neurolab.open_run(tmp_path).committed_steps == 500
