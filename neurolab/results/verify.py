"""Whether all that was committed is as it was written: every file of it is read.

for damaged in verify("outputs/2025-01-31/12-00-00"):
    print(damaged, damaged.what, damaged.first_step)
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from neurolab.results.batches import SweepFolder
from neurolab.results.checkpoint import CHECKPOINT, Checkpoint
from neurolab.results.damage import SUMMARY, DamagedError, check_file, lost_results
from neurolab.results.dataset import as_dataset, write_csv
from neurolab.results.kept import check_inputs
from neurolab.results.layout import RESULTS, Commit, growing_axis
from neurolab.results.plan import Plan
from neurolab.results.record import RECORD, RunRecord
from neurolab.results.run import Run, open_run
from neurolab.results.sealed import CONFIGURATION
from neurolab.results.status import read_summary
from neurolab.results.stimulus import STIMULUS, read_stimuli
from neurolab.results.table import Table

__all__ = ["verify"]


def verify(folder: str | Path) -> list[DamagedError]:
    """What is damaged of a run or a sweep; nothing if all that was committed is whole.

    All files are read, one after the other: it takes as long as reading them, and the memory of
    one.  Of each that is damaged ``what`` is the path, and ``first_step`` the step from which on
    results are not whole; None where no step is lost, as of a summary or of a sweep.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    ValueError
        It is neither, or the run recorded nothing.
    """
    folder = Path(folder)
    if SweepFolder(folder).begun:
        return list(_sweep(folder))
    if not (folder / RESULTS / "zarr.json").exists():
        try:
            open_run(folder)  # which says why not
        except DamagedError as error:
            error.first_step = 0
            return [error]
    return list(_run(folder))


def _run(folder: Path) -> Iterator[DamagedError]:
    try:
        run = Run(folder)
    except DamagedError as error:
        error.first_step = 0
        yield error
        return
    lengths = run.commit.lengths
    for name, damaged in run.damaged.items():
        damaged.first_step = 0 if name in lengths else None
        yield damaged
    if SUMMARY not in run.damaged:
        yield from _wrong(read_summary, folder)
    for file in CONFIGURATION:
        yield from _wrong(check_file, folder, file, run.commit)
    if STIMULUS not in run.damaged:
        yield from _wrong(read_stimuli, folder)
    yield from _wrong(_kept, folder, run.commit)
    for name in lengths:
        if name not in run.damaged:
            yield from _array(run, name)


def _kept(folder: Path, commit: Commit) -> None:
    """That what a run goes on from is as it was written, if there is such, and of its results."""
    summary: dict[str, Any] = {}
    with suppress(DamagedError):  # which is told in any case
        summary = read_summary(folder)
    of = commit.of
    if (folder / RECORD).exists() or "sessions" in summary:
        record = RunRecord.read(folder)
        check_inputs(folder, record.files, record.overrides)
        sessions, of = record.sessions, record.id or of
        if sessions and sessions[-1].get("checkpoint") and not (folder / CHECKPOINT).exists():
            raise DamagedError(folder / CHECKPOINT, "it is missing")
    if commit.of and of != commit.of:
        raise DamagedError(folder / RESULTS, f"it is of another run than {RECORD} says")
    Checkpoint.read(folder, of)


def _array(run: Run, name: str) -> Iterator[DamagedError]:
    """What is damaged of an array, one file after the other."""
    import zarr

    array: Any = zarr.open_array(run.store, path=name, mode="r")
    axis = growing_axis(name, run.attributes)
    shape = [*array.shape]
    shape[axis] = run.commit.lengths[name]
    ends = [range(0, n, size) for n, size in zip(shape, array.chunks, strict=True)]
    for begin in itertools.product(*ends):
        of = zip(begin, array.chunks, shape, strict=True)
        where = [slice(at, min(at + size, n)) for at, size, n in of]
        for error in _wrong(run.part, name, *where):
            error.first_step = _step(run, name, begin[axis])
            yield error


def _step(run: Run, name: str, at: int) -> int:
    """The step of a value of an array of a run; 0 where that has all steps."""
    about = run.attributes
    if name in ("spike_step", "spike_neuron") and at and about.get("n_points") is None:
        try:  # in the step of the spike before there may be more
            return int(run.part("spike_step", slice(at - 1, at))[0])
        except DamagedError:
            return 0
    every = {"rate_counts": about.get("rate_bin_steps") or 0}
    for trace, told in about["traces"].items():
        every |= {trace: told["every"], told["axes"][0]: told["every"]}
    return about.get("start_step", 0) + at * every.get(name, 0)


def _sweep(folder: Path) -> Iterator[DamagedError]:
    store = SweepFolder(folder)
    rows: list[DamagedError] = []
    try:
        plan = store.plan()
    except DamagedError as error:
        yield error
        return
    yield from _wrong(check_inputs, folder, plan.files, plan.fixed.values())
    store.failures(rows), store.rows(rows)
    table = Table(plan, store)
    rows = rows or table.damaged
    yield from rows
    told = list(_wrong(read_summary, folder))
    yield from told
    for batch in sorted(folder.glob("batches/*/commit.json")):
        if batch in (error.what for error in rows):
            continue
        if not (batch.parent / RESULTS / "zarr.json").exists():
            found = iter([lost] if (lost := lost_results(batch.parent, {})) else [])
        else:
            found = _run(batch.parent)
        for damaged in found:
            damaged.first_step = None
            yield damaged
    if not rows and not told and "status" in read_summary(folder):
        yield from _wrong(_same_as, folder / "sweep.zarr", plan, table)
        yield from _wrong(_same_text, folder / "sweep.csv", plan, table)


def _same_as(path: Path, plan: Plan, table: Table) -> None:
    """That the arrays of a sweep, which are made of its batches, are what these have."""
    import xarray as xr

    try:
        group = json.loads((path / "zarr.json").read_text())
        if (group["zarr_format"], group["node_type"]) != (3, "group"):
            raise ValueError("zarr.json is of no group")
        for name, copy in group["consolidated_metadata"]["metadata"].items():
            if json.loads((path / name / "zarr.json").read_text()) != copy:
                raise ValueError(f"zarr.json and {name}/zarr.json do not agree")
        there, ours = xr.load_dataset(path, engine="zarr"), as_dataset(plan, table)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise DamagedError(path, f"it cannot be read ({error})") from error
    if there.attrs != json.loads(json.dumps(ours.attrs, default=str)):
        raise DamagedError(path / "zarr.json", "its attributes are not those of the sweep")
    for name in there.variables.keys() | ours.variables.keys():
        same = name in ours.variables and name in there.variables
        if not (same and there[name].equals(ours[name].astype(there[name].dtype))):
            raise DamagedError(path / str(name), "it is not what the batches have")


def _same_text(path: Path, plan: Plan, table: Table) -> None:
    """That the table of a sweep, which is made of its batches, says what these have."""
    with TemporaryDirectory() as elsewhere:
        ours = Path(elsewhere) / path.name
        write_csv(plan, table, ours)
        try:
            if path.read_bytes() != ours.read_bytes():
                raise DamagedError(path, "it is not what the batches have")
        except OSError as error:
            raise DamagedError(path, f"it cannot be read ({error.strerror})") from error


def _wrong(read: Callable[..., Any], *arguments: Any) -> Iterator[DamagedError]:
    """What is found to be damaged in reading something."""
    try:
        read(*arguments)
    except DamagedError as error:
        yield error
