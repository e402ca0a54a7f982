"""Files of results that are not as they were written: told by name, with what is wrong and what
to try, wherever a run or a sweep is opened."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.layout import COMMIT, RESULTS, Commit, growing_axis, kept
from neurolab.results.sealed import digest_of_file, digest_of_metadata, intact

__all__ = [
    "SUMMARY",
    "DamagedError",
    "check_file",
    "checked_commit",
    "lost",
    "lost_results",
    "read_commit",
    "read_mapping",
]

SUMMARY = "summary.json"
_CHANGED = "it was changed after it was written"
_AGAIN = "Copy it again, or"
_REMEDIES = {
    SUMMARY: f"{_AGAIN} remove it: the results can be read without it.",
    "failures.json": f"{_AGAIN} go on with the sweep (resume=<folder>), which tries them again.",
    "batches": f"{_AGAIN} go on with the sweep (resume=<folder>): they are computed again.",
    "definition.json": f"{_AGAIN} compute the sweep anew, in another folder.",
    "checkpoint.npz": f"{_AGAIN} go on (resume=<folder>): what is there is computed once more.",
    "stimulus.json": f"{_AGAIN} go on (resume=<folder>), which writes it again.",
    "sweep.csv": f"{_AGAIN} go on with the sweep (resume=<folder>), which writes it again.",
    "sweep.zarr": f"{_AGAIN} go on with the sweep (resume=<folder>), which writes it again.",
    "run.json": "Copy it again: the results can be read without it, but not gone on with.",
    "config.yaml": "Copy it again: the results can be read without it.",
    "overrides.yaml": "Copy it again: the results can be read without it.",
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

    #: The step from which on results are not whole; None where it hurts no step.
    first_step: int | None = None

    def __init__(self, what: Path | str, why: str) -> None:
        remedy, batch = _REMEDIES.get(Path(what).name), _BATCH.match(str(what))
        if remedy is None and batch:
            again = f"remove {batch.group()} and go on with the sweep (resume=<folder>)"
            remedy = f"{_AGAIN} {again}: its points are computed again."
        super().__init__(f"{what} is damaged: {why}. {remedy or 'Copy or compute the run again.'}")
        self.what = Path(what)


def read_mapping(path: Path, *, needed: bool = True) -> dict[str, Any]:
    """A JSON file of results; empty where one that is not ``needed`` is not there.

    Raises
    ------
    DamagedError
        It is missing, was not copied whole, was changed, or holds something else.
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
    if not intact(text, found):
        raise DamagedError(path, _CHANGED)
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


def checked_commit(
    folder: Path, about: Mapping[str, Any]
) -> tuple[Commit, dict[str, DamagedError]]:
    """The last commit in a folder, of the arrays beside it, ``about`` being what their writer said
    of them; and what of arrays and other files is damaged, by name: the rest can be read.  It is
    read again where it does not fit: a run may end between two reads.

    Raises
    ------
    DamagedError
        The commit is damaged, or what is said of all arrays; or it is not theirs.
    """
    commit = read_commit(folder)
    try:
        return commit, _check(folder, commit, about)
    except DamagedError:
        if (again := read_commit(folder)) == commit:
            raise
        return again, _check(folder, again, about)


def check_file(folder: Path, name: str, commit: Commit) -> None:
    """That a file of which the commit has a digest is as it was.

    Raises
    ------
    DamagedError
        It is not.
    """
    try:
        whole = commit.digests.get(name) in (None, digest_of_file(folder / name))
    except FileNotFoundError:
        if name in commit.digests:
            raise DamagedError(folder / name, "it is missing") from None
    else:
        if not whole:
            raise DamagedError(folder / name, _CHANGED)


def _check(folder: Path, commit: Commit, about: Mapping[str, Any]) -> dict[str, DamagedError]:
    found: dict[str, DamagedError] = {}
    group = _metadata(folder, "", commit, about)  # first: the rest is compared with it
    try:
        summary = read_mapping(folder / SUMMARY, needed=False)
    except DamagedError as error:
        summary, found[SUMMARY] = {}, error
    done = summary.get("n_steps") if summary.get("status") == "completed" else None
    if done not in (None, commit.steps):
        told = f"it has {commit.steps} steps" if (folder / COMMIT).exists() else "it is missing"
        raise DamagedError(folder / COMMIT, f"{told}; {done} were completed")
    every = {name: trace["every"] for name, trace in about["traces"].items()}
    if about.get("rate_bin_steps") is not None:
        every["rate_counts"] = about["rate_bin_steps"]
    for name, n in every.items():
        if commit.lengths.get(name, 0) != kept(commit.steps, n, about.get("start_step", 0)):
            told = (
                f"it has {commit.steps} steps, and {commit.lengths.get(name, 0)} values of {name}"
            )
            raise DamagedError(folder / COMMIT, f"{told}, one every {n}")
    copies = group.get("consolidated_metadata")
    copied = (copies or {}).get("metadata") or {}
    if copies and commit.lengths and not copied:  # of a run that records nothing there are none
        found["zarr.json"] = _copy_changed(folder, "all arrays")
    for name in copied.keys() - commit.lengths.keys():
        if not (folder / RESULTS / name).is_dir():
            found["zarr.json"] = _copy_changed(folder, name)
    for name, n in commit.lengths.items():
        try:
            shape, axis = _metadata(folder, name, commit, about)["shape"], growing_axis(name, about)
            if (length := shape[axis]) < n:
                why = f"a part of it is missing: {n} values were committed, it has {length}"
                raise DamagedError(folder / RESULTS / name, why)
            if length > n and done is not None:  # else a chunk may have been begun
                why = f"{n} values were committed, it says {length}"
                found[f"{name}/zarr.json"] = DamagedError(
                    folder / RESULTS / name / "zarr.json", why
                )
            known, copy = commit.digests.get(f"{RESULTS}/{name}/zarr.json"), copied.get(name)
            if known and copy:
                changed = digest_of_metadata(copy, axis) != known
                if changed or (done is not None and copy["shape"] != shape):
                    found["zarr.json"] = _copy_changed(folder, name)
        except DamagedError as error:
            found[name] = error
    return found


def _copy_changed(folder: Path, name: str) -> DamagedError:
    why = f"the metadata of {name} in it, which `xarray.open_zarr` reads, was changed"
    return DamagedError(folder / RESULTS / "zarr.json", why)


def _metadata(folder: Path, name: str, commit: Commit, about: Mapping[str, Any]) -> dict[str, Any]:
    """What Zarr says of an array, or by an empty name of the group."""
    file = f"{RESULTS}/{name}/zarr.json".replace("//", "/")
    found = read_mapping(folder / file)
    digest = digest_of_metadata(found, growing_axis(name, about))
    if commit.digests.get(file, digest) != digest:
        raise DamagedError(folder / file, _CHANGED)
    if name and not isinstance(found.get("shape"), list):
        raise DamagedError(folder / file, "it has no shape")
    return found


def lost(dtype: np.dtype[Any]) -> Any:
    """What stands for values whose file is missing: no number, or one that none of ours is."""
    if dtype.kind == "f":
        return np.nan
    return np.iinfo(dtype).min if dtype.kind == "i" else None
