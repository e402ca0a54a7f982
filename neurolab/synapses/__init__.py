"""Synapses: kinetics, and what they do to the cell."""

from neurolab.synapses.kinetics import Alpha, DualExpon, Expon, Synapse
from neurolab.synapses.outputs import Conductance, Current, MagnesiumBlock, Output

__all__ = [
    "Alpha",
    "Conductance",
    "Current",
    "DualExpon",
    "Expon",
    "MagnesiumBlock",
    "Output",
    "Synapse",
]
