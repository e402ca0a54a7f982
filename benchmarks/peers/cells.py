"""The neurons that are compared, in units that all three simulators have: ms, mV, pF, nS, pA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

__all__ = ["CELLS", "Cell", "Receptor", "trains"]


@dataclass(frozen=True)
class Receptor:
    """A synapse, and the train of spikes that each neuron has of its own to feed it.

    ``kind``: ``expon``, an exponential conductance with reversal potential ``E`` or, without one,
    an exponential current; ``alpha``, a current w (t/tau) exp(-t/tau).  ``weight``: nS or pA.
    """

    name: str
    kind: str
    tau: float
    weight: float
    rate_hz: float
    E: float | None = None


@dataclass(frozen=True)
class Cell:
    """A neuron: the option of neurolab, its parameters, and its receptors under each drive."""

    title: str
    neuron: str
    parameters: Mapping[str, float]
    drives: Sequence[Sequence[Receptor]]

    def description(self, drive: int) -> dict[str, object]:
        """What the programs of the peers read."""
        receptors = [asdict(receptor) for receptor in self.drives[drive]]
        return {"neuron": self.neuron, **self.parameters, "receptors": receptors}


def _ampa(rate_hz: float) -> Receptor:
    return Receptor("ampa", "expon", tau=2.0, weight=2.0, rate_hz=rate_hz, E=0.0)


def _gaba(rate_hz: float) -> Receptor:
    return Receptor("gaba", "expon", tau=8.0, weight=1.0, rate_hz=rate_hz, E=-80.0)


#: C in pF, g_L in nS, potentials in mV, times in ms, a of AdEx in nS, b and A1, A2 in pA.
CELLS = (
    Cell(
        "LIF, AMPA and GABA conductances",
        "lif_ref",
        {"C": 200.0, "g_L": 10.0, "V_rest": -70.0, "V_th": -50.0, "V_reset": -60.0, "tau_ref": 2.0},
        [(_ampa(rate), _gaba(500.0)) for rate in (1300.0, 1500.0, 1700.0)],
    ),
    Cell(
        "AdEx with a refractory period, exponential current",
        "adexif_ref",
        {
            "C": 200.0, "g_L": 10.0, "V_rest": -70.0, "V_th": 0.0, "V_reset": -58.0, "V_T": -50.0,
            "delta_T": 2.0, "a": 2.0, "b": 60.0, "tau_w": 100.0, "tau_ref": 2.0,
        },
        [(Receptor("current", "expon", 5.0, 25.0, rate),) for rate in (2000.0, 2600.0, 3200.0)],
    ),
    Cell(
        "GIF, alpha-shaped current",
        "gif",
        {
            "C": 200.0, "g_L": 10.0, "V_rest": -70.0, "V_reset": -70.0, "V_th_inf": -50.0,
            "V_th_reset": -60.0, "a": 0.002, "b": 0.01, "k1": 0.2, "k2": 0.02, "R1": 0.0, "R2": 1.0,
            "A1": 50.0, "A2": -20.0,
        },
        [(Receptor("current", "alpha", 5.0, 25.0, rate),) for rate in (2000.0, 2600.0, 3200.0)],
    ),
)  # fmt: skip


def trains(
    receptors: Sequence[Receptor], size: int, duration_ms: float, grid_ms: float, seed: int
) -> dict[str, np.ndarray]:
    """For each receptor a table of times in ms and neurons: random, at most one spike of a neuron
    at each point of the grid, which is on the grids of all simulations."""
    rng, tables = np.random.default_rng(seed), {}
    for receptor in receptors:
        shape = (round(duration_ms / grid_ms), size)
        step, neuron = np.nonzero(rng.random(shape) < receptor.rate_hz * 1e-3 * grid_ms)
        tables[receptor.name] = np.stack([step * grid_ms, neuron], axis=1)
    return tables
