"""What the programs in Brian2 share: a C++ program written, compiled and run, once or for points.

They run in Brian2's interpreter, so they import nothing of this package but their neighbours.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2 import NeuronGroup, defaultclock, ms, prefs

__all__ = ["compile_it", "in_processes", "run", "standalone"]


@contextmanager
def standalone(threads: int = 1, precision: str = "float64") -> Iterator[str]:
    """What follows is written as a C++ program, into the folder given; dt is 0.1 ms."""
    prefs.core.default_float_dtype = np.dtype(precision).type
    prefs.codegen.cpp.extra_compile_args_gcc = [
        "-w",
        "-O3",
        "-ffast-math",
        "-march=native",
        "-std=c++11",
    ]
    if threads > 1:
        prefs.devices.cpp_standalone.openmp_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        defaultclock.dt = 0.1 * ms
        yield folder


def compile_it(folder: str) -> None:
    """Write and compile the program of the network that has been run."""
    brian2.device.build(directory=folder, compile=True, run=False, clean=False, debug=False)


def run(folder: str, duration_ms: float) -> tuple[dict[str, Any], np.ndarray]:
    """Run the program; ``run_s`` is what it measures of its own simulation loop.  And the spikes of
    each neuron: their group is named ``neurongroup`` and has a variable ``count``.

    ``start_s`` is what it took beside: drawing synapses, and writing results.
    """
    # Not Brian2's own device.run: this way the compiler's memory is not counted with it.
    began = time.perf_counter()
    process = subprocess.Popen(["./main"], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the program of Brian2 ended with {process.returncode}")
    results = Path(folder) / "results"
    seconds = float((results / "last_run_info.txt").read_text().split()[0])
    (file,) = results.glob("_array_neurongroup_count_*")
    counts = np.fromfile(file, np.int32)
    return {
        "run_s": seconds,
        "start_s": wall_s - seconds,
        "peak_rss_mb": max(used.ru_maxrss / 2**10, _peak_mb()),
        "rate_hz": float(counts.mean()) / (duration_ms * 1e-3),
        "version": brian2.__version__,
    }, counts


def in_processes(
    neurons: NeuronGroup,
    points: Sequence[dict[Any, Any]],
    duration_ms: float,
    workers: int,
) -> dict[str, Any]:
    """Run the compiled program with the ``run_args`` of each point: ``rates_hz``, in their order.

    Each worker runs every n-th point.
    """
    began = time.perf_counter()

    def share(first: int) -> dict[int, float]:
        rates = {}
        for number in range(first, len(points), workers):
            brian2.device.run(results_directory=f"results_{number}", run_args=points[number])
            rates[number] = float(np.mean(neurons.count[:])) / (duration_ms * 1e-3)
        return rates

    found = share(0) if workers == 1 else _forked(share, workers)
    return {
        "run_s": time.perf_counter() - began,
        "peak_rss_mb": _peak_mb(),
        "rates_hz": [found[number] for number in range(len(points))],
        "version": brian2.__version__,
    }


def _forked(share: Callable[[int], dict[int, float]], workers: int) -> dict[int, float]:
    # The workers must know the compiled program as this process does, which cannot be pickled.
    fork = multiprocessing.get_context("fork")

    def work(first: int, sender: Any) -> None:
        sender.send(share(first))

    receivers = []
    for first in range(workers):
        receiver, sender = fork.Pipe(duplex=False)
        fork.Process(target=work, args=(first, sender)).start()
        sender.close()  # so that a worker that fails ends the waiting
        receivers.append(receiver)
    found: dict[int, float] = {}
    for receiver in receivers:
        found |= receiver.recv()
    return found


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
