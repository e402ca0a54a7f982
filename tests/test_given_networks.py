"""A network as a mapping, in Python."""

from __future__ import annotations

import brainunit as u
import numpy as np
import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

import neurolab
from neurolab.cli.given import option_of
from neurolab.problems import ConfigError

OWN = {
    "defaults": [
        {"/neuron@populations.E.neuron": "lif_ref"},
        {"/input@populations.E.inputs.drive": "poisson"},
        {"/connectivity@projections.E_E.connectivity": "fixed_indegree"},
    ],
    "populations": {"E": {"size": 50, "neuron": {"tau": "10 ms"}}},
    "projections": {
        "E_E": {
            "from": "E", "to": "E", "connectivity": {"n": 5}, "weight": "0.02 mV",
            "delay": "1.5 ms",
        }
    },
}  # fmt: skip
FILE = """# @package _global_
# Cells that excite each other.
defaults:
  - /neuron@populations.E.neuron: lif_ref
  - /input@populations.E.inputs.drive: poisson
  - /connectivity@projections.E_E.connectivity: fixed_indegree
  - override /neuron: null
  - override /synapse: none
  - override /input: none
  - _self_
size: null
populations:
  E: {size: 50, neuron: {tau: 10 ms}}
projections:
  E_E: {from: E, to: E, connectivity: {n: 5}, weight: 0.02 mV, delay: 1.5 ms}
"""
SHORT = ("duration=100ms", "device=cpu")


def test_a_mapping_is_the_file_of_a_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "network").mkdir(parents=True)
    (tmp_path / "conf" / "network" / "own.yaml").write_text(FILE)
    of_file = neurolab.run(["network=own", *SHORT], save=False)
    given = neurolab.run([OWN, *SHORT], tmp_path / "run")
    assert given.spikes.sizes["spike"] == of_file.spikes.sizes["spike"] > 20
    assert np.array_equal(given.spikes["neuron"], of_file.spikes["neuron"])
    assert given.config.populations.E.neuron.tau == "10 ms"
    assert given.config.populations.E.neuron._target_ == "neurolab.neurons.LIFRef"


def test_what_is_typed_counts_after_the_mapping(tmp_path):
    swept = neurolab.run_sweep(
        [OWN, "projections.E_E.weight=0mV,0.02mV,0.2mV", *SHORT], tmp_path / "sweep"
    )
    counts = [swept[k].spikes.sizes["spike"] for k in range(3)]
    assert counts == sorted(counts) and counts[0] < counts[2]
    alone = neurolab.run([OWN, *SHORT], save=False)
    assert counts[1] == alone.spikes.sizes["spike"]
    fewer = neurolab.run([OWN, "populations.E.size=20", *SHORT], save=False)
    assert fewer.n_neurons == 20


def test_another_mapping_is_another_network():
    other = OWN | {"populations": {"E": {"size": 30}}}
    runs = [neurolab.run([one, *SHORT], save=False) for one in (OWN, other, OWN)]
    assert [run.n_neurons for run in runs] == [50, 30, 50]


def test_mistakes_in_a_mapping_are_told_with_their_keys():
    wrong = OWN | {"projections": {"E_E": OWN["projections"]["E_E"] | {"from": "F"}}}
    with pytest.raises(ConfigError) as error:
        neurolab.run([wrong, *SHORT], save=False)
    assert [problem.key for problem in error.value.problems] == ["projections.E_E.from"]
    with pytest.raises(ConfigError, match="give a list"):
        neurolab.run(OWN)


def test_arrays_and_quantities_are_what_a_file_has():
    """A value for each neuron is an array, a time a quantity; names are texts."""
    V = np.linspace(-0.5, 0.5, 12, dtype=np.float32)
    cell = {"_target_": "neurolab.neurons.LIFRef", "tau": 10 * u.ms}
    drive = {"_target_": "neurolab.inputs.Constant", "amplitude": np.linspace(1, 3, 12) * u.mA}
    first = {
        "size": np.int64(12), "neuron": cell | {"V_initializer": V * u.mV}, "inputs": {"d": drive},
    }  # fmt: skip
    rule = {"_target_": "neurolab.connectivity.PairwiseBernoulli", "p": np.float64(0.5)}
    own = {
        "populations": {"P1": first, "P2": {"size": 3, "neuron": cell}},
        "projections": {
            "all": {
                "from": "P1", "to": "P2", "connectivity": rule, "weight": 4 * u.mV,
                "delay": 2 * u.ms,
            }
        },
    }  # fmt: skip
    numbers = neurolab.compile([own]).numbers
    np.testing.assert_array_equal(numbers["populations.P1.neuron.V_initializer"], V)
    np.testing.assert_array_equal(
        numbers["populations.P1.inputs.d.amplitude"], np.linspace(1, 3, 12)
    )
    assert numbers["projections.all.connectivity.p"] == 0.5
    assert neurolab.run([own, *SHORT], save=False)["P2"].spikes.sizes["spike"] > 0


def test_a_mapping_of_omegaconf_and_what_is_none_are_as_before():
    given = OmegaConf.create(OWN | {"projections": None})
    assert neurolab.compile([given]).structure.sizes == (50,)
    del given["projections"]
    cell = {"_target_": "neurolab.neurons.LIF"}
    own = {"defaults": None, "populations": {"A": {"size": 2, "neuron": cell}}}
    assert neurolab.compile([own]).structure.sizes == (2,)


def test_of_two_arrays_that_differ_in_one_value_each_is_itself():
    cell = {"_target_": "neurolab.neurons.LIF"}
    for changed in (0.25, 0.5):
        V = np.zeros(3000)
        V[1500] = changed
        own = {"populations": {"A": {"size": 3000, "neuron": cell | {"V_initializer": V * u.mV}}}}
        assert (
            neurolab.compile([own]).numbers["populations.A.neuron.V_initializer"].sum() == changed
        )


@pytest.mark.parametrize(
    ("changed", "key", "words"),
    [
        ({"populations": {"E": {"size": object()}}}, "populations.E.size", "give a number"),
        ({"projections": [OWN["projections"]["E_E"]]}, "projections", "a mapping from names"),
    ],
)
def test_what_no_file_has_is_refused_by_its_key(changed, key, words):
    with pytest.raises(ConfigError, match=words) as error:
        neurolab.compile([OWN | changed])
    assert [problem.key for problem in error.value.problems] == [key]


@pytest.mark.parametrize("other", ["network=brunel", OWN])
def test_there_is_one_network(other):
    with pytest.raises(ConfigError, match="there is one network"):
        neurolab.compile([OWN, other])


def test_networks_that_were_given_are_not_kept():
    """All were, and copied with each further configuration: ever slower."""

    def known():
        return [name for name in ConfigStore.instance().repo["network"] if name[:6] == "given_"]

    for n in range(20):
        option_of({**OWN, "populations": {"E": {"size": n + 2}}})
    kept = known()
    assert len(kept) == 8
    last = option_of({**OWN, "populations": {"E": {"size": 21}}})
    assert (known(), last) == (kept, f"network={kept[-1]}".removesuffix(".yaml"))
