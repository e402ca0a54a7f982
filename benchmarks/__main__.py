"""``python -m benchmarks``: neurolab beside its peers, and how long it takes to start."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import report, startup, tracking, w1, w3
from benchmarks.environment import brian2_python, machine, versions

SIMULATORS = ("neurolab", "brainpy", "brian2")
WORKLOADS = ("w1", "w3", "tracking")


def main() -> int:
    """Measure what was asked for, show it, keep it; 1 if a simulator fires at a wrong rate."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 140)
    results: dict[str, Any] = {
        "date": datetime.now().isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "options": {key: str(value) for key, value in vars(options).items()},
    }
    odd: list[str] = []
    try:
        if "w1" in options.workloads:
            odd += _w1(options, results, console)
        if "w3" in options.workloads:
            odd += _w3(options, results, console)
        if "tracking" in options.workloads:
            _tracking(options, results, console)
        if options.startup or options.all:
            _startup(options, results, console)
    except KeyboardInterrupt:
        return 130
    finally:  # whatever ended it, what was measured is kept
        console.print(f"every measurement: {report.save(results)}", soft_wrap=True)
    for line in odd:
        console.print(f"[bold red]wrong rate:[/] {line}")
    return 1 if odd else 0


def _w1(options: argparse.Namespace, results: dict[str, Any], console: Console) -> list[str]:
    brian2 = brian2_python(options.brian2_python) if "brian2" in options.simulators else None
    sizes = w1.SIZES[:1] if options.quick else w1.SIZES
    kept = results["w1"] = {"measurements": [], "table": []}
    with console.status("") as status:
        for one in w1.measure(
            w1.cases(options.simulators, brian2), sizes, options.repeats, status.update
        ):
            kept["measurements"].append(one)
            if "version" in one:
                results["versions"]["brian2"] = one["version"]
    rows = kept["table"] = w1.table(kept["measurements"])
    facts = results["machine"]
    title = f"W1 on {facts['cpu']}, {facts['cores']} cores, medians of {options.repeats}"
    report.show_w1(console, rows, title)
    return w1.odd_rates(rows)


def _w3(options: argparse.Namespace, results: dict[str, Any], console: Console) -> list[str]:
    brian2 = brian2_python(options.brian2_python) if "brian2" in options.simulators else None
    grids = w3.QUICK if options.quick else w3.GRIDS
    kept = results["w3"] = {"measurements": [], "table": []}
    with console.status("") as status:
        for one in w3.measure(
            w3.cases(options.simulators, brian2), grids, options.repeats, status.update
        ):
            kept["measurements"].append(one)
            if "version" in one:
                results["versions"]["brian2"] = one["version"]
    rows = kept["table"] = w3.table(kept["measurements"])
    facts = results["machine"]
    title = f"W3 on {facts['cpu']}, {facts['cores']} cores, medians of {options.repeats}"
    corners = [f"{rate:g} Hz, b = {b:g} mA" for rate, b in w3.CORNERS]
    report.show_w3(console, rows, corners, title)
    return w3.odd_rates(rows)


def _tracking(options: argparse.Namespace, results: dict[str, Any], console: Console) -> None:
    kept = results["tracking"] = {"measurements": [], "table": []}
    with console.status("") as status:
        for one in tracking.measure(options.repeats, options.quick, status.update):
            kept["measurements"].append(one)
    kept["table"] = tracking.table(kept["measurements"])
    report.show_tracking(console, kept["table"], options.repeats)


def _startup(options: argparse.Namespace, results: dict[str, Any], console: Console) -> None:
    kept = results["startup"] = {"measurements": [], "table": []}
    with console.status("") as status:
        for one in startup.measure(options.starts, status.update):
            kept["measurements"].append(one)
    kept["table"] = startup.table(kept["measurements"])
    report.show_startup(console, kept["table"], options.starts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="N = 100 only; a small sweep")
    parser.add_argument("--repeats", type=_count, default=3, help="rounds of W1 and W3 (3)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*WORKLOADS, *SIMULATORS),
        default=[],
        help="workloads (w1) and simulators (all that a workload has)",
    )
    parser.add_argument(
        "--brian2-python",
        type=Path,
        metavar="PATH",
        help="a Python that has Brian2 (default: benchmarks/.venv-brian2, made on first use)",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--startup", action="store_true", help="starts alone")
    which.add_argument("--all", action="store_true", help="all workloads, then starts")
    parser.add_argument("--starts", type=_count, default=5, help="rounds of starts (5)")
    options = parser.parse_args()
    usual = WORKLOADS if options.all else () if options.startup else WORKLOADS[:1]
    options.workloads = [name for name in WORKLOADS if name in options.only] or list(usual)
    options.simulators = [name for name in SIMULATORS if name in options.only] or list(SIMULATORS)
    return options


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return value


if __name__ == "__main__":
    sys.exit(main())
