"""Currents of inputs are recorded as they act: their mean over each step, by their names."""

from __future__ import annotations

import numpy as np
import pytest
from nights import every

import neurolab
from neurolab import ConfigError

DOUBLE = "device.precision=float64"
EVERY = ["record.neurons=all", "record.interval=null"]
SIZES = ["neuron=lif", "size=3", "duration=40ms", DOUBLE, *EVERY]
NETWORK = {
    "populations": {
        name: {"size": size, "neuron": {"_target_": "neurolab.neurons.LIF"}, "inputs": inputs}
        for name, size, inputs in (
            ("E", 2, {"dc": {"_target_": "neurolab.inputs.Constant", "amplitude": "2 mA"}}),
            ("I", 1, {"noise": {"_target_": "neurolab.inputs.OrnsteinUhlenbeck"}}),
        )
    }
}


def test_a_step_is_where_it_is():
    """Between start and stop, as steps count: that of time t is the (t / dt)th, and is recorded at
    its end."""
    typed = ["input=step", "input.start=10ms", "input.stop=25ms", "input.baseline=1mA"]
    run = neurolab.run([*SIZES, *typed, "input.amplitude=-2mA", "record.variables=[input]"])
    step = np.arange(400)
    expected = np.where((step >= 100) & (step < 250), -2.0, 1.0)
    assert run.traces["input"].attrs["units"] == "mA"
    np.testing.assert_array_equal(run.traces["input"].values, np.tile(expected[:, None], 3))


@pytest.mark.parametrize("integrator", every(["rk4", "exp_euler"], 2))
def test_what_varies_within_a_step_is_recorded_as_its_mean(integrator):
    """Of a sine from a to b: (cos a - cos b) / (b - a)."""
    typed = ["input=sinusoidal", "input.mean=1mA", "input.amplitude=2mA", "input.frequency=150Hz"]
    typed += [f"integrator={integrator}", "record.variables=[input,V]"]
    run = neurolab.run([*SIZES, *typed])
    edges = 2 * np.pi * 0.15 * np.arange(401) * 0.1
    expected = 1.0 + 2.0 * (np.cos(edges[:-1]) - np.cos(edges[1:])) / np.diff(edges)
    np.testing.assert_allclose(run.traces["input"].values[:, 0], expected, rtol=0, atol=1e-12)


def test_a_potential_is_what_its_recorded_current_makes_of_it():
    """A LIF below its threshold, R = 1 ohm: exponential Euler is exact for a current that is held
    for each step, V' = V exp(-dt/tau) + R I (1 - exp(-dt/tau))."""
    typed = ["input=ou", "input.mean=0.2mA", "input.sigma=0.1mA", "+input@inputs.dc=constant"]
    typed += ["inputs.dc.amplitude=0.1mA", "record.variables=[V,input,input.I,inputs.dc]"]
    run = neurolab.run([*SIZES, *typed])
    values = {name: run.traces[name].values for name in run.traces}
    assert set(values) == {"V", "input", "input.I", "inputs.dc"}
    np.testing.assert_array_equal(values["input"], values["input.I"])
    tau = float(str(run.config.neuron.tau).split()[0])
    keep, current = np.exp(-0.1 / tau), values["input"] + values["inputs.dc"]
    expected = values["V"][:-1] * keep + current[1:] * (1 - keep)
    assert run.summary["spike_count"] == 0
    np.testing.assert_allclose(values["V"][1:], expected, rtol=1e-12)


def test_recording_a_current_changes_nothing_else():
    typed = ["neuron=adexif_ref", "input=sinusoidal", "size=5", "duration=100ms", *EVERY]
    alone = neurolab.run([*typed, "record.variables=[V]"])
    beside = neurolab.run([*typed, "record.variables=[V,input]"])
    np.testing.assert_array_equal(alone.traces["V"].values, beside.traces["V"].values)
    assert "input" not in neurolab.run([*typed, "record.variables=all"]).traces


def test_populations_have_inputs_of_their_own():
    typed = ["duration=20ms", DOUBLE, *EVERY]
    run = neurolab.run([NETWORK, *typed, "record.variables=[E.inputs.dc,inputs.noise]"])
    assert set(run.traces) == {"E.inputs.dc", "I.inputs.noise"}


def test_points_of_a_sweep_have_what_runs_have(tmp_path):
    typed = [*SIZES, "input=sinusoidal", "record=spikes", "record.variables=[input]", *EVERY]
    sweep = neurolab.run_sweep([*typed, "input.frequency=10Hz,20Hz"], tmp_path / "sweep")
    alone = neurolab.run([*typed, "input.frequency=20Hz"])
    np.testing.assert_array_equal(sweep[1].traces["input"], alone.traces["input"])


def test_spikes_are_no_current():
    with pytest.raises(ConfigError, match=r"record.variables = \[input\]\n.*brings spikes"):
        neurolab.run(["neuron=lif", "input=poisson", "record.variables=[V,input]"])
