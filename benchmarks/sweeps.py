"""Comparisons of sweeps: whole commands, the slow ones estimated from a part of the points."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from benchmarks import cases, report
from benchmarks.cases import Options, Say

__all__ = ["Case", "Points", "estimated", "measure", "odd_rates", "show", "table"]


class Points(Protocol):
    """The points of a sweep."""

    @property
    def points(self) -> int:
        """How many they are."""
        ...


@dataclass(frozen=True)
class Case:
    """One row: ``run`` takes the points, a folder that all rounds share, and the round."""

    name: str
    simulator: str
    run: Callable[[Any, Path, int], dict[str, Any]]
    sample: Points | None = None  # measured instead of the points, whose time is estimated from it


def measure(
    rows: Sequence[Case], grids: Sequence[Points], options: Options, say: Say
) -> Iterator[dict[str, Any]]:
    """Every single measurement: in each round, each case that is asked for once at each grid, or
    once at a sample.

    ``total_s`` is from the start of the command to its end.
    """
    rows = [row for row in rows if row.simulator in options.simulators]
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            for case in rows:
                done: dict[Points, dict[str, Any]] = {}
                for grid in grids:
                    computed = grid
                    if case.sample and case.sample.points < grid.points:
                        computed = case.sample
                    if computed not in done:
                        points = f"{computed.points:,} points"
                        say(f"round {repeat + 1} of {options.repeats}: {case.name}, {points}")
                        done[computed] = case.run(computed, Path(folder), repeat)
                    about = {"case": case.name, "simulator": case.simulator, "repeat": repeat}
                    one = {**about, "size": grid.points, **done[computed]}
                    if grid != computed:
                        one["total_s"] = one["fixed_s"] + one["per_point_s"] * grid.points
                        one["estimated_from"] = f"{computed.points} points"
                    yield one


def estimated(found: dict[str, Any], points: int, share: float = 1.0) -> dict[str, Any]:
    """The times of a peer's program: of all, of a point, and what does not depend on points.

    ``share`` is the part of each point's duration that was simulated.
    """
    fixed_s = found["wall_s"] - found["run_s"]
    per_point_s = found["run_s"] / share / points
    total_s = fixed_s + per_point_s * points
    return {**found, "total_s": total_s, "fixed_s": fixed_s, "per_point_s": per_point_s}


def table(measured: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of each case at each grid, and how many times as long the peers' best rows take."""
    keys = ("per_point_s", "build_s", "peak_rss_mb", "ends_hz")
    return cases.table(measured, "total_s", keys)


def odd_rates(
    rows: Sequence[dict[str, Any]], ends: Sequence[str], within: float = 0.05
) -> list[str]:
    """The ends of the sweep at which two rows differ: one of them is fast and wrong.

    What an end is, a corner of a grid or a half of a line, says the workload that names ``ends``.
    """
    odd = []
    for points in dict.fromkeys(row["size"] for row in rows):
        told = [row for row in rows if row["size"] == points and row["ends_hz"]]
        for number, end in enumerate(ends):
            found = [(row["ends_hz"][number], row["case"]) for row in told]
            if found and min(found)[0] < (1 - within) * max(found)[0]:
                odd.append(
                    f"{points:,} points, at {end}: {min(found)[1]} has "
                    f"{min(found)[0]:.2f} Hz, {max(found)[1]} {max(found)[0]:.2f} Hz"
                )
    return odd


def show(console: Console, rows: Sequence[dict[str, Any]], ends: Sequence[str], title: str) -> None:
    """One line per way of computing a sweep, grouped by its points; then the rates they found."""
    columns: list[report.Column] = [
        ("points", "size", ","),
        ("simulator", "case", ""),
        ("total s", lambda row: f"{'~' * bool(row['estimated_from'])}{row['total_s']:.1f}", ">"),
        ("lowest - highest", report.span(".1f"), ">"),
        ("x Brian2", "times_brian2", ".2f"),
        ("x basic", "times_basic", ".1f"),
        ("points/s", lambda row: 1 / row["per_point_s"], ".3g"),
        ("compile s", "build_s", ".2f"),
        ("peak MB", "peak_rss_mb", ".0f"),
        ("from", "estimated_from", ""),
    ]
    report.show(console, title, rows, columns)
    console.print(
        "total s: from the shell command to its end; ~ estimated from less.  x: how many times as "
        "long\nthe fastest row of a peer takes.  points/s: computing alone."
    )
    told = [row for row in rows if row["ends_hz"]]
    report.show(
        console,
        "Rates, Hz",
        told,
        [*columns[:2], *((end, report.entry("ends_hz", n), ".2f") for n, end in enumerate(ends))],
    )
