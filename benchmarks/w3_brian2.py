"""W3 in Brian2: a sweep of input rate and b, each neuron being that of W1.

``python w3_brian2.py runs WHAT`` compiles a program of one point and runs it for each point with
``run_args``, in ``workers`` processes.  ``python w3_brian2.py group WHAT`` writes the whole sweep
as one group of neurons and runs it in ``workers`` threads.  WHAT is JSON: ``rates_hz``, ``b_ma``,
``neurons`` of a point, ``duration_ms``, ``workers``.  Both print one line of JSON.  It runs in
Brian2's interpreter, so it imports nothing of this package but its neighbour.
"""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import w1_brian2
from brian2 import Network, NeuronGroup, defaultclock, ms, prefs

# PoissonInput has one rate for all its neurons, compiled into the program.  This draws the same
# count by comparing one random number with the cumulated probabilities P(count <= k), which is
# as fast as PoissonInput; Brian2's poisson() takes twice the time.  More than 4 spikes in a step
# (a mean of at most 0.3) come once in 60 000 steps.
_MOST = 4
EQUATIONS = w1_brian2.EQUATIONS + "".join(
    f"\n{name} : 1 (constant)" for name in ("b", *(f"c{k}" for k in range(_MOST)))
)
DRAW = "x = rand()\ng += 1.1*(" + " + ".join(f"int(x > c{k})" for k in range(_MOST)) + ")"


def main(how: str, what: dict[str, Any]) -> None:
    defaultclock.dt = 0.1 * ms
    prefs.codegen.cpp.extra_compile_args_gcc = [
        "-w",
        "-O3",
        "-ffast-math",
        "-march=native",
        "-std=c++11",
    ]
    if how == "group" and what["workers"] > 1:
        prefs.devices.cpp_standalone.openmp_threads = what["workers"]
    points = list(itertools.product(what["rates_hz"], what["b_ma"]))
    with tempfile.TemporaryDirectory() as folder:
        brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        found = (runs if how == "runs" else group)(points, what, folder)
    print(json.dumps({**found, "version": brian2.__version__}))


def runs(points: list[tuple[float, float]], what: dict[str, Any], folder: str) -> dict[str, Any]:
    """Compile once, then one run of the program for each point."""
    began = time.perf_counter()
    neurons = build(what["neurons"], {}, what["duration_ms"], folder)
    build_s = time.perf_counter() - began
    began = time.perf_counter()
    if what["workers"] == 1:
        rates = _share(neurons, points, what, 0)
    else:
        rates = _in_processes(neurons, points, what)
    run_s = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    found = [rates[number] for number in range(len(points))]
    return {"build_s": build_s, "run_s": run_s, "rate_hz": found, "peak_rss_mb": peak}


def _in_processes(
    neurons: NeuronGroup, points: list[tuple[float, float]], what: dict[str, Any]
) -> dict[int, float]:
    """Each worker runs every n-th point."""
    # The workers must know the compiled program as this process does, which cannot be pickled.
    fork = multiprocessing.get_context("fork")

    def work(first: int, sender: Any) -> None:
        sender.send(_share(neurons, points, what, first))

    receivers = []
    for first in range(what["workers"]):
        receiver, sender = fork.Pipe(duplex=False)
        fork.Process(target=work, args=(first, sender)).start()
        sender.close()  # so that a worker that fails ends the waiting
        receivers.append(receiver)
    found: dict[int, float] = {}
    for receiver in receivers:
        found |= receiver.recv()
    return found


def _share(
    neurons: NeuronGroup, points: list[tuple[float, float]], what: dict[str, Any], first: int
) -> dict[int, float]:
    rates = {}
    for number in range(first, len(points), what["workers"]):
        rate_hz, b_ma = points[number]
        arguments = {neurons.b: b_ma}
        for k, below in enumerate(cumulated(rate_hz)):
            arguments[getattr(neurons, f"c{k}")] = below
        brian2.device.run(results_directory=f"results_{number}", run_args=arguments)
        rates[number] = float(np.mean(neurons.count[:])) / (what["duration_ms"] * 1e-3)
    return rates


def group(points: list[tuple[float, float]], what: dict[str, Any], folder: str) -> dict[str, Any]:
    """All points as one group, each neuron with the rate and b of its point."""
    began = time.perf_counter()
    values = {"b": np.array([b for _, b in points])}
    for k, below in enumerate(zip(*(cumulated(rate) for rate, _ in points), strict=True)):
        values[f"c{k}"] = np.array(below)
    each = {name: np.repeat(array, what["neurons"]) for name, array in values.items()}
    size = len(points) * what["neurons"]
    build(size, each, what["duration_ms"], folder)
    build_s = time.perf_counter() - began
    done = w1_brian2.run(Path(folder), size, what["duration_ms"])
    (counts,) = (Path(folder) / "results").glob("_array_neurongroup_count_*")
    spikes = np.fromfile(counts, np.int32).reshape(len(points), -1)
    rates = spikes.mean(axis=1) / (what["duration_ms"] * 1e-3)
    return {
        "build_s": build_s,
        "run_s": done["run_s"],
        "rate_hz": rates.tolist(),
        "peak_rss_mb": done["peak_rss_mb"],
    }


def build(size: int, values: dict[str, np.ndarray], duration_ms: float, folder: str) -> NeuronGroup:
    """Write and compile the program."""
    neurons = NeuronGroup(
        size,
        EQUATIONS,
        threshold="V > -55",
        reset="V = -68; w += b; count += 1",
        refractory=1.7 * ms,
        method="euler",
        name="neurongroup",
    )
    neurons.V = -65
    for name, array in values.items():
        setattr(neurons, name, array)
    neurons.run_regularly(DRAW, when="synapses")
    Network(neurons).run(duration_ms * ms, namespace={})
    brian2.device.build(directory=folder, compile=True, run=False, clean=False, debug=False)
    return neurons


def cumulated(rate_hz: float) -> list[float]:
    """P(count <= k) for k = 0, 1, ... of 100 sources in a step of 0.1 ms."""
    mean = 100 * rate_hz * 1e-4
    terms = (math.exp(-mean) * mean**k / math.factorial(k) for k in range(_MOST))
    return list(itertools.accumulate(terms))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
