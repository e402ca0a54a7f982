"""The block of NMDA receptors by magnesium: B(V) as tabled, and cells that see it integrated."""

from __future__ import annotations

import numpy as np
import pytest
from nights import every
from scipy.integrate import solve_ivp

import neurolab
from neurolab.problems import ConfigError

#: 1/(1 + exp(-0.062 V/mV)/3.57), Jahr & Stevens 1990 at 1 mM.
TABLE = {
    -80: 0.02442, -70: 0.04447, -65: 0.05967, -60: 0.07963, -50: 0.13854, -40: 0.23016,
    -30: 0.35722, -20: 0.50814, -10: 0.65759, 0: 0.78118, 20: 0.92502,
}  # fmt: skip
#: C = 200 pF, g_L = 10 nS, which rests at -65 mV and does not fire here.
CELL = ("neuron=lif", "neuron.C=200pF", "neuron.g_L=10nS", "neuron.V_rest=-65mV",
        "neuron.V_th=200mV", "neuron.V_reset=-65mV", "device=cpu",
        "device.precision=float64", "size=1")  # fmt: skip


def potential(*overrides):
    run = neurolab.run([*CELL, *overrides, "record=full"], save=False)
    return run.traces["V"].values[:, 0]


@pytest.mark.parametrize("output", ["conductance", "magnesium_block"])
def test_the_block_is_that_of_the_paper(output):
    """In a step that hardly moves V it rises by g B(V) (E - V) dt / C; B is 1 without magnesium.
    The leak and the decay are nothing."""
    starts = str([f"{V} mV" for V in TABLE])
    typed = ["size=11", "neuron.tau=1e12ms", f"neuron.V_initializer={starts}", "synapse=expon",
             "synapse.tau=1e9ms", f"synapse/output={output}", "synapse.output.E=50mV",
             "synapse.g_initializer=1nS", "input=none", "duration=0.1ms", "dt=0.1ms"]  # fmt: skip
    cell = [one for one in CELL if "C=" not in one and "g_L=" not in one and "size" not in one]
    run = neurolab.run([*cell, *typed, "neuron.R=1e15ohm", "record=full"], save=False)
    start = np.array(list(TABLE), float)
    rise = (run.traces["V"].values[0] - start) / (50.0 - start)
    whole = 1e-9 * 1e15 * 0.1 / 1e12  # g R dt / tau
    expected = np.ones(11) if output == "conductance" else np.array(list(TABLE.values()))
    np.testing.assert_allclose(rise / whole, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("integrator", "error_mv"),
    every([("exp_euler", 0.05), ("euler", 0.2), ("heun", 1e-3), ("rk4", 1e-6)][::-1], 3),
)
def test_a_cell_with_nmda_receptors_is_that_of_scipy(integrator, error_mv, tmp_path):
    """One spike of 100 nS at time 0, as the equations say it is integrated: a peak of 100 nS times
    B, which lets through more as V rises."""
    np.save(tmp_path / "spike.npy", np.array([[0.0, 0.0]]))
    found = potential(
        "synapse=nmda", "input=spikes_from_file", f"input.file={tmp_path}/spike.npy",
        "input.weight=100nS", "duration=200ms", "dt=0.1ms", f"integrator={integrator}",
        "neuron.V_initializer=-65mV",
    )  # fmt: skip
    peak = 100 * 2 / 98 * np.log(50)
    norm = 1 / (np.exp(-peak / 100) - np.exp(-peak / 2))

    def slope(t, V):
        g = 100.0 * norm * (np.exp(-t / 100) - np.exp(-t / 2))
        return (-10.0 * (V + 65.0) + g * (0.0 - V) / (1 + np.exp(-0.062 * V) / 3.57)) / 200.0

    times = 0.1 * np.arange(1, 2001)
    exact = solve_ivp(slope, (0, 200), [-65.0], "DOP853", times, rtol=1e-12, atol=1e-12).y[0]
    assert exact.max() > -30  # where B is five times what it was at rest
    assert np.abs(found - exact).max() < error_mv


def test_a_relative_weight_counts_the_block():
    """1e-3 rheobase*ms is the charge at the brink, -50 mV, where B is 0.13854: the peak of g is
    1e-3 * 150 pA * 1 ms / (50 mV * B * area of the response)."""
    typed = [
        "synapse=nmda",
        "input=poisson_spikes",
        "input.rate=1e6Hz",
        "input.weight=1e-3rheobase*ms",
    ]
    brink = ["neuron.V_th=-50mV", "duration=0.1ms", "dt=0.1ms", "neuron.V_initializer=-65mV"]
    run = neurolab.run([*CELL, *brink, *typed, "record=full"], save=False)
    decay = run.traces["synapse.g_decay"]
    peak = 100 * 2 / 98 * np.log(50)
    area = 98 / (np.exp(-peak / 100) - np.exp(-peak / 2))
    weight_nS = 1e-3 * 150.0 / (50.0 * TABLE[-50] * area)
    found = decay.values[0, 0] * {"nS": 1.0, "S": 1e9, "uS": 1e3, "mS": 1e6}[decay.units]
    assert found == pytest.approx(weight_nS * np.exp(-0.1 / 100), rel=5e-5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("synapse.output.gamma=0.062", ["no unit", "0.0621/mV"]),
        ("synapse.output.gamma=0.062mV", ["inverse voltage"]),
        ("synapse.output.Mg=1", ["no unit", "mM"]),
        ("synapse.output.beta=3.57mV", ["concentration"]),
        ("neuron=sigmoid_rate", ["potential in mV"]),
    ],
)
def test_what_the_block_cannot_be_is_refused(given, words):
    """exp(-0.062 V / volt), in which V is a thousandth of what is meant, blocks to 0.78 at every
    potential, and was published so: a number without a unit is refused."""
    with pytest.raises(ConfigError) as error:
        neurolab.run(["neuron=lif", "synapse=nmda", "input=none", given], save=False)
    for word in words:
        assert word in str(error.value)
