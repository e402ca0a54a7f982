"""The group ``sweep`` of the configuration: how points are computed and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurolab.problems import Problems, did_you_mean

__all__ = ["Settings", "read_settings"]


@dataclass(frozen=True)
class Settings:
    """What ``sweep`` says."""

    batch: int | None = None
    seed: int = 0
    folders: bool = False
    resume: Path | None = None


def read_settings(node: Mapping[str, Any]) -> Settings:
    """Check the group ``sweep``.

    Raises
    ------
    ConfigError
        With all that is wrong.
    """
    problems = Problems()
    for key in node:
        if key not in Settings.__annotations__:
            problems.add(
                f"sweep.{key}", node[key], did_you_mean(str(key), Settings.__annotations__)
            )
    batch, seed, resume = node.get("batch"), node.get("seed", 0), node.get("resume")
    if batch is not None and (not isinstance(batch, int) or batch is True or batch < 1):
        problems.add("sweep.batch", batch, "expected a number of points, or null")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        problems.add("sweep.seed", seed, "expected a whole number, 0 or more")
    if not isinstance(node.get("folders", False), bool):
        problems.add("sweep.folders", node["folders"], "expected true or false")
    if resume is not None and not (Path(str(resume)) / "definition.json").exists():
        problems.add(
            "sweep.resume", resume, "is not the folder of a sweep; give the one to go on with"
        )
    problems.raise_if_any()
    return Settings(batch, seed, bool(node.get("folders")), Path(str(resume)) if resume else None)
