"""Pages of runs: what is in them, whatever became of the run; and what all pages are made of."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pages import HOSTILE, OTHER, RUN, SHORT, SWEEP, copied, data_of

import neurolab
from neurolab.problems import ConfigError
from neurolab.report import write_report
from neurolab.report.folders import ended
from neurolab.report.page import bundle
from neurolab.results.lease import Lease

EXTERNAL = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""")


def rows(page):
    groups = data_of(page)["configuration"]["groups"]
    return {row["key"]: row for group in groups for row in group["rows"]}


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


def test_values_of_an_experiment_differ_from_the_defaults(tmp_path):
    """The experiment is left out of what is compared with."""
    from neurolab.cli.compose import compose_config, effective
    from neurolab.cli.record import save_config, save_defaults

    typed = ["experiment=adex_benchmark", "size=7", "synapse/output=conductance"]
    config = compose_config(typed)
    save_config(effective(config, typed), typed, tmp_path, config.hydra.output_subdir)
    save_defaults(tmp_path, config.hydra)
    page = write_report(tmp_path)
    differs = {key: row["default"] for key, row in rows(page).items() if row.get("differs")}
    assert differs == {
        "size": "100", "neuron.a": "1 siemens", "neuron.b": "1 mA", "neuron.holds": "V",
        "synapse.tau": "8 ms", "input.weight": "0.5 rheobase*ms",
    }  # fmt: skip
    groups = {g["name"]: g.get("option") for g in data_of(page)["configuration"]["groups"]}
    assert groups["synapse"] == "expon, output: conductance"


ALONE = [["neuron=gif", "input=step"], ["neuron=lif", "+input@inputs.noise=ou"]]


@pytest.mark.parametrize(
    "typed",
    [
        *ALONE,
        ["neuron=lif", "neuron.tau=7ms"],
        ["network=coba_ei", "duration=1s"],
        ["experiment=adex_benchmark"],
    ],
    ids=" ".join,
)
def test_options_alone_are_their_own_defaults(typed):
    """They are not composed once more, which is the same."""
    from neurolab.cli.compose import compose_config, effective
    from neurolab.cli.record import defaults_of

    config = compose_config(typed)
    plain = effective(config, typed)
    found = defaults_of(config.hydra, plain)
    assert found == defaults_of(config.hydra)
    assert (found["config"] == plain) == (typed in ALONE)


def test_values_of_a_network_differ_from_those_of_its_options(tmp_path):
    """Which a network chooses for its parts: none of their pages knew what differs."""
    typed = [
        "network=feedforward",
        "synapse@populations.readout.receptors.current=alpha",
        "populations.hidden_1.neuron.tau=20 ms",
    ]
    typed += ["+input@populations.readout.inputs.noise=ou", "duration=50ms"]
    neurolab.run(typed, tmp_path / "run")
    page = tmp_path / "run" / "report.html"
    assert data_of(page)["configuration"]["compared"] == "defaults"
    differs = {key: row["default"] for key, row in rows(page).items() if row.get("differs")}
    assert differs == {"duration": "1 s", "populations.hidden_1.neuron.tau": "10 ms"}


def test_a_folder_that_does_not_know_its_defaults_has_what_was_typed_marked(tmp_path):
    """A run that was killed, or made before there were any; the page says so."""
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("neuron:\n  tau: 3 ms\n  R: 1 ohm\nsize: 5\n")
    (tmp_path / ".hydra" / "overrides.yaml").write_text("- neuron=mine\n- neuron.tau=3ms\n")
    page = write_report(tmp_path)
    assert data_of(page)["configuration"]["compared"] == "overrides"
    assert {k for k, row in rows(page).items() if row["differs"]} == {"neuron.tau"}


def test_the_arrays_are_those_of_the_run(outputs):
    """Spikes, rate and traces come out of the page as they went in."""
    import base64

    run = neurolab.open_run(outputs / RUN)
    text = (outputs / RUN / "report.html").read_text()
    kinds = {"uint16": "<u2", "uint32": "<u4", "float32": "<f4", "float64": "<f8"}
    arrays = {
        name: np.frombuffer(base64.b64decode(content), kinds[kind])
        for name, kind, content in re.findall(
            r'data-name="([^"]+)" data-type="(\w+)">([^<]*)<', text
        )
    }
    np.testing.assert_allclose((arrays["spike_step"] + 1) * 0.1, run.spikes["time"])
    np.testing.assert_array_equal(arrays["spike_neuron"], run.spikes["neuron"])
    counted = np.histogram(run.spikes["time"], arrays["rate_edge"] + 0.05)[0]
    per_bin = run.n_neurons * np.diff(arrays["rate_edge"]) * 1e-3
    np.testing.assert_allclose(arrays["rate"] * per_bin, counted, atol=1e-3)
    results = data_of(outputs / RUN / "report.html")["results"]
    assert {p["name"]: p["unit"] for p in results["traces"]}.items() >= {
        "V": "mV",
        "w": "mA",
    }.items()
    line = results["traces"][0]["lines"][1]
    trace = run.traces[results["traces"][0]["name"]].sel(neuron=line["neuron"])
    np.testing.assert_allclose(arrays[line["array"]], trace, rtol=1e-6)
    isi = results["isi"]
    (one,) = isi["parts"]
    assert sum(one["counts"]) + isi["beyond"] == one["total"]
    assert isi["first_ms"] == pytest.approx(0.05)  # bins of whole steps, from half a step on
    assert isi["bin_ms"] / 0.1 == pytest.approx(round(isi["bin_ms"] / 0.1))
    assert one["cv_mean"] == run.summary["isi_cv_mean"] != one["cv"]


def test_a_run_that_diverged_has_no_rate(tmp_path):
    """Neither in its summary, under this name, nor on its page, in its title or in the index."""
    from neurolab.report import write_index

    bad = ["neuron=lif", "integrator=euler", "input=constant", "neuron.tau=0.02ms"]
    run = neurolab.run([*SHORT, *bad], tmp_path / "outputs" / "run")
    assert run.summary["status"] == "diverged"
    assert run.summary["rate_hz_mean"] is run.summary["rate_hz_std"] is None
    assert run.summary["rate_hz_so_far"] > 0 and run.summary["isi_cv_mean"] is None
    data = data_of(tmp_path / "outputs" / "run" / "report.html")
    assert data["title"] == "LIF, Constant, N = 20, diverged"
    assert not {"rate", "ISI CV"} & {tile["label"] for tile in data["tiles"]}
    assert data_of(write_index(tmp_path / "outputs"))["entries"][0]["rate"] is None


def test_the_speed_is_of_the_whole_time(outputs):
    """What was computed over the seconds that it took, both of which stand beside it."""
    run = neurolab.open_run(outputs / RUN)
    tiles = {tile["label"]: tile for tile in data_of(outputs / RUN / "report.html")["tiles"]}
    number, unit = tiles["speed"]["value"].replace(",", ""), tiles["speed"]["unit"]
    factor = {"": 1, "k ": 1e3, "M ": 1e6, "G ": 1e9}[unit.removesuffix("updates/s")]
    wall = run.summary["wall_s"]
    assert float(number) * factor == pytest.approx(20 * 3000 / wall, rel=0.01)
    sweep = neurolab.open_sweep(outputs / SWEEP).summary
    assert sweep["points_per_s"] == pytest.approx(84 / sweep["wall_s"])


@pytest.mark.parametrize(
    ("said", "goes", "status", "message"),
    [
        ({"status": "running", "simulated_ms": 30.0, "duration_ms": 120.0, "eta_s": 90.0}, True,
         "running", "25% done at .*, 1 min 30 s left"),
        ({"status": "running", "simulated_ms": 30.0, "duration_ms": 120.0, "eta_s": 90.0}, False,
         "killed", "25% done at [^,]*"),
        ({"status": "compiling", "points_done": 2, "points": 4}, False,
         "killed", "50% done at [^,]*"),
    ],
)  # fmt: skip
def test_a_run_without_a_summary_is_what_its_status_says(tmp_path, said, goes, status, message):
    """It goes on if a living process has its folder."""
    updated = datetime.now(UTC).isoformat(timespec="seconds")
    with Lease(tmp_path) as lease:
        when = {"updated": updated, "elapsed_s": 3.1}
        said = {**said, **when, "writer": lease.token if goes else "another"}
        (tmp_path / "status.json").write_text(json.dumps(said))
        found = ended(tmp_path, {})
    assert found[0] == status
    assert re.fullmatch(message, found[1])
    assert ended(tmp_path, {"status": "completed"}) == ("completed", "")


@pytest.mark.parametrize(
    "files",
    [(".hydra/config.yaml",), (".hydra/config.yaml", ".hydra/overrides.yaml", "summary.json"),
     ("summary.json",), ("results.zarr/zarr.json", "commit.json"), ("results.zarr/zarr.json",)],
)  # fmt: skip
def test_whatever_is_left_of_a_run_gives_a_page(outputs, tmp_path, files):
    """Killed at once, before its summary, before its first commit; or half deleted."""
    folder = copied(outputs, RUN, tmp_path / "run", *files)
    if "commit.json" in files:  # its arrays are in other files
        (folder / "commit.json").write_text('{"steps": 0, "lengths": {}}')
    data = data_of(write_report(folder))
    assert data["status"] == ("completed" if "summary.json" in files else "running or killed")
    assert "results" not in data


@pytest.mark.parametrize(
    ("overrides", "status", "has"),
    [
        (["neuron=lif", "input=none"], "completed", ["spikes", "rate"]),
        (["neuron=lif", "record=summary"], "completed", ["rate"]),
        (["record=summary", "record.rate_bin=null"], "completed", []),
        (["neuron=lif", "neuron.tau=0.02ms", "integrator=euler", "input=constant"], "diverged",
         ["spikes"]),
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
    from neurolab.engine.program import Program

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
    """Neither is imported for a page, nor what is slow to import: the statistics of a run are those
    of panels, which Matplotlib has."""
    code = (
        "import sys; from neurolab.report import write_index, write_report; "
        f"write_report({str(outputs / SWEEP)!r}); write_index({str(outputs)!r}); "
        "found = [m for m in ('jax', 'plotly', 'matplotlib') if m in sys.modules]; "
        f"write_report({str(outputs / RUN)!r}); "
        "slow = ('jax', 'plotly', 'scipy.signal', 'matplotlib.pyplot'); "
        "print(found + [m for m in slow if m in sys.modules])"
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
