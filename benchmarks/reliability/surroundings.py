"""What a run stands on is taken from it: room on the disk, memory, its folder, its tracker."""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from clock import HOUR, Clock

from benchmarks.reliability.trial import (
    KINDS,
    Fault,
    Place,
    Try,
    begin,
    command,
    computing,
    contents,
    difference,
    lost_bytes,
    told,
)

__all__ = ["faults"]

_NO_MEMORY = (
    "memory runs out: a run gets no more from some moment on (kill -9 after 30 s, if it hangs)"
)
#: Of trackers: what each does when it is told of metrics.
TRACKERS = {
    "raises": "raise RuntimeError('it does')",
    "hangs": "time.sleep(1e6)",
    "exits": "os._exit(3)",
}
_TRACKER = """
import os
import time


class Tracker:
    patience_s = 2.0

    def start(self, tracked):
        pass

    def log(self, step, metrics):
        {does}

    def finish(self, exit_code, summary):
        pass
"""


def faults(place: Place, tries: int) -> Iterator[Fault]:
    several: dict[str, Callable[[Place], Try]] = {
        "the folder is removed while a run goes": _removed,
        "the folder is moved while a run goes": _moved,
        "a second command for the folder of a run that goes": _second,
        _NO_MEMORY: _no_memory,
    }
    with suppress(OSError):  # it cannot be made here
        clock = Clock(place.folder)
        several["the clock is moved by up to a year, twice, then kill -9"] = partial(_clock, clock)
    with _disk(place.folder / "disk", 1) as mounted:
        if mounted:  # otherwise nobody can say
            several["the disk is full while a run writes"] = _full
            several["the folder becomes read-only while a run goes"] = _read_only
    for name, do in several.items():
        yield Fault(name, [partial(do, place)] * tries)
    for name, does in TRACKERS.items():
        yield Fault(f"a tracker {name}", [partial(_tracked, place, does)] * tries)


@contextmanager
def _disk(folder: Path, mib: float) -> Iterator[bool]:
    """A disk of its own, where one can be mounted."""
    folder.mkdir()
    done = _mount("-t", "tmpfs", "-o", f"size={int(mib * 2**20)}", "tmpfs", str(folder))
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def _mount(*typed: str) -> bool:
    try:
        return subprocess.run(["mount", *typed], capture_output=True).returncode == 0
    except OSError:
        return False


def _begun(place: Place, folder: Path, *typed: str) -> subprocess.Popen[str]:
    """A run, some time after it began to compute."""
    process = begin("run", folder, *typed)
    computing(process, folder)
    time.sleep(place.chance.uniform(0, 0.6))
    return process


def _full(place: Place) -> Try:
    """On a disk of some part of what a whole run takes; then there is room, and it goes on."""
    results = (place.whole("run") / "results.zarr").rglob("*")  # pictures come last, and are large
    size = sum(path.stat().st_size for path in results if path.is_file()) + 2**16
    above = place.new().parent / "disk"
    with _disk(above, size / 2**20 * place.chance.uniform(0.2, 0.8)):
        process = begin("run", above / "it")
        said, _ = process.communicate(timeout=200)
        how = told(said, process.returncode, 1, "No space left")
        if how != "told" and not (process.returncode == 2 and "free" in said):
            return Try(how)
        _mount("-o", "remount,size=64m", str(above))
        return place.goes_on("run", above / "it")


def _read_only(place: Place) -> Try:
    above = place.new().parent / "disk"
    with _disk(above, 64):
        process = _begun(place, above / "it")
        while process.poll() is None and not _mount("-o", "remount,ro", str(above)):
            time.sleep(0.002)  # a file is open for writing
        said, _ = process.communicate(timeout=200)
        _mount("-o", "remount,rw", str(above))
        if process.returncode and (how := told(said, process.returncode, 1, "Read-only")) != "told":
            return Try(how)
        return place.goes_on("run", above / "it")


def _no_memory(place: Place) -> Try:
    folder = place.new()
    process = begin("run", folder)
    while process.poll() is None and not (folder / "status.json").exists():
        time.sleep(0.005)
    time.sleep(place.chance.uniform(0, 3))  # it compiles, then computes
    try:
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + 2**20 * place.chance.choice([0, 2, 8, 32])
        resource.prlimit(process.pid, resource.RLIMIT_AS, (most, most))
    except (OSError, ValueError):  # it has ended
        pass
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:  # native code that has no memory may wait for ever
        process.kill()
        process.communicate()
    return place.goes_on("run", folder)


def _clock(clock: Clock, place: Place) -> Try:
    """Killed while its clock is elsewhere; it goes on with the true one."""
    folder, moved = place.new(), [place.chance.randrange(-8760, 8760) * HOUR for _ in range(2)]
    clock.move(moved[0])
    process = begin("run", folder, env=clock.environment)
    computing(process, folder)
    clock.move(moved[1])
    time.sleep(place.chance.uniform(0, 0.6))
    process.kill()
    process.communicate()
    return place.goes_on("run", folder)


def _removed(place: Place) -> Try:
    """There is nothing to recover: it says so, and makes nothing anew."""
    folder = place.new()
    process = _begun(place, folder, "duration=1000s")
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
    said, _ = process.communicate(timeout=100)
    left = [str(path) for path in folder.parent.iterdir()]
    how = told(said, process.returncode, 1, "removed or emptied meanwhile")
    return Try(f"left: {left}" if left else how)


def _moved(place: Place) -> Try:
    folder = place.new()
    process = _begun(place, folder)
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    process.communicate(timeout=100)
    if folder.exists():
        return Try(f"left: {[path.name for path in folder.rglob('*')]}")
    return place.goes_on("run", elsewhere)


def _second(place: Place) -> Try:
    """Both ways to write there are refused, and the first one does not notice."""
    folder = place.new()
    process = begin("run", folder)
    computing(process, folder)
    before, refused = contents(folder), []
    for typed in ((f"resume={folder}",), (*KINDS["run"], f"hydra.run.dir={folder}")):
        other = command(*typed)
        said, _ = other.communicate(timeout=100)
        word = "is being written by" if "is being written by" in said else "already holds"
        refused.append(told(said, other.returncode, 2, word))
        if process.poll() is not None:  # the first one has ended: nothing is refused any more
            refused.pop()
            break
    process.communicate(timeout=100)
    after = contents(folder)
    wrong = [how for how in refused if how != "told"] or [
        difference("run", folder, place.whole("run"))
    ]
    size = sum(of.nbytes for of in before.values())
    return Try(wrong[0] or "whole", size, lost_bytes(before, after))


def _tracked(place: Place, does: str) -> Try:
    """The run is not affected: it ends with 0, and nothing has to be resumed."""
    folder = place.new()
    (folder.parent / "their.py").write_text(_TRACKER.format(does=does))
    process = begin("run", folder, "tracker._target_=their.Tracker", cwd=folder.parent)
    said, _ = process.communicate(timeout=200)
    if process.returncode:
        return Try(f"exit code {process.returncode}: {said[-1000:]}")
    found, whole = contents(folder), contents(place.whole("run"))  # summaries know of the tracker
    same = found.keys() == whole.keys() and all(
        found[name].shape == whole[name].shape for name in whole
    )
    return Try("whole" if same and not lost_bytes(whole, found) else "differs")
