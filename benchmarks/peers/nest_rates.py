"""The rate of a neuron in NEST: ``python nest_rates.py FOLDER DT_MS`` prints it as JSON.

FOLDER holds ``cell.json`` and a table of spikes for each receptor.  It runs in an interpreter that
has NEST, so it imports nothing of this package.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nest
import numpy as np

DELAY = 1.0  # ms


def main(folder: Path, dt: float) -> None:
    cell = json.loads((folder / "cell.json").read_text())
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.resolution = dt
    model, parameters = MODELS[cell["neuron"]](cell, dt)
    neurons = nest.Create(model, cell["size"], params=parameters)
    for receptor in cell["receptors"]:
        connect(folder, receptor, neurons, dt)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Simulate(cell["duration_ms"] + DELAY)
    rate = recorder.n_events / cell["size"] / cell["duration_ms"] * 1e3
    print(json.dumps({"rate_hz": rate, "version": nest.__version__, "model": model}))


def connect(folder: Path, receptor: dict, neurons: nest.NodeCollection, dt: float) -> None:
    time, target = np.load(folder / f"{receptor['name']}.npy").T
    sources = nest.Create("spike_generator", len(neurons))
    for index, source in enumerate(sources):
        # NEST has no spike at time 0, and takes whole steps.
        source.spike_times = np.round((time[target == index] + DELAY) / dt) * dt
    weight = receptor["weight"]
    if receptor["name"] == "gaba":
        weight = -weight  # a negative weight goes to the inhibitory conductance
    synapse = {"weight": weight, "delay": DELAY}
    if receptor["kind"] == "alpha":
        # Of a weight of 1 the response has its peak at 1; ours at 1/e.
        synapse = {"weight": weight / np.e, "delay": DELAY, "receptor_type": 1}
    nest.Connect(sources, neurons, "one_to_one", synapse)


def membrane(cell: dict) -> dict:
    return {"C_m": cell["C"], "g_L": cell["g_L"], "E_L": cell["V_rest"], "V_m": cell["V_rest"],
            "V_reset": cell["V_reset"], "t_ref": cell["tau_ref"]}  # fmt: skip


def lif(cell: dict, dt: float) -> tuple[str, dict]:
    found = {"V_th": cell["V_th"], **membrane(cell)}
    for receptor in cell["receptors"]:
        end = {"ampa": "ex", "gaba": "in"}[receptor["name"]]
        found |= {f"E_{end}": receptor["E"], f"tau_syn_{end}": receptor["tau"]}
    return "iaf_cond_exp", found


def adex(cell: dict, dt: float) -> tuple[str, dict]:
    return "aeif_psc_exp", {
        "V_peak": cell["V_th"], "V_th": cell["V_T"], "Delta_T": cell["delta_T"], "a": cell["a"],
        "b": cell["b"], "tau_w": cell["tau_w"], "w": 0.0,
        "tau_syn_ex": cell["receptors"][0]["tau"], **membrane(cell),
    }  # fmt: skip


def gif(cell: dict, dt: float) -> tuple[str, dict]:
    """GLIF5 is the neuron of Mihalas and Niebur but for V_th_reset, which is not reached here."""
    return "glif_psc", {
        "C_m": cell["C"], "g": cell["g_L"], "E_L": cell["V_rest"], "V_m": cell["V_rest"],
        "V_th": cell["V_th_inf"], "V_reset": cell["V_reset"], "t_ref": dt,
        "spike_dependent_threshold": True, "th_spike_add": 0.0, "th_spike_decay": 0.1,
        "voltage_reset_fraction": 0.0, "voltage_reset_add": cell["V_reset"] - cell["V_rest"],
        "after_spike_currents": True, "asc_init": [0.0, 0.0], "asc_r": [cell["R1"], cell["R2"]],
        "asc_decay": [cell["k1"], cell["k2"]], "asc_amps": [cell["A1"], cell["A2"]],
        "adapting_threshold": True, "th_voltage_index": cell["a"], "th_voltage_decay": cell["b"],
        "tau_syn": [cell["receptors"][0]["tau"]],
    }  # fmt: skip


MODELS = {"lif_ref": lif, "adexif_ref": adex, "gif": gif}

if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
