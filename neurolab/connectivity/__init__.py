"""Rules by which a projection connects two populations.

Terms are those of Senk et al. 2022, PLoS Comput Biol 18:e1010086; names and defaults those of NEST.
"""

from neurolab.connectivity.base import Connectivity, Pairs, Synapses
from neurolab.connectivity.edges import Edges
from neurolab.connectivity.random import (
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    PairwiseBernoulli,
    PairwisePoisson,
)
from neurolab.connectivity.regular import AllToAll, OneToOne
from neurolab.connectivity.sonata import Sonata
from neurolab.connectivity.spatial import DistanceExponential, DistanceGaussian

__all__ = [
    "AllToAll",
    "Connectivity",
    "DistanceExponential",
    "DistanceGaussian",
    "Edges",
    "FixedIndegree",
    "FixedOutdegree",
    "FixedTotalNumber",
    "OneToOne",
    "Pairs",
    "PairwiseBernoulli",
    "PairwisePoisson",
    "Sonata",
    "Synapses",
]
