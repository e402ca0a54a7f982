"""Rate neurons."""

from __future__ import annotations

from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp

from neurolab import random
from neurolab.dynamics import environ_step, parameter
from neurolab.neurons.base import Neuron, Variables

__all__ = ["SigmoidRate"]


class SigmoidRate(Neuron):
    r"""Rate neuron with a sigmoidal gain and input noise (NEST's ``sigmoid_rate_ipn``).

    .. math:: \tau\,dX = \bigl[-\lambda X + \mu + \mu_{ext} + \phi(h)\bigr]\,dt
              + \sqrt{\tau}\,\sigma\,dW, \qquad \phi(h) = \frac{g}{1 + e^{-\beta (h - \theta)}}

    mu_ext is the sum of current inputs, h that of delta inputs.  One step is exact for constant
    input: with :math:`P_1 = e^{-\lambda dt/\tau}` and :math:`P_2 = (1 - P_1)/\lambda`,

    .. math:: X \leftarrow P_1 X + P_2 (\mu + \mu_{ext} + \phi(h))
              + \sigma\xi\sqrt{(1 - P_1^2)/(2\lambda)}

    (limits at lambda = 0).  With ``linear_summation=False`` the sender emits ``phi_rate`` =
    phi(X), and h is added as it comes.  The stationary variance of free noise is
    sigma^2 / (2 lambda).
    """

    potential = "rate"
    potential_unit = u.UNITLESS
    current_unit = u.UNITLESS

    tau = parameter(10.0 * u.ms, "time constant", positive=True)
    lambda_ = parameter(1.0, "passive decay", nonnegative=True)
    sigma = parameter(1.0, "strength of the noise", nonnegative=True)
    mu = parameter(0.0, "mean drive")
    g = parameter(1.0, "gain: the largest value of the sigmoid")
    beta = parameter(1.0, "slope of the sigmoid")
    theta = parameter(0.0, "input at half the gain")
    mult_coupling = parameter(
        False, "only False: the factors of the sigmoid neuron are 1", choices=(False,)
    )
    linear_summation = parameter(True, "apply the sigmoid to the summed input, not to each sender")
    rectify_rate = parameter(0.0, "smallest rate, if rectified", nonnegative=True)
    rectify_output = parameter(False, "keep the rate at rectify_rate or above")
    rate_initializer = parameter(0.0, "initial rate", initial=True)
    noise_initializer = parameter(0.0, "initial noise", initial=True)

    def initial(self) -> Variables:
        return {"rate": self.rate_initializer}

    def init_state(self, batch_size: int | None = None, **_: Any) -> None:
        rate = self.initial_value(self.rate_initializer, batch_size)
        self.rate = brainstate.ShortTermState(rate)
        noise = self.initial_value(self.noise_initializer, batch_size)
        self.noise = brainstate.ShortTermState(noise)
        self.delayed_rate = brainstate.ShortTermState(rate)
        self.instant_rate = brainstate.ShortTermState(rate)
        if not self.linear_summation:
            self.phi_rate = brainstate.ShortTermState(self.phi(rate))

    def reset_state(self, batch_size: int | None = None, **_: Any) -> None:
        self.init_state(batch_size)

    def phi(self, h: Any) -> Any:
        """The sigmoidal gain function."""
        return self.g / (1.0 + u.math.exp(-self.beta * (h - self.theta)))

    def draw(self, first: Any, n_steps: int) -> jax.Array:
        word = random.words(self.seed, self.stream, first, n_steps, self.elements())
        return random.normal(word, brainstate.environ.dftype())

    def update(self, x: Any = 0.0, noise: Any = None) -> Any:
        """One step; ``noise`` is the standard normal xi, drawn if not given. Returns the rate."""
        dt_tau = u.maybe_decimal(brainstate.environ.get_dt() / self.tau)
        before = self.rate.value
        external = self.sum_current_inputs(x, before)
        h = self.sum_delta_inputs(0.0)
        xi = self.draw(environ_step(), 1)[0] if noise is None else noise

        decay = jnp.asarray(self.lambda_)
        still = decay == 0
        safe = jnp.where(still, 1.0, decay)
        keep = jnp.exp(-decay * dt_tau)
        gain = jnp.where(still, dt_tau, -jnp.expm1(-safe * dt_tau) / safe)
        spread = jnp.sqrt(jnp.where(still, dt_tau, -jnp.expm1(-2 * safe * dt_tau) / (2 * safe)))

        noise_now = jnp.broadcast_to(self.sigma * xi, before.shape)
        rate = keep * before + gain * (self.mu + external) + spread * noise_now
        rate = rate + gain * (self.phi(h) if self.linear_summation else h)
        if self.rectify_output:
            rate = jnp.maximum(rate, self.rectify_rate)
        self.rate.value = rate
        self.noise.value = noise_now
        self.delayed_rate.value = before
        self.instant_rate.value = rate
        if not self.linear_summation:
            self.phi_rate.value = self.phi(rate)
        return rate

    def rest(self) -> Any:
        return 0.0

    def rheobase(self) -> Any:
        """1: a rate neuron has no threshold, its drive is measured in its own unit."""
        return 1.0

    def brink(self) -> Any:
        """Halfway between both reversal potentials."""
        return 0.5

    def reversal(self, kind: str) -> Any:
        """1 for excitation, 0 for inhibition, as NEST's theta_ex and theta_in."""
        return {"excitatory": 1.0, "inhibitory": 0.0}[kind]

    def kick(self, charge: Any) -> Any:
        return u.maybe_decimal(charge / brainstate.environ.get_dt())
