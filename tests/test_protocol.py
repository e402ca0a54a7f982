"""Every option runs: what each neuron and each input promises, and all of them together."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import brainstate
import brainunit as u
import jax
import numpy as np
import pytest
from nights import every

from neurolab.cli.compose import compose_config, conf_folder, effective
from neurolab.config.experiment import read_experiment
from neurolab.engine.program import Program
from neurolab.neurons import Spiking


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (conf_folder() / group).glob("*.yaml"))


NEURONS, INPUTS, INTEGRATORS = options("neuron"), options("input"), options("integrator")
OUTPUTS = {"ampa": ["conductance"], "gaba_a": ["conductance"], "nmda": ["magnesium_block"]}
SYNAPSES = ["none"] + [
    f"{kinetics} {output}"
    for kinetics in options("synapse")
    if kinetics != "none"
    for output in OUTPUTS.get(kinetics, ["current", "conductance"])
]
SPIKING = [name for name in NEURONS if name not in ("sigmoid_rate", "leaky_integrator")]
SIZE = 10


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Path:
    """A recorded current, and recorded spikes."""
    folder = tmp_path_factory.mktemp("files")
    np.save(folder / "current_from_file.npy", 1.0 + np.sin(np.arange(20))[:, None])
    spikes = np.column_stack([np.arange(40) * 0.5, np.arange(40) % SIZE])
    np.save(folder / "spikes_from_file.npy", spikes)
    return folder


@cache
def composed(*overrides: str) -> dict:
    return effective(compose_config(overrides), overrides)


def configuration(neuron="lif", input="none", synapse="none", integrator="exp_euler", files=None):
    """A configuration, of groups composed one by one: composing every combination takes longer."""
    kinetics, _, output = synapse.partition(" ")
    config = dict(composed(f"size={SIZE}", "duration=20ms", "record=full"))
    config["neuron"] = composed(f"neuron={neuron}")["neuron"]
    config["integrator"] = composed(f"integrator={integrator}")["integrator"]
    config["input"] = composed(f"input={input}")["input"]
    if input.endswith("_from_file"):
        config["input"] = config["input"] | {"file": str(files / f"{input}.npy")}
        if input == "current_from_file":
            config["input"]["unit"] = "rheobase"
    overrides = [f"synapse={kinetics}"] + ([f"synapse/output={output}"] if output else [])
    config["synapse"] = composed(*overrides)["synapse"]
    return config


def simulate(config):
    """The records of a run in one chunk: variables by name, and spikes as steps and neurons."""
    experiment = read_experiment(config)
    program, n = Program(experiment.structure, experiment.n_steps), experiment.n_steps
    _, records = program.advance(experiment.numbers, program.start(experiment.numbers), n)
    traces = {
        name: np.asarray(records[name])[: n // experiment.structure.recording.every]
        for name in experiment.structure.recording.variables
    }
    spikes = program.spikes(records, 0, n)[1:] if "spikes" in records else None
    return experiment, traces, spikes


def assert_sound(config):
    """All variables are finite at every step, spikes are of neurons and steps there are."""
    experiment, traces, spikes = simulate(config)
    assert traces.keys() == experiment.units.keys() - {"neuron.fired"}  # spikes say it
    for name, values in traces.items():
        assert values.shape == (experiment.n_steps, SIZE), name
        assert np.isfinite(values.astype(float)).all(), name
    if spikes is not None:
        steps, neurons = spikes
        assert np.all((steps >= 0) & (steps < experiment.n_steps))
        assert np.all((neurons >= 0) & (neurons < SIZE))
    return experiment, traces, spikes


# -- every neuron ------------------------------------------------------------------------------


def model(name: str, size: int = SIZE):
    experiment = read_experiment(configuration(name, "none"))
    return experiment.structure.populations[0].neuron.build(size, experiment.numbers, "neuron")


def drive(neuron, n_steps: int):
    """Outputs of a neuron alone under 1.5 times its rheobase."""

    def step(i):
        with brainstate.environ.context(i=i, t=i * 0.1 * u.ms, dt=0.1 * u.ms):
            return neuron.update(1.5 * neuron.rheobase())

    return np.asarray(u.get_mantissa(brainstate.transform.for_loop(step, np.arange(n_steps))))


def values(neuron) -> dict:
    return {".".join(k): np.asarray(u.get_mantissa(v.value)) for k, v in neuron.states().items()}


@pytest.mark.parametrize("name", NEURONS)
def test_a_neuron_keeps_the_protocol_alone(name):
    """States are finite and in their units, spikes are 0 or 1, and reset_state starts anew.

    With a batch all is the same with one axis more.
    """
    neuron = model(name)
    neuron.init_state()
    first = values(neuron)
    potential = getattr(neuron, neuron.potential).value
    assert u.get_unit(potential).has_same_dim(neuron.potential_unit)
    assert all(value.shape == (SIZE,) for value in first.values())
    out = drive(neuron, 5)
    after = values(neuron)
    assert out.shape == (5, SIZE)
    assert all(np.isfinite(value).all() for value in after.values())
    assert not isinstance(neuron, Spiking) or set(np.unique(out)) <= {0.0, 1.0}
    assert any((after[key] != first[key]).any() for key in first)
    neuron.reset_state()
    again = values(neuron)
    assert all((again[key] == first[key]).all() for key in first)

    neuron.init_state(3)
    batched = drive(neuron, 5)
    assert batched.shape == (5, 3, SIZE)
    np.testing.assert_allclose(batched, np.broadcast_to(out[:, None], batched.shape), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "input"), every([(n, i) for n in SPIKING for i in ("poisson", "constant")], 5)
)
def test_a_spiking_neuron_fires_at_a_plausible_rate(name, input):
    """Without further settings 100 neurons fire at 1 to 100 Hz, over 1 s, straight or through a
    synapse, and every one of them fires under the constant current."""
    config = configuration(name, input) | {"size": 100, "duration": "1 s"}
    config["record"] = composed("record=summary")["record"]
    experiment, _, (_, neurons) = simulate(config)
    assert issubclass(experiment.structure.populations[0].neuron.target, Spiking)
    counts = np.bincount(neurons, minlength=100)
    assert 1 <= counts.mean() <= 100
    assert input == "poisson" or counts.min() >= 1


# -- every input -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in INPUTS if name != "none"])
def test_an_input_keeps_the_protocol(name, files):
    """An input alone gives a finite current or weighted spikes for each element, the same again
    after reset_state, and the same drawn in one block as drawn step by step."""
    experiment = read_experiment(configuration("lif", name, "expon current", files=files))
    (_, part), *_ = experiment.structure.populations[0].inputs
    built = part.build(SIZE, experiment.numbers, "input")
    for key in built.parameters:
        value = getattr(built, key)
        if type(value).__name__ == "Relative":
            setattr(built, key, value.value * u.maybe_decimal(1.0 * value.unit / u.ms) * u.mA
                    if key == "weight" else value.value * u.mA)  # fmt: skip
    built.seed, built.index = 3, np.arange(SIZE)

    def ten(block):
        def step(i):
            with brainstate.environ.context(i=i, t=i * 0.1 * u.ms, dt=0.1 * u.ms):
                return built.update(None if block is None else block[i]).to(u.mA).mantissa

        return np.asarray(brainstate.transform.for_loop(step, np.arange(10)))

    built.init_state()
    alone = ten(None)
    assert alone.shape == (10, SIZE)
    assert np.isfinite(alone).all()
    with brainstate.environ.context(dt=0.1 * u.ms):
        block = jax.jit(lambda: built.draw(0, 10))()
    built.reset_state()
    np.testing.assert_allclose(ten(block), alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("signal", options("input/rates"))
def test_every_rate_signal_drives_poisson_sources(signal, files):
    """poisson_rates runs with every signal of input/rates."""
    config = configuration("lif", "poisson_rates", "none")
    config["input"] = composed("input=poisson_rates", f"input/rates={signal}")["input"]
    if signal == "from_file":
        rates = config["input"]["rates"] | {"file": str(files / "current_from_file.npy")}
        config["input"] = config["input"] | {"rates": rates}
    assert_sound(config)


# -- all together ------------------------------------------------------------------------------


def synapse_of(neuron: str, k: int) -> str:
    """The synapses in turn; magnesium blocks by a potential, which a rate is not."""
    name = SYNAPSES[k % len(SYNAPSES)]
    return name.replace("nmda magnesium_block", "none") if neuron == "sigmoid_rate" else name


#: Every input with every synapse; neurons and integrators in turn.
COVER = [
    (neuron, input, synapse_of(neuron, k), INTEGRATORS[(2 * j + k + k // 4) % len(INTEGRATORS)])
    for j, input in enumerate(INPUTS)
    for k in range(len(SYNAPSES))
    for neuron in [NEURONS[(j + k) % len(NEURONS)]]
]
#: Every neuron with every synapse and every input.
REST = [
    (neuron, INPUTS[(i + k) % len(INPUTS)], synapse_of(neuron, k), INTEGRATORS[(i + k) % 4])
    for i, neuron in enumerate(NEURONS)
    for k in range(max(len(INPUTS), len(SYNAPSES)))
]
REST = [one for one in REST if one not in COVER]


def output_of(synapse: str) -> str:
    return synapse.partition(" ")[2]


def test_the_cover_has_every_pair():
    """Every input meets every synapse and integrator; every neuron every integrator, and what
    synapses are to it; nightly every neuron every input and synapse."""
    every = [*COVER, *REST]
    some = [(neuron, output_of(synapse)) for neuron, _, synapse, _ in COVER]
    assert len({pair for pair in some if "conduct" in pair[1]}) == len(NEURONS)
    assert len({pair for pair in some if pair[1] == "current"}) == len(NEURONS)
    assert len({(i, s) for _, i, s, _ in COVER}) >= len(INPUTS) * len(SYNAPSES) - len(INPUTS)
    assert len({(n, m) for n, _, _, m in COVER}) == len(NEURONS) * len(INTEGRATORS)
    assert len({(i, m) for _, i, _, m in COVER}) == len(INPUTS) * len(INTEGRATORS)
    assert len({(n, i) for n, i, _, _ in every}) == len(NEURONS) * len(INPUTS)
    assert len({(n, s) for n, _, s, _ in every}) == len(NEURONS) * len(SYNAPSES) - 1


@pytest.mark.parametrize(
    ("neuron", "input", "synapse", "integrator"),
    [
        *(pytest.param(*one, id=" ".join(one)) for one in COVER[::2]),
        *(pytest.param(*one, id=" ".join(one), marks=pytest.mark.nightly) for one in COVER[1::2]),
        *(pytest.param(*one, id=" ".join(one), marks=pytest.mark.nightly) for one in REST),
    ],
)
def test_a_combination_runs(neuron, input, synapse, integrator, files):
    """Every neuron with every input, synapse and integrator compiles, runs, and stays finite."""
    assert_sound(configuration(neuron, input, synapse, integrator, files))


def test_a_synapse_needs_no_input():
    """Without input nothing happens: V stays where it began, there is no current."""
    _, traces, (steps, _) = simulate(configuration("lif", "none", "expon conductance"))
    assert steps.size == 0
    assert not traces["neuron.V"].any()
    assert not traces["synapse.g"].any()
