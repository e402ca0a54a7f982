"""W3 in Brian2: a sweep of input rate and b, each neuron being that of W1.

``python w3_brian2.py runs WHAT`` compiles a program of one point and runs it for each point with
``run_args``, in ``workers`` processes.  ``python w3_brian2.py group WHAT`` writes the whole sweep
as one group of neurons and runs it in ``workers`` threads.  WHAT is JSON: ``rates_hz``, ``b_ma``,
``neurons`` of a point, ``duration_ms``, ``workers``.  Both print one line of JSON.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
import time
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, ms
from brian2_standalone import compile_it, in_processes, run, standalone
from w1_brian2 import EQUATIONS, population

# PoissonInput has one rate for all its neurons, compiled into the program.  This draws the same
# count by comparing one random number with the cumulated probabilities P(count <= k), which is
# as fast as PoissonInput; Brian2's poisson() takes twice the time.  More than 4 spikes in a step
# (a mean of at most 0.3) come once in 60 000 steps.
_MOST = 4
OWN = "".join(f"\n{name} : 1 (constant)" for name in ("b", *(f"c{k}" for k in range(_MOST))))
DRAW = "x = rand()\ng += 1.1*(" + " + ".join(f"int(x > c{k})" for k in range(_MOST)) + ")"


def main(how: str, what: dict[str, Any]) -> None:
    points = list(itertools.product(what["rates_hz"], what["b_ma"]))
    with standalone(what["workers"] if how == "group" else 1) as folder:
        found = (runs if how == "runs" else group)(points, what, folder)
    print(json.dumps(found))


def runs(points: list[tuple[float, float]], what: dict[str, Any], folder: str) -> dict[str, Any]:
    """Compile once, then one run of the program for each point."""
    began = time.perf_counter()
    neurons = build(what["neurons"], {}, what["duration_ms"], folder)
    build_s = time.perf_counter() - began
    each = [
        {neurons.b: b, **{getattr(neurons, f"c{k}"): c for k, c in enumerate(cumulated(rate))}}
        for rate, b in points
    ]
    return {
        **in_processes(neurons, each, what["duration_ms"], what["workers"]),
        "build_s": build_s,
    }


def group(points: list[tuple[float, float]], what: dict[str, Any], folder: str) -> dict[str, Any]:
    """All points as one group, each neuron with the rate and b of its point."""
    began = time.perf_counter()
    values = {"b": np.array([b for _, b in points])}
    for k, below in enumerate(zip(*(cumulated(rate) for rate, _ in points), strict=True)):
        values[f"c{k}"] = np.array(below)
    each = {name: np.repeat(array, what["neurons"]) for name, array in values.items()}
    build(len(points) * what["neurons"], each, what["duration_ms"], folder)
    build_s = time.perf_counter() - began
    found, counts = run(folder, what["duration_ms"])
    rates = counts.reshape(len(points), -1).mean(axis=1) / (what["duration_ms"] * 1e-3)
    return {**found, "build_s": build_s, "rates_hz": rates.tolist()}


def build(size: int, values: dict[str, np.ndarray], duration_ms: float, folder: str) -> NeuronGroup:
    """Write and compile the program."""
    neurons = population(size, EQUATIONS + OWN, "b")
    for name, array in values.items():
        setattr(neurons, name, array)
    neurons.run_regularly(DRAW, when="synapses")
    Network(neurons).run(duration_ms * ms, namespace={})
    compile_it(folder)
    return neurons


def cumulated(rate_hz: float) -> list[float]:
    """P(count <= k) for k = 0, 1, ... of 100 sources in a step of 0.1 ms."""
    mean = 100 * rate_hz * 1e-4
    terms = (math.exp(-mean) * mean**k / math.factorial(k) for k in range(_MOST))
    return list(itertools.accumulate(terms))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
