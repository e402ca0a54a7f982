"""What the programs in brainpy.state share: a run as ten equal calls of one compiled function.

The first call compiles it; the other nine are timed.
"""

from __future__ import annotations

import json
import resource
import time

import brainstate
import jax
import numpy as np

__all__ = ["CALLS", "report"]

CALLS = 10


def report(model: brainstate.nn.Module, size: int, duration_ms: float, began: float) -> None:
    """Run a model that has ``update(i)`` and counts of spikes; print one line of JSON.

    The building of the model ``began`` then.
    """
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
    steady = sum(seconds[1:])
    result = {
        "updates_per_s": size * steps * (CALLS - 1) / steady,
        "us_per_step": 1e6 * steady / (steps * (CALLS - 1)),
        "build_s": made_s + max(0.0, seconds[0] - steady / (CALLS - 1)),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
        "rate_hz": float(np.mean(count)) / (steps * CALLS * 1e-4),
        "run_s": steady,
    }
    print(json.dumps(result))
