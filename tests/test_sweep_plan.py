"""A plan is what its points are: labels, values, coordinates and refusals agree."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import xarray as xr
from nights import every
from sweeps import SHORT, batch_of, sweep

import neurolab
from neurolab.cli.compose import compose_master
from neurolab.cli.forms import read_plan
from neurolab.cli.main import main
from neurolab.cli.overrides import plan_of_jobs
from neurolab.cli.points import Composer, compose_plan
from neurolab.problems import ConfigError
from neurolab.results.plan import Plan
from neurolab.results.same import differs


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch):
    """Pictures and pages have tests of their own."""
    monkeypatch.setattr("neurolab.plots.sweep.draw_all", lambda *_: [])
    monkeypatch.setattr("neurolab.report.write_report", lambda *_: None)


def refusal(*overrides):
    with pytest.raises(ConfigError) as caught:
        neurolab.run_sweep(["size=2", "duration=2ms", *overrides], "never")
    return str(caught.value)


@pytest.mark.parametrize(
    "overrides",
    [
        ("input.rate=10Hz,20Hz", "++input.rate=60Hz"),
        ("neuron.tau=5ms,6ms", "neuron={tau:20ms}"),
        ("neuron={tau:20ms}", "neuron.tau=5ms,6ms"),
    ],
)
def test_keys_that_overlap_are_refused(overrides):
    """Two overrides of one key, however written: both are named."""
    text = refusal(*overrides)
    for override in overrides:
        assert override.partition("=")[0] in text


def test_how_points_are_computed_cannot_be_swept():
    """It was told that two overrides gave it a value."""
    for typed in ("sweep.batch=1,2", "sweep.seed=linspace:1:3:3"):
        text = refusal("seed=1,2", typed)
        assert typed.partition("=")[0] in text
        assert "cannot be swept" in text


@pytest.mark.parametrize("quotes", ["", "'", '"'])
def test_the_index_of_a_point_may_be_quoted(quotes):
    given = ["neuron.tau=5ms,6ms,7ms", f"seed={quotes}${{hydra:job.num}}{quotes}"]
    with compose_master(given) as (loader, master):
        plan = read_plan(given, loader)
        assert not compose_plan(plan, Composer(loader, master))
    assert [plan.config(point)["seed"] for point in range(3)] == [0, 1, 2]


def test_a_sweep_that_goes_on_differently_is_told_in_words():
    before = plan_of_jobs([["seed=1"], ["seed=2"]])
    now = plan_of_jobs([["seed=1", "record=full"], ["seed=2", "record=full"]])
    assert differs(now, before) == "its point 0 has nothing where this command gives record=full"
    assert differs(before, now) == "its point 0 has record=full where this command gives nothing"


def test_values_that_do_not_make_up_the_points_are_found():
    """A point is composed by itself beside its template; here Hydra gives it another tau."""

    class Deaf(Composer):
        def __call__(self, overrides):
            return super().__call__([text for text in overrides if "neuron.tau" not in text])

    given = ["neuron=lif", "neuron.tau=5ms,6ms"]
    with compose_master(given) as (loader, master), pytest.raises(ConfigError) as caught:
        compose_plan(read_plan(given, loader), Deaf(loader, master))
    assert "neuron.tau" in str(caught.value)
    assert "point 1" in str(caught.value)


def test_a_key_that_is_typed_replaces_the_swept_one(tmp_path):
    """Also with ++: of experiment=fi_curves one neuron and one amplitude are left."""
    found = sweep(
        tmp_path, "experiment=fi_curves", "++input.amplitude=2rheobase", "neuron=lif", "size=1",
        "dt=0.1ms",
    )  # fmt: skip
    assert len(found) == 1
    assert found.config(0).input.amplitude == "2rheobase"
    assert found.overrides(0)[-3:] != []


def test_a_point_is_what_its_label_says(tmp_path):
    """Of references, added keys, options and job numbers: configuration and label are one."""
    found = sweep(
        tmp_path, "+vars.b=1,2", "neuron.tau=${vars.b}0ms", "seed=${hydra:job.num}",
        "input.rate=linspace:20Hz:40Hz:2", "synapse=expon", "synapse/output=current,conductance",
        "record=summary",
    )  # fmt: skip
    assert len(found.plan.templates) == 2
    assert list(found.table["overrides"]) == [" ".join(found.overrides(i)) for i in range(8)]
    assert [found.config(i).neuron.tau for i in range(8)] == ["10ms"] * 4 + ["20ms"] * 4
    assert [found.config(i).seed for i in range(8)] == list(range(8))
    assert found.data["seed"].dims == ("vars.b", "input.rate", "synapse.output")
    assert found.rows.counts()["completed"] == 8
    for index in (2, 7):
        alone = neurolab.run(found.overrides(index), tmp_path / str(index))
        assert alone.summary["spike_count"] == found.rows[index]["spike_count"]
        config = dict(alone.config)
        config.pop("sweep")
        assert found.config(index) == config


def test_a_definition_is_as_large_as_its_axes():
    """A grid of 10^6 points, and what it gives back is the same plan."""
    axes = ("a=linspace:0mA:1mA:1000", "b=range:1000", "c=x,'y z'", "seed=zip:7:8")
    plan = read_plan(axes[:2])
    assert len(plan) == 10**6
    assert len(json.dumps(plan.to_json())) < 30_000
    plan = read_plan(axes[2:])
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    for point in range(4):
        assert again.overrides(point) == plan.overrides(point)
        assert again.changes(point) == {"c": ("x", "y z")[point // 2], "seed": 7 + point % 2}


def test_jobs_of_a_sweeper_are_a_plan():
    """A grid, any list, and the same job several times."""
    grid = plan_of_jobs([["x=1", f"a={a}", f"b={b}"] for a in "12" for b in "34"])
    assert [axis.name for axis in grid.axes] == ["a", "b"]
    jobs = [["a=1", "b=3"], ["a=2", "b=4"], ["a=2", "b=5"]]
    plan = plan_of_jobs(jobs)
    assert [plan.overrides(point) for point in range(3)] == jobs
    assert [axis.name for axis in plan.axes] == ["point"]
    assert len(plan_of_jobs([["a=1"]] * 3)) == 3


NOT_MEETING = {
    "grid": ("neuron.V_reset=0mV,2mV", "neuron.V_th=1mV,1.5mV"),
    "zip": ("neuron.V_reset=zip:0mV:0.5mV:2mV:3mV", "neuron.V_th=zip:1mV:1.5mV:1.5mV:1mV"),
    "random": ("neuron.V_reset=random:0mV:2mV:20", "neuron.V_th=random:1mV:3mV:20"),
    "sobol": ("neuron.V_reset=sobol:0mV:2mV:16", "neuron.V_th=sobol:1mV:3mV:16"),
    "one key": ("neuron.V_th=linspace:-1mV:3mV:9",),
}


@pytest.mark.parametrize("how", every(NOT_MEETING, 3))
def test_values_that_do_not_meet_are_points_that_are_marked(tmp_path, how):
    """Exactly those, with both values in the reason; the others are computed, and iterated over."""
    found = sweep(
        tmp_path, "neuron=lif", *NOT_MEETING[how], "record=spikes", "size=2", "duration=5ms"
    )
    configs = [found.config(i).neuron for i in range(len(found))]
    reset, threshold = ([float(str(c[k]).rstrip(" mV")) for c in configs]
                        for k in ("V_reset", "V_th"))  # fmt: skip
    wrong = np.array(reset) >= np.array(threshold)
    assert list(found.table["status"] == "refused") == wrong.tolist()
    assert 0 < wrong.sum() < len(found)
    first = int(np.flatnonzero(wrong)[0])
    assert f"neuron.V_th = {threshold[first]:g} mV must lie above" in found.table["message"][first]
    assert f"{reset[first]:g} mV" in found.table["message"][first]
    assert [point.summary["point"] for point in found] == np.flatnonzero(~wrong).tolist()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (("neuron.tau=zip:5ms:5mV", "seed=zip:1:2"), "neuron.tau = 5mV"),
        (("neuron.tau=random:-5ms:5ms:20",), "must be positive"),
        (("neuron.tau=sobol:-5ms:5ms:16", "input.rate=sobol:1Hz:2Hz:16"), "must be positive"),
        (("neuron=lif,nosuch",), "nosuch"),
        (("neuron=lif,null",), "neuron"),
        (("size=0,5",), "size = 0"),
        (("neuron.V_reset=2mV,3mV",), "must lie above"),
        (("seed=1,-1",), "seed = -1"),
        (("duration=linspace:0.01ms:5ms:3",), "shorter than one step"),
    ],
)
def test_a_value_that_is_wrong_by_itself_refuses_the_sweep(values, told):
    """In lists that are walked together and in samples as in a grid; and if no point is left."""
    assert told in refusal(*values)


def test_whole_numbers_are_sampled_as_such(tmp_path):
    """size=random and seed=sobol are integers of the range, both ends included."""
    plan = read_plan(["size=random:10:12:200", "seed=sobol:0:7:200"])
    sizes, seeds = (column.values for column in plan.axes[0].columns.values())
    assert set(sizes.tolist()) == {10, 11, 12}
    assert set(seeds.tolist()) == set(range(8))
    found = sweep(tmp_path, "size=random:10:20:3", "record=summary", "duration=5ms")
    assert [found.config(i).size for i in range(3)] == found.data["size"].values.tolist()


def test_options_can_be_walked_together(tmp_path):
    """neuron=zip:lif:expif input=zip:constant:poisson."""
    found = sweep(
        tmp_path, "neuron=zip:lif:expif", "input=zip:constant:poisson", "record=summary",
        "duration=5ms",
    )  # fmt: skip
    assert found.overrides(1)[-4:-2] != found.overrides(0)[-4:-2]
    assert [found.config(i).neuron._target_.rpartition(".")[2] for i in (0, 1)] == ["LIF", "ExpIF"]
    assert list(found.data["input"].values) == ["constant", "poisson"]


def test_coordinates_have_the_unit_that_was_typed_and_names_to_select_by(tmp_path):
    """Of several units the first; sel takes the end of a key; the Zarr says what was fixed."""
    found = sweep(
        tmp_path, "neuron=adexif", "neuron.b=1uA,0.002mA", "neuron.tau=zip:8ms:9ms",
        "seed=zip:1:2", "input=constant", "input.amplitude='1 rheobase','2 rheobase'",
        "synapse=expon", "synapse/output=current,conductance", "record=summary", "duration=5ms",
    )  # fmt: skip
    np.testing.assert_array_equal(found.data["neuron.b"], [1.0, 2.0])
    assert found.data["neuron.b"].attrs["units"] == "uA"
    assert found.sel(b=2, amplitude=1).rate_hz.dims == ("zip", "synapse.output")
    assert found.sel(**{"neuron.tau": 9})["seed"] == found.sel(tau=9)["seed"] == 2
    alone = xr.open_zarr(tmp_path / "sweep.zarr").load()
    xr.testing.assert_identical(alone, found.data)
    assert list(alone["synapse.output"].values) == ["current", "conductance"]
    assert alone["synapse.output"].attrs["key"] == "synapse/output"
    assert alone.attrs["neuron.V_th"] == "-55 mV"
    assert "neuron.b" not in alone.attrs
    with pytest.raises(KeyError, match="was not swept"):
        found.sel(rate=1)


def test_durations_are_points_of_one_group(tmp_path):
    """Whatever their number: one structure."""
    from neurolab.sweep.columns import PointReader
    from neurolab.sweep.refusals import Refusals

    found = sweep(tmp_path, "duration=range:1ms:3ms:0.5ms", "record=summary")
    (group,), _ = PointReader(found.plan, Refusals(found.plan)).groups(np.arange(4))
    assert group.n_steps.tolist() == [10, 15, 20, 25]
    assert [found.rows[i]["n_steps"] for i in range(4)] == [10, 15, 20, 25]
    assert group.take(np.array([2])).points.tolist() == [2]


@pytest.mark.parametrize(
    "override", ["hydra/launcher=basic", "hydra/sweeper=basic", "sweep.folders=true"]
)
def test_what_only_the_command_does_is_refused(override):
    """run_sweep says so rather than passing over it."""
    assert override.partition("=")[0] in refusal("seed=1,2", override)


def test_a_mode_that_is_typed_is_a_sweep(tmp_path, monkeypatch):
    """hydra.mode=MULTIRUN is what -m is."""
    monkeypatch.chdir(tmp_path)
    quiet = ("hydra/hydra_logging=none", "hydra/job_logging=none", "hydra.sweep.dir=here")
    given = ("hydra.mode=MULTIRUN", "seed=range:2", *SHORT, "record=summary", *quiet)
    monkeypatch.setattr(sys, "argv", ["neurolab", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert len(neurolab.open_sweep(tmp_path / "here")) == 2


def test_points_that_were_stopped_are_computed_again(tmp_path):
    """A partial point can be read, and is not done."""
    given = ("seed=range:4", "sweep.batch=2", "duration=20ms")
    whole = sweep(tmp_path, *given)
    commit = batch_of(tmp_path, 2) / "commit.json"
    found = json.loads(commit.read_text().replace('"completed"', '"partial"'))
    del found["sha256"]
    commit.write_text(json.dumps(found))
    stopped = neurolab.open_sweep(tmp_path)
    assert list(stopped.table["status"]) == ["completed"] * 2 + ["partial"] * 2
    assert len(list(stopped)) == 4
    again = sweep(tmp_path, *given, f"sweep.resume='{tmp_path}'")
    assert not [text for text in again.overrides(1) if text.startswith("sweep.")]
    assert [one["computed"] for one in again.summary["sessions"]] == [4, 2]
    assert again.table.equals(whole.table)
