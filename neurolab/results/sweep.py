"""Reading the folder of a sweep: `open_sweep` gives its table, its arrays, and each point as a run.

    sweep = open_sweep("outputs/2026-11-20/12-00-00-sweep")
    sweep.rate_hz, sweep.sel(b=5), sweep.table, sweep[7].spikes, sweep[7].config
    sweep.population_rate_hz.sel(population="E")  # of a network

A sweep that was killed, or is still going, opens like any other: its missing points are NaN.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.results.batches import SweepFolder
from neurolab.results.damage import DamagedError
from neurolab.results.dataset import as_dataset
from neurolab.results.point import PointRun
from neurolab.results.status import read_summary, standing
from neurolab.results.table import Table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from omegaconf import DictConfig

    from neurolab.plots.panels_sweep import SweepPlot
    from neurolab.results.trials import Trials

__all__ = ["PointRun", "Sweep", "open_sweep"]

log = logging.getLogger("neurolab")

#: Values of a key that a message names.
_MOST_TOLD = 20


class Sweep:
    """The results of a sweep. See `open_sweep`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = SweepFolder(path)
        #: What the sweep is: axes, fixed values, templates.
        self.plan = self._folder.plan()
        #: What became of each point, by index.
        self.rows = Table(self.plan, self._folder)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """`summary.json`: counts, times, versions (if it goes or was killed, sessions at most)."""
        return read_summary(self.path)

    @cached_property
    def damaged(self) -> list[DamagedError]:
        """What was found to be damaged; the rest can be read.  The status of points of which that
        leaves nothing is ``damaged``."""
        try:
            _ = self.summary
        except DamagedError as error:
            return [*self.rows.damaged, error]
        return self.rows.damaged

    @cached_property
    def data(self) -> xr.Dataset:
        """Summary values over the swept keys, which are coordinates with units."""
        return as_dataset(self.plan, self.rows)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each point: swept keys (in the coordinates' units), status, summary values;
        of populations in columns such as ``rate_hz.E``."""
        import pandas as pd

        keys = [str(name) for name in self.data.coords if name != "population"]
        flat = {key: self.data[key].broadcast_like(self.data["status"]) for key in keys}
        columns: dict[str, Any] = {key: values.values.reshape(-1) for key, values in flat.items()}
        columns["status"] = self.rows.statuses()
        columns |= {name: self.rows.columns[name] for name in self.rows.about}
        columns["message"] = [self.rows.messages.get(i, "") for i in range(len(self))]
        columns["overrides"] = self.plan.commands()
        return pd.DataFrame(columns).rename_axis("point")

    def sel(self, **values: Any) -> xr.Dataset:
        """The data at some values: ``sweep.sel(b=10)``, by a key or what is unique of its end.

        Raises:
            KeyError: no swept key, or more than one, has this name; or there is no such value.
        """
        data = self.data
        for name, value in values.items():
            key = self.key(name)
            if data[key].ndim > 1:
                raise KeyError(f"{name} has a value for each point, not for each place of an axis")
            if key not in data.xindexes:
                data = data.set_xindex(key)
            try:
                data = data.sel({key: value})
            except (KeyError, ValueError, TypeError) as error:
                unit = data[key].attrs.get("units", "")
                there = ", ".join(f"{one}" for one in data[key].values[:_MOST_TOLD])
                more = ", ..." if data[key].size > _MOST_TOLD else ""
                told = f"{key} has no value {value!r}; give one of {there}{more}"
                raise KeyError(f"{told}, numbers in {unit}" if unit else told) from error
        return data

    def trials(self, neuron: int = 0, population: str | None = None, **where: Any) -> Trials:
        """One neuron over the seeds: what a run says of its neurons (``psth``, ``fano_factor``,
        ``plot.raster``, ..) is then said of trials. ``where`` says which point of the other keys:
        ``sweep.trials(neuron=3, b=5)``. Trials are of runs that were completed.

        Raises:
            KeyError: no swept key, or population, has this name, or there is no such value.
            ValueError: a key that is not the seed has several values, or there is no trial.
        """
        from neurolab.results.trials import Trials

        data = self.sel(**where)
        if left := [str(dim) for dim, n in data["status"].sizes.items() if n > 1 and dim != "seed"]:
            there = ", ".join(str(one) for one in data[left[0]].values[:_MOST_TOLD])
            short = left[0].rpartition(".")[2]
            raise ValueError(f"{left[0]} has several values: say which, {short}= one of {there}")
        done = (data["status"] == "completed").values.ravel()
        points = data["point"].values.ravel()[done].tolist()
        seeds = data["seed"].values.ravel()[done].tolist() if "seed" in data.coords else points
        runs = [self[point] for point in points]
        return Trials([run[population] if population else run for run in runs], neuron, seeds)

    def fi(self, key: str | None = None, value: str = "rate_hz", **options: Any) -> xr.Dataset:
        """`gain`, the slope in Hz per unit of the input where the neuron fires, and `rheobase`, the
        smallest input at which it does; `silent` is the largest below at which it does not. Over
        the other axes, as `neurolab.analysis.fi_curve` finds them, with its options.

        Args:
            key: the input, or what is unique of its end; may be left out of the only key that has
                numbers, seeds aside.
            value: the rate: of populations ``population_rate_hz``.

        Raises:
            KeyError: no swept key, or more than one, has this name.
            ValueError: the key is none with numbers, or others change with it.
        """
        from neurolab.results.dependence import fi_of, only_number

        found = only_number(self.data) if key is None else self.key(key)
        return fi_of(self.data, found, value, **options)

    def importance(self, value: str = "rate_hz", *, bins: int | None = None) -> xr.DataArray:
        """Of each swept key, the fraction of a result's variance that it explains by itself: the
        first-order Sobol index, `neurolab.analysis.main_effect`. On a grid what is missing from a
        sum of 1 is of keys together.

        Keys with ``random`` or ``sobol`` are taken in ``bins`` of as many points each (the cube
        root of twice their number), less what is there by chance; what a key does within a bin is
        not seen, of K bins 1/K² of a straight line. Sobol sequences are more even than chance: of
        their keys up to (K - 1) / (n - K) is missing.

        Raises:
            ValueError: there is no such result, or not two samples for each bin.
        """
        from neurolab.results.dependence import importance_of

        return importance_of(self.data, value, bins)

    @property
    def plot(self) -> SweepPlot:
        """Panels on axes of one's own: ``sweep.plot.lines(x="b", by="tau")``;
        `neurolab.plots.panels_sweep`."""
        # Pictures stand above results, which do not import them: they are found by their name.
        found: SweepPlot = import_module("neurolab.plots.panels_sweep").SweepPlot(self)
        return found

    def key(self, name: str) -> str:
        """The swept key of a name, or of the end of one that no other has.

        Raises:
            KeyError: there is none, or more than one.
        """
        keys = [str(key) for key in self.data.coords]
        found = [key for key in keys if key == name or key.endswith(f".{name}")]
        if name in keys or len(found) == 1:
            return name if name in keys else found[0]
        why = f"may be {' or '.join(found)}" if found else f"was not swept; {', '.join(keys)} were"
        raise KeyError(f"{name} {why}")

    def __getattr__(self, name: str) -> xr.DataArray:
        if not name.startswith("_") and name in self.data:
            return self.data[name]
        there = ", ".join(map(str, self.data.data_vars))
        raise AttributeError(f"a sweep has no '{name}'; its data has {there}")

    def __len__(self) -> int:
        return len(self.plan)

    def __iter__(self) -> Iterator[PointRun]:
        """The points that have anything recorded; `rows` has what became of the others."""
        for index in self.rows.where("completed", "partial", "diverged").tolist():
            try:
                yield self[index]
            except KeyError:  # recorded nothing: its summary is in the table
                continue

    def __getitem__(self, index: int) -> PointRun:
        """A point as a run.

        Raises:
            IndexError: there is no such point.
            KeyError: it was not computed, or recorded nothing.
            TypeError: the index is no whole number.
        """
        index = self._point(index)
        row = self.rows.get(index, {"status": "missing"})
        if "batch" not in row:
            if row["status"] == "damaged":
                raise self.rows.damaged[0]
            why = f": {row['message']}" if row.get("message") else ""
            raise KeyError(f"point {index} is {row['status']}{why}")
        return PointRun(row, self.config(index), self.overrides(index))

    def overrides(self, index: int) -> list[str]:
        """What is typed to compute a point alone."""
        return self.plan.alone(self._point(index))

    def config(self, index: int) -> DictConfig:
        """The composed configuration of a point."""
        from omegaconf import OmegaConf

        return OmegaConf.create(self.plan.config(self._point(index)))

    def _point(self, index: int) -> int:
        """The index of a point, counted from the end where it is negative."""
        if not isinstance(index, (int, np.integer)):
            kind = type(index).__name__
            raise TypeError(
                f"a point is one whole number, not a {kind}; try [sweep[i] for i in ..]"
            )
        if not -len(self) <= index < len(self):
            raise IndexError(f"no point {index}: there are {len(self)}, 0 to {len(self) - 1}")
        return range(len(self))[index]

    def __repr__(self) -> str:
        shape = " x ".join(f"{n} {name}" for name, n in self.data["status"].sizes.items())
        done = self.rows.counts()["completed"]
        status = "damaged" if self.damaged else self.summary.get("status")
        status = status or standing(self.path)[0]
        told = f"Sweep {self.path}\n  {shape}; {done} of {len(self)} points completed ({status})"
        return "\n".join([told, *map(str, self.damaged)])

    def _repr_html_(self) -> str:
        from neurolab.results.notebook import of_sweep

        return of_sweep(self)


def open_sweep(path: str | Path) -> Sweep:
    """Open the folder of a sweep.

    What of it is damaged is told (`Sweep.damaged`); the rest can be read.

    Raises:
        FileNotFoundError: there is no sweep.
        ValueError: another version wrote it; a `DamagedError`, if what it is is not as it was.
    """
    path = Path(path)
    if path.suffix == ".zarr":
        path = path.parent
    if not SweepFolder(path).begun:
        raise FileNotFoundError(
            f"{path} is not the folder of a sweep: it has no definition.json. "
            "Sweeps are usually in folders outputs/<date>/<time>-sweep."
        )
    sweep = Sweep(path)
    for damaged in sweep.damaged:
        log.warning("%s", damaged)
    return sweep
