"""Parts of a network exchanged for others: what its file gave the old one, and what is shared."""

from __future__ import annotations

from functools import reduce
from operator import getitem

import pytest
from test_config import problems

import neurolab
from neurolab.api import experiment_of
from neurolab.problems import ConfigError

COBA = ("network=coba_ei", "populations.E.size=30", "populations.I.size=10", "duration=2ms")
E_E = "connectivity@projections.E_E.connectivity"
P = "projections.E_E.connectivity.p"


@pytest.mark.parametrize(
    ("typed", "name", "left_out"),
    [
        ([f"{E_E}=all_to_all"], "AllToAll has no p", P),
        ([f"{E_E}=one_to_one"], "OneToOne has no p", P),
        (
            [f"{E_E}=fixed_indegree", "projections.E_E.connectivity.n=3"],
            "FixedIndegree has no p", P,
        ),
        (
            ["synapse/output@populations.E.receptors.inh.output=current",
             "projections.I_E.weight=-1pA"],
            "Current has no E", "populations.E.receptors.inh.output.E",
        ),
        (
            ["input@populations.E.inputs.drive=poisson", "populations.E.inputs.drive.receptor=exc",
             "populations.E.inputs.drive.weight=1nS"],
            "Poisson has no amplitude", "populations.E.inputs.drive.amplitude",
        ),
        (
            ["neuron@populations.E.neuron=izhikevich", *(  # of R and tau the file says null
                f"~populations.E.neuron.{key}" for key in ("V_rest", "V_reset", "tau_ref"))],
            "Izhikevich has no g_L", "populations.E.neuron.g_L",
        ),
    ],
)  # fmt: skip
def test_what_a_part_has_no_parameter_for_is_left_out(typed, name, left_out):
    found = {problem.key: problem.advice for problem in problems(*COBA, *typed)}
    assert name in found[left_out]
    assert f"~{left_out} leaves it out" in found[left_out]
    run = neurolab.run([*COBA, *typed, f"~{left_out}", "device=cpu"], save=False)
    *part, key = left_out.split(".")
    assert key not in reduce(getattr, part, run.config)


def test_what_a_part_has_a_parameter_for_is_not_left_out():
    (found,) = problems(*COBA, f"~{P}")
    assert found.key == P and "give it a value" in found.advice


def test_points_of_a_sweep_are_refused_in_the_same_words(tmp_path):
    sweep = neurolab.run_sweep(
        [*COBA, f"{E_E}=pairwise_bernoulli,all_to_all", "device=cpu"], tmp_path
    )
    assert list(sweep.table["status"]) == ["completed", "refused"]
    assert "AllToAll has no p" in sweep.table["message"][1]
    assert f"~{P} leaves it out" in sweep.table["message"][1]


@pytest.mark.parametrize(
    ("key", "value", "both", "own"),
    [
        (
            "populations.I.neuron.tau_ref", "2ms", "populations.E.neuron.tau_ref=2ms",
            "+neuron@populations.I.neuron=lif_ref",
        ),
        (
            "populations.I.inputs.drive.amplitude", "3pA",
            "populations.E.inputs.drive.amplitude=3pA",
            "+input@populations.I.inputs.drive=constant",
        ),
        (
            "populations.I.receptors.exc.tau", "3ms", "populations.E.receptors.exc.tau=3ms",
            "+synapse@populations.I.receptors.exc=expon "
            "synapse/output@populations.I.receptors.exc.output=conductance "
            "+synapse@populations.I.receptors.inh=expon "
            "synapse/output@populations.I.receptors.inh.output=conductance",
        ),
    ],
)  # fmt: skip
def test_what_is_shared_is_changed_for_both_or_made_ones_own(key, value, both, own):
    (problem,) = problems(*COBA, f"{key}={value}")
    shared = ".".join(key.split(".")[:3])
    assert key.startswith(problem.key)
    assert f"{shared} is ${{{shared.replace('.I.', '.E.')}}}: {both} changes both" in problem.advice
    assert problem.advice.count("@") == own.count("@")
    assert all(word in problem.advice.split() for word in own.split())
    for typed, alike in (([both], True), ([*own.split(), f"{key}={value}"], False)):
        config = experiment_of([*COBA, *typed, "device=cpu"]).config
        mine, other = (
            reduce(getitem, k.split("."), config) for k in (key, key.replace(".I.", ".E."))
        )
        assert mine == value and (other == value) is alike


@pytest.mark.parametrize("key", ["populations.I.inputs.drive", "populations.I.receptors.inh"])
def test_what_is_shared_is_not_taken_from_both(key):
    """`~populations.I.inputs.drive` took the drive of E, and nobody fired."""
    (problem,) = problems(*COBA, f"~{key}")
    own, other = (".".join(k.split(".")[:3]) for k in (key, key.replace(".I.", ".E.")))
    assert problem.key == key
    both = f"~{key.replace('.I.', '.E.')} changes both"
    assert problem.advice.startswith(f"{own} is ${{{other}}}: {both}, +")
    config = experiment_of([*COBA, "populations.I.inputs={}", "device=cpu"]).config
    assert [list(config["populations"][name]["inputs"]) for name in "EI"] == [["drive"], []]


def test_an_option_for_what_is_shared_is_refused(tmp_path):
    """It was told of without what to type, and hid other mistakes; of a file that chooses one in
    vain, which an interpolation replaces, a swapped option was completed and nothing came of it."""
    swapped, own = "neuron@populations.I.neuron", "populations.I.neuron is ${populations.E.neuron}"
    first, second = problems(*COBA, f"{swapped}=lif", "populations.E.size=-3")
    assert (first.key, second.key) == (swapped, "populations.E.size")
    both = "neuron@populations.E.neuron=lif changes both"
    assert (
        first.advice
        == f"is not used, as {own}: {both}; for an option of its own type +{swapped}=lif"
    )
    typed = [*COBA, f"+{swapped}=lif", "~populations.I.neuron.tau_ref", "device=cpu"]
    config = experiment_of(typed).config
    assert config["populations"]["I"]["neuron"]["_target_"] == "neurolab.neurons.LIF"
    assert config["populations"]["E"]["neuron"]["_target_"] == "neurolab.neurons.LIFRef"
    network = {
        "defaults": [{f"/neuron@populations.{name}.neuron": "lif"} for name in "EI"],
        "populations": {"E": {"size": 2}, "I": {"size": 2, "neuron": "${populations.E.neuron}"}},
    }
    with pytest.raises(ConfigError, match="leave this out of the file"):
        neurolab.run([network, f"{swapped}=izhikevich", "duration=10ms"], save=False)
    with pytest.raises(ConfigError, match="leave this out of the file"):
        neurolab.run_sweep([network, f"{swapped}=lif,if", "duration=10ms"], tmp_path / "sweep")


def test_what_is_typed_for_networks_is_told_by_names_that_they_have():
    (problem,) = problems(*COBA, "neuron.tau=10ms")
    assert problem.advice.endswith("such as populations.E.neuron.tau; network=single has one")
    (problem,) = problems(*COBA, "input.rate=10Hz")
    assert "populations.NAME.input.rate" in problem.advice
    (problem,) = problems(*COBA, f"{E_E}=fixed_indegree".replace("connectivity@", ""))
    assert f"such as {E_E}=fixed_indegree (in defaults /{E_E}: fixed_indegree)" in problem.advice
    (problem,) = problems("network=given_12345678")
    assert "was given in Python; in a folder it is inputs/given_12345678.json" in problem.advice
    # Of a part that is shared once, with what helps.
    exc = "populations.E.receptors.exc"
    with pytest.raises(ConfigError) as caught:
        experiment_of([*COBA, f"synapse@{exc}=nmda", "device=cpu"])
    (problem,) = caught.value.problems
    assert f"~{exc}.tau leaves it out" in problem.advice
    experiment_of([*COBA, f"synapse@{exc}=nmda", f"~{exc}.tau", "device=cpu"])


def test_what_is_another_by_a_relative_name_is_not_taken_from_both():
    """As by `${populations.A.inputs}`; and of one that is another's, which is another's."""
    network = {
        "defaults": [
            {"/neuron@populations.A.neuron": "lif"},
            {"/input@populations.A.inputs.d": "constant"},
        ],
        "populations": {
            "A": {"size": 2},
            "B": {"size": 2, "neuron": "${..A.neuron}", "inputs": "${..A.inputs}"},
            "C": {"size": 2, "neuron": "${populations.B.neuron}", "inputs": "${..B.inputs}"},
        },
    }
    for name in "BC":
        with pytest.raises(ConfigError, match=r"is \$\{populations\.A\.inputs\}: ~populations\.A"):
            experiment_of([network, f"~populations.{name}.inputs.d"])
        with pytest.raises(ConfigError, match=r"populations\.A\.neuron\.tau=5ms changes"):
            experiment_of([network, f"populations.{name}.neuron.tau=5ms"])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("~populations.I.neuron.tau", ["populations.E.neuron.tau is null", "leave this away"]),
        ("~populations.I.neuron.V_th", ["cannot be left out"]),
        ("~input@populations.I.inputs.drive",
         ["populations.I.inputs is ${populations.E.inputs}", "~populations.E.inputs.drive"]),
        ("++populations.I.neuron.tau_ref=4ms",
         ["populations.I.neuron is ${populations.E.neuron}",
          "++populations.E.neuron.tau_ref=4ms changes both"]),
        ("++populations.I.neuron.tau_rev=4ms", ["did you mean 'tau_ref'"]),
    ],
)  # fmt: skip
def test_what_is_typed_of_a_part_that_is_anothers_is_told_by_its_key(typed, words):
    with pytest.raises(ConfigError) as caught:
        experiment_of([*COBA, typed])
    (found,) = caught.value.problems
    assert found.key == typed.lstrip("~+").partition("=")[0]
    assert [word for word in words if word not in found.advice] == [], found.advice


def test_a_value_of_swept_networks_is_typed_as_the_message_says(tmp_path):
    sizes = ["++populations.E.size=30", "++populations.I.size=10"]
    swept = ["network=coba_ei,cuba_ei", *sizes, "duration=1ms", "device=cpu"]
    sweep = neurolab.run_sweep(swept, tmp_path)
    assert [sweep.config(point).populations.E.size for point in range(2)] == [30, 30]
    assert list(sweep.table["status"]) == ["completed"] * 2
