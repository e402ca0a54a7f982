"""A population has any number of receptors, and each input names the one that it feeds."""

from __future__ import annotations

import numpy as np
import pytest

import neurolab
from neurolab.cli.compose import compose_config, effective
from neurolab.config.experiment import read_experiment
from neurolab.problems import ConfigError

CELL = ("neuron=lif_ref", "neuron.spk_reset=hard", "neuron.V_rest=-65mV", "neuron.V_th=-50mV",
        "neuron.V_reset=-60mV", "neuron.tau=10ms", "neuron.tau_ref=2ms", "neuron.R=100Mohm",
        "neuron.V_initializer=-65mV")  # fmt: skip
BOTH = ("synapse=ampa", "+synapse@receptors.gaba=gaba_a")
INHIBITION = ("+input@inputs.inhibition=poisson", "inputs.inhibition.receptor=gaba")


def read(*overrides):
    return read_experiment(effective(compose_config(overrides), overrides))


def problems(*overrides):
    with pytest.raises(ConfigError) as caught:
        read(*overrides)
    return caught.value.problems


def restated(exciting, inhibiting, n_steps, dt=0.1):
    """V and both conductances after each step, and the steps of spikes: exponential Euler for
    ``tau dV/dt = V_rest - V + R (g_e (0 - V) + g_i (-80 mV - V))`` with the mean of g, in ms, mV
    and 1/R."""
    V, g, last = -65.0, np.zeros(2), -(10**8)
    tau, E = np.array([5.26, 5.56]), np.array([0.0, -80.0])
    rows, fired = [], []
    for n in range(n_steps):
        g = g + 0.1 * np.array([2.0 * exciting[n], 5.0 * inhibiting[n]])  # nS * 100 Mohm
        mean = g * (1 - np.exp(-dt / tau)) * tau / dt
        if last == n - 1:
            V = -60.0
        if n - last >= 20:
            total = 1.0 + mean.sum()
            V = V + (-65.0 + mean @ E - total * V) * (1 - np.exp(-total * dt / 10.0)) / total
            if V >= -50.0:
                last = n
                fired.append(n)
        g = g * np.exp(-dt / tau)
        rows.append([V, *g])
    return np.array(rows), np.array(fired)


def test_excitation_and_inhibition_on_one_cell(tmp_path):
    """Step by step what a loop written from the equations gives; g is recorded at the end of each
    step, as V is."""
    rng, n_steps = np.random.default_rng(2), 4000
    trains = {}
    for name, rate in (("e", 0.12), ("i", 0.04)):
        trains[name] = rng.poisson(rate, n_steps)
        steps = np.repeat(np.arange(n_steps), trains[name])
        np.save(tmp_path / f"{name}.npy", np.column_stack([steps * 0.1, np.zeros(steps.size)]))
    run = neurolab.run(
        [*CELL, *BOTH, "size=1", "duration=400ms", "device=cpu", "device.precision=float64",
         "input=spikes_from_file", f"input.file={tmp_path}/e.npy", "input.weight=2nS",
         "+input@inputs.inhibition=spikes_from_file", "inputs.inhibition.receptor=gaba",
         f"inputs.inhibition.file={tmp_path}/i.npy", "inputs.inhibition.weight=5nS",
         "record=full", "record.variables=[V,synapse.g,receptors.gaba.g]"],
        save=False,
    )  # fmt: skip
    rows, fired = restated(trains["e"], trains["i"], n_steps)
    assert fired.size > 5
    np.testing.assert_allclose(run.spikes["time"].values, 0.1 * (fired + 1), rtol=1e-12)
    np.testing.assert_allclose(run.traces["V"].values[:, 0], rows[:, 0], rtol=1e-10)
    for name, column in (("synapse.g", 1), ("receptors.gaba.g", 2)):
        g = run.traces[name].values[:, 0] * {"S": 1e8, "nS": 0.1}[run.traces[name].units]
        np.testing.assert_allclose(g, rows[:, column], rtol=1e-9, atol=1e-12)


def test_a_conductance_is_in_the_unit_of_the_input_that_feeds_it():
    """Not in that of the first input: 3 nS of inhibition read 0.003 uS."""
    run = neurolab.run(
        [*CELL, *BOTH, *INHIBITION, "input.weight=0.005uS", "inputs.inhibition.weight=3nS",
         "size=1", "duration=5ms", "record.variables=[synapse.g,receptors.gaba.g]"],
        save=False,
    )  # fmt: skip
    assert run.traces["synapse.g"].units == "uS"
    assert run.traces["receptors.gaba.g"].units == "nS"


def test_inhibition_inhibits():
    """With the default weight: its sign is that of its effect, by the reversal potential."""
    given = [*CELL, *BOTH, "size=20", "duration=300ms", "input.rate=60Hz", "device=cpu"]
    alone = neurolab.run(given, save=False).summary["rate_hz_mean"]
    both = neurolab.run([*given, *INHIBITION], save=False).summary["rate_hz_mean"]
    only = neurolab.run([*CELL, "synapse=gaba_a", "size=20", "duration=300ms", "record=full",
                         "device=cpu"], save=False)  # fmt: skip
    assert both < 0.8 * alone
    assert only.summary["rate_hz_mean"] == 0
    assert -80.0 < only.traces["V"].values.mean() < -65.5
    assert only.traces["synapse.g"].values.min() >= 0


def test_points_of_a_sweep_are_what_they_are_alone(tmp_path):
    keys = {"receptors.gaba.tau": ["3ms", "9ms"], "inputs.inhibition.weight": ["1nS", "4nS"]}
    given = [*CELL, *BOTH, *INHIBITION, "input.weight=4nS", "size=5", "duration=100ms"]
    axes = [f"{key}={','.join(values)}" for key, values in keys.items()]
    swept = neurolab.run_sweep([*given, *axes], tmp_path)
    for k, tau in enumerate(keys["receptors.gaba.tau"]):
        alone = neurolab.run([*given, f"receptors.gaba.tau={tau}", "inputs.inhibition.weight=4nS"],
                             save=False)  # fmt: skip
        assert alone.summary["spike_count"] > 0
        assert alone.summary["spike_count"] == swept[2 * k + 1].summary["spike_count"]


@pytest.mark.parametrize(
    ("given", "key", "words"),
    [
        ((*BOTH, "input.weight=-1nS"), "input.weight", ["zero or positive", "inhibitory"]),
        (("synapse=gaba_a", "input.weight=-1rheobase*ms"), "input.weight", ["zero or positive"]),
        ((*BOTH, *INHIBITION, "inputs.inhibition.weight=1mA"), "inputs.inhibition.weight",
         ["conductance"]),
        ((*BOTH, "input.receptor=nmda"), "input.receptor", ["no receptor", "synapse or gaba"]),
        (("input.receptor=gaba",), "input.receptor", ["+synapse@receptors.gaba=expon"]),
        (("+synapse@receptors.a=ampa", "+synapse@receptors.b=ampa"), "input.receptor",
         ["is needed", "a or b"]),
        (("+receptors.gaba=expon",), "receptors.gaba", ["+synapse@receptors.gaba=expon"]),
        (("receptors=expon",), "receptors", ["+synapse@receptors.gaba=expon"]),
        (("+synapse@receptors.a=ampa", "receptors.a.tua=3ms", "input.receptor=a"),
         "receptors.a.tua", ["tau"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_receptors_is_said(given, key, words):
    (problem,) = problems("neuron=lif", *given)
    assert problem.key == key
    for word in words:
        assert word in problem.advice


def test_an_input_feeds_the_only_receptor():
    """Where there is one, whatever its name, and where there is none, the potential."""
    one = read("neuron=lif", "+synapse@receptors.ampa=ampa", "input.weight=1nS")
    assert "receptors.ampa.tau" in one.numbers
    assert read("neuron=lif", "input.weight=1mV").structure.populations[0].receptors == ()


def test_a_conductance_does_not_begin_below_zero():
    """Weights through one are refused where they are negative; a current may be of either sign."""
    given = ("neuron=lif", "synapse=expon", "input=poisson")
    (problem,) = problems(*given, "synapse/output=conductance", "synapse.g_initializer=-5nS")
    assert problem.key == "synapse.g_initializer" and "zero or positive" in problem.advice
    assert read(*given, "synapse.g_initializer=-5mA").numbers["synapse.g_initializer"] == -5
