"""Where the measurements are made: the machine, the versions, and Brian2's own interpreter."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "brian2_python", "cores", "machine", "peers_python", "timed", "versions"]

#: The clone.
ROOT = Path(__file__).resolve().parent.parent

_HERE = Path(__file__).resolve().parent
_BRIAN2 = ("brian2>=2.9", "numpy<2.4")  # Brian2 2.9 does not run with later ones
_PACKAGES = ("jax", "jaxlib", "brainstate", "brainunit", "brainpy_state", "numpy", "hydra-core")


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def timed(command: list[str]) -> tuple[float, float, str]:
    """Seconds from the start of a command to its end, its largest process in MB, what it printed.

    The command runs in the clone; SystemExit if it fails.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=errors)
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
    """Python and the packages that do the work in this interpreter; Brian2 tells its own."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def brian2_python(given: Path | None) -> Path:
    """The interpreter that has Brian2: the one given, or that of an environment made here once."""
    if shutil.which("g++") is None:
        raise SystemExit("Brian2 cpp_standalone needs g++; leave Brian2 out with --only")
    return _interpreter(given, _HERE / ".venv-brian2", _BRIAN2, ("brian2",), "--brian2-python")


def peers_python(given: Path | None) -> Path:
    """The interpreter that has Brian2 and NEST, as `brian2_python`."""
    if shutil.which("g++") is None:
        raise SystemExit("Brian2 cpp_standalone needs g++")
    packages = ("-r", str(_HERE / "peers" / "requirements.txt"))
    return _interpreter(given, _HERE / ".venv-peers", packages, ("brian2", "nest"), "--python")


def _interpreter(
    given: Path | None, venv: Path, packages: Sequence[str], modules: Sequence[str], option: str
) -> Path:
    python = given or venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists() and _has(python, modules):
        return python
    names = " and ".join(modules)
    if given:
        raise SystemExit(f"{option} {given}: {names} cannot be imported there")
    print(f"Making {venv.name} for {names} (once, a minute or two) ...", flush=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"{venv} could not be made: {error}\ngive an interpreter that has {names} with {option}"
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
