"""The points of a sweep as columns, as labelled arrays over the swept keys, and as a table."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.results.batches import SweepFolder
from neurolab.results.damage import DamagedError
from neurolab.results.layout import replacing
from neurolab.results.plan import Plan, flat

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "STATUSES",
    "VALUES",
    "Table",
    "as_dataset",
    "as_told",
    "name_of",
    "write_csv",
    "write_zarr",
]

#: Summary values of a point: unit and what it is.
VALUES = {
    "rate_hz": ("Hz", "firing rate"),
    "rate_hz_std": ("Hz", "s.d. of firing rates over neurons"),
    "isi_cv": ("1", "CV of inter-spike intervals"),
    "spike_count": ("1", "number of spikes"),
    "rate_hz_so_far": ("Hz", "firing rate of what diverged or was stopped, until then"),
}
#: What may have become of a point; ``partial``: it was stopped, and has what it had by then.
#: ``damaged``: nothing is known of it, and a file that may say what became of it is damaged.
STATUSES = ("missing", "completed", "partial", "diverged", "refused", "failed", "damaged")
_WHOLE = ("n_steps", "seed", "in_batch", "spike_count")
_NUMBERS = (*VALUES, "duration_ms", "n_steps", "seed", "in_batch")


class Table(Mapping[int, dict[str, Any]]):
    """What became of each point, column by column; a row of one point by its index.

    Points of which nothing is known have no row. Those of networks have values of each population
    too, in columns such as ``rate_hz.E``.
    """

    def __init__(self, plan: Plan, folder: SweepFolder) -> None:
        n = len(plan)
        self.status = np.zeros(n, np.uint8)
        self.columns = {name: np.full(n, np.nan) for name in _NUMBERS}
        self.messages: dict[int, str] = {}
        #: Names of the populations of networks.
        self.populations: list[str] = []
        numbers: dict[Path, int] = {}
        self._batch = np.full(n, -1, np.int32)
        for why, points in plan.refused.items():
            self.status[points] = STATUSES.index("refused")
            self.messages |= dict.fromkeys(points.tolist(), why)
        #: What is wrong with files that may say what became of points that have no row.
        self.damaged: list[DamagedError] = []
        failures, rows = folder.failures(self.damaged), folder.rows(self.damaged)
        for index, row in (*failures.items(), *rows.items()):
            self._put(index, row, numbers)
        self._paths = list(numbers)
        self.damaged = self.damaged or self._lost(folder)
        if (unknown := self.where("missing")).size and self.damaged:
            self.status[unknown] = STATUSES.index("damaged")
            told = "; ".join(map(str, self.damaged))
            self.messages |= dict.fromkeys(unknown.tolist(), told)
        else:
            self.damaged = []

    def _lost(self, folder: SweepFolder) -> list[DamagedError]:
        """What is wrong where fewer points are known than there were when the sweep ended."""
        try:
            before = folder.summary().get("missing")
        except DamagedError:
            return []
        now = self.where("missing").size
        if before is None or now <= before:
            return []
        told = f"{now - before} more points have no row in it or in failures.json than at the end"
        return [DamagedError(folder.path / "batches", told)]

    def _put(self, index: int, row: Mapping[str, Any], batches: dict[Path, int]) -> None:
        self.status[index] = STATUSES.index(row["status"])
        for name in _NUMBERS:
            if row.get(name) is not None:
                self.columns[name][index] = row[name]
        for population, own in (row.get("populations") or {}).items():
            if population not in self.populations:
                self.populations.append(population)
                none = {_of(name, population): np.full(self.status.size, np.nan) for name in VALUES}
                self.columns |= none
            for name in VALUES:
                if own.get(name) is not None:
                    self.columns[_of(name, population)][index] = own[name]
        if row.get("message"):
            self.messages[index] = row["message"]
        if "batch" in row:
            self._batch[index] = batches.setdefault(row["batch"], len(batches))

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < self.status.size or not self.status[index]:
            raise KeyError(index)
        row: dict[str, Any] = {"point": index, "status": STATUSES[self.status[index]]}
        row["message"] = self.messages.get(index, "")
        if self._batch[index] >= 0:
            row |= {name: _known(self.columns[name][index], name) for name in _NUMBERS}
            own = {
                one: {name: _known(self.columns[_of(name, one)][index], name) for name in VALUES}
                for one in self.populations
            }
            own = {one: values for one, values in own.items() if set(values.values()) != {None}}
            row |= {"populations": own} if own else {}
            row["batch"] = self._paths[self._batch[index]]
        return row

    @property
    def about(self) -> dict[str, tuple[str, str]]:
        """The columns of summary values, those of each population too: unit and what it is."""
        return {
            _of(name, one): (unit, f"{text} of {one}" if one else text)
            for name, (unit, text) in VALUES.items()
            for one in ("", *self.populations)
        }

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self.status).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(self.status))

    def batches(self) -> Iterator[tuple[Path, np.ndarray]]:
        """The folder of each batch, and its points."""
        order = np.argsort(self._batch, kind="stable")
        ends = np.cumsum(np.bincount(self._batch + 1, minlength=len(self._paths) + 1))
        yield from zip(self._paths, np.split(order, ends)[1:], strict=False)

    def where(self, *statuses: str) -> np.ndarray:
        """The points of some statuses."""
        return np.flatnonzero(np.isin(self.status, [STATUSES.index(one) for one in statuses]))

    def counts(self) -> dict[str, int]:
        """How many points have each status."""
        found = np.bincount(self.status, minlength=len(STATUSES))
        return dict(zip(STATUSES, found.tolist(), strict=True))

    def rates(self) -> dict[str, tuple[float, float]]:
        """The least and the largest rate in Hz of points that were completed: of all neurons, by an
        empty name, and of each population."""
        completed, found = self.where("completed"), {}
        for name in ("", *self.populations):
            rates = self.columns[_of("rate_hz", name)][completed]
            if np.isfinite(rates).any():
                found[name] = (float(np.nanmin(rates)), float(np.nanmax(rates)))
        return found

    def statuses(self) -> np.ndarray:
        """The status of every point, as text."""
        return np.array(STATUSES, "U9")[self.status]


def as_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a point, or of a population of it, by the names that a run's summary has."""
    names, ours = {"rate_hz": "rate_hz_mean", "isi_cv": "isi_cv_mean"}, ("batch", "in_batch")
    return {names.get(key, key): value for key, value in row.items() if key not in ours}


def _of(name: str, population: str) -> str:
    """The column of a population's value, or of all neurons' by an empty name."""
    return f"{name}.{population}" if population else name


def _known(value: float, column: str) -> float | None:
    """A value of a column as it was put there; None where nothing is known."""
    if value != value:
        return None
    return int(value) if column.partition(".")[0] in _WHOLE else float(value)


def name_of(key: str) -> str:
    """A key as the name of a coordinate: a slash would be a group of a Zarr store."""
    return key.replace("/", ".").replace("@", ".")


def as_dataset(plan: Plan, table: Table) -> xr.Dataset:
    """Summary values over the swept keys; NaN and the status ``missing`` where there are none yet.

    Values of the populations of networks have a dimension ``population``, and its name before
    theirs: ``population_rate_hz``. Attributes say what all points share, as it was configured.
    """
    import xarray as xr

    names = [name_of(axis.name) for axis in plan.axes] or ["point"]
    shape = plan.shape or (1,)
    data: dict[str, Any] = {
        name: (
            names,
            table.columns[name].reshape(shape),
            {"units": unit, "long_name": long_name},
        )
        for name, (unit, long_name) in VALUES.items()
    }
    data["status"] = (names, table.statuses().reshape(shape))
    if "point" not in names:
        about = {"long_name": "index of the point"}
        data["point"] = (names, np.arange(len(plan)).reshape(shape), about)
    coordinates: dict[str, Any] = {}
    if table.populations:
        coordinates["population"] = table.populations
        for name, (unit, long_name) in VALUES.items():
            own = [table.columns[_of(name, one)].reshape(shape) for one in table.populations]
            about = {"units": unit, "long_name": long_name}
            data[f"population_{name}"] = ([*names, "population"], np.stack(own, -1), about)
    for axis, dim in zip(plan.axes, names, strict=False):
        for typed, key in zip(axis.columns, axis.keys, strict=True):
            values, unit = axis.coordinate(typed)
            about = {"units": unit} if unit else {}
            about |= {"key": key} if name_of(key) != key else {}
            coordinates[name_of(key)] = (dim, values, about)
    for typed in plan.numbered:
        values = np.array([plan.numbered_value(typed, point) for point in range(len(plan))])
        coordinates[typed.lstrip("+")] = (names, values.reshape(shape))
    return xr.Dataset(data, coordinates, {"title": plan.title, **_fixed(plan)})


def _fixed(plan: Plan) -> dict[str, Any]:
    """The values that all points have, by key."""
    flats = [dict(flat(template)) for template in plan.templates]
    varying = plan.varying
    return {
        key: value
        for key, value in (flats[0].items() if flats else ())
        if value not in (None, {}, [])
        and key not in varying
        and not key.startswith(("tracker.", "report.", "vars.", "network."))
        and all(key in other and other[key] == value for other in flats)
    }


def write_zarr(data: xr.Dataset, path: Path) -> None:
    """Replace ``path`` by the data."""
    from zarr.codecs import BloscCodec, Crc32cCodec

    codecs = {"compressors": (BloscCodec(cname="zstd", clevel=1), Crc32cCodec())}
    encoding = dict.fromkeys(data.variables, codecs)
    # Text has no place in the Zarr 3 standard yet.
    with replacing(path) as partial, warnings.catch_warnings(action="ignore"):
        data.to_zarr(partial, mode="w", zarr_format=3, encoding=encoding)


def write_csv(plan: Plan, table: Table, path: Path) -> None:
    """A row for each point: swept keys as typed, status, summary values, why it went wrong."""
    keys: dict[str, list[Any]] = {}
    for axis, place in zip(plan.axes, plan.places(np.arange(len(plan))), strict=True):
        for key, column in zip(axis.keys, axis.columns.values(), strict=True):
            texts = [column.text(at) for at in range(len(column))]
            keys[key] = [texts[at] for at in place.tolist()]
    for typed in plan.numbered:
        key = typed.lstrip("+")
        keys[key] = [plan.numbered_value(typed, point) for point in range(len(plan))]
    columns: dict[str, list[Any]] = {
        name: [_known(value, name) for value in table.columns[name].tolist()]
        for name in (*table.about, "duration_ms", "seed")
        if name not in keys
    }
    columns["message"] = [table.messages.get(point, "") for point in range(len(plan))]
    with replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["point", *keys, "status", *columns])
        points, statuses = range(len(plan)), table.statuses().tolist()
        writer.writerows(zip(points, *keys.values(), statuses, *columns.values(), strict=True))
