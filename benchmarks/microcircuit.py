"""The cortical microcircuit of Potjans and Diesmann (2014) under Poisson input, beside NEST.

How many times longer than the simulated time a simulation takes, and whether its populations fire
as they should.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import cases, report
from benchmarks.cases import Case, Options, Program, Run, Say

__all__ = ["POPULATIONS", "PUBLISHED_HZ", "SIMULATORS", "measure", "odd", "show", "table"]

SIMULATORS = ("neurolab", "nest")
POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
#: NEST at full size, ``full_mean_rates`` of github.com/INM-6/microcircuit-PD14-model; and at a
#: tenth under Poisson input, NEST 3.10, means of three seeds of 10 s.
PUBLISHED_HZ = {
    1.0: (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829),
    0.1: (0.49, 2.14, 4.00, 5.02, 6.72, 7.82, 0.86, 7.01),
}
#: L2/3E and L6E fire seldom, and their rates go up and down from second to second.
_RELATIVE, _LEAST_HZ = 0.15, 0.5

_START_MS = 500.0  # left out of NEST's figures; a twentieth of neurolab's run
_DURATIONS_MS = {0.02: 500.0, 0.1: 10_000.0, 1.0: 10_000.0}


def measure(options: Options, say: Say) -> Iterator[dict[str, Any]]:
    """Every single measurement."""
    scale = 0.02 if options.quick else 1.0 if options.full else 0.1
    return cases.measure(_rows(options.python), (scale,), options, say)


def table(measured: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of each case, and ratios to the fastest of NEST."""
    return cases.table(measured, "real_time_factor", ("build_s", "peak_rss_mb", "rates_hz"))


def odd(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Populations that fire at another rate than was published for this scale."""
    return [
        f"{row['case']}, {name}: {found:.2f} Hz, published {expected:.2f} Hz"
        for row in rows
        for name, found, expected in zip(
            POPULATIONS, row["rates_hz"], PUBLISHED_HZ.get(row["size"], ()), strict=False
        )
        if not abs(found - expected) <= max(_RELATIVE * expected, _LEAST_HZ)
    ]


def show(console: Console, rows: Sequence[dict[str, Any]], where: str) -> None:
    """One line per way of running, with the rates of the populations."""
    columns: list[report.Column] = [
        ("scale", "size", "g"),
        ("simulator", "case", ""),
        ("real-time factor", "real_time_factor", ".2f"),
        ("lowest - highest", report.span(".2f"), ">"),
        ("x NEST", "times_nest", ".2f"),
        ("build s", "build_s", ".2f"),
        ("peak MB", "peak_rss_mb", ".0f"),
    ]
    report.show(console, f"Microcircuit {where}", rows, columns)
    console.print(
        "real-time factor: seconds for a second of the model, building left out.  x NEST: how\n"
        "many times as fast as its best row.  build s: drawing synapses, placing them, compiling."
    )
    published = [
        {"size": scale, "case": "published", "rates_hz": PUBLISHED_HZ[scale]}
        for scale in sorted({row["size"] for row in rows} & PUBLISHED_HZ.keys())
    ]
    each = ((name, report.entry("rates_hz", n), ".2f") for n, name in enumerate(POPULATIONS))
    report.show(console, "Rates, Hz", [*rows, *published], [*columns[:2], *each])


def _rows(python: Path | None) -> list[Case]:
    found = [Case("neurolab", "neurolab", _neurolab, _DURATIONS_MS)]
    for threads, named in cases.threads().items():
        nest = _nest(Program(python, "microcircuit_nest.py", (_START_MS, threads)))
        found.append(Case(f"NEST {named}", "nest", nest, _DURATIONS_MS))
    return found


def _neurolab(scale: float, duration_ms: float) -> dict[str, Any]:
    found = cases.neurolab(
        "network=microcircuit",
        f"network.scale={scale:g}",
        f"duration={_START_MS + duration_ms:g}ms",
        "record=summary",
    )
    summary = found.pop("summary")
    populations = summary["populations"].values()
    return {
        "real_time_factor": found["run_s"] / (summary["duration_ms"] * 1e-3),
        **found,
        "rates_hz": [population["rate_hz_mean"] for population in populations],
    }


def _nest(program: Program) -> Run:
    def run(scale: float, duration_ms: float) -> dict[str, Any]:
        found = program(scale, duration_ms)
        return {"real_time_factor": found["run_s"] / (duration_ms * 1e-3), **found}

    return run
