"""Rules that leave nothing to chance."""

from __future__ import annotations

import numpy as np

from neurolab.connectivity.base import Connectivity, Pairs, Synapses

__all__ = ["AllToAll", "OneToOne"]


class AllToAll(Connectivity):
    """Every neuron of the source to every neuron of the target, once."""

    once = True

    def expected(self, pairs: Pairs) -> float:
        return pairs.n

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        return pairs.at(np.arange(pairs.n))


class OneToOne(Connectivity):
    """Neuron k of the source to neuron k of the target; both have as many."""

    once = True

    def refuses(self, pairs: Pairs) -> str:
        if pairs.n_source != pairs.n_target:
            return f"connects populations of one size, not {pairs.n_source} and {pairs.n_target}"
        return "connects a population to itself by autapses alone" if pairs.apart else ""

    def expected(self, pairs: Pairs) -> float:
        return pairs.n_source

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        return Synapses(np.arange(pairs.n_source), np.arange(pairs.n_source))
