"""What a configuration may hold: every mistake is told, and what is right becomes numbers."""

from __future__ import annotations

import importlib
import re

import brainstate
import brainunit as u
import numpy as np
import pytest
from omegaconf import OmegaConf

from neurolab.compose import compose_config, conf_folder, effective
from neurolab.config import check, read_experiment
from neurolab.problems import ConfigError
from neurolab.program import Program
from neurolab.reader import declared_parameters
from neurolab.units import Relative, parse

CONF = conf_folder()
MODELS = sorted(
    path.relative_to(CONF).with_suffix("").as_posix()
    for group in ("neuron", "synapse", "synapse/output", "input", "input/rates")
    for path in (CONF / group).glob("*.yaml")
    if path.stem != "none"
)


def read(*overrides: str):
    return read_experiment(effective(compose_config(overrides), overrides))


def problems(*overrides: str):
    with pytest.raises(ConfigError) as caught:
        check(effective(compose_config([*overrides, "device.cache_dir=null"]), overrides))
    return caught.value.problems


# Overrides; the key, what was given, and words of the advice that must be told.
BAD = [
    ("neuron.tau=20mV", "neuron.tau", "20mV", ["a time such as 10 ms"]),
    ("neuron.tau=20", "neuron.tau", "20", ["no unit", "20ms"]),
    ("neuron.tau=-5ms", "neuron.tau", "-5ms", ["positive"]),
    ("neuron.taw=5ms", "neuron.taw", "5ms", ["did you mean 'tau'", "R, tau, V_th"]),
    ("+neuron.taw=5ms", "neuron.taw", "5ms", ["did you mean 'tau'", "R, tau, V_th"]),
    ("neuron=adexx", "neuron", "adexx", ["did you mean 'adexif'", "sigmoid_rate"]),
    ("neuron.V_th=-70mV neuron.V_reset=-60mV", "neuron.V_th", "-70 mV",
     ["above neuron.V_reset = -60 mV"]),
    ("neuron.spk_reset=sof", "neuron.spk_reset", "sof", ["soft or hard"]),
    ("neuron.tau=[10ms,20ms]", "neuron.tau", "[10ms, 20ms]", ["2 values", "100", "normal"]),
    ("size=0", "size", "0", ["whole number, 1 or more"]),
    ("size=1.5", "size", "1.5", ["whole number"]),
    ("dt=0ms", "dt", "0ms", ["positive"]),
    ("duration=0.05ms", "duration", "0.05ms", ["shorter than one step", "0.1 ms"]),
    ("neuron._target_=nope.X", "neuron._target_", "nope.X", ["cannot be imported", "PYTHONPATH"]),
    ("neuron._target_=neurolab.neurons.LIFF", "neuron._target_", "neurolab.neurons.LIFF",
     ["did you mean 'LIF'"]),
    ("record.variables=[Q]", "record.variables", "[Q]", ["V"]),
    ("record.neurons=[100]", "record.neurons", "[100]", ["0 to 99"]),
    ("record.interval=1mV", "record.interval", "1mV", ["a time such as"]),
    ("input.weight=1mS", "input.weight", "1mS", ["a voltage", "rheobase*ms"]),
    ("synapse=expon synapse/output=conductance input.weight=1mV", "input.weight", "1mV",
     ["a conductance"]),
    ("neuron.tau=[normul,1ms,1ms]", "neuron.tau", "[normul, 1ms, 1ms]", ["did you mean 'normal'"]),
    ("neuron.tau=[normal,1ms]", "neuron.tau", "[normal, 1ms]", ["normal(mean, std)"]),
    ("neuron.tau=[normal,1ms,5ms]", "neuron.tau", "[normal, 1ms, 5ms]",
     ["positive", "truncated_normal"]),
    ("neuron.spk_fun=ReluGrat", "neuron.spk_fun", "ReluGrat", ["did you mean 'ReluGrad'"]),
    ("seed=4294967296", "seed", "4294967296", ["below 4294967296"]),
    ("+nonsense=3", "nonsense", "3", ["size, duration, dt, seed"]),
    ("device.precision=float16", "device.precision", "float16", ["float32 or float64"]),
    ("device.count=99", "device.count", "99", ["as many as there are"]),
    ("input=current_from_file", "input.file", "", ["is needed", ".npy"]),
]  # fmt: skip


@pytest.mark.parametrize(("overrides", "key", "given", "advice"), BAD, ids=[b[0] for b in BAD])
def test_a_mistake_is_told_with_key_value_and_advice(overrides, key, given, advice):
    """One problem, which names the key, what was given, what is allowed, and what to try."""
    found = problems(*overrides.split())
    assert [(p.key, p.given) for p in found] == [(key, given)]
    assert all(words in found[0].advice for words in advice), found[0].advice


def test_a_device_that_is_not_there_is_told_with_those_that_are():
    """device=tpu on a machine without one is a mistake that lists the devices there are."""
    (found,) = problems("device=tpu")
    assert (found.key, found.given) == ("device", "tpu")
    assert "cpu" in found.advice
    assert "device=auto" in found.advice


FILES = {
    "missing.csv": (None, "does not exist"),
    "empty.csv": ("", "is empty"),
    "words.csv": ("a,b\n", "cannot be read"),
    "wide.csv": ("1,2,3\n4,5,6\n", "(2, 3)"),
    "holes.csv": ("1\nnan\n", "row 1"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("option", ["current_from_file", "spikes_from_file"])
def test_a_file_that_cannot_serve_is_told(tmp_path, name, option):
    """A missing, empty, unreadable, wrongly shaped or NaN-holding file is named, with why."""
    content, advice = FILES[name]
    if content is not None:
        (tmp_path / name).write_text(content)
    (found,) = problems(f"input={option}", f"input.file='{tmp_path / name}'")
    assert (found.key, found.given) == ("input.file", str(tmp_path / name))
    assert advice in found.advice


def test_spikes_for_neurons_that_are_not_there_are_told(tmp_path):
    """Recorded spikes must go to neurons 0 to size - 1."""
    (tmp_path / "s.csv").write_text("1.0, 7\n2.0, 6\n")
    (found,) = problems("size=7", "input=spikes_from_file", f"input.file='{tmp_path}/s.csv'")
    assert found.key == "input.file"
    assert "0 to 6" in found.advice


def test_a_file_of_one_row_is_a_row(tmp_path):
    """One line of two numbers is one spike; one line of `size` numbers is a sample for each."""
    (tmp_path / "spike.csv").write_text("1.0, 6\n")
    found = read("size=7", "input=spikes_from_file", f"input.file='{tmp_path}/spike.csv'").numbers
    assert (found["input.arrivals"].tolist(), found["input.neurons"].tolist()) == ([10], [6])
    (tmp_path / "current.csv").write_text("1 2 3\n")
    found = read("size=3", "input=current_from_file", f"input.file='{tmp_path}/current.csv'")
    np.testing.assert_array_equal(found.numbers["input.values"], [[1, 2, 3]])


def test_a_short_refractory_period_is_a_warning():
    """dt = 2 ms with a 1 ms refractory period runs, and is warned of."""
    experiment = read("neuron=lif_ref", "neuron.tau_ref=1ms", "dt=2ms")
    (warning,) = [w for w in experiment.warnings if w.key == "neuron.tau_ref"]
    assert warning.given == "1 ms"
    assert "dt = 2 ms" in warning.advice


@pytest.mark.parametrize(
    ("overrides", "keys"),
    [
        (["neuron.tau=20mV", "neuron.R=-1ohm", "size=0", "dt=0ms", "duration=1mV", "seed=-1"],
         {"neuron.tau", "neuron.R", "size", "dt", "duration", "seed"}),
        (["neuron=adexx", "input=poison", "neuron.tau=20mV", "input.rate=20mV", "dt=0ms"],
         {"neuron", "input", "neuron.tau", "input.rate", "dt"}),
        (["neuron.taw=5ms", "+neuron.tow=5ms", "inptu.rate=1Hz", "input.weight=1"],
         {"neuron.taw", "neuron.tow", "inptu", "input.weight"}),
        (["device=tpu", "neuron.tau=20mV"], {"device", "neuron.tau"}),
        (["neuron.tau=20mV", "record.variables=[Q]", "record.interval=1mV", "record.memory=lots"],
         {"neuron.tau", "record.variables", "record.interval", "record.memory"}),
    ],
)  # fmt: skip
def test_all_mistakes_are_told_at_once(overrides, keys):
    """Several mistakes are one answer, also where some are unknown options or keys."""
    assert {p.key for p in problems(*overrides)} == keys


# -- the YAML files and the classes -----------------------------------------------------------

#: Parameters that no YAML names, and why.
ABSENT = {
    ("SigmoidRate", "mult_coupling"): "has one value only",
    ("SignalFromFile", "values"): "the content of the file",
    ("SpikesFromFile", "times"): "the content of the file",
    ("SpikesFromFile", "neurons"): "the content of the file",
    ("SpikesFromFile", "arrivals"): "the content of the file",
    ("PoissonRates", "rates"): "a group of its own, input/rates",
}


def option(path: str) -> tuple[type, dict]:
    """The class that a YAML file names, and its values."""
    values = OmegaConf.to_container(OmegaConf.load(CONF / f"{path}.yaml"))
    module, _, name = values.pop("_target_").rpartition(".")
    values.pop("defaults", None)
    return getattr(importlib.import_module(module), name), values


def same(given, default) -> bool:
    if given == "???" and default is None:
        return True  # must be given
    if isinstance(default, (bool, str)):
        return given == default
    given, default = parse(given), parse(default)
    if isinstance(default, Relative):
        if not isinstance(given, Relative):
            return False
        given, default = (q.value * u.maybe_decimal(1.0 * q.unit) for q in (given, default))
        return bool(u.math.all(given == default))
    if float(given.mantissa) == 0 and float(default.mantissa) == 0:
        return True  # zero is zero in any unit
    alike = given.unit.has_same_dim(default.unit)
    return alike and float(given.to(default.unit).mantissa) == pytest.approx(
        float(default.mantissa), rel=1e-12
    )


@pytest.mark.parametrize("path", MODELS)
def test_yaml_and_class_have_the_same_parameters_and_defaults(path):
    """A YAML names every parameter of its class, nothing else, with the class's default.

    In input/rates a signal is a rate, while a class by itself is a current relative to the neuron.
    """
    target, values = option(path)
    declared = declared_parameters(target)
    absent = {name for cls, name in ABSENT if cls == target.__name__}
    assert set(values) == set(declared) - absent
    for name, value in values.items():
        if path.startswith("input/rates/") and (declared[name].role == "signal" or name == "unit"):
            assert value == "Hz" or parse(value).unit == u.Hz
        else:
            assert same(value, declared[name].default), name


@pytest.mark.parametrize("path", MODELS)
def test_numbers_in_yaml_have_units(path):
    """A number stands without a unit only where its parameter has none."""
    target, values = option(path)
    for name, value in values.items():
        declared = declared_parameters(target)[name]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert declared.unit.is_unitless, name
            assert not declared.role, name


@pytest.mark.parametrize(
    "path",
    sorted(
        path.relative_to(CONF).as_posix()
        for path in CONF.rglob("*.yaml")
        if path.relative_to(CONF).parts[0] not in ("hydra", "experiment")
    ),
)
def test_every_value_in_yaml_has_a_comment(path):
    """Every file begins with a line that says what it is, every value has a comment beside it."""
    text = (CONF / path).read_text().partition("\nhydra:")[0]
    assert text.startswith("# ")
    values = [line for line in text.splitlines() if re.match(r"(?!_target_)(?!defaults)\w+:", line)]
    assert [line for line in values if "#" not in line] == []


# -- values -----------------------------------------------------------------------------------


def test_a_distribution_gives_each_neuron_its_value():
    """[normal, 20 ms, 2 ms] draws a value for each neuron, the same for the same seed."""
    n, mean, std = 2000, 20.0, 2.0
    drawn = read(f"size={n}", "neuron.tau=[normal,20ms,2ms]").numbers["neuron.tau"]
    assert drawn.shape == (n,)
    assert abs(drawn.mean() - mean) < 4.5 * std / np.sqrt(n)
    assert abs(drawn.std() - std) < 4.5 * std / np.sqrt(2 * n)
    again = read(f"size={n}", "neuron.tau='normal(0.02 s, 2000 us)'").numbers["neuron.tau"]
    np.testing.assert_allclose(again, drawn, rtol=1e-12)
    other = read(f"size={n}", "neuron.tau=[normal,20ms,2ms]", "seed=1").numbers["neuron.tau"]
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 4.5 / np.sqrt(n)


def test_distributions_keep_their_bounds():
    """uniform and truncated_normal stay between low and high, also for initial values."""
    numbers = read(
        "size=500", "neuron.V_initializer=[uniform,0mV,0.9mV]",
        "neuron.tau=[truncated_normal,5ms,5ms,1ms,9ms]", "input.weight=[uniform,0.1mV,0.2mV]",
    ).numbers  # fmt: skip
    bounds = {"neuron.V_initializer": (0, 0.9), "neuron.tau": (1, 9), "input.weight": (0.1, 0.2)}
    for key, (low, high) in bounds.items():
        assert numbers[key].shape == (500,)
        assert low <= numbers[key].min() < (low + high) / 2 < numbers[key].max() <= high


def test_a_list_gives_each_neuron_its_value():
    """A list of `size` quantities is one value for each neuron, whatever their units."""
    numbers = read("size=3", "neuron.tau=[10ms,0.02s,30000us]").numbers
    np.testing.assert_allclose(numbers["neuron.tau"], [10, 20, 30], rtol=1e-12)


# -- structure and numbers --------------------------------------------------------------------


def test_the_spelling_of_a_unit_does_not_matter():
    """10 ms and 0.01 s are one structure and one number."""
    spelt = [read(f"neuron.tau={text}") for text in ("10ms", "'0.01 s'", "10*ms", "1e4us")]
    assert len({hash(e.structure) for e in spelt}) == 1
    assert all(e.structure == spelt[0].structure for e in spelt)
    for experiment in spelt:
        assert experiment.numbers.keys() == spelt[0].numbers.keys()
        assert experiment.numbers["neuron.tau"] == pytest.approx(10.0, rel=1e-14)


@pytest.mark.parametrize(
    ("override", "equal"),
    [("neuron.tau=12ms", True), ("neuron.V_initializer=0.3mV", True), ("seed=7", True),
     ("input.weight='0.6 rheobase*ms'", True), ("input.rate=19Hz", True), ("duration=2s", True),
     ("size=99", False), ("neuron=alif", False), ("dt=0.2ms", False), ("integrator=rk4", False),
     ("device.precision=float64", False), ("neuron.spk_reset=hard", False),
     ("synapse=expon", False), ("record=full", False), ("+input@inputs.more=ou", False)],
)  # fmt: skip
def test_numbers_are_no_part_of_the_structure(override, equal):
    """A number, the seed or the duration leave the structure as it is; a choice changes it."""
    assert (read().structure == read(override).structure) is equal


# -- models and options of a user --------------------------------------------------------------

CELLS = '''
import brainstate
import brainunit as u
from neurolab.dynamics import parameter
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
'''


@pytest.fixture
def cells(tmp_path, monkeypatch):
    name = f"cells_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(CELLS)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_model_of_ones_own_takes_the_place_of_an_option(cells):
    """With neuron._target_ the option's other values go, except those that were given."""
    overrides = [f"neuron._target_={cells}.Leaky", "neuron.R=2ohm", "+neuron.shift=0.5mV"]
    plain = effective(compose_config(overrides), overrides)
    assert plain["neuron"] == {
        "_target_": f"{cells}.Leaky", "R": "2ohm", "shift": "0.5mV",
    }  # fmt: skip
    experiment = read_experiment(plain)
    assert experiment.structure.neuron.target.__name__ == "Leaky"
    assert {k for k in experiment.numbers if k.startswith("neuron.")} == {
        "neuron.R", "neuron.shift",
    }  # fmt: skip
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


def test_precision_does_not_leak():
    """Reading a float64 configuration leaves the process at the precision it had."""
    before = brainstate.environ.dftype()
    read("device.precision=float64")
    assert brainstate.environ.dftype() == before
