"""Neurons: fifteen spiking models, a membrane that does not fire, and a rate neuron."""

from neurolab.neurons.base import Neuron
from neurolab.neurons.gif import Gif, GifRef
from neurolab.neurons.integrate_and_fire import (
    ALIF,
    IF,
    LIF,
    AdExIF,
    AdExIFRef,
    AdQuaIF,
    AdQuaIFRef,
    ExpIF,
    ExpIFRef,
    LIFRef,
    QuaIF,
)
from neurolab.neurons.izhikevich import Izhikevich
from neurolab.neurons.membrane import LeakyIntegrator
from neurolab.neurons.rate import SigmoidRate
from neurolab.neurons.spike import Surrogate
from neurolab.neurons.spiking import Spiking

__all__ = [
    "ALIF",
    "IF",
    "LIF",
    "AdExIF",
    "AdExIFRef",
    "AdQuaIF",
    "AdQuaIFRef",
    "ExpIF",
    "ExpIFRef",
    "Gif",
    "GifRef",
    "Izhikevich",
    "LIFRef",
    "LeakyIntegrator",
    "Neuron",
    "QuaIF",
    "SigmoidRate",
    "Spiking",
    "Surrogate",
]
