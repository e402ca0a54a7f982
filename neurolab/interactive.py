"""``neurolab.Simulation``: a simulation that is advanced from Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from neurolab.api import experiment_of, untracked
from neurolab.cli.keywords import told_as_keywords
from neurolab.simulation.stepwise import Stepwise

__all__ = ["Simulation"]


class Simulation(Stepwise):
    """A simulation that is advanced from Python, in memory.

        sim = neurolab.Simulation(neuron="adexif_ref", input="constant")
        sim.advance(100 * u.ms)
        sim.numbers["input.amplitude"] = "2 rheobase"
        sim.state["V"] = -60 * u.mV
        sim.advance(0.5 * u.second)
        sim.run.spikes, sim.run.traces["V"]

    What it would give in one go, it gives in any number of steps.

    Parameters
    ----------
    overrides
        As on the command line; ``duration`` means nothing here.  A mapping is a network, as for
        `neurolab.run`.
    keys
        The same as keywords, as for `neurolab.run`.

    Raises
    ------
    ConfigError
        For a configuration that cannot be run.
    """

    @told_as_keywords
    def __init__(self, overrides: Iterable[str | Mapping[str, Any]] = (), **keys: Any) -> None:
        experiment = experiment_of(overrides, keys)
        untracked(experiment)
        super().__init__(experiment)
