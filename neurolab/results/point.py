"""Reading one point of a sweep, as a run is read."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.results.damage import lost_results
from neurolab.results.layout import RESULTS, Commit, kept
from neurolab.results.run import Run
from neurolab.results.table import VALUES, as_told

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["InBatch", "PointRun"]


class InBatch(Run):
    """What was recorded of one of several points that were computed together.

    Parameters
    ----------
    batch, commit, store
        As of a `Run`: all of the points.
    place
        Which of them it is.
    steps
        How many of its steps count.
    """

    def __init__(
        self,
        batch: Path,
        place: int,
        steps: int,
        commit: Commit | None = None,
        store: Any = None,
    ) -> None:
        super().__init__(batch, commit, store)
        self._in_batch = place
        self.commit = self._trimmed(steps)

    def beginning(self, most: int) -> Run:
        """The whole point."""
        return self

    def _trimmed(self, steps: int) -> Commit:
        """The commit of the batch, for this point and the steps that count of it."""
        lengths, about = dict(self.commit.lengths), self.attributes
        for name, trace in about["traces"].items():
            own = kept(steps, trace["every"], self.start_step)
            lengths |= dict.fromkeys((name, trace["axes"][0]), own)
        if "rate_counts" in lengths:
            lengths["rate_counts"] = kept(steps, about["rate_bin_steps"], self.start_step)
        if "spike_step" in lengths:
            begins, ends = self._pieces
            lengths |= dict.fromkeys(("spike_step", "spike_neuron"), int((ends - begins).sum()))
        return Commit(steps, {k: n for k, n in lengths.items() if n}, self.commit.extra)

    @cached_property
    def _pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Where this point's spikes begin and end, chunk by chunk."""
        ends = self.part("spike_end", slice(0, self.commit.lengths.get("spike_end", 0)))
        begins = np.concatenate([[0], ends.ravel()[:-1]]).reshape(ends.shape)
        return begins[:, self._in_batch], ends[:, self._in_batch]

    def read(self, name: str) -> np.ndarray:
        if name not in self.commit.lengths:
            return np.zeros(0, np.int64)
        if name not in ("spike_step", "spike_neuron"):
            at = (self._in_batch, slice(0, self.commit.lengths[name]))
            return self.part(name, *at)
        pieces = zip(*self._pieces, strict=True)
        return np.concatenate([self.part(name, slice(b, e)) for b, e in pieces])


class PointRun(InBatch):
    """One point of a sweep, whose results lie among those of the points of its batch."""

    def __init__(self, row: dict[str, Any], config: DictConfig, overrides: list[str]) -> None:
        batch = Path(row["batch"])
        if not (batch / RESULTS / "zarr.json").exists():
            nothing = KeyError(f"point {row['point']} recorded nothing; the table has its summary")
            raise lost_results(batch, {}) or nothing
        super().__init__(batch, row["in_batch"], row["n_steps"])
        self.overrides, self.config = overrides, config
        known, none = row.get("populations", {}), dict.fromkeys(VALUES)
        self.summary = as_told(row) | {"n_neurons": self.n_neurons, "dt_ms": self.dt_ms}
        if self.populations:
            self.summary["populations"] = {
                name: {"n_neurons": of.stop - of.start} | as_told(known.get(name, none))
                for name, of in self.populations.items()
            }
