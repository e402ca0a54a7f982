"""What neurons have in common against closed forms, and beside Elephant, which is independent."""

import numpy as np
import pytest

from neurolab.analysis import (
    isi,
    pairwise_correlation,
    peak_of,
    population_rate,
    power_spectrum,
    spike_statistics,
    synchrony,
)

DT_MS = 0.1


def poisson(n_neurons, rate_hz, duration_ms, seed=0, rate_of_step=1.0):
    """Times, neurons, size, duration of independent Poisson processes on a grid of steps."""
    rng = np.random.default_rng(seed)
    n_steps = round(duration_ms / DT_MS)
    p = rate_hz * DT_MS * 1e-3 * np.broadcast_to(rate_of_step, n_steps)
    step = np.repeat(np.arange(n_steps), rng.poisson(n_neurons * p))
    return (step + 1) * DT_MS, rng.integers(0, n_neurons, step.size), n_neurons, duration_ms


def common(n_neurons, rate_hz, c, duration_ms, seed=0):
    """Each neuron has each spike of a process of rate / c with a probability c."""
    time = poisson(1, rate_hz / c, duration_ms, seed)[0]
    which, neuron = np.nonzero(np.random.default_rng(seed + 1).random((time.size, n_neurons)) < c)
    return time[which], neuron, n_neurons, duration_ms


def test_independent_poisson_processes():
    """Synchrony 1, correlation 0 and a spectrum flat at the rate, within standard errors."""
    trains = time, _, n, lasts_ms = poisson(400, 25.0, 40_000.0)
    for bin_ms in (3.0, 20.0):
        n_bins = lasts_ms // bin_ms
        found = synchrony(*trains, bin_ms=bin_ms)
        assert found == pytest.approx(1.0, abs=4 * np.sqrt(2 / n_bins))
    found = pairwise_correlation(*trains, most=100)
    assert found.values.shape == (100 * 99 // 2,) and found.silent == 0
    n_bins = lasts_ms / 2.0
    assert found.values.std() == pytest.approx(1 / np.sqrt(n_bins), rel=0.05)
    assert abs(found.mean) < 4 / np.sqrt(n_bins * found.values.size)
    frequency, power = power_spectrum(time, n, lasts_ms, bin_ms=0.5)
    assert frequency[1] == pytest.approx(2.0) and frequency[-1] == pytest.approx(1000.0)
    for low, high in ((2, 100), (100, 400), (400, 1000)):
        band = (frequency > low) & (frequency <= high)
        # 80 windows, and a Hann window correlates neighbours: fewer are independent
        error = 1 / np.sqrt(80 * band.sum() / 2)
        assert power[band].mean() == pytest.approx(25.0, rel=4 * error)


@pytest.mark.parametrize("c", [0.05, 0.3])
def test_neurons_that_share_spikes_have_the_correlation_of_their_share(c):
    """Thinning a process to c leaves two neurons a covariance of c times their variance; n such
    neurons have a synchrony of 1 + (n - 1) c, in bins as well, and that power for their rate."""
    n, rate_hz = 20, 20.0
    trains = common(n, rate_hz, c, 200_000.0)
    found = pairwise_correlation(*trains, most=None)
    assert found.mean == pytest.approx(c, abs=0.01)
    assert synchrony(*trains) == pytest.approx(1 + (n - 1) * c, rel=0.05)
    frequency, power = power_spectrum(trains[0], n, trains[3])
    assert power[frequency > 2].mean() == pytest.approx(rate_hz * (1 + (n - 1) * c), rel=0.05)


@pytest.mark.parametrize("beat_hz", [22.0, 61.3, 180.7])
def test_the_peak_of_a_rhythm_is_at_its_frequency(beat_hz):
    """Between two frequencies of the grid, 2 Hz apart, too; a slower one below is left out."""
    lasts_ms = 4000.0
    time = np.arange(round(lasts_ms / DT_MS)) * DT_MS * 1e-3
    rate = 1 + 0.35 * np.sin(2 * np.pi * beat_hz * time) + 0.6 * np.sin(2 * np.pi * 4.0 * time)
    trains = poisson(500, 20.0, lasts_ms, rate_of_step=rate)
    spectrum = power_spectrum(trains[0], 500, lasts_ms)
    assert peak_of(spectrum, above_hz=12.0) == pytest.approx(beat_hz, abs=0.4)
    assert peak_of(spectrum, above_hz=1.0) == pytest.approx(4.0, abs=0.4)
    # r0 (1 + m sin) has a power of N r0^2 m^2 / 4 around its frequency, less what bins average
    at = np.argmin(np.abs(spectrum.frequency_hz - beat_hz))
    whole = spectrum.power_hz[at - 3 : at + 4].sum() * 2.0
    sinc = np.sinc(beat_hz * 1e-3) ** 2
    assert whole == pytest.approx(sinc * 500 * 20.0**2 * 0.35**2 / 4 + 7 * 2.0 * 20.0, rel=0.15)


def test_the_peak_is_where_there_is_one():
    spectrum = power_spectrum(np.zeros(0), 5, 1000.0)
    assert not spectrum.power_hz.any() and peak_of(spectrum) is None
    with pytest.raises(ValueError, match="above_hz must be below 500 Hz, got 500"):
        peak_of(spectrum, above_hz=500.0)


def test_short_recordings_are_one_window():
    """And one of a single bin has no spectrum."""
    trains = poisson(100, 30.0, 200.0)
    assert power_spectrum(trains[0], 100, 200.0).frequency_hz[1] == pytest.approx(5.0)
    with pytest.raises(ValueError, match="two bins at least"):
        power_spectrum(trains[0], 100, 200.0, bin_ms=150.0)


def test_what_is_silent_has_no_correlation():
    """Nor has a neuron that fires once in every bin; both are told, and left out of the mean."""
    time = np.array([1.0, 3.0, 5.0, 7.0, 1.0, 5.0, 1.0, 7.0])
    neuron = np.array([0, 0, 0, 0, 2, 2, 4, 4])
    found = pairwise_correlation(time, neuron, 5, 8.0)
    assert found.neurons.tolist() == [2, 4] and found.silent == 3
    assert found.values == pytest.approx([np.corrcoef([1, 0, 1, 0], [1, 0, 0, 1])[0, 1]])
    none = pairwise_correlation(time[:0], neuron[:0], 5, 8.0)
    assert np.isnan(none.mean) and none.values.size == 0 and none.silent == 5
    assert np.isnan(synchrony(time[:0], neuron[:0], 5, 9.0))


def test_the_same_neurons_are_chosen_each_time():
    """By the seed; others by another; never more than there are."""
    trains = poisson(50, 40.0, 2000.0)
    one, again = (pairwise_correlation(*trains, most=7, seed=3) for _ in range(2))
    assert one.neurons.tolist() == again.neurons.tolist()
    assert one.neurons.size == 7 and (np.diff(one.neurons) > 0).all()
    assert pairwise_correlation(*trains, most=7, seed=4).neurons.tolist() != one.neurons.tolist()
    assert pairwise_correlation(*trains).neurons.size == 50
    kept = np.isin(trains[1], one.neurons)
    place = np.searchsorted(one.neurons, trains[1][kept])
    alone = pairwise_correlation(trains[0][kept], place, 7, 2000.0)
    np.testing.assert_array_equal(alone.values, one.values)
    with pytest.raises(ValueError, match="most must be at least 1"):
        synchrony(*trains, most=0)


def test_the_start_is_left_out():
    """As if what follows it were all: also a spike of the step that ends there is before it."""
    time, neuron, n, lasts_ms = poisson(30, 40.0, 3000.0)
    keep = time > 1000.0 + 1e-6
    rest = time[keep] - 1000.0, neuron[keep], n, lasts_ms - 1000.0
    whole = time, neuron, n, lasts_ms
    late = {"begin_ms": 1000.0}
    assert spike_statistics(*whole, **late) == spike_statistics(*rest)
    assert synchrony(*whole, **late) == synchrony(*rest)
    for one, other in zip(
        pairwise_correlation(*whole, **late), pairwise_correlation(*rest), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(isi(*whole[:3], **late), isi(*rest[:3]))
    centre, hz = population_rate(time, n, lasts_ms, 10.0, **late)
    assert centre[0] == pytest.approx(1005.0) and centre[-1] == pytest.approx(2995.0)
    np.testing.assert_array_equal(hz, population_rate(rest[0], n, rest[3], 10.0)[1])
    spectra = power_spectrum(time, n, lasts_ms, **late), power_spectrum(rest[0], n, rest[3])
    np.testing.assert_array_equal(*(spectrum.power_hz for spectrum in spectra))
    with pytest.raises(ValueError, match="begin_ms must be at least 0 and before the end, 3000"):
        synchrony(*whole, begin_ms=3000.0)


def test_elephant_finds_the_same():
    """Elephant computes correlations, spectrum, intervals and counts by itself."""
    pytest.importorskip("elephant")
    import neo
    import quantities as pq
    from elephant import conversion, spectral, spike_train_correlation, statistics

    time, neuron, n, lasts_ms = common(12, 15.0, 0.2, 5000.0)
    stop = lasts_ms * pq.ms
    # Elephant's bins are open at their end, ours closed: the middle of a step is inside of both.
    trains = [
        neo.SpikeTrain((time[neuron == i] - DT_MS / 2) * pq.ms, t_stop=stop) for i in range(n)
    ]
    binned = conversion.BinnedSpikeTrain(trains, bin_size=2 * pq.ms)
    matrix = spike_train_correlation.correlation_coefficient(binned)
    ours = pairwise_correlation(time, neuron, n, lasts_ms)
    np.testing.assert_allclose(ours.values, matrix[np.triu_indices(n, 1)], rtol=1e-12)
    cv = [statistics.cv(statistics.isi(train)) for train in trains]
    found = spike_statistics(time, neuron, n, lasts_ms)
    assert found["isi_cv_mean"] == pytest.approx(np.mean(cv), rel=1e-9)
    rates = [float(statistics.mean_firing_rate(train).rescale("Hz")) for train in trains]
    assert found["rate_hz_mean"] == pytest.approx(np.mean(rates), rel=1e-12)
    counts = conversion.BinnedSpikeTrain(trains, bin_size=3 * pq.ms, t_stop=4998 * pq.ms)
    pooled = counts.to_array().sum(axis=0)
    fano = pooled.var() / pooled.mean()
    assert synchrony(time, neuron, n, 4998.0) == pytest.approx(fano, rel=1e-12)
    hz = population_rate(time, n, lasts_ms, 1.0)[1]
    signal = neo.AnalogSignal(hz[:, None], units="Hz", sampling_rate=1 * pq.kHz)
    frequency, power = spectral.welch_psd(signal, len_segment=500)
    spectrum = power_spectrum(time, n, lasts_ms)
    np.testing.assert_allclose(spectrum.frequency_hz, frequency.rescale("Hz").magnitude)
    inner = slice(1, -1)  # one-sided: twice the power but for the ends
    np.testing.assert_allclose(
        spectrum.power_hz[inner], n / 2 * power.magnitude[0][inner], rtol=1e-9
    )
