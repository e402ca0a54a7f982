"""``python -m benchmarks.checkpoints``: what it costs a run that its results outlive it.

Into docs/reliability.md.  Runs of 10 s with checkpoints every 5 s (the default is 30 s), files
synced to the disk and the lease of the folder looked at, and runs with nothing of these but their
files synced at the end, in turn; and the time spent in each.  Exit status 1 above 2 %.  It takes
ten minutes; ``--quick`` measures short runs and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import neurolab
from benchmarks.environment import timed
from benchmarks.reliability.document import made_by, table, write
from neurolab.results.arrays import FILES_AT_ONCE
from neurolab.results.layout import sync
from neurolab.results.lease import Lease
from neurolab.simulation.checkpoint import Checkpoints

TITLE = "What checkpoints cost"
ALLOWED = 0.02
_ADEX = ("neuron=adexif_ref", "synapse=expon", "input=poisson")
#: Seconds of the model that take about a second here.
RUNS: dict[str, tuple[tuple[str, ...], float]] = {
    "4000 AdEx neurons, spikes": ((*_ADEX, "size=4000"), 0.5),
    "network of 5000 neurons, spikes": (
        ("network=coba_ei", "populations.E.size=4000", "populations.I.size=1000"),
        0.5,
    ),
    "200 AdEx neurons, all variables at every step": ((*_ADEX, "size=200", "record=full"), 0.5),
}
#: What is timed, by what it is called; a checkpoint and the writer sync too, which counts there.
PARTS = {"checkpoints": (Checkpoints, "take"), "fsync": (os, "fsync"), "lease": (Lease, "check")}
_HOW = f"""
In each of {{rounds}} rounds a run with `checkpoint.every=5s` (the default is 30 s), whose files are
synced to the disk and whose lease is looked at, and one with nothing of these (its last checkpoint
apart), in turn; wall time without compiling. What the one with nothing has written is on the disk
only when its files are synced in the end, which is added: a long run writes more than memory holds,
and waits for the disk in any case. Times are medians, the difference is the median of those of each
round, as the machine is not as fast in all of them. Calls are counted in one run,
with the seconds in them, which pass on threads beside the one that computes; those of fsync, on
several at once, are waiting for the disk. Allowed: a difference of {ALLOWED:.0%}.

"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkpoints", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs; nothing is written")
    parser.add_argument("--rounds", type=int, default=7, help="of runs in turn (7)")
    parser.add_argument("--inside", nargs=3, metavar=("RUN", "SECONDS", "HOW"),
        help="one run, kept or not, as JSON")  # fmt: skip
    typed = parser.parse_args()
    if typed.inside:
        name, seconds, how = typed.inside
        print(json.dumps(inside(name, float(seconds), how == "kept")))
        return 0
    wall, rounds = (5.0, 1) if typed.quick else (10.0, typed.rounds)
    rows, worst = [], 0.0
    for name in RUNS:
        seconds = wall * _per_second(name)
        found: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for k in range(rounds):
            for kept in (bool(k % 2), not k % 2):
                found[kept].append(_measured(name, seconds, kept))
        with_it = median(one["wall_s"] for one in found[True])
        without, later = (median(one[k] for one in found[False]) for k in ("wall_s", "later_s"))
        pairs = zip(found[True], found[False], strict=True)
        more = median(a["wall_s"] / (b["wall_s"] + b["later_s"]) for a, b in pairs) - 1
        worst = max(worst, more)
        times = [f"{with_it:.2f} s", f"{without:.2f} s", f"{later:.2f} s", f"{more:+.1%}"]
        rows.append([name, *times, *_cells(found[True][0])])
        print(" | ".join(rows[-1]), flush=True)
    if not typed.quick:
        head = ["run", "with all", "with nothing", "and synced in", "difference", "checkpoints",
            "fsync", "looks at the lease"]  # fmt: skip
        said = "within" if worst <= ALLOWED else "beyond"
        text = made_by(f"python -m benchmarks.checkpoints --rounds {rounds}")
        text += _HOW.format(rounds=rounds) + table(head, rows)
        write(TITLE, f"{text}\nThe largest difference is {worst:+.1%}: {said} what is allowed.\n")
    return int(worst > ALLOWED)


def _cells(found: dict[str, Any]) -> list[str]:
    return [f"{found['calls'].get(part, 0)} in {found[part]:.2f} s" for part in PARTS]


def _per_second(name: str) -> float:
    """Seconds of the model in one of wall time."""
    seconds = RUNS[name][1]
    while (wall := _measured(name, seconds, False)["wall_s"]) < 8:  # a short one begins slowly
        seconds *= max(2.0, 10 / wall)
    return seconds / wall


def _measured(name: str, seconds: float, kept: bool) -> dict[str, Any]:
    """One run in a process of its own."""
    python = [sys.executable, "-m", "benchmarks.checkpoints"]
    how = "kept" if kept else "not"
    _, _, printed = timed([*python, "--inside", name, f"{seconds:.1f}", how])
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def inside(name: str, seconds: float, kept: bool) -> dict[str, Any]:
    """What a run takes, and what of that each of the parts; not ``kept``, there are none."""
    spent: Counter[str] = Counter()
    calls: Counter[str] = Counter()

    @contextmanager
    def noted(part: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            spent[part] += time.perf_counter() - began
            calls[part] += 1

    def around(part: str, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            if not kept and part != "checkpoints":
                return None
            with noted(part):
                return function(*arguments)

        return call

    with tempfile.TemporaryDirectory() as place:
        patches = [
            mock.patch.object(owner, attribute, around(part, getattr(owner, attribute)))
            for part, (owner, attribute) in PARTS.items()
        ]
        for patch in patches:
            patch.start()
        every = "5s" if kept else "null"
        typed = [*RUNS[name][0], f"duration={seconds}s", f"checkpoint.every={every}"]
        run = neurolab.run(typed, Path(place) / "run")
        for patch in patches:
            patch.stop()
        took, began = run.summary["wall_s"] - run.summary["compile_s"], time.perf_counter()
        with ThreadPoolExecutor(FILES_AT_ONCE) as disk:
            list(disk.map(sync, [path for path in run.path.rglob("*") if path.is_file()]))
        later = time.perf_counter() - began
    about = {"wall_s": took, "later_s": later, "calls": dict(calls)}
    return about | {part: spent[part] for part in PARTS}


if __name__ == "__main__":
    sys.exit(main())
