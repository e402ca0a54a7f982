"""The Zarr arrays of results: made, appended to, cut back to what was committed, synced."""

from __future__ import annotations

import json
import shutil
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.damage import DamagedError, lost, read_mapping
from neurolab.results.layout import RESULTS, Trace, axes_of, growing_axis, sync, write_whole

__all__ = ["Arrays"]

# Measured: larger chunks append faster (5e6 spikes: 0.11 s with 2^18, 0.30 s with 2^16), but three
# spikes cost a whole one. 4 MiB of trace is 15 files for 60 MB.
_SPIKES_PER_CHUNK = 2**18
_TRACE_CHUNK_BYTES = 4 * 2**20
_VALUES_PER_CHUNK = 2**14
_SETTLING_SECONDS = 5.0
#: Files that are synced at the same time: the disk takes several together in the time of one.
FILES_AT_ONCE = 8


class Arrays:
    """The arrays in `folder/results.zarr`; in memory where there is no folder.

    Args:
        folder: the run's, or the batch's.
        attributes: what the group says of the recording (`neurolab.results.writer`).
        traces: what is recorded.
        check: called before files are written, raises if those from before are gone; says whether
            any were `begun`.
    """

    # Made when first asked for, which is while a first chunk computes: importing Zarr and making a
    # group take as long as a short run.

    def __init__(
        self,
        folder: Path | None,
        attributes: Mapping[str, Any],
        traces: Sequence[Trace],
        check: Callable[[bool], None],
    ) -> None:
        self.folder, self.attributes, self.check = folder, attributes, check
        self.traces, self.n_points = tuple(traces), attributes["n_points"]
        self.axes = axes_of(self.traces)
        self._existing = False
        #: Of files that were written since the last `sync`: that they are on the disk.
        self._written: dict[Path, Future[None]] = {}
        self._busy: list[str] = []  # what is being written, by another thread
        self._disk: ThreadPoolExecutor | None = None  # waits for it, while more is compressed

    @cached_property
    def store(self) -> Any:
        """Where Zarr keeps the arrays: a folder, or memory."""
        from zarr.storage import LocalStore, MemoryStore

        if self.folder is None:
            return MemoryStore()
        path, busy = self.folder / RESULTS, self._busy
        check, synced = self.check, self._synced

        class Folder(LocalStore):
            """Zarr makes folders that are missing: a part of one that was removed was back."""

            async def set(self, key: str, value: Any) -> None:
                await within(super().set, key, value, key != "zarr.json")
                synced(path / key)

            async def set_if_not_exists(self, key: str, value: Any) -> None:
                await within(super().set_if_not_exists, key, value, True)  # of the group

        async def within(write: Callable[..., Any], key: str, value: Any, begun: bool) -> None:
            busy.append(key)
            try:
                check(begun)
                await write(key, value)
                check(begun)  # or that made it anew: see `unmake`
            finally:
                busy.remove(key)

        return Folder(path)

    @cached_property
    def group(self) -> Any:
        import zarr

        if self._existing:
            return zarr.open_group(self.store, mode="r+", use_consolidated=False)
        self.check(False)
        return zarr.create_group(self.store, zarr_format=3, attributes=dict(self.attributes))

    @cached_property
    def arrays(self) -> dict[str, Any]:
        """The arrays by name; those of traces once there is one."""
        return dict(self.group.arrays()) if self._existing else self._create_fixed()

    @property
    def begun(self) -> bool:
        """Whether anything was written."""
        return "group" in vars(self)

    def open(self) -> None:
        """Make the arrays, so that a reader finds a run that has not recorded anything yet."""
        _ = self.group, self.arrays

    def reopen(self, lengths: Mapping[str, int]) -> None:
        """Go on with arrays that are there, cut back to lengths that were committed.

        Raises:
            DamagedError: they are not whole.
            ValueError: they are of another recording.
        """
        if self.folder is None:
            raise ValueError("results in memory end with their process")
        path = self.folder / RESULTS / "zarr.json"
        known = read_mapping(path)
        # What a reader would take for the lengths of arrays that grow again.
        if known.pop("consolidated_metadata", None) is not None:
            write_whole(path, json.dumps(known), synced=True)
        found = known.get("attributes", {})
        differ = [key for key, value in self.attributes.items() if found.get(key) != value]
        if differ:
            said = "; ".join(f"{k}: {found.get(k)}, now {self.attributes[k]}" for k in differ)
            raise ValueError(f"{path.parent} holds another recording ({said})")
        self._existing = True
        for left in path.parent.rglob("*.partial"):  # of files that were being written
            left.unlink(missing_ok=True)
        for name, array in self.arrays.items():
            axis, length = self.axis(name), lengths.get(name, 0)
            if array.shape[axis] < length:
                why = f"{length} values were committed, it has {array.shape[axis]}"
                raise DamagedError(path.parent / name, f"a part of it is missing: {why}")
            if array.shape[axis] > length:
                array.resize((*array.shape[:axis], length, *array.shape[axis + 1 :]))

    @property
    def lengths(self) -> dict[str, int]:
        """How long each array is."""
        return {name: array.shape[self.axis(name)] for name, array in self.arrays.items()}

    def axis(self, name: str) -> int:
        """The axis along which an array grows."""
        return growing_axis(name, self.attributes)

    def append(self, name: str, values: np.ndarray) -> None:
        """Append to an array; to that of a trace, which may have to be made."""
        trace = next((trace for trace in self.traces if trace.name == name), None)
        if trace is not None and not values.shape[growing_axis(name, self.attributes)]:
            return  # a chunk without samples does not say how long chunks are
        if trace is not None and name not in self.arrays:  # dtype and chunk length are known now
            self.arrays[name] = self._create_trace(trace, values)
        axis = self.axis(name)
        if values.shape[axis]:
            values = np.asarray(values, dtype=self.arrays[name].dtype)
            self.arrays[name].append(values, axis=axis)

    def _synced(self, path: Path) -> None:
        """Begin to sync a file."""
        self._disk = self._disk or ThreadPoolExecutor(FILES_AT_ONCE, "disk")
        self._written[path] = self._disk.submit(sync, path)

    def sync(self) -> None:
        """See that what was written since the last call is on the disk."""
        written, disk = dict(self._written), self._disk
        self._written.clear()
        self._disk = None
        try:
            for synced in written.values():
                synced.result()
            for folder in sorted({above for path in written for above in path.parents[:2]}):
                sync(folder)
        except FileNotFoundError:
            self.check(True)
            raise
        finally:
            if disk is not None:
                disk.shutdown()

    def unmake(self) -> None:
        """Take away what was made anew of results that were removed or moved, once nothing is being
        written any more; not of others, who begin with the group and have more than arrays."""
        until = time.monotonic() + _SETTLING_SECONDS
        while self._busy and time.monotonic() < until:
            time.sleep(0.005)
        if self.folder is None:
            return
        path = self.folder / RESULTS
        if [*self.folder.glob("*")] == [path] or not (path / "zarr.json").exists():
            shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):  # there is something in it, or it is gone
            self.folder.rmdir()

    def consolidate(self) -> None:
        """Gather the metadata of all arrays in one place, so that the store opens in one read."""
        import zarr

        with warnings.catch_warnings(action="ignore", category=UserWarning):
            zarr.consolidate_metadata(self.store)
        self.sync()

    def _create(self, name: str, dtype: Any, dims: Sequence[str], **how: Any) -> Any:
        """An array that grows along its first dimension, or along that after ``point``."""
        from zarr.codecs import BloscCodec, Crc32cCodec

        width, chunks = how.pop("width", ()), how.pop("chunks")
        shape, dims = (0, *width), list(dims)
        if self.axis(name):
            shape, dims = (self.n_points or 0, *shape), ["point", *dims]
        return self.group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype=dtype,
            dimension_names=dims,
            # What a file that is lost reads as, which no value is; files that changed are refused.
            fill_value=lost(np.dtype(dtype)),
            compressors=(BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), Crc32cCodec()),
            attributes=how,
            chunk_key_encoding={"name": "default", "separator": "."},  # files of one folder
            config={"write_empty_chunks": True},  # what is committed has all of its files
        )

    def _create_fixed(self) -> dict[str, Any]:
        """The arrays known before the first chunk: coordinates, spikes, rate."""
        arrays: dict[str, Any] = {}
        points = self.n_points
        for trace in self.traces:
            time, neuron = self.axes[trace.name]
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
        return self._create(trace.name, values.dtype, self.axes[trace.name], **size, **about)
