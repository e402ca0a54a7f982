"""What is kept of a run: spikes, variables of some neurons, the population rate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.settings import SettingsReader, is_whole
from neurolab.config.summarised import Measure, names_of, read_summary
from neurolab.config.values import rounded
from neurolab.engine.structure import PopulationSpec, Recording, Structure, short_name
from neurolab.problems import Problem, did_you_mean, show
from neurolab.results.layout import RESERVED

__all__ = ["RecordSettings", "currents_of", "over_before", "read_recording", "unmet"]

#: ``10:20``, or every fifth ``10:20:5``.
_RANGE = re.compile(r"(\d*):(\d*)(?::(\d+))?")
_KEYS = ("start", "spikes", "variables", "neurons", "interval", "rate_bin", "memory", "summary")

#: What the options have (conf/record): nobody typed it for this experiment.
_OF_OPTIONS = {
    "variables": (["potential"], ["all"]),
    "neurons": (4, "all"),
    "interval": ("0.2 ms",),
    "rate_bin": ("5 ms",),
}


@dataclass(frozen=True)
class RecordSettings:
    """What the program records, what of it is written, and what is in the summary."""

    recording: Recording
    spikes: bool
    rate_bin_steps: int | None
    memory: int
    #: The variables that are written, and of which neurons; None for all.
    traced: tuple[str, ...] = ()
    neurons: tuple[int, ...] | None = None
    measured: tuple[Measure, ...] = ()
    #: Statistics of spikes that the summary has: of which population, and which.
    statistics: tuple[tuple[str, str], ...] = ()
    #: The steps before this one are left out of all of it.
    start: int = 0

    def chosen(self, group: PopulationSpec) -> np.ndarray:
        """The neurons of a population whose variables are written."""
        known = (
            np.arange(group.size) if self.neurons is None else np.asarray(self.neurons, np.int64)
        )
        return known[known < group.size]


def read_recording(
    record: SettingsReader,
    groups: Sequence[PopulationSpec],
    dt_ms: float,
    units: Mapping[str, u.Unit],
    others: Mapping[str, tuple[int, ...]],
) -> RecordSettings:
    """Check the ``record`` group against the variables that the models of populations have.

    ``units`` are the variables that are a number per neuron and their units, with those of currents
    (`currents_of`); ``others`` are the variables that are not, and their shapes.
    """
    record.only(
        ("start", "spikes", "variables", "neurons", "interval", "rate_bin", "memory", "summary")
    )
    spiking = any(group.fires for group in groups)
    neurons = _neurons(record, groups)
    variables = _variables(record, groups, units, others)
    measured, statistics = read_summary(record, groups, units)
    traced = () if neurons == () else variables
    # What the summary has is of all neurons.
    wanted = tuple(dict.fromkeys((*traced, *(one.variable for one in measured))))
    every, rate_bin = (_steps_of(record, key, dt_ms) for key in ("interval", "rate_bin"))
    rate_bin = rate_bin if spiking else None
    return RecordSettings(
        # Spikes are always handed out, for the summary; whether they are written is another matter.
        recording=Recording(spiking, wanted, None if measured else neurons, every or 1),
        spikes=record.flag("spikes", True) and spiking,
        rate_bin_steps=rate_bin,
        memory=record.n_bytes("memory", "256 MiB"),
        traced=traced,
        neurons=neurons,
        measured=measured,
        statistics=statistics,
        start=_start(record, dt_ms, rate_bin),
    )


def over_before(config: Mapping[str, Any]) -> Problem:
    """That a run ends before anything is recorded."""
    given = show((config.get("record") or {}).get("start"))
    advice = f"is no time before the end, duration = {config.get('duration')}: nothing is recorded"
    return Problem("record.start", given, advice)


def currents_of(groups: Sequence[PopulationSpec]) -> dict[str, u.Unit]:
    """The currents that inputs bring, by the full names of these: each is recorded as its mean over
    a step, whatever the integrator asks it for."""
    return {name: group.current_unit for group in groups for name in group.currents}


def unmet(
    record: Mapping[str, Any], found: RecordSettings, structure: Structure, n_steps: int
) -> list[Problem]:
    """Warnings of settings that do nothing, or less than they say."""
    typed = {key: v for key, v in record.items() if v and v not in _OF_OPTIONS.get(key, ())}
    told, recording = dict[str, str](), found.recording
    neurons, width = typed.get("neurons", 0), found.rate_bin_steps or n_steps
    size, dt_ms = max(structure.sizes), structure.dt_ms
    longer = f"is longer than the duration, {n_steps * dt_ms:g} ms: there is no "
    if not found.traced:
        why = "neurons is 0" if found.neurons == () else "variables names none"
        idle = ("variables", "neurons", *(() if found.measured else ("interval",)))
        told = dict.fromkeys(idle, f"does nothing: record.{why}")
    elif is_whole(neurons, size + 1):
        told["neurons"] = f"is more than there are: those of size = {size} are recorded"
    elif isinstance(neurons, list):
        groups = dict.fromkeys(map(structure.of, found.traced))
        without = [group for group in groups if not found.chosen(group).size]
        less = [f"names none of {g.name}, which has neurons 0 to {g.size - 1}" for g in without]
        if len(set(neurons)) < len(neurons):
            less.append(f"names some twice: {list(found.neurons or ())} are recorded")
        told |= {"neurons": "; ".join(less)} if less else {}
    if recording.variables and recording.every > n_steps:
        told["interval"] = f"{longer}sample of {', '.join(recording.variables)}"
    if width > n_steps:
        told["rate_bin"] = f"{longer}rate"
    elif left := n_steps % width:
        told["rate_bin"] = f"leaves out the last {left * dt_ms:g} ms, which are no whole bin"
    return [Problem(f"record.{k}", show(typed[k]), told[k]) for k in told if k in typed]


def _variables(
    record: SettingsReader,
    groups: Sequence[PopulationSpec],
    units: Mapping[str, u.Unit],
    others: Mapping[str, tuple[int, ...]],
) -> tuple[str, ...]:
    """Full names of the variables to record.  A neuron's may be named without ``neuron.``, and what
    several populations have without one of their names."""
    names = record.node.get("variables") or []
    if not units:  # the models could not be built, which is told elsewhere
        return ()
    if not isinstance(names, (str, list)):
        record.refuse("variables", "expected a list, such as [V], or all, or potential")
        return ()
    potentials = {
        f"{group.prefix}neuron.{getattr(group.neuron.target, 'potential', 'V')}" for group in groups
    }
    found: list[str] = []
    given = currents_of(groups)
    for name in [names] if isinstance(names, str) else names:
        wanted = [full for full in units if name in names_of(full)]
        strange = [full for full in others if name in names_of(full)]
        if name == "all":
            # Spikes say who fired, the configuration what was given.
            own = [full for full in units if full not in given]
            found += [full for full in own if names_of(full)[3] != "fired"]
            record.problems.warnings += [
                Problem("record.variables", "all", f"{other} has shape {shape}: left out")
                for other, shape in others.items()
            ]
        elif name == "potential":
            found += [full for full in units if full in potentials]
        elif wanted:
            found += wanted
        elif strange:
            advice = (
                f"has shape {others[strange[0]]}; only what is one number per neuron is recorded"
            )
            record.problems.add("record.variables", f"[{name}]", advice)
        else:
            known = [short_name(full) for full in units]
            advice = did_you_mean(str(name), known)
            if any(name in names_of(g.full(key)) for g in groups for key, _ in g.inputs):
                advice = f"brings spikes; record what they do. {advice[:1].upper()}{advice[1:]}"
            record.problems.add("record.variables", f"[{name}]", advice)
    for name in {*found} & {f"neuron.{own}" for own in RESERVED}:
        advice = "is a name of results; give the state another"
        record.problems.add("record.variables", short_name(name), advice)
    return tuple(dict.fromkeys(found))


def _neurons(record: SettingsReader, groups: Sequence[PopulationSpec]) -> tuple[int, ...] | None:
    """The neurons, of each population, whose variables are recorded; None for all."""
    size, name = max(((group.size, group.name) for group in groups), default=(1, ""))
    value = record.node.get("neurons")
    if value in ("all", None):
        return None
    if is_whole(value):
        return tuple(range(min(value, size)))
    if isinstance(value, str) and (ends := _RANGE.fullmatch(value)):
        begin, end, step = (
            int(text or usual) for text, usual in zip(ends.groups(), (0, size, 1), strict=True)
        )
        if begin < end <= size and step > 0:
            return tuple(range(begin, end, step))
    if isinstance(value, list) and all(is_whole(number, 0, size - 1) for number in value):
        return tuple(dict.fromkeys(value))
    some = f"some of 0 to {size - 1}{f' (of {name}, the largest population)' if name else ''}"
    ways = f"a number of neurons, a list of {some}, such ones as 0:{size} or 0:{size}:10, or all"
    record.refuse("neurons", f"expected {ways}")
    return ()


def _start(record: SettingsReader, dt_ms: float, rate_bin: int | None) -> int:
    """How many steps are left out: whole bins of the rate, which others could not be compared
    with."""
    steps = _steps_of(record, "start", dt_ms, least=0) or 0
    if rate_bin and steps % rate_bin:
        width, before = rate_bin * dt_ms, steps // rate_bin
        record.refuse(
            "start",
            f"expected a multiple of record.rate_bin = {width:g} ms, such as {before * width:g} ms "
            f"or {(before + 1) * width:g} ms; record.rate_bin=null keeps no rate",
        )
    return steps


def _steps_of(record: SettingsReader, key: str, dt_ms: float, least: int = 1) -> int | None:
    """A time as a whole number of steps, at least one; None for null."""
    if record.node.get(key) is None:
        return None
    time = record.time_ms(key, zero=least == 0)
    if time is None:
        return None
    if time / dt_ms >= 2**31:
        record.refuse(key, f"is {time / dt_ms:.3g} steps of dt; at most 2147483647 are counted")
        return None
    if time:
        record.problems.warnings += rounded(f"record.{key}", record.node[key], time, dt_ms)
    return max(round(time / dt_ms), least)
