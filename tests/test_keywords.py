"""Keywords, quantities and arrays of Python in place of what is typed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import brainunit as u
import numpy as np
import pytest

import neurolab
from neurolab.cli.keywords import listed
from neurolab.problems import ConfigError
from neurolab.results.record import RunRecord

SHORT = {"duration": 50 * u.ms, "size": 3, "device": "cpu"}


class Leaky(neurolab.neurons.LIF):
    """A cell of one's own."""


def problems(**keywords):
    with pytest.raises(ConfigError) as error:
        neurolab.run(**keywords, **SHORT, save=False)
    return {problem.key: problem.advice for problem in error.value.problems}


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ({"neuron": "lif", "neuron__tau": 12 * u.ms}, ["neuron=lif", "neuron.tau=12ms"]),
        ({"neuron__b": np.float32(0.1) * u.mA}, ["neuron.b=0.1mA"]),
        ({"neuron__a": 0.07 / u.mV}, ["neuron.a=0.07/mV"]),
        ({"duration": 2 * u.second, "seed": np.int64(3)}, ["duration=2s", "seed=3"]),
        ({"record__spikes": True, "neuron__C": None}, ["record.spikes=true", "neuron.C=null"]),
        ({"record__variables": ["V", "w"]}, ["record.variables=[V,w]"]),
        ({"neuron__tau": ("normal", 10 * u.ms, 1 * u.ms)}, ["neuron.tau=[normal,10ms,1ms]"]),
        ({"neuron__tau": np.array([1.5, 2]) * u.ms}, ["neuron.tau=[1.5ms,2.0ms]"]),
        ({"neuron": {"tau": 5 * u.ms, "R": "1 ohm"}}, ["neuron.tau=5ms", "neuron.R=1 ohm"]),
        ({"inputs__noise": "ou", "inputs__noise__sigma": "0.3rheobase"},
         ["+input@inputs.noise=ou", "inputs.noise.sigma=0.3rheobase"]),
        ({"receptors__gaba": "gaba_a"}, ["+synapse@receptors.gaba=gaba_a"]),
        ({"synapse__output": "conductance"}, ["synapse/output=conductance"]),
        ({"vars__b": 12.5}, ["++vars.b=12.5"]),
        ({"neuron": Leaky}, [f"neuron._target_={__name__}.Leaky"]),
        ({"input__file": Path("of me.npy")}, ["input.file='of me.npy'"]),
    ],
)  # fmt: skip
def test_a_keyword_is_what_is_typed(given, typed):
    assert listed((), given) == typed


def test_a_list_or_an_array_is_an_axis_of_a_sweep_and_a_tuple_a_value():
    axes = {
        "seed": range(3),
        "neuron": ["lif", "expif"],
        "neuron__tau": np.array([5, 10]) * u.ms,
        "input__rate": "linspace(10Hz, 30Hz, 5)",
        "record__variables": ("V",),
    }
    assert listed((), axes, swept=True) == [
        "seed=0,1,2",
        "neuron=lif,expif",
        "neuron.tau=5ms,10ms",
        "input.rate=linspace(10Hz, 30Hz, 5)",
        "record.variables=[V]",
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"neuron__tau": 5 * u.ms, "neuron.tau": 12 * u.ms}, "neuron.*tau.*given twice"),
        ({"neuron": {"tau": 12 * u.ms}, "neuron__tau": 5 * u.ms}, "neuron.*tau.*given twice"),
        ({"neuron": [{"tau": 5 * u.ms}, {"tau": 9 * u.ms}]}, "is a list of mappings"),
        ({"network": [{"populations": {}}, {}]}, "give one network, and sweep its keys"),
        ({"save": False}, "a sweep always has a folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, words):
    """Of two values of one key the last was taken; the others said what was given is allowed."""
    with pytest.raises(ConfigError, match=f"(?s){words}"):
        neurolab.run_sweep(**given)


def test_keywords_count_after_the_list_and_give_the_same_run():
    typed = ["neuron=lif_ref", "neuron.tau=8ms", "duration=50ms", "size=3", "device=cpu"]
    one = neurolab.run(typed, save=False)
    other = neurolab.run(
        ["neuron.tau=1ms"], neuron="lif_ref", neuron__tau=8 * u.ms, **SHORT, save=False
    )
    assert one.spikes.identical(other.spikes)
    assert other.config.neuron.tau == "8ms"


def test_programs_and_simulations_take_keywords():
    program = neurolab.compile(neuron="lif", neuron__tau=8 * u.ms, size=3, device="cpu")
    assert float(program.numbers["neuron.tau"].reshape(-1)[0]) == 8.0
    simulation = neurolab.Simulation(neuron="lif", neuron__tau=8 * u.ms, size=3, device="cpu")
    simulation.advance(10 * u.ms)
    assert simulation.run.n_neurons == 3


def test_mistakes_are_told_as_they_were_given():
    assert "did you mean 'tau'" in problems(neuron="lif", neuron__taau=5 * u.ms)["neuron__taau"]
    assert "did you mean 'lif'" in problems(neuron="liff")["neuron"]
    assert "a time" in problems(neuron="lif", neuron__tau=5 * u.mV)["neuron__tau"]
    assert "did you mean 'neuron'" in problems(neurn="lif")["neurn"]
    assert "neuron.tau" in problems(neuron="lif", tau=5 * u.ms)["tau"]
    assert "give a number" in problems(neuron__tau=object())["neuron__tau"]


def test_mistakes_in_arrays_and_options_name_what_was_given():
    told = problems(input=np.ones((5, 2)) * u.mA)["input"]
    assert "the array has shape (5, 2)" in told and ".npy" not in told
    assert "a current" in problems(input=np.ones(5) * u.mV)["input"]
    assert "NaN" in problems(inputs__noise=np.array([1, np.nan]) * u.mA)["inputs__noise"]
    assert "did you mean 'ou'" in problems(inputs__noise="oo")["inputs__noise"]
    assert "run_sweep" in problems(neuron=["lif", "expif"])["neuron"]


def test_a_quantity_is_a_constant_current():
    assert listed((), {"input": 2 * u.mA}) == ["input=constant", "input.amplitude=2mA"]
    axis = listed((), {"input__amplitude": np.array([1, 2]) * u.mA}, swept=True)
    assert axis == ["input.amplitude=1mA,2mA"]


def test_what_is_no_list_is_told_with_the_list_and_the_keywords():
    for given, words in (
        ("neuron=lif neuron.tau=5ms", "neuron='lif', neuron__tau='5ms'"),
        ("lif", "['lif']"),
        ({"neuron": "lif"}, "network={...}, neuron='lif'"),
        ([5], "no text"),
    ):
        with pytest.raises(ConfigError) as error:
            neurolab.run(given, save=False)
        assert words in str(error.value)


def test_an_array_is_a_current_with_a_row_for_each_step():
    current = np.zeros((400, 3))
    current[100:, 1] = 5
    run = neurolab.run(
        neuron="lif", neuron__R=1 * u.ohm, neuron__V_rest=0 * u.mV, neuron__V_th=100 * u.mV,
        input=current * u.mA, record="full", **SHORT, save=False,
    )  # fmt: skip
    moved = (run.traces["V"] - run.traces["V"][0]).any("time").values
    assert moved.tolist() == [False, True, False]
    first = run.traces["V"].sel(neuron=1).values
    assert np.flatnonzero(first != first[0])[0] == 100  # the sample at (n + 1) dt is of step n


def test_a_number_without_a_unit_is_no_current():
    assert "u.nA" in problems(neuron="lif", input=np.ones(5))["input"]
    assert (
        "no array of numbers"
        in problems(input="current_from_file", input__file=np.array(["a"]))["input__file"]
    )


def test_a_folder_keeps_its_arrays_wherever_it_is_moved_to(tmp_path):
    script = (
        "import neurolab, numpy as np, brainunit as u\n"
        "neurolab.run(neuron='lif', input=np.linspace(0, 40, 500) * u.mA, size=3, device='cpu',"
        "duration=50 * u.ms, inputs__noise='ou', inputs__spikes='spikes_from_file',"
        "inputs__spikes__file=np.array([[10, 0], [20, 2]]), folder='there/run')\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    kept = sorted((tmp_path / "there/run/inputs").iterdir())
    assert len(kept) == 2
    moved = tmp_path / "else where"
    shutil.move(tmp_path / "there/run", moved)
    record = RunRecord.read(moved)
    assert record.config["input"]["file"] in map(str, moved.glob("inputs/*"))
    assert record.config["input"]["file"] in record.files
    assert neurolab.reproduce(moved).identical
    longer = neurolab.resume(moved, ["duration=80ms"])
    assert longer.duration_ms == 80 and longer.status == "completed"
    for one in moved.glob("inputs/*"):
        one.write_bytes(one.read_bytes()[:-8] + bytes(8))
    with pytest.raises(ConfigError, match="has other contents now"):
        neurolab.resume(moved, ["duration=90ms"])
    (damaged,) = neurolab.verify(moved)
    assert damaged.what.parent == moved / "inputs"
    shutil.rmtree(moved / "inputs")
    assert "missing" in str(neurolab.verify(moved)[0])


def test_a_refused_run_leaves_no_array(tmp_path):
    with pytest.raises(ConfigError):
        neurolab.run(input=np.ones(5) * u.mA, neuron__nope=1, folder=tmp_path / "run")
    with pytest.raises(ConfigError):
        neurolab.run_sweep(input=np.ones(5) * u.mA, neuron__tau=[-1 * u.ms], folder=tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


def test_arrays_are_an_axis_of_files(tmp_path):
    drives = [np.full(5, level) for level in (0.0, 40.0)]
    sweep = neurolab.run_sweep(
        neuron="lif", input="current_from_file", input__file=drives, **SHORT, folder=tmp_path / "a"
    )
    counts = sweep.table["spike_count"].tolist()
    assert counts[0] == 0 < counts[1]
    moved = tmp_path / "b"
    shutil.move(tmp_path / "a", moved)
    assert neurolab.reproduce(moved).identical
    assert neurolab.resume(moved, ["duration=60ms"]).table["spike_count"].tolist()[1] >= counts[1]
    assert neurolab.verify(moved) == []
    next(moved.glob("inputs/*")).unlink()
    (damaged,) = neurolab.verify(moved)
    assert damaged.what.parent == moved / "inputs"


def test_a_file_of_another_folder_stays_that(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    neurolab.run(input=np.linspace(0, 40, 500) * u.mA, **SHORT, folder="here")
    (kept,) = Path("here/inputs").iterdir()
    other = neurolab.run(input="current_from_file", input__file=kept, **SHORT, folder="there")
    assert other.config.input.file == str(kept) and neurolab.verify("there") == []
    assert neurolab.reproduce("there").identical
