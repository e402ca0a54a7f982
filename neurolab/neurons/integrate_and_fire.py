r"""Integrate-and-fire neurons.

Leaky, exponential and quadratic neurons differ by one curve :math:`F(V)`,

.. math:: \tau\,\frac{dV}{dt} = F(V) + R\,I,

adaptation is a second variable, and ``...Ref`` is the same neuron with a refractory period.
Default parameters are those of brainpy.state, as are the update order and the names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainunit as u

from neurolab.dynamics import parameter
from neurolab.neurons.base import Variables, over
from neurolab.neurons.membrane import Membrane
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
    "LIFRef",
    "QuaIF",
]


class _Firing(Membrane, Spiking):
    r"""``tau dV/dt = curve(V) + R I``, fires at V_th, returns to V_reset."""

    V_th = parameter(1.0 * u.mV, "firing threshold")
    V_reset = parameter(0.0 * u.mV, "potential after a spike")
    V_rest = parameter(0.0 * u.mV, "resting potential")
    V_initializer = parameter(0.0 * u.mV, "initial potential", initial=True)

    ordered = (("V_reset", "V_th"),)

    def curve(self, V: Any) -> Any:
        """F(V): what drives the membrane without input, in units of voltage."""
        raise NotImplementedError

    def initial(self) -> Variables:
        return {"V": self.V_initializer}

    def derivatives(self, y: Variables, current: Callable[[Any], Any]) -> Variables:
        V = y["V"]
        slope = self.curve(V) + self.R * current(V)
        # Of an upstroke the slope is asked for several times, and a division is what they share.
        return {"V": over(slope, self.tau) if self.peak(y) is None else slope / self.tau}

    def threshold(self, y: Variables) -> Any:
        return y["V"] - self.V_th

    def height(self, y: Variables) -> Any:
        return self.V_th - self.V_reset

    def clears(self, y: Variables) -> bool:
        own = type(self)  # which may have a threshold or a reset of its own
        fixed = own.threshold is _Firing.threshold and self.potential not in self.after_spike(y)
        return self.spk_reset == "hard" and fixed and own.reset_potential is Spiking.reset_potential


class LIF(_Firing):
    r"""Leaky integrate-and-fire neuron (Stein 1967).

    .. math:: \tau\,\dot V = -(V - V_{rest}) + R\,I
    """

    def curve(self, V: Any) -> Any:
        return -V + self.V_rest

    def rheobase(self) -> Any:
        return (self.V_th - self.V_rest) / self.R


class IF(_Firing):
    r"""Leaky integrate-and-fire neuron with rest and reset at zero.

    .. math:: \tau\,\dot V = -V + R\,I
    """

    V_reset = 0.0 * u.mV
    V_rest = 0.0 * u.mV

    def curve(self, V: Any) -> Any:
        return -V

    def height(self, y: Variables) -> Any:
        return self.V_th

    def rheobase(self) -> Any:
        return self.V_th / self.R


class ALIF(LIF):
    r"""Leaky integrate-and-fire neuron with an adaptive threshold (Bellec et al. 2020).

    .. math:: \tau\,\dot V = -(V - V_{rest}) + R\,I, \qquad \tau_a\,\dot a = -a

    It fires at :math:`V_{th} + \beta a`, and every spike adds 1 to a.  A soft reset subtracts
    V_th - V_reset, not the raised threshold.
    """

    tau_a = parameter(100.0 * u.ms, "time constant of adaptation", positive=True)
    beta = parameter(0.1 * u.mV, "rise of the threshold per spike", nonnegative=True)
    a_initializer = parameter(0.0, "initial adaptation", initial=True)

    def initial(self) -> Variables:
        return {"V": self.V_initializer, "a": self.a_initializer}

    def derivatives(self, y: Variables, current: Callable[[Any], Any]) -> Variables:
        return super().derivatives(y, current) | {"a": over(-y["a"], self.tau_a)}

    def threshold(self, y: Variables) -> Any:
        return y["V"] - self.V_th - self.beta * y["a"]

    def after_spike(self, y: Variables) -> Variables:
        return {"a": y["a"] + 1.0}


class ExpIF(_Firing):
    r"""Exponential integrate-and-fire neuron (Fourcaud-Trocme et al. 2003).

    .. math:: \tau\,\dot V = -(V - V_{rest}) + \Delta_T e^{(V - V_T)/\Delta_T} + R\,I

    The upstroke is cut off at V_th, see `Spiking.update`.
    """

    tau = parameter(10.0 * u.ms, "membrane time constant", positive=True)
    V_th = parameter(-30.0 * u.mV, "potential at which the upstroke is cut off: a spike")
    V_reset = parameter(-68.0 * u.mV, "potential after a spike")
    V_rest = parameter(-65.0 * u.mV, "resting potential")
    V_T = parameter(-59.9 * u.mV, "rheobase potential, where the upstroke takes over")
    delta_T = parameter(3.48 * u.mV, "sharpness of the upstroke", positive=True)
    V_initializer = parameter(-65.0 * u.mV, "initial potential", initial=True)
    spk_reset = parameter("hard", "hard sets V to V_reset", choices=("soft", "hard"))

    def curve(self, V: Any) -> Any:
        return -(V - self.V_rest) + self.delta_T * u.math.exp((V - self.V_T) / self.delta_T)

    def peak(self, y: Variables) -> Any:
        return self.V_th

    def runaway(self, duration: u.Quantity) -> Any:
        r"""Where :math:`\tau e^{-(V - V_T)/\Delta_T}`, the time from V to infinity under the
        exponential alone, is ``duration``; no lower than 3 delta_T above V_T, where the exponential
        outweighs the leak."""
        return self.V_T + self.delta_T * u.math.maximum(u.math.log(self.tau / duration), 3.0)

    def rheobase(self) -> Any:
        return (self.V_T - self.V_rest - self.delta_T) / self.R


class QuaIF(_Firing):
    r"""Quadratic integrate-and-fire neuron (Ermentrout 1996).

    .. math:: \tau\,\dot V = c\,(V - V_{rest})(V - V_c) + R\,I
    """

    tau = parameter(10.0 * u.ms, "membrane time constant", positive=True)
    V_th = parameter(-30.0 * u.mV, "potential at which the upstroke is cut off: a spike")
    V_reset = parameter(-68.0 * u.mV, "potential after a spike")
    V_rest = parameter(-65.0 * u.mV, "resting potential")
    V_c = parameter(-50.0 * u.mV, "critical potential, beyond which V runs away")
    c = parameter(0.07 / u.mV, "curvature", positive=True)
    V_initializer = parameter(-65.0 * u.mV, "initial potential", initial=True)
    spk_reset = parameter("hard", "hard sets V to V_reset", choices=("soft", "hard"))

    def curve(self, V: Any) -> Any:
        return self.c * (V - self.V_rest) * (V - self.V_c)

    def peak(self, y: Variables) -> Any:
        return self.V_th

    def runaway(self, duration: u.Quantity) -> Any:
        r"""Where :math:`\tau / (c\,(V - V_0))`, the time from V to infinity of a parabola with its
        vertex at V_0 halfway between V_rest and V_c, is ``duration``; no lower than V_c."""
        vertex = (self.V_rest + self.V_c) / 2
        return u.math.maximum(vertex + self.tau / (self.c * duration), self.V_c)

    def rheobase(self) -> Any:
        return self.c * (self.V_c - self.V_rest) ** 2 / 4 / self.R


class _Adaptive(_Firing):
    r"""An adaptation current: ``tau_w dw/dt = a (V - V_rest) - w``; a spike adds b to w."""

    tau_w = parameter(30.0 * u.ms, "time constant of adaptation", positive=True)
    a = parameter(1.0 * u.siemens, "subthreshold adaptation")
    b = parameter(1.0 * u.mA, "adaptation current that a spike adds")
    w_initializer = parameter(0.0 * u.mA, "initial adaptation current", initial=True)

    def initial(self) -> Variables:
        return {"V": self.V_initializer, "w": self.w_initializer}

    def derivatives(self, y: Variables, current: Callable[[Any], Any]) -> Variables:
        V, w = y["V"], y["w"]
        return {
            "V": (self.curve(V) - self.R * w + self.R * current(V)) / self.tau,
            "w": (self.a * (V - self.V_rest) - w) / self.tau_w,
        }

    def after_spike(self, y: Variables) -> Variables:
        return {"w": y["w"] + self.b}

    def _critical_slope(self) -> Any:
        """The slope of the curve at which rest is lost: a R (saddle-node) or tau/tau_w (Hopf),
        whichever comes first as the current grows."""
        lowest = 1e-3 - 1.0  # for a strongly negative a
        saddle, hopf = u.maybe_decimal(self.a * self.R), u.maybe_decimal(self.tau / self.tau_w)
        return u.math.maximum(u.math.minimum(saddle, hopf), lowest)


class AdExIF(_Adaptive, ExpIF):
    r"""Adaptive exponential integrate-and-fire neuron (Brette & Gerstner 2005).

    .. math::
        \tau\,\dot V &= -(V - V_{rest}) + \Delta_T e^{(V - V_T)/\Delta_T} - R w + R\,I \\
        \tau_w\,\dot w &= a\,(V - V_{rest}) - w, \qquad \text{at a spike } w \leftarrow w + b

    The resting state is lost in a saddle-node bifurcation, or before that in a Hopf bifurcation
    where w is slow (Touboul & Brette 2008); a step from rest can fire below the rheobase, while
    w lags behind.
    """

    tau = parameter(10.0 * u.ms, "membrane time constant", positive=True)
    V_th = parameter(-55.0 * u.mV, "potential at which the upstroke is cut off: a spike")

    def rheobase(self) -> Any:
        slope = self._critical_slope()
        V = self.V_T + self.delta_T * u.math.log(1.0 + slope)
        leak = 1.0 + u.maybe_decimal(self.a * self.R)
        found = (leak * (V - self.V_rest) - self.delta_T * (1.0 + slope)) / self.R
        # Of a = -g_L, but for rounding, the current at rest rises towards 0 as V falls.
        return u.math.where(abs(leak) < 1e-6, 0.0 * self.delta_T / self.R, found)


class AdQuaIF(_Adaptive, QuaIF):
    r"""Adaptive quadratic integrate-and-fire neuron (Izhikevich 2003).

    .. math::
        \tau\,\dot V &= c\,(V - V_{rest})(V - V_c) - R w + R\,I \\
        \tau_w\,\dot w &= a\,(V - V_{rest}) - w, \qquad \text{at a spike } w \leftarrow w + b
    """

    tau_w = parameter(10.0 * u.ms, "time constant of adaptation", positive=True)
    b = parameter(0.1 * u.mA, "adaptation current that a spike adds")

    def rheobase(self) -> Any:
        V = (self.V_rest + self.V_c) / 2 + self._critical_slope() / (2 * self.c)
        leak = u.maybe_decimal(self.a * self.R)
        return (leak * (V - self.V_rest) - self.curve(V)) / self.R


class _Refractory(Spiking):
    """A refractory period: V is held after a spike."""

    tau_ref = parameter(1.7 * u.ms, "refractory period", nonnegative=True)
    ref_var = parameter(False, "keep the state `refractory`, true while V is held")


class _RefractoryAlone(_Refractory):
    """As `_Refractory`, of a neuron with variables beside V.

    They go on, by default: what is refractory is the membrane, and the equations of adaptation hold
    at all times, as in NEST.  brainpy.state holds all; rates differ by 6 to 17 %.
    """

    holds = parameter("V", "held while refractory: V alone, or all variables", choices=("V", "all"))


class LIFRef(LIF, Spiking):
    """`LIF` with a refractory period."""

    tau_ref = parameter(5.0 * u.ms, "refractory period", nonnegative=True)


class ExpIFRef(_Refractory, ExpIF):
    """`ExpIF` with a refractory period."""


class AdExIFRef(_RefractoryAlone, AdExIF):
    """`AdExIF` with a refractory period."""


class AdQuaIFRef(_RefractoryAlone, AdQuaIF):
    """`AdQuaIF` with a refractory period."""
