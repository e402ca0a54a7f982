"""Who draws which random numbers: each model its own, of the seed; none in common."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest
from test_config import problems
from test_program import experiment

from neurolab import random
from neurolab.cli.compose import compose_config, effective
from neurolab.config.experiment import read_experiment
from neurolab.dynamics import stream_of
from neurolab.engine.network import Network
from neurolab.engine.program import Program
from neurolab.inputs import OrnsteinUhlenbeck, Poisson, PoissonSpikes, Signal
from neurolab.neurons import SigmoidRate
from neurolab.synapses import Expon


def meeting_names() -> tuple[str, str]:
    """Two inputs whose streams are less than 8 apart."""
    letters = np.random.default_rng(0).integers(97, 123, (300_000, 8)).astype(np.uint8)
    streams = {
        stream_of(f"inputs.{bytes(name).decode()}"): bytes(name).decode() for name in letters
    }
    pairs = ((s, s + d) for s in streams for d in range(1, 8) if s + d in streams)
    first, second = next(pairs)
    return streams[first], streams[second]


def test_inputs_whose_streams_meet_are_refused():
    """A Poisson input of a large mean takes the streams after its own, too."""
    one, other = meeting_names()
    typed = ("neuron=lif", f"+input@inputs.{one}=poisson", f"+input@inputs.{other}=ou", "size=3")
    (problem,) = problems(*typed, f"inputs.{one}.n=40000")
    assert problem.key == f"inputs.{other}"
    assert f"inputs.{one}" in problem.advice
    experiment(*typed)


class Wiggle(Signal):
    """A rate that is drawn: inside of another model."""

    def draw(self, first, n_steps):
        word = random.words(self.seed, self.stream, first, n_steps, self.elements())
        return (10 + 20 * random.uniform(word, jnp.float32)) * u.Hz

    during = draw

    def largest(self):
        return 30 * u.Hz


class Leaving(Expon):
    """A synapse of which a spike leaves at random."""

    def draw(self, first, n_steps):
        return random.words(self.seed, self.stream, first, n_steps, self.elements())

    def update(self, x=None, noise=None):
        kept = random.uniform(noise, jnp.float32) < 0.5
        return super().update(None if x is None else x * kept)


def user(*overrides):
    return read_experiment(effective(compose_config(overrides), overrides))


def spikes(e, **numbers):
    program = Program(e.structure, 300)
    numbers = {**e.numbers, **numbers}
    _, records = program.advance(numbers, program.start(numbers), 300)
    _, step, neuron = program.spikes(records, 0, 300)
    return np.stack([step, neuron])


def different(one, other):
    return one.shape != other.shape or not np.array_equal(one, other)


def test_models_inside_of_others_draw_by_the_seed_and_the_neuron():
    e = user(
        "neuron=lif", "input=poisson_rates", f"input.rates._target_={__name__}.Wiggle", "size=9"
    )
    first = spikes(e)
    assert first.size and not different(first, spikes(e))
    population = Network(e.structure, e.numbers, (jnp.arange(9),)).populations[""]
    inner = population.inputs["input"].rates
    assert inner.name == "input.rates"
    assert int(inner.seed) == int(e.numbers["seed"])
    numbers = {**e.numbers, "seed": np.uint32(8)}
    other = Network(e.structure, numbers, (jnp.arange(9),)).populations[""]
    assert np.any(inner.draw(0, 8) != other.inputs["input"].rates.draw(0, 8))
    assert len(np.unique(np.asarray(inner.draw(0, 2).mantissa)[0])) == 9


def test_a_synapse_that_draws_is_heard():
    """It was drawn for and not given what it drew."""
    typed = ("neuron=lif", "input=poisson", "synapse=expon", "size=9", "input.rate=100Hz")
    whole = spikes(user(*typed))
    half = spikes(user(*typed, f"synapse._target_={__name__}.Leaving", "synapse.g_initializer=0mA"))
    assert 0 < half.shape[1] < whole.shape[1]


DRAWING = (Poisson, PoissonSpikes, OrnsteinUhlenbeck, SigmoidRate)


def noise(model):
    with brainstate.environ.context(dt=0.1 * u.ms):
        return np.asarray(u.get_mantissa(model.draw(0, 400)), float)


@pytest.mark.parametrize("kind", DRAWING)
def test_models_without_a_program_draw_their_own_by_their_names(kind):
    """Two of one class that had no name drew the same numbers; they have to be named."""
    with pytest.raises(ValueError, match=rf"{kind.__name__}\(\.\.\., name='noise'\)"):
        noise(kind(50))
    one, other = (noise(kind(50, name=name)).ravel() for name in ("one", "other"))
    # Of 20,000 independent pairs the correlation has a standard deviation of 0.007.
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.035
    np.testing.assert_array_equal(one, noise(kind(50, name="one")).ravel())
