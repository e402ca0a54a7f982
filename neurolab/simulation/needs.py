"""What results will take on a disk, before any are computed.

Traces are known to the byte, but for what compressing them spares.  Measured with Zstandard as
results use it: V of neurons with noise of their own takes 0.66 to 0.9 of its bytes, 0.46 if they
never fire, and neurons that repeat themselves or are at rest, 0.01 or less.  So only the first are
counted on, with less than was seen.  Of spikes nothing is known before: they are estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.config.experiment import Experiment
from neurolab.engine.memory import available
from neurolab.engine.structure import ModelSpec, PopulationSpec, short_name
from neurolab.inputs import OrnsteinUhlenbeck, Poisson
from neurolab.problems import ConfigError, Problem
from neurolab.results.room import free, in_bytes, used

__all__ = ["Needs", "doubted", "needs_of", "refuse"]

#: What V of neurons with noise takes at least when compressed (measured: 0.46 and more).
_LEAST = 0.4
#: Spikes in a second that are noise: with fewer a neuron comes back to the same rest between them.
_DENSE_HZ = 500.0
#: Rate of neurons of which none is known, and bytes of a spike (measured: 1.8 to 2.7).
_RATE_HZ, _SPIKE_BYTES = 20.0, 3.0
#: Bytes of which is said that they are many.
_MUCH = 10**10


@dataclass(frozen=True)
class Needs:
    """Bytes that results take: ``traces`` before they are compressed, of which ``least`` stay in
    any case; ``spikes`` at a rate of 20 Hz; ``rates`` of populations."""

    traces: float = 0.0
    least: float = 0.0
    spikes: float = 0.0
    rates: float = 0.0
    names: tuple[str, ...] = ()
    #: Time between samples, in ms.
    interval_ms: float = 0.0

    def __add__(self, other: Needs) -> Needs:
        return Needs(
            self.traces + other.traces,
            self.least + other.least,
            self.spikes + other.spikes,
            self.rates + other.rates,
            tuple(dict.fromkeys((*self.names, *other.names))),
            max(self.interval_ms, other.interval_ms),
        )

    @property
    def all(self) -> float:
        """About as much as there may be."""
        return self.traces + self.spikes + self.rates


def needs_of(
    experiment: Experiment,
    n_steps: Sequence[int] | np.ndarray | None = None,
    numbers: Mapping[str, Any] | None = None,
) -> Needs:
    """What an experiment needs, or several points of it, of so many steps each; of these
    ``numbers`` may have more values."""
    structure, recorded = experiment.structure, experiment.recorded
    numbers = experiment.numbers if numbers is None else numbers
    steps = np.asarray([experiment.n_steps] if n_steps is None else n_steps, np.float64)
    every, start = structure.recording.every, recorded.start
    samples = float(np.maximum(steps // every - start // every, 0).sum())
    traces = least = 0.0
    for name in recorded.traced:
        group = structure.of(name)
        n_bytes = samples * recorded.chosen(group).size * (structure.precision // 8)
        traces += n_bytes
        if name == f"{group.prefix}neuron.V" and _noisy(group, numbers):
            least += _LEAST * n_bytes
    steps = np.maximum(steps - start, 0)
    seconds = float(steps.sum()) * structure.dt_ms * 1e-3
    firing = sum(group.size for group in structure.populations if group.fires)
    bins = float((steps // recorded.rate_bin_steps).sum()) if recorded.rate_bin_steps else 0.0
    return Needs(
        traces,
        least,
        firing * seconds * _RATE_HZ * _SPIKE_BYTES if recorded.spikes else 0.0,
        bins * 8 * len(structure.populations),
        tuple(map(short_name, recorded.traced)),
        structure.recording.every * structure.dt_ms,
    )


def refuse(needs: Needs, folder: Path | None) -> None:
    """That there may be room for results, in a folder or, without one, in memory.

    Raises
    ------
    ConfigError
        Traces will not fit, however well they are compressed.
    """
    there = _room(folder)
    if needs.least <= there or (folder and needs.least <= (there := there + used(folder))):
        return
    least = f", {in_bytes(needs.least)} at the least when compressed"
    told = f"take {in_bytes(needs.traces)}{least}{_beside(there, folder)}; {_less(needs, there)}"
    raise ConfigError([Problem("record.variables", f"[{', '.join(needs.names)}]", told)])


def doubted(needs: Needs, folder: Path | None) -> list[Problem]:
    """A warning of results that may not fit, or are many."""
    there = _room(folder)
    if needs.all < min(there, _MUCH):
        return []
    parts = {
        "traces": f"{in_bytes(needs.traces)} of traces before they are compressed",
        "spikes": f"{in_bytes(needs.spikes)} of spikes if neurons fire at {_RATE_HZ:g} Hz",
        "rates": f"{in_bytes(needs.rates)} of rates",
    }
    large = [text for key, text in parts.items() if getattr(needs, key) >= 0.01 * needs.all]
    mostly = needs.traces >= needs.spikes
    key, given = "record.variables", f"[{', '.join(needs.names)}]"
    key, given = (key, given) if mostly else ("record.spikes", "true")
    less = _less(needs, there) if mostly else "record=summary keeps none, a shorter duration fewer"
    return [Problem(key, given, f"about {', '.join(large)}{_beside(there, folder)}; {less}")]


def _room(folder: Path | None) -> float:
    return available() if folder is None else free(folder)


def _beside(there: float, folder: Path | None) -> str:
    return f", and {in_bytes(there)} are free {f'for {folder}' if folder else 'in memory'}"


def _less(needs: Needs, there: float) -> str:
    """What to try, with an interval that fits."""
    times = max(2.0, np.ceil(needs.traces / max(0.9 * there, 1.0)))
    longer = f"{needs.interval_ms * times:g}ms"
    return f"fewer neurons (record.neurons=10) or samples (record.interval={longer}) are less"


def _noisy(group: PopulationSpec, numbers: Mapping[str, Any]) -> bool:
    """Whether each neuron of a population has noise of its own, at all points."""
    return any(_is_noise(spec, numbers) for _, spec in group.inputs)


def _is_noise(spec: ModelSpec, numbers: Mapping[str, Any]) -> bool:
    of = dict(spec.fixed) | {name: np.asarray(numbers[n.key]) for name, n in spec.numbers}
    if issubclass(spec.target, OrnsteinUhlenbeck):
        return bool(np.all(of["sigma"]))
    if not issubclass(spec.target, Poisson) or not {"n", "rate", "weight"} <= of.keys():
        return False
    return bool(np.min(of["n"] * of["rate"]) >= _DENSE_HZ and np.all(of["weight"]))
