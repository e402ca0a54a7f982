"""Reading the folder of a sweep: `open_sweep` gives its table, its arrays, and each point as a run.

    sweep = open_sweep("outputs/2026-11-20/12-00-00-sweep")
    sweep.rate_hz.sel({"neuron.b": 5}), sweep.table, sweep[7].spikes, sweep[7].config

A sweep that was killed, or is still going, opens like any other: its missing points are NaN.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurolab.results.batches import SweepFolder
from neurolab.results.run import PointRun
from neurolab.results.table import VALUES, as_dataset

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from omegaconf import DictConfig

__all__ = ["PointRun", "Sweep", "open_sweep"]


class Sweep:
    """The results of a sweep. See `open_sweep`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = SweepFolder(path)
        self.definition = self._folder.definition()
        self.rows = self._folder.all_rows(self.definition)

    @cached_property
    def data(self) -> xr.Dataset:
        """Summary values over the swept keys, which are coordinates with units."""
        return as_dataset(self.definition, self.rows)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each point: swept keys (in the coordinates' units), status, summary values."""
        import pandas as pd

        keys = [key for axis in self.definition["axes"] for key in axis["keys"]]
        flat = {key: self.data[key].broadcast_like(self.data["status"]) for key in keys}
        columns: dict[str, Any] = {key: values.values.reshape(-1) for key, values in flat.items()}
        columns["status"] = self.data["status"].values.reshape(-1)
        columns |= {name: self.data[name].values.reshape(-1) for name in VALUES}
        indices = range(len(self))
        columns["message"] = [self.rows.get(i, {}).get("message", "") for i in indices]
        columns["overrides"] = [" ".join(p["overrides"]) for p in self.definition["points"]]
        return pd.DataFrame(columns).rename_axis("point")

    @cached_property
    def summary(self) -> dict[str, Any]:
        """`summary.json`: counts, times, versions (empty for a sweep that was killed)."""
        path = self.path / "summary.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def __getattr__(self, name: str) -> xr.DataArray:
        if not name.startswith("_") and name in self.data:
            return self.data[name]
        raise AttributeError(f"a sweep has no '{name}'; its data has {', '.join(VALUES)}, status")

    def __len__(self) -> int:
        return len(self.definition["points"])

    def __iter__(self) -> Iterator[PointRun]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> PointRun:
        """A point as a run.

        Raises:
            IndexError: there is no such point.
            KeyError: it was not computed.
        """
        index = range(len(self))[index]
        row = self.rows.get(index, {"status": "missing"})
        if "batch" not in row:
            why = f": {row['message']}" if row.get("message") else ""
            raise KeyError(f"point {index} is {row['status']}{why}")
        return PointRun(row, self.config(index), self.definition["points"][index]["overrides"])

    def config(self, index: int) -> DictConfig:
        """The composed configuration of a point."""
        from omegaconf import OmegaConf

        from neurolab.cli.points import configuration

        point = self.definition["points"][index]
        if point["template"] < 0:
            raise KeyError(f"point {index} could not be composed: {self.rows[index]['message']}")
        template = self.definition["templates"][point["template"]]
        return OmegaConf.create(configuration(template, point["changes"]))

    def __repr__(self) -> str:
        shape = " x ".join(f"{n} {name}" for name, n in self.data.sizes.items())
        done = sum(row["status"] == "completed" for row in self.rows.values())
        return f"Sweep {self.path}\n  {shape}; {done} of {len(self)} points completed"


def open_sweep(path: str | Path) -> Sweep:
    """Open the folder of a sweep.

    Raises:
        FileNotFoundError: there is no sweep.
    """
    path = Path(path)
    if path.suffix == ".zarr":
        path = path.parent
    if not SweepFolder(path).exists:
        raise FileNotFoundError(
            f"{path} is not the folder of a sweep: it has no definition.json. "
            "Sweeps are usually in folders outputs/<date>/<time>-sweep."
        )
    return Sweep(path)
