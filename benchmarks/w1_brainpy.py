"""W1 in brainpy.state, written as its documentation writes such a model.

A program of its own: ``python w1_brainpy.py SIZE DURATION_MS`` prints one line of JSON.
"""

from __future__ import annotations

import sys

import brainstate
import braintools
import brainunit as u
import jax.numpy as jnp
from brainpy import state as bp
from brainpy_calls import DT, report


class Population(brainstate.nn.Module):
    """AdEx neurons, each with a synapse and a hundred Poisson sources, and a count of spikes."""

    def __init__(self, size: int):
        super().__init__()
        self.synapse = bp.Expon(
            size, tau=5.0 * u.ms, g_initializer=braintools.init.Constant(0.0 * u.mA)
        )
        self.neuron = bp.AdExIFRef(
            size,
            R=1.0 * u.ohm,
            tau=10.0 * u.ms,
            tau_w=30.0 * u.ms,
            tau_ref=1.7 * u.ms,
            V_th=-55.0 * u.mV,
            V_reset=-68.0 * u.mV,
            V_rest=-65.0 * u.mV,
            V_T=-59.9 * u.mV,
            delta_T=3.48 * u.mV,
            a=0.2 * u.siemens,
            b=10.0 * u.mA,
            V_initializer=braintools.init.Constant(-65.0 * u.mV),
            spk_reset="hard",
        )
        self.count = brainstate.ShortTermState(jnp.zeros(size, jnp.int32))

    def update(self, i):
        with brainstate.environ.context(t=i * DT, i=i):
            bp.poisson_input(
                freq=20.0 * u.Hz, num_input=100, weight=1.1 * u.mA, target=self.synapse.g
            )
            spikes = self.neuron(self.synapse())
            self.count.value = self.count.value + (spikes != 0).astype(jnp.int32)


if __name__ == "__main__":
    report(Population, int(sys.argv[1]), float(sys.argv[2]))
