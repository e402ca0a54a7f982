"""The results as tables on the terminal and as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["Column", "entry", "save", "show", "span"]

_RESULTS = Path(__file__).resolve().parent / "results"

#: A heading, the key of a row or what is made of a row, and a format.
Column = tuple[str, str | Callable[[dict[str, Any]], Any], str]


def show(
    console: Console, title: str, rows: Sequence[dict[str, Any]], columns: Sequence[Column]
) -> None:
    """A line per row, grouped by ``size``; a column that is empty in all rows is left out."""
    table = Table(title=title, title_justify="left")
    lines = [[_cell(row, column) for column in columns] for row in rows]
    kept = [n for n in range(len(columns)) if any(line[n] for line in lines)]
    for n in kept:
        table.add_column(columns[n][0], justify="right" if columns[n][2] else "left", no_wrap=n < 2)
    for row, following, line in zip(rows, [*rows[1:], {}], lines, strict=True):
        ends = row.get("size") != following.get("size")
        table.add_row(*(line[n] for n in kept), end_section=ends)
    console.print(table)


def span(form: str) -> Callable[[dict[str, Any]], str]:
    """From the lowest to the highest of the rounds."""
    return lambda row: f"{row['lowest']:{form}} - {row['highest']:{form}}"


def entry(key: str, number: int) -> Callable[[dict[str, Any]], Any]:
    """One of the values that a row has by a key."""
    return lambda row: row[key][number]


def save(results: Mapping[str, Any]) -> Path:
    """Write everything that was measured to ``results/<date>.json``."""
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{results['date'].replace(':', '-')}.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    return path


def _cell(row: dict[str, Any], column: Column) -> str:
    _, key, form = column
    value = row.get(key) if isinstance(key, str) else key(row)
    return "" if value is None else format(value, form)
