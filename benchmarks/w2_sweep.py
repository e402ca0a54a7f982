"""A sweep of the inhibitory weights of W2's network of 4000 neurons, 200 ms at each point.

neurolab computes all points as one program with the same synapses; Brian2 draws them at each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks import sweeps, w2
from benchmarks.cases import Options, Program, Say, neurolab_sweep
from benchmarks.environment import cores
from benchmarks.sweeps import Case

__all__ = ["SIMULATORS", "Line", "measure", "odd", "show", "table"]

SIMULATORS = ("neurolab", "brian2")
_SIZE, _DURATION_MS, _WEIGHTS_NS = 4000, 200.0, (47.0, 87.0)

#: Whose mean rates are compared: that of one network in 200 ms is uncertain by 6 %.
ENDS = ["the lower half of weights", "the upper half of weights"]


@dataclass(frozen=True)
class Line:
    """Evenly spaced weights, ends included."""

    points: int

    @property
    def weights_ns(self) -> list[float]:
        return np.linspace(*_WEIGHTS_NS, self.points).tolist()


table = sweeps.table


def measure(options: Options, say: Say) -> Iterator[dict[str, Any]]:
    """Every single measurement."""
    lines = (Line(10 if options.quick else 100),)
    return sweeps.measure(_rows(options.python), lines, options, say)


def odd(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Halves of the sweep in which two rows differ."""
    within = 0.5 / math.sqrt(rows[0]["size"])  # four standard deviations: 5 % of 100 points
    return sweeps.odd_rates(rows, ENDS, within)


def show(console: Console, rows: Sequence[dict[str, Any]], where: str) -> None:
    """One line per way of computing a sweep."""
    sweeps.show(console, rows, ENDS, f"W2, a sweep of weights, {where}")


def _rows(python: Path | None) -> list[Case]:
    # The cold run of a round leaves the cache that the warm run after it finds.
    found = [Case(f"neurolab, {state} cache", "neurolab", _neurolab) for state in ("cold", "warm")]
    for workers in sorted({1, cores()}):
        runs = _Brian2(python, workers)
        found.append(Case(f"Brian2 run_args, processes: {workers}", "brian2", runs))
    return found


def _neurolab(line: Line, folder: Path, repeat: int) -> dict[str, Any]:
    """The sweep as a user starts it; in a round, its first run has an empty compilation cache."""
    first, last = (f"{weight:g}nS" for weight in _WEIGHTS_NS)
    found = neurolab_sweep(
        folder / f"cache-{repeat}",
        line.points,
        *w2.network(_SIZE),
        "record=summary",
        f"duration={_DURATION_MS:g}ms",
        f"projections.I_E.weight=linspace:{first}:{last}:{line.points}",  # that of I_I follows it
    )
    rates = found.pop("rates_hz")
    return {**found, "ends_hz": _halves(rates)}


@dataclass
class _Brian2:
    python: Path | None
    workers: int

    def __call__(self, line: Line, folder: Path, repeat: int) -> dict[str, Any]:
        what = {"size": _SIZE, "duration_ms": _DURATION_MS, "weights_ns": line.weights_ns}
        what["workers"] = self.workers
        found = Program(self.python, "w2_brian2.py")("sweep", json.dumps(what))
        rates = found.pop("rates_hz")
        return {**sweeps.estimated(found, line.points), "ends_hz": _halves(rates)}


def _halves(rates: Sequence[float]) -> list[float]:
    half = len(rates) // 2
    return [mean(rates[:half]), mean(rates[half:])]
