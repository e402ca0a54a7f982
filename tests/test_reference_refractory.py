"""The refractory period: how it is counted, what keeps it, and that without it nothing changes."""

from __future__ import annotations

import brainstate
import brainunit as u
import numpy as np
import pytest
from reference.simulate import simulate

import neurolab.neurons
from neurolab.integrators import RK4, Euler, ExpEuler, Heun
from neurolab.neurons import AdExIFRef, LIFRef

DT = 0.1 * u.ms
REFRACTORY = sorted(name for name in neurolab.neurons.__all__ if name.endswith("Ref"))


def pair(name):
    """A neuron with a refractory period, and the same without."""
    return getattr(neurolab.neurons, name), getattr(neurolab.neurons, name.removesuffix("Ref"))


def initialised(neuron):
    neuron.init_state()
    return neuron


def step(neuron, x, i):
    with brainstate.environ.context(i=i, t=i * DT, dt=DT):
        return neuron.update(x)


def test_steps_are_counted_from_t_where_no_step_number_is_given():
    """Without ``i`` the refractory period is counted from the rounded t / dt."""
    neuron = initialised(LIFRef(1))
    with brainstate.environ.context(dt=DT, t=1234.5 * u.ms):
        neuron.update(100.0 * u.mA)
        assert int(neuron.last_spike_step.value[0]) == 12345
        assert float(neuron.last_spike_time[0] / u.ms) == pytest.approx(1234.5)


@pytest.mark.parametrize("dt", [0.1, 0.05, 0.3, 1 / 3])
@pytest.mark.parametrize("tau_ref", [0.5, 1.7, 2.0, 5.0, 1.75])
def test_a_neuron_is_held_for_all_but_one_step_of_its_period(tau_ref, dt):
    """ceil(tau_ref / dt) - 1 steps are held after every spike, wherever on the grid it falls."""
    neuron = LIFRef(40, tau_ref=tau_ref * u.ms, spk_reset="hard")
    found = simulate(neuron, 1500, dt * u.ms, np.linspace(1.2, 4.0, 40) * u.mA)
    V = found["V"] / u.mV
    held = {
        int(np.argmax(V[at + 1 :, k] != V[at + 1, k]))
        for at, k in zip(*np.nonzero(found["out"][:1300]), strict=True)
    }
    whole = np.ceil(round(tau_ref / dt, 6)) - 1
    assert found["out"].sum() > 200
    assert held == {whole}


def test_the_refractory_state():
    """With ``ref_var`` a state says while V is held, from the spike on; without there is none."""
    assert "refractory" not in {path[-1] for path in initialised(AdExIFRef(1)).states()}
    neuron = initialised(AdExIFRef(1, ref_var=True, tau_ref=0.5 * u.ms))
    neuron.add_delta_input("kick", 20.0 * u.mV)
    seen = []
    for i in range(8):
        step(neuron, 0.0 * u.mA, i)
        seen.append(bool(neuron.refractory.value[0]))
    assert seen == [True] * 5 + [False] * 3


@pytest.mark.parametrize("name", REFRACTORY)
@pytest.mark.parametrize("spk_reset", ["soft", "hard"])
def test_no_refractory_period_is_the_plain_neuron(name, spk_reset):
    """With tau_ref = 0 every ...Ref neuron fires as its plain form.

    The variables agree to rounding: two programs may fuse, hence round, differently.
    """
    kind, plain = pair(name)
    given = {"spk_reset": spk_reset}
    if "Exp" in name:
        given["V_th"] = -45.0 * u.mV  # a soft reset does not diverge from here
    if "Gif" in name:
        given |= {"A1": 0.8 * u.mA, "A2": -0.15 * u.mA, "a": 0.004 / u.ms}
    current = np.linspace(1.0, 3.0, 5) * plain(1).rheobase()
    with brainstate.environ.context(precision=64):
        found = simulate(kind(5, tau_ref=0.0 * u.ms, **given), 2000, DT, current)
        expected = simulate(plain(5, **given), 2000, DT, current)
    assert expected["out"].sum() > 10
    np.testing.assert_array_equal(found["out"], expected["out"])
    for key, array in expected.items():
        np.testing.assert_allclose(u.get_mantissa(found[key]), u.get_mantissa(array), rtol=1e-9)


@pytest.mark.parametrize("name", REFRACTORY)
def test_one_step_without_refractory_period_is_exact(name):
    """A step of a ...Ref neuron with tau_ref = 0, and of its plain form, agree bit for bit."""
    n, after = 500, []
    rng = np.random.default_rng(0)
    kind, plain = pair(name)
    given = {}
    for key, parameter in plain.parameters.items():
        if parameter.initial:
            spread = rng.normal(size=n) * (20.0 if key == "V_initializer" else 2.0)
            given[key] = parameter.default + u.maybe_decimal(spread * parameter.unit)
    for neuron in (plain(n, **given), kind(n, tau_ref=0.0 * u.ms, **given)):
        initialised(neuron)
        assert 0 < neuron.get_spike().sum() < n
        spikes = step(neuron, 1.5 * plain(1).rheobase(), 7)
        after.append({"spikes": spikes, **neuron.variables()})
    for key, array in after[0].items():
        np.testing.assert_array_equal(u.get_mantissa(after[1][key]), u.get_mantissa(array))


ADAPTIVE = ["AdExIFRef", "AdQuaIFRef", "GifRef"]


@pytest.mark.parametrize("tau_ref", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("reset", ["soft", "hard"])
@pytest.mark.parametrize("name", REFRACTORY)
def test_no_interval_is_shorter_than_the_period(name, reset, tau_ref):
    """However strong the drive: a soft reset left V above the threshold, and it fired at 388 Hz
    with a period of 5 ms."""
    kind = getattr(neurolab.neurons, name)
    neuron = kind(5, tau_ref=tau_ref * u.ms, spk_reset=reset)
    drive = np.array([2, 5, 20, 100, 1000]) * neuron.rheobase().to(u.mA).mantissa
    drive = np.where(np.isfinite(drive), drive, np.array([2, 5, 20, 100, 1000]))
    fired = simulate(neuron, 1500, DT, drive * u.mA)["out"]
    assert fired.sum() > 20
    for k in range(5):
        intervals = np.diff(np.flatnonzero(fired[:, k]))
        assert intervals.size
        assert intervals.min() >= round(tau_ref / 0.1)


def test_a_soft_reset_takes_the_threshold_once_for_a_spike():
    """While V is held above the threshold it is neither reset again nor fires; then it fires."""
    neuron = LIFRef(1, tau_ref=1.0 * u.ms, tau=1e6 * u.ms, V_initializer=2.6 * u.mV)
    found = simulate(neuron, 40, DT, 0.0 * u.mA)
    V, fired = found["V"][:, 0] / u.mV, found["out"][:, 0]
    assert list(np.flatnonzero(fired)) == [0, 10]
    np.testing.assert_allclose(V[1:11], 1.6, rtol=1e-4)
    np.testing.assert_allclose(V[11:], 0.6, rtol=1e-4)


@pytest.mark.parametrize("name", REFRACTORY)
def test_long_runs_do_not_end_the_freeze(name):
    """Beyond 2.05e9 steps the difference to a spike that never was left the range of int32, and
    neurons that had not fired were held for ever."""
    neuron = initialised(getattr(neurolab.neurons, name)(1))
    V = neuron.V.value
    step(neuron, 1e-3 * neuron.current_unit, np.int32(2**31 - 5))
    assert np.all(neuron.V.value != V)


@pytest.mark.parametrize(
    ("integrator", "tolerance"), [(ExpEuler, 1e-5), (Euler, 2e-2), (Heun, 1e-4), (RK4, 1e-5)]
)
def test_adaptation_goes_on_while_v_is_held(integrator, tolerance):
    """w follows its own equation at the V that is held, by default; with ``holds="all"`` it stays.

    In the model's own numbers, tau_w = 30 ms, a (V_reset - V_rest) = -3 mA, for 17 steps.
    """
    found = {}
    for holds in ("V", "all"):
        neuron = AdExIFRef(1, holds=holds, tau_ref=2.0 * u.ms, b=10.0 * u.mA)
        neuron.integrator = integrator()
        found[holds] = simulate(neuron, 400, DT, 30.0 * u.mA)
    V = found["V"]["V"][:, 0] / u.mV
    w = found["V"]["w"][:, 0] / u.mA
    spike = int(np.flatnonzero(found["V"]["out"][:, 0])[0])
    held = slice(spike + 1, spike + 20)
    assert np.ptp(V[held]) == 0
    start, level = w[spike] + 10.0, 1.0 * (-68.0 + 65.0)
    t = np.arange(1, 20) * 0.1
    exact = level + (start - level) * np.exp(-t / 30.0)
    np.testing.assert_allclose(w[held], exact, atol=tolerance)
    stays = found["all"]["w"][:, 0] / u.mA
    assert np.ptp(stays[held]) == 0
