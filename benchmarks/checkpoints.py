"""``python -m benchmarks.checkpoints``: what it costs a run that its results outlive it.

Into docs/reliability.md.  Runs of 40 s with checkpoints every 30 s, the default, and with none but
the last, in turn; and within one run of each kind the time spent in checkpoints, in syncing files
to the disk, and in looking at the lease of the folder.  Exit status 1 above 2 %.  It takes ten
minutes; ``--quick`` measures short runs and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import neurolab
from benchmarks.environment import timed
from benchmarks.reliability.document import made_by, table, write
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
The first table is of the first run of the second: {{rounds}} rounds, in each a run with
`checkpoint.every=30s` (the default) and one with `checkpoint.every=null` (one at its end alone), in
turn; wall time without compiling. The second is of one run each: calls, their seconds and their
share of the wall time, measured around each call. They take place on a thread beside the one that
computes, so a share is a bound on what they cost. fsync within a checkpoint counts in both, and
once in all. Allowed: {ALLOWED:.0%}.

"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkpoints", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs; nothing is written")
    parser.add_argument("--rounds", type=int, default=5, help="of runs in turn (5)")
    parser.add_argument("--inside", nargs=3, metavar=("RUN", "SECONDS", "EVERY"),
        help="one run, as JSON")  # fmt: skip
    typed = parser.parse_args()
    if typed.inside:
        print(json.dumps(inside(typed.inside[0], float(typed.inside[1]), typed.inside[2])))
        return 0
    wall, rounds = (5.0, 1) if typed.quick else (40.0, typed.rounds)
    rates = {name: _per_second(name) for name in RUNS}
    first = next(iter(RUNS))
    within = [(name, _measured(name, wall * rates[name], "30s")) for name in RUNS]
    rows, most = [], 0.0
    for name, found in within:
        rows.append(_cells(name, found))
        most = max(most, found["all"] / found["wall_s"])
        print(" | ".join(rows[-1]), flush=True)
    walls: dict[str, list[float]] = {"30s": [], "null": []}
    for k in range(rounds):
        for every in sorted(walls, reverse=bool(k % 2)):
            walls[every].append(_measured(first, wall * rates[first], every)["wall_s"])
            print(every, f"{walls[every][-1]:.2f} s", flush=True)
    if not typed.quick:
        write(TITLE, _text(first, walls, rows, most))
    return int(most > ALLOWED)


def _text(
    first: str, walls: dict[str, list[float]], rows: Sequence[Sequence[str]], most: float
) -> str:
    taken = {every: median(of) for every, of in walls.items()}
    compared = []
    for every, of in walls.items():
        ends = f"{min(of):.2f} to {max(of):.2f} s"
        compared.append((f"{first}, `checkpoint.every={every}`", f"{taken[every]:.2f} s", ends))
    ratios = sorted(a / b - 1 for a, b in zip(walls["30s"], walls["null"], strict=True))
    said = f"Of the medians the difference is {taken['30s'] / taken['null'] - 1:+.1%}; "
    said += f"of single rounds {ratios[0]:+.1%} to {ratios[-1]:+.1%}.\n\n"
    head = ["run", "wall time", "checkpoints", "fsync", "looks at the lease", "all", "share"]
    end = f"\nThe largest share is {most:.2%}: " + ("within" if most <= ALLOWED else "beyond")
    return (
        made_by(f"python -m benchmarks.checkpoints --rounds {len(ratios)}")
        + _HOW.format(rounds=len(ratios))
        + table(["run", "median wall time", "all"], compared)
        + f"\n{said}{table(head, rows)}{end} what is allowed.\n"
    )


def _cells(name: str, found: dict[str, Any]) -> list[str]:
    parts = [f"{found['calls'].get(part, 0)} in {found[part]:.3f} s" for part in PARTS]
    share = f"{found['all'] / found['wall_s']:.2%}"
    return [name, f"{found['wall_s']:.1f} s", *parts, f"{found['all']:.3f} s", share]


def _per_second(name: str) -> float:
    """Seconds of the model in one of wall time."""
    seconds = RUNS[name][1]
    while (wall := _measured(name, seconds, "null")["wall_s"]) < 10:  # a short one begins slowly
        seconds *= max(2.0, 12 / wall)
    return seconds / wall


def _measured(name: str, seconds: float, every: str) -> dict[str, Any]:
    """One run in a process of its own."""
    python = [sys.executable, "-m", "benchmarks.checkpoints"]
    _, _, printed = timed([*python, "--inside", name, f"{seconds:.1f}", every])
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def inside(name: str, seconds: float, every: str) -> dict[str, Any]:
    """What a run takes, and what of that each of the parts."""
    spent: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    depth = [0]

    @contextmanager
    def noted(part: str) -> Iterator[None]:
        began = time.perf_counter()
        depth[0] += 1
        try:
            yield
        finally:
            depth[0] -= 1
            took = time.perf_counter() - began
            spent[part] += took
            calls[part] += 1
            if not depth[0]:  # what is within another counts once
                spent["all"] += took

    def around(part: str, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
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
        typed = [*RUNS[name][0], f"duration={seconds}s", f"checkpoint.every={every}"]
        run = neurolab.run(typed, Path(place) / "run")
        for patch in patches:
            patch.stop()
        took = run.summary["wall_s"] - run.summary["compile_s"]
    return {"wall_s": took, "calls": dict(calls), **{part: spent[part] for part in (*PARTS, "all")}}


if __name__ == "__main__":
    sys.exit(main())
