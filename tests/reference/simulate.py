"""Running one model by itself."""

from __future__ import annotations

from typing import Any

import brainstate
import jax
import jax.numpy as jnp
import numpy as np

from neurolab.dynamics import Dynamics


def simulate(model: Dynamics, n_steps: int, dt: Any, x: Any = None) -> dict[str, np.ndarray]:
    """All states after each of ``n_steps`` updates with constant input, and the returned ``out``.

    The first call starts from the initial state, a later one from where the model stands.
    """
    if not model.states():
        model.init_state()

    states = {path[-1]: state for path, state in model.states().items()}

    def step(i: Any) -> dict[str, Any]:
        with brainstate.environ.context(i=i, t=i * dt, dt=dt):
            out = model.update() if x is None else model.update(x)
        return {name: state.value for name, state in states.items()} | {"out": out}

    steps = jnp.arange(n_steps, dtype=jnp.int32)
    run = brainstate.transform.jit(lambda: brainstate.transform.for_loop(step, steps))
    return jax.device_get(run())


def intervals(spikes: np.ndarray) -> np.ndarray:
    """The last inter-spike interval of each neuron, in steps."""
    return np.array([np.diff(np.flatnonzero(column))[-1] for column in spikes.T])
