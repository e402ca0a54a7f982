"""What is in W&B's own files, read back by ``wandb leet inspect``: offline runs, no server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml
from nights import by_night
from sweeps import KEEP, SHORT
from wandb_files import inspect, logs

import neurolab
from neurolab.config.experiment import read_experiment
from neurolab.problems import ConfigError
from neurolab.trackers import Tracked
from neurolab.trackers.wandb import WandbTracker

WANDB = ("tracker=wandb", "tracker.project=tests")
ROOT = Path(neurolab.__file__).parent.parent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wandb") / "run"
    more = ("neuron.tau=0.01s", "tracker.tags=[pilot,figure2]", "tracker.notes=of a test")
    return neurolab.run([*SHORT, *WANDB, *more, "tracker.job_type=pilot"], folder)


@pytest.fixture(scope="module")
def records(run):
    (log,) = logs(run.path)
    return inspect(log)


@pytest.fixture(scope="module")
def state(run):
    (log,) = logs(run.path)
    return inspect(log, "--summary")


def test_a_run_is_what_the_configuration_says(records, state):
    begun = next(record["run"] for record in records if record["type"] == "run")
    assert state["project"] == "tests"
    assert state["tags"] == ["pilot", "figure2"]
    assert state["notes"] == "of a test"
    assert begun["job_type"] == "pilot"
    assert "neuron.tau=0.01s" in state["name"]
    assert (state["state"], state["exit_code"]) == ("finished", 0)


def test_the_configuration_has_numbers_in_declared_units_and_those_beside(state):
    config = state["config"]
    assert config["neuron"]["tau"] == 10
    assert config["units"]["neuron"]["tau"] == "ms"
    assert config["units"]["input"]["rate"] == "Hz"
    assert config["size"] == 10
    assert "neuron.tau=0.01s" in config["overrides"]
    assert {"neurolab", "jax", "python"} <= set(config["environment"]["versions"]) | {"neurolab"}
    assert "git_revision" in config["environment"]


def test_metrics_are_over_simulated_time_with_steps_of_their_own(run, records):
    defined = [record["metric"] for record in records if record["type"] == "metric"]
    assert {"glob_name": "*", "step_metric": "time_ms"}.items() <= defined[-1].items()
    rows = [r["history"]["item"] for r in records if r["type"] == "history"]
    rows = [row for row in rows if "rate_hz" in row]
    assert [row["_step"] for row in rows] == list(range(10, 1001, 10))
    np.testing.assert_allclose([row["time_ms"] for row in rows], np.arange(1, 101), rtol=1e-6)
    assert rows[-1]["spikes"] == run.summary["spike_count"]
    rates = [row["rate_hz"] for row in rows]
    assert np.mean(rates) == pytest.approx(run.summary["rate_hz_mean"], rel=1e-5)
    assert all(0 <= row["V_mean_mV"] < 1 for row in rows)


def test_the_summary_is_the_run_s(run, state):
    for name, value in run.summary.items():
        if name not in ("versions", "sessions"):  # which are nested
            assert state["summary"][name] == (pytest.approx(value) if value else value), name
    assert state["summary"]["versions"] == run.summary["versions"]


def test_the_pictures_are_there_byte_for_byte(run, state):
    (log,) = logs(run.path)
    for name in ("raster", "traces", "rate"):
        shown = state["summary"][f"plots/{name}"]
        assert shown["_type"] == "image-file"
        image = log.parent / "files" / shown["path"]
        assert image.read_bytes() == (run.path / f"{name}.png").read_bytes()


def test_the_results_are_an_artifact_staged_in_the_run_folder(run, records):
    """And not copied: they change no more."""
    artifacts = [r["artifact"] for r in records if r["type"] == "artifact"]
    found = next(artifact for artifact in artifacts if artifact["type"] == "results")
    manifest = found["manifest"]
    path = manifest.get("manifest_file_path")
    if path:
        assert Path(path).resolve().is_relative_to(run.path.resolve())
        names = {json.loads(line)["path"] for line in unpacked(path)}
    else:
        names = {entry["path"] for entry in manifest["contents"]}
    assert {"summary.json", "commit.json", "config.yaml", "results.zarr/zarr.json"} <= names
    copies = [p for p in (run.path / "wandb").rglob("*") if p.is_file() and "staging" in p.parts]
    assert not [p for p in copies if "zarr" in p.name]


def unpacked(path):
    import gzip

    data = Path(path).read_bytes()
    text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return [line for line in text.decode().splitlines() if line.strip()]


def test_a_diverged_run_has_failed_with_its_exit_code(tmp_path):
    given = ("neuron=lif", "neuron.tau=0.02ms")  # unstable: dt > 2 tau
    neurolab.run([*SHORT, *WANDB, *given, "integrator=euler"], tmp_path / "run")
    (log,) = logs(tmp_path / "run")
    state = inspect(log, "--summary")
    assert (state["state"], state["exit_code"]) == ("failed", 3)
    assert state["summary"]["status"] == "diverged"
    assert "became" in state["summary"]["message"]


def test_a_sweep_is_one_run_with_a_table_of_its_points(tmp_path):
    """A row for each, parameters with units in the headings, one that cannot be among them."""
    folder = tmp_path / "sweep"
    swept = ("neuron.tau=5ms,0.01s,15ms", "neuron.V_reset=-1mV,2mV")
    neurolab.run_sweep([*SHORT, *WANDB, *swept], folder)
    (log,) = logs(folder)
    state = inspect(log, "--summary")
    assert (state["state"], state["exit_code"]) == ("failed", 1)
    assert state["config"]["sweep"]["points"] == 6
    shown = state["summary"]["points"]
    table = json.loads((log.parent / "files" / shown["path"]).read_text())
    sweep = neurolab.open_sweep(folder)
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["neuron.tau (ms)"] for row in rows] == [5, 5, 10, 10, 15, 15]
    assert [row["neuron.V_reset (mV)"] for row in rows] == [-1, 2] * 3
    assert [row["status"] for row in rows] == ["completed", "refused"] * 3
    assert [row["rate_hz"] for row in rows[::2]] == sweep.table["rate_hz"][::2].tolist()
    assert {"rate_hz_std", "isi_cv", "spike_count", "message", "overrides", "seed"} <= set(rows[0])
    assert state["summary"]["plots/rate_hz"]["_type"] == "image-file"


def test_points_of_a_sweep_are_runs_of_a_group_if_asked_for(tmp_path):
    folder = tmp_path / "sweep"
    neurolab.run_sweep([*SHORT, *WANDB, "tracker.per_point=true", "neuron.tau=5ms,10ms"], folder)
    states = [inspect(log, "--summary") for log in logs(folder)]
    records = [inspect(log) for log in logs(folder)]
    groups = {r["run"]["run_group"] for one in records for r in one if r["type"] == "run"}
    assert groups == {"sweep"}
    assert sorted(state["name"] for state in states) == ["neuron.tau=10ms", "neuron.tau=5ms"]
    rates = neurolab.open_sweep(folder).table["rate_hz"].tolist()
    assert sorted(state["summary"]["rate_hz"] for state in states) == pytest.approx(sorted(rates))
    assert len({state["run_id"] for state in states}) == 2


@pytest.fixture
def silent_server():
    """A server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        taken = []

        def take():
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for connection in taken:
            connection.close()


@pytest.mark.parametrize("trouble", by_night(["no key", "refused", "silent"], ["refused"]))
def test_without_a_server_the_run_is_kept_offline(trouble, tmp_path, monkeypatch, silent_server):
    """One warning with the command that uploads it; the simulation is complete."""
    url = {"no key": "https://api.wandb.invalid", "refused": "http://127.0.0.1:9"}
    monkeypatch.setenv("WANDB_BASE_URL", url.get(trouble, silent_server))
    monkeypatch.setenv("WANDB_API_KEY", "" if trouble == "no key" else "a" * 40)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "run"
    given = ("tracker.mode=online", "tracker.init_timeout=1s", f"device.cache_dir={tmp_path}")
    run = neurolab.run([*SHORT[:2], KEEP, *WANDB, *given[:2]], folder)
    assert run.summary["status"] == "completed"
    text = (folder / "neurolab.log").read_text()
    warnings = [line for line in text.splitlines() if "WARNING" in line]
    (log,) = logs(folder)
    assert len(warnings) == 1
    assert f"`wandb sync {log.parent}`" in warnings[0]
    assert inspect(log, "--summary")["summary"]["spike_count"] == run.summary["spike_count"]


def test_a_key_that_is_missing_is_told(tmp_path, monkeypatch):
    """Where a server answers and there is no key: log in."""
    tracker = WandbTracker(mode="online")
    monkeypatch.setattr(tracker, "_unreachable", lambda url: "")
    monkeypatch.setattr("wandb.login", lambda prompt: False)
    monkeypatch.setattr("neurolab.trackers.wandb._GIVEN_UP", [])
    said = []
    monkeypatch.setattr("neurolab.trackers.wandb.log.warning", lambda *a: said.append(a[0] % a[1:]))
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path))
    tracker.start(Tracked("run", tmp_path, "a run", {}))
    tracker.finish(0, {"status": "completed"})
    assert len(said) == 1
    assert "no API key" in said[0]
    assert "wandb login" in said[0]


def test_a_disk_that_is_full_costs_what_is_tracked_and_nothing_else(tmp_path):
    """W&B writes to a file system of 16 KiB that is full; the run is complete."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("file systems cannot be mounted here")
    try:
        with (disk / "full").open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
            while True:
                file.write(b"x" * 4096)
        run = neurolab.run([*SHORT, *WANDB, f"tracker.dir={disk}"], tmp_path / "run")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
    assert run.summary["status"] == "completed"
    assert run.committed_steps == 1000
    text = (tmp_path / "run" / "neurolab.log").read_text()
    assert "No space left on device" in text
    assert text.count("WARNING") == 1


def test_a_folder_that_cannot_be_written_is_one_warning(tmp_path):
    (tmp_path / "file").write_text("")
    run = neurolab.run([*SHORT, *WANDB, f"tracker.dir={tmp_path / 'file'}"], tmp_path / "run")
    assert run.summary["status"] == "completed"
    assert (tmp_path / "run" / "neurolab.log").read_text().count("WARNING") == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("tracker.mode=onlin", "did you mean 'online'"),
        ("tracker.tags=pilot", "expected a list"),
        ("tracker.project=a/b", "without /"),
        ("tracker.per_point=maybe", "expected true or false"),
        ("tracker.init_timeout=20", "has no unit"),
        ("+tracker.entitty=me", "did you mean 'entity'"),
    ],
)
def test_mistakes_are_refused_before_anything_runs(given, said, tmp_path):
    with pytest.raises(ConfigError, match="nothing was run") as error:
        neurolab.run([*SHORT, *WANDB, given], tmp_path / "run")
    assert said in str(error.value)
    assert given.lstrip("+").partition("=")[0] in str(error.value)
    assert not (tmp_path / "run").exists()


def test_wandb_is_not_imported_where_the_simulation_is(tmp_path):
    """Neither without a tracker nor with it: it has a process of its own."""
    code = """
import sys, neurolab
for tracker in ("none", "wandb"):
    neurolab.run([*sys.argv[2:], f"tracker={tracker}"], sys.argv[1] + tracker)
    print("wandb" in sys.modules)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "run-"), *SHORT]
    out = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    assert out.stdout.split() == ["False", "False"]


def test_the_example_of_a_wandb_sweep_is_a_command_that_runs(tmp_path):
    """Expanded as W&B's agent does it; the run is the one that the agent named."""
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    sweep = yaml.safe_load((ROOT / "docs" / "wandb_sweep.yaml").read_text())
    given = {"input.rate": "18Hz", "+vars.b": 12.5}
    assert given.keys() == sweep["parameters"].keys()
    values = create_sweep_command_args({"args": {k: {"value": v} for k, v in given.items()}})
    values |= {"env": [], "interpreter": [sys.executable], "program": [sweep["program"]]}
    command = []
    for part in create_sweep_command(sweep["command"]):
        whole = part.startswith("${") and part.endswith("}")
        command += values[part[2:-1]] if whole else [part]
    command[command.index("tracker.mode=online")] = "tracker.mode=offline"  # there is no server
    command += [*SHORT, f"hydra.run.dir={tmp_path / 'run'}"]
    environment = {"WANDB_SWEEP_ID": "s1", "WANDB_RUN_ID": "chosen1", "WANDB_PROJECT": "neurolab"}
    subprocess.run(
        command, check=True, env={**os.environ, **environment}, cwd=tmp_path, capture_output=True
    )
    (log,) = logs(tmp_path / "run")
    state = inspect(log, "--summary")
    assert state["run_id"] == "chosen1"
    assert state["config"]["neuron"]["b"] == 12.5
    assert state["config"]["input"]["rate"] == 18
    assert sweep["metric"]["name"] in state["summary"]


def test_a_disabled_tracker_does_nothing(tmp_path):
    neurolab.run([*SHORT, *WANDB, "tracker.mode=disabled"], tmp_path / "run")
    assert not (tmp_path / "run" / "wandb").exists()


def test_the_environment_of_wandb_holds_where_nothing_is_typed(tmp_path, monkeypatch):
    """Its variables were passed over, as those of any script that uses W&B are not."""
    said = {
        "PROJECT": "thesis", "ENTITY": "lab", "TAGS": "pilot,figure2", "RUN_GROUP": "monday",
        "JOB_TYPE": "check", "NOTES": "of the environment", "NAME": "first", "RUN_ID": "chosen1",
        "DIR": str(tmp_path / "elsewhere"),
    }  # fmt: skip
    for name, value in said.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    neurolab.run([*SHORT, "tracker=wandb", "tracker.notes=typed"], tmp_path / "run")
    (log,) = logs(tmp_path / "elsewhere")
    state = inspect(log, "--summary")
    begun = next(record["run"] for record in inspect(log) if record["type"] == "run")
    assert [state[key] for key in ("project", "entity", "name", "run_id")] == [
        "thesis", "lab", "first", "chosen1",
    ]  # fmt: skip
    assert state["tags"] == ["pilot", "figure2"]
    assert state["notes"] == "typed"
    assert (begun["run_group"], begun["job_type"]) == ("monday", "check")


def test_the_mode_of_the_environment_holds_where_none_is_typed(tmp_path, monkeypatch):
    """Disabled means no run; what is typed wins; nonsense is refused by the variable's name."""
    monkeypatch.setenv("WANDB_MODE", "disabled")
    neurolab.run([*SHORT, *WANDB], tmp_path / "none")
    assert not (tmp_path / "none" / "wandb").exists()
    assert WandbTracker(mode="offline").active
    monkeypatch.setenv("WANDB_MODE", "dryrun")  # as older versions of W&B said offline
    assert WandbTracker().mode == "offline"
    monkeypatch.setenv("WANDB_MODE", "onlin")
    monkeypatch.setenv("WANDB_PROJECT", "a/b")
    with pytest.raises(ConfigError, match=r"(?s)WANDB_MODE = onlin.*WANDB_PROJECT = a/b"):
        WandbTracker()
    monkeypatch.delenv("WANDB_MODE")
    assert (WandbTracker(project="p").mode, WandbTracker(project="p").tags) == ("offline", ())


def test_what_is_tracked_does_not_change_what_is_computed():
    """The hash of a configuration is the same with and without a tracker."""
    from neurolab.cli.compose import compose_config, effective
    from neurolab.results.summary import config_hash

    configs = [
        effective(compose_config([*SHORT, t]), []) for t in ("tracker=none", "tracker=wandb")
    ]
    assert config_hash(configs[0]) == config_hash(configs[1])
    assert read_experiment(configs[0]).structure == read_experiment(configs[1]).structure
