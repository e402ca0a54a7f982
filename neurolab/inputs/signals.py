"""Signals over time: currents into the neuron, or rates of a Poisson process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from neurolab import random
from neurolab.dynamics import parameter
from neurolab.inputs.base import Input, in_steps
from neurolab.inputs.files import read_samples
from neurolab.inputs.turns import turned
from neurolab.units import Relative, with_unit

__all__ = [
    "Constant",
    "OrnsteinUhlenbeck",
    "Ramp",
    "Signal",
    "SignalFromFile",
    "Sinusoidal",
    "Step",
]


class Signal(Input):
    """A function of time, the same in every run; elements may differ in its parameters.

    It is constant during each step, or ``continuous``: then there is its value when the fraction
    ``c`` of a step has passed, and, for None, its mean over the step.
    """

    continuous: ClassVar[bool] = False

    def draw(self, first: Any, n_steps: int, c: float | None = None) -> Any:
        """The signal during some steps; where it is common to all elements, for one of them."""
        value = self.during(first, n_steps, c)
        least = (n_steps, *(1 for _ in self.varshape))
        return _spread(value, np.broadcast_shapes(least, np.shape(u.get_mantissa(value))))

    def drive(self, drawn: Any) -> Any:
        return _spread(drawn, self.varshape)

    def during(self, first: Any, n_steps: int, c: float | None = None) -> Any:
        """The signal during some steps, of a shape that broadcasts to (n_steps, elements): what is
        made of it is made once where it is common to all."""
        steps = (jnp.asarray(first, jnp.int32) + jnp.arange(n_steps, dtype=jnp.int32))[:, None]
        return self.at(steps, c) if self.continuous else self.at(steps)

    def at(self, steps: jax.Array, c: float | None = None) -> Any:
        """The signal during steps, shape (n, 1): a result that broadcasts to (n, elements)."""
        raise NotImplementedError

    def largest(self) -> Any:
        """A bound of the signal, while its parameters are known."""
        raise NotImplementedError


def _spread(value: Any, shape: tuple[int, ...]) -> Any:
    return jax.tree.map(lambda one: jnp.broadcast_to(one, shape), value)


class Constant(Signal):
    """A constant from the first step on."""

    amplitude = parameter(Relative(1.1), "its value", role="signal")

    def at(self, steps: jax.Array, c: float | None = None) -> Any:
        return self.amplitude

    def largest(self) -> Any:
        return self.amplitude


class Step(Signal):
    """``baseline``, and ``amplitude`` from ``start`` until ``stop``."""

    amplitude = parameter(Relative(1.2), "value between start and stop", role="signal")
    baseline = parameter(Relative(0.0), "value before and after", role="signal")
    start = parameter(200.0 * u.ms, "time of the step up")
    stop = parameter(800.0 * u.ms, "time of the step down")

    ordered = (("start", "stop"),)

    def at(self, steps: jax.Array, c: float | None = None) -> Any:
        inside = (steps >= in_steps(self.start)) & (steps < in_steps(self.stop))
        return u.math.where(inside, self.amplitude, self.baseline)

    def largest(self) -> Any:
        return u.math.maximum(self.amplitude, self.baseline)


class Ramp(Signal):
    """A straight line from ``initial`` at ``start`` to ``final`` at ``stop``, constant outside."""

    continuous = True

    initial = parameter(Relative(0.0), "value until start", role="signal")
    final = parameter(Relative(2.0), "value from stop on", role="signal")
    start = parameter(100.0 * u.ms, "time at which the ramp begins")
    stop = parameter(900.0 * u.ms, "time at which it ends")

    ordered = (("start", "stop"),)

    def at(self, steps: jax.Array, c: float | None = None) -> Any:
        dtype = brainstate.environ.dftype()
        dt = brainstate.environ.get_dt()
        first = in_steps(self.start)  # a whole number, so that late ramps are exact, and the rest
        rest = jnp.asarray(u.maybe_decimal((self.start - first * dt) / dt), dtype)
        passed = (steps - first).astype(dtype) - rest + (0.5 if c is None else c)
        share = passed / jnp.asarray(u.maybe_decimal((self.stop - self.start) / dt), dtype)
        return self.initial + jnp.clip(share, 0.0, 1.0) * (self.final - self.initial)

    def largest(self) -> Any:
        return u.math.maximum(self.initial, self.final)


class Sinusoidal(Signal):
    r"""``mean`` + ``amplitude`` sin(2 pi ``frequency`` t + ``phase``)."""

    mean = parameter(Relative(1.0), "mean value", role="signal")
    amplitude = parameter(Relative(0.5), "amplitude of the oscillation", role="signal")
    frequency = parameter(4.0 * u.Hz, "frequency", nonnegative=True)
    phase = parameter(0.0, "phase at time 0, in radians")

    continuous = True

    def at(self, steps: jax.Array, c: float | None = None) -> Any:
        cycles = u.maybe_decimal(self.frequency * brainstate.environ.get_dt())
        turn = turned(self.frequency, steps, 0.5 if c is None else c)
        # The mean of a sine over a step is that of its middle, times sin(x) / x.
        size = self.amplitude * (jnp.sinc(cycles) if c is None else 1.0)
        return self.mean + size * jnp.sin(2 * np.pi * turn + self.phase)

    def largest(self) -> Any:
        return self.mean + abs(self.amplitude)


class SignalFromFile(Signal):
    """A recorded signal: one column for all elements, or one each; held at its last sample."""

    file = parameter(
        None, "table of samples (.csv, .npy, .npz), a column per neuron or one for all"
    )
    unit = parameter("mA", "unit of the samples in the file, or rheobase")
    values = parameter(None, "the samples, shape (samples, 1 or elements)", role="samples")
    sampling = parameter(1.0 * u.ms, "time between samples", positive=True)

    recorded = ("file", "unit")

    def __init__(self, in_size: Any, *, name: str | None = None, **given: Any) -> None:
        super().__init__(in_size, name=name, **given)
        if self.values is None and self.file is not None:
            self.values = read_samples(self.file, self.unit, self.varshape[-1])

    @classmethod
    def load(cls, settings: Mapping[str, Any], size: int) -> Mapping[str, Any]:
        return {"values": read_samples(settings["file"], str(settings["unit"]), size)}

    def at(self, steps: jax.Array, c: float | None = None) -> Any:
        samples = with_unit(jnp.asarray(u.get_mantissa(self.values)), u.get_unit(self.values))
        row = self._row(steps[:, 0])
        return samples[jnp.clip(row, 0, samples.shape[0] - 1)]

    def _row(self, steps: jax.Array) -> jax.Array:
        """The sample that holds during each step, in whole numbers where dt and sampling divide
        each other, so that long recordings stay in step."""
        per_step = jnp.asarray(u.maybe_decimal(brainstate.environ.get_dt() / self.sampling), float)
        per_sample = 1.0 / per_step
        coarse, fine = jnp.round(per_sample), jnp.round(per_step)
        steps_divide = (jnp.abs(per_sample - coarse) <= 1e-6 * coarse) & (coarse >= 1)
        samples_divide = (jnp.abs(per_step - fine) <= 1e-6 * fine) & (fine >= 1)
        divided = steps // jnp.maximum(coarse, 1).astype(jnp.int32)
        fine = jnp.maximum(fine, 1).astype(jnp.int32)
        multiplied = jnp.minimum(steps, (2**31 - 1) // fine) * fine
        between = jnp.floor(steps * per_step * (1 + 2.4e-7)).astype(jnp.int32)
        return jnp.where(steps_divide, divided, jnp.where(samples_divide, multiplied, between))

    def largest(self) -> Any:
        return u.math.max(self.values)


class OrnsteinUhlenbeck(Input):
    r"""Ornstein-Uhlenbeck current (Uhlenbeck & Ornstein 1930), one process per element.

    .. math:: \tau\,dI = (\mu - I)\,dt + \sigma\sqrt{2\tau}\,dW

    Stationary mean mu and standard deviation sigma.  Stepped exactly; it starts at the mean.
    """

    mean = parameter(Relative(0.9), "stationary mean", role="current")
    sigma = parameter(
        Relative(0.5), "stationary standard deviation", role="current", nonnegative=True
    )
    tau = parameter(5.0 * u.ms, "correlation time", positive=True)

    def init_state(self, batch_size: int | None = None, **_: Any) -> None:
        self.I = brainstate.HiddenState(self.initial_value(self.mean, batch_size))

    def reset_state(self, batch_size: int | None = None, **_: Any) -> None:
        self.I.value = self.initial_value(self.mean, batch_size)

    def draw(self, first: Any, n_steps: int) -> jax.Array:
        word = random.words(self.seed, self.stream, first, n_steps, self.elements())
        return random.normal(word, brainstate.environ.dftype())

    def drive(self, drawn: jax.Array) -> Any:
        ratio = u.maybe_decimal(brainstate.environ.get_dt() / self.tau)
        keep, spread = jnp.exp(-ratio), jnp.sqrt(-jnp.expm1(-2.0 * ratio))
        self.I.value = self.mean + keep * (self.I.value - self.mean) + (spread * drawn) * self.sigma
        return self.I.value
