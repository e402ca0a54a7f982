"""Networks spike for spike beside a loop in NumPy, and what projections deliver."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import brainunit as u
import jax
import numpy as np
import pytest

from neurolab.config.experiment import read_experiment
from neurolab.dynamics import parameter
from neurolab.engine import adding
from neurolab.engine import wiring as wirings
from neurolab.engine.program import Program
from neurolab.neurons import Spiking
from neurolab.problems import ConfigError
from neurolab.simulation import divergence
from neurolab.simulation.stepwise import Stepwise

N_STEPS = 400
#: Odd: two devices have shares that differ.
SIZES = {"E": 61, "I": 19}


class Counter(Spiking):
    """Adds up what it gets: in whole mV nothing is rounded, in any precision."""

    C = parameter(0.1 * u.uF, "membrane capacitance", positive=True)
    V_th = parameter(40.0 * u.mV, "firing threshold")
    V_reset = parameter(0.0 * u.mV, "potential after a spike")
    V_initializer = parameter(0.0 * u.mV, "initial potential", initial=True)

    def initial(self):
        return {"V": self.V_initializer}

    def derivatives(self, y, current):
        return {"V": current(y["V"]) / self.C}

    def threshold(self, y):
        return y["V"] - self.V_th

    def height(self, y):
        return self.V_th - self.V_reset


def population(size: int, offset: int = 0) -> dict:
    return {
        "size": size,
        "neuron": {
            "_target_": f"{__name__}.Counter",
            "spk_reset": "hard",
            "V_initializer": [f"{(7 * k + offset) % 40} mV" for k in range(size)],
        },
        # 1 mV in each step of 0.1 ms: 0.1 uF * 1 mV / 0.1 ms = 1 uA
        "inputs": {"drive": {"_target_": "neurolab.inputs.Constant", "amplitude": "1 uA"}},
    }


def network(rule: dict, delay="0.1 ms", weight="3 mV", inhibition="-4 mV", **more) -> dict:
    rule = {"_target_": f"neurolab.connectivity.{rule.pop('name')}", **rule}

    def projection(source, target, weight):
        return {
            "from": source,
            "to": target,
            "connectivity": rule,
            "weight": weight,
            "delay": delay,
        }

    return {
        "populations": {"E": population(SIZES["E"]), "I": population(SIZES["I"], 13)},
        "projections": {
            "E_E": projection("E", "E", weight),
            "E_I": projection("E", "I", weight),
            "I_E": projection("I", "E", inhibition),
        },
        "dt": "0.1 ms",
        "duration": "40 ms",
        "seed": 3,
        "integrator": {"_target_": "neurolab.integrators.ExpEuler"},
        "device": {"precision": "float32"},
        "tracker": {"_target_": "neurolab.trackers.NoTracker"},
        **more,
    }


def computed(experiment, devices=None, steps=(N_STEPS,), program=None) -> np.ndarray:
    """Who fired in which step, [step, neuron]."""
    program = program or Program(experiment.structure, max(steps), devices)
    numbers = program.place(experiment.numbers)
    state, at = program.start(numbers), 0
    fired = np.zeros((sum(steps), experiment.structure.size), bool)
    for n in steps:
        state, records = program.advance(numbers, state, n)
        _, step, neuron = program.spikes(records, at, n)
        fired[step, neuron] = True
        at += n
    return fired


def synapses_of(experiment) -> list[tuple[int, int, int, float]]:
    """Source, target, delay in steps and weight of every synapse; neurons through all."""
    structure, numbers = experiment.structure, experiment.numbers
    begin = {group.prefix: structure.first(group) for group in structure.populations}
    synapses = []
    for wiring in structure.projections:
        source, target, slot, weight = drawn_of(structure, wiring, numbers)
        same = float(numbers[wiring.key("weight")]) if weight is None else 0.0
        weights = np.full(len(source), same) if weight is None else weight
        for s, t, d, w in zip(source, target, slot, weights, strict=True):
            delay = int(d) + wiring.delays[0]
            synapses.append((s + begin[wiring.source], t + begin[wiring.target], delay, w))
    return synapses


def drawn_of(structure, wiring, numbers):
    """Source, target, delay above the least in steps and weight of each synapse."""
    row, target, weight = wirings.synapses(structure, wiring, numbers)
    source, slot = np.divmod(row, wiring.delays[1] - wiring.delays[0] + 1)
    return source, target, slot, weight


def by_hand(experiment, synapses=None) -> np.ndarray:
    """The same as plain loops: every spike, and every synapse of it, by itself."""
    sizes = [group.size for group in experiment.structure.populations]
    offsets = [0, 13]
    V = np.concatenate([(7.0 * np.arange(n) + o) % 40 for n, o in zip(sizes, offsets, strict=True)])
    synapses = synapses_of(experiment) if synapses is None else synapses
    arriving = np.zeros((N_STEPS + 200, sum(sizes)))
    fired = np.zeros((N_STEPS, sum(sizes)), bool)
    of = [[] for _ in range(sum(sizes))]
    for s, t, d, w in synapses:
        of[s].append((t, d, w))
    before = V >= 40
    for i in range(N_STEPS):
        V = np.where(before, 0.0, V) + 1.0 + arriving[i]
        before = fired[i] = V >= 40
        for s in np.flatnonzero(fired[i]):
            for t, d, w in of[s]:
                arriving[i + 1 + d, t] += w
    return fired


RULES = {
    "all_to_all": {"name": "AllToAll", "autapses": False},
    "bernoulli": {"name": "PairwiseBernoulli", "p": 0.2},
    "indegree": {"name": "FixedIndegree", "n": 8},
    "outdegree": {"name": "FixedOutdegree", "n": 8, "multapses": False},
    "total": {"name": "FixedTotalNumber", "n": 2500},  # rows long enough for groups
    "poisson": {"name": "PairwisePoisson", "mean": 0.15},
}
MIXED = ["uniform", "0.1 ms", "1.5 ms"]


@pytest.mark.parametrize("delay", ["0.1 ms", "1.5 ms", MIXED], ids=["1", "15", "mixed"])
@pytest.mark.parametrize("rule", RULES)
def test_a_network_fires_as_it_does_by_hand(rule, delay):
    experiment = read_experiment(network(dict(RULES[rule]), delay))
    expected = by_hand(experiment)
    assert expected[:, : SIZES["E"]].any() and expected.sum() > 100
    assert np.array_equal(computed(experiment), expected)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_synapses_have_weights_and_delays_of_their_own(precision):
    given = network(
        dict(RULES["bernoulli"]), MIXED, ["uniform", "1 mV", "5 mV"], ["uniform", "-6 mV", "-2 mV"],
        device={"precision": precision},
    )  # fmt: skip
    experiment = read_experiment(given)
    assert np.array_equal(computed(experiment), by_hand(experiment))


@pytest.mark.parametrize("unit", ["mV", "uV"])
def test_what_ends_at_the_same_receptors_is_one_sum(unit):
    """Of both sources, whose delays differ, in whatever unit their weights are typed."""
    factor = {"mV": 1, "uV": 1000}[unit]
    given = network(
        dict(RULES["bernoulli"]), MIXED, ["uniform", "1 mV", "5 mV"],
        ["uniform", f"{-6 * factor} {unit}", f"{-2 * factor} {unit}"],
    )  # fmt: skip
    own = given["projections"]
    own["I_E"]["delay"] = ["uniform", "0.4 ms", "7 ms"]
    own["I_I"] = own["I_E"] | {"to": "I"}
    experiment = read_experiment(given)
    assert len(experiment.structure.bundles) == 2
    assert len(experiment.structure.sums) == 1
    assert np.array_equal(computed(experiment), by_hand(experiment))
    own["I_I"]["weight"] = "-3 mV"  # a sum of numbers of spikes, and one of weights
    experiment = read_experiment(given)
    assert len(experiment.structure.sums) == len(experiment.structure.bundles) == 3
    assert np.array_equal(computed(experiment), by_hand(experiment))


@pytest.mark.parametrize("size", [32_000, 33_000])
def test_spikes_of_many_are_counted(size):
    """All of a population at once, in as few bits as hold their number: 33,000 are above 2^15."""
    given = network({"name": "PairwiseBernoulli", "p": 1.0}, weight="1 uV")
    given["projections"] = {"E_I": given["projections"]["E_I"]}
    given["populations"] = {"E": population(size), "I": population(2)}
    given["populations"]["E"]["neuron"]["V_initializer"] = "39 mV"
    experiment = read_experiment(given)
    program = Program(experiment.structure, 10)
    numbers = program.place(experiment.numbers)
    state, _ = program.advance(numbers, program.start(numbers), 3)
    V = np.asarray(state["populations.I.neuron.V"])
    np.testing.assert_allclose(V, np.array([0, 7]) + 3 + size * 1e-3, rtol=1e-6)


def test_long_rows_of_synapses_have_weights_of_their_own():
    """Of which several are added in one turn, of three projections in one table."""
    experiment = read_experiment(
        network(dict(RULES["total"]), "0.3 ms", ["uniform", "0.1 mV", "0.4 mV"])
    )
    assert np.array_equal(computed(experiment), by_hand(experiment))


def test_neither_devices_nor_chunks_matter():
    """In a process that has two: this one has as many as whatever used JAX first asked for."""
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run(
        [sys.executable, "-c", "import test_network; test_network.devices_and_chunks()"],
        env=environment, cwd=Path(__file__).parent, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def devices_and_chunks() -> None:
    assert len(jax.devices()) == 2
    for delay in ("0.1 ms", "1.5 ms", MIXED):
        check_devices_and_chunks(delay, "bernoulli", ["uniform", "1 mV", "5 mV"])
    check_devices_and_chunks("0.2 ms", "all_to_all", "1 mV")
    check_devices_and_chunks("0.2 ms", "total", "1 mV")
    check_arrays_of_shards()


def check_arrays_of_shards() -> None:
    """Devices have places for 62 of the 61 neurons: nobody is told of the last."""
    given = network(dict(RULES["bernoulli"]), "0.3 ms")
    experiment = replace(read_experiment(given), devices=tuple(jax.devices()[:2]))
    alone = replace(experiment, devices=experiment.devices[:1])
    two, one = Stepwise(experiment), Stepwise(alone)
    for sim in (two, one):
        sim.advance(10 * u.ms)
        assert sim.state["E.V"].shape == (61,)
        sim.state["E.V"] = np.linspace(0, 39, 61) * u.mV
        sim.numbers["projections.E_E.weight"] = "2 mV"
        sim.advance(10 * u.ms)
    for name in one.state:
        np.testing.assert_array_equal(*(sim.state[name].mantissa if hasattr(
            sim.state[name], "mantissa") else sim.state[name] for sim in (two, one)))  # fmt: skip
    V = np.zeros(62, np.float32)
    V[3], V[5] = np.inf, -np.inf
    told = divergence._what(two._computation, {"populations.E.neuron.V": V}, 0, 20, 5)
    assert told.startswith("E.V became -inf")
    program = two._computation.program
    numbers = program.place(experiment.numbers)

    def final(weight):
        changed = dict(experiment.numbers) | {"projections.E_E.weight": weight}
        state, _ = program.advance(changed, program.start(changed), 30)
        return state["populations.E.neuron.V"][:61].sum()

    value, slope = jax.jvp(final, (np.float32(3),), (np.float32(1),))
    state, _ = program.advance(numbers, program.start(numbers), 30)
    assert float(value) == float(np.asarray(state["populations.E.neuron.V"])[:61].sum())
    assert np.isfinite(slope)


def check_devices_and_chunks(delay, rule, weight) -> None:
    given = network(dict(RULES[rule]), delay, weight)
    experiment = read_experiment(given)
    once = computed(experiment)
    assert once.any()
    assert np.array_equal(computed(experiment, jax.devices()[:2]), once)
    assert np.array_equal(computed(experiment, steps=(7, 1, 200, 15, 177)), once)
    assert np.array_equal(computed(experiment, jax.devices()[:2], steps=(7, 1, 200, 192)), once)


def weights_count(experiment) -> np.ndarray:
    """How the potentials follow from a change of all weights of E's synapses."""
    program = Program(experiment.structure, 100)
    numbers = program.place(experiment.numbers).arguments | dict(experiment.numbers)
    (key,) = (k for k in numbers if k.endswith(".weights") and "E_E" in k)

    def final(weights):
        changed = numbers | {key: weights}
        return program.advance(changed, program.start(changed), 45)[0]["populations.E.neuron.V"]

    table = numbers[key]
    return np.asarray(jax.jvp(final, (table,), (np.ones(table.shape, np.float32),))[1])


def test_derivatives_by_weights_do_not_depend_on_how_they_are_added(monkeypatch):
    """Of weights as whole multiples of a quantum they would be 0."""
    given = network(dict(RULES["bernoulli"]), "0.3 ms", ["uniform", "1 mV", "5 mV"])
    experiment = read_experiment(given)
    in_turn = weights_count(experiment)
    monkeypatch.setattr(adding, "_in_turn", adding._together)
    together = weights_count(experiment)
    assert np.abs(in_turn).sum() > 10
    np.testing.assert_allclose(together, in_turn, rtol=1e-5)


def test_changing_a_number_draws_no_synapses_again(monkeypatch):
    drawn = []
    synapses = wirings.synapses
    monkeypatch.setattr(wirings, "synapses", lambda *args: drawn.append(1) or synapses(*args))
    sim = Stepwise(read_experiment(network(dict(RULES["total"]))))
    assert len(drawn) == 3
    for weight in ("1 mV", "2 mV"):
        sim.numbers["projections.E_E.weight"] = weight
        sim.advance(1 * u.ms)
    assert len(drawn) == 3


def test_what_processors_add_in_turn_other_devices_add_together(monkeypatch):
    """Sums of whole multiples of a quantum, in any order, and sums of float32 in one."""
    given = network(dict(RULES["bernoulli"]), MIXED, ["uniform", "1 mV", "5 mV"])
    experiment = read_experiment(given)
    once = computed(experiment)
    monkeypatch.setattr(adding, "_in_turn", adding._together)
    monkeypatch.setattr(adding, "_TOGETHER", 64)
    assert np.array_equal(computed(experiment), once)
    for rule in ("total", "all_to_all"):
        grouped = read_experiment(network(dict(RULES[rule]), "0.3 ms"))
        assert np.array_equal(computed(grouped), by_hand(grouped))
    counts = read_experiment(network(dict(RULES["indegree"]), "0.3 ms"))
    assert np.array_equal(computed(counts), by_hand(counts))


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"from": "X"}, "projections.E_I.from", "is no population"),
        ({"delay": "0.05 ms"}, "projections.E_I.delay", "less than a step"),
        ({"weight": "3 nS"}, "projections.E_I.weight", "expected"),
        ({"weight": None}, "projections.E_I.weight", "is needed"),
        (
            {"weight": ["1 mV"] * 2},
            "projections.E_I.weight",
            "each neuron of the target I (19)",
        ),
        ({"weight": ["uniform", "1 mV", "0 mV"]}, "projections.E_I.weight", "less than `high`"),
        ({"weight": ["normal", "1 mV", "-1 mV"]}, "projections.E_I.weight", "non-negative"),
        ({"weight": ["lognormal", "-1 mV", "1 mV"]}, "projections.E_I.weight", "positive"),
        (
            {"delay": ["truncated_normal", "1 ms", "-1 ms", "0.5 ms", "2 ms"]},
            "projections.E_I.delay",
            "non-negative",
        ),
        (
            {"delay": ["truncated_normal", "1 ms", "1 ms", "2 ms", "0.5 ms"]},
            "projections.E_I.delay",
            "less than `high`",
        ),
        ({"receptor": "ampa"}, "projections.E_I.receptor", "names no receptor"),
        ({"connectivity": None}, "projections.E_I.connectivity._target_", "expected"),
        ({"p": 3}, "projections.E_I.p", "weight"),
    ],
)
def test_what_cannot_be_is_refused(change, key, words):
    given = network(dict(RULES["bernoulli"]))
    given["projections"]["E_I"] |= change
    with pytest.raises(ConfigError) as error:
        read_experiment(given)
    assert [problem.key for problem in error.value.problems] == [key]
    assert words in str(error.value)


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "PairwiseBernoulli", "p": 1.2},
        {"name": "FixedIndegree", "n": 100, "multapses": False},
        {"name": "FixedTotalNumber", "n": 10**6, "multapses": False},
        {"name": "OneToOne"},
    ],
    ids=lambda rule: rule["name"],
)
def test_what_cannot_be_drawn_is_refused(rule):
    with pytest.raises(ConfigError, match="connectivity"):
        read_experiment(network(rule))


@pytest.mark.parametrize(
    ("weight", "fits"),
    [
        (["uniform", "-6 mS", "-1 mS"], False),
        (["uniform", "-1 mS", "6 mS"], False),
        (["normal", "6 mS", "6 mS"], False),
        (["truncated_normal", "6 mS", "6 mS", "-1 mS", "9 mS"], False),
        (["normal", "6 mS", "1 mS"], True),
        (["uniform", "0 mS", "6 mS"], True),
        (["truncated_normal", "6 mS", "6 mS", "0 mS", "12 mS"], True),
        (["lognormal", "6 mS", "60 mS"], True),
        (["exponential", "6 mS"], True),
    ],
    ids=str,
)
def test_weights_that_are_drawn_for_a_conductance_are_not_negative(weight, fits):
    """They were, and a run with them was completed."""
    given = network(dict(RULES["indegree"]))
    conductance = {"_target_": "neurolab.synapses.Conductance", "E": "0 mV"}
    receptor = {"_target_": "neurolab.synapses.Expon", "output": conductance}
    given["populations"]["I"]["receptors"] = {"ampa": receptor}
    given["projections"]["E_I"] |= {"receptor": "ampa", "weight": weight}
    if fits:
        experiment = read_experiment(given)
        (wiring,) = (one for one in experiment.structure.projections if one.name.endswith("E_I"))
        drawn = wirings.synapses(experiment.structure, wiring, experiment.numbers)
        assert drawn.weight.min() >= 0
        return
    with pytest.raises(ConfigError) as error:
        read_experiment(given)
    (problem,) = error.value.problems
    assert problem.key == "projections.E_I.weight" and problem.given == f"[{', '.join(weight)}]"
    n = re.search(r"must be zero or positive.*but (\d+) of 152 values are not", problem.advice)
    share = {"uniform": 1.0 if weight[2] == "-1 mS" else 1 / 7, "normal": 0.1587}
    expected = 152 * share.get(weight[0], 0.0649)  # (F(-1) - F(-7/6)) / (F(1/2) - F(-7/6))
    assert n and abs(int(n[1]) - expected) <= 4 * np.sqrt(expected)


def test_more_synapses_than_a_table_can_number_are_refused(monkeypatch):
    monkeypatch.setattr(wirings, "available", lambda: np.inf)  # whatever memory there is
    given = network({"name": "FixedIndegree", "n": 10**8})
    with pytest.raises(ConfigError, match="2\\^31"):
        read_experiment(given)


def test_a_network_that_memory_cannot_hold_is_refused():
    """Before any of its synapses is drawn: 1.41e13 of them."""
    given = network({"name": "FixedIndegree", "n": 10**11})
    with pytest.raises(ConfigError, match=r"1.41e\+13 synapses") as error:
        read_experiment(given)
    assert [problem.key for problem in error.value.problems] == ["projections"]
