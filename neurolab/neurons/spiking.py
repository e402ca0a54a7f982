"""The step that every spiking neuron shares, and what one has to say of itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from neurolab.dynamics import environ_step, parameter
from neurolab.neurons.base import Neuron, Variables
from neurolab.neurons.spike import Surrogate, blend, spike, with_value
from neurolab.units import magnitude

__all__ = ["Spiking"]

#: An input current, of the fraction of the step (None: its mean over it) and the potential.
Drive = Callable[[float | None, Any], Any]

#: "Never": earlier than any step, by more than any refractory period.
_LONG_AGO = -(10**8)


class Spiking(Neuron):
    r"""A neuron that fires when it crosses a threshold, and is then reset.

    A subclass describes itself (`initial`, `derivatives`, `threshold`, `height`, `after_spike`)
    and does not say how it is stepped.  One step is, for all of them:

    1. the spike of the last step, which ``fired`` says, resets the stored variables; V at the
       threshold that no spike left there, as at the start, is integrated, and may fire;
    2. the integrator advances them by dt, and delta inputs are added to V;
    3. an upstroke ends at its peak: no variable sees a V beyond it, and none is stored;
    4. while refractory, V stays as after the reset instead, and all other variables with it if
       `holds` says so;
    5. the neuron fires where the new V has reached the threshold and is not held.

    Refractoriness is counted in whole steps: after a spike, ``ceil(tau_ref / dt) - 1`` steps are
    held, so that rounding of the time cannot matter.
    """

    spk_fun = parameter(
        "ReluGrad", "surrogate gradient: a braintools.surrogate, or its name", is_surrogate=True
    )
    spk_reset = parameter(
        "soft",
        "soft subtracts the height of the threshold, hard sets V to V_reset",
        choices=("soft", "hard"),
    )

    #: Set by models with a refractory period, and by those that keep the `refractory` state.
    tau_ref: Any = None
    ref_var: Any = False
    #: What is held while refractory: V alone, or "all" variables.
    holds: Any = "V"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "threshold" in vars(cls) and "peak" not in vars(cls) and cls.peak is not Spiking.peak:
            raise TypeError(
                f"{cls.__name__} has a threshold of its own; its upstroke is cut off at `peak`: "
                "define peak(self, y) as the V at which that threshold is reached, or None"
            )

    def __init__(self, in_size: Any, *, name: str | None = None, **given: Any) -> None:
        super().__init__(in_size, name=name, **given)
        if isinstance(self.spk_fun, str):
            self.spk_fun = Surrogate(self.spk_fun)

    # -- the description ---------------------------------------------------------------------

    @abstractmethod
    def derivatives(self, y: Variables, current: Callable[[Any], Any]) -> Mapping[str, Any]:
        """Time derivative of each variable; ``current(V)`` is the total input current."""
        raise NotImplementedError

    @abstractmethod
    def threshold(self, y: Variables) -> Any:
        """The distance of V above the threshold: the neuron fires where it is >= 0."""
        raise NotImplementedError

    @abstractmethod
    def height(self, y: Variables) -> Any:
        """The scale of that distance: what a soft reset subtracts."""
        raise NotImplementedError

    def after_spike(self, y: Variables) -> Variables:
        """The variables just after a spike, V excepted unless it resets in a way of its own."""
        return {}

    def clears(self, y: Variables) -> bool:
        """Whether each reset leaves V below the threshold, where it stays while it is held."""
        return False

    def reset_potential(self, y: Variables) -> Any:
        """V after a hard reset."""
        return self.V_reset

    def peak(self, y: Variables) -> Any:
        """The potential at which an upstroke is cut off: the threshold.  None for a neuron without
        an upstroke, whose V may pass its threshold by what a step brings."""
        return None

    def runaway(self, duration: u.Quantity) -> Any:
        """The potential from which the upstroke by itself is over within ``duration``; infinite
        where that is not known."""
        return np.inf * self.potential_unit

    # -- the step ----------------------------------------------------------------------------

    def init_state(self, batch_size: int | None = None, **_: Any) -> None:
        for name, value in self.initial().items():
            setattr(self, name, brainstate.HiddenState(self.initial_value(value, batch_size)))
        shape = self.varshape if batch_size is None else (batch_size, *self.varshape)
        self.fired = brainstate.ShortTermState(jnp.zeros(shape, bool))
        if self.tau_ref is not None:
            self.last_spike_step = brainstate.ShortTermState(jnp.full(shape, _LONG_AGO, jnp.int32))
            if self.ref_var:
                self.refractory = brainstate.HiddenState(jnp.zeros(shape, bool))

    def reset_state(self, batch_size: int | None = None, **_: Any) -> None:
        for name, value in self.initial().items():
            getattr(self, name).value = self.initial_value(value, batch_size)
        self.fired.value = jnp.zeros_like(self.fired.value)
        if self.tau_ref is not None:
            self.last_spike_step.value = jnp.full_like(self.last_spike_step.value, _LONG_AGO)
            if self.ref_var:
                self.refractory.value = jnp.zeros_like(self.refractory.value)

    @property
    def last_spike_time(self) -> u.Quantity:
        """Time of the start of the step in which each neuron last fired (-1e8 dt if never)."""
        return self.last_spike_step.value * brainstate.environ.get_dt()

    def get_spike(self, y: Variables | None = None) -> jax.Array:
        """1 where the neuron fires, 0 elsewhere, with the surrogate's gradient."""
        y = self.variables() if y is None else y
        distance, height = self.threshold(y), self.height(y)
        unit = u.get_unit(distance)
        distance, height = magnitude(distance, unit), magnitude(height, unit)
        if hasattr(self.spk_fun, "surrogate_grad"):
            return spike(self.spk_fun, distance, height)
        return self.spk_fun(distance / height)

    def update(self, x: Any = None) -> jax.Array:
        """One step of dt with input current ``x``; returns the spikes of the new state.

        Shapes: ``x`` broadcasts to ``(batch, *in_size)``, the result has that shape.  A current
        that varies within the step is a function ``x(c, V)`` of the fraction c of the step, None
        for the mean over it, and of the potential.
        """
        dt = brainstate.environ.get_dt()
        before, spikes, held = self.variables(), self.get_spike(), None
        if self.tau_ref is not None:
            # Without a sign, so that a difference of more than 2^31 steps is still a large one.
            since = (environ_step() - self.last_spike_step.value).astype(jnp.uint32)
            period = self._refractory_steps(dt).astype(jnp.uint32)
            held = since < period
        fired = self.fired.value
        if brainstate.environ.get("stepped", default=True):  # V may have been set since
            fired = fired & (jax.lax.stop_gradient(spikes) != 0)
        spikes = with_value(spikes, fired)
        y = self._reset(spikes, before)
        current = self._collect_current(x)
        # Each bound is computed once: XLA hoists it out of the loop over steps, and would not know
        # two of them to be equal there, nor what is computed with them.
        cut = self.peak(before) is not None
        ends = {n: self.runaway(dt / n) for n in (1, 2, 4, 20)} if cut else {}
        slopes = partial(self._slopes, current=current, ends=ends)
        still: dict[str, jax.Array] = {}
        if held is not None:
            still = dict.fromkeys(y if self.holds == "all" else (self.potential,), held)
        new = self.integrator.step(slopes, y, dt, self._collect_jumps(), still)
        new = self._cut_off(y, new, current, ends, held)
        for name, value in new.items():
            getattr(self, name).value = value
        spikes = self.get_spike(new)
        if held is not None:
            spikes = self._where_free(spikes, before, held)
        fired = self.fired.value = jax.lax.stop_gradient(spikes) != 0
        if held is not None:
            last = self.last_spike_step
            last.value = jnp.where(fired, environ_step(), last.value)
            if self.ref_var:
                self.refractory.value = held | fired
        return spikes

    # An upstroke takes less than a step, of which an integrator knows nothing: it would leave V
    # anywhere up to infinity, and the variables that follow V with it, or need several steps where
    # the neuron has long fired.  Three potentials bound what it makes of one (measured, AdEx with
    # V_th from V_T + 4 to V_T + 30 delta_T: rates within 2 % of their limit at dt = 0.1 ms with
    # every integrator, where a bound at the peak alone leaves 6 %):
    # - where a neuron begins a step beyond runaway(dt / 2), the upstroke is over at its end, unless
    #   adaptation or inhibition hold it back: its slope must bring it there in half a step;
    # - other variables see V up to runaway(dt): it is above for less than a step;
    # - V's own slope is that of runaway(dt / 20) at most, which no float overflows.

    def _slopes(
        self, y: Variables, c: float | None, current: Drive, ends: Mapping[int, Any]
    ) -> Mapping[str, Any]:
        if self.peak(y) is None:
            return self.derivatives(y, partial(current, c))
        slopes = dict(self.derivatives(self._up_to(ends[1], y), partial(current, c)))
        return slopes | {self.potential: self._own_slope(y, partial(current, c), ends)}

    def _own_slope(
        self, y: Variables, current: Callable[[Any], Any], ends: Mapping[int, Any]
    ) -> Any:
        return self.derivatives(self._up_to(ends[20], y), current)[self.potential]

    def _up_to(self, bound: Any, y: Variables) -> Variables:
        V = y[self.potential]
        bounded = u.math.minimum(u.math.minimum(V, bound), self.peak(y))
        # With the gradient of V: a mask in every Jacobian costs more than the bound itself.
        return y | {self.potential: with_value(V, jax.lax.stop_gradient(bounded))}

    def _cut_off(
        self,
        before: Variables,
        after: Variables,
        current: Drive,
        ends: Mapping[int, Any],
        held: jax.Array | None,
    ) -> Variables:
        peak = self.peak(after)
        if peak is None:
            return after
        V, was, half = (
            after[self.potential],
            before[self.potential],
            brainstate.environ.get_dt() / 2,
        )
        rises = was + self._own_slope(before, partial(current, None), ends) * half >= ends[4]
        over = ((was >= ends[2]) & rises) | (peak <= V)
        over = over if held is None else over & ~held
        return after | {self.potential: u.math.where(over, with_value(V, peak), V)}

    def _reset(self, spikes: jax.Array, y: Variables) -> Variables:
        V = y[self.potential]
        if self.spk_reset == "soft":
            after = V - self.height(y)
        else:
            after = with_value(V, self.reset_potential(y))
        targets = {self.potential: after, **self.after_spike(y)}
        return {
            name: blend(spikes, targets[name], value) if name in targets else value
            for name, value in y.items()
        }

    def _where_free(self, spikes: jax.Array, y: Variables, held: jax.Array) -> jax.Array:
        """Spikes but for neurons that are held: after a soft reset V may still be above the
        threshold, and nothing fires before the period is over."""
        below = self.clears(y) and not brainstate.environ.get("stepped", default=False)
        return spikes if below else spikes * ~held

    def _refractory_steps(self, dt: u.Quantity) -> jax.Array:
        ratio = u.maybe_decimal(self.tau_ref / dt)
        # A period that is a whole number of steps may come out a rounding error above it.
        return jnp.ceil(ratio * (1 - 1e-6)).astype(jnp.int32)

    def _collect_current(self, x: Any) -> Drive:
        """The input current as a function of the fraction of the step and of V; arrays are summed
        once, callables at every use."""
        waiting = self._current_inputs or {}
        callables = {k: f for k, f in waiting.items() if _is_callable(f)}
        if callables:
            self._current_inputs = {k: f for k, f in waiting.items() if k not in callables}
        if not _is_callable(x):
            x = partial(_as_it_is, 0.0 * self.current_unit if x is None else x)
        waits = bool(self._current_inputs)
        fixed = self.sum_current_inputs(0.0 * self.current_unit) if waits else None
        self._current_inputs = callables or None

        def current(c: float | None, V: Any) -> Any:
            total = x(c, V) if fixed is None else x(c, V) + fixed
            for f in callables.values():
                total = total + f(V)
            return total

        return current

    def _collect_jumps(self) -> Variables:
        if not self._delta_inputs:
            return {}
        return {self.potential: self.sum_delta_inputs(0.0 * self.potential_unit)}


def _as_it_is(value: Any, c: float | None, V: Any) -> Any:
    return value


def _is_callable(value: Any) -> bool:
    return callable(value) and not isinstance(value, (u.Quantity, jax.Array))
