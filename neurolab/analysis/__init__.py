"""Statistics of spikes: of each neuron, and of what the neurons of a population have in common.

Two ways to rates and intervals: `spike_statistics` from all spikes at once, and `SpikeStatistics`
chunk by chunk in memory of a few numbers per neuron, for runs too long to keep their spikes.
No loop goes over neurons: 1e7 spikes take about a second.

Spikes are given as their times in ms and their neurons, numbered from 0; ``begin_ms`` leaves out
the start. Of a run or one of its populations the same functions are methods: `run["E"].isi()`;
`power_spectrum` is `psd` there, `pairwise_correlation` is `correlation`, and
`spike_triggered_average` is `sta`.
"""

from neurolab.analysis.averages import SpikeTriggered, spike_triggered_average
from neurolab.analysis.correlograms import Correlogram, correlogram
from neurolab.analysis.curves import FICurve, fi_curve, main_effect
from neurolab.analysis.events import psth, whole_events
from neurolab.analysis.phases import Locking, phase_histogram, vector_strength
from neurolab.analysis.population import (
    Correlation,
    Spectrum,
    pairwise_correlation,
    peak_of,
    power_spectrum,
    synchrony,
)
from neurolab.analysis.running import SpikeStatistics
from neurolab.analysis.trains import (
    MIN_SPIKES_FOR_CV,
    SpikeSummary,
    cv,
    instantaneous_rate,
    interval_histogram,
    isi,
    population_rate,
    spike_statistics,
)
from neurolab.analysis.variability import adaptation_index, cv2, fano_factor, lv, rates

__all__ = [
    "MIN_SPIKES_FOR_CV",
    "Correlation",
    "Correlogram",
    "FICurve",
    "Locking",
    "Spectrum",
    "SpikeStatistics",
    "SpikeSummary",
    "SpikeTriggered",
    "adaptation_index",
    "correlogram",
    "cv",
    "cv2",
    "fano_factor",
    "fi_curve",
    "instantaneous_rate",
    "interval_histogram",
    "isi",
    "lv",
    "main_effect",
    "pairwise_correlation",
    "peak_of",
    "phase_histogram",
    "population_rate",
    "power_spectrum",
    "psth",
    "rates",
    "spike_statistics",
    "spike_triggered_average",
    "synchrony",
    "vector_strength",
    "whole_events",
]
