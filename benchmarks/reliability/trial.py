"""One try: something is done to a command, ``resume=`` goes on, and what came back is compared."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from test_kills import KINDS as SHORT
from test_resume import same

import neurolab
from benchmarks.environment import ROOT
from neurolab.results.compare import first_difference

__all__ = [
    "KINDS", "Fault", "Place", "Try", "begin", "cells", "command", "computing", "contents",
    "difference", "lost_bytes", "told",
]  # fmt: skip

#: As the tests', but that they compute for a while.
KINDS = {
    kind: (
        *(text for text in typed if not text.startswith("duration=")),
        "duration=15s" if kind == "network" else "duration=6s",
    )
    for kind, typed in SHORT.items()
}
_KEYS = {"sweep": "hydra.sweep.dir"}
_WAIT_S = 300.0


@dataclass(frozen=True)
class Try:
    """What came of one try.

    Parameters
    ----------
    how
        ``whole``: the results are bit for bit those of an undisturbed run.  ``told``: there is
        nothing to recover, and one message says so.  Else what is wrong.
    committed, lost
        Bytes that were committed before, and those of them that are not there afterwards.
    seconds
        From the start of the ``resume=`` command until a step beyond those is committed; None if
        there was none left, or nothing to resume.
    """

    how: str
    committed: int = 0
    lost: int = 0
    seconds: float | None = None

    @property
    def recovered(self) -> bool:
        return self.how in ("whole", "told") and not self.lost


@dataclass(frozen=True)
class Fault:
    """A row: what is done, and what does it, once for each try."""

    name: str
    tries: Sequence[Callable[[], Try]]


@dataclass
class Place:
    """Where tries are made: a folder, and undisturbed results of each kind."""

    folder: Path
    chance: random.Random
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def new(self) -> Path:
        """A folder for a try that is not there yet."""
        above = self.folder / str(next(self.numbers))
        above.mkdir()
        return above / "it"

    def whole(self, kind: str) -> Path:
        """The undisturbed results of a kind."""
        return self.folder / f"whole {kind}"

    def make_whole(self) -> None:
        """Compute the undisturbed results."""
        for kind in KINDS:
            begun = begin(kind, self.whole(kind))
            said, _ = begun.communicate(timeout=_WAIT_S)
            if begun.returncode:
                raise SystemExit(f"an undisturbed {kind} failed:\n{said}")

    def goes_on(
        self, kind: str, folder: Path, before: Mapping[str, np.ndarray] | None = None
    ) -> Try:
        """Resume what was stopped (or what never began, begin) and compare."""
        whole, found = self.whole(kind), contents(folder) if before is None else before
        steps, begun = committed(folder), is_begun(folder)
        began = time.perf_counter()
        process = command(f"resume={folder}") if begun else begin(kind, folder)
        seconds = None
        while process.poll() is None and seconds is None:
            if begun and committed(folder) > steps:
                seconds = time.perf_counter() - began
            time.sleep(0.005)
        said, _ = process.communicate(timeout=_WAIT_S)
        after = contents(folder)
        lost, size = lost_bytes(found, after), sum(of.nbytes for of in found.values())
        how = f"exit code {process.returncode}: {said[-1000:]}" if process.returncode else ""
        return Try(how or difference(kind, folder, whole) or "whole", size, lost, seconds)


def begin(kind: str, folder: Path, *typed: str, **how: Any) -> subprocess.Popen[str]:
    """Begin a command of a kind."""
    key = _KEYS.get(kind, "hydra.run.dir")
    given = {text.partition("=")[0] for text in typed}
    own = (text for text in KINDS[kind] if text.partition("=")[0] not in given)
    together = (*own, "checkpoint.every=100ms", *typed, f"{key}={folder}")
    return command(*["-m"] * (kind == "sweep"), *together, **how)


def command(*typed: str, **how: Any) -> subprocess.Popen[str]:
    python = [sys.executable, "-m", "neurolab", *typed]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "cwd": ROOT} | how
    return subprocess.Popen(python, text=True, **streams)


def computing(process: subprocess.Popen[str], folder: Path) -> bool:
    """Wait until a command computes; whether it does."""
    until = time.monotonic() + _WAIT_S
    while process.poll() is None and time.monotonic() < until:
        if _json(folder / "status.json").get("status") == "running":
            return True
        time.sleep(0.01)
    return False


def is_begun(folder: Path) -> bool:
    """Whether there is a run or a sweep that can be resumed."""
    return any((folder / name).exists() for name in ("run.json", "definition.json"))


def committed(folder: Path) -> int:
    """The steps that are committed in a folder, of all batches of a sweep."""
    places = [folder, *folder.glob("batches/*")]
    return sum(int(_json(place / "commit.json").get("steps", 0)) for place in places)


def contents(folder: Path) -> dict[str, np.ndarray]:
    """All arrays that are committed, by name; none where nothing can be opened."""
    return dict(_arrays(folder))


def _arrays(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    if not (folder / "definition.json").exists():
        try:
            run = neurolab.open_run(folder)
            for name in run.commit.lengths:
                yield name, run.read(name)
        except (ValueError, OSError):  # there is nothing, or it is damaged, as it was meant to be
            return
        return
    sweep = neurolab.open_sweep(folder)
    for point in sweep.table.index:
        try:
            run = sweep[int(point)]
        except (KeyError, ValueError):  # nothing of it is committed
            continue
        for name in ("time", "neuron"):
            yield f"{point} {name}", run.spikes[name].values
        for name, trace in run.traces.items():
            yield f"{point} {name}", trace.values


def lost_bytes(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> int:
    """Bytes of what there was that are not, or are others, where it stood."""
    lost = 0
    for name, one in before.items():
        now = after.get(name, one[:0])[: len(one)]
        lost += (len(one) - len(now)) * (one[:1].nbytes)
        a, b = (np.ascontiguousarray(of).view(np.uint8).ravel() for of in (one[: len(now)], now))
        lost += int((a != b).sum())
    return lost


def difference(kind: str, folder: Path, whole: Path) -> str:
    """In what the results in a folder are not those of an undisturbed command."""
    if kind != "sweep":
        runs = [neurolab.open_run(path) for path in (folder, whole)]
        for run in runs:
            run.summary.pop("git_revision", None)  # of the clone, which somebody may work in
        try:
            same(*runs)
        except (AssertionError, ValueError, OSError) as error:
            return f"differs: {error or [*runs[0].summary.items()]}"
        return ""
    found, expected = (neurolab.open_sweep(path) for path in (folder, whole))
    tables = [sweep.table.drop(columns="overrides") for sweep in (found, expected)]
    if not tables[0].equals(tables[1]):
        return "differs: the table"
    differ = (first_difference(*points) for points in zip(found, expected, strict=True))
    return next((f"differs: {one}" for one in differ if one), "")


def told(said: str, code: int, expected: int, *words: str) -> str:
    """``told`` if a command ended with a code and one message that has the words."""
    if code != expected or "Traceback" in said or any(word not in said for word in words):
        return f"exit code {code}, said: {said[-1000:]}"
    return "told"


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def cells(name: str, tries: Sequence[Try]) -> Sequence[str]:
    """A row of the table."""
    seconds = [one.seconds for one in tries if one.seconds is not None]
    size, lost = sum(one.committed for one in tries), sum(one.lost for one in tries)
    return (
        name,
        str(len(tries)),
        str(sum(one.recovered and one.how == "whole" for one in tries)),
        str(sum(one.recovered and one.how == "told" for one in tries)),
        f"{lost:,} of {size:,}" if size else "–",
        str(len(seconds)),
        f"{np.median(seconds):.1f}" if seconds else "–",
        f"{max(seconds):.1f}" if seconds else "–",
    )
