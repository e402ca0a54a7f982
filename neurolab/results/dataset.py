"""The points of a sweep as labelled arrays over the swept keys, and as files."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.results.layout import replacing
from neurolab.results.plan import Plan, flat
from neurolab.results.table import VALUES, Table, column_of, known, said

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["as_dataset", "name_of", "write_csv", "write_zarr"]


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
    data |= _measured(table, names, shape)
    data["status"] = (names, table.statuses().reshape(shape))
    if "point" not in names:
        about = {"long_name": "index of the point"}
        data["point"] = (names, np.arange(len(plan)).reshape(shape), about)
    coordinates: dict[str, Any] = {}
    if table.populations:
        coordinates["population"] = table.populations
        for name, (unit, long_name) in VALUES.items():
            own = [table.columns[column_of(name, one)].reshape(shape) for one in table.populations]
            about = {"units": unit, "long_name": long_name}
            data[f"population_{name}"] = ([*names, "population"], np.stack(own, -1), about)
    for axis, dim in zip(plan.axes, names, strict=False):
        for typed, key in zip(axis.columns, axis.keys, strict=True):
            values, unit = axis.coordinate(typed)
            about = {"units": unit} if unit else {}
            about |= {"long_name": words} if (words := plan.about.get(key)) else {}
            about |= {"key": key} if name_of(key) != key else {}
            coordinates[name_of(key)] = (dim, values, about)
    for typed in plan.numbered:
        values = np.array([plan.numbered_value(typed, point) for point in range(len(plan))])
        coordinates[typed.lstrip("+")] = (names, values.reshape(shape))
    return xr.Dataset(data, coordinates, {"title": plan.title, **_fixed(plan)})


def _measured(table: Table, names: list[str], shape: tuple[int, ...]) -> dict[str, Any]:
    """The values that `record.summary` asks for; of populations that have none NaN."""
    data: dict[str, Any] = {}
    for (name, population), unit in table.measured.items():
        about = {"units": unit, "long_name": said(name), "measured": 1}
        if not population:
            data[name] = (names, table.columns[name].reshape(shape), about)
        elif f"population_{name}" not in data:
            none = np.full(shape, np.nan)
            own = [column_of(name, one) for one in table.populations]
            each = [table.columns[c].reshape(shape) if c in table.columns else none for c in own]
            data[f"population_{name}"] = ([*names, "population"], np.stack(each, -1), about)
    return data


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
        name: [known(value, name) for value in table.columns[name].tolist()]
        for name in (*table.about, "duration_ms", "seed")
        if name not in keys
    }
    columns["message"] = [table.messages.get(point, "") for point in range(len(plan))]
    with replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["point", *keys, "status", *columns])
        points, statuses = range(len(plan)), table.statuses().tolist()
        writer.writerows(zip(points, *keys.values(), statuses, *columns.values(), strict=True))
