"""The microcircuit of Potjans and Diesmann (2014) in NEST, under Poisson input.

``python microcircuit_nest.py SCALE DURATION_MS START_MS THREADS`` prints one line of JSON: seconds
for DURATION_MS, and the rates in them, after START_MS.  Sizes, probabilities and constants are the
paper's (Cerebral Cortex 24, tables 4 and 5); neurons and synapses of a neuron are scaled alike,
weights divided by the root of the scale, and a current makes up for the mean that is lost (van
Albada et al. 2015), at the rates of NEST's full-size network.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass

import nest
import numpy as np

DT_MS = 0.1
#: L2/3E, L2/3I, L4E, L4I, L5E, L5I, L6E, L6I; matrices are [target, source].
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
PROBABILITIES = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
EXTERNAL_HZ = 8.0
FULL_RATES_HZ = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
WEIGHT_PA, INHIBITION, SPREAD = 87.80849, -4.0, 0.1
DELAYS_MS, DELAY_SPREAD = (1.5, 0.75), 0.5  # of excitation, of inhibition
TAU_SYN_MS = 0.5
CELL = {
    "C_m": 250.0,  # pF
    "tau_m": 10.0,  # ms
    "E_L": -65.0,  # mV
    "V_th": -50.0,
    "V_reset": -65.0,
    "t_ref": 2.0,
    "tau_syn_ex": TAU_SYN_MS,
    "tau_syn_in": TAU_SYN_MS,
}


@dataclass(frozen=True)
class Scaled:
    """The numbers of the network at a scale; ``weights`` in pA, ``currents`` in pA."""

    sizes: np.ndarray
    synapses: np.ndarray
    weights: np.ndarray
    external_weight: float
    external_hz: np.ndarray
    currents: np.ndarray


def scaled(scale: float) -> Scaled:
    """The network's numbers at this share of its neurons and of each neuron's synapses."""
    pairs = np.outer(SIZES, SIZES).astype(float)
    # A probability is that of at least one synapse between a pair.
    full = np.log1p(-PROBABILITIES) / np.log1p(-1 / pairs)
    weights = WEIGHT_PA * np.where(np.arange(8) % 2, INHIBITION, 1.0) * np.ones((8, 1))
    weights[0, 2] *= 2  # from L4E to L2/3E
    arriving = (weights * full * FULL_RATES_HZ).sum(axis=1) / SIZES
    arriving += WEIGHT_PA * EXTERNAL * EXTERNAL_HZ
    root = np.sqrt(scale)
    return Scaled(
        np.round(SIZES * scale).astype(int),
        np.round(full * scale**2).astype(int),
        weights / root,
        WEIGHT_PA / root,
        np.round(EXTERNAL * scale) * EXTERNAL_HZ,
        1e-3 * TAU_SYN_MS * (1 - root) * arriving,
    )


def main(scale: float, duration_ms: float, start_ms: float, threads: int) -> None:
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.resolution, nest.local_num_threads = DT_MS, threads
    began = time.perf_counter()
    network = scaled(scale)
    recorders = build(network)
    nest.Prepare()
    build_s = time.perf_counter() - began
    nest.Run(start_ms)
    before = np.array([recorder.n_events for recorder in recorders])
    began = time.perf_counter()
    nest.Run(duration_ms)
    run_s = time.perf_counter() - began
    counts = np.array([recorder.n_events for recorder in recorders]) - before
    result = {
        "run_s": run_s,
        "build_s": build_s,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
        "rates_hz": (counts / network.sizes / (duration_ms * 1e-3)).tolist(),
        "version": nest.__version__,
    }
    print(json.dumps(result))


def build(network: Scaled) -> list[nest.NodeCollection]:
    """The populations with their input and synapses; a recorder of each one's spikes."""
    populations = [
        nest.Create(
            "iaf_psc_exp",
            int(size),
            params={**CELL, "I_e": float(current), "V_m": nest.random.normal(-58.0, 10.0)},
        )
        for size, current in zip(network.sizes, network.currents, strict=True)
    ]
    # A model of synapses of each source: NEST counts to 2^27 of one model on a thread.
    models = [f"from_{source}" for source in range(len(populations))]
    for model in models:
        nest.CopyModel("static_synapse", model)
    recorders = []
    for target, population in enumerate(populations):
        generator = nest.Create("poisson_generator", params={"rate": network.external_hz[target]})
        external = {"weight": network.external_weight, "delay": DELAYS_MS[0]}
        nest.Connect(generator, population, syn_spec=external)
        for source, sender in enumerate(populations):
            count = int(network.synapses[target, source])
            if count:
                rule = {"rule": "fixed_total_number", "N": count}
                synapse = drawn(float(network.weights[target, source]), DELAYS_MS[source % 2])
                nest.Connect(sender, population, rule, {"synapse_model": models[source], **synapse})
        recorders.append(nest.Create("spike_recorder"))
        nest.Connect(population, recorders[-1])
    return recorders


def drawn(weight: float, delay_ms: float) -> dict[str, object]:
    """Normal weights and delays, drawn anew where a sign would change or half a step be passed."""
    signed = {"min": 0.0, "max": np.inf} if weight > 0 else {"min": -np.inf, "max": 0.0}
    weights = nest.random.normal(weight, abs(weight) * SPREAD)
    delays = nest.random.normal(delay_ms, delay_ms * DELAY_SPREAD)
    return {
        "weight": nest.math.redraw(weights, **signed),
        "delay": nest.math.redraw(delays, min=DT_MS / 2, max=np.inf),
    }


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
