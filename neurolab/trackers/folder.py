"""What a finished run or sweep has to show: pictures, the table of its points, files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["pictures", "points", "result_files"]

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


def pictures(folder: Path) -> dict[str, Path]:
    """The plots in a folder by name."""
    return {path.stem: path for path in sorted(folder.glob("*.png"))}


def points(folder: Path) -> pd.DataFrame:
    """A row for each point of a sweep: parameters with their units, status, summary values."""
    from neurolab.results.sweep import open_sweep
    from neurolab.results.table import VALUES

    sweep = open_sweep(folder)
    units = {str(k): str(c.attrs.get("units", "")) for k, c in sweep.data.coords.items()}
    units |= {name: unit for name, (unit, _) in VALUES.items()}
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
