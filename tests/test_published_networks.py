"""Networks of papers: rates and oscillations that were published or measured with Brian2 2.9."""

from __future__ import annotations

import pytest

import neurolab

SKIP_MS = 100.0


def activity(*typed):
    """Rate in Hz without the start, and the frequency of the peak of the rate's spectrum, Hz."""
    run = neurolab.run([*typed, "record=spikes"], save=False)
    rate = run.spike_statistics(begin_ms=SKIP_MS)["rate_hz_mean"]
    return rate, run.psd(begin_ms=SKIP_MS).attrs["peak_hz"]


def test_brunel_asynchronous_irregular():
    """Brunel 2000, figure 8 C: Siegert's formula gives 37.95 Hz, Brian2 36.8 to 39.2."""
    rate, _ = activity("network=brunel", "duration=400ms")
    assert rate == pytest.approx(37.95, rel=0.05)


@pytest.mark.nightly
def test_brunel_synchronous_regular():
    """Figure 8 A: near saturation; Brian2 gives 311 Hz, the paper's simulation 311."""
    rate, _ = activity("network=brunel/a", "duration=400ms")
    assert rate == pytest.approx(311, rel=0.03)


@pytest.mark.nightly
def test_brunel_fast_oscillation():
    """Figure 8 B: 60.7 Hz and an oscillation of 180 Hz."""
    rate, peak = activity("network=brunel/b", "duration=1s")
    assert rate == pytest.approx(60.7, rel=0.05)
    assert abs(peak - 180) < 20


@pytest.mark.nightly
def test_brunel_slow_oscillation():
    """Figure 8 D: 5.5 Hz (theory 6.5) and an oscillation of 22 Hz."""
    rate, peak = activity("network=brunel/d", "duration=2s")
    assert abs(rate - 5.9) < 1.5
    assert abs(peak - 22) < 6


def test_coba_with_a_constant_drive():
    """Brian2 gives 19.7 and 21.5 Hz for two seeds, and intervals more irregular than Poisson's."""
    run = neurolab.run(["network=coba_ei", "duration=1s", "record=spikes"], save=False)
    assert 19 < run.summary["rate_hz_mean"] < 22.5
    assert run.summary["isi_cv_mean"] > 1.3
    assert set(run.summary["populations"]) == {"E", "I"}


def test_coba_goes_on_by_itself_after_a_kick():
    """Silent without the kick; with it as active in the second half of a second as in the first,
    at the rate and irregularity that a drive gives."""
    typed = ["network=coba_ei/kick", "duration=1s", "record=spikes"]
    run = neurolab.run(typed, save=False)
    time = run.spikes["time"].values
    early, late = ((time > a) & (time <= a + 450) for a in (100, 550))
    assert early.sum() == pytest.approx(late.sum(), rel=0.15)
    assert 17 < late.sum() / 4000 / 0.45 < 22
    assert run.summary["isi_cv_mean"] > 1.3
    rate = "populations.E.inputs.kick.rates.amplitude=0Hz"
    assert neurolab.run([*typed, rate], save=False).summary["spike_count"] == 0


def test_cuba():
    """Brian2's CUBA.py gives 5.46 and 5.54 Hz for two seeds, and a CV of about 0.5."""
    run = neurolab.run(["network=cuba_ei", "duration=1s", "record=spikes"], save=False)
    assert run.summary["rate_hz_mean"] == pytest.approx(5.5, abs=0.3)
    assert run.summary["isi_cv_mean"] == pytest.approx(0.5, abs=0.1)
    assert set(run.summary["populations"]) == {"E", "I"}
