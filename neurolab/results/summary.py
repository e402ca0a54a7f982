"""summary.json: what a run was and how it went, in numbers."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

from neurolab.results.digests import digest_of
from neurolab.results.layout import write_whole
from neurolab.results.plan import flat
from neurolab.results.sealed import sealed

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = [
    "as_config",
    "config_hash",
    "environment",
    "git_revision",
    "peak_memory_mb",
    "write_summary",
]

_PACKAGES = ("neurolab", "jax", "jaxlib", "brainstate", "brainunit", "numpy", "hydra-core", "zarr")


def write_summary(
    folder: Path | None, facts: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, Any]:
    """Write summary.json, if there is a folder, and return its content; NaN becomes null."""
    summary = {
        **{key: _clean(value) for key, value in facts.items()},
        **environment(),
        "config_hash": config_hash(config),
    }
    if folder is not None:
        write_whole(folder / "summary.json", sealed(summary, indent=2))
    return summary


def environment() -> dict[str, Any]:
    """Versions of what computes, and of the working tree."""
    return {"versions": _versions(), "git_revision": git_revision(Path.cwd())}


def config_hash(config: Mapping[str, Any]) -> str:
    """A hash of what decides the results, contents of input files among it: where they go and who
    is told do not count."""
    ignored = ("tracker", "device", "sweep", "report", "checkpoint")
    what = {key: config[key] for key in sorted(config) if key not in ignored}
    what["precision"] = (config.get("device") or {}).get("precision")
    parts = ("input", "inputs", "populations", "projections")
    values = (value for key in parts for _, value in flat(config.get(key) or {}))
    if files := [digest for digest in map(digest_of, values) if digest]:
        what["files"] = files
    text = json.dumps(what, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def git_revision(folder: Path) -> str | None:
    """The revision of the working tree a run was started in, ``-dirty`` with changes; or None."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


def peak_memory_mb() -> float | None:
    """The largest memory that this process has held; None where the system does not tell."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _versions() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(inside) for key, inside in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_config(plain: Mapping[str, Any]) -> DictConfig:
    """A configuration as it is read from a folder."""
    from omegaconf import OmegaConf

    return OmegaConf.create(dict(plain))
