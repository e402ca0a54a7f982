"""The results of one run, in a folder, appended while it runs; `neurolab.results.run` reads them.

    with ResultsWriter(folder, n_neurons=100, dt_ms=0.1, traces=[...]) as writer:
        writer.append(chunk)  # after every chunk of steps

The folder holds::

    results.zarr/    <trace> [time, neuron], time, neuron, spike_step, spike_neuron, rate_counts
    commit.json      how many steps, and how much of each array, are whole
    .hydra/          the configuration;  summary.json, plots, ...: written by others

A run can be killed at any moment. Appends to several arrays are not one operation, so what is
valid is said by `commit.json` alone: it is replaced atomically after a chunk is written, and a
reader trims every array to it. (Without fsync: this outlives a killed process, not a power cut.)

Time: what happens in step n (0, 1, ...) is stamped with the end of the step, (n + 1) dt, be it a
spike or a sample of a trace. A trace with interval `every` is sampled at (n + 1) % every == 0.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

RESULTS = "results.zarr"
COMMIT = "commit.json"

# Measured: fewer, larger chunks append faster (5e6 spikes: 0.11 s with 2^18, 0.30 s with 2^16), but
# even three spikes cost a whole chunk. 4 MiB of trace is 15 files for 60 MB.
_SPIKES_PER_CHUNK = 2**18
_TRACE_CHUNK_BYTES = 4 * 2**20
_VALUES_PER_CHUNK = 2**14


@dataclass(frozen=True)
class Trace:
    """A recorded variable: its unit, which neurons (indices), and every how many steps."""

    name: str
    unit: str
    neurons: np.ndarray
    every: int


@dataclass
class Chunk:
    """What the steps n, `first_step <= n < first_step + n_steps`, produced."""

    first_step: int
    n_steps: int
    spike_step: np.ndarray  # one entry per spike, sorted by step; empty without spikes
    spike_neuron: np.ndarray
    traces: dict[str, np.ndarray] = field(default_factory=dict)  # by name: [samples, neurons]
    rate_counts: np.ndarray | None = None  # spikes in each bin completed here; None: not kept

    @staticmethod
    def joined(chunks: Sequence[Chunk]) -> Chunk:
        """Chunks that follow one another, as one."""
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
    """What is whole: steps done, length of each array, and notes."""

    steps: int = 0
    lengths: dict[str, int] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


class ResultsWriter:
    """Appends the chunks of a run to `folder/results.zarr` (made here), committing each.

    Args:
        n_neurons: size of the population that spikes and rates refer to.
        traces: what `Chunk.traces` will hold. Those with equal `every` share a time axis, and those
            with equal `neurons` a neuron axis: the first `time`, `neuron`, then `time_<name>`, ...
        rate_bin_steps: steps in a bin of the population rate; None: the rate is not kept.

    Raises:
        FileExistsError: there are results already.
        ValueError: a trace's name or sampling interval cannot be used.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        n_neurons: int,
        dt_ms: float,
        traces: Sequence[Trace] = (),
        record_spikes: bool = True,
        rate_bin_steps: int | None = None,
    ) -> None:
        import zarr

        self.folder = Path(folder)
        self.traces = tuple(traces)
        self._axes = _axes(self.traces)
        self._attributes = recording_attributes(
            n_neurons, dt_ms, self.traces, record_spikes, rate_bin_steps
        )
        path = self.folder / RESULTS
        if path.exists():
            raise FileExistsError(f"{path} holds results already. Choose another folder.")
        path.mkdir(parents=True)
        (self.folder / COMMIT).unlink(missing_ok=True)  # of results that were deleted
        self._commit = Commit()
        self._group = zarr.create_group(path, zarr_format=3, attributes=self._attributes)
        self._arrays = self._create_fixed()

    def append(self, chunk: Chunk, extra: Mapping[str, Any] | None = None) -> None:
        """Write a chunk, then commit it, with JSON-able notes if any (`Run.commit.extra`).

        Raises:
            ValueError: the chunk does not follow the last one, or disagrees with the recording.
        """
        self._check(chunk)
        first, end = chunk.first_step, chunk.first_step + chunk.n_steps
        for axis, every in {self._axes[t.name][0]: t.every for t in self.traces}.items():
            samples = np.arange(first // every + 1, end // every + 1) * every
            self._append(axis, samples * self._attributes["dt_ms"])
        for trace in self.traces:
            values = chunk.traces[trace.name]
            if trace.name not in self._arrays:  # its dtype and chunk length are known only now
                self._arrays[trace.name] = self._create_trace(trace, values)
            self._append(trace.name, values)
        for name in ("spike_step", "spike_neuron", "rate_counts"):
            if name in self._arrays:
                self._append(name, getattr(chunk, name))
        lengths = {name: int(array.shape[0]) for name, array in self._arrays.items()}
        self._commit = Commit(end, lengths, dict(extra or {}))
        write_whole(self.folder / COMMIT, json.dumps(asdict(self._commit), indent=1))

    def close(self) -> None:
        """Gather the metadata of all arrays in one place, so that the store opens in one read."""
        import zarr

        with warnings.catch_warnings(action="ignore", category=UserWarning):
            zarr.consolidate_metadata(self.folder / RESULTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _create(
        self, name: str, dtype: Any, dims: Sequence[str], chunks: tuple[int, ...], **about: Any
    ) -> Any:
        """An array that grows along its first dimension; the second, if any, is `width` long."""
        from zarr.codecs import BloscCodec

        return self._group.create_array(
            name,
            shape=(0, *about.pop("width", ())),
            chunks=chunks,
            dtype=dtype,
            dimension_names=list(dims),
            compressors=BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"),
            attributes=about,
        )

    def _create_fixed(self) -> dict[str, Any]:
        """The arrays known before the first chunk: coordinates, spikes, rate."""
        arrays: dict[str, Any] = {}
        for trace in self.traces:
            time, neuron = self._axes[trace.name]
            if time not in arrays:
                about = {"units": "ms", "every": int(trace.every)}
                arrays[time] = self._create(time, "float64", [time], (_VALUES_PER_CHUNK,), **about)
            if neuron not in arrays:
                chunks = (max(1, len(trace.neurons)),)
                arrays[neuron] = self._create(neuron, "int64", [neuron], chunks)
                arrays[neuron].append(np.asarray(trace.neurons, np.int64))
        if self._attributes["record_spikes"]:
            for name, dtype in (("spike_step", "int64"), ("spike_neuron", "int32")):
                arrays[name] = self._create(name, dtype, ["spike"], (_SPIKES_PER_CHUNK,))
        if (steps := self._attributes["rate_bin_steps"]) is not None:
            name, about = "rate_counts", {"units": "spikes per bin", "rate_bin_steps": steps}
            arrays[name] = self._create(name, "int64", ["bin"], (_VALUES_PER_CHUNK,), **about)
        return arrays

    def _create_trace(self, trace: Trace, values: np.ndarray) -> Any:
        """A trace whose file chunks match what one `append` brings, so that none is rewritten."""
        rows, width = (max(1, size) for size in values.shape)
        target = _TRACE_CHUNK_BYTES // values.dtype.itemsize  # values in a file
        several = max(1, -(-target // (4 * rows * width)))  # small appends share a file
        rows = min(rows * several, _VALUES_PER_CHUNK)
        chunks = (rows, min(width, max(1, target // rows)))
        about = {"width": values.shape[1:], "units": trace.unit, "every": int(trace.every)}
        return self._create(trace.name, values.dtype, self._axes[trace.name], chunks, **about)

    def _append(self, name: str, values: np.ndarray) -> None:
        if len(values):
            self._arrays[name].append(np.asarray(values, dtype=self._arrays[name].dtype))

    def _check(self, chunk: Chunk) -> None:
        first, end = chunk.first_step, chunk.first_step + chunk.n_steps
        if first != self._commit.steps or chunk.n_steps < 1:
            done = f"{self._commit.steps} steps are committed"
            raise ValueError(f"chunks must follow one another: {done}, got {first} to {end}.")
        shapes = {t.name: (end // t.every - first // t.every, len(t.neurons)) for t in self.traces}
        given = {name: values.shape for name, values in chunk.traces.items()}
        if given != shapes:
            raise ValueError(f"traces of steps {first} to {end} must be {shapes}, got {given}.")
        if (chunk.rate_counts is None) != (self._attributes["rate_bin_steps"] is None):
            raise ValueError("rate_counts must be given exactly when rate_bin_steps is set.")
        step, neuron = chunk.spike_step, chunk.spike_neuron
        if step.shape != neuron.shape or step.ndim != 1:
            raise ValueError(f"spikes need equal length, flat: got {step.shape}, {neuron.shape}.")
        allowed = {"step": (step, first, end), "neuron": (neuron, 0, self._attributes["n_neurons"])}
        for what, (values, low, high) in allowed.items():
            if values.size and (values.min() < low or values.max() >= high):
                found = f"{values.min()} to {values.max()}"
                raise ValueError(f"spikes have {what}s {found}, allowed are {low} to {high - 1}.")


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one operation: a reader sees all of the old text or all of the new."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text)
    partial.replace(path)


def recording_attributes(
    n_neurons: int,
    dt_ms: float,
    traces: Sequence[Trace],
    record_spikes: bool,
    rate_bin_steps: int | None,
) -> dict[str, Any]:
    """What a reader must know of a recording."""
    axes = _axes(traces)
    return {
        "format": "neurolab results 1",
        "n_neurons": int(n_neurons),
        "dt_ms": float(dt_ms),
        "record_spikes": bool(record_spikes),
        "rate_bin_steps": None if rate_bin_steps is None else int(rate_bin_steps),
        "traces": {
            t.name: {"unit": t.unit, "every": int(t.every), "axes": list(axes[t.name])}
            for t in traces
        },
    }


def _axes(traces: Sequence[Trace]) -> dict[str, tuple[str, str]]:
    """Per trace the names of its time and neuron axis, shared where they are the same."""
    times: dict[int, str] = {}
    neurons: dict[bytes, str] = {}
    axes: dict[str, tuple[str, str]] = {}
    reserved = {"time", "neuron", "spike", "bin", "spike_step", "spike_neuron", "rate_counts"}
    for trace in traces:
        name = trace.name
        if not re.fullmatch(r"[A-Za-z]\w*(\.\w+)*", name) or name in reserved | axes.keys():
            raise ValueError(
                f"a trace cannot be named {name!r}: use letters, digits, _ and single dots, each "
                f"name once, and none of {', '.join(sorted(reserved))}."
            )
        if trace.every < 1:
            raise ValueError(f"trace {name!r} is sampled every {trace.every} steps: at least 1.")
        key = np.asarray(trace.neurons, dtype=np.int64).tobytes()
        time = times.setdefault(trace.every, f"time_{name}" if times else "time")
        neuron = neurons.setdefault(key, f"neuron_{name}" if neurons else "neuron")
        axes[name] = (time, neuron)
    return axes
