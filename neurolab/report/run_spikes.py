"""The spikes of a run as its page has them: over all of its time, however many there are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from neurolab.results.run import Run

__all__ = ["drawn_neurons", "embed_spikes", "shown_part"]

_MOST = 1_200_000  # that a page has
_FEWEST = 20  # neurons of a population that are drawn, before time is cut
_AT_ONCE = 4_000_000  # that are read


def drawn_neurons(run: Run, also: Iterable[int] = ()) -> np.ndarray:
    """Which neurons are drawn: all, or of each population evenly chosen ones, so that a page has
    room for their spikes, no fewer than twenty; and some others, whose traces are drawn."""
    every = -(-run.commit.lengths.get("spike_step", 0) // _MOST)
    drawn = np.ones(run.n_neurons, bool)
    for of in run.populations.values() or [slice(0, run.n_neurons)]:
        size = of.stop - of.start
        stride = max(1, min(every, size // _FEWEST))
        drawn[of] = np.arange(size) % stride == 0
    drawn[list(also)] = True
    return drawn


def shown_part(run: Run, drawn: np.ndarray) -> Run:
    """The run; of so few neurons with so many spikes that a page has no room for them, its
    beginning."""
    return run.beginning(int(1.25 * _MOST / max(drawn.mean(), 1e-9)))


def embed_spikes(part: Run, drawn: np.ndarray, arrays: dict[str, np.ndarray]) -> int:
    """Put the spikes of the neurons that are drawn among the arrays of a page: the neuron of each,
    and its step, or how many spikes each step has, whichever is shorter. Returns their number."""
    steps, neurons = [], []
    for begin in range(0, part.commit.lengths.get("spike_step", 0), _AT_ONCE):
        inside = slice(begin, min(begin + _AT_ONCE, part.commit.lengths["spike_step"]))
        neuron = part.part("spike_neuron", inside)
        kept = drawn[neuron]
        steps.append(part.part("spike_step", inside)[kept])
        neurons.append(neuron[kept])
    step = np.concatenate([np.zeros(0, np.int64), *steps]).astype(np.int64)
    neuron = np.concatenate([np.zeros(0, np.int64), *neurons])
    arrays["spike_neuron"] = neuron.astype(np.uint16 if drawn.size <= 2**16 else np.uint32)
    counts = np.bincount(step) if step.size > part.committed_steps else np.zeros(0, np.int64)
    if 0 < counts.max(initial=0) < 2**16:
        arrays["spikes_of_step"] = counts.astype(np.uint8 if counts.max() < 2**8 else np.uint16)
    else:
        arrays["spike_step"] = step.astype(np.uint32)
    return int(step.size)
