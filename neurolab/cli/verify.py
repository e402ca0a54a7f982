"""Whether a folder's results are as they were written: every file of them is read."""

from __future__ import annotations

import sys
from pathlib import Path

from neurolab.cli.resume import split
from neurolab.problems import ConfigError, Problem

__all__ = ["main", "verify"]


def main(arguments: list[str]) -> int:
    """The command."""
    given, rest = split(arguments, ("verify",))
    if rest:
        raise ConfigError([Problem(rest[0], "", "verify=<folder> has no other settings")])
    return verify(given["verify"])


def verify(folder: str | Path) -> int:
    """Say what of a run or a sweep is damaged; 0 if nothing is, 1 if something is, 2 if it is
    neither."""
    from neurolab.results.verify import verify as damaged_of

    try:
        damaged = damaged_of(folder)
    except (FileNotFoundError, ValueError) as error:
        print(f"verify={folder}: {error}", file=sys.stderr)
        return 2
    for one in damaged:
        since = "" if one.first_step is None else f" It is whole until step {one.first_step}."
        print(f"{one}{since}", file=sys.stderr)
    if not damaged:
        print(f"{folder} is whole: all that was committed is as it was written.")
    return int(bool(damaged))
