"""Files of results that are not as they were written: told by name, with what is wrong and what
to try, wherever a run or a sweep is opened."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.layout import COMMIT, RESULTS, Commit

__all__ = [
    "DamagedError",
    "checked_commit",
    "lost",
    "lost_results",
    "read_commit",
    "read_mapping",
    "whole",
]

_AGAIN = "Copy it again, or"
_REMEDIES = {
    "summary.json": f"{_AGAIN} remove it: the results can be opened without it.",
    "failures.json": f"{_AGAIN} remove it: points that failed are then called missing.",
    "definition.json": f"{_AGAIN} compute the sweep anew, in another folder.",
}
_BATCH = re.compile(r".*/batches/\d{6,}(-[0-9a-f]+)?(?=/)")


class DamagedError(ValueError):
    """A file of results is not as it was written.

    Parameters
    ----------
    what
        The file, or the array.
    why
        What is wrong with it.
    """

    def __init__(self, what: Path | str, why: str) -> None:
        remedy, batch = _REMEDIES.get(Path(what).name), _BATCH.match(str(what))
        if remedy is None and batch:
            again = f"remove {batch.group()} and go on with the sweep (sweep.resume)"
            remedy = f"{_AGAIN} {again}: its points are computed again."
        super().__init__(f"{what} is damaged: {why}. {remedy or 'Copy or compute the run again.'}")


def read_mapping(path: Path, *, needed: bool = True) -> dict[str, Any]:
    """A JSON file of results; empty where one that is not ``needed`` is not there.

    Raises
    ------
    DamagedError
        It is missing, was not copied whole, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text)
    except FileNotFoundError:
        if needed:
            raise DamagedError(path, "it is missing") from None
        return {}
    except NotADirectoryError:
        raise DamagedError(path.parent, "it is no folder") from None
    except UnicodeDecodeError as error:
        raise DamagedError(path, f"it is no text ({error})") from None
    except json.JSONDecodeError as error:
        raise DamagedError(
            path, f"it is no whole JSON ({error})" if text else "it is empty"
        ) from None
    if not isinstance(found, dict):
        raise DamagedError(path, "it holds no mapping")
    return found


def read_commit(folder: Path) -> Commit:
    """The last commit in a folder; zero steps when nothing was committed yet."""
    found = read_mapping(folder / COMMIT, needed=False)
    try:
        commit = Commit(**found)
        counts = (commit.steps, *commit.lengths.values())
        whole = all(type(n) is int and n >= 0 for n in counts)
    except (TypeError, AttributeError) as error:
        raise DamagedError(folder / COMMIT, str(error)) from None
    if not whole or not isinstance(commit.extra, dict):
        raise DamagedError(folder / COMMIT, f"its counts are {counts}")
    return commit


def lost_results(folder: Path, summary: Mapping[str, Any]) -> DamagedError | None:
    """What is to be told of a folder without results that had some; None if it had none."""
    steps = summary.get("n_steps") or read_commit(folder).steps
    place = folder / RESULTS
    place = place / "zarr.json" if place.is_dir() else place
    return DamagedError(place, f"it is missing; {steps} steps were recorded") if steps else None


def checked_commit(folder: Path, about: Mapping[str, Any]) -> Commit:
    """The last commit in a folder, of the arrays beside it, ``about`` being what their writer said
    of them.  It is read again where it is not: a run may end between two reads.

    Raises
    ------
    DamagedError
        Its steps are not theirs or the summary's, or arrays are missing or shorter than it says.
    """
    commit = read_commit(folder)
    try:
        _check(folder, commit, about)
    except DamagedError:
        if (again := read_commit(folder)) == commit:
            raise
        _check(folder, again, about)
        return again
    return commit


def _check(folder: Path, commit: Commit, about: Mapping[str, Any]) -> None:
    summary = read_mapping(folder / "summary.json", needed=False)
    done = summary.get("n_steps") if summary.get("status") == "completed" else None
    if done not in (None, commit.steps):
        told = f"it has {commit.steps} steps" if (folder / COMMIT).exists() else "it is missing"
        raise DamagedError(folder / COMMIT, f"{told}; {done} were completed")
    every = {name: trace["every"] for name, trace in about["traces"].items()}
    along_second = {*every, "rate_counts"} if about.get("n_points") is not None else set()
    if about.get("rate_bin_steps") is not None:
        every["rate_counts"] = about["rate_bin_steps"]
    for name, n in every.items():
        if commit.lengths.get(name, 0) != commit.steps // n:
            told = (
                f"it has {commit.steps} steps, and {commit.lengths.get(name, 0)} values of {name}"
            )
            raise DamagedError(folder / COMMIT, f"{told}, one every {n}")
    for name, n in commit.lengths.items():
        shape = read_mapping(folder / RESULTS / name / "zarr.json").get("shape", ())
        length = [0, 0, *shape][2 + (name in along_second)] if shape else 0
        if length < n:
            why = f"a part of it is missing: {n} values were committed, it has {length}"
            raise DamagedError(folder / RESULTS / name, why)


def lost(dtype: np.dtype[Any]) -> Any:
    """What stands for values whose file is missing: no number, or one that none of ours is."""
    if dtype.kind == "f":
        return np.nan
    return np.iinfo(dtype).min if dtype.kind == "i" else None


def whole(group: Any, name: str, *where: Any) -> np.ndarray:
    """A part of an array of results, all of which is there but for numbers that are NaN.

    Raises
    ------
    DamagedError
        Some of it was lost, or was changed after it was written.
    """
    place = f"{group.store_path}/{name}".removeprefix("file://")
    try:
        array = group[name]
        values: np.ndarray = np.asarray(array.oindex[where])
    except KeyError:
        raise DamagedError(place, "it is missing") from None
    except (ValueError, RuntimeError) as error:
        raise DamagedError(place, f"it was changed after it was written ({error})") from error
    short = any(
        isinstance(at, slice) and (at.stop or 0) > n
        for at, n in zip(where, array.shape, strict=False)
    )
    # Where nothing is said to be lost, in folders of before, zero is a value.
    gone = array.dtype.kind == "i" and array.fill_value and np.any(values == array.fill_value)
    if short or gone:
        raise DamagedError(place, "a part of it is missing")
    return values
