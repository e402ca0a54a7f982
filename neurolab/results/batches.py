"""The folder of a sweep while it is computed: what it is, and batches of points as they are done.

    definition.json            what the sweep is
    told.txt                   points of which a tracker knows the end (``tracker.per_point``)
    batches/<first point>/     points computed together: results.zarr as of a run, with an axis of
                               points (`neurolab.results.writer`), and commit.json, whose notes
                               have a row for each point; -1, -2.. of a sweep that went on

A batch is committed chunk by chunk.  Its points are `partial` until the last: what a sweep that was
stopped has of them can be read, and they are computed again when it goes on.  Batches know nothing
of one another, so several processes can add theirs.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.problems import ResultsLostError
from neurolab.results.damage import DamagedError, read_commit, read_mapping
from neurolab.results.layout import COMMIT, write_whole
from neurolab.results.plan import Plan
from neurolab.results.room import not_kept
from neurolab.results.status import STATUS

__all__ = ["COMPLETED", "PARTIAL", "SweepFolder", "write_json"]

#: Status of a point that came to its end, and of one whose batch was stopped.
COMPLETED, PARTIAL = "completed", "partial"
_DEFINITION, _BATCHES, _FAILURES = "definition.json", "batches", "failures.json"
_TOLD = "told.txt"


class SweepFolder:
    """Where a sweep is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """Whether there is a sweep."""
        return (self.path / _DEFINITION).exists()

    def define(self, definition: Mapping[str, Any]) -> None:
        """Write what the sweep is."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / _DEFINITION, definition)

    def definition(self) -> dict[str, Any]:
        """What the sweep is."""
        return read_mapping(self.path / _DEFINITION)

    def plan(self) -> Plan:
        """The plan that was written.

        Raises:
            ValueError: it was written by another version, or is damaged (a `DamagedError`).
        """
        definition = self.definition()
        try:
            plan = Plan.from_json(definition)
            for used in plan.versions.values():
                if not used or [str(text) for text in used] != used:
                    raise TypeError(f"{used} are no versions")
            return plan
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            why = f"it is no plan ({type(error).__name__}: {error})"
            raise DamagedError(self.path / _DEFINITION, why) from error

    def summary(self) -> dict[str, Any]:
        """`summary.json`; has no status while the sweep goes on or if it was killed."""
        return read_mapping(self.path / "summary.json", needed=False)

    def summarise(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json`."""
        write_json(self.path / "summary.json", summary)

    def check(self) -> None:
        """That what was written is there: what is written to a folder that was removed makes it.

        Raises:
            ResultsLostError: it is not.
        """
        if not self.exists:
            raise ResultsLostError(
                f"{self.path} was removed or emptied meanwhile; its points are lost"
            )

    def check_after(self, error: Exception) -> None:
        """That further batches can be written after one that raised.

        Raises:
            ResultsLostError: they cannot: there is no folder, or no place, for them.
        """
        self.check()
        if told := not_kept(error, self.path):
            raise told from error

    @contextmanager
    def or_nothing(self) -> Iterator[None]:
        """Where the folder is lost nothing stays of what was being written, which made it anew."""
        try:
            yield
        except ResultsLostError:
            if not self.exists:
                for folder in self.path.glob(f"{_BATCHES}/*"):
                    if not (folder / COMMIT).exists():
                        shutil.rmtree(folder, ignore_errors=True)
                with suppress(OSError):  # others have put something there
                    (self.path / STATUS).unlink(missing_ok=True)
                    (self.path / _BATCHES).rmdir()
                    self.path.rmdir()
            raise

    def forget_record(self) -> None:
        """Forget the record of a sweep that was here before."""
        for name in ("summary.json", _TOLD):
            (self.path / name).unlink(missing_ok=True)

    def told(self) -> set[int]:
        """The points of which a tracker knows the end."""
        with suppress(FileNotFoundError):
            lines = (self.path / _TOLD).read_text().split("\n")[:-1]  # what follows is not whole
            return {int(line) for line in lines if line.isdecimal()}
        return set()

    def tell(self, point: int) -> None:
        """Note that a tracker knows the end of a point."""
        with suppress(OSError), (self.path / _TOLD).open("a") as file:
            file.write(f"{point}\n")

    def new_batch(self, first: int) -> Path:
        """A new folder for the batch whose first point has this index.  One of a sweep that was
        stopped stays until all its points are in others: some of them may be done."""
        self.check()
        names = itertools.chain([f"{first:06d}"], (f"{first:06d}-{k}" for k in itertools.count(1)))
        folders = (self.path / _BATCHES / name for name in names)
        return next(folder for folder in folders if not folder.exists())

    def rows(self) -> dict[int, dict[str, Any]]:
        """What is known of each computed point, and where: ``batch`` and ``in_batch``."""
        rows: dict[int, dict[str, Any]] = {}
        for folder, commit in self._commits():
            for place, row in enumerate(commit):
                point = row["point"]
                if point not in rows or _better(row, rows[point]):
                    rows[point] = {**row, "batch": folder, "in_batch": place}
        return dict(sorted(rows.items()))

    def done(self) -> set[int]:
        """Points that need not be computed again."""
        return {point for point, row in self.rows().items() if row["status"] != PARTIAL}

    def tidy(self) -> None:
        """Remove batches of which other batches have all points."""
        used = {row["batch"] for row in self.rows().values()}
        for folder in self.path.glob(f"{_BATCHES}/*"):
            if folder not in used:
                shutil.rmtree(folder)

    def _commits(self) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
        for path in sorted(self.path.glob(f"{_BATCHES}/*/{COMMIT}")):
            yield path.parent, read_commit(path.parent).extra.get("rows", [])

    def failures(self) -> dict[int, dict[str, Any]]:
        """Points whose computation failed when they were last tried, and why."""
        found = read_mapping(self.path / _FAILURES, needed=False)
        return {
            int(index): {"point": int(index), "status": "failed", "message": message}
            for index, message in found.items()
        }

    def fail(self, reasons: Mapping[int, str]) -> None:
        """Say which points failed; resuming computes them again."""
        if reasons:
            write_json(self.path / _FAILURES, reasons)

    def forget(self) -> None:
        """Forget failures: they are to be computed again."""
        (self.path / _FAILURES).unlink(missing_ok=True)


def _better(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether one of two rows of a point says more."""
    if (row["status"] == PARTIAL) != (other["status"] == PARTIAL):
        return bool(other["status"] == PARTIAL)
    return bool(row["n_steps"] > other["n_steps"])


def write_json(path: Path, content: Any) -> None:
    """Replace a file in one operation."""
    write_whole(path, json.dumps(content, default=_plain))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
