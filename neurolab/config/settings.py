"""Groups of the configuration whose values are plain: numbers, times, sizes, yes or no."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurolab.problems import ConfigError, Problem, Problems, did_you_mean, show

__all__ = [
    "Settings",
    "SettingsReader",
    "is_whole",
    "read_checkpoint",
    "read_report",
    "read_settings",
]

#: Short beside what is lost, long beside what one takes, 10 ms for a state of 1e5 neurons.
_CHECKPOINT_EVERY = "30 s"
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 10**3, "MB": 10**6, "GB": 10**9}


def is_whole(value: Any, least: int = 0, most: float = float("inf")) -> bool:
    """Whether a value is a whole number within bounds; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


@dataclass
class SettingsReader:
    """Checks the values of one group as they are read; what is wrong goes to the problems."""

    node: Mapping[str, Any]
    group: str
    problems: Problems

    def refuse(self, key: str, advice: str) -> None:
        """What was given for a key is wrong."""
        where = f"{self.group}.{key}" if self.group else key
        self.problems.add(where, show(self.node.get(key, "")), advice)

    def only(self, known: Iterable[str]) -> None:
        """There are no other keys than these."""
        for key in self.node:
            if key not in known:
                self.refuse(key, did_you_mean(str(key), known))

    def whole(self, key: str, least: int, default: Any = None, most: float = float("inf")) -> int:
        """A whole number; 0 where none was given."""
        value = self.node.get(key, default)
        if is_whole(value, least, most):
            return value
        advice = f"expected a whole number, {least} or more"
        advice += f", at most {most}" if most < float("inf") else ""
        given = f": {value:.0f}" if isinstance(value, float) and value.is_integer() else ""
        self.refuse(key, advice + given)
        return 0

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.node.get(key, default)
        if not isinstance(value, bool):
            self.refuse(key, "expected true or false")
        return value is True

    def time_ms(self, key: str, default: str | None = None, zero: bool = False) -> float | None:
        """A positive time in ms, or ``zero``, if that is allowed; None where it is none."""
        from neurolab.config.values import read_time

        return read_time(self.node.get(key, default), f"{self.group}.{key}", self.problems, zero)

    def n_bytes(self, key: str, default: str) -> int:
        """A size such as 256 MiB, at least one MiB."""
        text = str(self.node.get(key, default))
        match = re.fullmatch(rf"\s*(\d+\.?\d*|\.\d+)\s*({'|'.join(_BYTES)})\s*", text)
        if match is None:
            self.refuse(key, "expected a size such as 256 MiB or 1 GiB")
        return max(int(float(match[1]) * _BYTES[match[2]]) if match else 0, 2**20)


@dataclass(frozen=True)
class Settings:
    """What the group ``sweep`` says: how points are computed and kept."""

    batch: int | None = None
    seed: int = 0
    folders: bool = False
    resume: Path | None = None
    #: Of a sweep that goes on, what may differ from when it began; not a key.
    accept: frozenset[str] = frozenset()


def read_settings(node: Any) -> Settings:
    """Check the group ``sweep``; a `ConfigError` tells all that is wrong."""
    if not isinstance(node, Mapping):
        advice = "expected keys, such as sweep.batch=100"
        raise ConfigError([Problem("sweep", show(node), advice)])
    sweep = SettingsReader(dict(node), "sweep", Problems())
    sweep.only(Settings.__annotations__.keys() - {"accept"})
    batch, resume = sweep.node.get("batch"), sweep.node.get("resume")
    if batch is not None and not is_whole(batch, 1):
        sweep.refuse("batch", "expected a number of points, or null")
    if resume is not None and not Path(str(resume), "definition.json").exists():
        sweep.refuse("resume", "is not the folder of a sweep; give the one to go on with")
    found = Settings(
        batch,
        sweep.whole("seed", 0, 0),
        sweep.flag("folders", False),
        Path(str(resume)) if resume else None,
    )
    sweep.problems.raise_if_any()
    return found


def read_report(node: Any, problems: Problems) -> None:
    """Check the group ``report``: how pages are written."""
    if not isinstance(node, Mapping):
        problems.add("report", node, "expected keys, such as report.standalone=true")
        return
    report = SettingsReader(node, "report", problems)
    report.only(("standalone",))
    report.flag("standalone", False)


def read_checkpoint(node: Any, problems: Problems) -> float:
    """Check the group ``checkpoint``: seconds of wall time from one checkpoint to the next."""
    if not isinstance(node, Mapping):
        problems.add("checkpoint", node, "expected keys, such as checkpoint.every=30s")
        return math.inf
    checkpoint = SettingsReader(node, "checkpoint", problems)
    checkpoint.only(("every",))
    if "every" in node and node["every"] is None:  # only at the end
        return math.inf
    return (checkpoint.time_ms("every", _CHECKPOINT_EVERY) or math.inf) * 1e-3
