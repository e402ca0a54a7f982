"""W2: a network of excitation and inhibition through conductances, in neurolab and in its peers.

The COBA network of ``conf/network/coba_ei.yaml``, 80 synapses onto each neuron whatever its size:
about 21 Hz; dt is 0.1 ms.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import cases, report
from benchmarks.cases import Case, Options, Program, Run, Say

__all__ = ["SIMULATORS", "SIZES", "measure", "network", "odd", "show", "table"]

SIMULATORS = ("neurolab", "brainpy", "brian2", "nest")
SIZES = (4000, 20_000, 40_000)

#: Simulated milliseconds; in less than 500 ms the rate is still that of the start.
_DURATIONS: dict[str, dict[int, float]] = {
    "neurolab": {4000: 10_000, 20_000: 3000, 40_000: 2000},
    "brainpy": {4000: 3000, 20_000: 1500, 40_000: 1000},
    "brian2": {4000: 10_000, 20_000: 2000, 40_000: 1000},
    "brian2 in threads": {4000: 2000, 20_000: 1000, 40_000: 1000},  # they wait for each other
    "nest": {4000: 1000, 20_000: 500, 40_000: 500},
}
_RATE_HZ, _TOLERANCE = 21.0, 0.1
_SYNAPSES = 80


def network(size: int) -> tuple[str, ...]:
    """The network of this size, as it is typed."""
    excitatory = size * 4 // 5
    pairs = (f"projections.{name}.connectivity.p" for name in ("E_E", "E_I", "I_E", "I_I"))
    return (
        "network=coba_ei",
        f"populations.E.size={excitatory}",
        f"populations.I.size={size - excitatory}",
        *(f"{key}={_SYNAPSES / size:g}" for key in pairs),
    )


def measure(options: Options, say: Say) -> Iterator[dict[str, Any]]:
    """Every single measurement."""
    sizes = SIZES[:1] if options.quick else SIZES
    return cases.measure(_rows(options.python), sizes, options, say)


def table(measured: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of each case at each size, and ratios to the fastest case of each peer."""
    return cases.table(measured, "us_per_step", ("build_s", "peak_rss_mb", "rate_hz"))


def odd(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What fires at another rate than W2 should."""
    return cases.odd_rates(rows, _RATE_HZ, _TOLERANCE)


def show(console: Console, rows: Sequence[dict[str, Any]], where: str) -> None:
    """One line per way of running, grouped by size."""
    columns: list[report.Column] = [
        ("N", "size", ","),
        ("simulator", "case", ""),
        ("us/step", "us_per_step", ".1f"),
        ("lowest - highest", report.span(".1f"), ">"),
        *((f"x {name}", f"times_{key}", ".2f") for key, name in cases.PEERS.items()),
        ("build s", "build_s", ".2f"),
        ("peak MB", "peak_rss_mb", ".0f"),
        ("rate Hz", "rate_hz", ".2f"),
    ]
    report.show(console, f"W2 {where}", rows, columns)
    console.print(
        "us/step: all but building, for neurolab with all that is written.  x: how many times as "
        "fast\nas the best row of a peer at this N.  build s: code or program, and synapses."
    )


def _rows(python: Path | None) -> list[Case]:
    found = [_case(name, "neurolab", _neurolab(*how)) for name, how in cases.NEUROLAB.items()]
    numba = importlib.util.find_spec("numba") is not None  # with it, its synapses are faster
    backend, without = ("numba", "") if numba else ("jax_raw", " without numba")
    for name, environment in cases.BRAINPY.items():
        brainpy = Program(sys.executable, "w2_brainpy.py", (backend,), environment)
        found.append(_case(f"{name}{without}", "brainpy", brainpy))
    for threads, named in cases.threads().items():
        kind = "brian2" if threads == 1 else "brian2 in threads"
        for precision in ("float64", "float32"):
            brian2 = _brian2(python, threads, precision)
            found.append(_case(f"Brian2 {precision}, {named}", "brian2", brian2, kind))
        found.append(_case(f"NEST {named}", "nest", Program(python, "w2_nest.py", (threads,))))
    return found


def _case(name: str, simulator: str, run: Run, kind: str | None = None) -> Case:
    def per_step(size: int, duration_ms: float) -> dict[str, Any]:
        found = run(size, duration_ms)
        return {"us_per_step": 1e6 * found["run_s"] / (duration_ms / 0.1), **found}

    return Case(name, simulator, per_step, _DURATIONS[kind or simulator])


def _neurolab(*overrides: str) -> Run:
    def run(size: int, duration_ms: float) -> dict[str, Any]:
        found = cases.neurolab(*network(size), *overrides, f"duration={duration_ms:g}ms")
        del found["summary"]
        return found

    return run


def _brian2(python: Path | None, threads: int, precision: str) -> Run:
    def run(size: int, duration_ms: float) -> dict[str, Any]:
        what = {"size": size, "duration_ms": duration_ms}
        what |= {"threads": threads, "precision": precision}
        return Program(python, "w2_brian2.py")("run", json.dumps(what))

    return run
