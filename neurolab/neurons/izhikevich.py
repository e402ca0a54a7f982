"""The simple model of Izhikevich, with the numbers that the paper prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainunit as u

from neurolab.dynamics import parameter
from neurolab.neurons.base import Variables
from neurolab.neurons.spiking import Spiking

__all__ = ["Izhikevich"]

_per_ms = 1.0 / u.ms


class Izhikevich(Spiking):
    r"""Simple model of spiking neurons (Izhikevich 2003), v in mV and t in ms.

    .. math:: \dot v = 0.04 v^2 + 5 v + 140 - u + I/C, \qquad \dot u = a\,(b v - u)

    At 30 mV it fires: v is set to c, and u grows by d.  u is in mV/ms, as is the I of the paper: a
    current over C, whose default makes it one in pA.  It is `AdQuaIF` in other parameters: there
    are 0.04 (v - v_1)(v - v_2) and w = C (u - b v_1), with v_1 and v_2 where v' and u' are 0.
    """

    a = parameter(0.02 / u.ms, "rate of recovery", positive=True)
    b = parameter(0.2 / u.ms, "sensitivity of recovery to v")
    c = parameter(-65.0 * u.mV, "v after a spike")
    d = parameter(8.0 * u.mV / u.ms, "what a spike adds to u")
    C = parameter(1.0 * u.pF, "capacitance that divides currents", positive=True)
    V_th = parameter(30.0 * u.mV, "potential at which the upstroke is cut off: a spike")
    V_initializer = parameter(-65.0 * u.mV, "initial v", initial=True)
    u_initializer = parameter(-13.0 * u.mV / u.ms, "initial u", initial=True)
    spk_reset = parameter("hard", "hard sets v to c", choices=("soft", "hard"))

    ordered = (("c", "V_th"),)

    def initial(self) -> Variables:
        return {"V": self.V_initializer, "u": self.u_initializer}

    def curve(self, V: Any) -> Any:
        """The slope of v without u and I."""
        return (0.04 / u.mV * V**2 + 5.0 * V + 140.0 * u.mV) / u.ms

    def derivatives(self, y: Variables, current: Callable[[Any], Any]) -> Variables:
        V, recovery = y["V"], y["u"]
        driven = (current(V) / self.C).to(u.mV / u.ms)
        return {
            "V": self.curve(V) - recovery + driven,
            "u": self.a * (self.b * V - recovery),
        }

    def threshold(self, y: Variables) -> Any:
        return y["V"] - self.V_th

    def height(self, y: Variables) -> Any:
        return self.V_th - self.c

    def reset_potential(self, y: Variables) -> Any:
        return self.c

    def after_spike(self, y: Variables) -> Variables:
        return {"u": y["u"] + self.d}

    def peak(self, y: Variables) -> Any:
        return self.V_th

    def runaway(self, duration: u.Quantity) -> Any:
        """Where the parabola by itself, with its vertex at -62.5 mV, takes ``duration`` to
        infinity; no lower than its upper root without u."""
        return u.math.maximum(-62.5 * u.mV + 25.0 * u.mV * u.ms / duration, -42.3 * u.mV)

    def rest(self) -> Any:
        """The lower root of v' = 0 with u = b v; where there is none, the vertex between both."""
        b = u.maybe_decimal(self.b / _per_ms)
        root = u.math.sqrt(u.math.maximum((5.0 - b) ** 2 - 22.4, 0.0))
        return (b - 5.0 - root) / 0.08 * u.mV

    def brink(self) -> Any:
        """Where rest is lost: in a saddle-node bifurcation, or before it in one of Hopf."""
        slope = u.math.minimum(u.maybe_decimal(self.a / _per_ms), u.maybe_decimal(self.b / _per_ms))
        return (slope - 5.0) / 0.08 * u.mV

    def rheobase(self) -> Any:
        V = self.brink()
        return (self.C * (self.b * V - self.curve(V))).to(self.current_unit)

    def kick(self, charge: Any) -> Any:
        return (charge / self.C).to(u.mV)
