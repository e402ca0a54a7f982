"""Results of one run, or of points computed together, appended while they go; `results.run` reads.

    with ResultsWriter(folder, n_neurons=100, dt_ms=0.1, traces=[...]) as writer:
        writer.write(chunk)  # after every chunk of steps
        writer.keep()  # now and then: of what was written before, nothing is lost

The folder holds::

    results.zarr/    <trace> [time, neuron], time, neuron, spike_step, spike_neuron, rate_counts
    commit.json      how many steps, and how much of each array, are whole

Of many points traces and rates have a first axis `point`; their spikes are one chunk's after
another's, within a chunk sorted by point, and `spike_end` [chunk, point] says where each end.

A process can be killed at any moment. Appends to several arrays are not one operation, so what is
valid is said by `commit.json` alone: it is replaced atomically once a chunk is on the disk, and a
reader trims every array to it. So what is committed outlives a killed process and a power cut.

Time: what happens in step n (0, 1, ...) is stamped with the end of the step, (n + 1) dt, be it a
spike or a sample of a trace. A trace with interval `every` is sampled at (n + 1) % every == 0.
Of the steps before `start` nothing is kept: they count, chunks of them have no values.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from neurolab.problems import ResultsLostError
from neurolab.results.arrays import Arrays
from neurolab.results.layout import COMMIT, RESULTS, Chunk, Commit, Trace, axes_of, kept
from neurolab.results.lease import Lease
from neurolab.results.sealed import CONFIGURATION, write_commit

__all__ = ["ResultsWriter", "described"]

#: A lease is read again after that: read around each file it took 5 % of a run that fills the disk.
_LATELY_SECONDS = 0.05


def described(traces: Sequence[Trace]) -> dict[str, dict[str, Any]]:
    """What results say of each trace."""
    axes = axes_of(traces)
    return {
        t.name: {"unit": t.unit, "every": int(t.every), "axes": [*axes[t.name]]} for t in traces
    }


class ResultsWriter:
    """Appends chunks to `folder/results.zarr` (made here), and commits what was written.

    Args:
        folder: None keeps the results in memory (`ResultsWriter.store`).
        n_neurons: size of the population that spikes and rates refer to.
        populations, silent: the first neuron of each and the end; names of those without spikes.
        traces: what `Chunk.traces` will hold. Those with equal `every` share a time axis, and those
            with equal `neurons` a neuron axis: the first `time`, `neuron`, then `time_<name>`, ...
        rate_bin_steps: steps in a bin of the population rate; None: the rate is not kept.
        start: the first step of which anything is kept, a multiple of `rate_bin_steps`.
        n_points: how many points are computed together; None: a run, without that axis.
        go_on: with what a commit in the folder says is there; what came after it is cut off.
        lease: of the folder, looked at before anything is written.
        of: what the results are of, for `Commit.of`.

    Raises:
        FileExistsError: there are results already.
        DamagedError: what was committed is not there.
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
        start: int = 0,
        n_points: int | None = None,
        go_on: Commit | None = None,
        lease: Lease | None = None,
        of: str = "",
    ) -> None:
        self.folder = None if folder is None else Path(folder)
        self.traces, self.n_points, self.lease = tuple(traces), n_points, lease
        self.attributes: dict[str, Any] = {
            "format": "neurolab results 3",
            "n_neurons": int(n_neurons),
            "populations": {name: list(ends) for name, ends in (populations or {}).items()},
            "silent": list(silent),
            "n_points": n_points,
            "dt_ms": float(dt_ms),
            "record_spikes": bool(record_spikes),
            "rate_bin_steps": None if rate_bin_steps is None else int(rate_bin_steps),
            "traces": described(self.traces),
        }
        if start:
            self.attributes["start_step"] = int(start)
        self.start = int(start)
        self.commit, self.of = Commit(), of
        #: What the next commit says: as much as was written whole.
        self._whole = self.commit
        self._arrays = Arrays(self.folder, self.attributes, self.traces, self._check_place)
        self._digests: dict[str, str] = {}
        if self.folder is not None:
            path = self.folder / RESULTS
            if go_on is not None and go_on.steps:
                kept = go_on.digests.items()  # but of the configuration, which may be a longer one
                self._digests = {name: of for name, of in kept if name not in CONFIGURATION}
                self._commit(go_on)
                self._whole = self.commit
                self._arrays.reopen(go_on.lengths)
                return
            if go_on is not None:  # nothing of it counts
                shutil.rmtree(path, ignore_errors=True)
            if path.exists():
                raise FileExistsError(f"{path} holds results already. Choose another folder.")
            path.mkdir(parents=lease is None)  # one that is held is there, or was removed
            (self.folder / COMMIT).unlink(missing_ok=True)  # of results that were deleted

    @property
    def store(self) -> Any:
        """Where Zarr keeps the arrays: a folder, or memory."""
        return self._arrays.store

    @property
    def written(self) -> Commit:
        """As much as was written whole, and will be committed next."""
        return self._whole

    def open(self) -> None:
        """Make the arrays, so that a reader finds a run that has not recorded anything yet."""
        with self._nothing_anew():
            self._arrays.open()

    def append(self, chunk: Chunk, extra: Mapping[str, Any] | None = None) -> None:
        """`write` a chunk, then `keep` it."""
        self.write(chunk)
        self.keep(extra)

    def write(self, chunk: Chunk) -> None:
        """Write a chunk, which counts once it is kept: without waiting for the disk.

        Raises:
            ValueError: the chunk does not follow the last one, or disagrees with the recording.
        """
        self._check(chunk)
        with self._nothing_anew():
            self._append(chunk)
        self._whole = Commit(chunk.first_step + chunk.n_steps, self._arrays.lengths)

    def keep(self, extra: Mapping[str, Any] | None = None) -> None:
        """Commit what was written, once it is on the disk, with JSON-able notes if any
        (`Run.commit.extra`)."""
        with self._nothing_anew():
            self._arrays.sync()
            self._commit(replace(self._whole, extra=dict(extra or {})))

    def _append(self, chunk: Chunk) -> None:
        self._check_folder(begun=self._arrays.begun)
        self._arrays.open()
        arrays, first, end = self._arrays, chunk.first_step, chunk.first_step + chunk.n_steps
        for axis, every in {arrays.axes[t.name][0]: t.every for t in self.traces}.items():
            samples = np.arange(max(first, self.start) // every + 1, end // every + 1) * every
            arrays.append(axis, samples * self.attributes["dt_ms"])
        for trace in self.traces:
            arrays.append(trace.name, chunk.traces[trace.name])
        for name in ("spike_step", "spike_neuron", "rate_counts"):
            if name in arrays.arrays:
                arrays.append(name, getattr(chunk, name))
        if "spike_end" in arrays.arrays and chunk.spike_point is not None:
            counts = np.bincount(chunk.spike_point, minlength=self.n_points or 0)
            before = self._whole.lengths.get("spike_step", 0)
            arrays.append("spike_end", (before + np.cumsum(counts))[None])

    @contextmanager
    def _nothing_anew(self) -> Iterator[None]:
        """Of a folder that was removed while it was written to nothing is left."""
        try:
            yield
        except ResultsLostError:
            self._arrays.unmake()
            raise

    def _check_place(self, begun: bool) -> None:
        """As before a commit, around each of its files: of a process that slept the folder may be
        another's."""
        self._check_folder(begun, lately=_LATELY_SECONDS)

    def _check_folder(self, begun: bool = True, lately: float = 0.0) -> None:
        """That what was written is there; what was ``begun`` says what it is."""
        if self.folder is None:
            return
        needed = [self.folder / RESULTS / ("zarr.json" if begun else "")]
        needed += [self.folder / COMMIT] if self.commit.steps else []
        if not all(path.exists() for path in needed):
            told = f"{self.folder} was removed or emptied meanwhile; what was written until step"
            raise ResultsLostError(f"{told} {self.commit.steps} is lost")
        if self.lease is not None:
            self.lease.check(lately)

    def note(self, extra: Mapping[str, Any]) -> None:
        """Commit other notes, and nothing more."""
        self._commit(Commit(self.commit.steps, self.commit.lengths, dict(extra)))

    def _commit(self, commit: Commit) -> None:
        self._check_folder(begun=self._arrays.begun)
        if self.folder is not None:
            commit = replace(commit, of=self.of)
            commit = write_commit(self.folder, commit, self.attributes, self._digests)
            self._digests = commit.digests
        self.commit = commit

    def close(self) -> None:
        """Nothing more comes for now."""
        with self._nothing_anew():
            self._arrays.open()  # also of a run that ended before its first chunk
            self._check_folder()
            self._arrays.consolidate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _check(self, chunk: Chunk) -> None:
        first, end = chunk.first_step, chunk.first_step + chunk.n_steps
        if first != self._whole.steps or chunk.n_steps < 1:
            done = f"{self._whole.steps} steps are written"
            raise ValueError(f"chunks must follow one another: {done}, got {first} to {end}.")
        points = () if self.n_points is None else (self.n_points,)
        shapes = {
            t.name: (*points, kept(end, t.every, max(first, self.start)), len(t.neurons))
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
        allowed = {
            "step": (step, max(first, self.start), end),
            "neuron": (neuron, 0, self.attributes["n_neurons"]),
        }
        for what, (values, low, high) in allowed.items():
            if values.size and (values.min() < low or values.max() >= high):
                found = f"{values.min()} to {values.max()}"
                raise ValueError(f"spikes have {what}s {found}, allowed are {low} to {high - 1}.")
