"""What the neurons of a run were given, and the levels of their potential: for pictures.

A run leaves it in ``stimulus.json``, computed from its models when it ends
(`neurolab.simulation.stimulus`), so that who draws needs no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.damage import DamagedError, read_mapping
from neurolab.results.layout import write_whole
from neurolab.results.sealed import sealed
from neurolab.results.status import read_summary

__all__ = ["STIMULUS", "Stimulus", "read_stimuli", "write_stimuli"]

STIMULUS = "stimulus.json"
#: Parts of the time that are shaded: more are a pattern, which the current itself shows.
_MOST_EPOCHS = 8


@dataclass(frozen=True)
class Stimulus:
    """The current that signals bring to a population, all of them together.

    Parameters
    ----------
    unit
        Of the values; of currents without one ``""``.
    step, value
        The current in some steps.  Where it is ``held`` it stays until the next of them; else it
        goes through them, and of what is between two the least and the largest are among them.
    held
        Whether those are all steps in which it changes.
    n_steps
        How many it is of.
    first_neuron
        Whether neurons have currents of their own: then it is that of the first.
    alone
        Whether nothing else comes beside it, as spikes and noise.
    levels
        Potentials of the neurons by the names of their parameters, as ``V_th``, where all have the
        same, in the unit in which V is given.
    """

    unit: str = ""
    step: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    held: bool = True
    n_steps: int = 0
    first_neuron: bool = False
    alone: bool = True
    levels: dict[str, float] = field(default_factory=dict)

    @property
    def varies(self) -> bool:
        """Whether there is one, and it is not constant."""
        return len(set(self.value)) > 1

    def line(self, dt_ms: float) -> tuple[np.ndarray, np.ndarray]:
        """Times in ms and values of a line through all of it; a step lasts from its number times
        dt on."""
        step, value = np.asarray([*self.step, self.n_steps], float), np.asarray(self.value, float)
        if not self.held:
            return (step[:-1] + 0.5) * dt_ms, value
        return np.repeat(step, 2)[1:-1] * dt_ms, np.repeat(value, 2)

    def epochs(self, dt_ms: float) -> list[tuple[float, float]]:
        """From and until when, in ms, it is not at its baseline: the value that it begins and ends
        with, or else zero.  None where it has no such value, or leaves it too often."""
        if not (self.held and self.varies) or len(self.step) > 2 * _MOST_EPOCHS + 1:
            return []
        baseline = self.value[0] if self.value[0] == self.value[-1] else 0.0
        if baseline not in self.value:
            return []
        ends = [*self.step[1:], self.n_steps]
        found: list[tuple[float, float]] = []
        for begin, end, value in zip(self.step, ends, self.value, strict=True):
            if value == baseline:
                continue
            if found and found[-1][1] == begin:
                found[-1] = (found[-1][0], end)
            else:
                found.append((begin, end))
        return [(begin * dt_ms, end * dt_ms) for begin, end in found]


def write_stimuli(folder: Path, stimuli: Mapping[str, Stimulus]) -> None:
    """Keep what populations were given, by their names, in the folder of their run."""
    content = {"populations": {name: asdict(one) for name, one in stimuli.items()}}
    write_whole(folder / STIMULUS, sealed(content))


def read_stimuli(folder: Path) -> dict[str, Stimulus]:
    """What populations were given, by their names, ``""`` of the only one; nothing for a run that
    has not ended, or of before.

    Raises
    ------
    DamagedError
        The file is not as it was written, or it is missing where the summary says that it is there.
    """
    needed = False
    with suppress(DamagedError):  # the summary's, which is told where it is read
        needed = bool(read_summary(folder).get("stimulus"))
    found: Mapping[str, Any] = read_mapping(folder / STIMULUS, needed=needed)
    return {name: Stimulus(**one) for name, one in found.get("populations", {}).items()}
