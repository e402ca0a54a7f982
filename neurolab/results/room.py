"""Results that cannot be kept: one sentence, which says how to go on."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurolab.problems import ResultsLostError

__all__ = ["OF_A_DISK", "free", "go_on", "in_bytes", "keeping", "not_kept", "used"]

_BLOCK = 4096
_FULL = (errno.ENOSPC, errno.EDQUOT)
#: What a disk says of itself, whatever file it was asked for.
OF_A_DISK = (*_FULL, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENODEV, errno.EMFILE)


def free(folder: Path) -> int:
    """Bytes that the disk of a folder, which need not be there yet, has for it."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def used(folder: Path) -> int:
    """Bytes that the files of a folder take, in whole blocks."""
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return sum(-(-size // _BLOCK) * _BLOCK for size in sizes)


def in_bytes(n: float) -> str:
    """So many bytes in words: ``12.3 MB``."""
    for least, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if n >= least:
            return f"{n / least:.3g} {unit}"
    return f"{n / 1e3:.3g} kB"


def go_on(folder: Path) -> str:
    """How a run or a sweep that was stopped goes on."""
    return f"python -m neurolab resume={folder}"


def not_kept(
    error: Exception, folder: Path, needs: float = 0.0, advice: str = ""
) -> ResultsLostError | None:
    """The sentence for an error of the disk, of which results in a folder ``needs`` so many bytes
    more, and what to do then, by default `go_on`; None for any other error."""
    if isinstance(error, ResultsLostError):
        return error
    if not isinstance(error, OSError) or not _concerns(error, folder):
        return None
    if not folder.exists():
        return ResultsLostError(f"{folder} was removed meanwhile; what was in it is lost")
    needed = f", about {in_bytes(needs)} more are needed" * (needs > 0)
    what, then = f"{folder} cannot be written: {error.strerror}", "see that it can be, and"
    if error.errno in _FULL:
        what += f" ({in_bytes(free(folder))} are free{needed})"
        then = "make room, and"
    then += f" {advice or f'go on with it: {go_on(folder)}'}"
    return ResultsLostError(f"{what}; what was committed is whole; {then}")


@contextmanager
def keeping(folder: Path) -> Iterator[None]:
    """Errors of the disk are told in one sentence.

    Raises
    ------
    ResultsLostError
        For any of them.
    """
    try:
        yield
    except OSError as error:
        if told := not_kept(error, folder):
            raise told from error
        raise


def _concerns(error: OSError, folder: Path) -> bool:
    """Whether an error is of the disk, or of a file in the folder."""
    if error.errno in OF_A_DISK:
        return True
    name = error.filename
    if not isinstance(name, (str, os.PathLike)):
        return False
    return Path(name).absolute().is_relative_to(folder.absolute())
