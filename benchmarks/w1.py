"""W1: a population of independent neurons, in neurolab and in its peers, run in turn.

AdEx neurons with a refractory period, each with an exponential synapse (5 ms) and 100 Poisson
sources at 20 Hz of its own; they fire at about 25 Hz; dt is 0.1 ms.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import cases, report
from benchmarks.cases import Case, Options, Program, Run, Say

__all__ = ["SIMULATORS", "SIZES", "measure", "odd", "show", "table"]

SIMULATORS = ("neurolab", "brainpy", "brian2")
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
)


def measure(options: Options, say: Say) -> Iterator[dict[str, Any]]:
    """Every single measurement."""
    sizes = SIZES[:1] if options.quick else SIZES
    return cases.measure(_rows(options.python), sizes, options, say)


def table(measured: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of each case at each size, and ratios to the fastest case of each peer."""
    keys = ("summary_updates_per_s", "build_s", "peak_rss_mb", "rate_hz")
    return cases.table(measured, "updates_per_s", keys, most=True)


def odd(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What fires at another rate than W1 should."""
    return cases.odd_rates(rows, _RATE_HZ, _TOLERANCE)


def show(console: Console, rows: Sequence[dict[str, Any]], where: str) -> None:
    """One line per way of running, grouped by size."""
    columns: list[report.Column] = [
        ("N", "size", ","),
        ("simulator", "case", ""),
        ("updates/s", "updates_per_s", ".2e"),
        ("lowest - highest", report.span(".1e"), ">"),
        ("x Brian2", "times_brian2", ".2f"),
        ("x brainpy", "times_brainpy", ".1f"),
        ("compile s", "build_s", ".2f"),
        ("peak MB", "peak_rss_mb", ".0f"),
        ("rate Hz", "rate_hz", ".2f"),
        ("in summary", "summary_updates_per_s", ".2e"),
    ]
    report.show(console, f"W1 {where}", rows, columns)
    console.print(
        "updates/s: neurons x steps / seconds, compilation left out; for neurolab with all that is "
        "written.\nx Brian2, x brainpy: relative to the fastest row of that simulator at this N.  "
        "in summary: neuron_updates_per_s of summary.json."
    )


def _rows(python: Path | None) -> list[Case]:
    found = [_case(name, "neurolab", _neurolab(*how)) for name, how in cases.NEUROLAB.items()]
    for name, environment in cases.BRAINPY.items():
        run = Program(sys.executable, "w1_brainpy.py", environment=environment)
        found.append(_case(name, "brainpy", run))
    for threads, named in cases.threads().items():
        run = Program(python, "w1_brian2.py", (threads,))
        kind = "brian2" if threads == 1 else "brian2 in threads"
        found.append(_case(f"Brian2 {named}", "brian2", run, kind))
    return found


def _case(name: str, simulator: str, run: Run, kind: str | None = None) -> Case:
    def per_second(size: int, duration_ms: float) -> dict[str, Any]:
        found = run(size, duration_ms)
        return {"updates_per_s": size * (duration_ms / 0.1) / found["run_s"], **found}

    return Case(name, simulator, per_second, _DURATIONS[kind or simulator])


def _neurolab(*overrides: str) -> Run:
    def run(size: int, duration_ms: float) -> dict[str, Any]:
        found = cases.neurolab(*_W1, *overrides, f"size={size}", f"duration={duration_ms}ms")
        return {"summary_updates_per_s": found.pop("summary")["neuron_updates_per_s"], **found}

    return run
