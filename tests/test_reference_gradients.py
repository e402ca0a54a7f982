"""Gradients through 500 steps and their spikes, against those of an independent package."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.population import drive, overshooting
from reference.recordings import gradient_cases, recording, value

import neurolab.neurons
from neurolab.neurons import LIF
from neurolab.units import magnitude

KINDS = sorted({name.rsplit("__", 1)[0] for name in gradient_cases()})


@pytest.fixture(autouse=True)
def double_precision():
    with brainstate.environ.context(precision=64):
        yield


def losses(case, numbers):
    """Mean over time and neurons of the spikes and of V in mV, as functions of the parameters."""
    dt, current = value(case["dt"]), jnp.asarray(drive(case, case["inputs"]["x"]))
    units = {key: u.get_unit(value(text)) for key, text in case["params"].items()}
    given = {key: u.Quantity(number, unit=units[key]) for key, number in numbers.items()}
    given |= {f"{key}_initializer": value(text) for key, text in case["init"].items()}
    if "tau_ref" in case["params"]:
        given["tau_ref"] = value(case["params"]["tau_ref"])
    kind = overshooting(getattr(neurolab.neurons, case["class"]))
    if "holds" in kind.parameters:
        given["holds"] = "all"

    def built():
        neuron = kind(8, spk_reset=case["spk_reset"], **given)
        neuron.init_state()
        return neuron

    def states(neuron):
        return {key: held.value for key, held in neuron.states().items()}

    def body(state, now):
        i, x = now
        neuron = built()
        for key, held in neuron.states().items():
            held.value = state[key]
        with brainstate.environ.context(dt=dt, i=i, t=i * dt):
            spikes = neuron.update(x * u.mA)
        return states(neuron), (spikes, magnitude(neuron.V.value, u.mV))

    steps = jnp.arange(case["n_steps"], dtype=jnp.int32)
    _, (spikes, V) = jax.lax.scan(body, states(built()), (steps, current))
    return {"spike": spikes.mean(), "V": V.mean()}


@pytest.mark.parametrize("kind", KINDS)
def test_gradient(kind):
    """The derivative of mean firing and of mean V by every parameter agrees to 1e-9 of itself."""
    of = {loss: gradient_cases()[f"{kind}__{loss}"] for loss in ("spike", "V")}
    case = of["spike"]
    numbers = {key: value(case["params"][key]).mantissa for key in case["grad"]}
    values = jax.jit(lambda numbers: losses(case, numbers))
    gradients = jax.jit(jax.jacrev(lambda numbers: losses(case, numbers)))(numbers)
    for loss, expected in of.items():
        assert values(numbers)[loss] == pytest.approx(expected["value"], rel=1e-12)
        for key, gradient in expected["grad"].items():
            assert gradients[loss][key] == pytest.approx(gradient, rel=1e-9), f"{loss}, {key}"


@pytest.mark.parametrize("name", ["ReluGrad", "InvSquareGrad"])
def test_surrogate(name):
    """A spike is 1 from the threshold on, and its derivative is the surrogate's, exactly."""
    rows = recording("surrogate")
    neuron = LIF(rows["x"].shape, V_th=0.0 * u.mV, V_reset=-1.0 * u.mV, spk_fun=name)
    spikes, gradient = jax.vjp(lambda x: neuron.get_spike({"V": x * u.mV}), jnp.asarray(rows["x"]))
    np.testing.assert_array_equal(spikes, rows[f"{name}_forward"])
    (slopes,) = gradient(jnp.ones_like(spikes))
    np.testing.assert_allclose(slopes, rows[f"{name}_backward"], rtol=1e-14, atol=0)
