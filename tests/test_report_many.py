"""Pages of sweeps, the index of runs and sweeps, and the command that writes them."""

from __future__ import annotations

import numpy as np
import pytest
from pages import OTHER, RUN, SWEEP, array_of, copied, data_of

import neurolab
from neurolab.report import write_index, write_report
from neurolab.report.__main__ import main
from neurolab.results.axes import Axis, Column
from neurolab.results.batches import write_json
from neurolab.results.plan import Plan


def test_a_sweep_has_its_keys_values_and_spikes(outputs):
    """Keys with units and values, a value for each point, and the points' spikes in a window."""
    page = outputs / SWEEP / "report.html"
    sweep, data = neurolab.open_sweep(outputs / SWEEP), data_of(page)
    assert [(k["name"], k["unit"], len(k["values"])) for k in data["keys"]] == [
        ("input.rate", "Hz", 6), ("neuron.tau", "ms", 7), ("seed", "", 2),
    ]  # fmt: skip
    assert data["values"][0]["name"] == "rate_hz"
    np.testing.assert_allclose(array_of(page, "value0"), sweep.table["rate_hz"], rtol=1e-5)
    for number, key in enumerate(data["keys"]):
        places = array_of(page, f"place{number}")
        at = places[np.arange(len(sweep)) // key["stride"] % len(places)]
        np.testing.assert_allclose(np.array(key["values"])[at], sweep.table[key["name"]])
    assert data["spikes"]["whole"]
    assert data["spikes"]["window_ms"] == 300


def test_the_spikes_of_a_point_are_its_own(outputs, monkeypatch):
    """Also where the window and the neurons are cut."""
    from neurolab.report import sweep_spikes

    sweep = neurolab.open_sweep(outputs / SWEEP)
    monkeypatch.setattr(sweep_spikes, "_MOST", 5000)
    monkeypatch.setattr(sweep_spikes, "_MOST_NEURONS", 7)
    monkeypatch.setattr(sweep_spikes, "_FEWEST", 5)
    arrays = {}
    found = sweep_spikes.spikes_of(sweep.rows, arrays)
    assert 0 < found["window_ms"] < 300
    begins = [0, *arrays["spike_end"][:-1]]
    for point in (0, 40, 83):
        mine = slice(begins[point], arrays["spike_end"][point])
        spikes = sweep[point].spikes
        keep = (spikes["time"] <= found["window_ms"] + 1e-9) & (spikes["neuron"] < 7)
        time = arrays["spike_time"][mine] * found["window_ms"] / 65535
        np.testing.assert_allclose(np.sort(time), np.sort(spikes["time"][keep]), atol=0.01)
        assert np.bincount(arrays["spike_neuron"][mine], minlength=7).tolist() == (
            np.bincount(spikes["neuron"][keep], minlength=7).tolist()
        )
    monkeypatch.setattr(sweep_spikes, "_FEWEST", 1000)
    assert "too many" in sweep_spikes.spikes_of(sweep.rows, {})["why"]


def test_points_that_went_wrong_are_told(outputs):
    """Their statuses and reasons; one value of the others is not lost."""
    page = outputs / "mishaps" / "report.html"
    data = data_of(page)
    statuses = [data["statuses"][i] for i in array_of(page, "status")]
    assert statuses == ["completed", "diverged", "refused", "refused"]
    assert "became " in data["messages"]["1"]
    assert "neuron.V_reset" in data["messages"]["2"]
    assert array_of(page, "value0")[0] == 0.0
    assert np.isnan(array_of(page, "value0")[2])


def test_a_large_sweep_is_a_small_page(tmp_path):
    """1000 points with many spikes each stay below 5 MB; 10,000 say that they are too many."""
    sizes = {}
    for n in (1000, 10_000):
        folder = tmp_path / str(n) / "outputs" / "sweep"
        batch = folder / "batches" / "000000"
        batch.mkdir(parents=True)
        keys = {"neuron.b": np.linspace(0, 50, n // 20), "input.rate": np.arange(20.0)}
        axes = tuple(
            Axis(key, {key: Column(values, "Hz")}, kinds=np.zeros(len(values), int))
            for key, values in keys.items()
        )
        plan = Plan((*keys,), {}, axes, [{}], np.zeros((1, 1), int), title="AdExIFRef")
        write_json(folder / "definition.json", plan.to_json())
        count = 2_000_000
        lengths = {"spike_step": count, "spike_neuron": count, "spike_end": 1}
        write_json(batch / "commit.json", {"steps": 10_000, "lengths": lengths, "extra": {"rows": [
            {"point": i, "status": "completed", "message": "", "rate_hz": i / 3,
             "rate_hz_std": i / 9, "isi_cv": i / n, "spike_count": 2000, "duration_ms": 1000.0,
             "n_steps": 10_000, "seed": 0}
            for i in range(n)]}})  # fmt: skip
        import zarr

        group = zarr.create_group(batch / "results.zarr", attributes={
            "n_neurons": 100, "dt_ms": 0.1, "record_spikes": True, "traces": {}})  # fmt: skip
        rng = np.random.default_rng(0)
        for name, values in {
            "spike_step": np.sort(rng.integers(0, 10_000, (1000, count // 1000)), axis=1).ravel(),
            "spike_neuron": rng.integers(0, 100, count).astype(np.int32),
            "spike_end": (np.arange(1, n + 1) * (count // n))[None],
        }.items():
            group.create_array(name, data=values)
        page = write_report(folder)
        sizes[n], spikes = page.stat().st_size, data_of(page)["spikes"]
        assert ("too many" in spikes["why"]) if n == 10_000 else spikes["window_ms"] == 400
    assert 1.5e6 < sizes[1000] < 5e6
    assert sizes[10_000] < 5e6


def test_the_index_lists_what_there_is(outputs):
    """Runs, sweeps and what a killed run left, newest first; nothing inside a sweep."""
    data = data_of(outputs / "index.html")
    entries = {entry["path"]: entry for entry in data["entries"]}
    assert entries.keys() == {RUN, OTHER, SWEEP, "mishaps", "killed"}
    assert entries[RUN]["date"] == "2026-11-20 12:00:00"
    assert entries["killed"]["status"] == "running or killed"
    assert entries[RUN]["name"] == "AdExIFRef, Poisson"
    assert entries[RUN]["picture"] == "raster.png"
    assert entries[SWEEP]["points"] == entries[SWEEP]["completed"] == 84
    dates = [entry["date"] for entry in data["entries"]]
    assert dates == sorted(dates, reverse=True)
    config = {data["texts"][key]: data["texts"][value] for key, value in entries[OTHER]["config"]}
    assert config["neuron.tau"] == "12ms"


def test_the_command_writes_what_is_missing(outputs, tmp_path, capsys):
    """A run or sweep anew; below a folder the pages that are not there; wrong folders: 2."""
    there = tmp_path / "outputs"
    run = copied(outputs, RUN, there / "deep" / "a", ".hydra/config.yaml", "summary.json")
    assert main([str(there)]) == 0
    assert (run / "report.html").exists()
    assert "index.html" in capsys.readouterr().out
    before = (run / "report.html").stat().st_mtime_ns
    assert main([str(there)]) == 0
    assert (run / "report.html").stat().st_mtime_ns == before
    assert main([str(run), "--standalone"]) == 0
    assert (run / "report.html").stat().st_size > 3e6
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for wrong, told in (
        ("nowhere", "no folder"),
        ("empty", "no runs or sweeps"),
        ("file", "a file"),
    ):
        assert main([str(tmp_path / wrong)]) == 2
        assert told in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match="no run"):
        write_report(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        write_index(tmp_path / "empty")


def test_one_damaged_run_does_not_stop_the_others(outputs, tmp_path, caplog):
    good = copied(outputs, RUN, tmp_path / "good", ".hydra/config.yaml", "summary.json")
    bad = tmp_path / "bad" / "results.zarr"
    bad.mkdir(parents=True)
    (bad / "zarr.json").write_text("{")
    assert main([str(tmp_path)]) == 0
    assert f"{bad}/zarr.json is damaged" in caplog.text
    assert (good / "report.html").exists()
    assert len(data_of(tmp_path / "index.html")["entries"]) == 2
