"""W3: a sweep of input rate and b over the neurons of W1, from the shell command to its table.

100 neurons a point for 1 s; neurolab computes all points as one program, its peers in their ways.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks import cases, sweeps
from benchmarks.cases import Options, Program, Say
from benchmarks.environment import cores, timed
from benchmarks.sweeps import Case

__all__ = ["CORNERS", "GRIDS", "QUICK", "SIMULATORS", "Grid", "measure", "odd", "show", "table"]

SIMULATORS = ("neurolab", "brian2")
_RATES_HZ, _B_MA = (10.0, 30.0), (0.0, 20.0)
_NEURONS, _DURATION_MS = 100, 1000.0

#: Where rates are compared.
CORNERS = [f"{rate:g} Hz, b = {b:g} mA" for rate in _RATES_HZ for b in _B_MA]


@dataclass(frozen=True)
class Grid:
    """Evenly spaced values of both keys, ends included."""

    n_rates: int
    n_b: int

    @property
    def points(self) -> int:
        return self.n_rates * self.n_b

    @property
    def axes(self) -> dict[str, list[float]]:
        rates, b = np.linspace(*_RATES_HZ, self.n_rates), np.linspace(*_B_MA, self.n_b)
        return {"rates_hz": rates.tolist(), "b_ma": b.tolist()}


GRIDS = (Grid(20, 50), Grid(100, 100))
QUICK = (Grid(5, 10),)

#: What the slow ways compute of a grid; they have the same cost for every point.
_FEW, _SOME = Grid(2, 5), Grid(5, 10)
#: One group of more neurons than this is simulated for a share of the time.
_LARGEST_GROUP, _SHARE = 200_000, 0.1

table = sweeps.table


def measure(options: Options, say: Say) -> Iterator[dict[str, Any]]:
    """Every single measurement."""
    grids = QUICK if options.quick else GRIDS
    return sweeps.measure(_rows(options.python), grids, options, say)


def odd(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Corners of the grid at which two rows differ."""
    return sweeps.odd_rates(rows, CORNERS)


def show(console: Console, rows: Sequence[dict[str, Any]], where: str) -> None:
    """One line per way of computing a sweep."""
    sweeps.show(console, rows, CORNERS, f"W3 {where}")


def _rows(python: Path | None) -> list[Case]:
    # The cold run of a round leaves the cache that the warm run after it finds.
    found = [
        Case("neurolab, cold cache", "neurolab", _neurolab),
        Case("neurolab, warm cache", "neurolab", _neurolab),
        Case(cases.PEERS["basic"], "neurolab", _basic, _FEW),
    ]
    for workers in sorted({1, cores()}):
        runs, group = _Brian2(python, "runs", workers), _Brian2(python, "group", workers)
        found.append(Case(f"Brian2 run_args, processes: {workers}", "brian2", runs, _SOME))
        found.append(Case(f"Brian2 one group, threads: {workers}", "brian2", group))
    return found


_COMMON = (
    "experiment=adex_benchmark",
    f"size={_NEURONS}",
    f"duration={_DURATION_MS:g}ms",
)


def _neurolab(grid: Grid, folder: Path, repeat: int) -> dict[str, Any]:
    """The sweep as a user starts it; in a round, its first run has an empty compilation cache."""
    found = cases.neurolab_sweep(
        folder / f"cache-{repeat}-{grid.points}",
        grid.points,
        *_COMMON,
        f"input.rate=linspace:{_RATES_HZ[0]:g}Hz:{_RATES_HZ[1]:g}Hz:{grid.n_rates}",
        f"neuron.b=linspace:{_B_MA[0]:g}mA:{_B_MA[1]:g}mA:{grid.n_b}",
    )
    rates = found.pop("rates_hz")
    return {**found, "ends_hz": _corners(grid, rates)}


def _basic(grid: Grid, folder: Path, repeat: int) -> dict[str, Any]:
    """One point after the other, with a warm cache; a run of one tells what starting costs."""

    def run(rates_hz: Sequence[float], b_ma: Sequence[float], results: Path) -> tuple[float, float]:
        command = [sys.executable, "-m", "neurolab", "-m", *_COMMON]
        command += ["hydra/launcher=basic", "hydra/sweeper=basic"]
        command += [f"device.cache_dir={folder}/cache-basic", f"hydra.sweep.dir={results}"]
        command += ["input.rate=" + ",".join(f"{value:g}Hz" for value in rates_hz)]
        command += ["neuron.b=" + ",".join(f"{value:g}mA" for value in b_ma)]
        return timed(command)[:2]

    with tempfile.TemporaryDirectory() as kept:
        results = Path(kept)
        if repeat == 0:  # not counted: it fills the cache
            run(**grid.axes, results=results / "first")
        one_s, _ = run(_RATES_HZ[:1], _B_MA[-1:], results / "one")
        total_s, peak_mb = run(**grid.axes, results=results / "some")
        files = [results / "some" / str(n) / "summary.json" for n in range(grid.points)]
        rates = [json.loads(file.read_text())["rate_hz_mean"] for file in files]
    per_point_s = (total_s - one_s) / (grid.points - 1)
    return {
        "total_s": total_s,
        "fixed_s": one_s - per_point_s,
        "per_point_s": per_point_s,
        "peak_rss_mb": peak_mb,
        "ends_hz": _corners(grid, rates),
    }


@dataclass
class _Brian2:
    python: Path | None
    how: str
    workers: int

    def __call__(self, grid: Grid, folder: Path, repeat: int) -> dict[str, Any]:
        whole = self.how == "runs" or grid.points * _NEURONS <= _LARGEST_GROUP
        share = 1.0 if whole else _SHARE
        what = {
            **grid.axes,
            "neurons": _NEURONS,
            "duration_ms": _DURATION_MS * share,
            "workers": self.workers,
        }
        found = Program(self.python, "w3_brian2.py")(self.how, json.dumps(what))
        rates = found.pop("rates_hz")
        return {
            **sweeps.estimated(found, grid.points, share),
            # At the start, together, neurons fire faster: no rate to compare in a share.
            "ends_hz": _corners(grid, rates) if whole else None,
            **({} if whole else {"estimated_from": f"{_DURATION_MS * share:g} ms"}),
        }


def _corners(grid: Grid, rates: list[float]) -> list[float]:
    """Of rates in the order of the product of input rates and b."""
    return [rates[0], rates[grid.n_b - 1], rates[-grid.n_b], rates[-1]]
