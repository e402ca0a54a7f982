"""Results of one run, or of points computed together, appended while they go; `results.run` reads.

    with ResultsWriter(folder, n_neurons=100, dt_ms=0.1, traces=[...]) as writer:
        writer.append(chunk)  # after every chunk of steps

The folder holds::

    results.zarr/    <trace> [time, neuron], time, neuron, spike_step, spike_neuron, rate_counts
    commit.json      how many steps, and how much of each array, are whole

Of many points traces and rates have a first axis `point`; their spikes are one chunk's after
another's, within a chunk sorted by point, and `spike_end` [chunk, point] says where each end.

A process can be killed at any moment. Appends to several arrays are not one operation, so what is
valid is said by `commit.json` alone: it is replaced atomically after a chunk is written, and a
reader trims every array to it. (Without fsync: this outlives a killed process, not a power cut.)

Time: what happens in step n (0, 1, ...) is stamped with the end of the step, (n + 1) dt, be it a
spike or a sample of a trace. A trace with interval `every` is sampled at (n + 1) % every == 0.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from neurolab.problems import ResultsLostError
from neurolab.results.damage import lost
from neurolab.results.layout import COMMIT, RESULTS, Chunk, Commit, Trace, axes_of, write_whole

__all__ = ["ResultsWriter"]

# Measured: larger chunks append faster (5e6 spikes: 0.11 s with 2^18, 0.30 s with 2^16), but three
# spikes cost a whole one. 4 MiB of trace is 15 files for 60 MB.
_SPIKES_PER_CHUNK, _VALUES_PER_CHUNK = 2**18, 2**14
_TRACE_CHUNK_BYTES = 4 * 2**20


class ResultsWriter:
    """Appends chunks to `folder/results.zarr` (made here), committing each.

    Args:
        folder: None keeps the results in memory (`ResultsWriter.store`).
        n_neurons: size of the population that spikes and rates refer to.
        populations, silent: the first neuron of each and the end; names of those without spikes.
        traces: what `Chunk.traces` will hold. Those with equal `every` share a time axis, and those
            with equal `neurons` a neuron axis: the first `time`, `neuron`, then `time_<name>`, ...
        rate_bin_steps: steps in a bin of the population rate; None: the rate is not kept.
        n_points: how many points are computed together; None: a run, without that axis.

    Raises:
        FileExistsError: there are results already.
        ValueError: a trace's name or sampling interval cannot be used.
    """

    def __init__(
        self,
        folder: str | Path | None,
        *,
        n_neurons: int,
        dt_ms: float,
        populations: Mapping[str, tuple[int, int]] | None = None,
        silent: Sequence[str] = (),
        traces: Sequence[Trace] = (),
        record_spikes: bool = True,
        rate_bin_steps: int | None = None,
        n_points: int | None = None,
    ) -> None:
        self.folder = None if folder is None else Path(folder)
        self.traces, self.n_points = tuple(traces), n_points
        self._axes = axes_of(self.traces)
        self.attributes: dict[str, Any] = {
            "format": "neurolab results 2",
            "n_neurons": int(n_neurons),
            "populations": {name: list(ends) for name, ends in (populations or {}).items()},
            "silent": list(silent),
            "n_points": n_points,
            "dt_ms": float(dt_ms),
            "record_spikes": bool(record_spikes),
            "rate_bin_steps": None if rate_bin_steps is None else int(rate_bin_steps),
            "traces": {
                t.name: {"unit": t.unit, "every": int(t.every), "axes": [*self._axes[t.name]]}
                for t in self.traces
            },
        }
        self.commit = Commit()
        if self.folder is not None:
            if (path := self.folder / RESULTS).exists():
                raise FileExistsError(f"{path} holds results already. Choose another folder.")
            if n_points is None:
                self.folder.mkdir(parents=True, exist_ok=True)
            else:  # a sweep that is removed stays so
                self.folder.parent.mkdir(exist_ok=True)
                self.folder.mkdir(exist_ok=True)
            path.mkdir()
            (self.folder / COMMIT).unlink(missing_ok=True)  # of results that were deleted

    @cached_property
    def store(self) -> Any:
        """Where Zarr keeps the arrays: a folder, or memory."""
        from zarr.storage import LocalStore, MemoryStore

        if self.folder is None:
            return MemoryStore()
        path, check = self.folder / RESULTS, self._check_folder

        class Folder(LocalStore):
            """Zarr makes folders that are missing: a part of one that was removed was back."""

            async def set(self, key: str, value: Any) -> None:
                check(begun=key != "zarr.json")
                await super().set(key, value)

        return Folder(path)

    # Made when first asked for, which is while a first chunk computes: importing Zarr and making a
    # group take as long as a short run.

    @cached_property
    def _group(self) -> Any:
        import zarr

        self._check_folder(begun=False)
        return zarr.create_group(self.store, zarr_format=3, attributes=self.attributes)

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        return self._create_fixed()

    def open(self) -> None:
        """Make the arrays, so that a reader finds a run that has not recorded anything yet."""
        _ = self._group, self._arrays

    def append(self, chunk: Chunk, extra: Mapping[str, Any] | None = None) -> None:
        """Write a chunk, then commit it, with JSON-able notes if any (`Run.commit.extra`).

        Raises:
            ValueError: the chunk does not follow the last one, or disagrees with the recording.
        """
        self._check(chunk)
        self._check_folder(begun="_group" in vars(self))
        self.open()
        first, end = chunk.first_step, chunk.first_step + chunk.n_steps
        for axis, every in {self._axes[t.name][0]: t.every for t in self.traces}.items():
            samples = np.arange(first // every + 1, end // every + 1) * every
            self._append(axis, samples * self.attributes["dt_ms"])
        for trace in self.traces:
            values = chunk.traces[trace.name]
            if trace.name not in self._arrays:  # its dtype and chunk length are known only now
                self._arrays[trace.name] = self._create_trace(trace, values)
            self._append(trace.name, values)
        for name in ("spike_step", "spike_neuron", "rate_counts"):
            if name in self._arrays:
                self._append(name, getattr(chunk, name))
        if "spike_end" in self._arrays and chunk.spike_point is not None:
            counts = np.bincount(chunk.spike_point, minlength=self.n_points or 0)
            before = self.commit.lengths.get("spike_step", 0)
            self._append("spike_end", (before + np.cumsum(counts))[None])
        lengths = {name: array.shape[self._axis(name)] for name, array in self._arrays.items()}
        self._commit(Commit(end, lengths, dict(extra or {})))

    def _check_folder(self, begun: bool = True) -> None:
        """That what was written is there; what was ``begun`` says what it is."""
        if self.folder is None:
            return
        needed = [self.folder / RESULTS / "zarr.json"] if begun else [self.folder / RESULTS]
        needed += [self.folder / COMMIT] if self.commit.steps else []
        if not all(path.exists() for path in needed):
            done = f"what was written until step {self.commit.steps} is lost"
            raise ResultsLostError(f"{self.folder} was removed or emptied meanwhile; {done}")

    def note(self, extra: Mapping[str, Any]) -> None:
        """Commit other notes, and nothing more."""
        self._commit(Commit(self.commit.steps, self.commit.lengths, dict(extra)))

    def _commit(self, commit: Commit) -> None:
        if self.folder is not None:
            write_whole(self.folder / COMMIT, json.dumps(vars(commit)))
        self.commit = commit

    def close(self) -> None:
        """Gather the metadata of all arrays in one place, so that the store opens in one read."""
        import zarr

        self.open()  # also of a run that ended before its first chunk
        self._check_folder()
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            zarr.consolidate_metadata(self.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _axis(self, name: str) -> int:
        """The axis along which an array grows."""
        return int(
            self.n_points is not None and name in (*self.attributes["traces"], "rate_counts")
        )

    def _create(self, name: str, dtype: Any, dims: Sequence[str], **how: Any) -> Any:
        """An array that grows along its first dimension, or along that after ``point``."""
        from zarr.codecs import BloscCodec, Crc32cCodec

        width, chunks = how.pop("width", ()), how.pop("chunks")
        shape, dims = (0, *width), list(dims)
        if self._axis(name):
            shape, dims = (self.n_points or 0, *shape), ["point", *dims]
        return self._group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype=dtype,
            dimension_names=dims,
            # What a file that is lost reads as, which no value is; files that changed are refused.
            fill_value=lost(np.dtype(dtype)),
            compressors=(BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), Crc32cCodec()),
            attributes=how,
        )

    def _create_fixed(self) -> dict[str, Any]:
        """The arrays known before the first chunk: coordinates, spikes, rate."""
        arrays: dict[str, Any] = {}
        points = self.n_points
        for trace in self.traces:
            time, neuron = self._axes[trace.name]
            if time not in arrays:
                about = {"units": "ms", "every": int(trace.every), "chunks": (_VALUES_PER_CHUNK,)}
                arrays[time] = self._create(time, "float64", [time], **about)
            if neuron not in arrays:
                chunks = (max(1, len(trace.neurons)),)
                arrays[neuron] = self._create(neuron, "int64", [neuron], chunks=chunks)
                arrays[neuron].append(np.asarray(trace.neurons, np.int64))
        if self.attributes["record_spikes"]:
            for name, dtype in (("spike_step", "int64"), ("spike_neuron", "int32")):
                arrays[name] = self._create(name, dtype, ["spike"], chunks=(_SPIKES_PER_CHUNK,))
            if points is not None:
                shape: dict[str, Any] = {"width": (points,), "chunks": (16, points)}
                dims = ["chunk", "point"]
                arrays["spike_end"] = self._create("spike_end", "int64", dims, **shape)
        if (steps := self.attributes["rate_bin_steps"]) is not None:
            bins: tuple[int, ...] = (_VALUES_PER_CHUNK,)
            if points is not None:
                bins = (points, max(1, min(_VALUES_PER_CHUNK, 2**19 // points)))
            width = (len(of),) if (of := self.attributes["populations"]) else ()
            dims = ["bin", *["population"][: len(width)]]
            about = {"units": "spikes per bin", "rate_bin_steps": steps, "width": width}
            about["chunks"] = (*bins, *width)
            arrays["rate_counts"] = self._create("rate_counts", "int64", dims, **about)
        return arrays

    def _create_trace(self, trace: Trace, values: np.ndarray) -> Any:
        """A trace whose file chunks match what one `append` brings, so that none is rewritten."""
        rows, width = (max(1, size) for size in values.shape[-2:])
        target = _TRACE_CHUNK_BYTES // values.dtype.itemsize  # values in a file
        several = max(1, -(-target // (4 * rows * width * (self.n_points or 1))))
        rows = min(rows * several, _VALUES_PER_CHUNK)  # small appends share a file
        chunks: tuple[int, ...] = (rows, min(width, max(1, target // rows)))
        if self.n_points is not None:
            chunks = (max(1, min(self.n_points, target // (chunks[0] * chunks[1]))), *chunks)
        about = {"units": trace.unit, "every": int(trace.every)}
        size = {"width": values.shape[-1:], "chunks": chunks}
        return self._create(trace.name, values.dtype, self._axes[trace.name], **size, **about)

    def _append(self, name: str, values: np.ndarray) -> None:
        axis = self._axis(name)
        if values.shape[axis]:
            values = np.asarray(values, dtype=self._arrays[name].dtype)
            self._arrays[name].append(values, axis=axis)

    def _check(self, chunk: Chunk) -> None:
        first, end = chunk.first_step, chunk.first_step + chunk.n_steps
        if first != self.commit.steps or chunk.n_steps < 1:
            done = f"{self.commit.steps} steps are committed"
            raise ValueError(f"chunks must follow one another: {done}, got {first} to {end}.")
        points = () if self.n_points is None else (self.n_points,)
        shapes = {
            t.name: (*points, end // t.every - first // t.every, len(t.neurons))
            for t in self.traces
        }
        given = {name: values.shape for name, values in chunk.traces.items()}
        if given != shapes:
            raise ValueError(f"traces of steps {first} to {end} must be {shapes}, got {given}.")
        if (chunk.rate_counts is None) != (self.attributes["rate_bin_steps"] is None):
            raise ValueError("rate_counts must be given exactly when rate_bin_steps is set.")
        step, neuron = chunk.spike_step, chunk.spike_neuron
        if step.shape != neuron.shape or step.ndim != 1:
            raise ValueError(f"spikes need equal length, flat: got {step.shape}, {neuron.shape}.")
        allowed = {"step": (step, first, end), "neuron": (neuron, 0, self.attributes["n_neurons"])}
        for what, (values, low, high) in allowed.items():
            if values.size and (values.min() < low or values.max() >= high):
                found = f"{values.min()} to {values.max()}"
                raise ValueError(f"spikes have {what}s {found}, allowed are {low} to {high - 1}.")
