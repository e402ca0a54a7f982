"""What trackers are told: of a run, its configuration in declared units, its metrics over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.config.reader import ParsedValue
from neurolab.config.values import is_drawn, read_time
from neurolab.problems import Problems
from neurolab.results.plan import flat
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
        Of the run; of its neurons those that can fire.
    log
        Hears of each row: steps so far, metrics.
    potential, unit
        The variable whose mean over the neurons is told, and its unit.
    told
        Steps of which rows were told in an earlier session.
    """

    def __init__(
        self,
        n_steps: int,
        dt_ms: float,
        size: int,
        log: Callable[[int, Mapping[str, float]], None],
        potential: str,
        unit: str,
        told: int = 0,
    ) -> None:
        self.every, self.told = -(-n_steps // _ROWS), told
        self.n_steps, self.dt_ms, self.size, self.log = n_steps, dt_ms, size, log
        self.potential = potential
        name = potential.rpartition(".")[2]
        self.mean = f"{name}_mean_{unit}" if unit.isidentifier() else f"{name}_mean"
        self._last = self._done = self._spikes = 0
        self._since: int | None = None  # spikes since the last row; None where nothing spikes
        self._state: Mapping[str, Any] = {}

    def state(self) -> dict[str, Any]:
        """What is known since the last row, as JSON has it."""
        return {"last": self._last, "done": self._done, "n": self._spikes, "since": self._since}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._last, self._done = state["last"], state["done"]
        self._spikes, self._since = state["n"], state["since"]

    def left(self, done: int) -> int:
        """Steps from here to the next row."""
        return self.every - done % self.every

    def add(self, done: int, n_spikes: int | None, state: Mapping[str, Any]) -> None:
        """The steps up to ``done``: their spikes (None where nothing spikes), the state then."""
        self._done, self._state = done, state
        if n_spikes is not None:
            self._since = (self._since or 0) + n_spikes
        if done % self.every == 0 or done == self.n_steps:
            self.end()

    def end(self) -> None:
        """A row of what there is since the last one."""
        steps = self._done - self._last
        if not steps:
            return
        row = {"time_ms": self._done * self.dt_ms}
        if self._since is not None:
            self._spikes += self._since
            rate = self._since / self.size / (steps * self.dt_ms * 1e-3)
            row |= {"rate_hz": rate, "spikes": self._spikes}
        if self.potential in self._state:
            values = np.asarray(self._state[self.potential])
            row[self.mean] = float(values.mean(dtype=np.float64))
        self._last, self._since = self._done, None
        if self._done > self.told:
            self.log(self._done, row)


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
    plain: dict[str, Any] = {}
    units: dict[str, Any] = {}
    for key, value in flat(config):
        if key.partition(".")[0] in ("tracker", "sweep", "report", "checkpoint"):
            continue
        if key in parsed and key in numbers and not is_drawn(value):
            _put(plain, key, np.asarray(numbers[key], np.float64).tolist())
            if parsed[key].unit_name:
                _put(units, key, parsed[key].unit_name)
        elif key in _TIMES and isinstance(value, str):
            _put(plain, key, read_time(value, key, Problems()))
            _put(units, key, "ms")
        else:
            _put(plain, key, value)
    return plain, units


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *path, name = key.split(".")
    for inner in path:
        tree = tree.setdefault(inner, {})
    tree[name] = value
