"""Pages of runs, sweeps and many of both: what is in them, whatever became of the results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pages import HOSTILE, SHORT, data_of

import neurolab
from neurolab.problems import ConfigError
from neurolab.report import write_index, write_report
from neurolab.report.__main__ import main
from neurolab.report.page import bundle
from neurolab.sweep.store import write_json

RUN, OTHER = "2026-11-20/12-00-00-run", "2026-11-20/12-30-00-other"
SWEEP = "2026-11-20/13-00-00-sweep"
EXTERNAL = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""")


def rows(page):
    groups = data_of(page)["configuration"]["groups"]
    return {row["key"]: row for group in groups for row in group["rows"]}


def copied(outputs, name, folder, *files):
    """Some files of a result, in a folder of its own."""
    for file in files:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((outputs / name / file).read_bytes())
    return folder


def test_a_page_is_in_every_folder_and_the_library_there_once(outputs):
    """Each page links to one copy of the library, by a relative path, and to nothing outside."""
    pages = sorted(outputs.rglob("*.html"))
    assert [page.parent.relative_to(outputs).as_posix() for page in pages] == [
        RUN, OTHER, SWEEP, ".", "killed", "mishaps",
    ]  # fmt: skip
    (library,) = outputs.rglob("*.min.js")
    assert library.parent == outputs / "assets"
    for page in pages:
        text = page.read_text()
        sources = re.findall(r'<script src="([^"]+)"', text)
        assert [(page.parent / source).resolve() for source in sources] == (
            [] if page.name == "index.html" else [library.resolve()]
        )
        assert not EXTERNAL.search(text)
        assert str(outputs) not in text
    assert not list(outputs.rglob(".*report.html*"))


def test_a_standalone_page_needs_no_other_file(outputs, tmp_path):
    """The library is inside it, once; a page without is small."""
    files = [path.relative_to(outputs / OTHER) for path in (outputs / OTHER).rglob("*")]
    folder = copied(
        outputs, OTHER, tmp_path / "run", *(f for f in files if (outputs / OTHER / f).is_file())
    )
    text = write_report(folder, standalone=True).read_text()
    assert "<script src" not in text
    assert text.count("plotly.js v") == 1
    assert text.count("</script>") == text.count("<script")
    assert len(text) > 3e6 > 1e6 > (outputs / OTHER / "report.html").stat().st_size
    assert not (tmp_path / "assets").exists()


def test_the_configuration_of_a_run_asks_for_a_standalone_page(tmp_path):
    """report.standalone=true; it is no part of what the results depend on."""
    run = neurolab.run([*SHORT, "report.standalone=true", "record=summary"], tmp_path / "run")
    assert "plotly.js v" in (tmp_path / "run" / "report.html").read_text()
    plain = neurolab.run([*SHORT, "record=summary"], tmp_path / "plain")
    assert run.summary["config_hash"] == plain.summary["config_hash"]


@pytest.mark.parametrize(
    ("override", "told"),
    [("report.standalone=1", "true or false"), ("+report.standalon=true", "report.standalone"),
     ("report=no", "report")],
)  # fmt: skip
def test_wrong_settings_of_pages_are_refused(override, told):
    with pytest.raises(ConfigError, match="report") as refused:
        neurolab.run([*SHORT, override])
    assert told.split(".")[-1] in str(refused.value)


def test_user_text_ends_no_script(outputs):
    """What was typed is data: it is found whole in it, and nowhere else in the page."""
    page = outputs / "killed" / "report.html"
    assert HOSTILE not in page.read_text()
    assert f"neuron.name={HOSTILE}" in data_of(page)["overrides"]
    entries = data_of(outputs / "index.html")["entries"]
    assert any(f"neuron.name={HOSTILE}" in entry["overrides"] for entry in entries)
    assert HOSTILE not in (outputs / "index.html").read_text()


def test_what_differs_from_the_defaults_is_marked(outputs):
    """Typed values with their defaults, options with the usual ones; nothing else."""
    page = outputs / RUN / "report.html"
    found = rows(page)
    differs = {key: row["default"] for key, row in found.items() if row.get("differs")}
    assert {"size": "100", "duration": "1 s", "neuron.b": "1 mA"}.items() <= differs.items()
    assert differs.keys() <= {"size", "duration", "neuron.b", "device.cache_dir"}
    assert found["neuron.b"]["value"] == "5mA"
    options = {
        g["name"]: (g.get("option"), g.get("default"))
        for g in data_of(page)["configuration"]["groups"]
    }
    assert options["neuron"] == ("adexif_ref", "lif")
    assert options["record"] == ("full", "spikes")
    assert options["input"] == ("poisson", None)


@pytest.mark.parametrize("saved", [True, False])
def test_values_of_an_experiment_differ_from_the_defaults(tmp_path, saved):
    """The experiment is left out of what is compared with; with Hydra's own record and without."""
    from omegaconf import OmegaConf

    from neurolab.compose import compose_config, effective

    typed = ["experiment=adex_benchmark", "size=7", "synapse/output=conductance"]
    config = compose_config(typed)
    (tmp_path / ".hydra").mkdir()
    OmegaConf.save(OmegaConf.create(effective(config, typed)), tmp_path / ".hydra" / "config.yaml")
    OmegaConf.save(OmegaConf.create(typed), tmp_path / ".hydra" / "overrides.yaml")
    if saved:
        about = {"hydra": {"runtime": {"choices": dict(config.hydra.runtime.choices)}}}
        OmegaConf.save(OmegaConf.create(about), tmp_path / ".hydra" / "hydra.yaml")
    page = write_report(tmp_path)
    differs = {key: row["default"] for key, row in rows(page).items() if row.get("differs")}
    assert differs == {
        "size": "100", "neuron.a": "1 siemens", "neuron.b": "1 mA", "synapse.tau": "8 ms",
        "input.weight": "0.5 rheobase*ms",
    }  # fmt: skip
    groups = {g["name"]: g.get("option") for g in data_of(page)["configuration"]["groups"]}
    assert groups["synapse"] == "expon, output: conductance"


def test_options_that_are_gone_leave_what_was_typed_marked(tmp_path):
    """A user's option from another folder cannot be composed; the page says so."""
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("neuron:\n  tau: 3 ms\n  R: 1 ohm\nsize: 5\n")
    (tmp_path / ".hydra" / "overrides.yaml").write_text("- neuron=mine\n- neuron.tau=3ms\n")
    choices = "hydra:\n  runtime:\n    choices:\n      neuron: mine\n"
    (tmp_path / ".hydra" / "hydra.yaml").write_text(choices)
    page = write_report(tmp_path)
    assert data_of(page)["configuration"]["compared"] == "overrides"
    assert {k for k, row in rows(page).items() if row["differs"]} == {"neuron.tau"}


def test_the_arrays_are_those_of_the_run(outputs):
    """Spikes, rate and traces come out of the page as they went in."""
    import base64

    run = neurolab.open_run(outputs / RUN)
    text = (outputs / RUN / "report.html").read_text()
    kinds = {"uint8": "u1", "uint16": "<u2", "uint32": "<u4", "float32": "<f4"}
    arrays = {
        name: np.frombuffer(base64.b64decode(content), kinds[kind])
        for name, kind, content in re.findall(
            r'data-name="([^"]+)" data-type="(\w+)">([^<]*)<', text
        )
    }
    np.testing.assert_allclose((arrays["spike_step"] + 1) * 0.1, run.spikes["time"])
    np.testing.assert_array_equal(arrays["spike_neuron"], run.spikes["neuron"])
    np.testing.assert_allclose(arrays["rate"], run.rate, rtol=1e-6)
    results = data_of(outputs / RUN / "report.html")["results"]
    assert {p["name"]: p["unit"] for p in results["traces"]}.items() >= {
        "V": "mV",
        "w": "mA",
    }.items()
    line = results["traces"][0]["lines"][1]
    trace = run.traces[results["traces"][0]["name"]].sel(neuron=line["neuron"])
    np.testing.assert_allclose(arrays[line["array"]], trace, rtol=1e-6)
    assert sum(results["isi"]["counts"]) + results["isi"]["beyond"] == results["isi"]["total"]


@pytest.mark.parametrize(
    "files",
    [(".hydra/config.yaml",), (".hydra/config.yaml", ".hydra/overrides.yaml", "summary.json"),
     ("summary.json",), ("results.zarr/zarr.json", "commit.json"), ("results.zarr/zarr.json",)],
)  # fmt: skip
def test_whatever_is_left_of_a_run_gives_a_page(outputs, tmp_path, files):
    """Killed at once, before its summary, before its first commit; or half deleted."""
    folder = copied(outputs, RUN, tmp_path / "run", *files)
    if "commit.json" in files:  # its arrays are in other files
        commit = json.loads((folder / "commit.json").read_text()) | {"steps": 0, "lengths": {}}
        (folder / "commit.json").write_text(json.dumps(commit))
    data = data_of(write_report(folder))
    assert data["status"] == ("completed" if "summary.json" in files else "running or killed")
    assert "results" not in data


@pytest.mark.parametrize(
    ("overrides", "status", "has"),
    [
        (["neuron=lif", "input=none"], "completed", ["spikes", "rate"]),
        (["neuron=lif", "record=summary"], "completed", ["rate"]),
        (["record=summary", "record.rate_bin=null"], "completed", []),
        (["neuron=adexif", "neuron.spk_reset=soft", "integrator=euler", "input=constant",
          "input.amplitude=100rheobase", "dt=0.5ms"], "diverged", ["spikes"]),
    ],
)  # fmt: skip
def test_runs_with_little_to_show_have_a_page(tmp_path, overrides, status, has):
    """No spikes, no records, a divergence: the page says what there is, and why not more."""
    neurolab.run([*SHORT, *overrides], tmp_path / "run")
    data = data_of(tmp_path / "run" / "report.html")
    assert data["status"] == status
    results = data["results"]
    assert [name for name in ("spikes", "rate") if results[name]][: len(has) or 9] == has
    assert bool(data["message"]) == bool(data["log"]) == (status != "completed")


def test_a_run_that_fails_has_a_page_with_its_log(tmp_path, monkeypatch):
    """The traceback is the end of the log."""
    from neurolab.program import Program

    def fail(*_):
        raise RuntimeError(HOSTILE)

    monkeypatch.setattr(Program, "advance", fail)
    with pytest.raises(RuntimeError):
        neurolab.run(SHORT, tmp_path / "run")
    page = tmp_path / "run" / "report.html"
    data = data_of(page)
    assert data["status"] == "failed"
    assert HOSTILE in data["message"]
    assert "Traceback" in data["log"]
    assert HOSTILE not in page.read_text()


def test_a_page_that_fails_does_not_fail_the_run(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("neurolab.report.write_report", fail)
    run = neurolab.run([*SHORT, "record=summary"], tmp_path / "run")
    assert run.summary["status"] == "completed"
    assert "the page could not be written" in (tmp_path / "run" / "neurolab.log").read_text()


def test_a_sweep_has_its_keys_values_and_spikes(outputs):
    """Keys with units and values, a value for each point, and the points' spikes in a window."""
    sweep, data = neurolab.open_sweep(outputs / SWEEP), data_of(outputs / SWEEP / "report.html")
    assert [(k["name"], k["unit"], len(k["values"])) for k in data["keys"]] == [
        ("input.rate", "Hz", 6), ("neuron.tau", "ms", 7), ("seed", "", 2),
    ]  # fmt: skip
    values = {v["name"]: v["of"] for v in data["values"]}
    np.testing.assert_allclose(values["rate_hz"], sweep.table["rate_hz"], rtol=1e-5)
    for key in data["keys"]:
        np.testing.assert_allclose(np.array(key["values"])[key["of"]], sweep.table[key["name"]])
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
    data = data_of(outputs / "mishaps" / "report.html")
    statuses = [data["statuses"][i] for i in data["status_of"]]
    assert statuses == ["completed", "diverged", "refused", "refused"]
    assert "became inf" in data["messages"]["1"]
    assert "neuron.V_reset" in data["messages"]["2"]
    assert data["values"][0]["of"][0] == 0.0
    assert data["values"][0]["of"][2] is None


def test_a_large_sweep_is_a_small_page(tmp_path):
    """1000 points with many spikes each stay below 5 MB; 10,000 say that they are too many."""
    sizes = {}
    for n in (1000, 10_000):
        folder = tmp_path / str(n) / "outputs" / "sweep"
        batch = folder / "batches" / "000000"
        batch.mkdir(parents=True)
        keys = {"neuron.b": np.linspace(0, 50, n // 20).tolist(), "input.rate": list(range(20))}
        axes = [{"name": k, "keys": [k], "size": len(v), "values": {k: v}, "units": {k: "Hz"}}
                for k, v in keys.items()]  # fmt: skip
        points = [
            {"overrides": ["neuron=adexif_ref", f"neuron.b={i / 7}mA", f"input.rate={i % 20}Hz"],
             "template": 0, "changes": {}, "refused": ""} for i in range(n)
        ]  # fmt: skip
        definition = {"format": "neurolab sweep 1", "title": "AdExIFRef", "axes": axes,
                      "templates": [{}], "points": points}  # fmt: skip
        write_json(folder / "definition.json", definition)
        write_json(batch / "commit.json", {"rows": [
            {"point": i, "status": "completed", "message": "", "rate_hz": i / 3,
             "rate_hz_std": i / 9, "isi_cv": i / n, "spike_count": 2000, "duration_ms": 1000.0,
             "n_steps": 10_000, "seed": 0}
            for i in range(n)]})  # fmt: skip
        import zarr

        group = zarr.create_group(batch / "results.zarr", attributes={
            "n_neurons": 100, "dt_ms": 0.1, "record_spikes": True, "traces": {}})  # fmt: skip
        rng = np.random.default_rng(0)
        count = 2_000_000
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


def test_one_damaged_run_does_not_stop_the_others(outputs, tmp_path, capsys):
    good = copied(outputs, RUN, tmp_path / "good", ".hydra/config.yaml", "summary.json")
    bad = tmp_path / "bad" / "results.zarr"
    bad.mkdir(parents=True)
    (bad / "zarr.json").write_text("{")
    assert main([str(tmp_path)]) == 1
    assert "bad" in capsys.readouterr().err
    assert (good / "report.html").exists()
    assert len(data_of(tmp_path / "index.html")["entries"]) == 2


def test_the_library_is_copied_whole_by_many_at_once(tmp_path):
    """Where outputs is, else the parent; processes do not disturb each other."""
    run = tmp_path / "outputs" / "day" / "run"
    run.mkdir(parents=True)
    code = "import sys, pathlib; from neurolab.report.page import bundle; "
    code += "bundle(pathlib.Path(sys.argv[1]))"
    processes = [subprocess.Popen([sys.executable, "-c", code, run]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    (library,) = (tmp_path / "outputs" / "assets").iterdir()
    assert library == bundle(run)
    assert library.stat().st_size > 3e6
    assert library.stat().st_mode & 0o444 == 0o444 & ~_umask()
    (tmp_path / "elsewhere" / "run").mkdir(parents=True)
    assert bundle(tmp_path / "elsewhere" / "run").parent == tmp_path / "elsewhere" / "assets"


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_pages_are_written_without_jax_and_plotly(outputs, tmp_path):
    """Neither is imported for a page."""
    code = (
        "import sys; from neurolab.report import write_index, write_report; "
        f"write_report({str(outputs / RUN)!r}); write_report({str(outputs / SWEEP)!r}); "
        f"write_index({str(outputs)!r}); "
        "print([m for m in ('jax', 'plotly', 'matplotlib') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_assets_are_in_the_package():
    """Whatever a page is made of is beside it."""
    from neurolab.report import index_page, page, run_page, sweep_page

    folder = Path(page.__file__).parent / "assets"
    for module in (index_page, run_page, sweep_page):
        for name in (*module._STYLES, *module._SCRIPTS):
            lines = (folder / name).read_text().splitlines()
            assert 0 < len(lines) <= 250
            assert "://" not in "".join(lines)
