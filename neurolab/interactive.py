"""``neurolab.Simulation``: a simulation that is advanced from Python; ``neurolab.phase_plane``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neurolab.api import experiment_of, experiment_of_run, untracked
from neurolab.cli.keywords import told_as_keywords
from neurolab.results.run import Run
from neurolab.simulation.stepwise import Stepwise

if TYPE_CHECKING:
    from neurolab.neurons.phase_plane import PhasePlane

__all__ = ["Simulation", "phase_plane"]


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


def phase_plane(
    of: Run | Iterable[str | Mapping[str, Any]],
    *,
    current: Any = None,
    population: str = "",
    neuron: int = 0,
    low: Any = None,
    high: Any = None,
) -> PhasePlane:
    """Nullclines and fixed points of a neuron of a configuration, or of a run.

        plane = neurolab.phase_plane(run)
        run.plot.phase("V", "w", plane=plane)
        neurolab.phase_plane(["neuron=naud2008/tonic"], current=500 * u.pA).fixed_points

    Parameters
    ----------
    of
        A run, or what is typed for one.
    current
        The constant drive, a quantity; if not given, that of the configuration.
    population, neuron
        Whose: of a network, and of neurons whose numbers differ.
    low, high
        From and until which potential, as for `neurolab.neurons.phase_plane.phase_plane`.

    Raises
    ------
    ConfigError
        For a configuration that cannot be run.
    ValueError
        The neuron has not two variables, or what it is given is not constant and no ``current`` is
        given, or there is no such neuron.
    """
    from neurolab.simulation.phase import plane_of

    experiment = experiment_of_run(of) if isinstance(of, Run) else experiment_of(of)
    return plane_of(experiment, population, neuron, current, low=low, high=high)
