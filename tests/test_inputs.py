"""Inputs used by themselves: their statistics, their formulas, and what they read from files."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax
import numpy as np
import pytest

import neurolab
from neurolab.inputs import (
    Constant,
    InputFileError,
    OrnsteinUhlenbeck,
    Poisson,
    PoissonRates,
    PoissonSpikes,
    Ramp,
    SignalFromFile,
    Sinusoidal,
    SpikesFromFile,
    Step,
)

mA, mV, ms, Hz = u.mA, u.mV, u.ms, u.Hz
MANY = 512


def environment(dt: float = 0.1, **more):
    return brainstate.environ.context(dt=dt * ms, **more)


def drawn(model, n_steps: int, dt: float = 0.1, first: int = 0) -> np.ndarray:
    """What a model draws for a block of steps: counts, or a signal in its own unit."""
    with environment(dt):
        draw = jax.jit(lambda first: u.get_mantissa(model.draw(first, n_steps)))
        return np.asarray(draw(first), np.float64)


def columns(*columns) -> np.ndarray:
    return np.column_stack(columns)


MODELS = {
    "poisson": lambda: Poisson(4, weight=2.0 * mV, n=50, rate=100 * Hz),
    "poisson_spikes": lambda: PoissonSpikes(4, weight=2.0 * mV, rate=2000 * Hz),
    "poisson_rates": lambda: PoissonRates(4, weight=2.0 * mV),
    "spikes": lambda: SpikesFromFile(
        4, weight=2.0 * mV, times=np.array([0.1, 0.4]) * ms, neurons=np.array([1, 3])
    ),
    "constant": lambda: Constant(4, amplitude=2.0 * mA),
    "step": lambda: Step(4, amplitude=2.0 * mA, baseline=1.0 * mA, start=0.3 * ms),
    "ramp": lambda: Ramp(4, initial=1.0 * mA, final=2.0 * mA, start=0.0 * ms, stop=1.0 * ms),
    "sinusoidal": lambda: Sinusoidal(4, mean=1.0 * mA, amplitude=2.0 * mA, frequency=900 * Hz),
    "samples": lambda: SignalFromFile(4, values=np.arange(9.0)[:, None] * mA, sampling=0.1 * ms),
    "ou": lambda: OrnsteinUhlenbeck(4, mean=1.0 * mA, sigma=2.0 * mA),
}


@pytest.mark.parametrize("name", MODELS)
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
    counts = drawn(Poisson(MANY, n=100, rate=20 * Hz), MANY)
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
    counts = drawn(Poisson(9, n=100, rate=rates * Hz), 20_000)
    mean = 100 * rates * 1e-3 * 0.1
    assert (np.abs(counts.mean(axis=0) - mean) <= 4.5 * np.sqrt(mean / 20_000)).all()


@pytest.mark.parametrize(("rate", "dt"), [(20.0, 0.1), (1000.0, 0.1), (1000.0, 1.0), (1e5, 1.0)])
def test_poisson_spikes_come_with_probability_one_minus_exp(rate, dt):
    """A step has one spike with p = 1 - exp(-rate dt), never two; 1 kHz at 0.1 ms: 0.0952."""
    p = -np.expm1(-rate * 1e-3 * dt)
    spikes = drawn(PoissonSpikes(MANY, rate=rate * Hz), MANY, dt)
    assert set(np.unique(spikes)) <= {0.0, 1.0}
    error = np.sqrt(p * (1 - p) / spikes.size)
    assert abs(spikes.mean() - p) <= 4.5 * error + 1e-9
    if p < 0.99:
        for other in (np.roll(spikes, 1, 0), np.roll(spikes, 1, 1)):
            assert abs(np.corrcoef(spikes.ravel(), other.ravel())[0, 1]) < 4.5 / MANY


def test_poisson_rates_follow_their_signal():
    """Regressed on sin(2 pi f t), counts have the offset and slope of the rate; below 0 it is 0."""
    frequency, dt, n_steps = 50.0, 0.1, 1000
    wave = np.sin(2 * np.pi * frequency * 1e-3 * dt * np.arange(n_steps))
    for amplitude in (15.0, 60.0):
        signal = Sinusoidal(MANY, mean=20 * Hz, amplitude=amplitude * Hz, frequency=frequency * Hz)
        counts = drawn(PoissonRates(MANY, n=100, rates=signal), n_steps, dt)
        mean = 100 * np.maximum(20.0 + amplitude * wave, 0.0) * 1e-3 * dt
        found, error = counts.mean(axis=1), np.sqrt(mean / MANY)
        assert (counts[mean == 0] == 0).all()
        slope, bound = (found * wave).sum(), 4.5 * np.sqrt((mean / MANY * wave**2).sum())
        assert abs(slope - (mean * wave).sum()) < bound
        assert abs(found.mean() - mean.mean()) < 4.5 * np.sqrt((error**2).sum()) / n_steps


# -- signals --------------------------------------------------------------------------------------


def test_constant_step_and_ramp_equal_their_formulas():
    """At all steps: start belongs to the step up, stop to the time after it; a ramp is linear."""
    t = 0.1 * np.arange(1000)
    assert (drawn(Constant(2, amplitude=3.0 * mA), 1000) == 3.0).all()
    step = Step(1, amplitude=3.0 * mA, baseline=1.0 * mA, start=20.0 * ms, stop=70.0 * ms)
    np.testing.assert_array_equal(
        drawn(step, 1000)[:, 0], np.where((t > 19.99) & (t < 69.99), 3.0, 1.0)
    )
    ramp = Ramp(1, initial=3.0 * mA, final=-1.0 * mA, start=20.0 * ms, stop=70.0 * ms)
    expected = 3.0 - 4.0 * np.clip((t - 20.0) / 50.0, 0.0, 1.0)
    np.testing.assert_allclose(drawn(ramp, 1000)[:, 0], expected, atol=1e-6)


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
    """mean + amplitude sin(2 pi f t + phase), at all steps, also after 10^7 of them.

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
        found = drawn(signal, 500, first=first)[:, 0]
    expected = 1.0 + 2.0 * np.sin(2 * np.pi * np.mod(cycles, 1.0) + 0.5)
    assert np.abs(found - expected).max() < 2.0 * bound + 4 * eps


@pytest.mark.parametrize("dt", [0.05, 2.0, 50.0])
def test_ornstein_uhlenbeck_is_exact_at_any_dt(dt):
    """Mean, deviation, the correlation exp(-lag / tau) and the start are exact whatever dt.

    Started at the mean, the variance after n steps is sigma^2 (1 - exp(-2 n dt / tau)).
    """
    size, tau, mean, sigma = 20_000, 5.0, 3.0, 2.0
    model = OrnsteinUhlenbeck(size, mean=mean * mA, sigma=sigma * mA, tau=tau * ms)
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


# -- files ----------------------------------------------------------------------------------------


def write(path, table):
    """A table as .npy, .npz, text with commas (and a comment), or text with spaces."""
    if path.suffix == ".npy":
        np.save(path, table)
    elif path.suffix == ".npz":
        np.savez(path, table=table)
    else:
        np.savetxt(path, table, delimiter="," if path.suffix == ".csv" else " ", header="a comment")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".npy", ".npz"])
def test_a_signal_is_read_from_a_file(tmp_path, suffix):
    """One column for all neurons or one each, in the unit given; the last sample is held."""
    each = np.array([[1.0, 2.0], [3.0, -4.0], [5.0, 6.5]])
    file = write(tmp_path / f"each{suffix}", each)
    found = drawn(SignalFromFile(2, file=file, unit="nA", sampling=0.2 * ms), 10)
    np.testing.assert_allclose(found, each[[0, 0, 1, 1, 2, 2, 2, 2, 2, 2]])
    file = write(tmp_path / f"all{suffix}", each[:, 0])
    model = SignalFromFile(2, file=str(file), unit="nA", sampling=0.1 * ms)
    np.testing.assert_allclose(drawn(model, 4), np.repeat([[1.0], [3.0], [5.0], [5.0]], 2, axis=1))
    assert model.values.unit == u.nA


@pytest.mark.parametrize(("sampling", "dt"), [(1.0, 0.1), (0.01, 0.1), (0.1, 0.1), (0.3, 0.1)])
def test_a_step_takes_the_sample_that_its_beginning_lies_in(sampling, dt):
    """Sample k holds from k sampling until (k + 1) sampling, also where dt is coarser than it."""
    samples = np.arange(5000.0)
    model = SignalFromFile(1, values=samples[:, None] * mA, sampling=sampling * ms)
    steps = np.arange(400)
    ratio = round(dt * 1000) / round(sampling * 1000)
    expected = np.floor(steps * ratio + 1e-9)
    np.testing.assert_array_equal(drawn(model, 400, dt)[:, 0], expected)


@pytest.mark.parametrize("sampling", [0.1, 0.2, 1.0])
def test_samples_are_exact_after_many_steps(sampling):
    """Also after 2000000 steps a sample begins and ends where it should."""
    first, every = 2_000_000, round(sampling / 0.1)
    rows = np.arange(first // every - 10, first // every + 10)
    samples = np.zeros(first // every + 100)
    samples[rows] = rows
    model = SignalFromFile(1, values=samples[:, None] * mA, sampling=sampling * ms)
    steps = first - 5 + np.arange(10)
    np.testing.assert_array_equal(drawn(model, 10, first=first - 5)[:, 0], steps // every)


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".npy", ".npz"])
def test_spikes_are_read_from_a_file_and_arrive_in_their_step(tmp_path, suffix):
    """A spike at t arrives in the step that begins at t or holds it; order does not matter."""
    times, neurons = [0.35, 0.0, 0.3, 0.3, 90.0, 0.1], [1, 0, 2, 2, 1, 0]
    file = write(tmp_path / f"spikes{suffix}", columns(times, neurons))
    counts = drawn(SpikesFromFile(3, file=file, weight=1.0 * mV), 1000)
    expected = np.zeros((1000, 3))
    for step, neuron in zip([3, 0, 3, 3, 900, 1], neurons, strict=True):
        expected[step, neuron] += 1
    np.testing.assert_array_equal(counts, expected)
    in_seconds = write(tmp_path / f"s{suffix}", columns(np.array(times) / 1000, neurons))
    model = SpikesFromFile(3, file=in_seconds, unit="s", weight=1.0 * mV)
    np.testing.assert_array_equal(drawn(model, 1000), expected)


@pytest.mark.parametrize("dt", [0.1, 0.01, 0.3, 1 / 7])
def test_times_on_the_grid_arrive_in_their_own_step(dt):
    """Times n dt, however rounded, arrive in step n, for all n up to 10^5 and near 10^7."""
    steps = np.concatenate([np.arange(100_000), 10**7 + np.arange(1000)])
    model = SpikesFromFile(1, times=steps * dt * ms, neurons=np.zeros(steps.size, np.int32))
    with environment(dt):
        np.testing.assert_array_equal(model.steps(), steps)


def test_the_spikes_of_a_run_arrive_one_step_after_they_were_fired(tmp_path):
    """A run folder serves as a file: its spikes, stamped (n+1) dt, arrive in step n+1."""
    overrides = ["neuron=lif", "input=constant", "size=5", "duration=60ms", "device=cpu"]
    drive = "input.amplitude=[1.1rheobase,1.3rheobase,2rheobase,4rheobase,9rheobase]"
    run = neurolab.run([*overrides, drive], folder=tmp_path / "run")
    times, neurons = run.spikes["time"].values, run.spikes["neuron"].values
    assert times.size > 50
    expected = np.zeros((602, 5))
    np.add.at(expected, (np.rint(times / 0.1).astype(int), neurons), 1)
    model = SpikesFromFile(5, file=run.path, weight=1.0 * mV)
    np.testing.assert_array_equal(drawn(model, 602), expected)


BAD_SAMPLES = {
    "empty": (np.empty((0, 2)), "is empty"),
    "shape": (np.zeros((4, 3)), r"shape \(4, 3\); expected one column .* each of the 2"),
    "cube": (np.zeros((4, 2, 2)), r"shape \(4, 2, 2\); expected one column"),
    "nan": (np.array([[1.0, 2.0], [1.0, np.nan]]), "holds NaN or infinity, first in row 1"),
    "infinity": (np.array([np.inf, 1.0]), "holds NaN or infinity, first in row 0"),
    "words": (np.array(["a", "b"]), "cannot be read as a table of numbers"),
    "objects": (np.array([{}, None], object), "cannot be read as a table of numbers"),
}
BAD_SPIKES = {
    "one column": (np.zeros(4), r"shape \(4,\); expected two columns: the time .* the neuron"),
    "three columns": (np.zeros((4, 3)), "expected two columns"),
    "high neuron": ([[1.0, 0], [2.0, 2]], "from 0 to 2; expected whole numbers from 0 to 1"),
    "low neuron": ([[1.0, -1]], "from -1 to -1; expected whole numbers from 0 to 1"),
    "half neuron": ([[1.0, 0.5]], "expected whole numbers from 0 to 1"),
    "negative time": ([[1.0, 0], [-2.5, 1]], "negative time, -2.5 ms"),
    "nan time": ([[np.nan, 0]], "NaN"),
    "nan neuron": ([[1.0, np.nan]], "NaN"),
    "empty": (np.empty((0, 2)), "is empty"),
}


def refused(kind, file, message):
    with pytest.raises(InputFileError, match=message) as error:
        kind(2, file=file)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("case", BAD_SAMPLES)
def test_a_bad_file_of_samples_is_refused(tmp_path, case):
    """The error names the file, what it holds and what was expected."""
    table, message = BAD_SAMPLES[case]
    file = tmp_path / "samples.npy"
    np.save(file, table, allow_pickle=case == "objects")
    refused(SignalFromFile, file, message)


@pytest.mark.parametrize("case", BAD_SPIKES)
def test_a_bad_file_of_spikes_is_refused(tmp_path, case):
    """The error names the file, what it holds and what was expected."""
    table, message = BAD_SPIKES[case]
    file = tmp_path / "spikes.npy"
    np.save(file, np.asarray(table, np.float64))
    refused(SpikesFromFile, file, message)


@pytest.mark.parametrize("kind", [SignalFromFile, SpikesFromFile])
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty"),
        ("comment.csv", b"# time, neuron\n", "is empty"),
        ("text.csv", b"time,neuron\n1,0\n", "cannot be read as a table of numbers"),
        ("ragged.csv", b"1,0\n2\n", "cannot be read as a table of numbers"),
        ("nan.csv", b"1,0\nnan,1\n", "holds NaN or infinity, first in row 1"),
        ("gap.csv", b"1,0\n2,,1\n,1\n", "cannot be read as a table of numbers"),
        ("binary.csv", bytes(range(128, 256)), "cannot be read as a table of numbers"),
        ("empty.npy", b"", "cannot be read as a table of numbers"),
        ("broken.npy", b"\x93NUMPY\x01\x00v\x00{'descr'", "cannot be read as a table of numbers"),
        ("broken.npz", b"PK\x03\x04 and no more", "cannot be read as a table of numbers"),
    ],
)
def test_an_unreadable_file_is_refused(tmp_path, kind, name, content, message):
    """Whatever the file holds, the error is an InputFileError that names it and says why."""
    file = tmp_path / name
    file.write_bytes(content)
    refused(kind, file, message)


@pytest.mark.parametrize("kind", [SignalFromFile, SpikesFromFile])
def test_a_missing_file_or_an_archive_of_two_is_refused(tmp_path, kind):
    """The error of a missing file lists those beside it; an .npz must hold one array."""
    write(tmp_path / "other.csv", np.zeros((2, 2)))
    refused(kind, tmp_path / "missing.csv", r"does not exist; beside it are other\.csv")
    refused(kind, tmp_path / "no" / "folder.npy", "does not exist")
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(2))
    refused(kind, tmp_path / "two.npz", "expected one array")


@pytest.mark.parametrize("kind", [SignalFromFile, SpikesFromFile])
def test_a_folder_that_is_no_run_is_refused(tmp_path, kind):
    """A folder without results is no input: an InputFileError that names it."""
    refused(kind, tmp_path, "")
