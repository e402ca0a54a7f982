"""A membrane with a leak: resistance and time constant, or conductance and capacitance."""

from __future__ import annotations

from typing import Any

import brainunit as u

from neurolab.dynamics import parameter
from neurolab.neurons.spiking import Spiking

__all__ = ["Membrane"]


class Membrane(Spiking):
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
