"""What ``record.summary`` asks for: values of variables, and statistics of spikes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import brainunit as u

from neurolab.config.settings import SettingsReader
from neurolab.engine.structure import PopulationSpec, short_name
from neurolab.problems import did_you_mean
from neurolab.results.statistics import STATISTICS

__all__ = ["Measure", "names_of", "read_summary"]

#: What a summary has of a variable, `neurolab.simulation.measured`.
_HOW = ("mean", "std", "min", "max", "final")


@dataclass(frozen=True)
class Measure:
    """A value of a variable that the summary has, over all neurons and samples."""

    variable: str
    how: str

    @property
    def own_name(self) -> str:
        """What it is called in its population: ``V_mean``."""
        own = names_of(self.variable)[3]
        return f"{own}_{self.how}"


def read_summary(
    record: SettingsReader, groups: Sequence[PopulationSpec], units: Mapping[str, u.Unit]
) -> tuple[tuple[Measure, ...], tuple[tuple[str, str], ...]]:
    """The values that the summary is to have, of variables and of spikes, each of all populations
    that have them unless it names one.

    Where nothing fires there is no rate: unless others are asked for, or none (null), the values
    are the mean and the standard deviation of potentials, or of rates of rate neurons.
    """
    given = record.node.get("summary", [])
    if given == [] and not any(group.fires for group in groups):
        names = (f"{g.prefix}neuron.{getattr(g.neuron.target, 'potential', 'V')}" for g in groups)
        potentials = [full for full in names if full in units]
        return tuple(Measure(full, how) for full in potentials for how in ("mean", "std")), ()
    given = given or []
    if not isinstance(given, list):
        record.refuse("summary", "expected a list, such as [V_mean, w_std, lv]")
        return (), ()
    known = [full for full in units if names_of(full)[3] != "fired"]  # spikes say it
    fire = [group.name for group in groups if group.fires]
    found, of_spikes = list[Measure](), list[tuple[str, str]]()
    for text in map(str, given if units else ()):
        own, _, statistic = text.rpartition(".")
        if statistic in STATISTICS and own in ("", *fire):
            of_spikes += [(name, statistic) for name in fire if own in ("", name)]
            if not fire or not record.flag("spikes", True):
                why = "which record.spikes=false does not keep" if fire else "and nothing fires"
                record.refuse("summary", f"{statistic} is of spikes, {why}")
            continue
        name, _, how = text.rpartition("_")
        wanted = [full for full in known if name in names_of(full)]
        if how not in _HOW:
            ends = f"expected a variable and {', '.join(_HOW)}, such as V_mean"
            some = f"{ends}, or of spikes {', '.join(STATISTICS)}"
            record.problems.add("record.summary", f"[{text}]", some)
        elif not wanted:
            there = did_you_mean(name, [short_name(full) for full in known])
            record.problems.add("record.summary", f"[{text}]", f"is of no variable; {there}")
        found += [Measure(full, how) for full in wanted if how in _HOW]
    return tuple(dict.fromkeys(found)), tuple(dict.fromkeys(of_spikes))


def names_of(full: str) -> tuple[str, ...]:
    """What a variable may be called: ``neuron.V`` or ``V``; in a network ``E.V`` too."""
    own = full.split(".", 2)[2] if full.startswith("populations.") else full
    return full, short_name(full), own, own.removeprefix("neuron.")
