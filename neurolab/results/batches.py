"""The folder of a sweep while it is computed: what it is, and batches of points as they are done.

    definition.json                  templates, points, axes: what the sweep is
    batches/<first point>/           a batch: commit.json, with a row for each point, is written
                                     last; without it the batch counts for nothing
    batches/<first point>/results.zarr   what `record` asks for, all points of the batch together:
        <trace> [point, time, neuron], rate_counts [point, bin],
        spike_step, spike_neuron: chunk after chunk, a chunk's spikes sorted by point;
        spike_end [chunk, point]: where the spikes of each chunk and point end

Batches know nothing of one another, so several processes can add theirs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.writer import RESULTS, Trace, recording_attributes, write_whole

__all__ = ["BatchWriter", "SweepFolder"]

_DEFINITION, _BATCHES, COMMIT = "definition.json", "batches", "commit.json"
_FAILURES = "failures.json"
_BYTES = 4 * 2**20  # in a file of a trace
_SPIKES = 2**18


class SweepFolder:
    """Where a sweep is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """Whether there is a sweep."""
        return (self.path / _DEFINITION).exists()

    def define(self, definition: Mapping[str, Any]) -> None:
        """Write what the sweep is."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / _DEFINITION, definition)

    def definition(self) -> dict[str, Any]:
        """What the sweep is."""
        found: dict[str, Any] = json.loads((self.path / _DEFINITION).read_text())
        return found

    def batch(self, first: int) -> Path:
        """The folder of the batch whose first point has this index."""
        return self.path / _BATCHES / f"{first:06d}"

    def rows(self) -> dict[int, dict[str, Any]]:
        """What is known of each computed point, and where: ``batch`` and ``lane``."""
        rows = {}
        for path in sorted(self.path.glob(f"{_BATCHES}/*/{COMMIT}")):
            for lane, row in enumerate(json.loads(path.read_text())["rows"]):
                rows[row["point"]] = {**row, "batch": path.parent, "lane": lane}
        return dict(sorted(rows.items()))

    def failures(self) -> dict[int, dict[str, Any]]:
        """Points whose computation failed when they were last tried, and why."""
        path = self.path / _FAILURES
        found = json.loads(path.read_text()) if path.exists() else {}
        return {
            int(index): {"point": int(index), "status": "failed", "message": message}
            for index, message in found.items()
        }

    def fail(self, reasons: Mapping[int, str]) -> None:
        """Say which points failed; resuming computes them again."""
        if reasons:
            write_json(self.path / _FAILURES, reasons)

    def forget(self) -> None:
        """Remove batches that were not finished, and failures: they are to be computed again."""
        (self.path / _FAILURES).unlink(missing_ok=True)
        for folder in self.path.glob(f"{_BATCHES}/*"):
            if not (folder / COMMIT).exists():
                shutil.rmtree(folder)


class BatchWriter:
    """Appends what the points of a batch recorded, chunk after chunk; `commit` makes it count."""

    def __init__(
        self,
        folder: Path,
        n_points: int,
        *,
        n_neurons: int,
        dt_ms: float,
        traces: Sequence[Trace] = (),
        record_spikes: bool = True,
        rate_bin_steps: int | None = None,
    ) -> None:
        self.folder, self.n_points, self.traces = folder, n_points, tuple(traces)
        if folder.exists():
            shutil.rmtree(folder)  # of a run that was killed
        folder.mkdir(parents=True)
        self._spikes, self._end, self._rate = record_spikes, 0, rate_bin_steps is not None
        self._arrays: dict[str, Any] = {}
        self._group: Any = None
        if record_spikes or self._rate or self.traces:
            import zarr

            about = recording_attributes(n_neurons, dt_ms, traces, record_spikes, rate_bin_steps)
            about["neurons"] = {trace.name: trace.neurons.tolist() for trace in traces}
            self._group = zarr.create_group(folder / RESULTS, zarr_format=3, attributes=about)

    def append(
        self,
        spikes: tuple[np.ndarray, np.ndarray, np.ndarray],
        traces: Mapping[str, np.ndarray],
        rate_counts: np.ndarray | None,
    ) -> None:
        """Write a chunk: point, step, neuron of its spikes by point; else [point, time, ...]."""
        if self._spikes:
            point, step, neuron = spikes
            ends = self._end + np.cumsum(np.bincount(point, minlength=self.n_points))
            self._end = int(ends[-1])
            self._append("spike_step", step.astype(np.int64), 0, (_SPIKES,))
            self._append("spike_neuron", neuron.astype(np.int32), 0, (_SPIKES,))
            self._append("spike_end", ends[None].astype(np.int64), 0, (16, self.n_points))
        for trace in self.traces:
            values = traces[trace.name]
            row = values[:1, :1].nbytes
            times = max(1, min(values.shape[1], _BYTES // max(row, 1)))
            points = max(1, min(self.n_points, _BYTES // max(row * times, 1)))
            self._append(trace.name, values, 1, (points, times, values.shape[2]))
        if rate_counts is not None:
            bins = max(1, min(2**14, 2**19 // self.n_points))
            self._append("rate_counts", rate_counts.astype(np.int32), 1, (self.n_points, bins))

    def commit(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Say how each point went; from now on the batch counts."""
        write_json(self.folder / COMMIT, {"rows": list(rows)})

    def _append(self, name: str, values: np.ndarray, axis: int, chunks: tuple[int, ...]) -> None:
        if name not in self._arrays:
            from zarr.codecs import BloscCodec

            shape = list(values.shape)
            shape[axis] = 0
            self._arrays[name] = self._group.create_array(
                name,
                shape=tuple(shape),
                chunks=tuple(max(1, c) for c in chunks),
                dtype=values.dtype,
                compressors=BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"),
            )
        if values.shape[axis]:
            self._arrays[name].append(values, axis=axis)


def write_json(path: Path, content: Any) -> None:
    """Replace a file in one operation."""
    write_whole(path, json.dumps(content, default=_plain))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
