"""Sweeps of networks: what refers to a swept key follows in each point; synapses are drawn once."""

from __future__ import annotations

from pathlib import Path

import pytest

import neurolab
from neurolab.api import experiment_of
from neurolab.engine import wiring
from neurolab.problems import ConfigError

#: A fiftieth of Brunel's network, with its in-degrees.
SMALL = ("network=brunel", "populations.E.size=200", "populations.I.size=50", "duration=50ms")
SWEPT = ("projections.I_E.weight=-0.3mV,-0.8mV", "populations.E.inputs.external.rate=20Hz,40Hz")


def counts(run) -> dict[str, int]:
    return {name: run[name].spikes.sizes["spike"] for name in run.populations}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    drawn = []
    with pytest.MonkeyPatch.context() as patch:
        synapses = wiring.synapses
        patch.setattr(wiring, "synapses", lambda *args: drawn.append(1) or synapses(*args))
        patch.setattr("neurolab.sweep.compute._NEURONS_PER_DEVICE", {"cpu": 1})
        found = neurolab.run_sweep([*SMALL, *SWEPT, "device=cpu"], tmp_path_factory.mktemp("s"))
    return found, len(drawn)


def test_what_follows_from_a_swept_key_follows_in_each_point(sweep):
    """The weight onto I is written as that onto E, and its inputs as those of E: in each point both
    populations fire as they do in a run of that point alone."""
    swept, _ = sweep
    seen = set()
    for k in range(4):
        alone = neurolab.run([*swept.overrides(k), "device=cpu"], save=False)
        expected = {name: of["spike_count"] for name, of in alone.summary["populations"].items()}
        assert counts(swept[k]) == expected
        seen.add(tuple(expected.values()))
    assert len(seen) == 4
    first, last = swept.config(0), swept.config(3)
    for config, weight, rate in ((first, "-0.3mV", "20Hz"), (last, "-0.8mV", "40Hz")):
        assert config.projections.I_I.weight == config.projections.I_E.weight == weight
        for name in ("E", "I"):
            assert config.populations[name].inputs.external.rate == rate


def test_synapses_that_all_points_share_are_drawn_once(sweep):
    """For each of 200 batches they took longer to draw than the points to compute."""
    swept, n_drawn = sweep
    assert len(list((swept.path / "batches").iterdir())) > 1
    assert n_drawn == 4  # projections


@pytest.mark.parametrize(
    "typed",
    [
        ["neuron.V_initializer=[uniform,0mV,0.5mV]", "neuron.V_th=1mV,2mV"],
        ["neuron.V_th=[normal,2mV,0.1mV]", "neuron.V_initializer=0mV,0.5mV,1mV"],
        ["neuron.V_initializer=[uniform,0mV,0.5mV]", "neuron.V_th=1mV,2mV,3mV", "seed=1,2"],
    ],
)
def test_thresholds_are_compared_with_potentials_neuron_by_neuron_and_point_by_point(
    typed, tmp_path
):
    """Of one the axis is that of points, of the other of neurons, of which there are as many."""
    size = "size=3" if len(typed) == 3 else f"size={typed[1].count(',') + 1}"
    sweep = neurolab.run_sweep(["neuron=lif", size, "duration=5ms", *typed], tmp_path)
    assert set(sweep.table["status"]) == {"completed"}


def test_a_number_that_another_of_the_network_follows_from_is_forced(tmp_path):
    file = (Path(neurolab.__file__).parents[1] / "conf/network/brunel.yaml").read_text()
    file = file.replace("  g: 5 ", "  half: 2.5\n  g: ${calc:'2 * ${.half}'} ")
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "own.yaml").write_text(file)
    given = ["network=own", "device=cpu", f"hydra.searchpath=[file://{tmp_path}]"]
    found = experiment_of([*given, "++network.half=2"])
    assert found.numbers["projections.I_E.weight"] == pytest.approx(-0.4)


def test_parts_of_a_network_are_taken_out_and_numbers_that_it_has_not_are_refused():
    run = neurolab.run([*SMALL, "~projections.I_I", "~projections.E_I"], save=False)
    assert list(run.config.projections) == ["E_E", "I_E"]
    for mark in ("+", "++"):
        with pytest.raises(ConfigError) as error:
            neurolab.run([*SMALL, f"{mark}network.scale=0.5"], save=False)
        assert [problem.key for problem in error.value.problems] == ["network.scale"]
    with pytest.raises(ConfigError, match=r"network\.et = 1"):  # the beginning of a name is none
        neurolab.run([*SMALL, "++network.et=1"], save=False)
    run = neurolab.run([*SMALL, "++network.eta=1.5", "duration=1ms"], save=False)
    assert run.config.network.eta == 1.5
    with pytest.raises(ConfigError):
        neurolab.run([*SMALL, "~projections.I_I.weight"], save=False)


#: Conductances of a few cells.
CONDUCTANCES = ("network=coba_ei", "populations.E.size=80", "populations.I.size=20",
    "projections.E_E.connectivity.p=0.3", "duration=20ms", "device=cpu")  # fmt: skip


@pytest.mark.parametrize("p", ["0.3,1.2", "1.2,1.3,1.4,1.5,1.6,1.7,1.8,0.3,1.9"])
def test_a_probability_above_one_refuses_its_points_alone(tmp_path, p):
    """All points of the batch failed, with neither key nor value."""
    typed = [*CONDUCTANCES[:3], *CONDUCTANCES[4:], f"projections.E_E.connectivity.p={p}"]
    found = neurolab.run_sweep(typed, tmp_path)
    given = p.split(",")
    for k, value in enumerate(given):
        message = f"projections.E_E.connectivity = PairwiseBernoulli p = {value}: a probability"
        if value == "0.3":
            assert found.table["status"][k] == "completed" and found.table["message"][k] == ""
        else:
            assert found.table["status"][k] == "refused"
            assert found.table["message"][k].startswith(message)
    alone = neurolab.run(found.overrides(given.index("0.3")), save=False)
    assert counts(found[given.index("0.3")]) == counts(alone)


def test_negative_conductances_refuse_the_points_that_draw_them(tmp_path):
    """In a distribution of which all is negative, and in one of which a seed draws some."""
    key = "projections.E_E.weight"
    values = "[uniform,-6nS,-1nS],[normal,6nS,1.7nS],[uniform,1nS,6nS]"
    found = neurolab.run_sweep([*CONDUCTANCES, f"{key}={values}", "seed=0,1,2,3"], tmp_path)
    status, message = list(found.table["status"]), list(found.table["message"])
    assert status[:4] == ["refused"] * 4 and status[8:] == ["completed"] * 4
    assert sorted(set(status[4:8])) == ["completed", "refused"]
    for k in range(8):
        alone = [*found.overrides(k), "device=cpu"]
        if status[k] == "completed":
            experiment_of(alone)
            continue
        assert message[k].startswith(f"{key} = [")
        assert "must be zero or positive" in message[k] and "values are not" in message[k]
        with pytest.raises(ConfigError) as error:
            experiment_of(alone)
        told = [f"{one.key} = {one.given} {one.advice}" for one in error.value.problems]
        assert "; ".join(told) == message[k]  # of E_I too, which has the weights of E_E


def test_a_batch_without_memory_for_its_synapses_says_so(tmp_path, monkeypatch):
    def without_memory(*_):
        raise MemoryError("8 GB")

    monkeypatch.setattr(wiring, "synapses", without_memory)
    found = neurolab.run_sweep([*CONDUCTANCES, "projections.I_E.weight=67nS,70nS"], tmp_path)
    for message in found.table["message"]:
        assert "projections = E_E, E_I memory ran out" in message
