"""What every rule of connectivity is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from neurolab.dynamics import Dynamics, parameter

__all__ = ["Connectivity", "Pairs", "Synapses"]


class Synapses(NamedTuple):
    """The source and the target of every synapse, and what a rule brings of its own for each:
    plain factors of what the configuration says, as a file has them."""

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray | None = None
    delay: np.ndarray | None = None


class Pairs:
    """The pairs of neurons that a rule may connect, counted from 0 to `n`.

    Parameters
    ----------
    n_source, n_target
        Neurons of the populations.
    apart
        Whether both are one population, whose neurons are not connected to themselves.
    """

    def __init__(self, n_source: int, n_target: int, apart: bool) -> None:
        self.n_source, self.n_target, self.apart = n_source, n_target, apart
        #: Targets that a source may have, sources that a target may have.
        self.targets, self.sources = n_target - apart, n_source - apart
        self.n = n_source * self.targets

    def at(self, number: np.ndarray) -> Synapses:
        """The source and the target of pairs."""
        source, target = np.divmod(number, max(self.targets, 1))
        return Synapses(source, target + (target >= source) if self.apart else target)


class Connectivity(Dynamics):
    """Base of the rules: which pairs of neurons of two populations are connected, and how often.

    A rule is drawn on the host, once for a seed: it is no part of the step.  One that reads a file
    names in ``recorded`` the parameters that say which, those that may be missing in ``optional``.
    """

    recorded: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    #: Whether it connects a pair once at most, whatever its numbers: a neuron then hears no more
    #: spikes in a step than the source has neurons.
    once: ClassVar[bool] = False

    autapses = parameter(True, "whether a neuron may connect to itself")

    @classmethod
    def load(cls, settings: Mapping[str, Any], size: int) -> Mapping[str, Any]:
        """Parameters from what ``recorded`` names; an `InputFileError` for what cannot be."""
        raise NotImplementedError

    def pairs(self, n_source: int, n_target: int, same: bool) -> Pairs:
        """The pairs that may be connected; ``same`` says that both populations are one."""
        return Pairs(n_source, n_target, same and not self.autapses)

    def refuses(self, pairs: Pairs) -> str:
        """Why the rule cannot connect these; empty if it can."""
        return ""

    def doubts(self) -> str:
        """What of its file is probably not as it was meant; empty if nothing is."""
        return ""

    def expected(self, pairs: Pairs) -> float:
        """How many synapses there will be, on average."""
        raise NotImplementedError

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        """All synapses, in any order, where nothing refuses it."""
        raise NotImplementedError
