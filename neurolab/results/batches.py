"""The folder of a sweep while it is computed: what it is, and batches of points as they are done.

    definition.json            what the sweep is
    told.txt                   points of which a tracker knows the end (``tracker.per_point``)
    batches/<first>-<token>/   points computed together, by their first: results.zarr as of a run,
                               with an axis of points (`neurolab.results.writer`), and commit.json,
                               whose notes have a row for each point

A batch is committed chunk by chunk.  Its points are `partial` until the last: what a sweep that was
stopped has of them can be read, and they are computed again when it goes on.  Batches know nothing
of one another, so several processes can add theirs, each under a `Lease` of its own while it is
written; of a point that several computed the first that was committed counts.  One process has the
lease of the sweep's folder: it says what the sweep is, has others compute, gathers and tidies.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from neurolab.problems import ResultsLostError
from neurolab.results.checkpoint import CHECKPOINT
from neurolab.results.damage import DamagedError, read_commit, read_mapping
from neurolab.results.earlier import COMPLETED, PARTIAL, Numbering
from neurolab.results.holder import WRITER, Watch, holder
from neurolab.results.kept import kept_in
from neurolab.results.layout import COMMIT, RESULTS, write_whole
from neurolab.results.lease import Lease, check_writer
from neurolab.results.plan import Plan
from neurolab.results.room import not_kept
from neurolab.results.sealed import sealed
from neurolab.results.status import STATUS

__all__ = ["COMPLETED", "PARTIAL", "SweepFolder", "write_json"]

_DEFINITION, _BATCHES, _FAILURES = "definition.json", "batches", "failures.json"
_TOLD = "told.txt"


class SweepFolder:
    """Where a sweep is kept.

    Parameters
    ----------
    path
        The folder.
    writer
        The token of the lease under which it is written: of this process, or of that which had this
        one compute points.  None only reads.
    """

    def __init__(self, path: Path, writer: str | None = None) -> None:
        self.path, self.writer = path, writer
        self._watch = Watch()
        self._numbering: Numbering | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a sweep."""
        return (self.path / _DEFINITION).exists()

    @property
    def begun(self) -> bool:
        """Whether there is a sweep, or what is left of one."""
        return self.exists or (self.path / _BATCHES).is_dir()

    def define(self, definition: Mapping[str, Any]) -> None:
        """Write what the sweep is."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / _DEFINITION, definition)
        self._numbering = None

    def definition(self) -> dict[str, Any]:
        """What the sweep is."""
        return kept_in(self.path, read_mapping(self.path / _DEFINITION))

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
            self._numbering = Numbering(plan.shape, plan.earlier)
            return plan
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            why = f"it is no plan ({type(error).__name__}: {error})"
            raise DamagedError(self.path / _DEFINITION, why) from error

    @property
    def numbering(self) -> Numbering:
        """How its points are called in the plan that was last read."""
        if self._numbering is None and self.exists:
            self.plan()
        return self._numbering or Numbering()

    def summary(self) -> dict[str, Any]:
        """`summary.json`; has no status while the sweep goes on or if it was killed."""
        return read_mapping(self.path / "summary.json", needed=False)

    def summarise(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json`."""
        write_json(self.path / "summary.json", summary)

    def check(self) -> None:
        """That what was written is there (what is written to a folder that was removed makes it),
        and that no other process goes on with the sweep.

        Raises:
            ResultsLostError: it is not, or one does.
        """
        if not self.exists:
            raise ResultsLostError(
                f"{self.path} was removed or emptied meanwhile; its points are lost"
            )
        if self.writer is not None:
            check_writer(self.path, self.writer)

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
            whole = (line.split() for line in lines if line.replace(" ", "").isdecimal())
            told = {(int(own[-1]), int(own[0]) if own[1:] else 0) for own in whole}
            of = self.numbering
            return {of.now([k], plan)[0] for k, plan in told if not of.goes_on(plan)}
        return set()

    def tell(self, point: int) -> None:
        """Note that a tracker knows the end of a point."""
        with suppress(OSError), (self.path / _TOLD).open("a") as file:
            plan = self.numbering.plan
            file.write(f"{plan} {point}\n" if plan else f"{point}\n")

    def new_batch(self, first: int) -> Lease:
        """The lease, to be entered, of a new folder for the batch with this first point."""
        self.check()
        name = f"{first:06d}-{secrets.token_hex(4)}"
        return Lease(self.path / _BATCHES / name, "sweep.resume")

    def rows(self, damaged: list[DamagedError] | None = None) -> dict[int, dict[str, Any]]:
        """What is known of each computed point, and where: ``batch`` and ``in_batch``.  Batches
        whose commit is damaged are left out, and told in ``damaged``."""
        rows: dict[int, dict[str, Any]] = {}
        for folder, commit in self._commits([] if damaged is None else damaged):
            for place, row in enumerate(commit):
                point = row["point"]
                if point not in rows or _better(row, rows[point]):
                    rows[point] = {**row, "batch": folder, "in_batch": place}
        return dict(sorted(rows.items()))

    def done(self) -> set[int]:
        """Points that need not be computed again."""
        return {point for point, row in self.rows().items() if row["status"] != PARTIAL}

    def idle(self) -> list[Path]:
        """The batches that no living process writes.  One that is partial may be gone on with,
        under a `Lease` of its folder; those of other machines are called idle once this process has
        seen them so for a minute."""
        # What was made and has neither is just being begun.
        found = {path.parent for what in (WRITER, RESULTS) for path in self._inside(what)}
        return sorted(folder for folder in found if holder(folder, self._watch) is None)

    def tidy(self) -> None:
        """Remove idle batches of which other batches have all points, and of the others files that
        were being written; call it early, too: from then on those of other machines are looked
        at."""
        idle = self.idle()  # first: what is idle then has committed all that it will
        damaged: list[DamagedError] = []
        rows = self.rows(damaged)
        used = {row["batch"] for row in rows.values()}
        if damaged and len(rows) < len(self.plan()):  # somebody may have what they were
            used |= {error.what.parent for error in damaged}
        for folder in idle:
            if folder not in used:
                shutil.rmtree(folder)
            for left in folder.glob("*.partial"):
                left.unlink(missing_ok=True)

    def _commits(self, damaged: list[DamagedError]) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
        """Batches and the rows of their points, in the order in which they were committed."""
        found = []
        for path in self._inside(COMMIT):
            with suppress(FileNotFoundError):  # it was tidied just now
                found.append((path.stat().st_mtime_ns, path.parent))
        for _, folder in sorted(found):
            try:
                yield folder, self.numbering.rows(read_commit(folder).extra)
            except DamagedError as error:
                damaged.append(error)

    def _inside(self, name: str) -> Iterator[Path]:
        """The files of this name in batches."""
        return self.path.glob(f"{_BATCHES}/*/{name}")

    def stopped(self) -> dict[Path, list[int]]:
        """The batches that were stopped and can go on, which no living process writes, with their
        points, which are in no others."""
        rows, found = self.rows([]), dict[Path, list[int]]()
        partial = {row["batch"] for row in rows.values() if row["status"] == PARTIAL}
        for folder in partial.intersection(self.idle()) if partial else ():
            commit = read_commit(folder)
            own = [row["point"] for row in self.numbering.rows(commit.extra)]
            whole = (folder / CHECKPOINT).exists() and all(rows[k]["batch"] == folder for k in own)
            if whole and self.numbering.can_go_on(commit.extra, commit.steps):
                found[folder] = own
        return dict(sorted(found.items()))

    def again(self, folder: Path) -> Lease:
        """The lease, to be entered, of a batch that goes on."""
        self.check()
        return Lease(folder, "sweep.resume", self._watch)

    def failures(self, damaged: list[DamagedError] | None = None) -> dict[int, dict[str, Any]]:
        """Points whose computation failed when they were last tried, and why; none if that is
        damaged, which is told in ``damaged``."""
        try:
            found = read_mapping(self.path / _FAILURES, needed=False)
        except DamagedError as error:
            found = {}
            if damaged is not None:
                damaged.append(error)
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
    """Whether a row of a point says more than that of a batch that was committed before."""
    if other["status"] != PARTIAL:
        return False
    return bool(row["status"] != PARTIAL or row["n_steps"] > other["n_steps"])


def write_json(path: Path, content: Any) -> None:
    """Replace a file in one operation."""
    write_whole(path, sealed(content))
