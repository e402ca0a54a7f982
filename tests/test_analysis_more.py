"""Irregularity, correlograms, phases and averages around spikes: closed forms, and Elephant."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurolab import analysis

DT_MS = 0.1


def trains(intervals):
    """Times and neurons of trains with the same number of intervals, over (neuron, interval)."""
    times = np.cumsum(intervals, axis=1)
    neuron = np.repeat(np.arange(len(times)), times.shape[1])
    order = np.random.default_rng(1).permutation(neuron.size)  # any order will do
    return times.ravel()[order], neuron[order]


def poisson(n_neurons, rate_hz, duration_ms, seed=0):
    """Times, neurons, size, duration of independent Poisson processes."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(n_neurons * rate_hz * duration_ms * 1e-3)
    return rng.uniform(0, duration_ms, n), rng.integers(0, n_neurons, n), n_neurons, duration_ms


def renewal(shape, n_neurons=50, n=4000, seed=3):
    return np.random.default_rng(seed).gamma(shape, 20.0 / shape, (n_neurons, n))


# --- irregularity ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [0.5, 1, 2, 8])
def test_gamma_intervals_have_the_local_variation_of_their_shape(shape):
    """3 / (2 k + 1), Shinomoto et al. 2003; A / (A + B) of two of them is of a beta distribution,
    so that CV2 is 2 E|2 X - 1|; nothing adapts."""
    time, neuron = trains(renewal(shape))
    sem = 1 / np.sqrt(50 * 4000)
    assert analysis.lv(time, neuron, 50).mean() == pytest.approx(3 / (2 * shape + 1), abs=5 * sem)
    half = stats.beta(shape, shape).expect(lambda x: abs(2 * x - 1))
    assert analysis.cv2(time, neuron, 50).mean() == pytest.approx(2 * half, abs=5 * sem)
    assert analysis.adaptation_index(time, neuron, 50).mean() == pytest.approx(0, abs=5 * sem)


def test_clocks_are_regular_and_two_spikes_are_too_few():
    time, neuron = np.array([1.0, 3, 5, 7, 1, 5]), np.array([0, 0, 0, 0, 1, 1])
    for statistic in (analysis.lv, analysis.cv2, analysis.adaptation_index):
        np.testing.assert_array_equal(statistic(time, neuron, 3), [0, np.nan, np.nan])
    np.testing.assert_array_equal(analysis.lv(time[:3], neuron[:3], 1, begin_ms=1), [np.nan])
    together = np.array([2.0, 2.0, 2.0])
    assert analysis.lv(together, np.zeros(3, int), 1) == 0


def test_intervals_that_grow_by_a_ratio_have_its_index():
    """(q - 1) / (q + 1) of each pair, whatever the first interval; the negative in reverse."""
    intervals = 3.0 * 1.25 ** np.arange(12)
    time, neuron = trains(np.array([intervals, intervals[::-1], 5 * intervals]))
    index = 0.25 / 2.25
    np.testing.assert_allclose(
        analysis.adaptation_index(time, neuron, 3), [index, -index, index], rtol=1e-12
    )
    np.testing.assert_allclose(analysis.cv2(time, neuron, 3), 2 * index, rtol=1e-12)
    np.testing.assert_allclose(analysis.lv(time, neuron, 3), 3 * index**2, rtol=1e-12)


def test_fano_factors_of_poisson_processes_of_clocks_and_of_gamma_intervals():
    """1 in any window; 0 in whole periods; of a renewal process CV² in long windows."""
    for window_ms in (5.0, 100.0):
        found = analysis.fano_factor(*poisson(100, 30.0, 20_000.0), window_ms=window_ms)
        error = np.sqrt(2 * window_ms / 20_000.0 / 100)
        assert found.mean() == pytest.approx(1, abs=5 * error)
    clock = np.arange(1, 1001) * 10.0
    (found,) = analysis.fano_factor(clock, np.zeros(1000, int), 1, 10_000.0, window_ms=50.0)
    assert found == 0
    # Counts are 0 and 1: their variance over their mean is 1 - 1/4.
    assert analysis.fano_factor(clock, np.zeros(1000, int), 1, 1e4, window_ms=2.5) == 0.8 - 0.05
    time, neuron = trains(renewal(4))
    assert analysis.fano_factor(time, neuron, 50, 70_000.0, window_ms=2000.0).mean() == (
        pytest.approx(0.25, abs=0.03)
    )


def test_fano_factors_are_of_counts():
    time, neuron = np.array([1.0, 2, 3, 11, 25, 31, 7]), np.array([0, 0, 0, 0, 0, 0, 2])
    counts = np.array([3, 1, 1])  # 31 is beyond the last whole window
    found = analysis.fano_factor(time, neuron, 3, 35.0, window_ms=10.0)
    np.testing.assert_allclose(found, [counts.var() / counts.mean(), np.nan, 2 / 3])
    late = analysis.fano_factor(time, neuron, 3, 35.0, window_ms=10.0, begin_ms=5.0)
    np.testing.assert_allclose(late[0], np.var([1, 1, 1]) / 1)  # 11, 25 and 31


def test_rates_are_counts_over_time():
    time, neuron = np.array([1.0, 2, 3, 11]), np.array([0, 0, 2, 0])
    np.testing.assert_allclose(analysis.rates(time, neuron, 3, 500.0), [6, 0, 2])
    np.testing.assert_allclose(analysis.rates(time, neuron, 3, 501.0, begin_ms=1.0), [4, 0, 2])


def elephant_train(time, lasts_ms):
    import neo
    import quantities as pq

    return neo.SpikeTrain(np.sort(time) * pq.ms, t_stop=lasts_ms * pq.ms)


@pytest.mark.filterwarnings("ignore")
def test_elephant_finds_the_same():
    """Local variation, CV2, Fano factor, and the counts of correlograms."""
    pytest.importorskip("elephant")
    import quantities as pq
    from elephant import conversion, spike_train_correlation, statistics

    time, neuron, n, lasts_ms = poisson(4, 30.0, 4000.0)
    own = [time[neuron == k] for k in range(n)]
    sorted_intervals = [np.diff(np.sort(one)) for one in own]
    for ours, theirs in ((analysis.lv, statistics.lv), (analysis.cv2, statistics.cv2)):
        expected = [theirs(one) for one in sorted_intervals]
        np.testing.assert_allclose(ours(time, neuron, n), expected, rtol=1e-9)
    neo_trains = [elephant_train(one, lasts_ms) for one in own]
    binned = [conversion.BinnedSpikeTrain(one, bin_size=100 * pq.ms) for one in neo_trains]
    counts = [one.to_array()[0] for one in binned]
    expected = [np.var(one) / np.mean(one) for one in counts]
    np.testing.assert_allclose(analysis.fano_factor(time, neuron, n, lasts_ms), expected)
    fine = [conversion.BinnedSpikeTrain(one, bin_size=2 * pq.ms) for one in neo_trains]

    def theirs(one, other):
        histogram, _ = spike_train_correlation.cross_correlation_histogram(
            fine[one], fine[other], window=[-20, 20]
        )
        return histogram.magnitude.ravel()

    options = {"bin_ms": 2.0, "lag_ms": 40.0}
    zero = np.zeros
    single = (own[0], zero(own[0].size, int), 1, lasts_ms)
    other = (own[1], zero(own[1].size, int), 1)
    found = analysis.correlogram(*single, other=other, **options)
    np.testing.assert_array_equal(found.counts, theirs(0, 1))
    across = analysis.correlogram(time, neuron, n, lasts_ms, across=True, **options)
    pairs = [theirs(i, j) for i in range(n) for j in range(n) if i != j]
    np.testing.assert_array_equal(across.counts, np.sum(pairs, axis=0))
    auto = np.sum([theirs(i, i) for i in range(n)], axis=0)
    auto[20] -= time.size
    own_counts = analysis.correlogram(time, neuron, n, lasts_ms, **options).counts
    np.testing.assert_array_equal(own_counts, auto)


# --- correlograms ---------------------------------------------------------------------------------


def test_pairs_of_independent_processes_have_their_rate_at_every_lag():
    """Of a recording that is hardly longer than the lag too: its edges make no triangle."""
    of = poisson(50, 20.0, 4000.0)
    others = poisson(30, 7.0, 4000.0, seed=5)[:3]
    for options, rate in (({"across": True}, 20.0), ({"other": others}, 7.0), ({}, 20.0)):
        found = analysis.correlogram(*of, lag_ms=2000.0, bin_ms=100.0, **options)
        partners = 49 if "across" in options else 30 if options else 1
        # What is known of the rate in the 2 s that are left at the longest lag, and of pairs.
        window = rate / (2.0 * (30 if "other" in options else 50))
        error = np.sqrt(window + rate / (0.1 * 50 * 20 * 2.0 * partners))
        assert abs(found.rate_hz - found.independent_hz).max() < 4 * error
        assert found.independent_hz == pytest.approx(rate, rel=0.06)


def test_a_copy_that_follows_is_at_its_lag():
    """Every spike of the first has one 3 ms later: that bin has all of them and 1 / bin more."""
    time = (np.random.default_rng(0).permutation(10_000)[:300] + 1.0) * 1.0
    time = time[time < 9990]
    zero = np.zeros(time.size, int)
    found = analysis.correlogram(
        time, zero, 1, 10_000.0, other=(time + 3, zero, 1), lag_ms=10, bin_ms=1
    )
    assert found.lag_ms[found.counts.argmax()] == 3
    assert found.counts.max() == time.size
    reverse = analysis.correlogram(
        time + 3, zero, 1, 10_000.0, other=(time, zero, 1), lag_ms=10, bin_ms=1
    )
    np.testing.assert_array_equal(reverse.counts, found.counts[::-1])
    assert found.rate_hz[found.lag_ms == 3] == pytest.approx(1000.0)


def test_a_clock_is_not_its_own_partner():
    time = np.arange(1, 101) * 10.0
    found = analysis.correlogram(time, np.zeros(100, int), 1, 1000.0, lag_ms=25, bin_ms=1)
    np.testing.assert_array_equal(found.lag_ms[found.counts > 0], [-20, -10, 10, 20])
    np.testing.assert_allclose(found.rate_hz[found.counts > 0], 1000.0)
    assert found.counts.sum() == 2 * (99 + 98)


def test_lags_are_counted_pair_by_pair(monkeypatch):
    """Beside all pairs in a loop; also when transformed in several blocks."""
    monkeypatch.setattr("neurolab.analysis.correlograms._BLOCK", 64)
    time, neuron, n, lasts_ms = poisson(5, 100.0, 500.0, seed=2)
    index = np.ceil(time / 2.0).astype(int) - 1
    lag = index[None, :] - index[:, None]
    same = neuron[None, :] == neuron[:, None]
    np.fill_diagonal(lag, 10**6)
    for across in (False, True):
        found = analysis.correlogram(
            time, neuron, n, lasts_ms, lag_ms=30.0, bin_ms=2.0, across=across
        )
        for k, own in zip(range(-15, 16), found.counts, strict=True):
            assert own == ((lag == k) & (same != across)).sum()
        given = [((index + k >= 0) & (index + k < 250)).sum() for k in range(-15, 16)]
        np.testing.assert_allclose(
            found.rate_hz, found.counts / (np.array(given) * 2e-3 * (4 if across else 1))
        )


def test_what_was_before_is_left_out_of_correlograms():
    time, neuron, n, lasts_ms = poisson(5, 50.0, 1000.0)
    late = time > 400
    other = (time[late] - 400, neuron[late], n)
    found = analysis.correlogram(time, neuron, n, lasts_ms, begin_ms=400.0, across=True)
    expected = analysis.correlogram(*other, 600.0, across=True)
    np.testing.assert_array_equal(found.counts, expected.counts)
    cross = analysis.correlogram(time, neuron, n, lasts_ms, begin_ms=400.0, other=(time, neuron, n))
    np.testing.assert_array_equal(
        cross.counts, analysis.correlogram(*other, 600.0, other=other).counts
    )
    none = analysis.correlogram(time[:0], neuron[:0], n, lasts_ms)
    assert np.isnan(none.rate_hz).all() and not none.counts.any()


# --- phases ---------------------------------------------------------------------------------------


def locked(m, n, frequency_hz, at=1.0, seed=0):
    """Spikes with a rate of 1 + m cos(2 pi f t - at) over whole periods, 100 of them."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 1, 4 * n)
    phase = phase[rng.uniform(0, 2, 4 * n) < 1 + m * np.cos(2 * np.pi * phase - at)][:n]
    return (phase + rng.integers(0, 100, phase.size)) * 1e3 / frequency_hz


def test_a_modulated_rate_has_half_its_depth_as_vector_strength():
    time = locked(0.6, 20_000, 8.0)
    neuron = np.arange(time.size) % 2
    found = analysis.vector_strength(time, neuron, 3, 8.0)
    np.testing.assert_allclose(found.strength[:2], 0.3, atol=5 / np.sqrt(time.size))
    np.testing.assert_allclose(found.phase[:2], 1.0, atol=0.1)
    assert (found.p[:2] < 1e-100).all() and found.n_spikes.tolist() == [10_000, 10_000, 0]
    assert np.isnan([found.strength[2], found.phase[2], found.p[2]]).all()
    pooled = analysis.vector_strength(time, neuron, 3, 8.0, pooled=True)
    assert pooled.strength.shape == () and pooled.n_spikes == 20_000
    assert pooled.strength == pytest.approx(
        stats.directional_stats(
            np.stack([np.cos(a := 2 * np.pi * 8e-3 * time), np.sin(a)], 1)
        ).mean_resultant_length
    )


def test_a_clock_is_locked_and_a_train_at_all_phases_is_not():
    clock = np.arange(1, 101) * 25.0 + 5.0
    zero = np.zeros(100, int)
    found = analysis.vector_strength(clock, zero, 1, 40.0)
    assert found.strength == pytest.approx(1) and found.phase == pytest.approx(2 * np.pi * 0.2)
    late = analysis.vector_strength(clock, zero, 1, 40.0, begin_ms=1003.0)
    assert late.phase == pytest.approx(found.phase) and late.n_spikes < 100
    around = analysis.vector_strength(clock * 0.99, zero, 1, 40.0)  # 100 phases of a circle
    assert around.strength == pytest.approx(0, abs=1e-9) and around.p == pytest.approx(1)


@pytest.mark.parametrize("n", [5, 20, 200])
def test_rayleighs_p_is_as_often_below_a_level_as_it_says(n):
    """Of phases all around p is uniform; within the standard error of 20,000 neurons."""
    rng = np.random.default_rng(0)
    neuron = np.repeat(np.arange(20_000), n)
    p = analysis.vector_strength(rng.uniform(0, 1000, neuron.size), neuron, 20_000, 4.0).p
    for level in (0.01, 0.05, 0.5):
        # Zar's approximation itself is off by some 1e-3 of five spikes
        error = 4 * np.sqrt(level * (1 - level) / p.size) + (3e-3 if n == 5 else 0)
        assert (p < level).mean() == pytest.approx(level, abs=error)


def test_a_phase_histogram_is_the_rate_of_its_cycle():
    """r0 (1 + m cos), averaged over bins; its mean over bins is the rate."""
    lasts_ms, n_bins = 100 * 125.0, 10
    step = np.ceil(locked(0.6, 20_000, 8.0) / DT_MS)
    phase, hz = analysis.phase_histogram(step * DT_MS, 4, lasts_ms, 8.0, DT_MS, n_bins=n_bins)
    rate = 20_000 / 4 / (lasts_ms * 1e-3)
    np.testing.assert_allclose(phase, np.arange(10) / 10 + 0.05)
    assert hz.mean() == pytest.approx(rate)
    expected = rate * (1 + 0.6 * np.sinc(1 / n_bins) * np.cos(2 * np.pi * phase - 1.0))
    np.testing.assert_allclose(hz, expected, atol=5 * rate / np.sqrt(20_000 / n_bins))


def test_bins_of_phases_are_as_many_steps_as_they_have():
    """A spike in every step is one rate at all phases, whatever the period, bins and start."""
    for frequency_hz, n_bins, begin_ms in ((40.0, 20, 0.0), (37.3, 7, 12.3), (3.0, 50, 40.0)):
        every = (np.arange(10_000) + 1) * DT_MS
        _, hz = analysis.phase_histogram(
            every, 1, 1000.0, frequency_hz, DT_MS, n_bins=n_bins, begin_ms=begin_ms
        )
        np.testing.assert_allclose(hz, 1e3 / DT_MS, rtol=1e-9)


# --- averages around spikes -----------------------------------------------------------------------


def test_an_average_around_spikes_is_that_of_the_samples():
    """Each column by its own spikes; those whose window is cut short are left out."""
    rng = np.random.default_rng(0)
    values = rng.normal(-60, 5, (1000, 3))
    step, column = rng.integers(0, 1000, 400), rng.integers(0, 3, 400)
    found = analysis.spike_triggered_average(
        (step + 1) * DT_MS, column, (np.arange(1000) + 1) * DT_MS, values,
        before_ms=5.0, after_ms=2.0,
    )  # fmt: skip
    whole = [(s, c) for s, c in zip(step, column, strict=True) if 50 <= s < 980]
    cut = np.array([values[s - 50 : s + 21, c] for s, c in whole])
    assert found.n_spikes == len(whole) < 400
    np.testing.assert_allclose(found.lag_ms, np.arange(-50, 21) * DT_MS)
    np.testing.assert_allclose(found.mean, cut.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.sem, stats.sem(cut, axis=0), rtol=1e-9)


def test_many_spikes_are_looked_at_part_after_part(monkeypatch):
    rng = np.random.default_rng(0)
    given = (rng.uniform(0, 100, 500), np.zeros(500, int), np.arange(1, 1001) * DT_MS,
        rng.normal(size=(1000, 1)))  # fmt: skip
    at_once = analysis.spike_triggered_average(*given, before_ms=5, after_ms=5)
    monkeypatch.setattr("neurolab.analysis.averages._TOGETHER", 1000)
    for one, other in zip(
        at_once, analysis.spike_triggered_average(*given, before_ms=5, after_ms=5), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_a_kernel_is_found_again():
    """Samples that are spikes filtered by a kernel have, of independent spikes, it as average; a
    spike between samples is at the one before."""
    rng = np.random.default_rng(0)
    sample_ms, n = 0.5, 200_000
    fires = rng.random(n) < 0.002
    kernel = np.exp(-np.arange(40) / 10)
    values = np.convolve(fires, kernel)[:n, None] - 0.002 * kernel.sum()
    time = (np.flatnonzero(fires) + 1) * sample_ms + 0.3
    found = analysis.spike_triggered_average(
        time, np.zeros(time.size, int), (np.arange(n) + 1) * sample_ms, values,
        before_ms=10, after_ms=15,
    )  # fmt: skip
    expected = np.where(found.lag_ms >= 0, np.interp(found.lag_ms / 0.5, range(40), kernel), 0)
    assert (np.abs(found.mean - expected) < 5 * found.sem + 1e-3).all()
    assert (found.sem > 0).all()


def test_of_no_spike_nothing_is_known():
    empty = np.zeros(0)
    around = analysis.spike_triggered_average(
        empty, empty.astype(int), np.arange(100.0), np.zeros((100, 1)), before_ms=5, after_ms=5
    )
    assert around.n_spikes == 0 and np.isnan(around.mean).all() and np.isnan(around.sem).all()


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda t, k: analysis.fano_factor(t, k, 2, 100.0, window_ms=60.0), "at most half of 100"),
        (lambda t, k: analysis.fano_factor(t, k, 2, 100.0, window_ms=0.0), "between 0 and"),
        (lambda t, k: analysis.lv(t, k, 1), "must be 0 to 0, got 0 to 1"),
        (lambda t, k: analysis.rates(t, k, 2, 0.0), "must be positive, got 0"),
        (lambda t, k: analysis.rates(t, k, 2, 100.0, begin_ms=100.0), "before the end"),
        (lambda t, k: analysis.correlogram(t, k, 2, 100.0, lag_ms=0.5), "from bin_ms = 1.0"),
        (lambda t, k: analysis.correlogram(t, k, 2, 100.0, lag_ms=100.0), "below 100 ms, got 100"),
        (lambda t, k: analysis.correlogram(t, 0 * k, 1, 100.0, across=True), "of 1 there are none"),
        (lambda t, k: analysis.correlogram(t, k, 2, 100.0, across=True, other=(t, k, 2)), "are"),
        (lambda t, k: analysis.vector_strength(t, k, 2, 0.0), "must be positive, got 0"),
        (lambda t, k: analysis.phase_histogram(t, 2, 100.0, -1.0, 0.1), "must be positive"),
        (lambda t, k: analysis.phase_histogram(t, 2, 100.0, 1000.0, 0.1), "take fewer than 20"),
        (lambda t, k: analysis.phase_histogram(t, 2, 100.0, 40.0, 0.1, n_bins=0), "0 bins"),
        (lambda t, k: analysis.phase_histogram(t, 2, 100.0, 8.0, 0.1), "125 ms is longer than"),
        (lambda t, k: analysis.spike_triggered_average(t, k, t, np.zeros(2)), "time, column"),
        (lambda t, k: analysis.spike_triggered_average(t, k[:1], t, np.zeros((2, 2))), "as many"),
        (lambda t, k: analysis.spike_triggered_average(t, k, t, np.zeros((2, 1))), "0 to 0; got"),
        (lambda t, k: analysis.spike_triggered_average(t, k, t, np.zeros((2, 2))), "two samples"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(of, words):
    with pytest.raises(ValueError, match=words):
        of(np.array([10.0, 20.0]), np.array([0, 1]))
