r"""Spikes by the phase of a rhythm, :math:`2 \pi f t`, whose phase is 0 at the start of the run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neurolab.analysis.trains import check, since


class Locking(NamedTuple):
    """What `vector_strength` returns: a value for each neuron, or one of all together.

    strength: 0 for phases all around, 1 for one phase; NaN without spikes.
    phase: their mean direction in radians, from -pi to pi.
    p: of Rayleigh's test, how probable so large a strength is with phases all around.
    n_spikes: how many there are.
    """

    strength: np.ndarray
    phase: np.ndarray
    p: np.ndarray
    n_spikes: np.ndarray


def vector_strength(
    spike_time_ms: np.ndarray,
    spike_neuron: np.ndarray,
    n_neurons: int,
    frequency_hz: float,
    *,
    pooled: bool = False,
    begin_ms: float = 0.0,
) -> Locking:
    r"""How spikes are locked to a frequency (Goldberg & Brown 1969, J. Neurophysiol. 32:613):

    .. math:: r\, e^{i \varphi} = \frac{1}{n} \sum_{k=1}^{n} e^{2 \pi i f t_k}

    A rate of :math:`r_0 (1 + m \cos(2 \pi f t - \varphi))` has a strength of m / 2 over whole
    periods. n independent phases have one of about :math:`1 / \sqrt{n}`; Rayleigh's test says how
    probable so much is, with :math:`R = n r`, by Zar's approximation (Biostatistical Analysis,
    1999, eq. 27.4; Berens 2009, J. Stat. Softw. 31:10):

    .. math:: p = \exp\left( \sqrt{1 + 4 n + 4 (n^2 - R^2)} - (1 + 2 n) \right)

    Args:
        spike_time_ms, spike_neuron: one entry per spike, in any order.
        n_neurons: neurons recorded, silent ones included.
        frequency_hz: the frequency.
        pooled: of the spikes of all neurons together, instead of each neuron's.
        begin_ms: what was until then is left out; phases stay.

    Raises:
        ValueError: sizes or neuron indices do not fit, or the frequency is not positive.
    """
    check(spike_time_ms, spike_neuron, n_neurons)
    _frequency(frequency_hz)
    _, time_ms, neuron = since(begin_ms, np.inf, spike_time_ms, spike_neuron)
    angle = 2 * np.pi * ((time_ms + begin_ms) * (frequency_hz * 1e-3) % 1.0)
    if pooled:
        neuron, n_neurons = np.zeros_like(neuron), 1
    count = np.bincount(neuron, minlength=n_neurons)
    x, y = (np.bincount(neuron, weights=of(angle), minlength=n_neurons) for of in (np.cos, np.sin))
    with np.errstate(invalid="ignore", divide="ignore"):
        strength = np.minimum(np.hypot(x, y) / count, 1.0)
        n = count.astype(float)
        p = np.exp(np.sqrt(1 + 4 * n + 4 * n**2 * (1 - strength**2)) - (1 + 2 * n))
    phase = np.where(count > 0, np.arctan2(y, x), np.nan)
    found = Locking(strength, phase, p, count)
    return Locking(*(values[0] for values in found)) if pooled else found


def phase_histogram(
    spike_time_ms: np.ndarray,
    n_neurons: int,
    duration_ms: float,
    frequency_hz: float,
    dt_ms: float,
    *,
    n_bins: int = 20,
    begin_ms: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The rate by the phase of a frequency, mean over its cycles and over neurons.

    Spikes are at the ends of steps, of which bins may have one more or less: a bin's spikes are
    divided by the steps it has, in whole and in broken cycles.

    Args:
        spike_time_ms: of all neurons, in any order.
        n_neurons: neurons recorded, silent ones included.
        duration_ms: how long was recorded.
        frequency_hz: the frequency.
        dt_ms: length of a step, of which times are multiples.
        n_bins: of a cycle.
        begin_ms: what was until then is left out; phases stay.

    Returns:
        Centres of bins in cycles, from 0 to 1, and rates in Hz.

    Raises:
        ValueError: the frequency is not positive, no neurons, no whole cycle, or not every bin has
            a step.
    """
    _frequency(frequency_hz)
    if not (n_neurons >= 1 and n_bins >= 1 and dt_ms > 0):
        told = f"{n_neurons} neurons, {n_bins} bins, dt of {dt_ms} ms"
        raise ValueError(f"there must be neurons, bins, and a positive dt; got {told}.")
    lasts_ms, time_ms = since(begin_ms, duration_ms, np.asarray(spike_time_ms, np.float64))
    if lasts_ms * frequency_hz * 1e-3 < 1 - 1e-9:
        told = f"a cycle of {1e3 / frequency_hz:g} ms"
        raise ValueError(f"{told} is longer than the {lasts_ms:g} ms there are.")
    last = int(np.floor(duration_ms / dt_ms + 1e-6))
    steps = np.arange(int(np.floor(begin_ms / dt_ms + 1e-6)) + 1, last + 1)
    spikes = np.rint((time_ms + begin_ms) / dt_ms).astype(np.int64)
    spikes = spikes[(spikes >= steps[0]) & (spikes <= last)] if steps.size else spikes[:0]
    cycles = frequency_hz * dt_ms * 1e-3
    # An edge, such as 3 * 0.05 cycles, may be off by rounding: the margin is far below a bin.
    many, counts = (
        np.bincount(((of * cycles + 1e-9) % 1.0 * n_bins).astype(np.int64), minlength=n_bins)
        for of in (steps, spikes)
    )
    if not many.all():
        told = f"{n_bins} bins of a cycle of {1e3 / frequency_hz:g} ms with dt = {dt_ms:g} ms"
        raise ValueError(f"every bin must have a step: take fewer than {told}.")
    return (np.arange(n_bins) + 0.5) / n_bins, counts / (many * n_neurons * dt_ms * 1e-3)


def _frequency(frequency_hz: float) -> None:
    if not 0 < frequency_hz < np.inf:
        raise ValueError(f"frequency_hz must be positive, got {frequency_hz}.")
