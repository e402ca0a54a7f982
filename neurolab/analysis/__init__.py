"""Statistics of spikes: of each neuron, and of what the neurons of a population have in common.

Two ways to rates and intervals: `spike_statistics` from all spikes at once, and `SpikeStatistics`
chunk by chunk in memory of a few numbers per neuron, for runs too long to keep their spikes.
No loop goes over neurons: 1e7 spikes take about a second.

Spikes are given as their times in ms and their neurons, numbered from 0; ``begin_ms`` leaves out
the start. Of a run or one of its populations the same functions are methods: `run["E"].isi()`;
`power_spectrum` is `psd` there, `pairwise_correlation` is `correlation`.
"""

from neurolab.analysis.events import psth, whole_events
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

__all__ = [
    "MIN_SPIKES_FOR_CV",
    "Correlation",
    "Spectrum",
    "SpikeStatistics",
    "SpikeSummary",
    "cv",
    "instantaneous_rate",
    "interval_histogram",
    "isi",
    "pairwise_correlation",
    "peak_of",
    "population_rate",
    "power_spectrum",
    "psth",
    "spike_statistics",
    "synchrony",
    "whole_events",
]
