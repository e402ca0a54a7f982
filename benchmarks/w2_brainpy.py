"""W2 in brainpy.state, with the event-driven synapses of brainevent, as its documentation does it.

A program of its own: ``python w2_brainpy.py SIZE DURATION_MS BACKEND`` prints one line of JSON.
Each neuron has 80 synapses onto others; BACKEND is of brainevent, numba or jax_raw.
"""

from __future__ import annotations

import sys

import brainevent
import brainstate
import braintools
import brainunit as u
import jax.numpy as jnp
from brainpy import state as bp
from brainpy_calls import DT, report

SYNAPSES = 80


class Network(brainstate.nn.Module):
    """LIF neurons, excitatory first, and a count of spikes; conductances in units of the leak."""

    def __init__(self, size: int):
        super().__init__()
        self.excitatory = size * 4 // 5
        self.neuron = bp.LIFRef(
            size,
            R=1.0 * u.ohm,
            tau=20.0 * u.ms,
            tau_ref=5.0 * u.ms,
            V_rest=-60.0 * u.mV,
            V_th=-50.0 * u.mV,
            V_reset=-60.0 * u.mV,
            V_initializer=braintools.init.Uniform(-60.0, -50.0, unit=u.mV),
            spk_reset="hard",
        )
        self.excitation = self._projection(self.excitatory, 0.6, 5.0, 0.0)
        self.inhibition = self._projection(size - self.excitatory, 6.7, 10.0, -80.0)
        self.count = brainstate.ShortTermState(jnp.zeros(size, jnp.int32))

    def _projection(self, n: int, weight: float, tau_ms: float, E_mv: float) -> bp.AlignPostProj:
        size = self.neuron.in_size
        return bp.AlignPostProj(
            comm=brainstate.nn.EventFixedProb(n, size, SYNAPSES, weight * u.siemens),
            syn=bp.Expon.desc(
                size,
                tau=tau_ms * u.ms,
                g_initializer=braintools.init.Constant(0.0 * u.siemens),
            ),
            out=bp.COBA.desc(E=E_mv * u.mV),
            post=self.neuron,
        )

    def update(self, i):
        with brainstate.environ.context(t=i * DT, i=i):
            spikes = self.neuron.get_spike() != 0.0
            self.excitation(spikes[: self.excitatory])
            self.inhibition(spikes[self.excitatory :])
            spikes = self.neuron(20.0 * u.mA)
            self.count.value = self.count.value + (spikes != 0).astype(jnp.int32)


if __name__ == "__main__":
    brainevent.config.set_backend("cpu", sys.argv[3])
    report(Network, int(sys.argv[1]), float(sys.argv[2]))
