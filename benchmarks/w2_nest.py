"""W2 in NEST: the COBA network of ``iaf_cond_exp``, in float64 as all of NEST.

``python w2_nest.py SIZE DURATION_MS THREADS`` prints one line of JSON.  Synapses are as many as the
mean of pairs drawn with a probability of 80/SIZE, and as them have binomial degrees: NEST's rule
for that goes through all pairs, this one does not.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import nest

SYNAPSES = 80
CELL = {
    "C_m": 200.0,  # pF
    "g_L": 10.0,  # nS
    "E_L": -60.0,  # mV
    "V_th": -50.0,
    "V_reset": -60.0,
    "t_ref": 5.0,  # ms
    "E_ex": 0.0,
    "E_in": -80.0,
    "tau_syn_ex": 5.0,
    "tau_syn_in": 10.0,
    "I_e": 200.0,  # pA: 20 mV through g_L
}


def main(size: int, duration_ms: float, threads: int) -> None:
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.resolution, nest.local_num_threads = 0.1, threads
    began = time.perf_counter()
    neurons = nest.Create("iaf_cond_exp", size, params=CELL)
    neurons.V_m = nest.random.uniform(-60.0, -50.0)
    excitatory = size * 4 // 5
    for source, weight in ((neurons[:excitatory], 6.0), (neurons[excitatory:], -67.0)):
        rule = {"rule": "fixed_total_number", "N": SYNAPSES * len(source)}
        nest.Connect(source, neurons, rule, {"weight": weight, "delay": 0.1})
    nest.Prepare()
    build_s = time.perf_counter() - began
    began = time.perf_counter()
    nest.Run(duration_ms)
    result = {
        "run_s": time.perf_counter() - began,
        "build_s": build_s,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
        "rate_hz": nest.local_spike_counter / size / (duration_ms * 1e-3),
        "version": nest.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
