"""Generalised integrate-and-fire neurons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainunit as u

from neurolab.dynamics import parameter
from neurolab.neurons.base import Variables, over
from neurolab.neurons.integrate_and_fire import _RefractoryAlone
from neurolab.neurons.membrane import Membrane
from neurolab.neurons.spiking import Spiking

__all__ = ["Gif", "GifRef"]


class Gif(Membrane, Spiking):
    r"""Generalised integrate-and-fire neuron (Mihalas & Niebur 2009).

    .. math::
        \tau\,\dot V &= -(V - V_{rest}) + R\,(I_1 + I_2 + I) \\
        \dot I_j &= -k_j I_j \\
        \dot V_{th} &= a\,(V - V_{rest}) - b\,(V_{th} - V_{th,\infty})

    It fires at V_th, a variable; a spike sets :math:`I_j \leftarrow R_j I_j + A_j` and
    :math:`V_{th} \leftarrow \max(V_{th,reset}, V_{th})`.  In a step V sees the currents, and V_th
    the potential, of its beginning.
    """

    R = parameter(20.0 * u.ohm, "membrane resistance", positive=True)
    tau = parameter(20.0 * u.ms, "membrane time constant", positive=True)
    V_rest = parameter(-70.0 * u.mV, "resting potential")
    V_reset = parameter(-70.0 * u.mV, "potential after a spike")
    V_th_inf = parameter(-50.0 * u.mV, "threshold at rest")
    V_th_reset = parameter(-60.0 * u.mV, "least threshold after a spike")
    a = parameter(0.0 / u.ms, "drift of the threshold with V")
    b = parameter(0.01 / u.ms, "decay rate of the threshold", nonnegative=True)
    k1 = parameter(0.2 / u.ms, "decay rate of I1", nonnegative=True)
    k2 = parameter(0.02 / u.ms, "decay rate of I2", nonnegative=True)
    R1 = parameter(0.0, "share of I1 that a spike leaves")
    R2 = parameter(1.0, "share of I2 that a spike leaves")
    A1 = parameter(0.0 * u.mA, "current that a spike adds to I1")
    A2 = parameter(0.0 * u.mA, "current that a spike adds to I2")
    V_initializer = parameter(-70.0 * u.mV, "initial potential", initial=True)
    I1_initializer = parameter(0.0 * u.mA, "initial I1", initial=True)
    I2_initializer = parameter(0.0 * u.mA, "initial I2", initial=True)
    V_th_initializer = parameter(-50.0 * u.mV, "initial threshold", initial=True)

    ordered = (("V_reset", "V_th_inf"),)

    def initial(self) -> Variables:
        # Stepped in this order, no variable sees another's new value.
        return {
            "V_th": self.V_th_initializer,
            "V": self.V_initializer,
            "I1": self.I1_initializer,
            "I2": self.I2_initializer,
        }

    def derivatives(self, y: Variables, current: Callable[[Any], Any]) -> Variables:
        V, I1, I2 = y["V"], y["I1"], y["I2"]
        return {
            "V": over(-(V - self.V_rest) + self.R * (I1 + I2 + current(V)), self.tau),
            "I1": -self.k1 * I1,
            "I2": -self.k2 * I2,
            "V_th": self.a * (V - self.V_rest) - self.b * (y["V_th"] - self.V_th_inf),
        }

    def threshold(self, y: Variables) -> Any:
        return y["V"] - y["V_th"]

    def height(self, y: Variables) -> Any:
        return y["V_th"] - self.V_reset

    def after_spike(self, y: Variables) -> Variables:
        return {
            "I1": self.R1 * y["I1"] + self.A1,
            "I2": self.R2 * y["I2"] + self.A2,
            "V_th": u.math.maximum(self.V_th_reset, y["V_th"]),
        }

    def rheobase(self) -> Any:
        """Infinite for a >= b > 0, where the threshold runs ahead of the potential."""
        follows = u.maybe_decimal(u.math.where(self.a == 0 / u.ms, 0.0, self.a / self.b))
        reach = (self.V_th_inf - self.V_rest) / self.R
        return reach / u.math.maximum(1.0 - follows, 0.0)


class GifRef(_RefractoryAlone, Gif):
    """`Gif` with a refractory period."""
