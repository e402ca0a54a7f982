"""What is kept of a run: spikes, variables of some neurons, the population rate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import brainunit as u

from neurolab.config.values import read_time
from neurolab.engine.structure import Recording
from neurolab.neurons import Neuron, Spiking
from neurolab.problems import Problems, did_you_mean, show

__all__ = ["RecordSettings", "read_bytes", "read_recording"]

_KEYS = ("spikes", "variables", "neurons", "interval", "rate_bin", "memory")


@dataclass(frozen=True)
class RecordSettings:
    """What the program records, and what of it is written."""

    recording: Recording
    spikes: bool
    rate_bin_steps: int | None
    memory: int


def read_recording(
    record: Mapping[str, Any],
    target: type,
    size: int,
    dt_ms: float,
    units: Mapping[str, u.Unit],
    problems: Problems,
) -> RecordSettings:
    """Check the ``record`` group against the variables that the models have.

    ``target`` is the neuron's class, ``units`` the variables and their units.
    """
    for key in record:
        if key not in _KEYS:
            problems.add(f"record.{key}", show(record[key]), did_you_mean(key, _KEYS))
    spiking = issubclass(target, Spiking) or not issubclass(target, Neuron)
    neurons = _neurons(record.get("neurons"), size, problems)
    variables = _variables(record.get("variables") or [], target, units, problems)
    every = _steps_of(record, "interval", dt_ms, problems) or 1
    rate_bin = _steps_of(record, "rate_bin", dt_ms, problems)
    spikes = record.get("spikes", True)
    if not isinstance(spikes, bool):
        problems.add("record.spikes", spikes, "expected true or false")
    return RecordSettings(
        # Spikes are always handed out, for the summary; whether they are written is another matter.
        recording=Recording(spiking, () if neurons == () else variables, neurons, every),
        spikes=spiking and spikes is True,
        rate_bin_steps=rate_bin if spiking else None,
        memory=read_bytes(record.get("memory", "256 MiB"), "record.memory", problems),
    )


def _variables(
    names: Any, target: type, units: Mapping[str, Any], problems: Problems
) -> tuple[str, ...]:
    """Full names of the variables to record; a neuron's may be named without ``neuron.``."""
    short = {name.removeprefix("neuron."): name for name in units} | {name: name for name in units}
    found: dict[str, None] = {}
    if not units:  # the models could not be built, which is told elsewhere
        return ()
    if not isinstance(names, (str, list)):
        problems.add(
            "record.variables", names, "expected a list, such as [V], or all, or potential"
        )
        return ()
    for name in [names] if isinstance(names, str) else names:
        if name == "all":
            found |= dict.fromkeys(units)
            continue
        wanted = getattr(target, "potential", "V") if name == "potential" else name
        if wanted in short:
            found[short[wanted]] = None
        elif name != "potential":
            known = [name.removeprefix("neuron.") for name in units]
            problems.add("record.variables", f"[{name}]", did_you_mean(str(name), known))
    return tuple(found)


def _neurons(value: Any, size: int, problems: Problems) -> tuple[int, ...] | None:
    if value in ("all", None):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return tuple(range(min(value, size)))
    whole = isinstance(value, list) and all(isinstance(k, int) and 0 <= k < size for k in value)
    if not whole:
        advice = f"expected a number of neurons, a list of some of 0 to {size - 1}, or all"
        problems.add("record.neurons", show(value), advice)
        return ()
    return tuple(dict.fromkeys(value))


def _steps_of(record: Mapping[str, Any], key: str, dt_ms: float, problems: Problems) -> int | None:
    """A time as a whole number of steps, at least one; None for null."""
    if record.get(key) is None:
        return None
    time = read_time(record[key], f"record.{key}", problems)
    return None if time is None else max(round(time / dt_ms), 1)


def read_bytes(text: Any, key: str, problems: Problems) -> int:
    """A size such as 256 MiB, at least one MiB."""
    factors = {
        "B": 1,
        "KiB": 2**10,
        "MiB": 2**20,
        "GiB": 2**30,
        "kB": 10**3,
        "MB": 10**6,
        "GB": 10**9,
    }
    match = re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z]+)\s*", str(text))
    number, unit = match.groups() if match else ("", "")
    try:
        return max(int(float(number) * factors[unit]), 2**20)
    except (ValueError, KeyError):
        problems.add(key, text, "expected a size such as 256 MiB or 1 GiB")
        return 2**28
