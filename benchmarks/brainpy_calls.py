"""What the programs in brainpy.state share: a run as ten equal calls of one compiled function.

The first call compiles it; the other nine are timed, and told as the time of ten.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable

import brainstate
import brainunit as u
import jax
import numpy as np

__all__ = ["DT", "report"]

DT, CALLS = 0.1 * u.ms, 10


def report(make: Callable[[int], brainstate.nn.Module], size: int, duration_ms: float) -> None:
    """Make a model that has ``update(i)`` and counts spikes, run it, print one line of JSON."""
    began = time.perf_counter()
    brainstate.environ.set(dt=DT)
    model = make(size)
    brainstate.nn.init_all_states(model)
    steps = round(duration_ms / 0.1) // CALLS

    @brainstate.transform.jit
    def advance(first):
        brainstate.transform.for_loop(model.update, first + np.arange(steps))
        return model.count.value

    made_s = time.perf_counter() - began
    seconds = []
    for call in range(CALLS):
        began = time.perf_counter()
        count = jax.block_until_ready(advance(call * steps))
        seconds.append(time.perf_counter() - began)
    steady = sum(seconds[1:]) / (CALLS - 1)
    result = {
        "run_s": steady * CALLS,
        "build_s": made_s + max(0.0, seconds[0] - steady),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
        "rate_hz": float(np.mean(count)) / (steps * CALLS * 1e-4),
    }
    print(json.dumps(result))
