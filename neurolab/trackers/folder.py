"""What a tracker keeps of a run or a sweep: its configuration, pictures, points, and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurolab.problems import Problems
from neurolab.results.summary import environment
from neurolab.trackers import Tracked

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["config", "no_texts", "result_files", "shown"]

_FILES = (
    "results.zarr",
    "commit.json",
    "sweep.zarr",
    "sweep.csv",
    "definition.json",
    "summary.json",
    ".hydra/config.yaml",
    ".hydra/overrides.yaml",
)
_environment = cache(environment)  # the same for all points of a sweep


def no_texts(settings: Mapping[str, Any], problems: Problems) -> None:
    """Refuse the settings that are no texts, and not None."""
    for key, value in settings.items():
        if not isinstance(value, str | None):
            problems.add(f"tracker.{key}", value, "expected a text; in quotes, if it is a number")


def config(tracked: Tracked) -> dict[str, Any]:
    """The configuration, and beside it its units, what was typed, and what computes."""
    return {
        **tracked.config,
        "units": tracked.units,
        "overrides": list(tracked.overrides),
        "environment": _environment(),
    }


def shown(
    tracked: Tracked, image: Callable[[str], Any], table: Callable[[pd.DataFrame], Any]
) -> dict[str, Any]:
    """The plots of a run or sweep, and the points of a sweep, as a library's image and table."""
    if tracked.kind == "point":  # they are its sweep's
        return {}
    pictures = sorted(tracked.folder.glob("*.png"))
    found = {f"plots/{path.stem}": image(str(path)) for path in pictures}
    return found | ({"points": table(_points(tracked.folder))} if tracked.kind == "sweep" else {})


def _points(folder: Path) -> pd.DataFrame:
    """A row for each point of a sweep: parameters with their units, status, summary values."""
    from neurolab.results.sweep import open_sweep

    sweep = open_sweep(folder)
    units = {str(k): str(c.attrs.get("units", "")) for k, c in sweep.data.coords.items()}
    units |= {name: unit for name, (unit, _) in sweep.rows.about.items()}
    table = sweep.table.reset_index()
    for name in ("duration_ms", "n_steps", "seed"):
        if name not in table:
            table[name] = sweep.rows.columns[name]
    named = {
        key: f"{key} ({unit})"
        for key, unit in units.items()
        if key in table and unit not in ("", "1") and f"_{unit.lower()}" not in key
    }
    return table.rename(columns=named)


def result_files(folder: Path) -> list[Path]:
    """Files and folders that hold the results and say what they are of."""
    return [folder / name for name in _FILES if (folder / name).exists()]
