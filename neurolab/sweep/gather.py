"""What a sweep leaves beside its batches: arrays, table, summary, pictures, and what is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console

from neurolab.numbers import number
from neurolab.report.pictures import show
from neurolab.results.batches import SweepFolder
from neurolab.results.dataset import as_dataset, write_csv, write_zarr
from neurolab.results.plan import Plan
from neurolab.results.table import Table
from neurolab.simulation.progress import places, print_rows
from neurolab.sweep.sessions import end

if TYPE_CHECKING:
    from neurolab.sweep.compute import Report

__all__ = ["gather", "print_sweep"]

_MOST_TOLD = 10


def gather(
    folder: SweepFolder,
    plan: Plan,
    table: Table,
    report: Report,
    times: Mapping[str, float],
    started: str,
) -> tuple[dict[str, Any], bool]:
    """Write the results of all points; returns the summary, what became of them and what the
    sessions that computed them took, and whether there was room for pictures and the page."""
    data = as_dataset(plan, table)
    write_zarr(data, folder.path / "sweep.zarr")
    write_csv(plan, table, folder.path / "sweep.csv")
    summary = {
        "status": _status(table),
        "points": len(plan),
        **table.counts(),
        **end(folder, report, times, started),
    }
    folder.summarise(summary)
    settings = [template.get("report") or {} for template in plan.templates]
    return summary, show(folder.path, any(one.get("standalone") for one in settings), data)


def _status(table: Table) -> str:
    """``interrupted`` if points are to be computed yet, ``partial`` if some cannot be."""
    if table.where("missing", "partial", "damaged").size:
        return "interrupted"
    return "completed" if table.where("completed").size == table.status.size else "partial"


def print_sweep(folder: SweepFolder, plan: Plan, table: Table, summary: Mapping[str, Any]) -> None:
    """The table at the end of a sweep, and the points that went wrong."""
    colour = {"completed": "green", "partial": "yellow", "missing": "yellow"}
    counts = [
        f"[{colour.get(status, 'red')}]{n} {status}[/]"
        for status, n in sorted(table.counts().items(), key=lambda one: one[0] == "missing")
        if n
    ]
    n = len(summary["sessions"])
    rows = {
        "points": f"{summary['points']}: {', '.join(counts) or 'none'}",
        "time": f"{summary['wall_s']:.2f} s{f' in {n} sessions' * (n > 1)}, of which composing "
        f"{summary['compose_s']:.2f} s, compiling {summary['compile_s']:.2f} s",
    }
    for name, (low, high) in table.rates().items():
        rows[f"rates of {name}" if name else "rates"] = f"{number(low)} to {number(high)} Hz"
    if summary["points_per_s"]:
        rows["speed"] = f"{summary['points_per_s']:.3g} points/s on {summary['device']}"
    console = Console()
    print_rows(console, rows | places(folder.path))
    bad = table.where("diverged", "refused", "failed", "partial")
    for point in bad[:_MOST_TOLD].tolist():
        row, overrides = table[point], " ".join(plan.overrides(point))
        line = f"point {point} {row['status']}: {row['message']}\n    {overrides}"
        console.print(line, style="red", markup=False, soft_wrap=True)
    if len(bad) > _MOST_TOLD:
        console.print(f"... and {len(bad) - _MOST_TOLD} more: see sweep.csv", style="red")
