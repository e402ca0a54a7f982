"""A point is what it is labelled with, also where a sweep refers, resumes, makes folders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sweeps import KEEP, SHORT, same_spikes, stop_at, sweep

import neurolab
from neurolab.cli.forms import read_plan
from neurolab.cli.main import main as command
from neurolab.cli.overrides import referred_to
from neurolab.problems import ConfigError

SMALL = ("neuron=lif", "input=constant", "size=2", "duration=100ms")


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch):
    """Pictures and pages have tests of their own."""
    monkeypatch.setattr("neurolab.plots.sweep.draw_all", lambda *_: [])
    monkeypatch.setattr("neurolab.report.write_report", lambda *_: None)


@pytest.fixture
def main(monkeypatch):
    """The command, in this process: its exit code."""

    def call(arguments):
        monkeypatch.setattr(sys, "argv", ["neurolab", *arguments])
        with pytest.raises(SystemExit) as ended:
            command()
        return int(ended.value.code or 0)

    return call


def alone(*overrides):
    return neurolab.run([*SMALL, KEEP, *overrides], save=False)


@pytest.mark.parametrize("typed", [("1e1ms", "2e1ms"), ("1E1ms", "2E1ms"), ("10e-0ms", "2.0e1ms")])
def test_exponents_without_a_sign_are_read(tmp_path, typed):
    """The power of ten was taken for a part of the unit, and lost."""
    found = sweep(tmp_path, *SMALL, f"neuron.tau={','.join(typed)}")
    for k, tau in enumerate(("10ms", "20ms")):
        assert same_spikes(found[k], alone(f"neuron.tau={tau}"))
    assert found.data["neuron.tau"].attrs["units"] == "ms"
    np.testing.assert_allclose(found.data["neuron.tau"], [10, 20])
    assert found.sel(tau=20).rate_hz.size == 1
    with pytest.raises(KeyError, match=r"neuron.tau has no value '0.02s'; .* 10.0, 20.0, .* ms"):
        found.sel(tau="0.02s")
    for read in (found.__getitem__, found.overrides, found.config):
        with pytest.raises(IndexError, match="no point 7: there are 2, 0 to 1"):
            read(7)
    assert found.overrides(-1) == found.overrides(1)


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("${neuron.tau}", {"neuron.tau"}),
        ("${neuron}", {"neuron.tau", "neuron.b"}),
        ("${neuron.tau.more}", {"neuron.tau"}),
        ("${synapse.tau}", {"synapse.tau"}),
        ("${neuron.V}", set()),
        ("${neuron.ta}", set()),
        ("a ${neuron.b} b ${synapse}", {"neuron.b", "synapse.tau"}),
        ("${neuron.${vars.which}}", {"neuron.tau", "neuron.b", "synapse.tau"}),
        ("${.tau}", {"neuron.tau", "synapse.tau"}),
        ("${..b}", {"neuron.b"}),
        ("${oc.select:neuron.tau,3}", {"neuron.tau", "neuron.b", "synapse.tau"}),
        ("${oc.dict.values:neuron}", {"neuron.tau", "neuron.b"}),
    ],
)
def test_what_references_reach(text, reached):
    """At least what they name: more costs a little time, less would mislabel."""
    assert referred_to([text], ["neuron.tau", "neuron.b", "synapse.tau"]) >= reached
    if ":" not in text:
        assert referred_to([text], ["neuron.tau", "neuron.b", "synapse.tau"]) == reached


def test_references_to_a_group_follow_its_swept_values(tmp_path):
    typed = ("+inputs.second=${input}",)
    found = sweep(tmp_path, *SMALL, "input.amplitude=1.2rheobase,2rheobase", *typed)
    for k, amplitude in enumerate(("1.2rheobase", "2rheobase")):
        assert same_spikes(found[k], alone(f"input.amplitude={amplitude}", *typed))
        assert found.config(k)["inputs"]["second"]["amplitude"] == amplitude


def test_references_whose_name_is_a_value_are_followed(tmp_path, monkeypatch):
    own = tmp_path / "conf" / "experiment"
    own.mkdir(parents=True)
    (own / "nest.yaml").write_text(
        "# @package _global_\n# Nested.\ndefaults:\n  - override /synapse: expon\n"
        "  - override /input: poisson\nvars: {which: tau}\n"
        "synapse: {tau: '${neuron.${vars.which}}'}\n"
    )
    monkeypatch.chdir(tmp_path)
    typed = ("experiment=nest", "size=20", "duration=300ms", KEEP)
    found = neurolab.run_sweep([*typed, "neuron.tau=5ms,10ms"], tmp_path / "s")
    for k, tau in enumerate(("5ms", "10ms")):
        assert same_spikes(found[k], neurolab.run([*typed, f"neuron.tau={tau}"], save=False))
        assert found.config(k)["synapse"]["tau"] == tau


def test_a_mapping_of_all_follows_too(tmp_path):
    typed = ("+vars.all=${neuron}", "synapse=expon", "input=poisson", "synapse.tau=${vars.all.tau}")
    found = sweep(tmp_path, *SMALL, *typed, "neuron.tau=5ms,6ms")
    assert found.config(1)["vars"]["all"]["tau"] == "6ms"
    assert found.config(1)["synapse"]["tau"] == "6ms"


def test_environment_variables_may_be_values(tmp_path, monkeypatch):
    monkeypatch.setenv("TAU", "7ms")
    found = sweep(tmp_path, *SMALL, "neuron.tau=${oc.env:TAU},5ms")
    assert same_spikes(found[0], alone("neuron.tau=7ms"))


def test_the_points_of_a_stopped_batch_that_were_done_stay(tmp_path, monkeypatch):
    """One that has come to its end and one that has diverged, in a batch that was stopped; resuming
    deleted them and said completed."""
    typed = (
        "neuron.R=10ohm",
        "input.amplitude=0.2mA,-3e38mA",
        "duration=50ms,100ms",
        "record=full",
    )
    whole = sweep(tmp_path / "whole", *SMALL, *typed)
    stop_at(monkeypatch, 6)
    stopped = sweep(tmp_path / "sweep", *SMALL, *typed)
    monkeypatch.undo()
    assert list(stopped.table["status"]) == ["completed", "diverged", "partial", "diverged"]
    assert stopped.summary["status"] == "interrupted"
    assert stopped.rows[0]["isi_cv"] == whole.rows[0]["isi_cv"]
    resumed = sweep(tmp_path / "sweep", *SMALL, *typed, f"sweep.resume='{tmp_path / 'sweep'}'")
    assert resumed.table.equals(whole.table)
    assert resumed.summary["sessions"][-1]["computed"] == 1
    assert same_spikes(resumed[2], whole[2])
    assert same_spikes(resumed[0], whole[0])


def refused(folder, *typed):
    with pytest.raises(ConfigError) as caught:
        sweep(folder, *typed, f"sweep.resume='{folder}'")
    return str(caught.value)


def test_resuming_asks_for_the_same_files_references_and_precisions(tmp_path, monkeypatch):
    """The first points agree, so that only the whole tells."""
    monkeypatch.chdir(tmp_path)
    levels = tmp_path / "i.csv"
    levels.write_text("1.5\n1.5\n")
    typed = (*SMALL, "input=current_from_file", f"input.file={levels}", "neuron.tau=5ms,6ms")
    sweep(tmp_path / "file", *typed)
    shutil.rmtree(tmp_path / "file" / "batches")
    levels.write_text("3.0\n3.0\n")
    assert f"{levels} has other contents" in refused(tmp_path / "file", *typed)

    precisions = "device.precision=float32,float64,float64"
    typed = (*SMALL, "seed=1,2,3")
    zipped = "device.precision=zip:float32:float64:float64", "neuron.tau=zip:5ms:6ms:7ms"
    sweep(tmp_path / "bits", *SMALL, *zipped)
    shutil.rmtree(tmp_path / "bits" / "batches")
    others = "device.precision=zip:float32:float32:float64", zipped[1]
    assert "device.precision" in refused(tmp_path / "bits", *SMALL, *others), precisions

    own = tmp_path / "conf" / "experiment"
    own.mkdir(parents=True)
    text = "# @package _global_\n# Refers.\ndefaults:\n  - override /synapse: expon\n"
    (own / "ref.yaml").write_text(text + "synapse: {tau: '${neuron.tau}'}\n")
    typed = ("experiment=ref", "input=poisson", "neuron.tau=5ms,10ms")
    sweep(tmp_path / "ref", *typed)
    shutil.rmtree(tmp_path / "ref" / "batches")
    (own / "ref.yaml").write_text(text + "synapse: {tau: 5ms}\n")
    assert "refer" in refused(tmp_path / "ref", *typed)


def test_folders_of_points_are_replaced_when_a_sweep_goes_on(tmp_path, main):
    """The summary said completed beside the records of a part."""
    folder = tmp_path / "s"
    typed = ["-m", *SMALL, KEEP, "neuron.tau=5ms,6ms", "sweep.folders=true"]
    arguments = [*typed, f"hydra.sweep.dir={folder}"]
    assert main(arguments) == 0
    point = neurolab.open_run(folder / "1")
    assert point.committed_steps == 1000
    shutil.rmtree(folder / "batches")
    shutil.rmtree(folder / "1" / "results.zarr")
    shutil.copytree(folder / "0" / "results.zarr", folder / "1" / "results.zarr")  # another's
    assert main([*arguments, f"sweep.resume={folder}"]) == 0
    again = neurolab.open_run(folder / "1")
    assert same_spikes(again, alone("neuron.tau=6ms"))
    assert again.summary["spike_count"] == again.spikes.sizes["spike"]


def test_folders_of_points_may_be_worked_in(tmp_path, monkeypatch, main):
    monkeypatch.chdir(tmp_path)
    typed = ["-m", *SMALL, KEEP, "neuron.tau=5ms,6ms", "sweep.folders=true", "hydra.job.chdir=true"]
    assert main([*typed, "hydra.sweep.dir=s"]) == 0
    assert neurolab.open_run("s/1").summary["status"] == "completed"
    assert same_spikes(neurolab.open_run("s/1"), alone("neuron.tau=6ms"))


def test_points_with_one_folder_are_refused_before_anything_runs(tmp_path, capsys, main):
    typed = ["-m", *SMALL, KEEP, "neuron.tau=5ms,6ms", "sweep.folders=true"]
    assert main([*typed, f"hydra.sweep.dir={tmp_path / 's'}", "hydra.sweep.subdir=same"]) == 2
    assert "hydra.sweep.subdir = same" in capsys.readouterr().err
    assert not (tmp_path / "s" / "batches").exists()


def test_trackers_hear_of_fixed_values_only_that_are(tmp_path):
    """A duration and a dt that refer to swept keys were told as fixed."""
    from neurolab.results.dataset import as_dataset
    from neurolab.results.plan import Plan

    typed = ("+vars.d=50,80", "duration=${vars.d} ms", "dt=${vars.e} ms", "+vars.e=0.1,0.05")
    found = sweep(tmp_path, "neuron=lif", "size=2", *typed)
    plan = Plan.from_json(json.loads((tmp_path / "definition.json").read_text()))
    assert {"duration", "dt", "vars.d", "vars.e"} <= plan.varying
    assert not {"duration", "dt"} & as_dataset(plan, found.rows).attrs.keys()


def test_a_point_is_refused_with_what_it_was_given(tmp_path):
    found = sweep(tmp_path, "neuron=lif,adexif", "++neuron.b=1mA,2mA", "size=2", "duration=2ms")
    for k, b in enumerate(("1mA", "2mA")):
        message = found.table["message"][k]
        assert f"neuron.b = {b}" in message
        assert message.count("neuron.b = ") == 1


def test_a_missing_value_of_an_experiment_is_null(tmp_path, monkeypatch):
    own = tmp_path / "conf" / "experiment"
    own.mkdir(parents=True)
    (own / "nulls.yaml").write_text(
        "# @package _global_\n# With null.\nhydra: {sweeper: {params: {record.rate_bin: null}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    found = neurolab.run_sweep(["experiment=nulls", *SHORT, "seed=1,2"], tmp_path / "s")
    assert found.config(0)["record"]["rate_bin"] is None


def test_a_point_s_number_in_a_value_is_in_the_table(tmp_path):
    found = sweep(tmp_path, *SMALL, "neuron.tau=1${hydra:job.num}ms", "neuron.V_rest=0mV,0.1mV")
    header, first, second = (tmp_path / "sweep.csv").read_text().splitlines()
    assert header.startswith("point,neuron.V_rest,neuron.tau")
    assert [line.split(",")[2] for line in (first, second)] == ["10ms", "11ms"]
    with pytest.raises(KeyError, match="for each point"):
        sweep(tmp_path / "two", *SMALL, "seed=${hydra:job.num}", "neuron.tau=5ms,6ms",
              "neuron.V_rest=0mV,0.1mV").sel(seed=1)  # fmt: skip
    assert len(found) == 2


def test_a_signal_while_the_table_is_written_is_waited_for(tmp_path):
    """Nothing was left to stop, and the table was lost."""
    code = (
        "import signal, sys\n"
        "from neurolab.sweep import gather\n"
        "write = gather.write_csv\n"
        "def slow(*a):\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    write(*a)\n"
        "gather.write_csv = slow\n"
        "from neurolab.cli.main import main\n"
        "main()\n"
    )
    typed = ["-m", *SMALL, KEEP, "neuron.tau=5ms,6ms", f"hydra.sweep.dir={tmp_path / 's'}"]
    done = subprocess.run([sys.executable, "-c", code, *typed], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert len((tmp_path / "s" / "sweep.csv").read_text().splitlines()) == 3


def test_a_sweep_goes_on_whatever_else_is_in_the_folders_that_it_names(tmp_path, monkeypatch):
    """The working folder is where the sweep itself is written; long texts name no files."""
    monkeypatch.chdir(tmp_path)
    np.save("spk.npy", np.array([[1.0, 0], [2.0, 1]]))
    typed = (
        *SMALL, "input=spikes_from_file", "+vars.root=${hydra:runtime.cwd}",
        "input.file=${vars.root}/spk.npy", "+vars.note='" + "A long note. " * 30 + "'",
        "neuron.tau=5ms,6ms", "+vars.when=${now:%S%f}",
    )  # fmt: skip
    found = sweep(tmp_path / "s", *typed)
    assert [name for name in found.plan.files if "own source" not in name] == [
        str(tmp_path / "spk.npy")
    ]
    shutil.rmtree(tmp_path / "s" / "batches")
    untimed = [text for text in typed if "now" not in text]
    sweep(tmp_path / "t", *untimed)
    shutil.rmtree(tmp_path / "t" / "batches")
    again = sweep(tmp_path / "t", *untimed, f"sweep.resume='{tmp_path / 't'}'")
    assert set(again.table["status"]) == {"completed"}


def test_a_distribution_is_named_as_it_was_typed():
    plan = read_plan(["neuron.tau=[uniform,1ms,2ms],5ms"])
    values, unit = plan.axes[0].coordinate("neuron.tau")
    assert (values.tolist(), unit) == (["[uniform,1ms,2ms]", "5ms"], "")
