"""How long a person waits: from the start of a process to its result, and to its end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks import report
from benchmarks.cases import Options, Say
from benchmarks.environment import ROOT

__all__ = ["SIMULATORS", "measure", "odd", "show", "table"]

SIMULATORS = ("neurolab",)

_MAIN = ("-m", "neurolab", "neuron=adexif_ref", "input=poisson")


@dataclass(frozen=True)
class _Command:
    """One row: Python's arguments, what it leaves, and how it should end."""

    name: str
    arguments: tuple[str, ...]
    cache: str = ""  # which compilation cache: cold (a new one each time) or warm
    exit_code: int = 0


_COMMANDS = (
    _Command("neurolab neuron=adexif_ref input=poisson, cold cache", _MAIN, "cold"),
    _Command("neurolab neuron=adexif_ref input=poisson, warm cache", _MAIN, "warm"),
    _Command("import jax", ("-c", "import jax")),
    _Command("import brainstate", ("-c", "import brainstate")),
    _Command("neurolab --help", ("-m", "neurolab", "--help")),
    _Command("neurolab --cfg job", ("-m", "neurolab", "--cfg", "job")),
    _Command("neurolab neuron.tau=20mV (refused)", ("-m", "neurolab", "neuron.tau=20mV"), "", 2),
)


def measure(options: Options, say: Say) -> Iterator[dict[str, Any]]:
    """Every single measurement; all commands in turn, ``starts`` times.

    One start that is not counted comes first: it fills the warm cache, and Python compiles its
    files.
    """
    with tempfile.TemporaryDirectory() as folder:
        _time(_COMMANDS[1], Path(folder), -1)
        for repeat in range(options.starts):
            for command in _COMMANDS:
                say(f"start {repeat + 1} of {options.starts}: {command.name}")
                yield {
                    "command": command.name,
                    "repeat": repeat,
                    **_time(command, Path(folder), repeat),
                }


def table(measured: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians over the repeats, with the fastest and the slowest."""
    rows = []
    for command in _COMMANDS:
        ones = [one for one in measured if one["command"] == command.name]
        if not ones:
            continue
        ends = [one["exit_s"] for one in ones]
        results = [one["summary_s"] for one in ones if one["summary_s"] is not None]
        rows.append(
            {
                "command": command.name,
                "summary_s": median(results) if results else None,
                "exit_s": median(ends),
                "lowest": min(ends),
                "highest": max(ends),
            }
        )
    return rows


def odd(rows: Sequence[dict[str, Any]]) -> list[str]:
    """No rates are compared."""
    return []


def show(console: Console, rows: Sequence[dict[str, Any]], where: str) -> None:
    """Seconds from the start of the process."""
    columns: list[report.Column] = [
        ("command", "command", ""),
        ("to summary.json", "summary_s", ".2f"),
        ("to exit", "exit_s", ".2f"),
        ("lowest - highest", report.span(".2f"), ">"),
    ]
    report.show(console, f"Start, seconds, {where}", rows, columns)


def _time(command: _Command, folder: Path, repeat: int) -> dict[str, Any]:
    """Seconds until summary.json stands (None: there is none) and until the process has ended."""
    arguments = [sys.executable, *command.arguments]
    run = folder / f"run-{command.cache}-{repeat}"
    if command.cache:
        cache = folder / ("warm" if command.cache == "warm" else f"cold-{repeat}")
        arguments += [f"hydra.run.dir={run}", f"device.cache_dir={cache}"]
    summary = run / "summary.json"
    with (folder / "errors.txt").open("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            arguments, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, stderr=errors
        )
        summary_s = None
        while process.poll() is None:
            if summary_s is None and summary.exists():
                summary_s = time.perf_counter() - began
            time.sleep(0.002)
        exit_s = time.perf_counter() - began
        if process.returncode != command.exit_code:
            errors.seek(0)
            raise SystemExit(
                f"{command.name}: ended with {process.returncode}, expected {command.exit_code}\n"
                + errors.read()[-2000:]
            )
    return {"summary_s": summary_s, "exit_s": exit_s}
