"""What the results of a sweep depend on: `Sweep.fi`, `Sweep.importance`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.analysis import fi_curve, main_effect

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["fi_of", "importance_of", "only_number"]

#: Axes of points that were drawn, or are in no order: each of their keys is a factor.
_DRAWN = ("sample", "point")


def only_number(data: xr.Dataset) -> str:
    """The one swept key whose values are numbers; seeds are none.

    Raises:
        ValueError: there is none, or more than one.
    """
    keys = [str(key) for key, values in data.coords.items() if _numeric(values)]
    keys = [key for key in keys if key.rpartition(".")[2] != "seed"]
    if len(keys) != 1:
        there = f"one of {', '.join(keys)}" if keys else "none was swept"
        raise ValueError(f"a curve is over a key with numbers; give {there}")
    return keys[0]


def fi_of(data: xr.Dataset, key: str, value: str, **options: Any) -> xr.Dataset:
    """What `fi_curve` says of a result over a swept key, over the other axes.

    Raises:
        ValueError: the key has no numbers, or other keys change with it.
    """
    import xarray as xr

    x, y = data[key], _result(data, value)
    if not _numeric(x):
        raise ValueError(f"{key} must have numbers, one at each place of its axis")
    (dim,) = x.dims
    if others := [str(one) for one, c in data.coords.items() if c.dims == (dim,) and one != key]:
        raise ValueError(f"the curve must be over {key} alone; {', '.join(others)} change with it")
    y = y.transpose(..., dim)
    found = fi_curve(x.values, y.values, **options)
    kept = [str(name) for name in y.dims if name != dim]
    unit = str(x.attrs.get("units", ""))
    per = f"{y.attrs.get('units', 'Hz')}/{unit}" if unit else str(y.attrs.get("units", "Hz"))
    variables = {
        "gain": (kept, found.gain, {"units": per}),
        "rheobase": (kept, found.rheobase, {"units": unit}),
        "silent": (kept, found.silent, {"units": unit}),
    }
    coordinates = {name: c for name, c in y.coords.items() if set(c.dims) <= set(kept)}
    return xr.Dataset(variables, coordinates, {"input": key})


def importance_of(data: xr.Dataset, value: str, bins: int | None) -> xr.DataArray:
    """What `main_effect` says of each axis, and of each key that is sampled.

    Raises:
        ValueError: there are too few samples for bins.
    """
    import xarray as xr

    y, axes = _result(data, value), data["status"].dims
    y = y.transpose(*axes, ...)
    shape = tuple(data.sizes[axis] for axis in axes)
    columns = y.values.reshape(*shape, -1)
    found: dict[str, list[float]] = {}
    for place, axis in enumerate(axes):
        keys = {str(key): c.values for key, c in data.coords.items() if c.dims == (axis,)}
        rows = np.moveaxis(columns, place, 0).reshape(shape[place], -1, columns.shape[-1])
        whole = [_of_axis(rows[..., k]) for k in range(columns.shape[-1])]
        if not (keys and axis in _DRAWN):
            # What is walked together is one factor, by all of its names.
            found[", ".join(keys) or str(axis)] = whole
            continue
        known = np.isfinite(rows)
        with np.errstate(invalid="ignore"):  # of a sample of which nothing is known
            means = np.where(known, rows, 0.0).sum(axis=1) / known.sum(axis=1)
        for key, values in keys.items():
            group = _bins(key, values, bins)
            # Of what samples explain together, a part: they were drawn once for all other axes.
            own = (main_effect(column, group, sampled=True) for column in means.T)
            found[key] = [part * of for part, of in zip(own, whole, strict=True)]
    rest = [str(name) for name in y.dims if name not in axes]
    return xr.DataArray(
        np.array([*found.values()]).reshape(len(found), *y.shape[len(axes) :]),
        coords={"key": list(found)} | {name: y[name] for name in rest if name in y.coords},
        dims=["key", *rest],
        name="importance",
        attrs={"units": "1", "long_name": f"fraction of the variance of {value}"},
    )


def _of_axis(rows: np.ndarray) -> float:
    """What the place along an axis explains, of points over (place, all others)."""
    return main_effect(rows.reshape(-1), np.repeat(np.arange(len(rows)), rows.shape[1]))


def _bins(key: str, values: np.ndarray, bins: int | None) -> np.ndarray:
    """Bins of as many samples each, in the order of their values; of few values, and of options,
    one for each."""
    names, group = np.unique(
        values if values.dtype.kind in "iuf" else values.astype(str), return_inverse=True
    )
    most = values.size // 2
    many = max(2, round(float(np.cbrt(2 * values.size)))) if bins is None else bins
    if values.dtype.kind not in "iuf" or names.size <= many <= most:
        return group
    if not 2 <= many <= most:
        told = f"{values.size} samples of {key} are for 2 to {most} bins"
        raise ValueError(f"{told}, got {many}" if most >= 2 else f"{key} needs four samples")
    ranks = np.empty(values.size, np.int64)
    ranks[np.argsort(values, kind="stable")] = np.arange(values.size)
    return ranks * many // values.size


def _result(data: xr.Dataset, value: str) -> xr.DataArray:
    there = [str(name) for name in data.data_vars if data[name].dtype.kind in "iuf"]
    if value not in there:
        raise ValueError(f"a sweep has no result {value!r}; it has {', '.join(there)}")
    return data[value]


def _numeric(values: xr.DataArray) -> bool:
    return values.dtype.kind in "iuf" and len(values.dims) == 1
