"""Inputs: Poisson spikes in their forms, currents over time, recorded data."""

from neurolab.inputs.base import Input, SpikeInput
from neurolab.inputs.files import InputFileError, read_samples, read_spikes
from neurolab.inputs.piecewise import Piecewise
from neurolab.inputs.projection import Projection
from neurolab.inputs.signals import (
    Constant,
    OrnsteinUhlenbeck,
    Ramp,
    Signal,
    SignalFromFile,
    Sinusoidal,
    Step,
)
from neurolab.inputs.spikes import Poisson, PoissonRates, PoissonSpikes, SpikesFromFile

__all__ = [
    "Constant",
    "Input",
    "InputFileError",
    "OrnsteinUhlenbeck",
    "Piecewise",
    "Poisson",
    "PoissonRates",
    "PoissonSpikes",
    "Projection",
    "Ramp",
    "Signal",
    "SignalFromFile",
    "Sinusoidal",
    "SpikeInput",
    "SpikesFromFile",
    "Step",
    "read_samples",
    "read_spikes",
]
