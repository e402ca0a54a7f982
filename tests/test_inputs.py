"""Inputs used by themselves: their statistics, their formulas, and what they read from files."""

from __future__ import annotations

from fractions import Fraction

import brainstate
import brainunit as u
import jax
import numpy as np
import pytest
from nights import every

import neurolab
from neurolab.inputs import (
    Constant,
    OrnsteinUhlenbeck,
    Piecewise,
    Poisson,
    PoissonRates,
    PoissonSpikes,
    Ramp,
    SignalFromFile,
    Sinusoidal,
    SpikesFromFile,
    Step,
)
from neurolab.problems import ConfigError

mA, mV, ms, Hz = u.mA, u.mV, u.ms, u.Hz
MANY = 512


def environment(dt: float = 0.1, **more):
    return brainstate.environ.context(dt=dt * ms, **more)


def drawn(model, n_steps: int, dt: float = 0.1, first: int = 0, **more) -> np.ndarray:
    """What a model draws for a block of steps: counts, or a signal in its own unit."""
    with environment(dt):
        draw = jax.jit(lambda first: u.get_mantissa(model.draw(first, n_steps, **more)))
        return np.asarray(draw(first), np.float64)


def columns(*columns) -> np.ndarray:
    return np.column_stack(columns)


MODELS = {
    "poisson": lambda: Poisson(4, name="n", weight=2.0 * mV, n=50, rate=100 * Hz),
    "poisson_spikes": lambda: PoissonSpikes(4, name="n", weight=2.0 * mV, rate=2000 * Hz),
    "poisson_rates": lambda: PoissonRates(4, name="n", weight=2.0 * mV),
    "spikes": lambda: SpikesFromFile(
        4, weight=2.0 * mV, times=np.array([0.1, 0.4]) * ms, neurons=np.array([1, 3])
    ),
    "constant": lambda: Constant(4, amplitude=2.0 * mA),
    "step": lambda: Step(4, amplitude=2.0 * mA, baseline=1.0 * mA, start=0.3 * ms),
    "ramp": lambda: Ramp(4, initial=1.0 * mA, final=2.0 * mA, start=0.0 * ms, stop=1.0 * ms),
    "sinusoidal": lambda: Sinusoidal(4, mean=1.0 * mA, amplitude=2.0 * mA, frequency=900 * Hz),
    "samples": lambda: SignalFromFile(4, values=np.arange(9.0)[:, None] * mA, sampling=0.1 * ms),
    "ou": lambda: OrnsteinUhlenbeck(4, name="n", mean=1.0 * mA, sigma=2.0 * mA),
}


@pytest.mark.parametrize("name", every(MODELS, 3))
def test_alone_an_input_draws_what_it_draws_in_a_block(name):
    """With dt and i of the environment alone, `update()` is the drive of step i."""
    model, expected = MODELS[name](), []
    model.init_state()
    with environment():
        for drive in model.draw(0, 6):
            expected.append(model.update(drive))
        model.reset_state()
        for i, drive in enumerate(expected):
            with brainstate.environ.context(i=i):
                found = model.update()
            unit = mV if "spikes" in name or "poisson" in name else mA
            assert u.get_unit(found).has_same_dim(unit)
            assert u.math.shape(found) == (4,)
            np.testing.assert_allclose(found.mantissa, drive.mantissa, rtol=1e-6)


# -- Poisson processes ----------------------------------------------------------------------------


def test_poisson_counts_have_mean_and_variance_n_rate_dt_and_are_independent():
    """Across neurons and across steps, counts are uncorrelated; mean and variance are n rate dt."""
    mean, size = 100 * 20e-3 * 0.1, MANY * MANY
    counts = drawn(Poisson(MANY, name="n", n=100, rate=20 * Hz), MANY)
    assert abs(counts.mean() - mean) < 4.5 * np.sqrt(mean / size)
    assert abs(counts.var() - mean) < 4.5 * np.sqrt((mean + 2 * mean**2) / size)
    for other in (np.roll(counts, 1, 0), np.roll(counts, 2, 0), np.roll(counts, 1, 1), counts.T):
        correlation = np.corrcoef(counts.ravel(), other.ravel())[0, 1]
        assert abs(correlation) < 4.5 * np.sqrt(2 / size)  # the transpose has every pair twice
    # The sum of a step over all neurons varies as independent ones do, and so does a neuron's.
    for axis in (0, 1):
        spread = counts.sum(axis=axis).var(ddof=1) / (MANY * mean)
        assert abs(spread - 1) < 4.5 * np.sqrt((2 + 1 / (MANY * mean)) / MANY)


def test_each_neuron_has_its_own_poisson_rate():
    """Rates given one for each neuron are the rates of those neurons."""
    rates = np.linspace(0.0, 80.0, 9)
    counts = drawn(Poisson(9, name="n", n=100, rate=rates * Hz), 20_000)
    mean = 100 * rates * 1e-3 * 0.1
    assert (np.abs(counts.mean(axis=0) - mean) <= 4.5 * np.sqrt(mean / 20_000)).all()


@pytest.mark.parametrize(("rate", "dt"), [(20.0, 0.1), (1000.0, 0.1), (1000.0, 1.0), (1e5, 1.0)])
def test_poisson_spikes_come_with_probability_one_minus_exp(rate, dt):
    """A step has one spike with p = 1 - exp(-rate dt), never two; 1 kHz at 0.1 ms: 0.0952."""
    p = -np.expm1(-rate * 1e-3 * dt)
    spikes = drawn(PoissonSpikes(MANY, name="n", rate=rate * Hz), MANY, dt)
    assert set(np.unique(spikes)) <= {0.0, 1.0}
    error = np.sqrt(p * (1 - p) / spikes.size)
    assert abs(spikes.mean() - p) <= 4.5 * error + 1e-9
    if p < 0.99:
        for other in (np.roll(spikes, 1, 0), np.roll(spikes, 1, 1)):
            assert abs(np.corrcoef(spikes.ravel(), other.ravel())[0, 1]) < 4.5 / MANY


def test_poisson_rates_follow_their_signal():
    """Regressed on sin(2 pi f t), counts have the offset and slope of the rate; below 0 it is 0."""
    frequency, dt, n_steps = 50.0, 0.1, 1000
    cycles = frequency * 1e-3 * dt
    wave = np.sinc(cycles) * np.sin(2 * np.pi * cycles * (np.arange(n_steps) + 0.5))  # its means
    for amplitude in (15.0, 60.0):
        signal = Sinusoidal(MANY, mean=20 * Hz, amplitude=amplitude * Hz, frequency=frequency * Hz)
        counts = drawn(PoissonRates(MANY, name="n", n=100, rates=signal), n_steps, dt)
        mean = 100 * np.maximum(20.0 + amplitude * wave, 0.0) * 1e-3 * dt
        found, error = counts.mean(axis=1), np.sqrt(mean / MANY)
        assert (counts[mean == 0] == 0).all()
        slope, bound = (found * wave).sum(), 4.5 * np.sqrt((mean / MANY * wave**2).sum())
        assert abs(slope - (mean * wave).sum()) < bound
        assert abs(found.mean() - mean.mean()) < 4.5 * np.sqrt((error**2).sum()) / n_steps


# -- signals --------------------------------------------------------------------------------------


def test_constant_step_and_ramp_equal_their_formulas():
    """At all steps: start belongs to the step up, stop to the time after it; a ramp is linear, and
    its mean over a step is its value in the middle."""
    t = 0.1 * np.arange(1000)
    assert (drawn(Constant(2, amplitude=3.0 * mA), 1000) == 3.0).all()
    step = Step(1, amplitude=3.0 * mA, baseline=1.0 * mA, start=20.0 * ms, stop=70.0 * ms)
    np.testing.assert_array_equal(
        drawn(step, 1000)[:, 0], np.where((t > 19.99) & (t < 69.99), 3.0, 1.0)
    )
    ramp = Ramp(1, initial=3.0 * mA, final=-1.0 * mA, start=20.0 * ms, stop=70.0 * ms)
    for c, more in ((0.5, {}), (0.0, {"c": 0.0}), (1.0, {"c": 1.0})):
        expected = 3.0 - 4.0 * np.clip((t + 0.1 * c - 20.0) / 50.0, 0.0, 1.0)
        found = drawn(ramp, 1000, **more)[:, 0]
        inside = (t < 19.99) & (t > 0) | (t > 20) & (t < 69.9) | (t > 70)
        np.testing.assert_allclose(found[inside], expected[inside], atol=1e-6)


def test_times_of_signals_are_exact_after_many_steps():
    """A step up at 200 s begins at step 2000000 of 0.1 ms, and one without end never ends."""
    late = Step(1, amplitude=1.0 * mA, baseline=0.0 * mA, start=200.0 * u.second, stop=np.inf * ms)
    up = drawn(late, 20, first=2_000_000 - 10)[:, 0]
    np.testing.assert_array_equal(up, np.arange(20) >= 10)
    assert (drawn(late, 10, first=2**31 - 20) == 1.0).all()


def test_signals_differ_between_neurons_where_their_parameters_do():
    """A parameter with a value for each neuron gives each its own signal."""
    step = Step(3, amplitude=1.0 * mA, baseline=0.0 * mA, start=np.array([0.0, 0.5, 2.0]) * ms)
    np.testing.assert_array_equal(drawn(step, 10).sum(axis=0), [10, 5, 0])


@pytest.mark.parametrize("frequency", [0.7, 4.0, 40.0, 1300.0])
@pytest.mark.parametrize("first", [0, 12_345, 10**7])
@pytest.mark.parametrize("precision", [32, 64])
def test_sinusoid_keeps_its_phase(frequency, first, precision):
    """mean + amplitude sin(2 pi f t + phase), at all steps, also after 10^7 of them; and its mean
    over each step, from its integral.

    The phase in cycles is off by no more than the rounding of f dt, eps/2 for each of dt, f and
    their product, times the steps, and eps for each of n / 4096 dropped parts.
    """
    cycles = frequency * 1e-4 * (first + np.arange(500))
    eps = np.finfo(f"float{precision}").eps
    bound = 2 * np.pi * eps * (2 * cycles[-1] + (first + 500) / 4096 + 4)
    with brainstate.environ.context(precision=precision):
        signal = Sinusoidal(
            1, mean=1.0 * mA, amplitude=2.0 * mA, frequency=frequency * Hz, phase=0.5
        )
        found = drawn(signal, 500, first=first, c=0.0)[:, 0]
        means = drawn(signal, 500, first=first)[:, 0]
    turn, step = 2 * np.pi * np.mod(cycles, 1.0) + 0.5, 2 * np.pi * frequency * 1e-4
    expected = 1.0 + 2.0 * np.sin(turn)
    integral = 1.0 + 2.0 * (np.cos(turn) - np.cos(turn + step)) / step
    assert np.abs(means - integral).max() < 2.0 * bound + 1e-15 / step + 4 * eps
    assert np.abs(found - expected).max() < 2.0 * bound + 4 * eps


@pytest.mark.parametrize("frequency", [4.0, 40.0, 1300.0])
@pytest.mark.parametrize("first", [10**7, 10**8, 2**31 - 600])
def test_a_sinusoid_does_not_drift(frequency, first):
    """In float32, after 10^8 steps too, within 2^-17 of a cycle; it was 2 % of one at 40 Hz."""
    cycle = np.array(
        [float(Fraction(frequency) * k / 10_000 % 1) for k in range(first, first + 500)]
    )
    signal = Sinusoidal(1, mean=0.0 * mA, amplitude=1.0 * mA, frequency=frequency * Hz)
    found = drawn(signal, 500, first=first, c=0.0)[:, 0]
    assert np.abs(found - np.sin(2 * np.pi * cycle)).max() < 2 * np.pi * 2.0**-17

    def traced(frequency):  # as in a program, where it is an argument in float32
        signal = Sinusoidal(1, mean=0.0 * mA, amplitude=1.0 * mA, frequency=frequency * Hz)
        return u.get_mantissa(signal.draw(first, 500, c=0.0))[:, 0]

    with environment(0.1):
        found, slope = jax.jvp(jax.jit(traced), (np.float32(frequency),), (np.float32(1),))
    assert np.abs(found - np.sin(2 * np.pi * cycle)).max() < 2 * np.pi * 2.0**-17
    turned = 2e-4 * np.pi * (first + np.arange(500))  # of one Hz more
    np.testing.assert_allclose(slope, turned * np.cos(2 * np.pi * cycle), atol=1e-4 * turned[-1])


@pytest.mark.parametrize("dt", [0.05, 2.0, 50.0])
def test_ornstein_uhlenbeck_is_exact_at_any_dt(dt):
    """Mean, deviation, the correlation exp(-lag / tau) and the start are exact whatever dt.

    Started at the mean, the variance after n steps is sigma^2 (1 - exp(-2 n dt / tau)).
    """
    size, tau, mean, sigma = 20_000, 5.0, 3.0, 2.0
    model = OrnsteinUhlenbeck(size, name="n", mean=mean * mA, sigma=sigma * mA, tau=tau * ms)
    with environment(dt):
        model.init_state()

        def step(i):
            with brainstate.environ.context(i=i):
                return model.update().mantissa

        path = np.asarray(brainstate.transform.for_loop(step, np.arange(128)), np.float64)
    for n in (1, 5, 128):
        deviation = sigma * np.sqrt(-np.expm1(-2 * n * dt / tau))
        now = path[n - 1]
        assert abs(now.mean() - mean) < 4.5 * deviation / np.sqrt(size)
        assert abs(now.std() / deviation - 1) < 4.5 / np.sqrt(2 * size)
    if dt > 1:  # stationary by now
        for lag in (1, 2, 5):
            rho = np.exp(-lag * dt / tau)
            found = np.corrcoef(path[60], path[60 + lag])[0, 1]
            assert abs(found - rho) < 4.5 * (1 - rho**2) / np.sqrt(size) + 1e-9
    neighbours = np.corrcoef(path[-1, 1:], path[-1, :-1])[0, 1]
    assert abs(neighbours) < 4.5 / np.sqrt(size)


def test_a_piecewise_current_is_its_values_for_their_durations():
    """At dt = 0.1 ms 1 ms is ten steps; the last value goes on, in whatever blocks it is drawn."""
    made = Piecewise(1, values=["1 mA", "-2000 uA", "0 mA"], durations=["1 ms", "0.2 ms", "0.3 ms"])
    expected = np.repeat([1.0, -2.0, 0.0], [10, 2, 8])
    np.testing.assert_array_equal(drawn(made, 20)[:, 0], expected)
    np.testing.assert_array_equal(drawn(made, 12, first=5)[:, 0], expected[5:17])


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("input.values=[1pA,2rheobase,0pA]", "some are not"),
        ("input.values=[1pA,2pA]", "2 values for 3 durations"),
        ("input.values=[1pA,2pA,3mV]", "values are such as 500 pA"),
        ("input.durations=[1ms,0ms,2ms]", "positive"),
        ("input.durations=5ms", "lists"),
    ],
)
def test_pieces_that_cannot_be_are_refused(typed, advice):
    """With the key, and what was wrong."""
    with pytest.raises(ConfigError, match=rf"input.values.*\n.*{advice}"):
        neurolab.run(["input=piecewise", typed], save=False)
