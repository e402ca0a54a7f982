"""Files of results that are not as they were written: cut, emptied, deleted, a byte flipped."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from test_damage_everywhere import files, mutations

from benchmarks.reliability.trial import (
    Fault,
    Place,
    Try,
    begin,
    command,
    computing,
    contents,
    told,
)

__all__ = ["faults"]

_NAMES = {
    "cut": "cut to half",
    "emptied": "emptied",
    "deleted": "deleted",
    "byte": "a byte flipped",
}


def faults(place: Place, tries: int) -> Iterator[Fault]:
    """Of a run that was killed with kill -9: in turn one of its files, whichever they are."""
    stopped = _stopped(place)
    names = [path.relative_to(stopped) for path in files(stopped)]
    for how, name in _NAMES.items():
        some = place.chance.sample(names, min(tries, len(names)))
        each = [partial(_try, place, stopped, of, how) for of in some]
        yield Fault(f"a file of a killed run is {name}", each)


def _stopped(place: Place) -> Path:
    """A run that was killed after it had committed something and had a checkpoint."""
    while True:
        folder = place.new()
        process = begin("run", folder)
        computing(process, folder)
        while process.poll() is None and not (folder / "checkpoint.npz").exists():
            time.sleep(0.01)
        time.sleep(0.1)
        process.kill()
        process.communicate()
        if (folder / "checkpoint.npz").exists() and not (folder / "summary.json").exists():
            return folder


def _try(place: Place, stopped: Path, name: Path, how: str) -> Try:
    folder = place.new()
    shutil.copytree(stopped, folder)
    before, path = contents(folder), folder / name
    changed = {of.split()[0]: content for of, content in mutations(path, False, 1)}[how]
    path.unlink() if changed is None else path.write_bytes(changed)
    found = place.goes_on("run", folder, before)
    if found.how == "whole":
        return found
    process = command(f"resume={folder}")
    said, _ = process.communicate(timeout=100)
    # Without what says how a run goes on it cannot; its results are there, and can be read.
    how = told(said, process.returncode, process.returncode or 1, str(name.parts[0]))
    return Try(found.how if how != "told" else how, found.committed, found.lost)
