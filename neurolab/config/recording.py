"""What is kept of a run: spikes, variables of some neurons, the population rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import brainunit as u

from neurolab.config.settings import SettingsReader, is_whole
from neurolab.config.values import rounded
from neurolab.engine.structure import Recording
from neurolab.neurons import Neuron, Spiking
from neurolab.problems import Problem, did_you_mean, show
from neurolab.results.layout import RESERVED

__all__ = ["RecordSettings", "read_recording", "unmet"]

#: What the options have (conf/record): nobody typed it for this experiment.
_OF_OPTIONS = {
    "variables": (["potential"], ["all"]),
    "neurons": (4, "all"),
    "interval": ("0.2 ms",),
    "rate_bin": ("5 ms",),
}


@dataclass(frozen=True)
class RecordSettings:
    """What the program records, and what of it is written."""

    recording: Recording
    spikes: bool
    rate_bin_steps: int | None
    memory: int


def read_recording(
    record: SettingsReader,
    target: type,
    size: int,
    dt_ms: float,
    units: Mapping[str, u.Unit],
    others: Mapping[str, tuple[int, ...]],
) -> RecordSettings:
    """Check the ``record`` group against the variables that the models have.

    ``target`` is the neuron's class, ``units`` the variables that are a number per neuron and their
    units, ``others`` those that are not and their shapes.
    """
    record.only(("spikes", "variables", "neurons", "interval", "rate_bin", "memory"))
    spiking = issubclass(target, Spiking) or not issubclass(target, Neuron)
    neurons = _neurons(record, size)
    variables = _variables(record, target, units, others)
    every, rate_bin = (_steps_of(record, key, dt_ms) for key in ("interval", "rate_bin"))
    return RecordSettings(
        # Spikes are always handed out, for the summary; whether they are written is another matter.
        recording=Recording(spiking, () if neurons == () else variables, neurons, every or 1),
        spikes=record.flag("spikes", True) and spiking,
        rate_bin_steps=rate_bin if spiking else None,
        memory=record.n_bytes("memory", "256 MiB"),
    )


def unmet(
    record: Mapping[str, Any], found: RecordSettings, size: int, n_steps: int, dt_ms: float
) -> list[Problem]:
    """Warnings of settings that do nothing, or less than they say."""
    typed = {key: v for key, v in record.items() if v and v not in _OF_OPTIONS.get(key, ())}
    told, recording = dict[str, str](), found.recording
    neurons, width = typed.get("neurons", 0), found.rate_bin_steps or n_steps
    if not recording.variables:
        why = "neurons is 0" if recording.neurons == () else "variables names none"
        told = dict.fromkeys(("variables", "neurons", "interval"), f"does nothing: record.{why}")
    elif is_whole(neurons, size + 1):
        told["neurons"] = f"is more than there are: those of size = {size} are recorded"
    elif isinstance(neurons, list) and len(set(neurons)) < len(neurons):
        told["neurons"] = f"names some twice: {list(recording.neurons or ())} are recorded"
    if width > n_steps:
        told["rate_bin"] = f"is longer than the duration, {n_steps * dt_ms:g} ms: there is no rate"
    elif left := n_steps % width:
        told["rate_bin"] = f"leaves out the last {left * dt_ms:g} ms, which are no whole bin"
    return [Problem(f"record.{k}", show(typed[k]), told[k]) for k in told if k in typed]


def _variables(
    record: SettingsReader,
    target: type,
    units: Mapping[str, u.Unit],
    others: Mapping[str, tuple[int, ...]],
) -> tuple[str, ...]:
    """Full names of the variables to record; a neuron's may be named without ``neuron.``."""
    names = record.node.get("variables") or []
    if not units:  # the models could not be built, which is told elsewhere
        return ()
    if not isinstance(names, (str, list)):
        record.refuse("variables", "expected a list, such as [V], or all, or potential")
        return ()
    short = {name.removeprefix("neuron."): name for name in units} | {name: name for name in units}
    found: list[str] = []
    for name in [names] if isinstance(names, str) else names:
        wanted = getattr(target, "potential", "V") if name == "potential" else name
        if name == "all":
            found += [full for full in units if full != "neuron.fired"]  # spikes say it
            record.problems.warnings += [
                Problem("record.variables", "all", f"{other} has shape {shape}: left out")
                for other, shape in others.items()
            ]
        elif wanted in short:
            found.append(short[wanted])
        elif wanted in others or f"neuron.{wanted}" in others:
            shape = others.get(wanted, others.get(f"neuron.{wanted}"))
            advice = f"has shape {shape}; only what is one number per neuron is recorded"
            record.problems.add("record.variables", f"[{name}]", advice)
        elif name != "potential":
            known = [name.removeprefix("neuron.") for name in units]
            record.problems.add("record.variables", f"[{name}]", did_you_mean(str(name), known))
    for name in {*found} & {f"neuron.{own}" for own in RESERVED}:
        advice = "is a name of results; give the state another"
        record.problems.add("record.variables", name.removeprefix("neuron."), advice)
    return tuple(dict.fromkeys(found))


def _neurons(record: SettingsReader, size: int) -> tuple[int, ...] | None:
    value = record.node.get("neurons")
    if value in ("all", None):
        return None
    if is_whole(value):
        return tuple(range(min(value, size)))
    if isinstance(value, list) and all(is_whole(number, 0, size - 1) for number in value):
        return tuple(dict.fromkeys(value))
    record.refuse(
        "neurons", f"expected a number of neurons, a list of some of 0 to {size - 1}, or all"
    )
    return ()


def _steps_of(record: SettingsReader, key: str, dt_ms: float) -> int | None:
    """A time as a whole number of steps, at least one; None for null."""
    if record.node.get(key) is None:
        return None
    time = record.time_ms(key)
    if time is None:
        return None
    record.problems.warnings += rounded(f"record.{key}", record.node[key], time, dt_ms)
    return max(round(time / dt_ms), 1)
