"""The rate of a neuron in Brian2: ``python brian2_rates.py FOLDER DT_MS`` prints it as JSON.

FOLDER holds ``cell.json`` and a table of spikes for each receptor.  It runs in an interpreter that
has Brian2, so it imports nothing of this package.  Numbers are in ms, mV, nS and pA, all without
units; equations are stepped by the fourth-order Runge-Kutta method.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import brian2
import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, Synapses, defaultclock, ms

EQUATIONS = {
    "lif_ref": "dV/dt = (g_L*(V_rest - V) + I)/C/ms : 1 (unless refractory)",
    # No variable sees a V beyond the peak of the upstroke, as in NEST and here.
    "adexif_ref": """
        dV/dt = (g_L*(V_rest - U) + g_L*delta_T*exp((U - V_T)/delta_T) - w + I)/C/ms
            : 1 (unless refractory)
        dw/dt = (a*(U - V_rest) - w)/tau_w/ms : 1
        U = clip(V, -1000, V_th) : 1
        """,
    "gif": """
        dV/dt = (g_L*(V_rest - V) + I1 + I2 + I)/C/ms : 1
        dI1/dt = -k1*I1/ms : 1
        dI2/dt = -k2*I2/ms : 1
        dtheta/dt = (a*(V - V_rest) - b*(theta - V_th_inf))/ms : 1
        """,
}
SPIKES = {
    "lif_ref": ("V > V_th", "V = V_reset"),
    "adexif_ref": ("V > V_th", "V = V_reset; w += b"),
    "gif": ("V > theta", "V = V_reset; I1 = R1*I1 + A1; I2 = R2*I2 + A2; "
                         "theta = clip(theta, V_th_reset, inf)"),
}  # fmt: skip


def main(folder: Path, dt: float) -> None:
    cell = json.loads((folder / "cell.json").read_text())
    receptors = cell["receptors"]
    constants = {key: value for key, value in cell.items() if isinstance(value, float)}
    threshold, reset = SPIKES[cell["neuron"]]
    with tempfile.TemporaryDirectory() as build:
        brian2.set_device("cpp_standalone", directory=build)
        defaultclock.dt = dt * ms
        neurons = NeuronGroup(
            cell["size"],
            "\n".join([EQUATIONS[cell["neuron"]], *synapses(receptors), "count : integer"]),
            threshold=threshold,
            reset=f"{reset}; count += 1",
            refractory=cell.get("tau_ref", 0.0) * ms,
            method="rk4",
            namespace=constants,
        )
        neurons.V = cell["V_rest"]
        if cell["neuron"] == "gif":
            neurons.theta = cell["V_th_inf"]
        network = Network(neurons)
        for receptor in receptors:
            time, target = np.load(folder / f"{receptor['name']}.npy").T
            source = SpikeGeneratorGroup(cell["size"], target.astype(int), time * ms)
            variable = {"alpha": "h"}.get(receptor["kind"], "g")
            effect = f"{variable}_{receptor['name']}_post += {receptor['weight']}"
            synapse = Synapses(source, neurons, on_pre=effect)
            synapse.connect(j="i")
            network.add(source, synapse)
        network.run(cell["duration_ms"] * ms)
        rate = float(np.mean(neurons.count[:])) / cell["duration_ms"] * 1e3
    print(json.dumps({"rate_hz": rate, "version": brian2.__version__}))


def synapses(receptors: list[dict]) -> list[str]:
    """The equations of the receptors, and the current through all of them."""
    lines, currents = [], []
    for receptor in receptors:
        name, tau = receptor["name"], receptor["tau"]
        if receptor["kind"] == "alpha":
            lines += [f"dg_{name}/dt = (h_{name} - g_{name})/({tau}*ms) : 1",
                      f"dh_{name}/dt = -h_{name}/({tau}*ms) : 1"]  # fmt: skip
        else:
            lines.append(f"dg_{name}/dt = -g_{name}/({tau}*ms) : 1")
        reversal = receptor["E"]
        currents.append(f"g_{name}" if reversal is None else f"g_{name}*({reversal} - V)")
    return [*lines, f"I = {' + '.join(currents)} : 1"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
