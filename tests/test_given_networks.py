"""A network as a mapping, in Python."""

from __future__ import annotations

import shutil

import brainunit as u
import numpy as np
import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

import neurolab
from neurolab.cli.given import option_of
from neurolab.problems import ConfigError
from neurolab.results.damage import DamagedError
from neurolab.results.verify import verify

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


@pytest.fixture
def forgotten():
    """As in another process: none that was given is known."""

    def forget():
        repo = ConfigStore.instance().repo.setdefault("network", {})
        for name in [name for name in repo if name.startswith("given_")]:
            repo.pop(name)

    forget()
    return forget


def test_a_run_of_one_goes_on_in_another_process(tmp_path, forgotten):
    """It was refused: the mapping was to be given again."""
    short = neurolab.run([OWN, *SHORT], tmp_path / "run")
    forgotten()
    shutil.move(short.path, tmp_path / "moved")
    longer = neurolab.resume(
        tmp_path / "moved", ["duration=200ms", "projections.E_E.weight=0.02mV"]
    )
    whole = neurolab.run([OWN, *SHORT, "duration=200ms"], save=False)
    np.testing.assert_array_equal(longer.spikes["neuron"], whole.spikes["neuron"])
    forgotten()
    again = neurolab.reproduce(tmp_path / "moved", overrides=["device.count=1"])
    assert again.identical, str(again)
    assert verify(tmp_path / "moved") == []


def test_a_sweep_of_one_is_extended_in_another_process(tmp_path, forgotten):
    neurolab.run_sweep([OWN, "seed=0,1", *SHORT], tmp_path / "sweep")
    forgotten()
    more = neurolab.resume(tmp_path / "sweep", ["seed=0,1,2"])
    alone = neurolab.run([OWN, "seed=2", *SHORT], save=False)
    np.testing.assert_array_equal(more[2].spikes["neuron"], alone.spikes["neuron"])


def test_threads_give_the_same_at_once():
    """The file of one was read while another wrote it."""
    from concurrent.futures import ThreadPoolExecutor

    from neurolab.results.kept import as_file

    large = np.random.default_rng(0).random(1_000_000)
    with ThreadPoolExecutor(8) as threads:
        paths = set(threads.map(lambda n: as_file(large), range(8)))
        read = list(threads.map(lambda n: np.load(as_file(large + 1)).sum(), range(8)))
    assert len(paths) == 1 and set(read) == {(large + 1).sum()}


def test_a_network_that_is_kept_is_whole(tmp_path, forgotten):
    """It is told which file is not, and a run with another does not go on."""
    folder = neurolab.run([OWN, *SHORT], tmp_path / "run").path
    (kept,) = (folder / "inputs").glob("given_*.json")
    text = kept.read_text()
    kept.write_text(text.replace("1.5 ms", "2.5 ms"))
    assert [error.what.name for error in verify(folder)] == [kept.name]
    with pytest.raises(DamagedError, match=f"{kept.name} is damaged: it is not as it was written"):
        neurolab.resume(folder, ["duration=200ms"])
    kept.unlink()
    (damaged,) = verify(folder)
    assert str(damaged).startswith(f"{kept} is damaged: it is missing")
    forgotten()
    with pytest.raises(ConfigError, match=f"in a folder it is inputs/{kept.name}"):
        neurolab.resume(folder, ["duration=200ms"])
    assert not list((tmp_path / "refused").glob("*"))
    with pytest.raises(ConfigError):
        neurolab.run([OWN, *SHORT, "dt=-1ms"], tmp_path / "refused")
    assert not (tmp_path / "refused").exists() or not list((tmp_path / "refused").iterdir())


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
