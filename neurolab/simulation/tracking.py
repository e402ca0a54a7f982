"""What trackers are told: of a run, its configuration in declared units, its metrics over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.config.reader import ParsedValue
from neurolab.config.values import is_drawn, read_time
from neurolab.problems import Problems
from neurolab.trackers import Tracked

if TYPE_CHECKING:
    from neurolab.config.experiment import Experiment

__all__ = ["Rows", "in_units", "tracked_run"]

#: Rows of metrics that a run has, whatever its length.
_ROWS = 100
#: Keys whose values are times, besides those of the models.
_TIMES = ("duration", "dt", "record.interval", "record.rate_bin")


class Rows:
    """Metrics of a run over simulated time: a row after each hundredth of its steps.

    Parameters
    ----------
    n_steps, dt_ms, size
        Of the run.
    told
        Hears of each row: steps so far, metrics.
    potential, unit
        The variable whose mean over the neurons is told, and its unit.
    """

    def __init__(
        self,
        n_steps: int,
        dt_ms: float,
        size: int,
        told: Callable[[int, Mapping[str, float]], None],
        potential: str,
        unit: str,
    ) -> None:
        self.every = -(-n_steps // _ROWS)
        self.n_steps, self.dt_ms, self.size, self.told = n_steps, dt_ms, size, told
        self.potential = potential
        name = potential.rpartition(".")[2]
        self.mean = f"{name}_mean_{unit}" if unit.isidentifier() else f"{name}_mean"
        self._last = self._done = self._spikes = self._total = 0
        self._state: Mapping[str, Any] = {}
        self._spiking = False

    def left(self, done: int) -> int:
        """Steps from here to the next row."""
        return self.every - done % self.every

    def add(self, done: int, n_spikes: int | None, state: Mapping[str, Any]) -> None:
        """The steps up to ``done``: their spikes (None where nothing spikes), the state then."""
        self._spikes += n_spikes or 0
        if done % self.every == 0 or done == self.n_steps:
            self._tell(done, n_spikes is not None, state)
        self._state, self._done, self._spiking = state, done, n_spikes is not None

    def end(self) -> None:
        """Of a run that ends between two rows: what is left."""
        if self._done > self._last:
            self._tell(self._done, self._spiking, self._state)

    def _tell(self, done: int, spiking: bool, state: Mapping[str, Any]) -> None:
        row = {"time_ms": done * self.dt_ms}
        if spiking:
            self._total += self._spikes
            seconds = (done - self._last) * self.dt_ms * 1e-3
            row |= {"rate_hz": self._spikes / self.size / seconds, "spikes": self._total}
        if self.potential in state:
            row[self.mean] = float(np.asarray(state[self.potential]).mean(dtype=np.float64))
        self._last, self._spikes = done, 0
        self.told(done, row)


def tracked_run(
    experiment: Experiment,
    config: Mapping[str, Any],
    folder: Path,
    overrides: Sequence[str],
    group: str | None,
) -> Tracked:
    """A run, named by what was overridden, or else by its folder."""
    plain, units = in_units(config, experiment.parsed, experiment.numbers)
    given = [text for text in overrides if not text.startswith(("hydra", "tracker", "device"))]
    name = " ".join(given) or "/".join(folder.resolve().parts[-2:])
    return Tracked("run", folder, name, plain, units, tuple(overrides), group)


def in_units(
    config: Mapping[str, Any], parsed: Mapping[str, ParsedValue], numbers: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A configuration with numbers in place of quantities, and their units under the same keys.

    ``tau: 20 ms`` becomes ``20.0`` and ``ms``: the unit that the model declares, whatever was
    given.  What is drawn from a distribution stays as it was written.
    """
    units: dict[str, Any] = {}

    def read(node: Any, path: tuple[str, ...]) -> Any:
        if isinstance(node, Mapping):
            return {str(name): read(value, (*path, str(name))) for name, value in node.items()}
        key = ".".join(path)
        if key in parsed and key in numbers and not is_drawn(node):
            _put(units, path, parsed[key].unit_name)
            return np.asarray(numbers[key], np.float64).tolist()
        if key in _TIMES and isinstance(node, str):
            time = read_time(node, key, Problems())
            _put(units, path, "ms")
            return time
        return list(node) if isinstance(node, Sequence) and not isinstance(node, str) else node

    plain = {
        key: value for key, value in config.items() if key not in ("tracker", "sweep", "report")
    }
    return read(plain, ()), units


def _put(tree: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    if value:
        for name in path[:-1]:
            tree = tree.setdefault(name, {})
        tree[path[-1]] = value
