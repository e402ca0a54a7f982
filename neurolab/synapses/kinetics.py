r"""Synaptic kinetics: what a spike does to a synaptic variable over time.

All are linear and known exactly within the step, whatever integrator the neuron uses.  Spikes
arrive at the beginning of a step (`arrive`); over its course the cell sees the response at the
times that its integrator asks for, or its mean (`during`); then the variables are those of the
step's end (`advance`), which is what is recorded.
"""

from __future__ import annotations

from typing import Any, ClassVar

import brainstate
import brainunit as u

from neurolab.dynamics import Dynamics, parameter
from neurolab.integrators import relative_exp
from neurolab.synapses.outputs import Current, Output
from neurolab.units import with_unit

__all__ = ["Alpha", "DualExpon", "Expon", "Synapse"]

Variables = dict[str, Any]


class Synapse(Dynamics):
    """Base of the kinetics: variables that decay, and a response read from them.

    A synapse says how its variables go on by themselves (`flow`), what the cell sees of them
    (`response`), of which the mean over a time is known (`mean`), and what spikes add (`kicked`).
    """

    output = parameter(None, "what it is to the cell: a current, or a conductance", part=Output)
    g_initializer = parameter(0.0 * u.mS, "initial value", initial=True, role="g")

    #: Names of the variables, and of those to which a spike adds its weight.
    names: ClassVar[tuple[str, ...]] = ("g",)
    kicked: ClassVar[tuple[str, ...]] = ("g",)

    def __init__(self, in_size: Any, *, name: str | None = None, **given: Any) -> None:
        super().__init__(in_size, name=name, **given)
        if self.output is None:
            self.output = Current(in_size)

    # -- the description ---------------------------------------------------------------------

    def flow(self, y: Variables, time: u.Quantity) -> Variables:
        """The variables ``time`` after they were ``y``, if nothing arrives."""
        raise NotImplementedError

    def response(self, y: Variables | None = None) -> Any:
        """The conductance or current that the variables amount to, by default those of now."""
        return self.g.value if y is None else y["g"]

    def mean(self, y: Variables, time: u.Quantity) -> Any:
        """The mean of the response over ``time``, from the variables ``y`` on."""
        raise NotImplementedError

    def area(self) -> Any:
        """The time integral of the response to a spike of weight 1."""
        raise NotImplementedError

    def add_current_input(self, key: str, inp: Any, label: str | None = None) -> None:
        raise TypeError(f"{type(self).__name__} takes spikes and delta inputs, no currents")

    # -- a step ------------------------------------------------------------------------------

    def init_state(self, batch_size: int | None = None, **_: Any) -> None:
        for name in self.names:
            value = self.initial_value(self.g_initializer, batch_size)
            setattr(self, name, brainstate.HiddenState(value))

    def reset_state(self, batch_size: int | None = None, **_: Any) -> None:
        for name in self.names:
            getattr(self, name).value = self.initial_value(self.g_initializer, batch_size)

    def variables(self) -> Variables:
        """The variables as they are now."""
        return {name: getattr(self, name).value for name in self.names}

    def arrive(self, x: Any = None) -> None:
        """Add the summed weight ``x`` of the spikes that arrive, and delta inputs."""
        if self._delta_inputs:
            zero = with_unit(0.0, u.get_unit(self.variables()[self.kicked[0]]))
            x = self.sum_delta_inputs(zero if x is None else x)
        for name in () if x is None else self.kicked:
            getattr(self, name).value = getattr(self, name).value + x

    def during(self, c: float | None) -> Any:
        """The response when the fraction ``c`` of the step has passed; None: its mean over it."""
        y, dt = self.variables(), brainstate.environ.get_dt()
        if c is None:
            return self.mean(y, dt)
        return self.response(self.flow(y, c * dt) if c else y)

    def advance(self) -> None:
        """Go on to the end of the step."""
        for name, value in self.flow(self.variables(), brainstate.environ.get_dt()).items():
            getattr(self, name).value = value

    def update(self, x: Any = None) -> Any:
        """One step by itself: on to its end, then ``x`` arrives. Returns the response."""
        self.advance()
        self.arrive(x)
        return self.response()


def _decay(tau: Any, time: u.Quantity) -> tuple[Any, Any]:
    """What is left of an exponential after a time, and its mean over it."""
    x = u.math.asarray(u.maybe_decimal(time / tau), dtype=brainstate.environ.dftype())
    return u.math.exp(-x), relative_exp(-x)


class Expon(Synapse):
    r"""Exponential decay: :math:`\tau\,\dot g = -g + I_{in}`, and a spike adds its weight to g."""

    tau = parameter(8.0 * u.ms, "decay time constant", positive=True)

    add_current_input = Dynamics.add_current_input

    def flow(self, y: Variables, time: u.Quantity) -> Variables:
        return {"g": _decay(self.tau, time)[0] * y["g"]}

    def mean(self, y: Variables, time: u.Quantity) -> Any:
        return _decay(self.tau, time)[1] * y["g"]

    def advance(self) -> None:
        waits, zero = bool(self._current_inputs), with_unit(0.0, u.get_unit(self.g.value))
        super().advance()
        if waits:
            left = _decay(self.tau, brainstate.environ.get_dt())[0]
            self.g.value = self.g.value + (1.0 - left) * self.sum_current_inputs(zero)

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

    names = kicked = ("g_rise", "g_decay")
    ordered = (("tau_rise", "tau_decay"),)

    def scale(self) -> Any:
        """A N, with N = 1 / peak of exp(-t/tau_d) - exp(-t/tau_r)."""
        if not self.normalize:
            return self.amplitude
        decay, rise = self.tau_decay, self.tau_rise
        power = u.maybe_decimal(rise / (rise - decay))
        norm = u.maybe_decimal(decay / (decay - rise)) * u.maybe_decimal(rise / decay) ** power
        return self.amplitude * norm

    def flow(self, y: Variables, time: u.Quantity) -> Variables:
        return {
            "g_rise": _decay(self.tau_rise, time)[0] * y["g_rise"],
            "g_decay": _decay(self.tau_decay, time)[0] * y["g_decay"],
        }

    def response(self, y: Variables | None = None) -> Any:
        y = self.variables() if y is None else y
        return self.scale() * (y["g_decay"] - y["g_rise"])

    def mean(self, y: Variables, time: u.Quantity) -> Any:
        rise, decay = _decay(self.tau_rise, time)[1], _decay(self.tau_decay, time)[1]
        return self.response({"g_rise": rise * y["g_rise"], "g_decay": decay * y["g_decay"]})

    def area(self) -> Any:
        return self.scale() * (self.tau_decay - self.tau_rise)


class Alpha(Synapse):
    r"""Alpha function (Rall 1967).

    .. math:: \tau\,\dot g = -g + h, \qquad \tau\,\dot h = -h

    A spike adds its weight to h, so that g responds with :math:`(t/\tau)\,e^{-t/\tau}` times the
    weight, whose peak 1/e lies at tau.
    """

    tau = parameter(8.0 * u.ms, "time to the peak", positive=True)

    names = ("g", "h")
    kicked = ("h",)

    def flow(self, y: Variables, time: u.Quantity) -> Variables:
        left = _decay(self.tau, time)[0]
        ratio = u.maybe_decimal(time / self.tau)
        return {"g": left * (y["g"] + ratio * y["h"]), "h": left * y["h"]}

    def mean(self, y: Variables, time: u.Quantity) -> Any:
        left, mean = _decay(self.tau, time)
        return mean * y["g"] + (mean - left) * y["h"]

    def area(self) -> Any:
        return self.tau
