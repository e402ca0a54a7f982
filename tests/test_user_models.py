"""Models and options of a user work like the built-in ones."""

from __future__ import annotations

import brainstate
import brainunit as u
import numpy as np
import pytest
from test_config import CONF, problems, read

import neurolab
from neurolab.api import run_sweep
from neurolab.cli.compose import compose_config, effective
from neurolab.cli.help import help_text
from neurolab.config.experiment import read_experiment
from neurolab.engine.program import Program

CELLS = '''
import brainstate
import brainunit as u
import jax.numpy as jnp
import numpy as np
from neurolab.dynamics import environ_step, parameter
from neurolab.inputs import Input, InputFileError, Signal, SpikesFromFile
from neurolab.neurons import LIF

class Leaky(LIF):
    """A neuron with a parameter of its own."""
    shift = parameter(0.0 * u.mV, "shift of the threshold")
    def threshold(self, y):
        return super().threshold(y) - self.shift

class Plain(brainstate.nn.Dynamics):
    """Counts up by what it is given, fires at the ceiling."""
    def __init__(self, in_size, gain=2.0, ceiling=1.0 * u.mV, name=None):
        super().__init__(in_size=in_size, name=name)
        self.gain, self.ceiling = gain, ceiling
    def init_state(self, *args, **kwargs):
        self.V = brainstate.HiddenState(u.math.zeros(self.varshape) * u.mV)
    def update(self, x):
        V = self.V.value
        V = u.math.where(V >= self.ceiling, 0.0 * u.mV, V + self.gain * x * u.ohm)
        self.V.value = V
        return u.math.asarray(V >= self.ceiling, dtype=brainstate.environ.dftype())

class Gated(LIF):
    """Hands out the spikes of every second step; its resets are those of all."""
    def update(self, x=None):
        return super().update(x) * (environ_step() % 2 == 0)

class Driven(Input):
    """Cells that fire by themselves, and give a current."""
    def __init__(self, in_size, *, name=None):
        super().__init__(in_size, name=name)
        self.cells = LIF(in_size, tau=10 * u.ms)
    def update(self, drawn=None):
        return self.cells.update(3.0 * u.mA) * (2.0 * u.mA)

class Levels(Signal):
    """A current with a level for each ms, from lines of text."""
    lines = parameter(None, "file with a level on each line")
    factor = parameter(2.0, "what levels are multiplied by")
    levels = parameter(None, "the levels", role="samples")
    recorded = ("lines",)
    @classmethod
    def load(cls, settings, size):
        with open(settings["lines"]) as file:
            return {"levels": np.array([float(line) for line in file]) * u.uA}
    def at(self, steps):
        return self.factor * self.levels[jnp.clip(steps // 10, 0, len(self.levels) - 1)]

class Echo(SpikesFromFile):
    """The spikes of a run, twice as late."""
    @classmethod
    def load(cls, settings, size):
        if settings["file"].shape[1] != 2:
            raise InputFileError("two columns")
        loaded = super().load(settings, size)
        return {**loaded, "arrivals": 2 * loaded["arrivals"]}
'''


@pytest.fixture
def cells(tmp_path, monkeypatch):
    name = f"cells_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(CELLS)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_model_of_ones_own_takes_the_place_of_an_option(cells):
    """With neuron._target_ the option's other values go, except those that were given, and the
    model's own come in their place."""
    overrides = [f"neuron._target_={cells}.Leaky", "neuron.R=2ohm", "+neuron.shift=0.5mV"]
    plain = effective(compose_config(overrides), overrides)
    own = {"V_th": "1 mV", "V_reset": "0 mV", "V_rest": "0 mV", "V_initializer": "0 mV",
           "tau": "5 ms", "g_L": None, "C": None, "spk_reset": "soft",
           "spk_fun": "ReluGrad"}  # fmt: skip
    given = {"_target_": f"{cells}.Leaky", "R": "2ohm", "shift": "0.5mV"}
    assert plain["neuron"] == own | given
    experiment = read_experiment(plain)
    assert experiment.structure.populations[0].neuron.target.__name__ == "Leaky"
    names = {"R", "shift", "tau", "V_th", "V_reset", "V_rest", "V_initializer"}
    of_the_neuron = {k for k in experiment.numbers if k.startswith("neuron.")}
    assert of_the_neuron == {f"neuron.{name}" for name in names}
    (found,) = problems(f"neuron._target_={cells}.Leaky", "+neuron.shift=1ms")
    assert found.key == "neuron.shift"
    assert "a voltage" in found.advice


def test_any_dynamics_is_a_neuron(cells):
    """A brainstate Dynamics with its own __init__ runs: here it fires in every third step."""
    overrides = [
        f"neuron._target_={cells}.Plain", "+neuron.gain=2", "+neuron.ceiling=1000uV",
        "input=constant", "input.amplitude=0.25mA", "size=2", "record.neurons=all",
        "record.interval=null",
    ]  # fmt: skip
    experiment = read(*overrides)
    program = Program(experiment.structure, 12)
    _, records = program.advance(experiment.numbers, program.start(experiment.numbers), 12)
    V = np.asarray(records["neuron.V"])[:12]
    np.testing.assert_allclose(V, np.tile([[0.5, 0.5], [1, 1], [0, 0]], (4, 1)))
    fired = np.flatnonzero(np.asarray(records["spikes"])[:12, 0])
    np.testing.assert_array_equal(fired, [1, 4, 7, 10])


def test_any_dynamics_has_no_rheobase(cells):
    """A drive relative to the rheobase of a model that has none is told before anything runs."""
    found = problems(f"neuron._target_={cells}.Plain", "input=constant")
    assert [p.key for p in found] == ["input.amplitude"]
    assert "rheobase" in found[0].advice


def test_options_of_ones_own_join_the_built_in_ones(tmp_path, monkeypatch):
    """A YAML in ./conf is an option beside the built-in ones, also in the list of an error."""
    (tmp_path / "conf" / "neuron").mkdir(parents=True)
    text = (CONF / "neuron" / "lif.yaml").read_text().replace("tau: 5 ms", "tau: 7 ms")
    (tmp_path / "conf" / "neuron" / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert read("neuron=mine").numbers["neuron.tau"] == pytest.approx(7.0)
    assert read("neuron=lif").numbers["neuron.tau"] == pytest.approx(5.0)
    (found,) = problems("neuron=mime")
    assert "did you mean 'mine'" in found.advice


def test_an_option_of_ones_own_replaces_the_built_in_one_of_its_name(tmp_path, monkeypatch):
    """./conf/neuron/lif.yaml is what neuron=lif means there, in runs and sweeps, as --help says; a
    config.yaml beside it, of another application, is not read."""
    (tmp_path / "conf" / "neuron").mkdir(parents=True)
    text = (CONF / "neuron" / "lif.yaml").read_text().replace("tau: 5 ms", "tau: 99 ms")
    (tmp_path / "conf" / "neuron" / "lif.yaml").write_text(f"# My own.\n{text}")
    (tmp_path / "conf" / "config.yaml").write_text("model: transformer\n")
    monkeypatch.chdir(tmp_path)
    assert read("neuron=lif").numbers["neuron.tau"] == pytest.approx(99.0)
    assert read("neuron=lif_ref").numbers["neuron.tau"] == pytest.approx(5.0)
    assert "lif                My own." in help_text()
    sweep = run_sweep(["neuron=lif,lif_ref", "size=1", "duration=1ms"], tmp_path / "sweep")
    assert [sweep.config(k).neuron.tau for k in range(2)] == ["99 ms", "5 ms"]


def test_precision_does_not_leak():
    """Reading a float64 configuration leaves the process at the precision it had."""
    before = brainstate.environ.dftype()
    read("device.precision=float64")
    assert brainstate.environ.dftype() == before


def test_a_plain_neuron_takes_spikes_through_a_synapse_and_is_refused_without(cells):
    """A neuron without delta inputs can be driven by currents, synaptic ones included, alone."""
    given = [f"neuron._target_={cells}.Plain", "size=3"]
    assert read(*given, "synapse=expon", "input.weight=1mA").structure.populations[0].receptors
    (problem,) = problems(*given, "input.weight=1mV")
    assert "add_delta_input" in problem.advice
    assert "synapse=expon" in problem.advice


def test_an_input_of_ones_own_loads_its_file(cells, tmp_path):
    """With `recorded` and `load`: its data are numbers in the unit of the neuron's current, and
    what cannot be read is told under the key that names the file."""
    (tmp_path / "levels.txt").write_text("1\n3\n")
    model = f"input._target_={cells}.Levels"
    experiment = read(model, f"+input.lines='{tmp_path}/levels.txt'", "+input.factor=4", "size=2")
    np.testing.assert_allclose(experiment.numbers["input.levels"], [0.001, 0.003])
    program = Program(experiment.structure, 20)
    state = program.start(experiment.numbers)
    assert program.advance(experiment.numbers, state, 20)
    (missing,) = problems(model)
    assert (missing.key, "is needed" in missing.advice) == ("input.lines", True)
    (gone,) = problems(model, "+input.lines=gone.txt")
    assert (gone.key, gone.given) == ("input.lines", "gone.txt")


def test_an_input_of_ones_own_takes_the_spikes_of_a_run(cells, tmp_path):
    """A run folder stands for a table of its spikes, for any input of spikes."""
    given = ["neuron=lif", "input=constant", "input.amplitude=3rheobase", "size=2", "device=cpu"]
    run = neurolab.run([*given, "duration=20ms", "device.cache_dir=null"], tmp_path / "run")
    overrides = [f"input._target_={cells}.Echo", f"+input.file='{run.path}'", "size=2"]
    found = read(*overrides).numbers["input.arrivals"]
    assert found.size > 2
    np.testing.assert_array_equal(found, 2 * np.rint(run.spikes["time"].values / 0.1))


def test_a_model_by_its_path_is_recorded_whole(tmp_path):
    """Every value, as the class has it; what was the option's own belonged to another model."""
    path = "neurolab.neurons.AdExIFRef"
    run = neurolab.run(
        [f"neuron._target_={path}", "neuron.tau=12ms", "size=3", "duration=5ms"], tmp_path
    )
    of_option = compose_config(["neuron=adexif_ref"]).neuron
    assert set(run.config["neuron"]) == set(of_option)
    assert run.config["neuron"]["tau"] == "12ms"
    assert run.config["neuron"]["V_T"] == "-59.9 mV"
    assert run.config["neuron"]["holds"] == "V"
    same = neurolab.run(["neuron=adexif_ref", "neuron.tau=12ms", "size=3", "duration=5ms",
                         "neuron.spk_reset=soft"], save=False)  # fmt: skip
    np.testing.assert_array_equal(run.traces["V"], same.traces["V"])


def test_a_synapse_by_its_path_keeps_its_output():
    """A default of 0 mS is zero in the unit of whatever output there is."""
    path = "+synapse._target_=neurolab.synapses.Alpha"
    typed = ["+synapse/output=conductance", path, "input=poisson"]
    experiment = read(*typed)
    assert dict(dict(experiment.structure.populations[0].receptors)["synapse"].parts)["output"]
    assert float(experiment.numbers["synapse.g_initializer"]) == 0
    assert experiment.config["synapse"]["tau"] == "8 ms"


def test_each_neuron_knows_by_itself_that_it_fired(cells):
    """A cell inside of an input is reset by its own spikes, not by those of the population, and a
    neuron whose `update` hands out fewer spikes than it has is reset by all of them."""
    whole, gated = (
        neurolab.run(
            [f"neuron._target_={name}", "input=constant", "synapse=none", "size=2",
             "input.amplitude=2mA", "duration=100ms", "record=full"],
            save=False,
        )
        for name in ("neurolab.neurons.LIF", f"{cells}.Gated")
    )  # fmt: skip
    np.testing.assert_array_equal(gated.traces["V"], whole.traces["V"])
    steps = np.unique(np.rint(whole.spikes["time"] / 0.1).astype(int) - 1)
    handed = np.unique(np.rint(gated.spikes["time"] / 0.1).astype(int) - 1)
    assert list(handed) == [step for step in steps if step % 2 == 0] and 0 < len(handed) < len(
        steps
    )

    sim = neurolab.Simulation(
        ["neuron=lif", f"input._target_={cells}.Driven", "synapse=none", "size=2"]
    )
    for _ in range(3):
        sim.advance(10 * u.ms)
        inside = sim.state["input.cells.V"].to(u.mV).mantissa
        assert inside.max() < 1.03
