"""How results lie in a folder: what a chunk and a commit are, and the names of axes.

See `neurolab.results.writer`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "COMMIT",
    "RESERVED",
    "RESULTS",
    "Chunk",
    "Commit",
    "Trace",
    "axes_of",
    "growing_axis",
    "replacing",
    "sync",
    "write_whole",
]

RESULTS = "results.zarr"
COMMIT = "commit.json"


@dataclass(frozen=True)
class Trace:
    """A recorded variable: its unit, which neurons (indices), and every how many steps."""

    name: str
    unit: str
    neurons: np.ndarray
    every: int


@dataclass
class Chunk:
    """What the steps n, `first_step <= n < first_step + n_steps`, produced.

    Of many points, traces and rate counts have a first axis of points, and spikes are sorted by
    point; of one run they are sorted by step, and there is no `spike_point`.
    """

    first_step: int
    n_steps: int
    spike_step: np.ndarray  # one entry per spike
    spike_neuron: np.ndarray
    traces: dict[str, np.ndarray] = field(default_factory=dict)  # by name: [samples, neurons]
    rate_counts: np.ndarray | None = None  # spikes in each bin completed here, of a network
    # of each population: [bins, populations]; None: not kept
    spike_point: np.ndarray | None = None

    @staticmethod
    def joined(chunks: Sequence[Chunk]) -> Chunk:
        """Chunks of a run that follow one another, as one."""
        if len(chunks) == 1:
            return chunks[0]
        first = chunks[0]
        return Chunk(
            first.first_step,
            sum(chunk.n_steps for chunk in chunks),
            np.concatenate([chunk.spike_step for chunk in chunks]),
            np.concatenate([chunk.spike_neuron for chunk in chunks]),
            {name: np.concatenate([c.traces[name] for c in chunks]) for name in first.traces},
            None
            if first.rate_counts is None
            else np.concatenate([c.rate_counts for c in chunks if c.rate_counts is not None]),
        )


@dataclass(frozen=True)
class Commit:
    """What is whole: steps done, length of each array, and notes; digests of other files
    (`neurolab.results.sealed`); and what they are ``of``, by which files that were copied from
    other results are known."""

    steps: int = 0
    lengths: dict[str, int] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    of: str = ""


def write_whole(path: Path, text: str, synced: bool = False) -> None:
    """Replace a text file in one operation; ``synced``, also after a power cut."""
    with replacing(path, synced) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def replacing(path: Path, synced: bool = False) -> Iterator[Path]:
    """A place for what is to replace a file or a folder in one operation: a reader sees all of the
    old or all of the new; ``synced``, a file also after a power cut.  Of what could not be written
    whole nothing stays."""
    partial = path.with_name(f"{path.name}.partial")
    _remove(partial)
    try:
        yield partial
        if partial.is_dir():
            _remove(path)
        if synced:
            sync(partial)
        partial.replace(path)
        if synced:
            sync(path.parent)
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """See that what was written to a file, or which files a folder has, is on the disk."""
    if path.is_dir() and os.name != "posix":  # elsewhere a folder cannot be opened
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


#: What results call their own.
RESERVED = frozenset(
    {"time", "neuron", "spike", "bin", "population", "spike_step", "spike_neuron", "rate_counts"}
)


def kept(steps: int, every: int, start: int = 0) -> int:
    """How many values that come every so many steps are kept of so many steps, from ``start`` on:
    samples of a trace, and bins of the rate, where ``start`` is a multiple of their width."""
    return max(steps // every - start // every, 0)


def growing_axis(name: str, about: Mapping[str, Any]) -> int:
    """The axis along which an array grows, ``about`` being the attributes of its group: those that
    have an axis of points grow along the second."""
    return int(about.get("n_points") is not None and name in (*about["traces"], "rate_counts"))


def axes_of(traces: Sequence[Trace]) -> dict[str, tuple[str, str]]:
    """Per trace the names of its time and neuron axis, shared where they are the same."""
    times: dict[int, str] = {}
    neurons: dict[bytes, str] = {}
    axes: dict[str, tuple[str, str]] = {}
    for trace in traces:
        name = trace.name
        if not re.fullmatch(r"[A-Za-z]\w*(\.\w+)*", name) or name in RESERVED | axes.keys():
            raise ValueError(
                f"a trace cannot be named {name!r}: use letters, digits, _ and single dots, each "
                f"name once, and none of {', '.join(sorted(RESERVED))}."
            )
        if trace.every < 1:
            raise ValueError(f"trace {name!r} is sampled every {trace.every} steps: at least 1.")
        key = np.asarray(trace.neurons, dtype=np.int64).tobytes()
        time = times.setdefault(trace.every, f"time_{name}" if times else "time")
        neuron = neurons.setdefault(key, f"neuron_{name}" if neurons else "neuron")
        axes[name] = (time, neuron)
    return axes
