"""What a configuration may hold: every mistake is told, and what is right becomes numbers."""

from __future__ import annotations

import numpy as np
import pytest

from neurolab.cli.compose import compose_config, conf_folder, effective
from neurolab.config.experiment import check, read_experiment
from neurolab.problems import ConfigError

CONF = conf_folder()


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
    ("input.rate=20rad/s", "input.rate", "20rad/s", ["write Hz", "a rate such as"]),
    ("neuron.tau=-5ms", "neuron.tau", "-5ms", ["positive"]),
    ("neuron=gif neuron.a=0.02/ms input=constant", "input.amplitude", "1.1 rheobase",
     ["infinite", "1 mA"]),
    ("neuron.taw=5ms", "neuron.taw", "5ms", ["did you mean 'tau'", "R, tau, g_L, C, V_th"]),
    ("+neuron.taw=5ms", "neuron.taw", "5ms", ["did you mean 'tau'", "R, tau, g_L, C, V_th"]),
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
    ("record.neurons=50:101", "record.neurons", "50:101", ["0:100 or 0:100:10"]),
    ("record.neurons=7:7", "record.neurons", "7:7", ["0:100"]),
    ("record.neurons=0:9:0", "record.neurons", "0:9:0", ["0:100"]),
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
    ("record.variables=5", "record.variables", "5", ["[V]", "all"]),
    ("inputs=5", "inputs", "5", ["+input@inputs.noise=ou"]),
    ("+inputs.noise=5", "inputs.noise", "5", ["_target_", "+input@inputs.noise=ou"]),
    ("synapse=expon synapse.output=5", "synapse.output", "5", ["_target_"]),
    ("synapse=expon synapse/output=conductance synapse.output.E=excitatry", "synapse.output.E",
     "excitatry", ["excitatory or inhibitory", "a voltage"]),
    ("input=constant input.amplitude=[uniform,1mA,1.2rheobase]", "input.amplitude",
     "[uniform, 1mA, 1.2rheobase]", ["some are not"]),
]  # fmt: skip


@pytest.mark.parametrize(("overrides", "key", "given", "advice"), BAD, ids=[b[0] for b in BAD])
def test_a_mistake_is_told_with_key_value_and_advice(overrides, key, given, advice):
    """One problem, which names the key, what was given, what is allowed, and what to try."""
    found = problems(*overrides.split())
    assert [(p.key, p.given) for p in found] == [(key, given)]
    assert all(words in found[0].advice for words in advice), found[0].advice


@pytest.mark.parametrize(
    ("given", "chosen"),
    [("10:13", [10, 11, 12]), ("96:", [96, 97, 98, 99]), (":30:10", [0, 10, 20]), ("3:4", [3])],
)
def test_neurons_may_be_given_by_ends_and_step(given, chosen):
    """As in Python: the end is not one of them."""
    overrides = [f"record.neurons={given}", "device.cache_dir=null"]
    found = check(effective(compose_config(overrides), overrides))
    assert [*found.recorded.neurons] == chosen


def test_a_device_that_is_not_there_is_told_with_those_that_are():
    """device=tpu on a machine without one is a mistake that lists the devices there are."""
    (found,) = problems("device=tpu")
    assert (found.key, found.given) == ("device", "tpu")
    assert "cpu" in found.advice
    assert "device=auto" in found.advice


FILES = {
    "missing.csv": (None, "does not exist"),
    "empty.csv": ("", "is empty"),
    "words.csv": ("a,b\nc,d\n", "cannot be read"),
    "names.csv": ("a,b\n", "is empty: it has no numbers"),
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


def test_zero_is_zero_in_any_unit():
    """A bare 0 beside multiples of the rheobase, in a distribution and in a list."""
    drawn = read("size=200", "input=constant", "input.amplitude=[uniform,0,1.2rheobase]")
    assert 0 <= drawn.numbers["input.amplitude"].min() < drawn.numbers["input.amplitude"].max()
    assert drawn.numbers["input.amplitude"].max() <= 1.2
    listed = read("size=2", "input=constant", "input.amplitude=[0,1.5rheobase]")
    assert listed.numbers["input.amplitude"].tolist() == [0, 1.5]
    assert listed.parsed["input.amplitude"].relative
    other = read("size=2", "input=constant", "input.amplitude=[0rheobase,1mA]")
    assert not other.parsed["input.amplitude"].relative


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
