"""W3: a sweep of input rate and b over the neurons of W1, from the shell command to its table.

100 neurons a point for 1 s; neurolab computes all points as one program, its peers in their ways.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environment import cores, timed

__all__ = ["CORNERS", "GRIDS", "QUICK", "Case", "Grid", "cases", "measure", "odd_rates", "table"]

_RATES_HZ, _B_MA = (10.0, 30.0), (0.0, 20.0)
_NEURONS, _DURATION_MS = 100, 1000.0
_TOLERANCE = 0.05

#: Where rates are compared: (input rate, b).
CORNERS = tuple((rate, b) for rate in _RATES_HZ for b in _B_MA)

_BASIC = "Hydra's basic launcher"


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
        return {"rates_hz": _spaced(*_RATES_HZ, self.n_rates), "b_ma": _spaced(*_B_MA, self.n_b)}


GRIDS = (Grid(20, 50), Grid(100, 100))
QUICK = (Grid(5, 10),)

#: What the slow ways compute of a grid; they have the same cost for every point.
_FEW, _SOME = Grid(2, 5), Grid(5, 10)
#: One group of more neurons than this is simulated for a share of the time.
_LARGEST_GROUP, _SHARE = 200_000, 0.1


@dataclass(frozen=True)
class Case:
    """One row: ``run`` takes a grid, a folder that all rounds share, and the round."""

    name: str
    simulator: str
    run: Callable[[Grid, Path, int], dict[str, Any]]
    sample: Grid | None = None  # measured instead of the grid, whose time is estimated from it


def cases(simulators: list[str], brian2: Path | None) -> list[Case]:
    """The rows of the table; ``brian2`` is the interpreter that has it."""
    # The cold run of a round leaves the cache that the warm run after it finds.
    found = [
        Case("neurolab, cold cache", "neurolab", _neurolab),
        Case("neurolab, warm cache", "neurolab", _neurolab),
        Case(_BASIC, "neurolab", _basic, _FEW),
    ]
    for workers in sorted({1, cores()}):
        runs = _Brian2(str(brian2), "runs", workers)
        group = _Brian2(str(brian2), "group", workers)
        found.append(Case(f"Brian2 run_args, processes: {workers}", "brian2", runs, _SOME))
        found.append(Case(f"Brian2 one group, threads: {workers}", "brian2", group))
    return [case for case in found if case.simulator in simulators]


def measure(
    rows: list[Case], grids: tuple[Grid, ...], repeats: int, say: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Every single measurement: in each round, each case once at each grid, or once at a sample.

    ``total_s`` is from the start of the command to its end.
    """
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(repeats):
            for case in rows:
                done: dict[Grid, dict[str, Any]] = {}
                for grid in grids:
                    computed = case.sample or grid
                    if computed not in done:
                        points = f"{computed.points:,} points"
                        say(f"round {repeat + 1} of {repeats}: {case.name}, {points}")
                        done[computed] = case.run(computed, Path(folder), repeat)
                    about = {"case": case.name, "simulator": case.simulator, "repeat": repeat}
                    one = {**about, "points": grid.points, **done[computed]}
                    if grid != computed:
                        one["total_s"] = one["fixed_s"] + one["per_point_s"] * grid.points
                        one["estimated_from"] = f"{computed.points} points"
                    yield one


def table(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of each case at each grid, and how many times as long the peers' best rows take."""
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for one in measured:
        groups.setdefault((one["points"], one["case"]), []).append(one)
    rows = []
    for (points, case), ones in sorted(groups.items(), key=lambda item: item[0][0]):
        row = {"case": case, "simulator": ones[0]["simulator"], "points": points}
        for key in ("total_s", "per_point_s", "build_s", "peak_rss_mb"):
            row[key] = median(one[key] for one in ones) if key in ones[0] else None
        totals = [one["total_s"] for one in ones]
        row |= {"lowest": min(totals), "highest": max(totals)}
        row["estimated_from"] = ones[0].get("estimated_from")
        corners = [one["corners_hz"] for one in ones if one["corners_hz"]]
        row["corners_hz"] = [median(column) for column in zip(*corners, strict=True)]
        rows.append(row)
    for row in rows:
        for key, peer in (("times_brian2", "Brian2"), ("times_basic", _BASIC)):
            at = [other for other in rows if other["points"] == row["points"]]
            theirs = [other["total_s"] for other in at if other["case"].startswith(peer)]
            row[key] = min(theirs) / row["total_s"] if theirs else None
    return rows


def odd_rates(rows: list[dict[str, Any]]) -> list[str]:
    """Corners of the grid at which two rows differ: one of them is fast and wrong."""
    odd = []
    for points in dict.fromkeys(row["points"] for row in rows):
        told = [row for row in rows if row["points"] == points and row["corners_hz"]]
        for number, (rate, b) in enumerate(CORNERS):
            found = [(row["corners_hz"][number], row["case"]) for row in told]
            if found and min(found)[0] < (1 - _TOLERANCE) * max(found)[0]:
                odd.append(
                    f"{points:,} points, at {rate:g} Hz and b = {b:g} mA: {min(found)[1]} has "
                    f"{min(found)[0]:.2f} Hz, {max(found)[1]} {max(found)[0]:.2f} Hz"
                )
    return odd


def _neurolab(grid: Grid, folder: Path, repeat: int) -> dict[str, Any]:
    """The sweep as a user starts it; in a round, its first run has an empty compilation cache."""
    with tempfile.TemporaryDirectory() as results:
        total_s, peak_mb = _sweep(
            f"input.rate=linspace:{_RATES_HZ[0]:g}Hz:{_RATES_HZ[1]:g}Hz:{grid.n_rates}",
            f"neuron.b=linspace:{_B_MA[0]:g}mA:{_B_MA[1]:g}mA:{grid.n_b}",
            f"hydra.sweep.dir={results}/sweep",
            f"device.cache_dir={folder}/cache-{repeat}-{grid.points}",
        )
        sweep = Path(results) / "sweep"
        summary = json.loads((sweep / "summary.json").read_text())
        points = list(csv.DictReader((sweep / "sweep.csv").read_text().splitlines()))
    bad = [point for point in points if point["status"] != "completed"]
    if bad or len(points) != grid.points:
        raise SystemExit(f"the sweep has {len(points)} points, {len(bad)} not completed: {bad[:3]}")
    return {
        "total_s": total_s,
        "per_point_s": summary["compute_s"] / grid.points,
        "build_s": summary["compile_s"],
        "peak_rss_mb": peak_mb,
        "corners_hz": _corners(grid, [float(point["rate_hz"]) for point in points]),
        "summary": summary,
    }


def _basic(grid: Grid, folder: Path, repeat: int) -> dict[str, Any]:
    """One point after the other, with a warm cache; a run of one tells what starting costs."""

    def run(rates_hz: Sequence[float], b_ma: Sequence[float], results: Path) -> tuple[float, float]:
        return _sweep(
            "hydra/launcher=basic",
            "hydra/sweeper=basic",
            f"device.cache_dir={folder}/cache-basic",
            "input.rate=" + ",".join(f"{value:g}Hz" for value in rates_hz),
            "neuron.b=" + ",".join(f"{value:g}mA" for value in b_ma),
            f"hydra.sweep.dir={results}",
        )

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
        "corners_hz": _corners(grid, rates),
    }


@dataclass
class _Brian2:
    python: str
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
        path = str(Path(__file__).with_name("w3_brian2.py"))
        wall_s, _, printed = timed([self.python, path, self.how, json.dumps(what)])
        found = json.loads(printed.splitlines()[-1])
        fixed_s = wall_s - found["run_s"]
        per_point_s = found["run_s"] / share / grid.points
        return {
            "total_s": fixed_s + per_point_s * grid.points,
            "fixed_s": fixed_s,
            "per_point_s": per_point_s,
            "build_s": found["build_s"],
            "peak_rss_mb": found["peak_rss_mb"],
            # At the start, together, neurons fire faster: no rate to compare in a share.
            "corners_hz": _corners(grid, found["rate_hz"]) if whole else [],
            "version": found["version"],
            **({} if whole else {"estimated_from": f"{_DURATION_MS * share:g} ms"}),
        }


def _sweep(*overrides: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "neurolab", "-m", "experiment=adex_benchmark"]
    command += [f"size={_NEURONS}", f"duration={_DURATION_MS:g}ms", *overrides]
    return timed(command)[:2]


def _corners(grid: Grid, rates: list[float]) -> list[float]:
    """Of rates in the order of the product of input rates and b."""
    return [rates[0], rates[grid.n_b - 1], rates[-grid.n_b], rates[-1]]


def _spaced(first: float, last: float, n: int) -> list[float]:
    return [first + (last - first) * k / (n - 1) for k in range(n)]
