"""The units in which results are given: those that were typed, or a preset has.

Programs compute in the units that models declare, whatever was typed: a value gives the same result
however it is written, and points of a sweep in unlike units share a program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import brainstate
import brainunit as u
import jax
import numpy as np

from neurolab.config.reader import ParsedValue
from neurolab.engine.population import Population, receptor_of
from neurolab.engine.structure import ModelSpec, PopulationSpec, Structure
from neurolab.inputs import Projection, SpikeInput
from neurolab.integrators import Integrator
from neurolab.neurons import Neuron
from neurolab.problems import Problem
from neurolab.units import parse_unit, unit_text

__all__ = ["feeds", "rheobase_of", "shown_units", "weak", "without_measure"]

_CURRENTS = (u.amp, u.mA, u.uA, u.nA, u.pA)
_CONDUCTANCES = (u.siemens, u.mS, u.uS, u.nS)


def shown_units(
    structure: Structure,
    units: Mapping[str, u.Unit],
    parsed: Mapping[str, ParsedValue],
    numbers: Mapping[str, Any],
) -> dict[str, u.Unit]:
    """The unit in which each variable of the models is given; ``units`` are those they have."""
    return {name: _shown(structure, name, unit, parsed, numbers) for name, unit in units.items()}


def rheobase_of(
    structure: Structure,
    group: PopulationSpec,
    parsed: Mapping[str, ParsedValue],
    numbers: Mapping[str, Any],
) -> tuple[np.ndarray, str] | None:
    """The rheobase of each neuron of a population, or of all, by which relative drives are
    measured, and its unit: that in which currents are given.  None of a neuron that has none."""
    with brainstate.environ.context(dt=structure.dt_ms * u.ms, precision=64):
        neuron: Any = group.neuron.build(group.size, numbers, f"{group.prefix}neuron")
        try:
            with np.errstate(all="ignore"):  # it may be infinite
                found = u.Quantity(neuron.rheobase())
        except (AttributeError, NotImplementedError):
            return None
    unit = _shown(structure, f"{group.prefix}neuron.rheobase", found.unit, parsed, numbers)
    return np.asarray(found.to(unit).mantissa), unit_text(unit)


def without_measure(
    structure: Structure,
    parsed: Mapping[str, ParsedValue],
    numbers: Mapping[str, Any],
    n_points: int = 0,
) -> list[tuple[Problem, np.ndarray]]:
    """What is given relative to the neuron and has no size there, and of which neurons; of which
    of ``n_points``, whose numbers take the place of one for each neuron."""
    relative = [key for key, reading in parsed.items() if reading.relative]
    return [
        one
        for group in structure.populations
        if (own := [key for key in relative if structure.of(key) is group])
        and issubclass(group.neuron.target, Neuron)
        for one in _without_measure(structure, group, own, parsed, numbers, n_points)
    ]


def _without_measure(
    structure: Structure,
    group: PopulationSpec,
    relative: Sequence[str],
    parsed: Mapping[str, ParsedValue],
    numbers: Mapping[str, Any],
    n_points: int,
) -> list[tuple[Problem, np.ndarray]]:
    found: list[tuple[Problem, np.ndarray]] = []
    target: Any = group.neuron.target
    size, current = n_points or group.size, target.current_unit
    own = _shown(structure, f"{group.prefix}neuron.rheobase", current, parsed, numbers)
    integrator: Any = structure.integrator
    sizes = _sizes(group, integrator, tuple(relative), size)
    dt = structure.dt_ms * u.ms
    with brainstate.environ.context(dt=dt, precision=64), np.errstate(all="ignore"):
        # Of many points as one program: by itself each operation on them would be compiled.
        scale, drives = (sizes if n_points else sizes.__wrapped__)(dict(numbers))
        scale = np.broadcast_to(np.asarray(scale, float), (size,))
        for key in relative:
            finite = np.broadcast_to(np.isfinite(np.asarray(drives[key], float)), (size,))
            beyond = ~(np.isfinite(scale) & (scale > 0))  # or of a cell that fires by itself
            given = np.broadcast_to(numbers[key], (size,))
            for bad, why in (
                (beyond, "the rheobase, which is {} here"),
                (
                    ~finite & ~beyond,
                    "the drive of a neuron about to fire, which is at the reversal",
                ),
            ):
                places = np.flatnonzero(bad)
                # What is told of a point is its own; of neurons one is told for all.
                for at in _alike(places, given, scale) if n_points else [places][: places.size]:
                    least = scale[at].min()
                    of_cell = f"{(least * current).to_decimal(own):.4g} {unit_text(own)}"
                    advice = f"is relative to {why.format('infinite' if least > 0 else of_cell)}; "
                    unit = parsed[key].unit
                    unit = _of_membrane(unit, parsed, group.prefix) if _is_wide(unit) else unit
                    advice += f"give a unit, such as 1 {unit_text(unit)}"
                    number = f"{given[at].max():g} {parsed[key].unit_name}"
                    found.append((Problem(key, number, advice), at))
    return found


def _alike(places: np.ndarray, *of: np.ndarray) -> list[np.ndarray]:
    """Places by what these arrays have there."""
    rows = np.nan_to_num(np.stack([values[places] for values in of]))
    _, which, counts = np.unique(rows, axis=1, return_inverse=True, return_counts=True)
    order = np.argsort(which.ravel(), kind="stable")
    return np.split(places[order], np.cumsum(counts)[:-1]) if places.size else []


@lru_cache(maxsize=64)  # a second sweep of a structure compiles nothing
def _sizes(
    group: PopulationSpec, integrator: type[Integrator], relative: tuple[str, ...], size: int
) -> Any:
    """The rheobase and the sizes of relative drives as a function of numbers, compiled."""

    def sizes(numbers: Mapping[str, Any]) -> Any:
        # Which gives drives their size.
        population = Population.of(group, integrator, size, numbers)
        inputs = {group.full(name): model for name, model in population.inputs.items()}
        where = {key: key.rpartition(".") for key in relative}
        drives = {k: getattr(inputs.get(name), own, 0.0) for k, (name, _, own) in where.items()}
        rheobase = population.neuron.rheobase()
        return jax.tree.map(u.get_mantissa, (rheobase, drives), is_leaf=_is_quantity)

    return jax.jit(sizes)


def _is_quantity(value: Any) -> bool:
    return isinstance(value, u.Quantity)


def weak(
    structure: Structure, parsed: Mapping[str, ParsedValue], numbers: Mapping[str, Any]
) -> list[Problem]:
    """A warning of each population whose drives, but for other populations, are all far below the
    rheobase, as pA into 1 ohm are."""
    groups = structure.populations
    return [one for group in groups for one in _weak(structure, group, parsed, numbers)]


def _weak(
    structure: Structure,
    group: PopulationSpec,
    parsed: Mapping[str, ParsedValue],
    numbers: Mapping[str, Any],
) -> list[Problem]:
    given = {k: one for k, one in parsed.items() if k.startswith(f"{group.prefix}input")}
    own = [part.target for _, part in group.inputs if part.target is not Projection]
    spikes = any(issubclass(target, SpikeInput) for target in own)
    if spikes or any(reading.relative and np.any(numbers[k]) for k, reading in given.items()):
        return []
    currents = {
        key: float(np.max(np.abs(numbers[key])))
        for key, reading in given.items()
        if reading.unit.has_same_dim(u.mA)
    }
    key = max(currents, key=lambda key: currents[key], default="")
    found = rheobase_of(structure, group, parsed, numbers) if key and currents[key] else None
    if found is None or not np.min(found[0]):
        return []
    rheobase = float(np.min(found[0])) * parse_unit(found[1])
    share = currents[key] * parsed[key].unit / rheobase
    if not 0 < share < 1e-3:
        return []
    unit = parsed[key].given or parsed[key].unit
    told = f"{(currents[key] * parsed[key].unit).to_decimal(unit):g} {unit_text(unit)}"
    cell = f"{group.prefix}neuron.R (or C and g_L)"
    advice = f"is {share:.1g} rheobase, too weak to do anything; is {cell} right?"
    return [Problem(key, told, advice)]


def _shown(
    structure: Structure,
    name: str,
    unit: u.Unit,
    parsed: Mapping[str, ParsedValue],
    numbers: Mapping[str, Any],
) -> u.Unit:
    """The unit in which a variable (``neuron.w``), or another quantity of a model, is given.

    That of its initial value, else of another number of its model; of currents and conductances
    also that of the inputs (of a receptor those that feed it), or what that of R or g_L makes of
    mV.  A zero in the unit that the model declares decides nothing.
    """
    group = structure.of(name)
    model = name.rpartition(".")[0].removeprefix(group.prefix)
    receptors = dict(group.receptors)
    wide = _is_wide(unit)
    drives = [
        f"{group.full(key)}."
        for key, part in group.inputs
        if wide and (model not in receptors or feeds(part, receptors) == model)
    ]
    own = [key for key in parsed if key.startswith(f"{group.prefix}{model}.")]
    keys = [f"{name}_initializer", *own, *(k for k in parsed if k.startswith(tuple(drives)))]
    for key in keys:
        reading = parsed.get(key)
        if reading is None or reading.given is None or not reading.given.has_same_dim(unit):
            continue
        if reading.given != reading.declared.unit or np.any(numbers[key]):
            return reading.given
    return _of_membrane(unit, parsed, group.prefix) if wide else unit


def _is_wide(unit: u.Unit) -> bool:
    """Whether cells give it in unlike units, pA or mA."""
    return any(unit.has_same_dim(some[0]) for some in (_CURRENTS, _CONDUCTANCES))


def feeds(part: ModelSpec, receptors: Mapping[str, ModelSpec]) -> str | None:
    """The receptor that an input of spikes feeds."""
    spikes = issubclass(part.target, SpikeInput)
    return receptor_of(dict(part.fixed).get("receptor"), receptors) if spikes else None


def _of_membrane(unit: u.Unit, parsed: Mapping[str, ParsedValue], group: str) -> u.Unit:
    """The unit that goes with that of the membrane: pA with nS or pF, nA with Mohm."""
    read = {name: parsed.get(f"{group}neuron.{name}") for name in ("g_L", "R", "C")}
    given = {name: one.given for name, one in read.items() if one and one.given is not None}
    if "g_L" in given:
        conductance = given["g_L"]
    elif given.get("R", u.ohm) != u.ohm:
        conductance = u.UNITLESS / given["R"]
    elif "C" in given:
        conductance = given["C"] / u.ms
    else:
        return unit
    is_current = unit.has_same_dim(u.mA)
    wanted = conductance * u.mV if is_current else conductance
    known = _CURRENTS if is_current else _CONDUCTANCES
    return next((one for one in known if np.isclose(one.magnitude / wanted.magnitude, 1)), unit)
