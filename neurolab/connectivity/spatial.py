"""Rules by which neurons connect the less, the farther they are from each other."""

from __future__ import annotations

import brainunit as u
import numpy as np

from neurolab.connectivity.base import Connectivity, Pairs, Synapses
from neurolab.connectivity.random import hits
from neurolab.dynamics import parameter
from neurolab.units import magnitude

__all__ = ["DistanceExponential", "DistanceGaussian"]

#: Cells in which neurons are looked at together, candidates drawn at once, pairs that are looked at
#: for how many synapses there will be, and halvings of p that are told apart.
_CELLS, _AT_ONCE, _PAIRS, _HALVINGS = 2**10, 2**20, 2**21, 40


class _DistanceDependent(Connectivity):
    """Every pair at most once, each by itself, with a probability that falls with its distance.

    Neurons of a population are evenly spaced, at the middles of as many equal parts of a ``line``
    of length ``extent``; a ``ring`` is a line of that length whose ends meet.  On a ``plane`` they
    fill a square with sides of ``extent`` in round(sqrt(n)) equal rows, number after number, rows
    having as many neurons or one more, evenly spaced: of 9 neurons a grid of 3 x 3.  Distances are
    between these places, with the extent for both populations, whatever their sizes.

    Nothing is cut off.  Pairs are drawn by thinning: those of two cells of the space are candidates
    with the probability of the cells' distance, rounded up to p, p / 2, p / 4, ..., and taken with
    the ratio of their own to it.  So memory is that of the synapses.
    """

    once = True

    p = parameter(0.1, "probability at no distance", nonnegative=True)
    shape = parameter("plane", "where neurons are", choices=("line", "ring", "plane"))
    extent = parameter(1.0 * u.mm, "length of the line or ring, side of the plane", positive=True)
    periodic = parameter(None, "whether ends meet; None: of a ring", choices=(None, True, False))

    def _falls(self) -> tuple[float, float]:
        """The length in mm, and the power, of p exp(-(d / length)^power)."""
        raise NotImplementedError

    def refuses(self, pairs: Pairs) -> str:
        if self.p > 1:
            return f"p = {float(self.p):g}: a probability is at most 1"
        if self.shape == "ring" and self.periodic is False:
            return "a ring is periodic: leave periodic out, or take shape=line"
        return ""

    def expected(self, pairs: Pairs) -> float:
        # Of many sources those of some, which are spread over all numbers.
        n = min(pairs.n_source, max(_PAIRS // max(pairs.n_target, 1), 16))
        chosen = ((np.arange(n) + 0.5) * pairs.n_source / max(n, 1)).astype(np.int64)
        source, target = self._places(pairs.n_source)[chosen], self._places(pairs.n_target)
        each = [self._share(one[None] - target).sum() - pairs.apart for one in source]
        return float(self.p) * float(np.mean(each or [0.0])) * pairs.n_source

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        places = self._places(pairs.n_source), self._places(pairs.n_target)
        n_dims, (length, _) = places[0].shape[1], self._falls()
        most = min(_CELLS, pairs.n_source, pairs.n_target) ** (1 / n_dims)
        m = max(min(int(2 * self._extent / length) + 1, int(most + 1e-9)), 1)
        cells = [_by_cell(one, m) for one in places]
        (sources, first, own), (targets, first_target, other) = cells
        # The least distance of two cells, and p / 2^k above the probability there.
        at = np.stack(np.divmod(np.arange(m**n_dims), m), axis=-1)[:, -n_dims:]
        apart = self._wrapped(np.abs(at[:, None] - at[None]), m)
        share = self._share(np.maximum(apart - 1, 0) / m, wrapped=True).ravel()
        with np.errstate(divide="ignore"):
            level = np.minimum(np.floor(-np.log2(share)), _HALVINGS).astype(np.int8)
        n_pairs, found = np.outer(own, other).ravel(), [np.zeros((2, 0), np.int64)]
        for k in np.unique(level):
            here = np.flatnonzero((level == k) & (n_pairs > 0))
            ends, bound = np.cumsum(n_pairs[here]), 2.0 ** -float(k)
            for number in hits(rng, float(self.p) * bound, int(ends[-1:].sum()), _AT_ONCE):
                which = np.searchsorted(ends, number, side="right")
                cell, cell_target = np.divmod(here[which], m**n_dims)
                inside = number - (ends - n_pairs[here])[which]
                inside, inside_target = np.divmod(inside, other[cell_target])
                source = sources[first[cell] + inside]
                target = targets[first_target[cell_target] + inside_target]
                share = self._share(places[0][source] - places[1][target])
                taken = rng.random(number.size) * bound < share
                taken &= (source != target) | (not pairs.apart)
                found.append(np.stack([source[taken], target[taken]]))
        return Synapses(*np.concatenate(found, axis=1))

    @property
    def _extent(self) -> float:
        return float(magnitude(self.extent, u.mm))

    def _places(self, n: int) -> np.ndarray:
        """Where ``n`` neurons are, in parts of the extent, shape (n, dimensions)."""
        number = np.arange(n)
        if self.shape != "plane":
            return (number[:, None] + 0.5) / max(n, 1)
        n_rows = max(round(n**0.5), 1)
        row = number * n_rows // max(n, 1)
        width = np.bincount(row, minlength=n_rows)
        in_row = number - (np.cumsum(width) - width)[row]
        return np.stack([(row + 0.5) / n_rows, (in_row + 0.5) / width[row]], axis=1)

    def _wrapped(self, apart: np.ndarray, whole: float = 1.0) -> np.ndarray:
        ends_meet = self.periodic or self.shape == "ring"
        return np.minimum(apart, whole - apart) if ends_meet else apart

    def _share(self, apart: np.ndarray, wrapped: bool = False) -> np.ndarray:
        """The probability at a distance, which has its parts along the last axis, as a share of
        that at none."""
        apart = apart if wrapped else self._wrapped(np.abs(apart))
        length, power = self._falls()
        squared = np.einsum("...k,...k->...", apart, apart) * (self._extent / length) ** 2
        return np.exp(-(squared ** (power / 2)))


class DistanceGaussian(_DistanceDependent):
    r"""Probability :math:`p \exp(-d^2 / 2 \sigma^2)` at distance d, each pair at most once.

    With the default a seventh is left at 500 um: Hellwig 2000, Biol Cybern 82:111, finds 50 to 80 %
    for neighbours and 0 to 15 % there.  1 mm^2 is the patch of Potjans & Diesmann 2014.
    """

    sigma = parameter(0.25 * u.mm, "width of the Gaussian, its standard deviation", positive=True)

    def _falls(self) -> tuple[float, float]:
        return 2**0.5 * float(magnitude(self.sigma, u.mm)), 2.0


class DistanceExponential(_DistanceDependent):
    r"""Probability :math:`p \exp(-d / \mathrm{length})` at distance d, each pair at most once.

    Defaults as those of `DistanceGaussian`, which equals it at 500 um.
    """

    length = parameter(0.25 * u.mm, "distance in which it falls to 1 / e", positive=True)

    def _falls(self) -> tuple[float, float]:
        return float(magnitude(self.length, u.mm)), 1.0


def _by_cell(places: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neurons sorted by their cells, of which there are m along each axis; of each cell where its
    neurons begin, and how many it has."""
    at = np.minimum((places * m).astype(np.int64), m - 1)
    cell = at @ m ** np.arange(at.shape[1])[::-1]
    n = np.bincount(cell, minlength=m ** at.shape[1])
    return np.argsort(cell, kind="stable"), np.cumsum(n) - n, n
