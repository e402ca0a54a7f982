"""Where the measurements are made: the machine, the versions, and the peers' own interpreter."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["PEERS", "ROOT", "cores", "machine", "peers_python", "timed", "versions"]

#: The clone.
ROOT = Path(__file__).resolve().parent.parent

_HERE = Path(__file__).resolve().parent
_PACKAGES = (
    "jax",
    "jaxlib",
    "brainstate",
    "brainunit",
    "brainpy_state",
    "brainevent",
    "numba",
    "numpy",
    "hydra-core",
)
#: The peers with an interpreter of their own, which does not have neurolab.
PEERS = ("brian2", "nest")


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def timed(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> tuple[float, float, str]:
    """Seconds from the start of a command to its end, its largest process in MB, what it printed.

    The command runs in the clone, with ``environment`` beside ours; SystemExit if it fails.
    """
    own = {**os.environ, **(environment or {})}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=own, stdout=out, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        printed = out.read()
        if process.returncode:
            tail = "\n".join((printed + errors.read()).splitlines()[-15:])
            raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{tail}")
        return seconds, used.ru_maxrss / 2**10, printed


def machine() -> dict[str, Any]:
    """What the numbers depend on, the other work on the machine included."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    return {
        "cpu": _cpu_model(),
        "cores": cores(),
        "system": platform.platform(),
        "load_average_at_start": load,
    }


def versions() -> dict[str, str]:
    """Python and the packages that do the work in this interpreter; peers tell their own."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peers_python(given: Path | None, needed: Collection[str] = PEERS) -> Path | None:
    """The interpreter that has those of `PEERS` that are ``needed``, None where none is.

    It is the one given, or that of an environment made here once.
    """
    modules = [name for name in PEERS if name in needed]
    if not modules:
        return None
    if "brian2" in modules and shutil.which("g++") is None:
        raise SystemExit("Brian2 cpp_standalone needs g++")
    venv = _HERE / ".venv-peers"
    python = given or venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists() and _has(python, modules):
        return python
    names = " and ".join(modules)
    if given:
        raise SystemExit(f"--python {given}: {names} cannot be imported there")
    print(f"Making {venv.name} for {names} (once, a minute or two) ...", flush=True)
    packages = ("-r", str(_HERE / "peers" / "requirements.txt"))
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"{venv} could not be made: {error}\ngive an interpreter that has {names} with --python"
        ) from None
    return python


def _has(python: Path, modules: Sequence[str]) -> bool:
    check = subprocess.run([str(python), "-c", f"import {', '.join(modules)}"], capture_output=True)
    return check.returncode == 0


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
