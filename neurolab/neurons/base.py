"""What all neurons have: a potential, currents into it, and drives measured by it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import brainunit as u

from neurolab.dynamics import Dynamics
from neurolab.integrators import ExpEuler, Integrator

__all__ = ["Neuron", "Variables", "over"]

Variables = dict[str, Any]


class Neuron(Dynamics):
    """Base of all neurons: a potential, driven by currents, kicked by delta inputs."""

    #: Name of the variable that inputs act on, and its unit and that of a current.
    potential: ClassVar[str] = "V"
    potential_unit: ClassVar[u.Unit] = u.mV
    current_unit: ClassVar[u.Unit] = u.mA

    #: Pairs of parameters of which one follows from the other where that is given.
    alternatives: ClassVar[tuple[tuple[str, str], ...]] = ()

    integrator: Integrator = ExpEuler()

    def rheobase(self) -> Any:
        """The smallest constant current under which no stable resting state is left."""
        raise NotImplementedError

    def rest(self) -> Any:
        """The resting potential V_rest, from which drives and reversal potentials are measured."""
        raise NotImplementedError

    def brink(self) -> Any:
        """The potential at which a passive membrane would settle under the rheobase."""
        return self.rest() + self.R * self.rheobase()

    def reversal(self, kind: str) -> Any:
        """Reversal potential of an ``excitatory`` or ``inhibitory`` conductance.

        65 mV above and 15 mV below rest: 0 and -80 mV for a cell that rests at -65 mV, as AMPA
        and GABA-A receptors have (Destexhe, Mainen & Sejnowski 1998).
        """
        return self.rest() + {"excitatory": 65.0, "inhibitory": -15.0}[kind] * u.mV

    def kick(self, charge: Any) -> Any:
        """The jump of the potential that a short pulse of the given charge makes."""
        raise NotImplementedError

    def variables(self) -> Variables:
        """The current values of the model's variables, in stepping order."""
        return {name: getattr(self, name).value for name in self.initial()}

    @abstractmethod
    def initial(self) -> Variables:
        """Each state variable with its initial value or initialiser, in stepping order."""
        raise NotImplementedError


def over(x: Any, divisor: Any) -> Any:
    """x / divisor, by the inverse of a parameter, which is computed once and not in every step: a
    division takes as long as ten multiplications."""
    return x * (1.0 / divisor)
