"""Synapses: their response to a spike, and what it does to a neuron."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from neurolab.engine.population import Population
from neurolab.inputs import SpikesFromFile
from neurolab.neurons import IF, LIF
from neurolab.synapses import Alpha, Conductance, Current, DualExpon, Expon
from neurolab.units import Relative

TAU, RISE = 8.0, 2.0  # ms
#: Response to a spike of weight 1 at time 0, t in ms.
CLOSED = {
    "Expon": lambda t: np.exp(-t / TAU),
    "DualExpon": lambda t: np.exp(-t / TAU) - np.exp(-t / RISE),
    "Alpha": lambda t: t / TAU * np.exp(-t / TAU),
}
KINDS = list(CLOSED)


@pytest.fixture(autouse=True)
def double_precision():
    with brainstate.environ.context(precision=64):
        yield


def synapse(kind: str, **given):
    if kind == "DualExpon":
        given = {"normalize": False, **given}
        return DualExpon(1, tau_decay=TAU * u.ms, tau_rise=RISE * u.ms, **given)
    return {"Expon": Expon, "Alpha": Alpha}[kind](1, tau=TAU * u.ms, **given)


def response(model, dt: float, span: float = 60.0, weight: float = 1.0) -> np.ndarray:
    """g at the times 0, dt, 2 dt, ... after a spike."""
    model.init_state()
    arrivals = jnp.zeros(round(span / dt)).at[0].set(weight) * u.mS
    with brainstate.environ.context(dt=dt * u.ms):
        return np.asarray(brainstate.transform.for_loop(model.update, arrivals) / u.mS)[:, 0]


@pytest.mark.parametrize("dt", [0.05, 0.3, 5.0, 20.0])
@pytest.mark.parametrize("kind", KINDS)
def test_response_is_the_closed_form_at_every_step(kind, dt):
    """Whatever dt, the response to a spike of weight 3 is exact to rounding at every step."""
    g = response(synapse(kind), dt, span=max(60.0, 5 * dt), weight=3.0)
    expected = 3.0 * CLOSED[kind](dt * np.arange(g.size))
    np.testing.assert_allclose(g, expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_responses_add_up(kind):
    """Synapses are linear: two spikes, one inhibitory, give the sum of their responses."""
    model, dt = synapse(kind), 0.5
    model.init_state()
    arrivals = jnp.zeros(60).at[3].set(2.0).at[10].set(-0.5) * u.mS
    with brainstate.environ.context(dt=dt * u.ms):
        g = np.asarray(brainstate.transform.for_loop(model.update, arrivals) / u.mS)[:, 0]
    t = dt * np.arange(60)
    expected = 2.0 * (t >= 1.5) * CLOSED[kind](np.maximum(t - 1.5, 0))
    expected -= 0.5 * (t >= 5.0) * CLOSED[kind](np.maximum(t - 5.0, 0))
    np.testing.assert_allclose(g, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("amplitude", [1.0, 2.5])
@pytest.mark.parametrize("rise", [0.5, 2.0, 7.9])
def test_normalized_difference_of_exponentials_peaks_at_its_amplitude(amplitude, rise):
    """The peak is the amplitude, at tau_d tau_r / (tau_d - tau_r) ln(tau_d / tau_r)."""
    peak = TAU * rise / (TAU - rise) * np.log(TAU / rise)
    dt = peak / 100
    model = DualExpon(1, tau_decay=TAU * u.ms, tau_rise=rise * u.ms, amplitude=amplitude)
    g = response(model, dt, span=2 * peak)
    assert np.argmax(g) == 100
    assert g[100] == pytest.approx(amplitude, rel=1e-10)


def test_alpha_function_peaks_at_tau():
    """The response to a spike of weight 1 is largest at tau, and 1/e there."""
    g = response(synapse("Alpha"), TAU / 100, span=3 * TAU)
    assert np.argmax(g) == 100
    assert g[100] == pytest.approx(np.exp(-1), rel=1e-12)


@pytest.mark.parametrize("kind", [*KINDS, "normalized"])
def test_area_is_the_integral_of_the_response(kind):
    """`area` is the integral of the closed form, and of what the synapse does (Simpson's rule)."""
    model = synapse(kind) if kind in KINDS else synapse("DualExpon", normalize=True, amplitude=1.7)
    area = float(model.area() / u.ms)
    if kind in KINDS:
        assert area == pytest.approx(quad(CLOSED[kind], 0, np.inf)[0], rel=1e-9)
    g, dt = response(model, 0.1, span=300.1), 0.1
    simpson = dt / 3 * (g[:-2:2].sum() + 4 * g[1:-1:2].sum() + g[2::2].sum())
    assert simpson == pytest.approx(area, rel=1e-6)


# -- outputs --------------------------------------------------------------------------------------


def test_a_current_synapse_passes_its_variable():
    """I = g, whatever the potential; its weights are currents."""
    assert Current.unit(u.mA, u.mV).has_same_dim(u.mA)
    neuron = LIF(2)
    assert Current(2).current(3.0 * u.mA, -50.0 * u.mV, neuron) == 3.0 * u.mA
    assert Current(2).strength(neuron) == 1.0


@pytest.mark.parametrize(
    ("E", "reversal"),
    [("excitatory", 0.0), ("inhibitory", -80.0), (-40.0 * u.mV, -40.0)],
)
def test_a_conductance_drives_towards_its_reversal_potential(E, reversal):
    """I = g (E - V); excitatory and inhibitory lie 65 mV above and 15 mV below rest, so at 0 and
    -80 mV for a neuron that rests at -65 mV. Its weights are conductances."""
    neuron = LIF(1, V_rest=-65.0 * u.mV, V_th=-50.0 * u.mV, V_reset=-65.0 * u.mV)
    output = Conductance(1, E=E)
    assert Conductance.unit(u.mA, u.mV).has_same_dim(u.mS)
    for V in (-90.0, -65.0, reversal, 20.0):
        current = output.current(2.0 * u.mS, V * u.mV, neuron)
        assert float(current / u.uA) == pytest.approx(2.0 * (reversal - V), abs=1e-12)
    # The rheobase holds it at -50 mV, where it is about to fire.
    assert float(output.strength(neuron) / u.mV) == pytest.approx(abs(reversal + 50.0))


# -- weights relative to the neuron ---------------------------------------------------------------


def integrated_voltage(kind: str | None, output: str, weight: float, dt: float = 0.05):
    """The time integral of a passive membrane's deflection after one spike, and what the charge
    ``weight * rheobase * ms`` makes of it, both in mV ms."""
    neuron = LIF(1, R=50.0 * u.Mohm, tau=10.0 * u.ms, V_rest=-65.0 * u.mV, V_th=-50.0 * u.mV,
                 V_reset=-65.0 * u.mV, V_initializer=-65.0 * u.mV)  # fmt: skip
    out, g = {
        "current": (Current(1), 0.0 * u.nA),
        "conductance": (Conductance(1), 0.0 * u.nS),
    }[output]
    receptors = {} if kind is None else {"synapse": synapse(kind, g_initializer=g, output=out)}
    spike = SpikesFromFile(
        1, weight=Relative(weight, u.ms), times=np.array([1.0]) * u.ms, neurons=np.array([0])
    )
    with brainstate.environ.context(dt=dt * u.ms):
        population = Population(neuron, receptors, {"input": spike})
        brainstate.nn.init_all_states(population)
        n_steps = round(250.0 / dt)
        drawn = population.draw(0, n_steps)

        def step(i, drawn):
            with brainstate.environ.context(i=i):
                population.update(drawn)
            return neuron.V.value

        V = brainstate.transform.for_loop(step, jnp.arange(n_steps), drawn)
    deflection = np.asarray(V / u.mV)[:, 0] + 65.0
    # Integrated, tau dV/dt = -(V - V_rest) + R I says: area of V = R * charge.
    return deflection.sum() * dt, weight * 15.0


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_a_relative_weight_is_a_charge_through_any_current_synapse(kind):
    """0.5 rheobase*ms integrates to R times that charge, 7.5 mV ms, whatever the synapse.

    A synapse's charge arrives whole: the neuron sees the mean of its current over each step.  The
    sum of steps that begin with a jump of V is larger than its integral by dt / 2 tau_m.
    """
    found, expected = integrated_voltage(kind, "current", 0.5)
    assert expected == 7.5
    assert found == pytest.approx(expected, rel=0.0026 if kind is None else 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_relative_weight_is_about_that_charge_through_a_conductance(kind):
    """Through a conductance the charge is that of a neuron held at the brink of firing, -50 mV.

    At rest the driving force E - V is 65 mV instead of 50 mV: for small weights the effect is 1.3
    times larger. What a larger one depolarises takes away from the driving force.
    """
    found, expected = integrated_voltage(kind, "conductance", 0.001)
    small = found / expected
    assert small == pytest.approx(65.0 / 50.0, rel=0.0125)
    found, expected = integrated_voltage(kind, "conductance", 5.0)
    assert 1.0 < found / expected < small


@pytest.mark.parametrize("kind", KINDS)
def test_charges_are_equal_through_all_synapses_of_a_neuron(kind):
    """The time steps' error aside (dt -> dt/2 halves it), all synapses bring the same charge."""
    coarse, expected = integrated_voltage(kind, "current", 0.5, dt=0.1)
    fine, _ = integrated_voltage(kind, "current", 0.5, dt=0.05)
    assert 2 * fine - coarse == pytest.approx(expected, rel=1e-4)


def test_reversal_potentials_of_a_neuron_that_rests_at_zero():
    """Relative to a rest at 0 mV excitation reverses at 65 mV and inhibition at -15 mV."""
    neuron = IF(1)
    assert neuron.reversal("excitatory") == 65.0 * u.mV
    assert neuron.reversal("inhibitory") == -15.0 * u.mV
