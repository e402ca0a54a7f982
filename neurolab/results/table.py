"""The points of a sweep as a table and as labelled arrays over the swept keys."""

from __future__ import annotations

import csv
import itertools
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["VALUES", "as_dataset", "axes_of", "swept", "write_csv", "write_zarr"]

#: Summary values of a point: unit and what it is.
VALUES = {
    "rate_hz": ("Hz", "firing rate"),
    "rate_hz_std": ("Hz", "s.d. of firing rates over neurons"),
    "isi_cv": ("1", "CV of inter-spike intervals"),
    "spike_count": ("1", "number of spikes"),
}


def swept(jobs: Sequence[Sequence[str]]) -> list[str]:
    """Keys that do not have the same value in all jobs, in the order they are given."""
    texts: dict[str, dict[str | None, None]] = {}
    for number, job in enumerate(jobs):
        given = dict(_split(text) for text in job)
        for key in given.keys() - texts.keys():
            texts[key] = dict.fromkeys([None] if number else [])
        for key, seen in texts.items():
            seen[given.get(key)] = None
    order = dict.fromkeys(_split(text)[0] for job in jobs for text in job)
    return [key for key in order if len(texts[key]) > 1]


def axes_of(jobs: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Name and keys of each axis: a grid if the jobs are one, else one axis named ``point``."""
    keys = swept(jobs)
    if not keys:
        return [{"name": "point", "keys": []}]
    places = [tuple(dict(_split(t) for t in job).get(key) for key in keys) for job in jobs]
    unique = [list(dict.fromkeys(place[k] for place in places)) for k in range(len(keys))]
    if list(itertools.product(*unique)) == places:
        return [{"name": key, "keys": [key]} for key in keys]
    return [{"name": "point", "keys": keys}]


def _split(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key.lstrip("+~"), value


def as_dataset(definition: Mapping[str, Any], rows: Mapping[int, Mapping[str, Any]]) -> xr.Dataset:
    """Summary values over the swept keys; NaN and the status ``missing`` where there are none yet.

    ``definition`` has ``axes``, each with its name, keys, and the values and units of these.
    """
    import xarray as xr

    axes = definition["axes"]
    shape = tuple(axis["size"] for axis in axes)
    names = [axis["name"] for axis in axes]
    n = len(definition["points"])
    data: dict[str, Any] = {}
    for name, (unit, long_name) in VALUES.items():
        values = np.full(n, np.nan)
        for index, row in rows.items():
            values[index] = np.nan if row.get(name) is None else row[name]
        data[name] = (names, values.reshape(shape), {"units": unit, "long_name": long_name})
    status = np.array([rows[i]["status"] if i in rows else "missing" for i in range(n)], dtype="U9")
    data["status"] = (names, status.reshape(shape))
    data["point"] = (names, np.arange(n).reshape(shape), {"long_name": "index of the point"})
    coordinates: dict[str, Any] = {}
    for axis in axes:
        for key in axis["keys"]:
            about = {"units": axis["units"][key]} if axis["units"].get(key) else {}
            coordinates[key] = (axis["name"], np.array(axis["values"][key]), about)
    if "point" in names:
        del data["point"]
    return xr.Dataset(data, coordinates, {"title": definition.get("title", "")})


def write_zarr(data: xr.Dataset, path: Path) -> None:
    """Replace ``path`` by the data."""
    partial = path.with_name(path.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with warnings.catch_warnings(action="ignore"):  # text has no place in the Zarr 3 standard yet
        data.to_zarr(partial, mode="w", zarr_format=3)
    shutil.rmtree(path, ignore_errors=True)
    partial.replace(path)


def write_csv(
    definition: Mapping[str, Any], rows: Mapping[int, Mapping[str, Any]], path: Path
) -> None:
    """A row for each point: swept keys as typed, status, summary values, all overrides."""
    keys = [key for axis in definition["axes"] for key in axis["keys"]]
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", newline="") as file:
        table = csv.writer(file)
        columns = ["status", *VALUES, "duration_ms", "seed", "message"]
        columns = [name for name in columns if name not in keys]
        table.writerow(["point", *keys, *columns, "overrides"])
        for index, point in enumerate(definition["points"]):
            given = dict(_split(text) for text in point["overrides"])
            row = rows.get(index, {"status": "missing"})
            found = [row.get(name) for name in columns]
            values = ["" if value is None else value for value in found]
            table.writerow(
                [
                    index,
                    *(given.get(key, "") for key in keys),
                    *values,
                    " ".join(point["overrides"]),
                ]
            )
    partial.replace(path)
