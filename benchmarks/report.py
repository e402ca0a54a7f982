"""The results as tables on the terminal and as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["save", "show_startup", "show_w1", "show_w3"]

_RESULTS = Path(__file__).resolve().parent / "results"


def show_w1(console: Console, rows: list[dict[str, Any]], title: str) -> None:
    """One line per way of running, grouped by size."""
    table = Table(title=title, title_justify="left")
    table.add_column("N", justify="right")
    table.add_column("simulator")
    for heading in ("updates/s", "lowest - highest", "x Brian2", "x brainpy"):
        table.add_column(heading, justify="right")
    for heading in ("compile s", "peak MB", "rate Hz", "in summary"):
        table.add_column(heading, justify="right")
    size = None
    for row in rows:
        if size not in (None, row["size"]):
            table.add_section()
        size = row["size"]
        table.add_row(
            f"{size:,}",
            row["case"],
            f"{row['updates_per_s']:.2e}",
            f"{row['lowest']:.1e} - {row['highest']:.1e}",
            _number(row["times_brian2"], ".2f"),
            _number(row["times_brainpy"], ".1f"),
            f"{row['build_s']:.2f}",
            f"{row['peak_rss_mb']:.0f}",
            f"{row['rate_hz']:.2f}",
            _number(row["summary_updates_per_s"], ".2e"),
        )
    console.print(table)
    console.print(
        "updates/s: neurons x steps / seconds, compilation left out; for neurolab with all that is "
        "written.\nx Brian2, x brainpy: relative to the fastest row of that simulator at this N.  "
        "in summary: neuron_updates_per_s of summary.json."
    )


def show_w3(
    console: Console, rows: list[dict[str, Any]], corners: Sequence[str], title: str
) -> None:
    """One line per way of computing a sweep, grouped by its points; then the rates they found."""
    times, rates = (Table(title=text, title_justify="left") for text in (title, "Rates, Hz"))
    for table in (times, rates):
        table.add_column("points", justify="right")
        table.add_column("simulator", no_wrap=True)
    for heading in ("total s", "lowest - highest", "x Brian2", "x basic"):
        times.add_column(heading, justify="right")
    for heading in ("points/s", "compile s", "peak MB"):
        times.add_column(heading, justify="right")
    times.add_column("from")
    for heading in corners:
        rates.add_column(heading, justify="right")
    points = None
    for row in rows:
        if points not in (None, row["points"]):
            times.add_section()
            rates.add_section()
        points = row["points"]
        about = "~" if row["estimated_from"] else ""
        times.add_row(
            f"{points:,}",
            row["case"],
            f"{about}{row['total_s']:.1f}",
            f"{row['lowest']:.1f} - {row['highest']:.1f}",
            _number(row["times_brian2"], ".2f"),
            _number(row["times_basic"], ".1f"),
            f"{1 / row['per_point_s']:.3g}",
            _number(row["build_s"], ".2f"),
            f"{row['peak_rss_mb']:.0f}",
            row["estimated_from"] or "",
        )
        if row["corners_hz"]:
            rates.add_row(f"{points:,}", row["case"], *(f"{hz:.2f}" for hz in row["corners_hz"]))
    console.print(times)
    console.print(
        "total s: from the shell command to its end; ~ estimated from less.  x: how many times as "
        "long\nthe fastest row of Brian2, or the basic launcher, takes.  points/s: computing alone."
    )
    console.print(rates)


def show_startup(console: Console, rows: list[dict[str, Any]], repeats: int) -> None:
    """Seconds from the start of the process."""
    table = Table(title=f"Start, seconds, medians of {repeats}", title_justify="left")
    table.add_column("command")
    for heading in ("to summary.json", "to exit", "lowest - highest"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["command"],
            _number(row["summary_s"], ".2f"),
            f"{row['exit_s']:.2f}",
            f"{row['lowest']:.2f} - {row['highest']:.2f}",
        )
    console.print(table)


def show_tracking(console: Console, rows: list[dict[str, Any]], repeats: int) -> None:
    """Seconds of whole commands, and what a tracker adds."""
    title = f"Trackers, whole commands, medians of {repeats}"
    table = Table(title=title, title_justify="left")
    table.add_column("command")
    table.add_column("tracker")
    for heading in ("seconds", "added", "added, %"):
        table.add_column(heading, justify="right")
    for row in rows:
        added = ("", "") if row["tracker"] == "none" else (row["added_s"], 100 * row["added"])
        cells = [cell if cell == "" else format(cell, ".2f") for cell in added]
        table.add_row(row["case"], row["tracker"], f"{row['exit_s']:.2f}", *cells)
    console.print(table)


def save(results: Mapping[str, Any]) -> Path:
    """Write everything that was measured to ``results/<date>.json``."""
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{results['date'].replace(':', '-')}.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    return path


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
