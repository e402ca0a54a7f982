"""``python -m benchmarks.soak``: long runs, whether they stay as they began.

Memory and speed while each goes, and its times afterwards, into docs/reliability.md.  Exit status
1 if anything is beyond what is allowed.  It takes some ten minutes on two cores; ``--share 0.1``
runs a tenth of each, and the document says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import neurolab
from benchmarks.environment import ROOT
from benchmarks.reliability.document import made_by, table, write
from neurolab.results.run import Run

TITLE = "Long runs"
_DT_MS = 0.1
#: Seconds between looks at memory and steps.
_LOOK_S = 0.05
_MEMORY, _SPEED, _PHASE = 0.02, 0.05, 1e-5
_ADEX = ("neuron=adexif_ref", "synapse=expon", "input=poisson")
#: A frequency that float32 has, and samples that share no period with it.
_HZ, _EVERY = 40, 17
_OSCILLATION = ("neuron=leaky_integrator", "input=sinusoidal", f"input.frequency={_HZ}Hz",
    f"record.interval={_EVERY * _DT_MS:.1f}ms", "record.neurons=1")  # fmt: skip


@dataclass(frozen=True)
class Long:
    """One long run."""

    name: str
    size: int
    steps: int
    typed: Sequence[str] = _ADEX
    oscillates: bool = False


RUNS = (
    Long("10 AdEx neurons, 10^8 steps", 10, 10**8),
    Long("1000 AdEx neurons, an hour", 1000, 36_000_000),
    Long(
        f"10 leaky integrators under a sine of {_HZ} Hz, 10^8 steps", 10, 10**8, _OSCILLATION, True
    ),
)


@dataclass(frozen=True)
class Look:
    """What a run was at a moment: since it began, in seconds and in those of processors; how many
    steps are committed; how many bytes of memory it has; and how long the same work took beside it,
    which tells how fast the machine is at that moment."""

    seconds: float
    cpu_s: float
    steps: int
    memory: int
    beside_s: float


@dataclass
class Seen:
    """What was seen of a run while it went."""

    looks: list[Look] = field(default_factory=list)
    seconds: float = 0.0

    def memory(self) -> np.ndarray:
        """The median memory in each tenth of the run but the first, in MB."""
        part = np.minimum(10 * np.array([of.steps for of in self.looks]) // self.looks[-1].steps, 9)
        memory = np.array([of.memory for of in self.looks]) / 2**20
        return np.array([np.median(memory[part == k]) for k in range(1, 10) if (part == k).any()])

    def speeds(self, clock: str) -> np.ndarray:
        """Steps per second, of a clock, in each tenth of the run."""
        steps, first = np.unique([of.steps for of in self.looks], return_index=True)
        seconds = np.array([getattr(self.looks[k], clock) for k in first])
        bounds = np.interp(np.linspace(steps[0], steps[-1], 11), steps, seconds)
        return (steps[-1] - steps[0]) / 10 / np.diff(bounds)

    def steady(self) -> np.ndarray:
        """The same by processor time, as on a machine that is always as fast as in the mean."""
        part = np.minimum(10 * np.array([of.steps for of in self.looks]) // self.looks[-1].steps, 9)
        beside = np.array([of.beside_s for of in self.looks])
        seen = np.unique(part)  # of a short run not every tenth
        each = [beside[part == k].mean() for k in seen]
        return self.speeds("cpu_s") * np.interp(range(10), seen, each) / beside.mean()

    def changes(self) -> list[float]:
        """How the speed changed, from the median of the first three tenths to that of the last, by
        wall time, by processor time, and on a steady machine."""
        return [
            float(np.median(speeds[-3:]) / np.median(speeds[:3]) - 1)
            for speeds in (self.speeds("seconds"), self.speeds("cpu_s"), self.steady())
        ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the steps of each run (1)")
    share = parser.parse_args().share
    rows, wrong = [], []
    for long in RUNS:
        with tempfile.TemporaryDirectory() as place:
            row, odd = _measured(long, round(long.steps * share), Path(place) / "run")
        rows.append(row)
        wrong += odd
        print(" | ".join(row), *odd, sep="\n", flush=True)
    command = "python -m benchmarks.soak" + (f" --share {share:g}" if share != 1 else "")
    write(TITLE, made_by(command) + _HOW + table(_HEAD, rows) + "\n" + _told(wrong))
    return 1 if wrong else 0


_HEAD = (
    "run", "steps", "spikes", "wall time", "memory in the second tenth", "in the last",
    "largest difference", "steps/s", "slowest and fastest tenth", "by processor time",
    "on a steady machine", "from first to last, by each", "times",
)  # fmt: skip
_HOW = f"""
Each run is a process of its own that records spikes and, for four neurons (one, of the sine), the
potential. Its memory (resident), its processor time and the steps it has committed are looked at
twenty times a second. Memory is the median of each tenth of the run, from the second on: while a
chunk is written there is more for a moment. Speeds are of tenths too, as parts of the median. Other
work shares the machine, which makes it slower at times: so the same small work is timed at each
look, and the speed by processor time is told as well as it would be if that always took its mean.
Whether a run becomes slower is told by the last three of these tenths beside the first three, of
their medians, by each of the three clocks: what is the run's own all three show, of what is the
machine's at least one is free, so the least of the three counts. Times are exact if the run has all
of its steps, and every sample and every spike of step n is stamped (n + 1) dt, as float64 has it.
The phase of the sine is fitted in each tenth of the recorded potential, in float64, and compared
with that in the first.
Allowed: memory within {_MEMORY:.0%} of that in the second tenth, a speed that
changes by {_SPEED:.0%}, phases within {_PHASE:g} of a cycle.

"""


def _told(wrong: Sequence[str]) -> str:
    if not wrong:
        return "All are within what is allowed.\n"
    return "Beyond what is allowed:\n\n" + "".join(f"- {line}\n" for line in wrong)


def _measured(long: Long, steps: int, folder: Path) -> tuple[list[str], list[str]]:
    duration = f"duration={steps / 10_000!r}s"
    seen = watched([*long.typed, f"size={long.size}", duration], folder)
    run = neurolab.open_run(folder)
    memory, wall, own = seen.memory(), seen.speeds("seconds"), seen.speeds("cpu_s")
    times, exact = wrong_times(run, steps), "exact"
    if long.oscillates:
        off = phases(run)
        exact = f"exact, phase within {off:.0e} of a cycle"
        times += [f"the phase drifts by {off:.1e} of a cycle"] if off > _PHASE else []
    wrong = [f"{long.name}: {text}" for text in times]
    most = np.abs(memory / memory[0] - 1).max()
    if most > _MEMORY:
        wrong.append(f"{long.name}: memory differs by {most:.1%}")
    steady = seen.steady()
    changes = seen.changes()
    if not np.min(np.abs(changes)) <= _SPEED:  # NaN is beyond
        wrong.append(f"{long.name}: its speed changed by {_each(changes)}")
    spikes = run.commit.lengths.get("spike_step", 0)
    row = [long.name, f"{steps:,}", f"{spikes:,}", f"{seen.seconds:.0f} s"]
    row += [f"{memory[0]:.0f} MB", f"{memory[-1]:.0f} MB", f"{most:.1%}"]
    row += [f"{np.median(wall):,.0f}", _ends(wall), _ends(own), _ends(steady)]
    row.append(_each(changes))
    row.append("; ".join(times) or exact)
    return row, wrong


def _each(changes: Sequence[float]) -> str:
    return ", ".join(f"{change:+.1%}" for change in changes)


def _ends(speeds: np.ndarray) -> str:
    low, high = (end(speeds) / np.median(speeds) for end in (np.min, np.max))
    return f"{low:.2f} and {high:.2f}"


def watched(typed: Sequence[str], folder: Path) -> Seen:
    """Run a configuration as a command, looking at it; SystemExit if it fails."""
    command = [sys.executable, "-m", "neurolab", *typed, f"hydra.run.dir={folder}"]
    seen, began = Seen(), time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        while process.poll() is None:
            time.sleep(_LOOK_S)
            if (steps := committed(folder)) and not (folder / "summary.json").exists():
                try:
                    at = time.perf_counter() - began
                    found = Look(at, *_used(process.pid, steps), _beside())
                except (OSError, IndexError):  # it ended just now
                    break
                seen.looks.append(found)
        if process.wait():
            said.seek(0)
            raise SystemExit(f"{' '.join(command)}\n{said.read()[-2000:]}")
    seen.seconds = time.perf_counter() - began
    return seen


def _beside() -> float:
    """Seconds of a processor that the same small work takes, a millisecond or so."""
    began = time.process_time()
    sum(range(50_000))
    return time.process_time() - began


def _used(pid: int, steps: int) -> tuple[float, int, int]:
    """Seconds of processors, and bytes, that a process has."""
    place = Path(f"/proc/{pid}")
    ticks = (place / "stat").read_text().rpartition(")")[2].split()[11:13]
    pages = int((place / "statm").read_text().split()[1])
    seconds = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return seconds, steps, pages * os.sysconf("SC_PAGE_SIZE")


def committed(folder: Path) -> int:
    """How many steps of a run are whole."""
    try:
        return int(json.loads((folder / "commit.json").read_text())["steps"])
    except (OSError, ValueError, KeyError):
        return 0


def wrong_times(run: Run, steps: int) -> list[str]:
    """What of the times of a run is not as it must be."""
    wrong = []
    if not run.summary["n_steps"] == run.committed_steps == steps:
        wrong.append(f"{run.committed_steps} of {steps} steps")
    if not steps * _DT_MS == run.duration_ms == run.summary["duration_ms"]:
        wrong.append(f"a duration of {run.duration_ms!r} ms")
    for name, trace in run.attributes["traces"].items():
        every = trace["every"]
        expected = np.arange(1, steps // every + 1) * every * _DT_MS
        if not np.array_equal(run.traces[name][trace["axes"][0]].values, expected):
            wrong.append(f"samples of {name} at other times")
    if run.commit.lengths.get("spike_step"):
        found = run.read("spike_step")
        if not np.array_equal(run.spikes["time"].values, (found.astype(np.int64) + 1) * _DT_MS):
            wrong.append("spikes at other times")
        if found.max() >= steps or np.any(np.diff(found) < 0):
            wrong.append("spikes of steps that are none, or not in order")
    return wrong


def phases(run: Run) -> float:
    """How far the phase of the potential in any tenth of a run is from that in the first, after
    what it begins with, in cycles."""
    found, (name,) = [], run.attributes["traces"]
    trace = run.traces[name][:, 0]
    number = np.arange(trace.size, dtype=np.int64)
    for part in np.array_split(number[1000:], 10):
        step = (part + 1) * _EVERY
        cycle = 2 * np.pi * (step * _HZ % 10_000) / 10_000  # of whole numbers: exact
        terms = np.stack([np.sin(cycle), np.cos(cycle), np.ones(len(cycle))], axis=1)
        (sine, cosine, _), *_ = np.linalg.lstsq(terms, trace.values[part].astype(float), rcond=None)
        found.append(np.arctan2(cosine, sine) / (2 * np.pi))
    return float(np.abs(np.array(found) - found[0]).max())


if __name__ == "__main__":
    sys.exit(main())
