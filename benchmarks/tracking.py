"""What a tracker costs: whole commands with and without, in turn."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks import report
from benchmarks.cases import Options, Say
from benchmarks.environment import ROOT

__all__ = ["SIMULATORS", "TRACKERS", "WORKLOADS", "measure", "odd", "show", "table"]

SIMULATORS = ("neurolab",)

_RUN = ("neuron=adexif_ref", "input=poisson")
_SWEEP = ("input.rate=linspace:12Hz:30Hz:20", "neuron.b=linspace:0mA:50mA:50")
WORKLOADS = {
    "a short run, N = 100, 1 s": _RUN,
    "a long run, N = 10^4, 50 s": (*_RUN, "size=10000", "duration=50s", "record=summary"),
    "a sweep, 1000 points": ("-m", *_RUN, *_SWEEP, "record=summary"),
    "a sweep, 1000 points, each a run": ("-m", *_RUN, *_SWEEP, "record=summary"),
}
TRACKERS = {"none": (), "wandb": ("tracker=wandb",), "trackio": ("tracker=trackio",)}
_EACH = "tracker.per_point=true"


def measure(options: Options, say: Say) -> Iterator[dict[str, Any]]:
    """Every single measurement; the first round, which fills caches, is not counted."""
    names = list(WORKLOADS)[: 1 if options.quick else None]
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(-1, options.repeats):
            for name in names:
                if repeat < 0 and "long" in name:
                    continue
                for tracker in TRACKERS:
                    each = name.endswith("each a run")
                    if each and tracker != "wandb":
                        continue
                    say(f"round {repeat + 1} of {options.repeats}: {name}, tracker={tracker}")
                    place = Path(folder) / f"{repeat}-{names.index(name)}-{tracker}"
                    took = _time(Path(folder), place, WORKLOADS[name], tracker, each)
                    if repeat >= 0:
                        yield {"case": name, "tracker": tracker, "repeat": repeat, "exit_s": took}


def table(measured: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians, and what each tracker adds to the same without."""
    rows = []
    for name in WORKLOADS:
        plain = name.removesuffix(", each a run")
        for tracker in TRACKERS:
            times = [
                one["exit_s"]
                for one in measured
                if (one["case"], one["tracker"]) == (name, tracker)
            ]
            none = [
                one["exit_s"]
                for one in measured
                if (one["case"], one["tracker"]) == (plain, "none")
            ]
            if times:
                rows.append(
                    {
                        "case": name,
                        "tracker": tracker,
                        "exit_s": median(times),
                        "added_s": median(times) - median(none),
                        "added": median(times) / median(none) - 1,
                    }
                )
    return rows


def odd(rows: Sequence[dict[str, Any]]) -> list[str]:
    """No rates are compared."""
    return []


def show(console: Console, rows: Sequence[dict[str, Any]], where: str) -> None:
    """Seconds of whole commands, and what a tracker adds."""
    columns: list[report.Column] = [
        ("command", "case", ""),
        ("tracker", "tracker", ""),
        ("seconds", "exit_s", ".2f"),
        ("added", lambda row: row["added_s"] if row["tracker"] != "none" else None, ".2f"),
        ("added, %", lambda row: 100 * row["added"] if row["tracker"] != "none" else None, ".2f"),
    ]
    report.show(console, f"Trackers, whole commands, {where}", rows, columns)


def _time(folder: Path, place: Path, arguments: tuple[str, ...], tracker: str, each: bool) -> float:
    multirun = arguments[0] == "-m"
    command = [sys.executable, "-m", "neurolab", *arguments, *TRACKERS[tracker]]
    command += [f"hydra.{'sweep' if multirun else 'run'}.dir={place}"]
    command += [f"device.cache_dir={folder / 'cache'}"]
    if each:
        command.append(_EACH)
    if tracker == "trackio":
        command.append(f"tracker.folder={folder / 'trackio'}")
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)}: ended with {done.returncode}\n{done.stderr[-2000:]}"
        )
    return time.perf_counter() - began
