"""Drives have a time within the step: charges are whole, integrators are of their order."""

from __future__ import annotations

from functools import cache

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from neurolab.engine.population import Population
from neurolab.inputs import Constant, Ramp, Sinusoidal
from neurolab.integrators import RK4, Euler, ExpEuler, Heun
from neurolab.neurons import LIF, AdExIF
from neurolab.synapses import Alpha, Conductance, Current, DualExpon, Expon

TAU, RISE = 4.0, 1.5  # ms
SPAN = 6.4  # ms
RESPONSES = {
    "Expon": lambda t: np.exp(-t / TAU),
    "DualExpon": lambda t: np.exp(-t / TAU) - np.exp(-t / RISE),
    "Alpha": lambda t: t / TAU * np.exp(-t / TAU),
}
ORDERS = {Euler: 1, ExpEuler: 1, Heun: 2, RK4: 4}


@pytest.fixture(autouse=True)
def double_precision():
    with brainstate.environ.context(precision=64):
        yield


def synapse(kind: str, output: str, tau: float = TAU):
    g = {"current": 3.0 * u.mA, "conductance": 0.1 * u.siemens}[output]
    given = {
        "output": Current(1) if output == "current" else Conductance(1, E=0.0 * u.mV),
        "g_initializer": 0.0 * g,
    }
    if kind == "DualExpon":
        made = DualExpon(1, tau_decay=tau * u.ms, tau_rise=tau * RISE / TAU * u.ms,
                         normalize=False, **given)  # fmt: skip
    else:
        made = {"Expon": Expon, "Alpha": Alpha}[kind](1, tau=tau * u.ms, **given)
    return made, g


SIGNALS = {
    "Constant": (lambda: Constant(1, amplitude=2.0 * u.mA), lambda t: 2.0),
    "Ramp": (
        lambda: Ramp(1, initial=0.5 * u.mA, final=3 * u.mA, start=0 * u.ms, stop=SPAN * u.ms),
        lambda t: 0.5 + 2.5 * t / SPAN,
    ),
    "Sinusoidal": (
        lambda: Sinusoidal(1, mean=1 * u.mA, amplitude=2 * u.mA, frequency=150 * u.Hz, phase=0.4),
        lambda t: 1.0 + 2.0 * np.sin(2 * np.pi * 0.15 * t + 0.4),
    ),
}
DRIVES = [f"{k} {o}" for k in RESPONSES for o in ("current", "conductance")] + list(SIGNALS)


def ended(make, weight, dt: jax.Array, n: jax.Array) -> list:
    """The neuron's variables after ``n`` steps of ``dt`` ms, if spikes arrive at time 0."""

    def built(values=None):  # states belong to the trace in which they are made
        population = make()
        brainstate.nn.init_all_states(population)
        states = list(brainstate.graph.states(population).values())
        for model in population.receptors.values():
            model.arrive(weight)
        for state, value in zip(states, values or (), strict=values is not None):
            state.value = value
        return population, states

    def step(i, values):
        population, states = built(values)
        with brainstate.StateTraceStack(), brainstate.environ.context(i=i, t=i * dt * u.ms):
            population.update(jax.tree.map(lambda x: x[0], population.draw(i, 1)))
        return [state.value for state in states]

    with brainstate.environ.context(dt=dt * u.ms):
        values = jax.lax.fori_loop(0, n, step, [state.value for state in built()[1]])
        neuron = built(values)[0].neuron
    return [u.get_mantissa(x)[0] for x in neuron.variables().values()]


def integrated(drive: str, integrator: type, dt: float) -> np.ndarray:
    """V and w of an AdEx below threshold after `SPAN`, its synapse kicked at time 0."""
    return _program(drive, integrator)(dt, round(SPAN / dt))


@cache
def _program(drive: str, integrator: type):
    kind, _, output = drive.partition(" ")
    weight = None if kind in SIGNALS else synapse(kind, output)[1]

    def make():
        neuron = AdExIF(1)
        neuron.integrator = integrator()
        if kind in SIGNALS:
            return Population(neuron, {}, {"input": SIGNALS[kind][0]()})
        return Population(neuron, {"synapse": synapse(kind, output)[0]}, {})

    def program(dt, n):
        return ended(make, weight, dt, n)

    compiled = jax.jit(program)
    return lambda dt, n: np.array(compiled(dt, n))


@cache
def exact(drive: str) -> np.ndarray:
    """The same by an adaptive method of order 8, from the closed forms of the drives."""
    kind, _, output = drive.partition(" ")

    def slopes(t, y):
        V, w = y
        if kind in SIGNALS:
            current = SIGNALS[kind][1](t)
        else:
            g = RESPONSES[kind](t)
            current = 3.0 * g if output == "current" else 100.0 * g * (0.0 - V) * 1e-3
        leak = -(V + 65.0) + 3.48 * np.exp((V + 59.9) / 3.48)
        return [(leak - w + current) / 10.0, ((V + 65.0) * 1.0 - w) / 30.0]

    found = solve_ivp(slopes, (0, SPAN), [-65.0, 0.0], "DOP853", rtol=1e-13, atol=1e-13)
    return found.y[:, -1]


@pytest.mark.parametrize("integrator", ORDERS)
@pytest.mark.parametrize("drive", DRIVES)
def test_every_integrator_is_of_its_order_under_every_drive(drive, integrator):
    """Halving dt divides the error by 2 to the order, or more."""
    if integrator in (Euler, ExpEuler) and not drive.startswith(("Expon", "Sinus")):
        pytest.skip("the order of a first-order method is that of its own error")
    order, steps = ORDERS[integrator], (0.4, 0.2, 0.1, 0.05)
    errors = [np.abs(integrated(drive, integrator, dt) - exact(drive)).max() for dt in steps]
    assert errors[0] > 1e-9, "nothing to measure"
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert rates[-1] > order - 0.15, (errors, rates)
    assert errors[-1] < {1: 0.03, 2: 3e-4, 4: 3e-7}[order]


@pytest.mark.parametrize("ratio", [0.02, 0.2, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("integrator", ORDERS)
@pytest.mark.parametrize("kind", RESPONSES)
def test_a_synapse_delivers_its_charge(kind, integrator, ratio):
    """Whatever tau / dt and the integrator a membrane without leak ends at charge / C.  Of one with
    a leak the sum of V over the steps is R times the charge, exactly, for exponential Euler and
    Euler, which see the mean of the current over each step."""
    model, weight = synapse(kind, "current")
    charge = ratio * 0.1 / TAU * float(weight * model.area() / (u.mA * u.ms))
    whole = potentials(kind, integrator, ratio, tau=1e12)[-1] * 1e12
    assert whole == pytest.approx(charge, rel=1e-8)
    if integrator in (Euler, ExpEuler):
        leaky = potentials(kind, integrator, ratio, tau=7.0)
        assert leaky.sum() * 0.1 == pytest.approx(charge, rel=1e-9)


def potentials(kind: str, integrator: type, ratio: float, tau: float) -> np.ndarray:
    """V in mV at the steps of 0.1 ms after a spike, R = 1 ohm."""
    dt = 0.1
    neuron = LIF(1, V_th=1e9 * u.mV, tau=tau * u.ms)
    neuron.integrator = integrator()
    model, weight = synapse(kind, "current", ratio * dt)
    population = Population(neuron, {"synapse": model}, {})
    brainstate.nn.init_all_states(population)
    model.arrive(weight)

    def step(i):
        with brainstate.environ.context(i=i, t=i * dt * u.ms):
            population.update({})
        return neuron.V.value

    with brainstate.environ.context(dt=dt * u.ms):
        n = 4000 + int(60 * ratio)
        return np.asarray(brainstate.transform.for_loop(step, jnp.arange(n)) / u.mV)[:, 0]
