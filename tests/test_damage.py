"""Damaged results are told as such when they are opened: by file, what is wrong, what to try."""

from __future__ import annotations

import json
import pickle
import re
import shutil

import numpy as np
import pytest
from pages import data_of
from sweeps import SHORT, batch_of, sweep
from test_store import chunk, writer

import neurolab
from neurolab.cli.main import main as command_line
from neurolab.cli.verify import verify as verified
from neurolab.plots.run import draw_all
from neurolab.problems import ConfigError
from neurolab.report import write_report
from neurolab.report.__main__ import main
from neurolab.results import damage
from neurolab.results import run as run_module
from neurolab.results.damage import DamagedError
from neurolab.results.verify import verify

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
    """As somebody could have written it, before files had digests of themselves."""

    def change(path):
        found = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in found.items() if k != "sha256"} | what))

    return change


def flipped(path):
    """A byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


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
    ("commit.json", flipped, "it was changed"),
    ("results.zarr", removed, "it is missing; 500 steps"),
    ("results.zarr/zarr.json", cut, "no whole JSON"),
    ("results.zarr/zarr.json", removed, "it is missing; 500 steps"),
    ("results.zarr/zarr.json", changed(attributes=None), "what was recorded"),
    ("results.zarr/zarr.json", changed(node_type="array"), "it was changed"),
    ("results.zarr/zarr.json", changed(attributes={"traces": {"U": {}}}), "it was changed"),
]


@pytest.mark.parametrize(("name", "harm", "why"), RUN)
def test_a_damaged_run_is_told_when_it_is_opened(run, name, harm, why, caplog):
    """By `open_run`, and by the report command, which shows what is left."""
    harm(run / name)
    with pytest.raises(DamagedError) as told:
        neurolab.open_run(run)
    place = str(told.value).partition(" is damaged: ")[0]
    assert place.startswith(str(run / name).removesuffix("/zarr.json"))
    assert why in str(told.value)
    assert "opy " in str(told.value)
    assert main([str(run)]) == 0
    assert f"{place} is damaged" in caplog.text
    assert why.partition("; ")[0] in data_of(run / "report.html")["message"]
    assert verify(run)[0].first_step == 0


@pytest.mark.parametrize(
    ("name", "harm", "why"),
    [
        ("results.zarr/V", removed, "it is missing"),
        ("results.zarr/V/zarr.json", cut, "no whole JSON"),
        ("results.zarr/V/zarr.json", changed(shape=[7, 20]), "were committed, it has 7"),
        ("results.zarr/V/zarr.json", changed(dimension_names=["a", "b"]), "it was changed"),
        ("results.zarr/V/zarr.json", changed(attributes={"units": "uV"}), "it was changed"),
        ("summary.json", cut, "no whole JSON"),
        ("summary.json", changed(status="completed", sha256="0" * 64), "it was changed"),
    ],
)
def test_what_is_not_damaged_can_be_read(run, name, harm, why, caplog):
    """One variable is lost, or the summary; the others are as they were, and a page shows them."""
    before = neurolab.open_run(run)
    before.traces.load()
    _ = before.spikes
    harm(run / name)
    found = neurolab.open_run(run)
    (told,) = found.damaged.values()
    assert str(told).startswith(str(run / name).removesuffix("/zarr.json"))
    assert why in str(told)
    assert str(told) in caplog.text
    assert str(told) in repr(found)
    with pytest.raises(DamagedError, match="is damaged"):
        found.summary if name == "summary.json" else found.traces["V"].values
    assert found.traces["w"].identical(before.traces["w"])
    assert found.spikes.identical(before.spikes)
    data = data_of(write_report(run))
    assert str(told) in data["message"]
    assert data["results"]["spikes"]["count"] == found.spikes.sizes["spike"]
    assert "w" in [panel["name"] for panel in data["results"]["traces"]]
    assert draw_all(found) == [run / f"{name}.png" for name in ("raster", "traces", "rate")]
    assert [str(one) for one in verify(run)] == [str(told)]


def test_pictures_of_what_is_damaged_are_not_drawn(run, caplog):
    """The others are, without what is damaged; nothing else is said."""
    (run / "results.zarr" / "spike_step" / "c.0").write_bytes(b"")
    assert draw_all(neurolab.open_run(run)) == [run / "traces.png", run / "rate.png"]
    assert "raster.png could not be drawn" in caplog.text
    (run / "results.zarr" / "V" / "c.0.0").write_bytes(b"")
    assert data_of(write_report(run))["results"]["rate"]
    assert "Task" not in caplog.text


def test_a_configuration_that_was_changed_is_told(run, tmp_path):
    """It is not that of the results beside it."""
    folder = tmp_path / "another"
    (folder / ".hydra").mkdir(parents=True)
    config = folder / ".hydra" / "config.yaml"
    config.write_text("seed: 3\n")
    with writer(folder) as results:
        results.append(chunk(0, 500))
    assert neurolab.open_run(folder).config.seed == 3
    for harm in (flipped, removed):
        harm(config)
        found = neurolab.open_run(folder)
        with pytest.raises(DamagedError, match=r"config\.yaml is damaged"):
            found.config
        assert [one.what for one in verify(folder)] == [config]


def test_the_step_from_which_on_results_are_not_whole(tmp_path):
    """Of an array, by the file of it that is damaged."""
    with writer(tmp_path) as results:
        for first in range(0, 200_000, 50_000):
            results.append(chunk(first, 50_000))
    assert verify(tmp_path) == []
    last = tmp_path / "results.zarr" / "V" / "c.3.0"
    rows = json.loads((tmp_path / "results.zarr/V/zarr.json").read_text())["chunk_grid"]
    rows = rows["configuration"]["chunk_shape"][0]
    flipped(last)
    removed(tmp_path / "results.zarr" / "g" / "c.2.0")
    found = {damaged.what: damaged.first_step for damaged in verify(tmp_path)}
    assert found[last] == 3 * rows
    assert len(found) == 2
    assert 0 < min(found.values()) < 200_000


def test_folders_of_before_open(run):
    """Without digests: nothing says that they are not as they were."""
    before = neurolab.open_run(run)
    commit = json.loads((run / "commit.json").read_text())
    del commit["digests"], commit["sha256"]
    (run / "commit.json").write_text(json.dumps(commit))
    changed(attributes=before.attributes | {"format": "neurolab results 2"})(
        run / "results.zarr" / "zarr.json"
    )
    changed()(run / "summary.json")
    found = neurolab.open_run(run)
    assert not found.damaged
    assert found.spikes.identical(before.spikes)
    assert found.traces.identical(before.traces)
    assert verify(run) == []


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
    for file in (run / "results.zarr" / name).glob("c.*"):
        if file.is_file():
            file.write_bytes(data)
    with pytest.raises(DamagedError, match=rf"results\.zarr/{name}/c.0\S* is damaged"):
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
        ("definition.json", changed(title="another", sha256="0" * 64), "it was changed"),
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


@pytest.mark.parametrize(
    ("name", "harm"),
    [("commit.json", cut), ("commit.json", flipped), ("commit.json", removed), ("", removed)],
)  # fmt: skip
def test_a_damaged_batch_leaves_the_others(begun, tmp_path, name, harm, caplog):
    """Its points are damaged, and computed again when the sweep goes on; then all is whole."""
    folder = shutil.copytree(begun, tmp_path / "sweep")
    whole, path = neurolab.open_sweep(folder), batch_of(folder, 2) / name
    harm(path)
    found = neurolab.open_sweep(folder)
    told = str(found.damaged[0])
    assert told.startswith(str(path if harm in (cut, flipped) else folder / "batches"))
    assert "resume=" in told
    assert told in caplog.text
    assert told in repr(found)
    table = found.table
    assert list(table["status"]) == ["completed"] * 2 + ["damaged"] * 2
    assert table[:2].equals(whole.table[:2])
    assert list(table["message"][2:]) == [told] * 2
    assert np.isnan(found.rate_hz[2:]).all()
    assert len(list(found)) == 2
    with pytest.raises(DamagedError, match="is damaged"):
        found[2]
    data = data_of(write_report(folder))
    assert told in data["message"]
    assert data["status"] == "damaged"
    assert str(verify(folder)[0]) == told
    again = sweep(folder, *SWEEP, f"sweep.resume='{folder}'")
    assert again.table.equals(whole.table)
    assert verify(folder) == []


def test_what_is_left_of_a_sweep_is_told(begun, tmp_path):
    folder = shutil.copytree(begun, tmp_path / "sweep")
    removed(folder / "definition.json")
    with pytest.raises(DamagedError, match=r"definition\.json is damaged: it is missing"):
        neurolab.open_sweep(folder)
    assert main([str(folder)]) == 1
    assert [one.what.name for one in verify(folder)] == ["definition.json"]


def test_a_damaged_summary_leaves_the_points(begun, tmp_path):
    folder = shutil.copytree(begun, tmp_path / "sweep")
    whole = neurolab.open_sweep(folder)
    flipped(folder / "summary.json")
    found = neurolab.open_sweep(folder)
    assert found.table.equals(whole.table)
    assert "summary.json is damaged" in repr(found)
    with pytest.raises(DamagedError, match=r"summary\.json is damaged"):
        found.summary
    assert "summary.json is damaged" in data_of(write_report(folder))["message"]
    with pytest.raises(ConfigError, match="is damaged"):  # sessions are added to it
        sweep(folder, *SWEEP, f"sweep.resume='{folder}'")


def test_what_is_advised_for_damaged_results_of_a_batch_works(begun, tmp_path):
    """Remove the batch, and go on with the sweep; the other points can be read meanwhile."""
    folder = shutil.copytree(begun, tmp_path / "sweep")
    batch = batch_of(folder, 2)
    flipped(batch / "results.zarr" / "spike_end" / "c.0.0")
    found = neurolab.open_sweep(folder)
    assert set(found.table["status"]) == {"completed"}
    with pytest.raises(DamagedError, match=f"spike_end.*remove {batch} and go on with .*resume"):
        found[2]
    assert "spike_end/c.0.0 is damaged" in data_of(write_report(folder))["spikes"]["why"]
    assert len(verify(folder)) == 1
    shutil.rmtree(batch)
    again = sweep(folder, *SWEEP, f"sweep.resume='{folder}'")
    assert set(again.table["status"]) == {"completed"}
    assert verify(folder) == []


def test_a_point_whose_results_are_gone_is_told(begun, tmp_path):
    folder = shutil.copytree(begun, tmp_path / "sweep")
    shutil.rmtree(batch_of(folder, 2) / "results.zarr")
    found = neurolab.open_sweep(folder)
    assert found[0].spikes.sizes["spike"] > 0
    with pytest.raises(DamagedError, match=r"000002-\w+/results\.zarr is damaged: it is missing"):
        found[2]
    assert re.search(r"000002-\w+/results.zarr is damaged", str(verify(folder)[0]))


def test_the_index_lists_what_is_damaged(run):
    """With the reason, beside the others."""
    cut(run / "summary.json")
    assert main([str(run.parent)]) == 0
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


def test_the_command_says_whether_a_folder_is_whole(run, begun, capsys):
    """And from which step on it is not."""
    assert [verified(run), verified(begun), verified(run / "nothing")] == [0, 0, 2]
    assert f"{run} is whole" in capsys.readouterr().out
    flipped(run / "results.zarr" / "V" / "c.0.0")
    assert verified(run) == 1
    assert "whole until step 0" in capsys.readouterr().err
    assert neurolab.verify(run)[0].first_step == 0


def test_notes_are_committed_before_there_is_anything(tmp_path):
    """As by a batch that is stopped at once."""
    results = writer(tmp_path)
    results.note({"rows": []})
    assert damage.read_commit(tmp_path).extra == {"rows": []}


@pytest.mark.parametrize("command", ["resume", "reproduce"])
def test_a_damaged_record_is_told_in_a_sentence(tmp_path, monkeypatch, capfd, command):
    """It was a traceback."""
    neurolab.run([*SHORT, "duration=5ms"], tmp_path / "run")
    record = tmp_path / "run" / "run.json"
    record.write_text(record.read_text()[:100])
    monkeypatch.setattr("sys.argv", ["neurolab", f"{command}={tmp_path / 'run'}"])
    with pytest.raises(SystemExit) as ended:
        command_line()
    said = capfd.readouterr().err
    assert ended.value.code == 1
    assert said.startswith("neurolab: ") and "run.json is damaged" in said
    assert "Traceback" not in said and len(said.splitlines()) == 1


def test_a_damaged_stimulus_is_told_on_opening(tmp_path, caplog):
    """With the way to have it again; what was recorded is read."""
    run = neurolab.run(
        ["neuron=lif", "input=constant", "size=2", "duration=20ms"], tmp_path / "run"
    )
    (run.path / "stimulus.json").write_text("[1, 2")
    opened = neurolab.open_run(run.path)
    assert "stimulus.json is damaged" in caplog.text and "resume=<folder>" in caplog.text
    assert opened.spikes.sizes == run.spikes.sizes


def test_a_table_that_was_changed_is_found(tmp_path):
    """sweep.csv, which is made of the batches."""
    typed = ["neuron=lif", "size=2", "duration=20ms", "seed=1,2"]
    folder = neurolab.run_sweep(typed, tmp_path / "sweep").path
    assert verify(folder) == []
    for text in ("[1, 2", (folder / "sweep.csv").read_text().replace("completed", "failed")):
        (folder / "sweep.csv").write_text(text)
        (damaged,) = verify(folder)
        assert damaged.what.name == "sweep.csv" and "resume=<folder>" in str(damaged)
    (folder / "sweep.csv").unlink()
    assert [one.what.name for one in verify(folder)] == ["sweep.csv"]
