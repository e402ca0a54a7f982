"""A sweep that is gone on with more: values of an axis, an axis, a longer duration. What was
computed stays, at its place; the others are what a sweep of all would have."""

import json
import os
import shutil

import numpy as np
import pytest
from nights import by_night
from sweeps import KEEP
from test_sweep_goes_on import same, stopped_at

import neurolab
from neurolab.cli.resume import main
from neurolab.problems import ConfigError, ResultsLostError
from neurolab.results.batches import SweepFolder
from neurolab.results.same import extension
from neurolab.results.table import Table
from neurolab.results.verify import verify

USUAL = ("neuron=lif_ref", "synapse=expon", "size=5", "duration=100ms", "record=full", KEEP)
TAU_REF, WEIGHT = "neuron.tau_ref={}", "input.weight={}"
SMALL = (TAU_REF.format("2ms,6ms"), WEIGHT.format("30rheobase*ms,40rheobase*ms"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "sweep"
    neurolab.run_sweep([*USUAL, *SMALL], folder)
    return folder


@pytest.fixture
def begun(small, tmp_path):
    return shutil.copytree(small, tmp_path / "sweep")


def batches(folder):
    return {path.name for path in (folder / "batches").iterdir()}


def labels(sweep):
    """That each point has the configuration that its place says, and as it was computed."""
    for k, row in enumerate(sweep.table.reset_index().to_dict("records")):
        config = sweep.config(k)
        assert str(config.neuron.tau_ref) == f"{row['neuron.tau_ref']:g}ms"
        assert sweep[k].summary["seed"] == config.seed


MORE = {
    "at the end": [TAU_REF.format("2ms,6ms,9ms")],
    "between, in another order": [TAU_REF.format("6ms,4ms,2ms,0ms")],
    "by a range": [TAU_REF.format("linspace:2ms:10ms:5")],
    "of the faster": [WEIGHT.format("20rheobase*ms,30rheobase*ms,40rheobase*ms")],
    "of both": [
        TAU_REF.format("0ms,2ms,6ms"), WEIGHT.format("40rheobase*ms,9rheobase*ms,30rheobase*ms"),
    ],
    "of a further one": ["seed=range:3"],
    "and a longer duration": [TAU_REF.format("2ms,6ms,9ms"), "duration=200ms"],
    "a longer duration alone": ["duration=200ms"],
    "a further one and a longer duration": ["seed=3,0", "duration=150ms"],
}  # fmt: skip


#: By day.
SOME = ["between, in another order", "and a longer duration"]


@pytest.mark.parametrize("what", by_night(MORE, SOME))
def test_it_is_the_sweep_of_all(begun, tmp_path, what):
    """Bit for bit, where points of a batch are computed by the same program."""
    before, typed = batches(begun), MORE[what]
    found = neurolab.resume(begun, typed)
    every = {text.partition("=")[0]: text for text in (*USUAL, *SMALL, *typed)}
    whole = neurolab.run_sweep(every.values(), tmp_path / "whole")
    assert before <= batches(begun)
    assert found.plan.shape == whole.plan.shape
    assert list(found.data.sizes) == list(whole.data.sizes)
    same(found, whole)
    assert found.table.drop(columns="overrides").equals(whole.table.drop(columns="overrides"))
    labels(found)
    assert verify(begun) == []
    assert sum(one["computed"] for one in found.summary["sessions"]) >= len(found)


@pytest.mark.nightly
def test_again_and_again(begun, tmp_path):
    """What was extended is extended: values, then an axis, then both, then how long."""
    neurolab.resume(begun, [TAU_REF.format("1ms,6ms,2ms")])
    neurolab.resume(begun, ["seed=5,0"])
    neurolab.resume(begun, [TAU_REF.format("0ms,1ms,2ms,6ms"), "seed=0,3,5"])
    found = neurolab.resume(begun, ["duration=150ms"])
    every = [*USUAL, TAU_REF.format("0ms,1ms,2ms,6ms"), SMALL[1], "seed=0,3,5", "duration=150ms"]
    whole = neurolab.run_sweep(every, tmp_path / "whole")
    same(found, whole)
    labels(found)
    assert neurolab.resume(begun, ["seed=0,3,5"]).plan.earlier == found.plan.earlier
    assert neurolab.reproduce(begun, [0, 9]).identical


def test_a_batch_that_was_stopped_goes_on_in_a_larger_sweep(begun, tmp_path, monkeypatch):
    folder, typed = tmp_path / "stopped", [*USUAL, *SMALL, "duration=200ms"]
    stopped_at(monkeypatch, folder, typed, 1000)
    begun = batches(folder)
    found = neurolab.resume(folder, [TAU_REF.format("0ms,2ms,6ms")])
    assert begun < batches(folder)
    every = [*USUAL, "duration=200ms", TAU_REF.format("0ms,2ms,6ms"), SMALL[1]]
    same(found, neurolab.run_sweep(every, tmp_path / "whole"))


def test_stopped_while_it_is_extended_it_is_the_larger_one(begun, tmp_path, monkeypatch):
    """Also before anything of it was computed: `resume` alone goes on."""
    typed = [TAU_REF.format("0ms,2ms,6ms"), "duration=200ms"]
    with monkeypatch.context() as patch:
        patch.setattr("neurolab.sweep.compute.compute_groups", _ended)
        with pytest.raises(KeyboardInterrupt):
            neurolab.resume(begun, typed)
    there = neurolab.open_sweep(begun)
    assert list(there.table["status"]) == ["missing"] * 2 + ["partial"] * 4
    labels_of = [there[k].summary["duration_ms"] for k in range(2, 6)]
    assert labels_of == [100] * 4
    assert np.isnan(there.table["rate_hz"]).all()
    assert np.isfinite(there.table["rate_hz_so_far"][2:]).all()
    found = neurolab.resume(begun)
    every = [*USUAL, TAU_REF.format("0ms,2ms,6ms"), SMALL[1], "duration=200ms"]
    same(found, neurolab.run_sweep(every, tmp_path / "whole"))


def _ended(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("what", ["deleted", "cut"])
def test_without_the_last_checkpoint_a_longer_one_begins_anew(begun, tmp_path, what):
    for path in begun.rglob("checkpoint.npz"):
        path.unlink() if what == "deleted" else path.write_bytes(path.read_bytes()[:99])
    before = batches(begun)
    found = neurolab.resume(begun, ["duration=200ms"])
    assert before.isdisjoint(batches(begun))
    same(found, neurolab.run_sweep([*USUAL, *SMALL, "duration=200ms"], tmp_path / "whole"))


def test_points_that_ended_before_others_of_their_batch_begin_anew(tmp_path):
    """Of points with steps of two lengths in one program there is no state at the end of each."""
    usual = [*USUAL[:3], KEEP, "input.weight=30rheobase*ms", "+vars.end=50ms,100ms", "seed=0,1"]
    neurolab.run_sweep([*usual, "duration=${vars.end}"], tmp_path / "sweep")
    found = neurolab.resume(tmp_path / "sweep", ["duration=200ms"])
    assert [found[k].summary["duration_ms"] for k in range(4)] == [200] * 4
    same(found, neurolab.run_sweep([*usual, "duration=200ms"], tmp_path / "whole"))


REFUSED = {
    "a value is left out": ([TAU_REF.format("2ms,9ms")], "neuron.tau_ref was 6ms of some points"),
    "another value": (["neuron.R=3ohm"], r"neuron.R was .* and would be 3ohm"),
    "none of them is that of before": (["seed=7,8"], "no value of seed is that which"),
    "one value": ([TAU_REF.format("2ms")], "neuron.tau_ref was swept, and has one value now"),
    "shorter": (["duration=50ms"], "1000 steps of points are done"),
    "how samples are drawn": (["sweep.seed=3"], "is what the sweep is"),
    "what Hydra does": (["hydra.verbose=true"], "hydra.verbose.*\\s.*is not heeded here"),
    "no such option": (["tracker=nonesuch", "seed=0,1"], "tracker = nonesuch"),
    "no such key": (["neuron.tau_reff=1,2"], "neuron.tau_reff"),
    "no value": (["seed=range:0:-3"], "seed"),
    "walked together": ([TAU_REF.format("zip:2ms:6ms:8ms")], "walked together"),
    "wrong": ([TAU_REF.format("2ms,6ms,9mV")], "9mV"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_no_extension_is_refused_and_changes_nothing(begun, why):
    typed, told = REFUSED[why]
    before = {path: path.read_bytes() for path in begun.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=told):
        neurolab.resume(begun, typed)
    after = {path: path.read_bytes() for path in begun.rglob("*") if path.is_file()}
    assert [p for p in before.keys() | after.keys() if before.get(p) != after.get(p)] == []


def test_the_key_that_is_at_fault_is_named_alone(begun):
    with pytest.raises(ConfigError) as refused:
        neurolab.resume(begun, [TAU_REF.format("2ms,9ms"), "seed=0,3"])
    assert [problem.key.lstrip("+") for problem in refused.value.problems] == ["neuron.tau_ref"]


@pytest.mark.nightly
def test_zipped_axes_options_and_references_are_extended(tmp_path):
    """Keys that are walked together, a choice of neurons, a value that refers to another."""
    usual = ["size=3", "duration=50ms", "input.weight=30rheobase*ms", KEEP, "+vars.n=1",
        "seed=${vars.n}"]  # fmt: skip
    begun = ["neuron=lif,quaif", "input.rate=zip:10Hz:20Hz", "input.n=zip:100:200"]
    more = ["neuron=quaif,lif", "input.rate=zip:20Hz:10Hz:5Hz", "input.n=zip:200:100:9",
        "vars.n=3,1"]  # fmt: skip
    neurolab.run_sweep([*usual, *begun], tmp_path / "sweep")
    for others in ("input.n=zip:200:100:9", "input.weight=zip:30rheobase*ms:9rheobase*ms"):
        with pytest.raises(ConfigError, match="walked together"):
            neurolab.resume(tmp_path / "sweep", [others])
    found = neurolab.resume(tmp_path / "sweep", more[::-1])
    whole = neurolab.run_sweep(
        [*usual[:4], "+vars.n=3,1", *usual[5:], *more[:3]], tmp_path / "whole"
    )
    ours = {" ".join(sorted(found.overrides(k))): k for k in range(len(found))}
    for k in range(len(whole)):
        here = ours[" ".join(sorted(whole.overrides(k)))]
        assert found.config(here) == whole.config(k)
        assert found[here].spikes.equals(whole[k].spikes)


def test_what_the_points_had_is_that_of_points_that_could_be_composed(tmp_path):
    """The first has no configuration: its neuron has no such key."""
    usual = ["size=3", "duration=50ms", KEEP, "neuron=lif,lif_ref", TAU_REF.format("2ms,3ms")]
    neurolab.run_sweep(usual, tmp_path / "sweep")
    found = neurolab.resume(tmp_path / "sweep", ["seed=5,0"])
    assert list(found.table["seed"][4:]) == [5, 0, 5, 0]
    assert list(found.table["status"]) == ["refused"] * 4 + ["completed"] * 4
    same(found, neurolab.run_sweep([*usual, "seed=5,0"], tmp_path / "whole"))


def test_read_while_it_is_extended(begun):
    """By the numbers of the plan that was read, whenever the rest is; of a later one by none."""
    store = SweepFolder(begun)
    plan = store.plan()
    rows = Table(plan, store).columns["seed"]
    neurolab.resume(begun, ["seed=3,0"])
    for folder in sorted((begun / "batches").iterdir()):
        if json.loads((folder / "commit.json").read_text())["extra"].get("plan"):
            with pytest.raises(ResultsLostError, match="extended meanwhile; open it again"):
                Table(plan, store)
            shutil.rmtree(folder)
    assert np.array_equal(Table(plan, store).columns["seed"], rows)


def test_how_it_goes_on_is_as_it_is_typed(begun, monkeypatch):
    """Also where every point is done."""
    from neurolab.simulation.checkpoint import Checkpoints

    made, init = [], Checkpoints.__init__

    def told(self, computation, every):
        made.append(every)
        init(self, computation, every)

    monkeypatch.setattr(Checkpoints, "__init__", told)
    neurolab.resume(begun, ["seed=0,1", "checkpoint.every=7s"])
    assert set(made) == {7.0}
    assert "assets/plotly-" in (begun / "report.html").read_text()
    neurolab.resume(begun, ["report.standalone=true"])
    assert "assets/plotly-" not in (begun / "report.html").read_text()


def test_how_it_goes_on_is_what_tasks_read(begun):
    """Tasks are processes of their own, that read the folder."""
    (batch, *_) = sorted((begun / "batches").iterdir())
    shutil.rmtree(batch)
    neurolab.resume(begun, ["checkpoint.every=7s"])
    assert SweepFolder(begun).plan().templates[0]["checkpoint"]["every"] == "7s"


def test_numbers_of_points_stay_what_they_were(tmp_path):
    neurolab.run_sweep([*USUAL, *SMALL, "seed='${hydra:job.num}'"], tmp_path / "sweep")
    with pytest.raises(ConfigError, match="has the number of a point"):
        neurolab.resume(tmp_path / "sweep", [TAU_REF.format("2ms,6ms,9ms")])


def test_the_command(begun, capfd, monkeypatch):
    """A device that is given anew has the values that its own refer to: a folder of the name
    ``${oc.env:..}`` was made where it ran."""
    monkeypatch.chdir(begun.parent)
    assert main([f"resume={begun}", "seed=range:2", "device.count=1"]) == 0
    assert {path.name for path in begun.parent.iterdir()} <= {"sweep", "assets"}
    assert "8: 8 completed" in capfd.readouterr().out
    folder = neurolab.open_sweep(begun).config(0).device.cache_dir
    assert folder == os.environ.get("JAX_COMPILATION_CACHE_DIR", "~/.cache/neurolab")
    about = json.loads((begun / "definition.json").read_text())
    assert about["earlier"] == [[[2, 2], [[0, [0, 1]], [1, [0, 1]], [None, [0]]], False]]


def test_what_was_told_of_points_is_of_the_same_points(begun):
    """A tracker that knows the end of a point is told of it again only where it goes on."""
    store = SweepFolder(begun)
    store.tell(3)
    neurolab.resume(begun, [TAU_REF.format("0ms,2ms,6ms")])
    store = SweepFolder(begun)
    assert store.told() == {5}
    store.tell(0)
    assert SweepFolder(begun).told() == {0, 5}
    neurolab.resume(begun, ["duration=150ms"])
    assert SweepFolder(begun).told() == set()


def test_a_task_that_was_submitted_before_computes_its_own_points(begun, monkeypatch):
    from neurolab.sweep.task import Task

    task = Task(begun, {}, np.array([1, 2]), None)
    neurolab.resume(begun, [TAU_REF.format("0ms,2ms,6ms")])
    shutil.rmtree(begun / "batches")
    monkeypatch.setenv("_TEST_CLUSTER_", "debug")
    task()
    table = neurolab.open_sweep(begun).table
    assert list(np.flatnonzero(table["status"] == "completed")) == [3, 4]


def test_all_points_are_where_a_plan_says(tmp_path):
    """By their overrides, of random plans."""
    rng = np.random.default_rng(0)
    from neurolab.cli.forms import read_plan

    for _ in range(50):
        n = rng.integers(1, 4)
        values = [rng.permutation(9)[: rng.integers(2, 6)] for _ in range(n)]
        fewer = [own[rng.permutation(len(own))[: rng.integers(2, len(own) + 1)]] for own in values]
        plans = []
        for some in (fewer, values):
            plan = read_plan([f"k{i}={','.join(map(str, own))}" for i, own in enumerate(some)])
            plan.templates = [{f"k{i}": 0 for i in range(n)}]
            plans.append(plan)
        points = np.arange(len(plans[0]))
        there = extension(plans[1], plans[0]).points(points, plans[1].shape)
        assert [plans[1].overrides(k) for k in there] == [plans[0].overrides(k) for k in points]


def test_a_value_that_refers_to_several_axes_is_looked_at_everywhere(tmp_path):
    """One that is as it was where one of them is at its first value, and another elsewhere."""
    usual = ["neuron=lif", "size=2", "duration=10ms", KEEP, "+vars.a=0,1", "+vars.b=0,1"]
    neurolab.run_sweep([*usual, "seed=0"], tmp_path / "sweep")
    with pytest.raises(ConfigError, match="seed was 0 of its point 3 and would be 1"):
        neurolab.resume(tmp_path / "sweep", ["seed='${calc:\"${vars.a} * ${vars.b}\"}'"])


def test_a_value_may_be_written_in_another_way(begun):
    """As ``5 ms``, which the option has, and `5ms`; it was to be given to the letter."""
    before = neurolab.open_sweep(begun)
    known = batches(begun)
    more = neurolab.resume(begun, ["neuron.tau=5ms,10ms", TAU_REF.format("2.0ms,6ms")])
    assert known < batches(begun)
    assert list(more.table["status"]) == ["completed"] * 8

    def of(sweep, k):
        neuron, weight = sweep.config(k).neuron, sweep.config(k).input.weight
        return neuron.tau.replace(" ", ""), neuron.tau_ref.replace(".0", ""), weight

    places = {of(more, k): k for k in range(8)}
    for k in range(4):
        assert more[places[of(before, k)]].spikes.identical(before[k].spikes)
