"""Neurons used by themselves, as in anyone's brainstate program."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from braintools import surrogate

import neurolab.neurons
from neurolab.neurons import IF, LIF, AdExIF, ExpIF, LIFRef, Neuron, QuaIF, SigmoidRate, Spiking
from neurolab.synapses import Expon

DT = 0.1 * u.ms
NEURONS = {
    name: kind
    for name, kind in vars(neurolab.neurons).items()
    if isinstance(kind, type) and issubclass(kind, Neuron) and kind not in (Neuron, Spiking)
}
SURROGATES = [
    name for name in surrogate.__all__
    if name[0].isupper() and name != "Surrogate" and isinstance(getattr(surrogate, name), type)
]  # fmt: skip


def step(neuron, x=None, i=0):
    with brainstate.environ.context(i=i, t=i * DT, dt=DT):
        return neuron.update() if x is None else neuron.update(x)


def initialised(neuron):
    neuron.init_state()
    return neuron


def test_a_neuron_works_alone():
    """A neuron needs no more than dt and t of the environment, and answers with its spikes."""
    neuron = LIF(10, tau=10 * u.ms)
    neuron.init_state()
    with brainstate.environ.context(dt=DT, t=0.0 * u.ms):
        spikes = neuron.update(2.0 * u.mA)
    assert spikes.shape == (10,)
    assert set(np.unique(spikes)) == {0.0}
    np.testing.assert_allclose(neuron.V.value / u.mV, 2.0 * -np.expm1(-0.01), rtol=1e-6)


@pytest.mark.parametrize(("precision", "dtype"), [(32, jnp.float32), (64, jnp.float64)])
def test_precision_is_that_of_the_environment(precision, dtype):
    """States have the precision of the surrounding context, which ends with it."""
    with brainstate.environ.context(precision=precision):
        neuron = initialised(LIF(1))
        assert step(neuron, 2.0 * u.mA).dtype == dtype
        assert neuron.V.value.dtype == dtype
    assert jnp.ones(1).dtype == jnp.float32


@pytest.mark.parametrize("name", NEURONS)
@pytest.mark.parametrize(("shape", "batch"), [((3,), None), ((2, 3), 4)])
def test_shapes(name, shape, batch):
    """States and output have the shape (batch, *in_size), also after `reset_state`."""
    neuron = NEURONS[name](shape, name="n")
    expected = shape if batch is None else (batch, *shape)
    neuron.init_state(batch)
    first = {path: state.value for path, state in neuron.states().items()}
    assert step(neuron, 1.0 * neuron.current_unit).shape == expected
    assert all(u.math.shape(state.value) == expected for state in neuron.states().values())
    neuron.reset_state(batch)
    for path, state in neuron.states().items():
        np.testing.assert_array_equal(u.get_mantissa(state.value), u.get_mantissa(first[path]))


def test_errors_name_the_parameter_and_what_it_takes():
    """Unknown parameters, units and choices are refused, and the message says why."""
    with pytest.raises(TypeError, match=r"LIF has no parameter tau_m; it has .*tau"):
        LIF(1, tau_m=5.0 * u.ms)
    with pytest.raises(TypeError, match=r"tau=.*expected a time such as 10 ms"):
        LIF(1, tau=5.0 * u.mV)
    with pytest.raises(TypeError, match=r"V_th=.*expected a voltage"):
        LIF(1, V_th=1.0)
    with pytest.raises(ValueError, match=r"spk_reset=none; it may be soft or hard"):
        LIF(1, spk_reset="none")
    with pytest.raises(ValueError, match=r"tau=.* must be positive"):
        LIF(1, tau=-5.0 * u.ms)
    with pytest.raises(ValueError, match=r"tau_ref=.* must be >= 0"):
        LIFRef(1, tau_ref=-5.0 * u.ms)


@pytest.mark.parametrize("shape", [(3,), (2, 2)])
def test_a_parameter_of_wrong_shape_is_refused(shape):
    """An array that does not broadcast to the population is named, with both shapes."""
    with pytest.raises(TypeError, match=r"R=[^;]* has shape \(.*\); expected one value or \(2,\)"):
        LIF(2, R=np.ones(shape) * u.ohm)


def test_a_wrong_surrogate_names_those_there_are():
    """An unknown name of a surrogate is refused at its first use, with the list of names."""
    neuron = LIF(1, spk_fun="NoSuchGrad")
    neuron.init_state()

    def loss(x):
        return neuron.get_spike({"V": x * u.mV}).sum()

    with pytest.raises(ValueError, match=r"spk_fun=NoSuchGrad is not a surrogate.*ReluGrad"):
        jax.grad(loss)(1.0)


@pytest.mark.parametrize("x", [2.0, np.ones(3)])
def test_a_current_without_unit_is_refused(x):
    """A plain number is no current."""
    neuron = LIF(3)
    neuron.init_state()
    with pytest.raises(Exception, match="unit"):
        step(neuron, x)


def test_an_array_of_current_is_used_once_and_a_callable_stays():
    """Arrays wait for one update; callables of V are called at every update."""
    neuron = LIF(1)
    neuron.init_state()
    neuron.add_current_input("array", 1.0 * u.mA)
    neuron.add_current_input("callable", lambda V: 0.5 * u.mA + 0.0 * u.siemens * V)
    gain = -np.expm1(-0.1 / 5.0)
    V = 0.0
    for i, current in enumerate((1.5, 0.5, 0.5)):
        step(neuron, i=i)
        V += gain * (current - V)
        assert float(neuron.V.value[0] / u.mV) == pytest.approx(V, rel=1e-5)
    with pytest.raises(ValueError, match="no current or delta input is named 'array'"):
        neuron.get_input("array")
    assert callable(neuron.get_input("callable"))


def test_inputs_that_wait_can_be_looked_at_as_in_brainpy_state():
    import brainpy.state

    own, theirs = LIF(1), brainpy.state.LIF(1)
    for cell in (own, theirs):
        assert cell.current_inputs is None and cell.delta_inputs is None
        cell.add_current_input("a", 2.0 * u.mA)
        cell.add_delta_input("b", 3.0 * u.mV, label="syn")
        assert cell.current_inputs == {"a": 2.0 * u.mA}
        assert list(cell.delta_inputs.values()) == [3.0 * u.mV]
    assert list(own.delta_inputs) == list(theirs.delta_inputs)


def test_delta_inputs_kick_the_potential_after_integration():
    """A delta input is added undecayed, and once."""
    neuron = LIF(1)
    neuron.init_state()
    neuron.add_delta_input("kick", 0.25 * u.mV)
    step(neuron)
    assert float(neuron.V.value[0] / u.mV) == pytest.approx(0.25)
    step(neuron, i=1)
    assert float(neuron.V.value[0] / u.mV) == pytest.approx(0.25 * np.exp(-0.02), rel=1e-5)


def test_labels_select_inputs():
    """Inputs of one label are summed, and used up, apart from the others."""
    neuron = LIF(1)
    neuron.add_current_input("one", 1.0 * u.mA, label="red")
    neuron.add_current_input("two", 2.0 * u.mA, label="blue")
    neuron.add_current_input("three", lambda V: 4.0 * u.mA, label="red")
    total = neuron.sum_current_inputs(0.0 * u.mA, 0.0 * u.mV, label="red")
    assert float(total / u.mA) == 5.0
    assert float(neuron.sum_current_inputs(0.0 * u.mA, 0.0 * u.mV) / u.mA) == 6.0
    assert float(neuron.sum_current_inputs(0.0 * u.mA, 0.0 * u.mV) / u.mA) == 4.0
    neuron.add_delta_input("kick", 1.0 * u.mV, label="red")
    assert float(neuron.sum_delta_inputs(0.0 * u.mV, label="blue") / u.mV) == 0.0
    assert float(neuron.sum_delta_inputs(0.0 * u.mV, label="red") / u.mV) == 1.0


def test_two_inputs_of_one_name_are_refused():
    """A second input of a name that is still waiting would hide the first."""
    neuron = LIF(1)
    neuron.add_current_input("same", 1.0 * u.mA)
    with pytest.raises(ValueError, match="named 'same' is already waiting"):
        neuron.add_current_input("same", 2.0 * u.mA)


def test_align_pre_runs_a_model_on_the_spikes():
    """A synapse aligned with its sender runs after each update; equal descriptions share one."""
    neuron = LIF(2, V_initializer=np.array([0.0, 3.0]) * u.mV)
    synapse = neuron.align_pre(Expon.desc(2, tau=5.0 * u.ms, g_initializer=0.0))
    assert neuron.align_pre(Expon.desc(2, tau=5.0 * u.ms, g_initializer=0.0)) is synapse
    brainstate.nn.init_all_states(neuron)
    with brainstate.environ.context(i=0, t=0.0 * u.ms, dt=DT):
        neuron(0.0 * u.mA)
    np.testing.assert_allclose(synapse.g.value, [0.0, 1.0])
    with pytest.raises(TypeError, match="align_pre takes a model"):
        neuron.align_pre(3)


@pytest.mark.parametrize("name", SURROGATES)
def test_any_surrogate_of_braintools(name):
    """By name or as an object, every surrogate gives spikes of 0 and 1 and a finite gradient."""
    results = []
    for spk_fun in (name, getattr(surrogate, name)()):
        neuron = LIF(3, spk_fun=spk_fun)
        x = jnp.array([0.5, 1.0, 1.2])
        spikes, pull = jax.vjp(lambda x, n=neuron: n.get_spike({"V": x * u.mV}), x)
        np.testing.assert_array_equal(spikes, [0.0, 1.0, 1.0])
        results.append(pull(jnp.ones(3))[0])
    assert np.isfinite(results[0]).all()
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)


@pytest.mark.parametrize("kind", [LIF, AdExIF, QuaIF])
@pytest.mark.parametrize("spk_reset", ["soft", "hard"])
def test_a_gradient_passes_through_spikes(kind, spk_reset):
    """Mean firing has a derivative by R, although the output is 0 or 1."""

    def mean_rate(R):
        neuron = kind(1, R=R * u.ohm, spk_reset=spk_reset)
        current = 3.0 * kind(1).rheobase()

        def body(state, i):
            neuron = kind(1, R=R * u.ohm, spk_reset=spk_reset)
            neuron.init_state()
            for path, held in neuron.states().items():
                held.value = state[path]
            spikes = step(neuron, current, i)
            return {path: held.value for path, held in neuron.states().items()}, spikes

        neuron.init_state()
        start = {path: held.value for path, held in neuron.states().items()}
        return jax.lax.scan(body, start, jnp.arange(300, dtype=jnp.int32))[1].mean()

    rate, slope = jax.jit(jax.value_and_grad(mean_rate))(1.0)
    assert rate > 0
    assert np.isfinite(slope)
    assert slope > 0


def test_vmap_over_a_parameter_gives_what_separate_runs_give():
    """A batch of runs that differ in tau and V_th is each of those runs."""

    def run(tau, V_th):
        def body(state, i):
            neuron = LIFRef(2, tau=tau * u.ms, V_th=V_th * u.mV)
            neuron.init_state()
            for path, held in neuron.states().items():
                held.value = state[path]
            spikes = step(neuron, jnp.array([1.5, 3.0]) * u.mA, i)
            return {path: held.value for path, held in neuron.states().items()}, spikes

        start = initialised(LIFRef(2)).states()
        start = {path: held.value for path, held in start.items()}
        return jax.lax.scan(body, start, jnp.arange(500, dtype=jnp.int32))[1]

    tau, V_th = jnp.array([5.0, 10.0, 20.0]), jnp.array([1.0, 0.7, 1.3])
    together = jax.jit(jax.vmap(run))(tau, V_th)
    assert together.sum() > 20
    for k in range(3):
        np.testing.assert_array_equal(together[k], jax.jit(run)(tau[k], V_th[k]))


@pytest.mark.parametrize("kind", [LIF, ExpIF, AdExIF, QuaIF])
def test_a_hard_reset_is_exact_from_any_height(kind):
    """A potential of 1e20 mV is reset to V_reset, not to its rounding error, in 32-bit floats."""
    neuron = kind(1, spk_reset="hard", V_initializer=1e20 * u.mV)
    neuron.init_state()
    after = neuron._reset(neuron.get_spike(), neuron.variables())
    assert after["V"].dtype == jnp.float32
    assert float(after["V"][0] / u.mV) == np.float32(neuron.V_reset / u.mV)


def test_reset_of_the_leaky_neuron_with_zero_rest():
    """IF has rest and reset at zero, whatever the threshold, and no parameter for them."""
    assert not {"V_rest", "V_reset"} & IF.parameters.keys()
    for spk_reset, expected in (("soft", 0.5), ("hard", 0.0)):
        neuron = initialised(IF(1, V_th=2.0 * u.mV, V_initializer=2.5 * u.mV, spk_reset=spk_reset))
        after = neuron._reset(neuron.get_spike(), neuron.variables())
        assert float(after["V"][0] / u.mV) == expected


def test_the_rate_neuron_draws_its_own_noise_by_step_and_name():
    """The noise of a step depends on seed, name and step, not on the order of calls."""
    rates = []
    for name, first in (("a", 0), ("a", 0), ("b", 0), ("a", 1)):
        neuron = initialised(SigmoidRate(5, name=name))
        rates.append(np.asarray(step(neuron, 0.0, first)))
    np.testing.assert_array_equal(rates[0], rates[1])
    assert (rates[0] != rates[2]).all()
    assert (rates[0] != rates[3]).all()
