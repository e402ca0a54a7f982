"""A membrane that does not fire: closed forms, and what the results of a network say of it."""

from __future__ import annotations

import numpy as np
import pytest

import neurolab

CELL = ("neuron=leaky_integrator", "neuron.C=200pF", "neuron.g_L=10nS", "neuron.V_rest=-65mV",
        "neuron.V_initializer=-70mV", "device=cpu", "device.precision=float64", "size=1",
        "record=full")  # fmt: skip


def test_a_constant_current_charges_it_as_the_closed_form():
    """V = V_inf + (V_0 - V_inf) exp(-t / tau) with V_inf = -65 mV + 400 pA / 10 nS, far above any
    threshold, and nothing is reset."""
    run = neurolab.run(
        [*CELL, "input=constant", "input.amplitude=400pA", "dt=1ms", "duration=100ms"], save=False
    )
    V, t = run.traces["V"].values[:, 0], np.arange(1, 101)
    np.testing.assert_allclose(V, -25.0 - 45.0 * np.exp(-t / 20.0), rtol=1e-12)
    assert run.spikes is None and run.rate is None
    assert run.summary["rate_hz_mean"] is None and run.summary["spike_count"] is None


@pytest.mark.parametrize("output", ["current", "conductance"])
def test_a_spike_through_a_synapse_is_the_closed_form(output, tmp_path):
    """A current: R I (exp(-t/tau) - exp(-t/tau_s)) tau_s / (tau - tau_s), as its mean over a step
    is exact for the area. A conductance, whose closed form is an integral, is that for small g."""
    np.save(tmp_path / "spike.npy", np.array([[0.0, 0.0]]))
    weight = {"current": "100pA", "conductance": "1e-4nS"}[output]
    run = neurolab.run(
        [*CELL, "neuron.V_initializer=-65mV", "synapse=expon", f"synapse/output={output}",
         "synapse.tau=5ms", "input=spikes_from_file", f"input.file={tmp_path}/spike.npy",
         f"input.weight={weight}", "duration=200ms", "dt=0.05ms"],
        save=False,
    )  # fmt: skip
    rise, t = run.traces["V"].values[:, 0] + 65.0, 0.05 * np.arange(1, 4001)
    I = {"current": 100.0, "conductance": 1e-4 * 65.0}[output]
    exact = I / 10.0 * (np.exp(-t / 20) - np.exp(-t / 5)) * 5 / (20 - 5)
    assert np.abs(rise - exact).max() < 3e-5 * exact.max()


def test_a_charge_kicks_it_and_a_relative_drive_is_measured_in_mV():
    run = neurolab.run(
        [*CELL, "neuron.V_initializer=-65mV", "input=constant", "input.amplitude=3rheobase",
         "duration=400ms"],
        save=False,
    )  # fmt: skip
    assert run.traces["V"].values[-1, 0] == pytest.approx(-62.0, abs=1e-7)
    assert run.summary["rheobase"] == pytest.approx(10.0)
    assert run.summary["rheobase_unit"] == "pA"
