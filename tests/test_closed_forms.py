"""Neurons and integrators against what can be computed by hand."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from braintools import quad
from reference.simulate import intervals, simulate
from scipy.optimize import brentq

import neurolab.neurons
from neurolab.integrators import RK4, Euler, ExpEuler, Heun, relative_exp
from neurolab.neurons import LIF, AdExIF, AdQuaIF, LIFRef, QuaIF, SigmoidRate, Spiking

SPIKING = sorted(
    name
    for name, kind in vars(neurolab.neurons).items()
    if isinstance(kind, type) and issubclass(kind, Spiking) and kind is not Spiking
)
DRIVES = np.array([10.5, 12.0, 15.0, 20.0, 40.0])


@pytest.fixture(autouse=True)
def double_precision():
    with brainstate.environ.context(precision=64):
        yield


@pytest.mark.parametrize("tau_ref", [0.0, 2.0])
def test_lif_fires_at_the_closed_form_rate(tau_ref):
    """The interval is tau_ref + tau ln(RI / (RI - (V_th - V_reset))), but for the grid.

    Exponential Euler is exact, and a spike is noticed at the end of its step: 0 <= error < dt
    without a refractory period.  With one, of m steps, m - 1 are held: -dt <= error < 0.
    """
    tau, height, dt = 20.0, 10.0, 0.01
    kind, more = (LIFRef, {"tau_ref": tau_ref * u.ms}) if tau_ref else (LIF, {})
    rest = -65.0 * u.mV
    neuron = kind(
        len(DRIVES), tau=tau * u.ms, V_rest=rest, V_reset=rest, V_initializer=rest,
        V_th=rest + height * u.mV, spk_reset="hard", **more,
    )  # fmt: skip
    found = intervals(simulate(neuron, 20_000, dt * u.ms, DRIVES * u.mA)["out"]) * dt
    error = found - (tau_ref + tau * np.log(DRIVES / (DRIVES - height)))
    shift = dt if tau_ref else 0.0
    assert (error >= -shift - 1e-9).all()
    assert (error < dt - shift + 1e-9).all()


def test_quadratic_neuron_fires_at_the_closed_form_rate():
    """At R I = 10 mV the quadratic neuron fires at 31.168 Hz: its upstroke is a tangent.

    tau dV/dt = c (V - m)^2 + k takes tau/sqrt(ck) [atan((V - m) sqrt(c/k))] from V_reset to V_th.
    RK4 with dt = 0.01 ms follows it to 1e-5 ms, so the interval is late by less than dt.
    """
    tau, c, V_rest, V_c, V_th, V_reset = 10.0, 0.07, -65.0, -50.0, -30.0, -68.0
    m, k = (V_rest + V_c) / 2, 10.0 - c * (V_c - V_rest) ** 2 / 4
    scale = np.sqrt(k / c)
    angle = np.arctan((V_th - m) / scale) - np.arctan((V_reset - m) / scale)
    period = tau / np.sqrt(c * k) * angle
    assert 1000 / period == pytest.approx(31.168, abs=5e-4)

    dt, neuron = 0.01, QuaIF(1)
    neuron.integrator = RK4()
    found = intervals(simulate(neuron, 10_000, dt * u.ms, 10.0 * u.mA)["out"])[0] * dt
    assert -1e-5 < found - period < dt


def below_threshold(dt: float, integrator, span: float = 12.8) -> np.ndarray:
    """V and w of an AdEx neuron after a fixed time of constant current and conductance."""
    neuron = AdExIF(1, V_th=0.0 * u.mV, a=0.2 * u.siemens)
    neuron.integrator = integrator
    neuron.add_current_input("g", lambda V: 0.2 * u.siemens * (-50.0 * u.mV - V))
    found = simulate(neuron, round(span / dt), dt * u.ms, -2.0 * u.mA)
    assert found["out"].sum() == 0
    return np.array([found["V"][-1, 0] / u.mV, found["w"][-1, 0] / u.mA])


@pytest.mark.parametrize(
    ("integrator", "order"), [(Euler(), 1), (ExpEuler(), 1), (Heun(), 2), (RK4(), 4)]
)
def test_order_of_convergence(integrator, order):
    """Halving dt divides the error by 2^order on a nonlinear problem of two variables."""
    exact = below_threshold(0.0125, RK4())
    errors = [np.abs(below_threshold(dt, integrator) - exact).max() for dt in (0.8, 0.4, 0.2)]
    observed = np.log2(np.divide(errors[:-1], errors[1:]))
    assert observed == pytest.approx([order, order], abs=0.25)


def test_exponential_euler_is_exact_for_linear_problems():
    """A LIF with constant current and conductance is exact to rounding at dt = 3 ms."""
    g, E, current, R, tau = 0.3, -40.0, 4.0, 2.0, 12.0
    neuron = LIF(1, R=R * u.ohm, tau=tau * u.ms, V_rest=-65.0 * u.mV, V_th=0.0 * u.mV,
                 V_reset=-65.0 * u.mV, V_initializer=-70.0 * u.mV)  # fmt: skip
    neuron.add_current_input("g", lambda V: g * u.siemens * (E * u.mV - V))
    V = simulate(neuron, 10, 3.0 * u.ms, current * u.mA)["V"][:, 0] / u.mV
    steady = (-65.0 + R * (current + g * E)) / (1 + R * g)
    t = 3.0 * np.arange(1, 11)
    np.testing.assert_allclose(
        V, steady + (-70.0 - steady) * np.exp(-t * (1 + R * g) / tau), rtol=1e-13
    )


@pytest.mark.parametrize(
    ("integrator", "stepper"),
    [
        (Euler(), quad.ode_euler_step),
        (Heun(), quad.ode_rk2_step),
        (RK4(), quad.ode_rk4_step),
    ],
)
@pytest.mark.parametrize("kind", [AdExIF, AdQuaIF])
def test_runge_kutta_steps_are_those_of_braintools(integrator, stepper, kind):
    """One step of each Runge-Kutta method is the stepper of braintools.quad, to rounding."""
    neuron = kind(3, V_initializer=np.array([-66.0, -60.0, -57.0]) * u.mV, w_initializer=2.0 * u.mA)
    neuron.init_state()
    y, dt = neuron.variables(), 0.5 * u.ms

    def derivatives(y, *_):
        return neuron.derivatives(y, lambda V: 3.0 * u.mA + 0.1 * u.siemens * (0.0 * u.mV - V))

    with brainstate.environ.context(dt=dt, t=0.0 * u.ms):
        expected = stepper(derivatives, y, 0.0 * u.ms)
    found = integrator.step(derivatives, y, dt, {})
    np.testing.assert_allclose(found["V"] / u.mV, expected["V"] / u.mV, rtol=1e-14)
    np.testing.assert_allclose(found["w"] / u.mA, expected["w"] / u.mA, rtol=1e-14)


@pytest.mark.parametrize("dt", [2.0, 20.0])
@pytest.mark.parametrize(("sigma", "decay"), [(1.0, 1.0), (0.5, 2.0), (2.0, 0.25)])
def test_stationary_variance_of_the_rate_neuron(sigma, decay, dt):
    """Free noise has variance sigma^2 / (2 lambda) at any dt: within four standard errors."""
    n = 10_000
    neuron = SigmoidRate(n, name="r", sigma=sigma, lambda_=decay, g=0.0)
    rate = simulate(neuron, round(200.0 / decay / dt) + 2, dt * u.ms)["rate"][-1]
    assert rate.var() == pytest.approx(sigma**2 / (2 * decay), rel=4 * np.sqrt(2 / n))
    assert abs(rate.mean()) < 4 * rate.std() / np.sqrt(n)


def test_steady_state_of_the_rate_neuron():
    """Without noise the rate settles at (mu + mu_ext + phi(h)) / lambda, here with h = 0."""
    neuron = SigmoidRate(1, name="r", sigma=0.0, lambda_=0.5, mu=0.2, g=1.5, beta=1.2, theta=0.3)
    rate = simulate(neuron, 1000, 1.0 * u.ms, 0.4)["rate"][-1, 0]
    assert rate == pytest.approx((0.2 + 0.4 + 1.5 / (1 + np.exp(1.2 * 0.3))) / 0.5, rel=1e-12)


def test_resting_state_of_adex():
    """Without input AdEx settles where its two nullclines cross, above V_rest, and stays there."""

    def balance(V: float) -> float:
        return -2.0 * (V + 65.0) + 3.48 * np.exp((V + 59.9) / 3.48)

    V = brentq(balance, -66.0, -60.0, xtol=1e-13)
    found = simulate(AdExIF(1), 10_000, 0.1 * u.ms)
    assert found["V"][-1, 0] / u.mV == pytest.approx(V, abs=1e-11)
    assert found["w"][-1, 0] / u.mA == pytest.approx(V + 65.0, abs=1e-11)
    assert jnp.sum(found["out"]) == 0


def recovery(neuron: Spiking, V) -> tuple[dict, float]:
    """A variable beside V that holds it back: its steady value at V, and its rate in 1/ms."""
    if isinstance(neuron, neurolab.neurons.Izhikevich):
        return {"u": neuron.b * V}, neuron.a * u.ms
    if "w" in neuron.initial():
        return {"w": neuron.a * (V - neuron.V_rest)}, u.ms / neuron.tau_w
    return {}, 0.0


def resting_states(kind: type[Spiking], current, **given) -> np.ndarray:
    """Stable fixed points below threshold: dV/dt falls through zero there with the other variables
    at their steady values, and the trace of the Jacobian is negative (no oscillation grows)."""
    V = np.linspace(-100.0, 10.0, 1_100_001)
    neuron = kind(V.shape, V_initializer=V * u.mV, **given)
    neuron.init_state()
    steady, leak = recovery(neuron, neuron.V.value)
    y = neuron.variables() | steady

    def slope(number):
        moved = y | {"V": number * u.mV}
        return neuron.derivatives(moved, lambda V: current)["V"] / (u.mV / u.ms)

    rate, trace = jax.jvp(slope, (y["V"] / u.mV,), (jnp.ones_like(V),))
    stable = np.asarray((trace - leak < 0) & (neuron.threshold(y) / u.mV < 0))
    rising = np.asarray(rate) > 0
    return V[1:][rising[:-1] & ~rising[1:] & stable[1:]]


@pytest.mark.parametrize("name", SPIKING)
def test_below_the_rheobase_there_is_a_resting_state_and_above_none(name):
    """A stable resting state exists for 0.999 of the rheobase, and for 1.001 of it no more.

    For LIF types it meets the threshold; for exponential and quadratic ones it meets the unstable
    state (a saddle-node bifurcation) or loses stability before (a Hopf bifurcation, with w slow).
    """
    kind = getattr(neurolab.neurons, name)
    rheobase = kind(1).rheobase()
    assert resting_states(kind, 0.999 * rheobase).size > 0
    assert resting_states(kind, 1.001 * rheobase).size == 0


@pytest.mark.parametrize("name", SPIKING)
def test_rheobase_parts_silence_from_firing(name):
    """From its resting state a neuron is silent at 0.9 rheobase, and fires at 1.02."""
    kind = getattr(neurolab.neurons, name)
    rheobase = kind(1).rheobase()
    V = resting_states(kind, 0.9 * rheobase)[0] * u.mV
    steady, _ = recovery(kind(1), V)
    given = {f"{name}_initializer": value for name, value in steady.items()}
    resting = kind(1, V_initializer=V, **given)
    assert simulate(resting, 5_000, 0.1 * u.ms, 0.9 * rheobase)["out"].sum() == 0
    assert simulate(resting, 5_000, 0.1 * u.ms, 1.02 * rheobase)["out"].sum() > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("AdExIF", {"a": 0.0 * u.siemens}),
        ("AdExIF", {"R": 30.0 * u.Mohm, "a": 4.0 * u.nS, "b": 80.5 * u.pA}),
        ("AdQuaIF", {"a": -0.3 * u.siemens}),
        ("QuaIF", {"R": 5.0 * u.ohm, "c": 0.02 / u.mV}),
        ("Izhikevich", {"a": 0.3 / u.ms}),
        ("Izhikevich", {"a": 0.1 / u.ms, "b": 0.26 / u.ms, "C": 100.0 * u.pF}),
        ("Gif", {"R": 5.0 * u.ohm, "V_th_inf": -58.0 * u.mV, "V_th_initializer": -58.0 * u.mV}),
    ],
)
def test_rheobase_with_other_parameters(name, given):
    """The formulas hold for any resistance, curvature and subthreshold adaptation."""
    kind = getattr(neurolab.neurons, name)
    rheobase = kind(1, **given).rheobase()
    assert resting_states(kind, 0.999 * rheobase, **given).size > 0
    assert resting_states(kind, 1.001 * rheobase, **given).size == 0


def test_rheobase_of_gif_with_a_threshold_that_follows_the_potential():
    """With a > 0 the threshold settles at V_th_inf + (a/b) (V - V_rest), and V has to reach it."""
    given = {"a": 0.005 / u.ms, "b": 0.01 / u.ms}
    rheobase = neurolab.neurons.Gif(1, **given).rheobase()
    assert rheobase / u.mA == pytest.approx(2.0)


def test_relative_exp_is_exact_to_rounding_in_float32():
    """(e^z - 1)/z and its derivative, with their limits 1 and 1/2 at 0, as float64 has them."""
    tiny = np.geomspace(1e-30, 1e-3, 300)
    z = np.concatenate([np.linspace(-100, 88, 100_001), np.linspace(-2, 2, 100_001), tiny, -tiny])
    z = np.float32(np.append(z, [-1e6, -1e30]))
    exact = z.astype(float)
    with np.errstate(invalid="ignore"):
        exact = np.where(exact == 0, 1.0, np.expm1(exact) / exact)
    found = np.asarray(jax.jit(relative_exp)(z), float)
    np.testing.assert_allclose(found, exact, rtol=2 * 2.0**-23)
    assert np.isinf(relative_exp(jnp.float32([89.0, 100.0, 1e6]))).all()
    z = np.float32([-200, -20, -1, -0.1, 0, 0.1, 0.5, 3, 80])
    slopes = jax.vmap(jax.grad(relative_exp))(z)
    x = z.astype(float) + 1e-9 * (z == 0)
    wanted = np.where(z == 0, 0.5, ((x - 1) * np.exp(x) + 1) / x**2)
    np.testing.assert_allclose(slopes, wanted, rtol=1e-5)
    # Of the series that is not taken there the derivative is infinite.
    far = jax.grad(jax.grad(relative_exp))(jnp.float32(-1e4))
    np.testing.assert_allclose(far, 2e-12, rtol=1e-5)  # of -1/z it is -2/z^3
