"""What comparisons share: rows, programs of peers, neurolab as a user starts it, their medians."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environment import cores, timed

__all__ = [
    "BRAINPY",
    "NEUROLAB",
    "PEERS",
    "Case",
    "Options",
    "Program",
    "measure",
    "neurolab",
    "neurolab_sweep",
    "odd_rates",
    "table",
    "threads",
]

#: What ratios are to: the best row whose name begins so.
PEERS = {
    "brian2": "Brian2",
    "brainpy": "brainpy.state",
    "nest": "NEST",
    "basic": "Hydra's basic launcher",
}
#: How neurolab is run, by the names of its rows.
NEUROLAB = {
    "neurolab": ("record=summary",),
    "neurolab device.count=1": ("record=summary", "device.count=1"),
    "neurolab record=spikes": ("record=spikes",),
}
#: The environments of brainpy.state.  One thread for each operation: what neurolab sets for itself
#: helps its peer as well.
BRAINPY = {"brainpy.state": {}, "brainpy.state NPROC=1": {"NPROC": "1"}}
Say = Callable[[str], None]
#: What is measured at a size, or scale, in ms of the model.
Run = Callable[[Any, float], dict[str, Any]]


@dataclass(frozen=True)
class Options:
    """What a comparison is to do; ``python`` is the interpreter that has Brian2 and NEST."""

    simulators: Sequence[str]
    repeats: int = 3
    starts: int = 5
    quick: bool = False
    full: bool = False
    python: Path | None = None


@dataclass(frozen=True)
class Case:
    """One row: a simulator, run in one way; for how long at each size, in ms of the model."""

    name: str
    simulator: str
    run: Run
    durations_ms: dict[Any, float]


@dataclass(frozen=True)
class Program:
    """A program beside this file that takes ``arguments`` and ``last``, and prints its result."""

    python: Path | str | None
    file: str
    last: tuple[object, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object) -> dict[str, Any]:
        path = str(Path(__file__).with_name(self.file))
        command = [str(self.python), path, *map(str, (*arguments, *self.last))]
        wall_s, _, printed = timed(command, self.environment)
        # The last line that is one: NEST and C++ may say more.
        line = next(line for line in reversed(printed.splitlines()) if line.startswith("{"))
        return {"wall_s": wall_s, **json.loads(line)}


def threads() -> dict[int, str]:
    """The counts of threads that peers are tried with, and how they are called."""
    return {n: f"{n} thread{'s' * (n > 1)}" for n in sorted({1, 2, cores()})}


def neurolab(*overrides: str) -> dict[str, Any]:
    """A run as a user starts it, every run compiling; its result is its summary.json.

    All that is not building counts in ``run_s``: computing, counting spikes, writing.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = (f"hydra.run.dir={folder}/run", "device.cache_dir=null")
        timed([sys.executable, "-m", "neurolab", *overrides, *place])
        summary = json.loads((Path(folder) / "run" / "summary.json").read_text())
    return {
        "run_s": summary["wall_s"] - summary["compile_s"],
        "build_s": summary["compile_s"],
        "peak_rss_mb": summary["peak_rss_mb"],
        "rate_hz": summary["rate_hz_mean"],
        "device": summary["device"],
        "summary": summary,
    }


def neurolab_sweep(cache: Path, points: int, *overrides: str) -> dict[str, Any]:
    """A sweep as a user starts it; ``rates_hz`` are those of its points, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        place = (f"hydra.sweep.dir={folder}/sweep", f"device.cache_dir={cache}")
        command = [sys.executable, "-m", "neurolab", "-m", *overrides, *place]
        total_s, peak_mb, _ = timed(command)
        sweep = Path(folder) / "sweep"
        summary = json.loads((sweep / "summary.json").read_text())
        rows = list(csv.DictReader((sweep / "sweep.csv").read_text().splitlines()))
    bad = [row for row in rows if row["status"] != "completed"]
    if bad or len(rows) != points:
        raise SystemExit(f"the sweep has {len(rows)} points, {len(bad)} not completed: {bad[:3]}")
    return {
        "total_s": total_s,
        "per_point_s": summary["compute_s"] / points,
        "build_s": summary["compile_s"],
        "peak_rss_mb": peak_mb,
        "rates_hz": [float(row["rate_hz"]) for row in rows],
        "summary": summary,
    }


def measure(
    rows: Sequence[Case], sizes: Sequence[Any], options: Options, say: Say
) -> Iterator[dict[str, Any]]:
    """Every single measurement: in each round, each size in each case that is asked for once."""
    rows = [row for row in rows if row.simulator in options.simulators]
    for repeat in range(options.repeats):
        for size in sizes:
            for case in rows:
                duration = case.durations_ms[size]
                say(f"round {repeat + 1} of {options.repeats}: {case.name}, {size:,}")
                yield {
                    "case": case.name,
                    "simulator": case.simulator,
                    "size": size,
                    "repeat": repeat,
                    "duration_ms": duration,
                    **case.run(size, duration),
                }


def table(
    measured: Sequence[dict[str, Any]], value: str, keys: Sequence[str], *, most: bool = False
) -> list[dict[str, Any]]:
    """Medians of each case at each size, and ratios of ``value`` to the best case of each peer.

    ``times_brian2`` is how many times as good a row is as Brian2's best row at its size: as small
    a ``value``, or as large a one with ``most``.  Of a list, there is the median of each entry.
    """
    groups: dict[tuple[Any, str], list[dict[str, Any]]] = {}
    for one in measured:
        groups.setdefault((one["size"], one["case"]), []).append(one)
    rows = []
    for (size, case), ones in sorted(groups.items(), key=lambda item: item[0][0]):
        row = {"case": case, "simulator": ones[0]["simulator"], "size": size}
        row["estimated_from"] = ones[0].get("estimated_from")
        for key in (value, *keys):
            row[key] = _median([one.get(key) for one in ones])
        found = [one[value] for one in ones]
        rows.append(row | {"lowest": min(found), "highest": max(found)})
    for row in rows:
        for peer, name in PEERS.items():
            theirs = [
                other[value]
                for other in rows
                if other["size"] == row["size"] and other["case"].startswith(name)
            ]
            row[f"times_{peer}"] = None
            if theirs:
                best = max(theirs) if most else min(theirs)
                row[f"times_{peer}"] = row[value] / best if most else best / row[value]
    return rows


def odd_rates(rows: Sequence[dict[str, Any]], expected: float, within: float) -> list[str]:
    """What fires at another rate than it should: a fast wrong simulator is worth nothing."""
    return [
        f"{row['case']}, N = {row['size']:,}: {row['rate_hz']:.2f} Hz, expected "
        f"{expected:g} Hz within {within:.0%}"
        for row in rows
        if not abs(row["rate_hz"] - expected) <= within * expected
    ]


def _median(values: list[Any]) -> Any:
    if values[0] is None:
        return None
    if isinstance(values[0], list):
        return [median(column) for column in zip(*values, strict=True)]
    return median(values)
