"""What is wrong with a configuration, collected and told all at once."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "ConfigError",
    "InputFileError",
    "OutOfMemoryError",
    "Problem",
    "Problems",
    "ResultsLostError",
    "did_you_mean",
    "must_exist",
    "show",
    "tell",
]

log = logging.getLogger("neurolab")


@dataclass(frozen=True)
class Problem:
    """One mistake: the key, what was given, and what to do about it."""

    key: str
    given: str
    advice: str

    def __str__(self) -> str:
        given = f" = {self.given}" if self.given else ""
        return f"{self.key}{given}\n    {self.advice}"


class ConfigError(ValueError):
    """A configuration that cannot be run; ``problems`` holds every mistake found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem{'s' if len(self.problems) > 1 else ''}"
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} in the configuration; nothing was run\n{listed}")


class InputFileError(ValueError):
    """A file that cannot serve as input."""


class OutOfMemoryError(MemoryError):
    """What is computed does not fit into memory; it says what it needs."""


class ResultsLostError(OSError):
    """Nothing more can be kept: the folder of the results was removed, or its disk is full."""


class Problems:
    """A list of problems and warnings that validation fills."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.warnings: list[Problem] = []

    def add(self, key: str, given: object, advice: str) -> None:
        problem = Problem(key, "" if given is None else str(given), advice)
        if problem not in self.found:
            self.found.append(problem)

    def raise_if_any(self) -> None:
        if self.found:
            raise ConfigError(self.found)


#: What our keys are called elsewhere, by what is nearest to it in spelling or not.
_ELSEWHERE = {
    **dict.fromkeys(("n", "num_neurons", "n_neurons"), ("size",)),
    **dict.fromkeys(("t", "time", "simtime", "sim_time", "runtime", "tstop"), ("duration",)),
    **dict.fromkeys(("resolution", "timestep", "time_step"), ("dt",)),
    **dict.fromkeys(("warmup", "warm_up", "burn_in", "transient"), ("record.start", "start")),
}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean 'tau'? There are R, tau, ...``, the likely one first."""
    known = list(known)
    lower = {one.lower(): one for one in known}
    near = [one for one in _ELSEWHERE.get(name.lower(), ()) if one.partition(".")[0] in known]
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    near += [lower[one] for one in found]
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"{hint}There are: {', '.join(known) or 'none'}"


def must_exist(path: Path) -> None:
    """An `InputFileError` of a path that is not there, with what is beside it."""
    if not path.exists():
        there = sorted(p.name for p in path.parent.glob(f"*{path.suffix}")) if path.suffix else []
        hint = f"; beside it are {', '.join(there[:5])}" if there else ""
        raise InputFileError(f"{path} does not exist{hint}: put it there, or name another")


def show(value: Any) -> str:
    """A value as a person would have typed it."""
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def tell(warnings: Iterable[Problem]) -> None:
    """Log what can be computed and is probably not what was meant."""
    for warning in warnings:
        log.warning("%s = %s %s", warning.key, warning.given, warning.advice)
