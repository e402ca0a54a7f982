"""Synaptic kinetics: what a spike does to a synaptic variable over time.

All are linear and stepped exactly, whatever integrator the neuron uses.  In a step the variable
decays first; then arriving spikes, delta inputs and ``x``, are added.
"""

from __future__ import annotations

from typing import Any

import brainstate
import brainunit as u

from neurolab.dynamics import Dynamics, parameter
from neurolab.units import with_unit

__all__ = ["Alpha", "DualExpon", "Expon", "Synapse"]


class Synapse(Dynamics):
    """Base of the kinetics: variables that decay, and a response read from them."""

    g_initializer = parameter(0.0 * u.mS, "initial value", initial=True, role="g")

    #: Names of the variables.
    names: tuple[str, ...] = ("g",)

    def init_state(self, batch_size: int | None = None, **_: Any) -> None:
        for name in self.names:
            value = self.initial_value(self.g_initializer, batch_size)
            setattr(self, name, brainstate.HiddenState(value))

    def reset_state(self, batch_size: int | None = None, **_: Any) -> None:
        for name in self.names:
            getattr(self, name).value = self.initial_value(self.g_initializer, batch_size)

    def response(self) -> Any:
        """The conductance or current that the variables amount to now."""
        return self.g.value

    def area(self) -> Any:
        """The time integral of the response to a spike of weight 1."""
        raise NotImplementedError

    def _arrivals(self, value: Any, x: Any) -> Any:
        value = self.sum_delta_inputs(value)
        return value if x is None else value + x


def _decay(tau: Any) -> Any:
    return u.math.exp(-u.maybe_decimal(brainstate.environ.get_dt() / tau))


class Expon(Synapse):
    r"""Exponential decay: :math:`\tau\,\dot g = -g + I_{in}`, and a spike adds its weight to g."""

    tau = parameter(8.0 * u.ms, "decay time constant", positive=True)

    def update(self, x: Any = None) -> Any:
        """One step; ``x`` is the summed weight of the spikes that arrive. Returns g."""
        g = self.g.value
        drive = self.sum_current_inputs(with_unit(0.0, u.get_unit(g)))
        decay = _decay(self.tau)
        self.g.value = self._arrivals(decay * g + (1.0 - decay) * drive, x)
        return self.g.value

    def area(self) -> Any:
        return self.tau


class DualExpon(Synapse):
    r"""Difference of two exponentials.

    .. math:: \tau_{r}\,\dot g_{rise} = -g_{rise}, \quad \tau_{d}\,\dot g_{decay} = -g_{decay},
              \quad g = A N\,(g_{decay} - g_{rise})

    A spike adds its weight to both.  With ``normalize`` N makes the peak of the response to a
    spike of weight 1 equal to the amplitude A; otherwise N = 1.
    """

    tau_decay = parameter(10.0 * u.ms, "decay time constant", positive=True)
    tau_rise = parameter(1.0 * u.ms, "rise time constant", positive=True)
    amplitude = parameter(1.0, "height of the response")
    normalize = parameter(True, "scale the peak to the amplitude")

    names = ("g_rise", "g_decay")
    ordered = (("tau_rise", "tau_decay"),)

    def scale(self) -> Any:
        """A N, with N = 1 / peak of exp(-t/tau_d) - exp(-t/tau_r)."""
        if not self.normalize:
            return self.amplitude
        decay, rise = self.tau_decay, self.tau_rise
        power = u.maybe_decimal(rise / (rise - decay))
        norm = u.maybe_decimal(decay / (decay - rise)) * u.maybe_decimal(rise / decay) ** power
        return self.amplitude * norm

    def update(self, x: Any = None) -> Any:
        """One step; ``x`` is the summed weight of the spikes that arrive. Returns g."""
        self.sum_current_inputs(with_unit(0.0, u.get_unit(self.g_rise.value)))  # no effect
        jump = self._arrivals(with_unit(0.0, u.get_unit(self.g_rise.value)), x)
        self.g_rise.value = _decay(self.tau_rise) * self.g_rise.value + jump
        self.g_decay.value = _decay(self.tau_decay) * self.g_decay.value + jump
        return self.response()

    def response(self) -> Any:
        return self.scale() * (self.g_decay.value - self.g_rise.value)

    def area(self) -> Any:
        return self.scale() * (self.tau_decay - self.tau_rise)


class Alpha(Synapse):
    r"""Alpha function (Rall 1967).

    .. math:: \tau\,\dot g = -g + h, \qquad \tau\,\dot h = -h

    A spike adds its weight to h, so that g responds with :math:`(t/\tau)\,e^{-t/\tau}` times the
    weight, whose peak 1/e lies at tau.  Stepped by the exact propagator.
    """

    tau = parameter(8.0 * u.ms, "time to the peak", positive=True)

    names = ("g", "h")

    def update(self, x: Any = None) -> Any:
        """One step; ``x`` is the summed weight of the spikes that arrive. Returns g."""
        decay = _decay(self.tau)
        ratio = u.maybe_decimal(brainstate.environ.get_dt() / self.tau)
        self.g.value = decay * (self.g.value + ratio * self.h.value)
        self.h.value = self._arrivals(decay * self.h.value, x)
        return self.g.value

    def area(self) -> Any:
        return self.tau
