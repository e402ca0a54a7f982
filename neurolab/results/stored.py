"""Parts of arrays as they are stored, all of which is there and as it was written."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.damage import DamagedError

__all__ = ["whole"]

#: Formats in which chunks without a value have no file.
_SPARSE = ("neurolab results 1", "neurolab results 2", None)


def whole(group: Any, name: str, *where: Any) -> np.ndarray:
    """A part of an array of results, all of which is there; in folders of before, all but for
    numbers that are NaN.

    Raises
    ------
    DamagedError
        Some of it was lost, or was changed after it was written.
    """
    place = f"{group.store_path}/{name}".removeprefix("file://")
    try:
        array = group[name]
    except KeyError:
        raise DamagedError(place, "it is missing") from None
    except (ValueError, TypeError) as error:
        raise DamagedError(place, f"its metadata was changed ({error})") from error
    on_disk = Path(place).is_dir()
    if on_disk and group.attrs.get("format") not in _SPARSE:
        for chunk in _chunks(array, where):
            if not (file := _file(array, place, chunk)).is_file():
                raise DamagedError(file, "it is missing")
    try:
        values: np.ndarray = np.asarray(array.oindex[where])
    except (ValueError, RuntimeError) as error:
        unread = (chunk for chunk in _chunks(array, where) if not _can_be_read(array, chunk))
        files = (_file(array, place, chunk) for chunk in unread)
        damaged = next(files, place) if on_disk else place
        raise DamagedError(damaged, f"it was changed after it was written ({error})") from error
    short = any(
        isinstance(at, slice) and (at.stop or 0) > n
        for at, n in zip(where, array.shape, strict=False)
    )
    # Where nothing is said to be lost, in folders of before, zero is a value.
    gone = array.dtype.kind == "i" and array.fill_value and np.any(values == array.fill_value)
    if short or gone:
        raise DamagedError(place, "a part of it is missing")
    return values


def _chunks(array: Any, where: tuple[Any, ...]) -> Iterator[tuple[int, ...]]:
    """The chunks in which a part of an array lies."""
    found: list[Iterable[int]] = []
    for at, n, size in itertools.zip_longest(where, array.shape, array.chunks):
        if at is None or isinstance(at, slice):
            inside = range(n)[at or slice(None)]
            ends = sorted((inside[0], inside[-1])) if inside else (0, -1)
            found.append(range(ends[0] // size, ends[1] // size + 1))
        else:
            found.append(np.unique(np.asarray(at) // size).tolist())
    yield from itertools.product(*found)


def _file(array: Any, place: str, chunk: tuple[int, ...]) -> Path:
    return Path(place, array.metadata.encode_chunk_key(chunk))


def _can_be_read(array: Any, chunk: tuple[int, ...]) -> bool:
    try:
        _ = array.blocks[chunk]
    except (ValueError, RuntimeError):
        return False
    return True
