"""W1 in Brian2: a C++ program of its own, written, compiled and run.

``python w1_brian2.py SIZE DURATION_MS THREADS`` prints one line of JSON.  It runs in Brian2's
interpreter, so it imports nothing of this package.  Numbers are float64 (float32 was not faster).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import brian2
import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonInput, defaultclock, ms, prefs

# Volts, amperes and ohms are left out: in mV, mA and ohm the numbers are the same.
EQUATIONS = """
dV/dt = (-(V + 65) + 3.48*exp((V + 59.9)/3.48) - w + g)/(10*ms) : 1 (unless refractory)
dw/dt = (0.2*(V + 65) - w)/(30*ms) : 1 (unless refractory)
dg/dt = -g/(5*ms) : 1
count : integer
"""


def main(size: int, duration_ms: float, threads: int) -> None:
    defaultclock.dt = 0.1 * ms
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
        began = time.perf_counter()
        build(size, duration_ms, folder)
        build_s = time.perf_counter() - began
        print(json.dumps({**run(Path(folder), size, duration_ms), "build_s": build_s}))


def build(size: int, duration_ms: float, folder: str) -> None:
    """Write and compile the program."""
    neurons = NeuronGroup(
        size,
        EQUATIONS,
        threshold="V > -55",
        reset="V = -68; w += 10; count += 1",
        refractory=1.7 * ms,
        method="euler",
    )
    neurons.V = -65
    sources = PoissonInput(neurons, "g", 100, 20 * Hz, weight=1.1)
    Network(neurons, sources).run(duration_ms * ms, namespace={})
    brian2.device.build(directory=folder, compile=True, run=False, clean=False, debug=False)


def run(folder: Path, size: int, duration_ms: float) -> dict[str, float | str]:
    """Run the program; the time is the one it measures of its own simulation loop."""
    # Not Brian2's own device.run: this way the compiler's memory is not counted with it.
    process = subprocess.Popen(["./main"], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the program of Brian2 ended with {process.returncode}")
    results = folder / "results"
    seconds = float((results / "last_run_info.txt").read_text().split()[0])
    (counts,) = results.glob("_array_neurongroup_count_*")
    spikes = np.fromfile(counts, np.int32)
    peak = max(used.ru_maxrss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return {
        "updates_per_s": size * duration_ms * 10 / seconds,
        "peak_rss_mb": peak / 2**10,
        "rate_hz": float(spikes.mean()) / (duration_ms * 1e-3),
        "run_s": seconds,
        "version": brian2.__version__,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
