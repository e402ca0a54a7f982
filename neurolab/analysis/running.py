"""`neurolab.analysis.trains.spike_statistics` for spikes that are not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from neurolab.analysis.trains import SpikeSummary, by_neuron, check, summary_of

_HELD = ("count", "_last", "_sum", "_sum_of_squares")


class SpikeStatistics:
    """`spike_statistics` for spikes that arrive in chunks and are not kept.

    Per neuron it holds the number of spikes, the step of the last one, and the sum and the sum of
    squares of the ISIs in steps. These are integers, so nothing is lost however long the run is.
    """

    def __init__(self, n_neurons: int) -> None:
        if n_neurons < 1:
            raise ValueError(f"n_neurons must be at least 1, got {n_neurons}.")
        self.n_neurons = n_neurons
        self.count = np.zeros(n_neurons, np.int64)
        self._last = np.zeros(n_neurons, np.int64)
        self._sum = np.zeros(n_neurons, np.int64)
        self._sum_of_squares = np.zeros(n_neurons, np.int64)

    def part(self, neurons: slice | np.ndarray, of: int | None = None) -> SpikeStatistics:
        """Those of some neurons, a slice or a mask, as they are now: of all, or of each of several
        populations that share the neurons in parts ``of`` so many."""
        parts = self.n_neurons // (of or self.n_neurons)
        found = SpikeStatistics(self.count.reshape(parts, -1)[:, neurons].size)
        for name in _HELD:
            values = getattr(self, name).reshape(parts, -1)[:, neurons]
            setattr(found, name, values.reshape(-1))
        return found

    def state(self) -> dict[str, np.ndarray]:
        """What it holds, by name."""
        return {name.lstrip("_"): getattr(self, name) for name in _HELD}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Hold what `state` gave of statistics of as many neurons.

        Raises:
            ValueError: they were of others.
        """
        for name in _HELD:
            values = np.array(state[name.lstrip("_")], np.int64)
            if values.shape != self.count.shape:
                raise ValueError(f"counts of {values.size} neurons, expected {self.n_neurons}.")
            setattr(self, name, values)

    def update(self, step: np.ndarray, neuron: np.ndarray) -> None:
        """Take in a chunk's spikes, each neuron's sorted by step and later than all before.

        Raises:
            ValueError: sizes or neuron indices do not fit, or the spikes are not in order.
        """
        check(step, neuron, self.n_neurons)
        if not step.size:
            return
        order = by_neuron(neuron, self.n_neurons)
        neuron, step = neuron[order], np.asarray(step, np.int64)[order]
        first = np.flatnonzero(np.diff(neuron, prepend=-1))  # each neuron's first spike here
        who = neuron[first]
        before = np.empty_like(step)
        before[1:] = step[:-1]
        # A neuron's very first spike ends no interval: it counts as 0, which adds nothing.
        before[first] = np.where(self.count[who] > 0, self._last[who], step[first])
        interval = step - before
        if interval.min() < 0:
            raise ValueError(
                "spikes must come in order of time, within a chunk and from one to next."
            )
        last = np.append(first[1:], step.size) - 1
        self.count[who] += last - first + 1
        self._last[who] = step[last]
        self._sum[who] += np.add.reduceat(interval, first)
        self._sum_of_squares[who] += np.add.reduceat(interval**2, first)

    def result(self, dt_ms: float, duration_ms: float) -> SpikeSummary:
        """The statistics of all spikes so far, for steps of `dt_ms` and `duration_ms` in all."""
        return self.results(dt_ms, [duration_ms])[0]

    def results(self, dt_ms: float, durations_ms: Sequence[float]) -> list[SpikeSummary]:
        """The statistics of each of several populations, which share the neurons in equal parts."""
        n = np.maximum(self.count - 1, 1)
        # n * variance = sum of squares - sum^2 / n. With sum = q n + r, all but r^2 / n is an
        # integer: the difference is exact, where floats would leave a regular train a CV of 1e-8.
        q, r = np.divmod(self._sum, n)
        variance = (self._sum_of_squares - q * q * n - 2 * q * r - r * r / n) / n * dt_ms**2
        mean, parts = self._sum / n * dt_ms, len(durations_ms)
        each = (values.reshape(parts, -1) for values in (self.count, mean, variance))
        return [summary_of(*part) for part in zip(*each, durations_ms, strict=True)]
