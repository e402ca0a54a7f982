"""A configuration as structure and numbers, with every mistake found before anything compiles.

The keys a model may have, their units and their ranges come from the model's own declarations
(`neurolab.dynamics.Parameter`), so that there is one place to say what a parameter is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import brainstate
import brainunit as u
import numpy as np

from neurolab.config.doubts import doubts, idle, later, too_large, too_large_built, unused
from neurolab.config.network import NetworkReader, size_of, sizes_of
from neurolab.config.order import in_order
from neurolab.config.projection import unfit_synapses
from neurolab.config.reader import ParsedValue
from neurolab.config.recording import (
    RecordSettings,
    currents_of,
    over_before,
    read_recording,
    unmet,
)
from neurolab.config.resolution import unresolved
from neurolab.config.settings import SettingsReader, read_checkpoint, read_report
from neurolab.config.shown import shown_units, weak, without_measure
from neurolab.config.tracker import read_tracker
from neurolab.config.values import read_time, rounded
from neurolab.dynamics import Dynamics, stream_of
from neurolab.engine.cache import variables_of
from neurolab.engine.device import choose as choose_devices
from neurolab.engine.device import enough
from neurolab.engine.independence import independent
from neurolab.engine.sizes import with_sizes
from neurolab.engine.structure import Recording, Structure, short_name
from neurolab.integrators import Integrator
from neurolab.problems import ConfigError, Problem, Problems, show
from neurolab.results.layout import Trace
from neurolab.trackers import Tracker
from neurolab.units import unit_text

__all__ = ["Experiment", "check", "read_experiment", "read_steps"]

_VALUES = ("size", "duration", "dt", "seed", "receptors", "inputs", "populations", "projections",
    "sweep", "report", "checkpoint", "vars", "network")  # fmt: skip
#: The keys of groups that name no model with parameters.
_KEYS = {
    "device": ("platform", "precision", "count", "cache_dir", "xla_flags", "jax"),
    "integrator": ("_target_",),
}
#: Groups, each with an option.
_GROUPS = ("neuron", "synapse", "input", "integrator", "device", "record", "tracker")


@dataclass(frozen=True)
class Experiment:
    """What a configuration asks for, checked: a structure, its numbers, and how long to run."""

    structure: Structure
    numbers: dict[str, Any]
    n_steps: int
    #: Of the models' variables: what they are in, and what results give them in.
    units: dict[str, u.Unit]
    shown: dict[str, u.Unit]
    recorded: RecordSettings
    tracker: Callable[[], Tracker]
    #: Wall time between checkpoints.
    checkpoint_s: float
    parsed: Mapping[str, ParsedValue]
    config: Mapping[str, Any]
    warnings: tuple[Problem, ...] = ()
    devices: tuple[Any, ...] = ()

    @property
    def traces(self) -> list[Trace]:
        """What is recorded of the variables, under the names that results have."""
        structure = self.structure
        return [
            Trace(
                short_name(name),
                unit_text(self.shown[name]) or "1",
                structure.first(structure.of(name)) + self.recorded.chosen(structure.of(name)),
                structure.recording.every,
            )
            for name in self.recorded.traced
        ]

    @property
    def layout(self) -> dict[str, Any]:
        """What a `ResultsWriter` is told of what is recorded."""
        structure, groups = self.structure, [g for g in self.structure.populations if g.name]
        named = {g.name: (structure.first(g), structure.first(g) + g.size) for g in groups}
        return {
            "n_neurons": structure.size,
            "dt_ms": structure.dt_ms,
            "populations": named,
            "silent": [g.name for g in groups if not g.fires],
            "traces": self.traces,
            "record_spikes": self.recorded.spikes,
            "rate_bin_steps": self.recorded.rate_bin_steps,
            "start": self.recorded.start,
        }

    def in_shown_unit(self, name: str, values: np.ndarray) -> np.ndarray:
        """Values of a variable in the unit that results give it in."""
        unit, shown = self.units[name], self.shown[name]
        factor = values.dtype.type((1.0 * unit).to_decimal(shown))
        return values if unit == shown else values * factor

    def capacity(self, n_points: int = 1, n_bytes: float = np.inf) -> int:
        """Steps per chunk of ``n_points`` together of which records take so many bytes at most, and
        a third of ``record.memory``: one chunk computes, one waits, a copy is written."""
        structure, recording = self.structure, self.structure.recording
        n_recorded = sum(structure.recorded(structure.of(one)).size for one in recording.variables)
        per_step = structure.size / 8 + 4.0
        per_step += n_recorded * (structure.precision // 8) / recording.every
        n_steps = min(n_bytes, self.recorded.memory / 3) / per_step / n_points
        return int(np.clip(n_steps, 1, 2**18))


def check(config: Mapping[str, Any]) -> Experiment:
    """The experiment of a configuration, with the devices for it; see `read_experiment`."""
    problems = Problems()
    found = choose_devices(config.get("device") or {}, size_of(config), problems)
    experiment = read_experiment(config, problems=problems)
    structure, count = experiment.structure, (config.get("device") or {}).get("count")
    ours = all(issubclass(group.neuron.target, Dynamics) for group in structure.populations)
    if not structure.independent or not ours:
        found = found[:1]  # they hear of each other, or draw random numbers for all at once
    if not structure.projections:
        while structure.size % len(found):
            found.pop()
    elif count is None:
        found = found[: enough(structure.size * structure.block)]
    size, warnings = structure.size, list(experiment.warnings)
    if count is not None and len(found) < count:
        advice = f"is more than can share these {size} neurons: {len(found)} are used"
        warnings.append(Problem("device.count", str(count), advice))
    return replace(experiment, devices=tuple(found), warnings=tuple(warnings))


def read_experiment(
    config: Mapping[str, Any], ordered: bool = True, problems: Problems | None = None
) -> Experiment:
    """Check a composed configuration (plain dicts and lists) and split it; ``problems`` are known.

    Unless ``ordered``, values may lie above others that must lie above them: those of other
    points of a sweep do not.  A `ConfigError` has all problems found, each with its key, what was
    given, and what to try.
    """
    problems = problems or Problems()
    top = SettingsReader(config, "", problems)
    top.only(_VALUES + _GROUPS)
    read_report(config.get("report") or {}, problems)
    checkpoint_s = read_checkpoint(config.get("checkpoint") or {}, problems)
    if not isinstance(config.get("vars") or {}, Mapping):
        advice = "expected numbers by their names, such as +vars.b=5"
        problems.add("vars", show(config["vars"]), advice)
    seed = top.whole("seed", 0)
    if seed >= 2**32:
        top.refuse("seed", "expected a whole number below 4294967296")
    dt_ms, n_steps = read_steps(config, problems)
    precision = _precision(config.get("device", {}), problems)
    if large := too_large(sizes_of(config), precision):
        raise ConfigError([*problems.found, *large])  # reading on would draw numbers for them
    for group, keys in _KEYS.items():
        SettingsReader(config.get(group) or {}, group, problems).only(keys)

    with brainstate.environ.context(dt=dt_ms * u.ms, precision=precision):
        network = NetworkReader(config, seed % 2**32, dt_ms, problems, ordered)
        groups, projections = network.read()
        reader = network.first
        integrator = reader.locate(
            config.get("integrator", {}).get("_target_"), "integrator._target_", Integrator
        )
        tracker = read_tracker(config.get("tracker") or {}, problems)
        problems.warnings += unused(groups, integrator)
        numbers = reader.numbers | {"seed": np.uint32(seed % 2**32)}
        structure, units, others = None, dict[str, u.Unit](), dict[str, tuple[int, ...]]()
        if groups and integrator:
            nothing = Recording(spikes=False)  # until its variables are known
            structure = Structure(groups, dt_ms, integrator, precision, nothing, projections)
            problems.warnings += doubts(structure, numbers)
            structure, units, others = _built(structure, in_order(structure, numbers), problems)
            if ordered and units:
                problems.found += unfit_synapses(structure, numbers, config)
        record = SettingsReader(config.get("record") or {}, "record", problems)
        known = units | currents_of(groups) if units else units
        recorded = read_recording(record, groups, dt_ms, known, others)
        if ordered and recorded.start >= n_steps and not problems.found:
            problems.found.append(over_before(config))
        units |= {name: known[name] for name in recorded.recording.variables if name in known}
    if structure and ordered and not problems.found:
        problems.found += [p for p, _ in without_measure(structure, reader.parsed, numbers)]
        problems.warnings += weak(structure, reader.parsed, numbers)
        for problem, _, certain in unresolved(structure, numbers):
            (problems.found if certain else problems.warnings).append(problem)
    problems.raise_if_any()
    if structure is None:  # only with problems; for the type checker
        raise ConfigError(problems.found)
    structure = replace(structure, recording=recorded.recording)
    problems.warnings += idle(structure) + later(structure, numbers, n_steps)
    problems.warnings += unmet(record.node, recorded, structure, n_steps)
    return Experiment(
        structure=structure,
        numbers=numbers,
        n_steps=n_steps,
        units=units,
        shown=shown_units(structure, units, reader.parsed, numbers),
        recorded=recorded,
        tracker=tracker,
        checkpoint_s=checkpoint_s,
        parsed=reader.parsed,
        config=config,
        warnings=tuple(problems.warnings),
    )


def _built(
    structure: Structure, numbers: dict[str, Any], problems: Problems
) -> tuple[Structure, dict[str, u.Unit], dict[str, tuple[int, ...]]]:
    """The structure with the sizes of its arrays, and its variables (`variables_of`).

    Models are built here for the first time; what they refuse is a problem of the configuration.
    Those whose values were refused above have their defaults.
    """
    try:
        structure = with_sizes(structure, numbers)
        units, others = variables_of(structure, numbers)
        problems.found += too_large_built(structure, units)
        problems.found += _meeting(structure)
        return replace(structure, independent=independent(structure, numbers)), units, others
    except ConfigError as error:
        problems.found += error.problems
        return structure, {}, {}
    except Exception as error:
        if not problems.found:
            names = ", ".join(group.neuron.target.__name__ for group in structure.populations)
            problems.add("neuron", names, f"cannot be built: {type(error).__name__}: {error}")
        return structure, {}, {}


def _meeting(structure: Structure) -> list[Problem]:
    """Inputs whose random streams meet: they would not be independent.  By chance one pair of names
    in a thousand million does."""
    spans = []
    for name, spec in structure.named().items():
        n_words = dict(spec.attributes).get("tables", (1,))[0]
        spans.append((stream_of(name), n_words, name))
    spans.sort()
    found = []
    for (first, n_words, one), (second, _, other) in itertools.pairwise(spans):
        if first + n_words > second:
            advice = f"would draw the random numbers of {one}; give it another name"
            found.append(Problem(other, "", advice))
    return found


def read_steps(config: Mapping[str, Any], problems: Problems) -> tuple[float, int]:
    """The step in ms, and how many of them the duration is."""
    dt_ms, duration_ms = (read_time(config.get(key), key, problems) for key in ("dt", "duration"))
    if dt_ms is None or duration_ms is None:
        return dt_ms or 0.1, 1
    n_steps = round(duration_ms / dt_ms)
    problems.warnings += rounded("duration", config.get("duration"), duration_ms, dt_ms)
    if duration_ms < dt_ms * (1 - 1e-9):
        advice = f"is shorter than one step, dt = {config.get('dt')}"
        problems.add("duration", config.get("duration"), advice)
    elif n_steps >= 2**31:
        advice = f"is {n_steps:.3g} steps of dt; at most 2147483647 are counted"
        problems.add("duration", config.get("duration"), advice)
    return dt_ms, max(n_steps, 1)


def _precision(device: Mapping[str, Any], problems: Problems) -> int:
    given = device.get("precision", "float32")
    if given not in ("float32", "float64"):
        problems.add("device.precision", given, "expected float32 or float64")
    return 64 if given == "float64" else 32
