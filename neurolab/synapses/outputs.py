"""What a synaptic variable does to the cell: it is a current, or a conductance, blocked or not."""

from __future__ import annotations

from typing import Any

import brainunit as u
import jax

from neurolab.dynamics import Dynamics, parameter
from neurolab.neurons.base import Neuron

__all__ = ["Conductance", "Current", "MagnesiumBlock", "Output"]


class Output(Dynamics):
    """Base of the outputs: the current that a synaptic variable g passes into a neuron."""

    #: Whether the current depends on the potential of the cell.
    depends_on_potential: bool = False

    @staticmethod
    def unit(current: u.Unit, potential: u.Unit) -> u.Unit:
        """The unit of g, hence of the weight of a spike, from those of a neuron."""
        raise NotImplementedError

    @staticmethod
    def refuses(potential: u.Unit) -> str:
        """Why it cannot act on a neuron whose potential has that unit; empty if it can."""
        return ""

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


class MagnesiumBlock(Conductance):
    r"""A conductance that magnesium blocks, as of NMDA receptors: I = g B(V) (E - V).

    .. math:: B(V) = \frac{1}{1 + e^{-\gamma V}\,[Mg]/\beta}

    Jahr & Stevens 1990 (J Neurosci 10:3178), of the open fraction at 1 mM.  The block is of the
    potential itself, not of its distance from rest, and takes no time.
    """

    Mg = parameter(1.0 * u.mM, "concentration of magnesium outside", nonnegative=True)
    gamma = parameter(0.062 / u.mV, "steepness of the block", positive=True)
    beta = parameter(3.57 * u.mM, "concentration that blocks half at 0 mV", positive=True)

    @staticmethod
    def refuses(potential: u.Unit) -> str:
        fits = potential.has_same_dim(u.mV)
        return "" if fits else "needs a potential in mV, which the neuron has not"

    def block(self, V: Any) -> Any:
        """B(V), the fraction of the conductance that is left."""
        # The same as a sigmoid, whose slope no potential makes infinite.
        share = u.math.log(u.maybe_decimal(self.Mg / self.beta))
        return jax.nn.sigmoid(u.maybe_decimal(self.gamma * V) - share)

    def current(self, g: Any, V: Any, neuron: Neuron) -> Any:
        return self.block(V) * super().current(g, V, neuron)

    def strength(self, neuron: Neuron) -> Any:
        return self.block(neuron.brink()) * super().strength(neuron)
