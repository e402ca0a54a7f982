"""What memory there is for what will be computed."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

__all__ = ["available", "give_back"]

_FREE = Path("/proc/meminfo")
#: Where a container is told what it may take, and what it takes (Linux, control groups version 2).
_GROUP = Path("/sys/fs/cgroup")
#: mallopt's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD (glibc, malloc.h), in bytes.
_THRESHOLDS = {-1: 2**20, -3: 2**20}


def available() -> float:
    """Bytes that this process may still take, by what the system says of the machine and of the
    container it is in; infinite where it says nothing."""
    found = [float("inf")]
    if hasattr(os, "sysconf"):  # not on Windows
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if _FREE.exists() and (free := _numbers(_FREE).get("MemAvailable:")):
        found.append(free * 1024)
    if (limit := _GROUP / "memory.max").exists() and limit.read_text().strip().isdigit():
        taken = int((_GROUP / "memory.current").read_text())
        held = _numbers(_GROUP / "memory.stat")
        cached = held["inactive_file"] + held["active_file"]  # given up when it is asked for
        found.append(int(limit.read_text()) - taken + cached)
    return min(found)


def give_back() -> None:
    """Have the C library (glibc) return blocks of a megabyte and more to the system when they are
    freed, for the whole of this process: for commands, not for a user's own Python.

    Chunks of steps differ in size, and glibc keeps blocks of up to 32 MB for later ones that do not
    fit in them: an hour of 1000 neurons grew by a fifth, and stays as it is with this.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):  # somebody knows better
        return
    if os.name == "posix" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        for parameter, size in _THRESHOLDS.items():
            library.mallopt(parameter, size)


def _numbers(path: Path) -> dict[str, int]:
    """The lines of a file: a name and a number, and perhaps a unit."""
    return {words[0]: int(words[1]) for words in map(str.split, path.read_text().splitlines())}
