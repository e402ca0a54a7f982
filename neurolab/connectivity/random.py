"""Rules of chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurolab.connectivity.base import Connectivity, Pairs, Synapses
from neurolab.dynamics import parameter

__all__ = [
    "FixedIndegree",
    "FixedOutdegree",
    "FixedTotalNumber",
    "PairwiseBernoulli",
    "PairwisePoisson",
]


class PairwiseBernoulli(Connectivity):
    """Every pair with probability p, each by itself, at most once: degrees are binomial."""

    once = True

    p = parameter(0.1, "probability of a connection", nonnegative=True)

    def refuses(self, pairs: Pairs) -> str:
        return f"p = {float(self.p):g}: a probability is at most 1" if self.p > 1 else ""

    def expected(self, pairs: Pairs) -> float:
        return float(self.p) * pairs.n

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        found = hits(rng, float(self.p), pairs.n)
        return pairs.at(np.concatenate([np.zeros(0, np.int64), *found]))


class PairwisePoisson(Connectivity):
    """Every pair with a Poisson number of synapses of the given mean."""

    mean = parameter(0.1, "mean number of synapses of a pair", nonnegative=True)

    def expected(self, pairs: Pairs) -> float:
        return float(self.mean) * pairs.n

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        # As many as a Poisson number of all, each at any pair.
        return pairs.at(rng.integers(0, max(pairs.n, 1), rng.poisson(self.expected(pairs))))


class FixedTotalNumber(Connectivity):
    """A given number of synapses, each between any two neurons: degrees are multinomial."""

    n = parameter(1, "synapses in all")
    multapses = parameter(True, "whether a pair may have several synapses")

    def refuses(self, pairs: Pairs) -> str:
        if self.n > pairs.n and not (self.multapses and pairs.n):
            return f"n = {self.n} synapses without multapses, and there are {pairs.n} pairs"
        return ""

    def expected(self, pairs: Pairs) -> float:
        return float(self.n)

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        if self.multapses:
            return pairs.at(rng.integers(0, max(pairs.n, 1), self.n))
        return pairs.at(distinct(rng, 1, self.n, pairs.n)[0])


class _FixedDegree(Connectivity):
    """A given number of synapses of each neuron of one population, with any of the other."""

    n = parameter(1, "synapses of each neuron")
    multapses = parameter(True, "whether a pair may have several synapses")

    def _ends(self, pairs: Pairs) -> tuple[int, int]:
        """How many neurons have that degree, and how many partners each may have."""
        raise NotImplementedError

    def refuses(self, pairs: Pairs) -> str:
        _, there = self._ends(pairs)
        if self.n > there and not (self.multapses and there):
            return f"n = {self.n} without multapses, and there are {there} neurons to connect with"
        return ""

    def expected(self, pairs: Pairs) -> float:
        return float(self.n * self._ends(pairs)[0])

    def _draw(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        (n, there), k = self._ends(pairs), int(self.n)
        found = rng.integers(0, max(there, 1), (n, k)) if self.multapses else None
        found = distinct(rng, n, k, there) if found is None else found
        own, partner = np.repeat(np.arange(n), k), found.reshape(-1)
        return Synapses(own, partner + (partner >= own) if pairs.apart else partner)


class FixedIndegree(_FixedDegree):
    """A given number of synapses onto each neuron of the target, from any of the source."""

    def _ends(self, pairs: Pairs) -> tuple[int, int]:
        return pairs.n_target, pairs.sources

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        target, source, *_ = self._draw(rng, pairs)
        return Synapses(source, target)


class FixedOutdegree(_FixedDegree):
    """A given number of synapses from each neuron of the source, onto any of the target."""

    def _ends(self, pairs: Pairs) -> tuple[int, int]:
        return pairs.n_source, pairs.targets

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        return self._draw(rng, pairs)


def hits(rng: np.random.Generator, p: float, n: int, most: int = 2**62) -> Iterator[np.ndarray]:
    """The numbers below ``n`` that are hit, each by itself with probability ``p``: in ascending
    order, about ``most`` at a time or fewer."""
    last = -1
    while p > 0 and last < n:  # gaps between those that are hit are geometric
        left = (n - last) * p
        gaps = rng.geometric(p, min(int(left + 6 * np.sqrt(left) + 16), most))
        found = last + np.cumsum(np.minimum(gaps, n + 1))
        last = int(found[-1])
        yield found[: np.searchsorted(found, n)]


def distinct(rng: np.random.Generator, n_rows: int, k: int, n: int) -> np.ndarray:
    """``k`` distinct numbers below ``n`` in each row, all sets as likely.

    What occurs twice is drawn again, until nothing does: that favours no number.  Of more than half
    of the numbers those that are left out are drawn.
    """
    if k > n // 2:
        out = distinct(rng, n_rows, n - k, n)
        left = np.ones((n_rows, n), bool)
        np.put_along_axis(left, out, False, axis=1)
        return np.nonzero(left)[1].reshape(n_rows, k)
    found = np.sort(rng.integers(0, n, (n_rows, k)), axis=1)
    while True:
        again = np.zeros(found.shape, bool)
        again[:, 1:] = found[:, 1:] == found[:, :-1]
        if not again.any():
            return found
        found[again] = rng.integers(0, n, int(again.sum()))
        rows = again.any(axis=1)
        found[rows] = np.sort(found[rows], axis=1)
