"""W1 in Brian2: a C++ program of its own, written, compiled and run.

``python w1_brian2.py SIZE DURATION_MS THREADS`` prints one line of JSON.  Numbers are float64
(float32 was not faster).
"""

from __future__ import annotations

import json
import sys
import time

from brian2 import Hz, Network, NeuronGroup, PoissonInput, ms
from brian2_standalone import compile_it, run, standalone

# Volts, amperes and ohms are left out: in mV, mA and ohm the numbers are the same.
EQUATIONS = """
dV/dt = (-(V + 65) + 3.48*exp((V + 59.9)/3.48) - w + g)/(10*ms) : 1 (unless refractory)
dw/dt = (0.2*(V + 65) - w)/(30*ms) : 1 (unless refractory)
dg/dt = -g/(5*ms) : 1
count : integer
"""


def population(size: int, equations: str = EQUATIONS, b: str = "10") -> NeuronGroup:
    """The neurons, whose adaptation grows by ``b`` with each spike."""
    neurons = NeuronGroup(
        size,
        equations,
        threshold="V > -55",
        reset=f"V = -68; w += {b}; count += 1",
        refractory=1.7 * ms,
        method="euler",
        name="neurongroup",
    )
    neurons.V = -65
    return neurons


def main(size: int, duration_ms: float, threads: int) -> None:
    with standalone(threads) as folder:
        began = time.perf_counter()
        neurons = population(size)
        sources = PoissonInput(neurons, "g", 100, 20 * Hz, weight=1.1)
        Network(neurons, sources).run(duration_ms * ms, namespace={})
        compile_it(folder)
        build_s = time.perf_counter() - began
        found, _ = run(folder, duration_ms)
    print(json.dumps({**found, "build_s": build_s}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
