"""W2 in Brian2: the COBA network as a C++ program, and a sweep of its inhibitory weights.

``python w2_brian2.py run WHAT`` and ``python w2_brian2.py sweep WHAT`` print one line of JSON.
WHAT is JSON: ``size``, ``duration_ms``; of a run ``threads`` and ``precision``, of a sweep
``weights_ns`` and ``workers``.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from brian2 import Network, NeuronGroup, Synapses, ms
from brian2_standalone import compile_it, in_processes, run, standalone

# Potentials in mV, conductances in units of the leak, 10 nS.
EQUATIONS = """
dV/dt = (-60 - V + 20 - ge*V - gi*(V + 80))/(20*ms) : 1 (unless refractory)
dge/dt = -ge/(5*ms) : 1
dgi/dt = -gi/(10*ms) : 1
count : integer
"""
SYNAPSES, LEAK_NS = 80, 10.0


def main(how: str, what: dict[str, Any]) -> None:
    if how == "run":
        with standalone(what["threads"], what["precision"]) as folder:
            began = time.perf_counter()
            build(what["size"], what["duration_ms"], folder)
            build_s = time.perf_counter() - began
            found, _ = run(folder, what["duration_ms"])
        # Synapses are drawn by the program at its start.
        found["build_s"] = build_s + found.pop("start_s")
    else:
        with standalone(precision="float32") as folder:
            found = sweep(what, folder)
    print(json.dumps(found))


def sweep(what: dict[str, Any], folder: str) -> dict[str, Any]:
    """Compile once, then one run of the program for each weight; each draws its synapses."""
    began = time.perf_counter()
    neurons, inhibition = build(what["size"], what["duration_ms"], folder)
    build_s = time.perf_counter() - began
    points = [{inhibition.weight: weight / LEAK_NS} for weight in what["weights_ns"]]
    return {
        **in_processes(neurons, points, what["duration_ms"], what["workers"]),
        "build_s": build_s,
    }


def build(size: int, duration_ms: float, folder: str) -> tuple[NeuronGroup, Synapses]:
    """Write and compile the program; the neurons and the inhibitory synapses."""
    neurons = NeuronGroup(
        size,
        EQUATIONS,
        threshold="V > -50",
        reset="V = -60; count += 1",
        refractory=5 * ms,
        method="exponential_euler",
        name="neurongroup",
    )
    neurons.V = "-60 + 10*rand()"
    excitatory = size * 4 // 5
    excitation = Synapses(neurons[:excitatory], neurons, on_pre="ge += 0.6")
    inhibition = Synapses(
        neurons[excitatory:],
        neurons,
        "weight : 1 (shared, constant)",
        on_pre="gi += weight",
        name="inhibition",
    )
    for synapses in (excitation, inhibition):
        synapses.connect(p=SYNAPSES / size)
    inhibition.weight = 6.7
    Network(neurons, excitation, inhibition).run(duration_ms * ms, namespace={})
    compile_it(folder)
    return neurons, inhibition


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
