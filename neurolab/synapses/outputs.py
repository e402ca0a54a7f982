"""What a synaptic variable does to the cell: it is a current, or a conductance."""

from __future__ import annotations

from typing import Any

import brainunit as u

from neurolab.dynamics import Dynamics, parameter
from neurolab.neurons.base import Neuron

__all__ = ["Conductance", "Current", "Output"]


class Output(Dynamics):
    """Base of the outputs: the current that a synaptic variable g passes into a neuron."""

    #: Whether the current depends on the potential of the cell.
    depends_on_potential: bool = False

    @staticmethod
    def unit(current: u.Unit, potential: u.Unit) -> u.Unit:
        """The unit of g, hence of the weight of a spike, from those of a neuron."""
        raise NotImplementedError

    def current(self, g: Any, V: Any, neuron: Neuron) -> Any:
        """The current into the neuron."""
        raise NotImplementedError

    def strength(self, neuron: Neuron) -> Any:
        """The size of the current per unit of g in a neuron about to fire; a conductance, which
        cannot be negative, excites or inhibits by its reversal potential."""
        raise NotImplementedError


class Current(Output):
    """The synaptic variable is a current: I = g."""

    @staticmethod
    def unit(current: u.Unit, potential: u.Unit) -> u.Unit:
        return current

    def current(self, g: Any, V: Any, neuron: Neuron) -> Any:
        return g

    def strength(self, neuron: Neuron) -> Any:
        return 1.0


class Conductance(Output):
    """The synaptic variable is a conductance: I = g (E - V)."""

    E = parameter(
        "excitatory",
        "reversal potential, or excitatory / inhibitory: relative to the neuron's rest",
        role="potential",
        choices=("excitatory", "inhibitory"),
    )
    depends_on_potential = True

    @staticmethod
    def unit(current: u.Unit, potential: u.Unit) -> u.Unit:
        return current / potential

    def reversal(self, neuron: Neuron) -> Any:
        """E in the neuron's unit of potential."""
        return neuron.reversal(self.E) if isinstance(self.E, str) else self.E

    def current(self, g: Any, V: Any, neuron: Neuron) -> Any:
        return g * (self.reversal(neuron) - V)

    def strength(self, neuron: Neuron) -> Any:
        return u.math.abs(self.reversal(neuron) - neuron.brink())
