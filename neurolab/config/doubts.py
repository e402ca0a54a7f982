"""What can be computed and is probably not what was meant: warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.shown import feeds
from neurolab.engine.memory import available
from neurolab.engine.structure import ModelSpec, Number, PopulationSpec, Structure
from neurolab.inputs import OrnsteinUhlenbeck, Ramp, Signal, SpikeInput
from neurolab.integrators import ExpEuler
from neurolab.neurons import Neuron, SigmoidRate, Spiking
from neurolab.problems import Problem
from neurolab.units import magnitude, unit_text

__all__ = ["doubts", "idle", "later", "too_large", "too_large_built", "unused"]

#: What statistics of spikes take for a neuron: four whole numbers of 64 bits, and as many that are
#: made of them at the end.
_COUNTS = 64
#: Neurons of which is said what they take.
_MANY = 2 * 10**7


def doubts(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    """Warnings of numbers, those of one point or of many: time constants that are too short for the
    step, times too long for float32, and cells that start above their threshold."""
    long = [] if structure.precision == 64 else _long_times(structure, numbers)
    return [
        *_short_times(structure, numbers),
        *long,
        *(one for group in structure.populations for one in _above(group, numbers)),
        *(one for group in structure.populations for one in _kicked_rates(group)),
        *_off_grid(structure, numbers),
        *_fast(structure, numbers),
    ]


def too_large(sizes: Mapping[str, int], precision: int, n_values: int = 1) -> list[Problem]:
    """A problem of populations, whose ``sizes`` have their keys, that the machine's memory cannot
    hold: statistics, and states of so many values for each neuron before and after a chunk."""
    each = _COUNTS + _states(precision, n_values)
    needed = sum(sizes.values()) * each
    if needed <= (there := available()):
        return []
    key = max(sizes, key=lambda key: sizes[key])
    advice = f"takes {needed / 1e9:.3g} GB of memory or more, and {there / 1e9:.3g} GB are free"
    fits = there / each * sizes[key] / sum(sizes.values())
    return [Problem(key, str(sizes[key]), f"{advice}; fewer than {fits:.2g} neurons fit")]


def too_large_built(structure: Structure, units: Mapping[str, u.Unit]) -> list[Problem]:
    """The same by the variables that the models have."""
    sizes = {f"{group.prefix}size": group.size for group in structure.populations}
    owners = [structure.of(name).prefix for name in units]
    least = min(owners.count(group.prefix) for group in structure.populations)
    return too_large(sizes, structure.precision, least)


def _states(precision: int, n_values: int) -> int:
    """Bytes of a neuron's states, two of them: so many values, and a step that may have failed."""
    return 2 * (n_values * precision // 8 + 4)


def later(structure: Structure, numbers: Mapping[str, Any], n_steps: int) -> list[Problem]:
    """Warnings of inputs and projections that bring nothing before the end, and of what takes much
    memory."""
    found = list(_unheard(structure, n_steps))
    size = structure.size
    end = n_steps * structure.dt_ms
    for _, name, number in _numbers(structure):
        values = np.asarray(numbers[number.key])
        if name not in ("start", "arrivals") or not values.size:
            continue
        key, first = number.key, f"{values.min():g} ms"
        late = values >= (n_steps if name == "arrivals" else end)
        advice = f"after the end, duration = {end:g} ms:"
        if name == "arrivals" and late.any():
            some = f"{late.sum()} of {values.size} spikes"
            found.append(Problem(f"{key.removesuffix(name)}file", some, f"are {advice} left out"))
        elif late.all():
            found.append(Problem(key, first, f"is {advice} it does nothing"))
    if size >= _MANY:
        n_bytes = size * (_COUNTS + _states(structure.precision, 1))
        advice = f"takes {n_bytes / 1e9:.2g} GB of memory or more, and its time"
        found.append(Problem("size", str(size), advice))
    return found


def _numbers(structure: Structure) -> Iterator[tuple[ModelSpec, str, Number]]:
    """The numbers of all models: each with its model and its name there."""
    for model in structure.named().values():
        for name, number in model.numbers:
            yield model, name, number


def _fast(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    """Oscillations of less than two steps."""
    found, most = [], 500 / structure.dt_ms
    for _, name, number in _numbers(structure):
        value = np.max(np.abs(numbers[number.key])) if name == "frequency" else 0.0
        if value > most:
            advice = f"is above half of 1 / dt, {most / 1e3:g} kHz: a smaller dt shows it"
            found.append(Problem(number.key, f"{value:g} Hz", advice))
    return found


def _short_times(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    found, dt_ms = [], structure.dt_ms
    for model in structure.named().values():
        for name, key, shortest in _times(model, numbers):
            if name == "tau_ref" and 0 < shortest < dt_ms * (1 + 1e-6):
                advice = f"holds no step: of m steps, dt = {dt_ms:g} ms, m - 1 are held"
            elif name != "tau_ref" and shortest < 2 * dt_ms:
                advice = f"is less than two steps, dt = {dt_ms:g} ms: expect large errors"
            else:
                continue
            own = key.endswith(f".{name}")  # else it follows from others
            found.append(Problem(key, f"{'' if own else f'{name} = '}{shortest:g} ms", advice))
    return found


def _times(model: ModelSpec, numbers: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """The time constants of a model: names, keys, and the shortest in ms."""
    given = {name: np.asarray(numbers[number.key]) for name, number in model.numbers}
    keys = {name: number.key for name, number in model.numbers}
    for name in [name for name in given if name.startswith("tau")]:
        yield name, keys[name], float(np.min(given[name]))
    if "C" in given and ("g_L" in given or "R" in given):  # in pF and nS, or ohm
        leak = given["g_L"] if "g_L" in given else 1e9 / given["R"]
        yield "tau", keys["C"], float(np.min(given["C"]) / np.max(leak))


def _long_times(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    """Of float32: a change of a variable by less than 2^-24 of it is none, and beyond 2^24 steps a
    time is not known to a step."""
    found, keeps = [], "device.precision=float64 keeps it"
    for model, name, number in _numbers(structure):
        values = np.abs(np.asarray(numbers[number.key], float))
        values = values[np.isfinite(values) & (values > 0)]
        if not values.size or model.target is OrnsteinUhlenbeck:  # whose noise rounds fairly
            continue
        lasts = number.unit.has_same_dim(u.ms)
        if lasts:
            longest = magnitude(float(values.max()) * number.unit, u.ms)
        elif number.unit.has_same_dim(u.Hz) and issubclass(model.target, Neuron):
            longest = 1e3 / magnitude(float(values.min()) * number.unit, u.Hz)
        else:
            continue
        steps, decays = float(longest) / structure.dt_ms, name.startswith("tau") or not lasts
        if decays and name != "tau_ref" and steps > 1e5:
            wrong = min(100.0, 100 * steps * 2.0**-24)
            advice = f"is {steps:.2g} steps: in float32 wrong by up to {wrong:.2g} %; {keeps}"
        elif not decays and steps > 2**24:
            advice = f"is {steps:.9g} steps, which float32 does not know to a step; {keeps}"
        else:
            continue
        extreme = values.max() if lasts else values.min()
        found.append(Problem(number.key, f"{extreme:g} {unit_text(number.unit)}", advice))
    return found


def _off_grid(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    """Edges of what is constant between them, and refractory periods: on the grid of steps."""
    found = []
    for model, name, number in _numbers(structure):
        edges = (name in ("start", "stop") and model.target is not Ramp) or name == "ends"
        if not ((issubclass(model.target, Signal) and edges) or name == "tau_ref"):
            continue
        ratio = np.asarray(numbers[number.key], float).ravel() / structure.dt_ms
        ratio = ratio[np.isfinite(ratio)]
        off = np.abs(ratio - np.rint(ratio)) > np.maximum(1e-3, 2.4e-7 * np.abs(ratio))
        off &= (name != "tau_ref") | (ratio > 1)  # of shorter ones no step is held
        if np.any(off):
            at = float(ratio[off][0]) * structure.dt_ms
            used = float(np.ceil(ratio[off][0])) * structure.dt_ms
            advice = f"is no multiple of dt = {structure.dt_ms:g} ms: {used:g} ms is used"
            key = number.key.removesuffix("ends") + "durations" if name == "ends" else number.key
            found.append(Problem(key, f"{at:g} ms", advice))
    return found


def _kicked_rates(group: PopulationSpec) -> list[Problem]:
    """Spikes that reach a rate neuron without a receptor."""
    spikes = any(issubclass(part.target, SpikeInput) for _, part in group.inputs)
    if group.receptors or not spikes or not issubclass(group.neuron.target, SigmoidRate):
        return []
    advice = "spikes pass a gain that saturates, the more the shorter dt is; add synapse=expon"
    return [Problem(f"{group.prefix}synapse", "none", advice)]


def _unfed(group: PopulationSpec) -> list[Problem]:
    receptors = dict(group.receptors)
    fed = {feeds(part, receptors) for _, part in group.inputs}
    advice = "does nothing: no input of spikes feeds it; input=poisson does, or its receptor={}"
    return [
        Problem(group.prefix + name, part.target.__name__, advice.format(name.split(".")[-1]))
        for name, part in group.receptors
        if name not in fed
    ]


def idle(structure: Structure) -> list[Problem]:
    """Warnings of receptors that nothing feeds, and of projections from neurons without spikes."""
    found = [one for group in structure.populations for one in _unfed(group)]
    for wiring in structure.projections:
        source = structure.of(wiring.source)
        if not source.fires:
            advice = f"has no spikes ({source.neuron.target.__name__}): it does nothing"
            found.append(Problem(wiring.key("from"), source.name, advice))
    return found


def _unheard(structure: Structure, n_steps: int) -> Iterator[Problem]:
    """Projections whose spikes arrive after the end."""
    for wiring in structure.projections:
        source, (delay, _) = structure.of(wiring.source), wiring.delays
        if source.fires and delay + 1 >= n_steps:  # one of the first step is heard in the next
            first, end = f"{delay * structure.dt_ms:g} ms", n_steps * structure.dt_ms
            advice = f"is not over before the end, duration = {end:g} ms: it does nothing"
            yield Problem(wiring.key("delay"), first, advice)


def _above(group: PopulationSpec, numbers: Mapping[str, Any]) -> list[Problem]:
    keys = {name: number.key for name, number in group.neuron.numbers}
    units = {number.key: unit_text(number.unit) for _, number in group.neuron.numbers}
    V, threshold = keys.get("V_initializer"), keys.get("V_th", keys.get("V_th_initializer"))
    if V is None or threshold is None:
        return []
    each = {number.key for _, number in group.neuron.numbers if number.per_neuron}
    # Of many points the axis comes before that of neurons.
    start, level = (
        np.asarray(numbers[key])[... if key in each else (..., None)] for key in (V, threshold)
    )
    above = start >= level
    few = 0.05 if V in each else 0.0  # of many that are drawn, they are nobody's mistake
    if not np.any(above.mean(axis=-1) > few):
        return []
    advice = (
        f"starts at or above the threshold, {threshold} = {float(level.min()):g} "
        f"{units[threshold]}, and fires in the first step; give {V} the resting potential"
    )
    return [Problem(V, f"{float(start.max()):g} {units[V]}", advice)]


def unused(groups: Sequence[PopulationSpec], integrator: Any) -> list[Problem]:
    """A warning of an integrator that no neuron uses."""
    targets = [group.neuron.target for group in groups]
    used = any(issubclass(target, Spiking) for target in targets)
    if not targets or used or integrator in (None, ExpEuler):
        return []
    names = " and ".join(target.__name__ for target in targets)
    advice = f"is not used: {names} has a step of its own"
    return [Problem("integrator", integrator.__name__, advice)]
