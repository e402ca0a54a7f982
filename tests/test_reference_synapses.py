"""Synapses and the rate neuron against trajectories recorded from an independent package."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest
from reference.recordings import cases, inputs, recording, value

import neurolab.synapses
from neurolab.neurons import SigmoidRate

SYNAPSES = [name for name, case in cases().items() if "Expon" in case["class"]]
RATES = [name for name, case in cases().items() if case["class"] == "sigmoid_rate_ipn"]


@pytest.fixture(autouse=True)
def double_precision():
    with brainstate.environ.context(precision=64, dt=np.float64(0.1) * u.ms):
        yield


def given(case) -> dict:
    """The parameters of a case as the package takes them."""
    return {
        key: item if isinstance(item, bool) else u.maybe_decimal(value(item))
        for key, item in case["params"].items()
    }


@pytest.mark.parametrize("name", SYNAPSES)
def test_synapse(name):
    """Spikes, delta inputs and, for Expon, currents act as recorded: all variables to 1e-12 mS."""
    case, rows, drives = cases()[name], recording(name), inputs()
    synapse = getattr(neurolab.synapses, case["class"])(8, **given(case))
    synapse.init_state()
    for key, text in case["init"].items():
        getattr(synapse, key).value = np.broadcast_to(value(text).mantissa, 8) * u.mS
    weight = np.asarray(case["inputs"].get("x", {}).get("per_neuron_weight", 0.0))

    def step(x, delta, current):
        if "delta" in case["inputs"]:
            synapse.add_delta_input("delta", delta * u.mS)
        if "current" in case["inputs"] and case["class"] == "Expon":
            synapse.add_current_input("current", current * u.mS)
        out = synapse.update(x * weight * u.mS if "x" in case["inputs"] else None)
        return {key: getattr(synapse, key).value for key in case["init"]} | {"out": out}

    drives = [jnp.asarray(drives[f"synapse_{key}"]) for key in ("spk", "delta", "current")]
    found = brainstate.transform.jit(lambda: brainstate.transform.for_loop(step, *drives))()
    for key in {*case["init"], "out"} & rows.keys():
        difference = found[key].to(u.mS).mantissa[rows["steps"]] - rows[key]
        assert np.abs(difference).max() < 1e-12, key
    if case["class"] == "Expon":
        np.testing.assert_array_equal(found["out"].mantissa, found["g"].mantissa)


def coupling(case, neuron, n, emitted, drives):
    """The coupling input h of step n; ``emitted`` holds the emissions of the last steps."""
    kind = case["inputs"]["coupling"]
    if kind == "none":
        return None
    if kind == "h":
        return drives["rate_h"][n]
    if kind == "instant":
        rates = drives["rate_event_rate"][n]
        sent = rates if neuron.linear_summation else neuron.phi(rates)
        return (drives["rate_event_weight"] * sent).sum(axis=0)
    return drives["rate_W"] @ emitted[int(kind.removeprefix("delayed")) - 1]


@pytest.mark.parametrize("name", RATES)
def test_rate_neuron(name):
    """Noise, input and coupling, at once or after a delay, act as recorded: rates to 1e-12."""
    case, rows = cases()[name], recording(name)
    drives = {key: jnp.asarray(array) for key, array in inputs().items() if key.startswith("rate")}
    initial = u.math.asarray(np.asarray(case["init"]["rate"]))
    neuron = SigmoidRate(8, rate_initializer=initial, **given(case))
    neuron.init_state()

    emitted = brainstate.ShortTermState(jnp.zeros((4, 8)))

    def step(n):
        h = coupling(case, neuron, n, emitted.value, drives)
        if h is not None:
            neuron.add_delta_input("h", h)
        rate = neuron.update(drives["rate_x"][n], noise=drives["rate_noise"][n])
        sent = rate if neuron.linear_summation else neuron.phi_rate.value
        emitted.value = jnp.concatenate([sent[None], emitted.value[:-1]])
        states = ("rate", "noise", "delayed_rate", "instant_rate")
        return {key: getattr(neuron, key).value for key in states} | {"sent": sent}

    steps = jnp.arange(case["n_steps"])
    found = brainstate.transform.jit(lambda: brainstate.transform.for_loop(step, steps))()
    assert np.abs(found["rate"][rows["steps"]] - rows["rate"]).max() < 1e-12
    if "phi_rate" in rows:
        assert np.abs(found["sent"][rows["steps"][::10]] - rows["phi_rate"]).max() < 1e-12
    np.testing.assert_array_equal(found["noise"], neuron.sigma * drives["rate_noise"])
    # One value, which XLA may compute a second time where it is written twice, multiplied and added
    # at once there (seen: 4 units in the last place of a double).
    np.testing.assert_allclose(found["instant_rate"], found["rate"], rtol=1e-14)
    np.testing.assert_array_equal(found["delayed_rate"][0], case["init"]["rate"])
    np.testing.assert_allclose(found["delayed_rate"][1:], found["rate"][:-1], rtol=1e-14)


@pytest.mark.parametrize("name", ["DualExpon", "Alpha"])
def test_synapses_that_take_no_currents_refuse_them(name):
    """The recorded package takes them and lets them have no effect."""
    synapse = getattr(neurolab.synapses, name)(2)
    with pytest.raises(TypeError, match="no currents"):
        synapse.add_current_input("current", 5.0 * u.mS)
