"""Spike statistics against closed forms, and chunk by chunk against all at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurolab.analysis import (
    SpikeStatistics,
    instantaneous_rate,
    interval_histogram,
    isi,
    population_rate,
    spike_statistics,
)


def test_regular_train_has_cv_zero():
    """A neuron firing every 10 ms for 1 s has 100 Hz and no ISI variability, exactly."""
    step = np.arange(99, 10_000, 100)
    neuron = np.zeros(step.size, int)
    direct = spike_statistics((step + 1) * 0.1, neuron, 1, 1000.0)
    assert direct["spike_count"] == 100
    assert direct["rate_hz_mean"] == pytest.approx(100.0)
    assert direct["isi_cv_mean"] == pytest.approx(0.0, abs=1e-10)
    incremental = SpikeStatistics(1)
    incremental.update(step + 10**9, neuron)  # late in a run: sums of floats would be off by 1e-8
    assert incremental.result(0.1, 1000.0)["isi_cv_mean"] == 0.0


def test_poisson_train_has_cv_one():
    """Poisson trains: ISI CV 1, and rates that spread by sqrt(rate / duration)."""
    rng = np.random.default_rng(0)
    n_neurons, rate_hz, duration_ms = 200, 20.0, 100_000.0
    count = rng.poisson(rate_hz * duration_ms * 1e-3, n_neurons)
    neuron = np.repeat(np.arange(n_neurons), count)
    result = spike_statistics(rng.random(neuron.size) * duration_ms, neuron, n_neurons, duration_ms)
    assert result["rate_hz_mean"] == pytest.approx(rate_hz, rel=0.01)
    assert result["rate_hz_std"] == pytest.approx(np.sqrt(rate_hz / 100), rel=0.15)
    assert result["isi_cv_mean"] == pytest.approx(1.0, abs=0.01)


def test_alternating_intervals():
    """ISIs of 10 and 30 ms in turn have mean 20, standard deviation 10: CV 1/2."""
    time_ms = np.cumsum(np.tile([10.0, 30.0], 50))
    time_ms = np.append(0.0, time_ms)
    result = spike_statistics(time_ms, np.zeros(time_ms.size, int), 1, 2000.0)
    assert result["isi_cv_mean"] == pytest.approx(0.5)


def test_silent_neurons_count_in_rates_but_not_in_cv():
    """Rates average over all neurons; CV over those with at least three spikes, None without."""
    two = spike_statistics(np.array([1.0, 2.0]), np.array([3, 3]), 4, 1000.0)
    assert two == {
        "spike_count": 2,
        "rate_hz_mean": 0.5,
        "rate_hz_std": pytest.approx(np.std([0, 0, 0, 2])),
        "isi_cv_mean": None,
    }
    three = spike_statistics(np.array([1.0, 2.0, 4.0]), np.array([3, 3, 3]), 4, 1000.0)
    assert three["isi_cv_mean"] == pytest.approx(np.std([1, 2]) / 1.5)
    none = np.empty(0, int)
    assert spike_statistics(none.astype(float), none, 4, 1000.0)["rate_hz_mean"] == 0.0


@st.composite
def recordings(draw):
    """Sorted spikes of a few neurons, at most one per neuron and step, and cuts into chunks."""
    n_neurons = draw(st.integers(1, 6))
    n_steps = draw(st.integers(1, 60))
    raster = draw(st.sets(st.tuples(st.integers(0, n_steps - 1), st.integers(0, n_neurons - 1))))
    cuts = sorted(draw(st.lists(st.integers(0, n_steps), max_size=6)))
    offset = draw(st.sampled_from([0, 10**6]))
    spikes = np.array(sorted(raster), int).reshape(-1, 2)
    return n_neurons, n_steps, spikes[:, 0], spikes[:, 1], cuts, offset


@settings(deadline=None)
@given(recordings())
def test_chunk_by_chunk_equals_all_at_once(recording):
    """However spikes are cut into chunks, the numbers are the same."""
    n_neurons, n_steps, step, neuron, cuts, offset = recording
    dt_ms = 0.1
    duration_ms = n_steps * dt_ms
    incremental = SpikeStatistics(n_neurons)
    for low, high in zip([0, *cuts], [*cuts, n_steps], strict=True):
        inside = (step >= low) & (step < high)
        incremental.update(step[inside] + offset, neuron[inside])
    direct = spike_statistics((step + offset + 1) * dt_ms, neuron, n_neurons, duration_ms)
    found = incremental.result(dt_ms, duration_ms)
    assert (found["isi_cv_mean"] is None) == (direct["isi_cv_mean"] is None)
    for name, value in direct.items():
        if value is not None:
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-6)


@settings(deadline=None)
@given(recordings(), st.randoms())
def test_vectorised_isi_equals_a_loop_over_neurons(recording, shuffler):
    """ISIs are those of each neuron in turn, whatever the order of the spikes given."""
    n_neurons, _, step, neuron, _, _ = recording
    order = list(range(step.size))
    shuffler.shuffle(order)
    expected = [np.diff(np.sort(step[neuron == i])) for i in range(n_neurons)]
    found = isi(step[order].astype(float), neuron[order], n_neurons)
    np.testing.assert_array_equal(found, np.concatenate(expected))


def test_many_neurons_take_the_other_sort():
    """Beyond 65536 neurons the statistics are the same as below."""
    rng = np.random.default_rng(1)
    time_ms, neuron = np.sort(rng.random(3000)) * 100, rng.integers(0, 50, 3000)
    few = spike_statistics(time_ms, neuron, 50, 100.0)
    many = spike_statistics(time_ms, neuron + 70_000, 70_050, 100.0)
    assert many["isi_cv_mean"] == pytest.approx(few["isi_cv_mean"])


def test_population_rate_bins_whole_steps():
    """A spike of step n, stamped (n + 1) dt, is in bin n // steps per bin despite rounding."""
    step = np.arange(1000)
    centre_ms, rate_hz = population_rate((step + 1) * 0.1, 10, 100.0, 0.3)
    assert centre_ms.size == 333  # complete bins only
    np.testing.assert_allclose(rate_hz, 3 / (10 * 0.3e-3))
    assert centre_ms[0] == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("neuron", "n_neurons", "duration_ms", "message"),
    [
        ([0, 5], 5, 10.0, "0 to 4, got 0 to 5"),
        ([0], 5, 10.0, "equal length"),
        ([0, 1], 0, 10.0, "at least 1"),
        ([0, 1], 5, 0.0, "duration_ms must be positive"),
        ([0.0, 1.0], 5, 10.0, "must be integers"),
    ],
)
def test_wrong_input_is_explained(neuron, n_neurons, duration_ms, message):
    """Sizes and indices that do not fit are errors that say what was given and allowed."""
    with pytest.raises(ValueError, match=message):
        spike_statistics(np.array([1.0, 2.0]), np.array(neuron), n_neurons, duration_ms)


def test_disorder_between_chunks_is_an_error():
    """A chunk from before the last one is refused, and leaves the statistics as they were."""
    statistics = SpikeStatistics(2)
    statistics.update(np.array([5, 9]), np.array([0, 0]))
    with pytest.raises(ValueError, match="in order of time"):
        statistics.update(np.array([3]), np.array([0]))
    assert statistics.count.tolist() == [2, 0]


def test_bins_must_fit():
    """A bin longer than the recording is an error."""
    with pytest.raises(ValueError, match="bin_ms"):
        population_rate(np.array([1.0]), 1, 10.0, 20.0)


def test_equal_rates_have_no_spread():
    """Six of 15 spikes each in 0.7 s: the s.d. of their rates is 0, not 1e-15."""
    neuron = np.tile(np.arange(6), 15)
    assert spike_statistics(np.arange(90.0), neuron, 6, 700.0)["rate_hz_std"] == 0.0


def test_bins_of_intervals_hold_equally_many_steps():
    """Intervals of each number of steps once: every bin counts the same, whatever their number."""
    dt = 0.1
    for most in (60, 37, 7):
        edges, counts = interval_histogram(np.arange(1, 126) * dt, dt, 125 * dt, most)
        width = -(-125 // most)
        np.testing.assert_array_equal(counts[: 125 // width], width)
        assert counts.sum() == 125 and counts.size <= most
        np.testing.assert_allclose(edges / dt, np.rint(edges / dt + 0.5) - 0.5)
    edges, counts = interval_histogram(np.array([0.3, 0.3, 0.6]), dt, 0.5, 60)
    np.testing.assert_array_equal(counts, [0, 0, 2, 0, 0])


def test_the_instantaneous_rate_of_a_regular_train_is_flat():
    """One over the interval, all the time; of two neurons the mean, a silent one counts as 0."""
    time = np.arange(5.5, 1000.0, 5.5)
    edges, rate = instantaneous_rate(time, np.zeros(time.size, int), 1, 1000.0)
    np.testing.assert_allclose(rate, 1000 / 5.5)
    assert (edges[0], edges[-1]) == (0.0, 1000.0)
    np.testing.assert_allclose(
        instantaneous_rate(time, np.ones(time.size, int), 2, 1000.0)[1], 500 / 5.5
    )


def test_the_instantaneous_rate_is_one_over_each_interval():
    """The first and last hold once more, beyond them nothing fires."""
    time, neuron = np.array([30.0, 40.0, 60.0]), np.zeros(3, int)
    edges, rate = instantaneous_rate(time, neuron, 1, 100.0)
    np.testing.assert_allclose(edges, [0, 20, 40, 80, 100])
    np.testing.assert_allclose(rate, [0, 100, 50, 0])
    edges, rate = instantaneous_rate(time[:1], neuron[:1], 1, 100.0)
    np.testing.assert_array_equal(edges, [0, 100])
    np.testing.assert_array_equal(rate, [0])
