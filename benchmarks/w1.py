"""W1: a population of independent neurons, in neurolab and in its peers, run in turn.

AdEx neurons with a refractory period, each with an exponential synapse (5 ms) and 100 Poisson
sources at 20 Hz of its own; they fire at about 25 Hz; dt is 0.1 ms.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environment import ROOT, cores

__all__ = ["SIZES", "Case", "cases", "measure", "odd_rates", "table"]

SIZES = (100, 10_000, 100_000)

#: Simulated milliseconds, so that most runs compute for 1 to 5 s; the slowest at the largest size
#: takes longer, because in less than 200 ms there is no firing rate to compare.
_DURATIONS: dict[str, dict[int, float]] = {
    "neurolab": {100: 50_000, 10_000: 5000, 100_000: 1000},
    "brainpy": {100: 5000, 10_000: 300, 100_000: 200},
    "brian2": {100: 20_000, 10_000: 1000, 100_000: 300},
    "brian2 in threads": {100: 300, 10_000: 500, 100_000: 300},  # they wait for each other
}
_RATE_HZ, _TOLERANCE = 25.0, 0.1

_W1 = (
    "neuron=adexif_ref",
    "synapse=expon",
    "input=poisson",
    "neuron.a=0.2siemens",
    "neuron.b=10mA",
    "neuron.holds=all",  # as the peers' programs do
    "synapse.tau=5ms",
    "input.weight=1.1mA",
    "device.cache_dir=null",  # so that every run compiles
)


@dataclass(frozen=True)
class Case:
    """One row: a simulator, run in one way."""

    name: str
    simulator: str
    run: Callable[[int, float], dict[str, Any]]

    durations_ms: dict[int, float]


@dataclass
class _Peer:
    """A program that takes size, duration and ``extra``, and prints its result as JSON."""

    python: str
    program: str
    extra: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, size: int, duration_ms: float) -> dict[str, Any]:
        path = str(Path(__file__).with_name(self.program))
        command = [self.python, path, str(size), str(duration_ms), *self.extra]
        printed = _call(command, {**os.environ, **self.environment})
        return json.loads(printed.splitlines()[-1])


@dataclass
class _Neurolab:
    """neurolab as a user starts it; its result is its summary.json."""

    overrides: tuple[str, ...]

    def __call__(self, size: int, duration_ms: float) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "neurolab", *_W1, *self.overrides]
            command += [f"size={size}", f"duration={duration_ms}ms", f"hydra.run.dir={folder}/run"]
            _call(command, dict(os.environ))
            summary = json.loads((Path(folder) / "run" / "summary.json").read_text())
        run_s = summary["wall_s"] - summary["compile_s"]
        return {
            # All that is not compilation counts: computing, spike counts, writing.
            "updates_per_s": summary["n_steps"] * size / run_s,
            "summary_updates_per_s": summary["neuron_updates_per_s"],
            "build_s": summary["compile_s"],
            "peak_rss_mb": summary["peak_rss_mb"],
            "rate_hz": summary["rate_hz_mean"],
            "run_s": run_s,
            "device": summary["device"],
        }


def cases(simulators: list[str], brian2: Path | None) -> list[Case]:
    """The rows of the table; ``brian2`` is the interpreter that has it."""
    one_device = ("record=summary", "device.count=1")
    peer = partial(_Peer, sys.executable, "w1_brainpy.py")
    found = [
        _case("neurolab", "neurolab", _Neurolab(("record=summary",))),
        _case("neurolab device.count=1", "neurolab", _Neurolab(one_device)),
        _case("neurolab record=spikes", "neurolab", _Neurolab(("record=spikes",))),
        _case("brainpy.state", "brainpy", peer()),
        # One thread for each operation: what neurolab sets for itself helps its peer as well.
        _case("brainpy.state NPROC=1", "brainpy", peer(environment={"NPROC": "1"})),
    ]
    for threads in sorted({1, 2, cores()}):
        run = _Peer(str(brian2), "w1_brian2.py", (str(threads),))
        kind = "brian2" if threads == 1 else "brian2 in threads"
        found.append(_case(f"Brian2 {threads} thread{'s' * (threads > 1)}", "brian2", run, kind))
    return [case for case in found if case.simulator in simulators]


def _case(name: str, simulator: str, run: Callable[..., Any], kind: str | None = None) -> Case:
    return Case(name, simulator, run, _DURATIONS[kind or simulator])


def measure(
    rows: list[Case], sizes: tuple[int, ...], repeats: int, say: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Every single measurement: in each round, each size in each case once."""
    for repeat in range(repeats):
        for size in sizes:
            for case in rows:
                duration = case.durations_ms[size]
                say(f"round {repeat + 1} of {repeats}: {case.name}, N = {size:,}")
                yield {
                    "case": case.name,
                    "simulator": case.simulator,
                    "size": size,
                    "repeat": repeat,
                    "duration_ms": duration,
                    **case.run(size, duration),
                }


def table(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of each case at each size, and ratios to the fastest case of each peer."""
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for one in measured:
        groups.setdefault((one["size"], one["case"]), []).append(one)
    rows = []
    for (size, case), ones in groups.items():
        row = {"case": case, "simulator": ones[0]["simulator"], "size": size}
        for key in ("updates_per_s", "summary_updates_per_s", "build_s", "peak_rss_mb", "rate_hz"):
            row[key] = median(one[key] for one in ones) if key in ones[0] else None
        row["lowest"], row["highest"] = (
            pick(one["updates_per_s"] for one in ones) for pick in (min, max)
        )
        rows.append(row)
    for row in rows:
        for peer in ("brian2", "brainpy"):
            best = max(
                (
                    other["updates_per_s"]
                    for other in rows
                    if other["simulator"] == peer and other["size"] == row["size"]
                ),
                default=None,
            )
            row[f"times_{peer}"] = row["updates_per_s"] / best if best else None
    return rows


def odd_rates(rows: list[dict[str, Any]]) -> list[str]:
    """What fires at another rate than W1 should: a fast wrong simulator is worth nothing."""
    return [
        f"{row['case']}, N = {row['size']:,}: {row['rate_hz']:.2f} Hz, expected "
        f"{_RATE_HZ:g} Hz within {_TOLERANCE:.0%}"
        for row in rows
        if abs(row["rate_hz"] - _RATE_HZ) > _TOLERANCE * _RATE_HZ
    ]


def _call(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-15:])
        raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}:\n{tail}")
    return done.stdout
