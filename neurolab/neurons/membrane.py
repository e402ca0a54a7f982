"""A membrane with a leak: resistance and time constant, or conductance and capacitance."""

from __future__ import annotations

from typing import Any

import brainstate
import brainunit as u

from neurolab.dynamics import parameter
from neurolab.integrators import ExpEuler
from neurolab.neurons.base import Neuron, Variables

__all__ = ["LeakyIntegrator", "Membrane"]


class Membrane(Neuron):
    r"""A membrane, by its resistance and time constant, or by what is measured of a cell: its leak
    conductance :math:`g_L = 1/R` in place of R, its capacitance :math:`C = \tau/R` of tau."""

    R = parameter(1.0 * u.ohm, "membrane resistance", positive=True)
    tau = parameter(5.0 * u.ms, "membrane time constant", positive=True)
    g_L = parameter(None, "leak conductance, in place of R", measures=u.nS, positive=True)
    C = parameter(None, "membrane capacitance, in place of tau", measures=u.pF, positive=True)

    alternatives = (("R", "g_L"), ("tau", "C"))

    def __init__(self, in_size: Any, *, name: str | None = None, **given: Any) -> None:
        # A subclass may have parameters of these names that are something else.
        ours = {k for k in ("g_L", "C") if self.parameters[k].measures is not None}
        for derived, instead in self.alternatives:
            has = (
                instead in ours and given.get(instead, self.parameters[instead].default) is not None
            )
            if has and given.pop(derived, None) is not None:
                where = type(self).__name__
                raise TypeError(f"{where}: {derived} follows from {instead}; give one of them")
        super().__init__(in_size, name=name, **given)
        # In the units of the defaults, so that a step multiplies by no factor of units.
        if "g_L" in ours and self.g_L is not None:
            self.R = (1.0 / self.g_L).to(u.ohm)
        if "C" in ours and self.C is not None:
            self.tau = (self.C * self.R).to(u.ms)

    def rest(self) -> Any:
        return self.V_rest

    def kick(self, charge: Any) -> Any:
        return self.R * charge / self.tau


class LeakyIntegrator(Membrane):
    r"""A membrane that does not fire: :math:`\tau\,\dot V = -(V - V_{rest}) + R\,I`.

    What a network is read out by, as the readout units of Zenke & Vogels 2021 (Neural Comput
    33:899).  Its step is exponential Euler, whatever the integrator: exact for the mean over the
    step of currents and conductances.
    """

    V_rest = parameter(0.0 * u.mV, "resting potential")
    V_initializer = parameter(0.0 * u.mV, "initial potential", initial=True)

    def initial(self) -> Variables:
        return {"V": self.V_initializer}

    def init_state(self, batch_size: int | None = None, **_: Any) -> None:
        self.V = brainstate.HiddenState(self.initial_value(self.V_initializer, batch_size))

    def reset_state(self, batch_size: int | None = None, **_: Any) -> None:
        self.V.value = self.initial_value(self.V_initializer, batch_size)

    def update(self, x: Any = None) -> u.Quantity:
        """One step of dt with input current ``x``; returns V."""
        x = 0.0 * self.current_unit if x is None else x
        jumps = {"V": self.sum_delta_inputs(0.0 * u.mV)} if self._delta_inputs else {}

        def slopes(y: Variables, _: Any) -> Variables:  # read once, as inputs that wait are
            current = self.sum_current_inputs(x, y["V"])
            return {"V": (self.V_rest - y["V"] + self.R * current) / self.tau}

        dt = brainstate.environ.get_dt()
        self.V.value = ExpEuler().step(slopes, self.variables(), dt, jumps)["V"]
        return self.V.value

    def rheobase(self) -> Any:
        """What holds V 1 mV above rest: without a threshold no current is the least to fire."""
        return 1.0 * u.mV / self.R
