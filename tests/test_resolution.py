"""Steps that do not follow a neuron at rest are refused, or warned of; others are silent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_receptors import problems, read

import neurolab
from neurolab.config import resolution
from neurolab.config.resolution import unresolved
from neurolab.neurons import AdExIFRef

CELL = ("C=200pF", "g_L=10nS", "V_rest=-60mV", "V_th=-50mV", "V_reset=-60mV", "V_T=-52mV",
        "V_initializer=-60mV", "tau_ref=5ms", "spk_reset=hard")  # fmt: skip
#: a = 1 S is left, 10^8 times g_L: V and w turn at sqrt(a / (C tau_w)) = 408 / ms.
ADEX = ("neuron=adexif_ref", *(f"neuron.{one}" for one in CELL), "input=constant",
        "input.amplitude=0pA", "size=1", "duration=2ms", "device=cpu")  # fmt: skip
#: Half of the sum of both decays, 1/20 ms and 1/30 ms, in 0.1 ms.
DAMPS = 0.1 * (1 / 20 + 1 / 30) / 2
CONF = Path(neurolab.__file__).parents[1] / "conf"
SHIPPED = [
    f"{group}={path.relative_to(CONF / group).with_suffix('')}"
    for group in ("neuron", "network", "experiment")
    for path in sorted((CONF / group).rglob("*.yaml"))
]


class Own(AdExIFRef):
    """Derivatives that take no arrays of NumPy."""

    def derivatives(self, y, current):
        return {name: value.at[0].mul(1.0) / (1 / neurolab.u.ms) for name, value in y.items()}


def turning(radians):
    """An a for which V and w turn by so much in a step of 0.1 ms."""
    return f"neuron.a={(radians / 0.1) ** 2 * 200 * 30:g}nS"


@pytest.mark.parametrize("integrator", ["exp_euler", "euler", "heun", "rk4"])
def test_a_step_that_amplifies_what_the_neuron_damps_is_refused(integrator):
    """It ran away to V = 1e30 mV, fired at 200 Hz without input, and said completed."""
    (problem,) = problems(*ADEX, f"integrator={integrator}")
    assert problem.key == "neuron"
    assert "0.0024 ms" in problem.advice and "dt = 0.1 ms" in problem.advice
    assert "neuron.a = 1 S" in problem.advice and "neuron.V_rest" not in problem.advice


@pytest.mark.parametrize(
    ("integrator", "bound"),
    [("exp_euler", 2.0), ("euler", (2 * DAMPS) ** 0.5), ("heun", (8 * DAMPS) ** 0.25),
     ("rk4", 8**0.5)],
)  # fmt: skip
def test_where_steps_begin_to_amplify(integrator, bound):
    """Exponential Euler, which is Gauss-Seidel, at 2 radians, and RK4 at 2 sqrt 2; Euler and Heun
    amplify x radians by 1 + x^2 / 2 and 1 + x^4 / 8 (Hairer & Wanner 1996, IV.2), against the
    damping.  Below, those of few steps are warned of."""
    given = (*ADEX, f"integrator={integrator}")
    assert "amplify" in problems(*given, turning(1.05 * bound))[0].advice
    warnings = [one.advice for one in read(*given, turning(0.95 * bound)).warnings]
    assert any("large errors" in one for one in warnings) == (bound > 1.1)


def test_decays_that_an_integrator_does_not_follow():
    """Euler's step of a decay is 1 - dt / tau; exponential Euler's is exact.  One variable alone is
    warned of: it diverges, and a run says so."""

    def told(*given):
        return [one.key for one in read("neuron=lif", *given).warnings if "ampl" in one.advice]

    assert told("neuron.tau=0.04ms", "integrator=euler") == ["neuron"]
    assert told("neuron.tau=0.06ms", "integrator=euler") == told("neuron.tau=0.04ms") == []


def test_one_neuron_of_many_is_enough():
    values = ",".join(["2nS"] * 298 + ["1S", "2nS"])
    assert problems(*ADEX, "size=300", f"neuron.a=[{values}]")[0].key == "neuron"


def test_a_population_of_a_network_is_told_by_its_key():
    given = ["network=coba_ei", "neuron@populations.E.neuron=adexif_ref", "populations.E.size=2"]
    given += [f"populations.E.neuron.{one}" for one in CELL]
    found = {one.key: one.advice for one in problems(*given)}
    assert "populations.E.neuron.a = 1 S" in found["populations.E.neuron"]


def test_points_of_a_sweep_are_refused_each_by_itself(tmp_path):
    sweep = neurolab.run_sweep([*ADEX, "neuron.a=2nS,1S,3nS"], tmp_path)
    assert list(sweep.table["status"]) == ["completed", "refused", "completed"]
    assert "amplify" in sweep.table["message"][1]


@pytest.mark.parametrize("size", [1, 2])
def test_points_whose_numbers_are_drawn_are_looked_at_too(tmp_path, size):
    drawn = "neuron.a=[uniform,1nS,3nS],[uniform,1S,3S]"
    sweep = neurolab.run_sweep([*ADEX, f"size={size}", drawn], tmp_path)
    assert list(sweep.table["status"]) == ["completed", "refused"]


@pytest.mark.parametrize("option", SHIPPED)
def test_what_is_shipped_is_followed(option):
    size = ["size=1"] if option.startswith("neuron") else []
    drive = ["input=none", "synapse=none"] if option.startswith("neuron") else []
    experiment = read(option, *size, *drive)
    assert unresolved(experiment.structure, experiment.numbers) == []


def test_a_neuron_without_rest_or_of_ones_own_is_left_alone():
    read("neuron=naud2008/delayed_regular_bursting", "input=none", "synapse=none")
    typed = (f"neuron._target_={__name__}.Own", "input=none", "synapse=none")
    found = read("neuron=adexif_ref", *typed)
    assert unresolved(found.structure, found.numbers) == []


def test_points_with_the_same_neuron_are_looked_at_once(monkeypatch):
    """Of 10,000 points and two values of a the neuron is built with two."""
    found, sizes = read(*ADEX, "neuron.a=2nS"), []
    build = type(found.structure.populations[0].neuron).build
    monkeypatch.setattr(
        type(found.structure.populations[0].neuron), "build",
        lambda self, size, *rest: (sizes.append(size), build(self, size, *rest))[1],
    )  # fmt: skip
    a = np.where(np.arange(10_000) % 2, 1.0, 2e-9)
    ((_, points, certain),) = unresolved(
        found.structure, {**found.numbers, "neuron.a": a, "input.amplitude": a}, a.size
    )
    assert certain and points.tolist() == list(range(1, 10_000, 2))
    assert max(sizes) < 100


def test_points_of_many_different_neurons_are_looked_at_in_bounded_memory():
    """Of 1,000 neurons at 20,000 points 100 each would be 2 million; fewer of each are enough."""
    found = read(*ADEX, "size=1000", "neuron.a=[uniform,1nS,3nS]")
    tau = np.linspace(20, 40, 20_000)
    rows, which = resolution._rows(
        found.structure.populations[0], {**found.numbers, "neuron.tau_w": tau}, tau.size
    )
    assert which.shape[0] == tau.size
    assert rows["neuron.a"].size <= 2e5
    least, most = found.numbers["neuron.a"].min(), found.numbers["neuron.a"].max()
    assert rows["neuron.a"].min() == least and rows["neuron.a"].max() == most


@pytest.mark.parametrize("target", ["LIFRef", "AdExIFRef"])
def test_a_neuron_of_which_no_number_is_given_is_looked_at(target):
    """As in a mapping: it has its class's own."""
    cell = {"_target_": f"neurolab.neurons.{target}"}
    given = {"populations": {"A": {"size": 3, "neuron": cell}}}
    run = neurolab.run([given, "duration=1ms"], save=False)
    assert run.summary["status"] == "completed"
    one = neurolab.run(
        [f"neuron._target_={cell['_target_']}", "size=3", "duration=1ms"], save=False
    )
    assert one.summary["status"] == "completed"
