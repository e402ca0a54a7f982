"""Telling a tracker of a run or a sweep without ever holding it up.

`Telling` has a tracker in a process of its own: importing a tracking library, waiting for its
server and writing its files takes place beside the simulation, an error there is a warning, and if
the simulation is killed, the tracker still hears of it.  `in_units` is the configuration as a
tracker gets it, `Rows` the metrics over time.
"""

from __future__ import annotations

import contextlib
import json
import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from neurolab.problems import Problems
from neurolab.reader import Reading
from neurolab.trackers import NoTracker, Tracked, Tracker
from neurolab.values import is_drawn, read_time

__all__ = ["Rows", "Telling", "in_units"]

log = logging.getLogger("neurolab")

#: Rows of metrics that a run has, whatever its length.
_ROWS = 100
#: Keys whose values are times, besides those of the models.
_TIMES = ("duration", "dt", "record.interval", "record.rate_bin")


class Telling:
    """A tracker in a process of its own: calls return at once and raise nothing; `wait` waits,
    as long as the tracker's ``patience_s`` says if it has that."""

    def __init__(self, make: Callable[[], Tracker]) -> None:
        self._make = make
        tracker = make()
        #: Whether anybody listens.
        self.active = not isinstance(tracker, NoTracker) and getattr(tracker, "active", True)
        #: Whether it wants each point of a sweep, not the sweep.
        self.per_point = bool(getattr(tracker, "per_point", False))
        self._patience = getattr(tracker, "patience_s", None)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self, tracked: Callable[[], Tracked]) -> None:
        """Something begins; ``tracked`` is asked what only if somebody listens."""
        if self.active:
            self._begin()
            self._send("start", self._make(), tracked())

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Metrics after so many steps."""
        self._send("log", step, metrics)

    def finish(self, exit_code: int, summary: Mapping[str, Any]) -> None:
        """It ended."""
        self._send("finish", exit_code, summary)

    def wait(self) -> None:
        """Until the tracker has taken everything in, or failed, or Ctrl-C."""
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(self._patience)
            if self._reader is not None:
                self._reader.join()
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            pid = self._process.pid
            log.warning("the tracker is not waited for any longer; its process %d goes on", pid)

    def _begin(self) -> None:
        """Start the process; importing a tracking library takes as long as compiling."""
        if self._process is not None:
            return
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            "from neurolab.trackers.process import main; main()"
        )
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the simulation
            )
        except OSError as error:
            self._gone(error)
            return
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _send(self, *message: Any) -> None:
        if not self.active or self._process is None or self._process.stdin is None:
            return
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except Exception as error:  # the process is gone, or the tracker cannot be pickled
            self._gone(error)

    def _gone(self, error: Exception) -> None:
        self.active = False
        log.warning("the tracker's process cannot be told: %s: %s", type(error).__name__, error)

    def _listen(self) -> None:
        """Log what the process has to say."""
        if self._process is not None and self._process.stdout is not None:
            for line in self._process.stdout:
                level, text = json.loads(line)
                log.log(level, "%s", text)


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
        self._last = self._spikes = self._total = 0

    def left(self, done: int) -> int:
        """Steps from here to the next row."""
        return self.every - done % self.every

    def add(self, done: int, n_spikes: int | None, state: Mapping[str, Any]) -> None:
        """The steps up to ``done``: their spikes (None where nothing spikes), the state then."""
        self._spikes += n_spikes or 0
        if done % self.every and done != self.n_steps:
            return
        row = {"time_ms": done * self.dt_ms}
        if n_spikes is not None:
            self._total += self._spikes
            seconds = (done - self._last) * self.dt_ms * 1e-3
            row |= {"rate_hz": self._spikes / self.size / seconds, "spikes": self._total}
        if self.potential in state:
            row[self.mean] = float(np.asarray(state[self.potential]).mean(dtype=np.float64))
        self._last, self._spikes = done, 0
        self.told(done, row)


def in_units(
    config: Mapping[str, Any], readings: Mapping[str, Reading], numbers: Mapping[str, Any]
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
        if key in readings and key in numbers and not is_drawn(node):
            _put(units, path, readings[key].unit_name)
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
