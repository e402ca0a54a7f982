"""Spikes of another population, or of the same."""

from __future__ import annotations

from neurolab.inputs.base import SpikeInput

__all__ = ["Projection"]


class Projection(SpikeInput):
    """The spikes that arrive through synapses; each brings ``weight``.

    Which they are is not its own to say: what arrives in a step is handed to it as what other
    inputs draw, a number of spikes for each neuron, or the sum of their weights.
    """
