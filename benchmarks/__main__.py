"""``python -m benchmarks``: neurolab beside its peers, and how long it takes to start."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console

from benchmarks import microcircuit, report, startup, tracking, w1, w2, w2_sweep, w3
from benchmarks.cases import Options
from benchmarks.environment import machine, peers_python, versions

SIMULATORS = ("neurolab", "brainpy", "brian2", "nest")
#: Each tells its SIMULATORS, measures, makes a table, finds what is odd in it, shows it.
WORKLOADS: dict[str, ModuleType] = {
    "w1": w1,
    "w2": w2,
    "w2_sweep": w2_sweep,
    "w3": w3,
    "microcircuit": microcircuit,
    "tracking": tracking,
    "startup": startup,
}


def main() -> int:
    """Measure what was asked for, show it, keep it; 1 if a simulator fires at a wrong rate."""
    typed, workloads, simulators = _typed()
    needed = {name for which in workloads for name in WORKLOADS[which].SIMULATORS}
    options = Options(
        simulators,
        typed.repeats,
        typed.starts,
        typed.quick,
        typed.full,
        peers_python(typed.python, needed & {*simulators}),
    )
    console = Console(width=None if sys.stdout.isatty() else 140)
    results: dict[str, Any] = {
        "date": datetime.now().isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "options": {key: str(value) for key, value in vars(typed).items()},
    }
    odd: list[str] = []
    try:
        for name in workloads:
            odd += _measured(name, options, results, console)
    except KeyboardInterrupt:
        return 130
    finally:  # whatever ended it, what was measured is kept
        console.print(f"every measurement: {report.save(results)}", soft_wrap=True)
    for line in odd:
        console.print(f"[bold red]wrong rate:[/] {line}")
    return 1 if odd else 0


def _measured(name: str, options: Options, results: dict[str, Any], console: Console) -> list[str]:
    """What is odd in one workload, which is measured, kept in the results, and shown."""
    workload = WORKLOADS[name]
    kept = results[name] = {"measurements": [], "table": []}
    with console.status("") as status:
        for one in workload.measure(options, status.update):
            kept["measurements"].append(one)
            if "version" in one:
                results["versions"][one["simulator"]] = one["version"]
    rows = kept["table"] = workload.table(kept["measurements"])
    facts = results["machine"]
    rounds = options.starts if workload is startup else options.repeats
    where = f"on {facts['cpu']}, {facts['cores']} cores, medians of {rounds}"
    workload.show(console, rows, where)
    return workload.odd(rows)


def _typed() -> tuple[argparse.Namespace, list[str], list[str]]:
    """The arguments, and the workloads and simulators that they ask for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="the smallest size; small sweeps")
    size.add_argument("--full", action="store_true", help="the microcircuit at its full scale")
    parser.add_argument("--repeats", type=_count, default=3, help="rounds of all but starts (3)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*WORKLOADS, *SIMULATORS),
        default=[],
        help="workloads (w1) and simulators (all that a workload has)",
    )
    parser.add_argument(
        "--python",
        type=Path,
        metavar="PATH",
        help="an interpreter that has Brian2 and NEST (default: benchmarks/.venv-peers, made on "
        "first use)",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--startup", action="store_true", help="starts alone")
    which.add_argument("--all", action="store_true", help="all workloads, then starts")
    parser.add_argument("--starts", type=_count, default=5, help="rounds of starts (5)")
    typed = parser.parse_args()
    chosen = [name for name in WORKLOADS if typed.all or name in typed.only]
    if typed.startup and "startup" not in chosen:
        chosen.append("startup")
    simulators = [name for name in SIMULATORS if name in typed.only]
    return typed, chosen or ["w1"], simulators or list(SIMULATORS)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return value


if __name__ == "__main__":
    sys.exit(main())
