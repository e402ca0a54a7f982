"""The points of a sweep as columns: what became of each, and its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.batches import SweepFolder
from neurolab.results.damage import DamagedError
from neurolab.results.plan import Plan
from neurolab.results.statistics import STATISTICS

__all__ = ["STATUSES", "VALUES", "Table", "as_told", "column_of", "known", "said"]

#: Summary values of a point: unit and what it is.
VALUES = {
    "rate_hz": ("Hz", "firing rate"),
    "rate_hz_std": ("Hz", "s.d. of firing rates over neurons"),
    "isi_cv": ("1", "CV of inter-spike intervals"),
    "spike_count": ("1", "number of spikes"),
    "rate_hz_so_far": ("Hz", "firing rate of what diverged or was stopped, until then"),
}
#: What may have become of a point; ``partial``: it was stopped, and has what it had by then.
#: ``damaged``: nothing is known of it, and a file that may say what became of it is damaged.
STATUSES = ("missing", "completed", "partial", "diverged", "refused", "failed", "damaged")
_WHOLE = ("n_steps", "seed", "in_batch", "spike_count")
_NUMBERS = (*VALUES, "duration_ms", "n_steps", "seed", "in_batch")


class Table(Mapping[int, dict[str, Any]]):
    """What became of each point, column by column; a row of one point by its index.

    Points of which nothing is known have no row. Those of networks have values of each population
    too, in columns such as ``rate_hz.E``.
    """

    def __init__(self, plan: Plan, folder: SweepFolder) -> None:
        n = len(plan)
        self.status = np.zeros(n, np.uint8)
        self.columns = {name: np.full(n, np.nan) for name in _NUMBERS}
        self.messages: dict[int, str] = {}
        #: Names of the populations of networks.
        self.populations: list[str] = []
        #: Units of the values that `record.summary` asks for, by name and population.
        self.measured: dict[tuple[str, str], str] = {}
        numbers: dict[Path, int] = {}
        self._batch = np.full(n, -1, np.int32)
        for why, points in plan.refused.items():
            self.status[points] = STATUSES.index("refused")
            self.messages |= dict.fromkeys(points.tolist(), why)
        #: What is wrong with files that may say what became of points that have no row.
        self.damaged: list[DamagedError] = []
        failures, rows = folder.failures(self.damaged), folder.rows(self.damaged)
        for index, row in (*failures.items(), *rows.items()):
            self._put(index, row, numbers)
        self._paths = list(numbers)
        self.damaged = self.damaged or self._lost(folder)
        if (unknown := self.where("missing")).size and self.damaged:
            self.status[unknown] = STATUSES.index("damaged")
            told = "; ".join(map(str, self.damaged))
            self.messages |= dict.fromkeys(unknown.tolist(), told)
        else:
            self.damaged = []

    def _lost(self, folder: SweepFolder) -> list[DamagedError]:
        """What is wrong where fewer points are known than there were when the sweep ended."""
        try:
            before = folder.summary().get("missing")
        except DamagedError:
            return []
        now = self.where("missing").size
        if before is None or now <= before:
            return []
        told = f"{now - before} more points have no row in it or in failures.json than at the end"
        return [DamagedError(folder.path / "batches", told)]

    def _put(self, index: int, row: Mapping[str, Any], batches: dict[Path, int]) -> None:
        self.status[index] = STATUSES.index(row["status"])
        for name in _NUMBERS:
            if row.get(name) is not None:
                self.columns[name][index] = row[name]
        self._measure(index, "", row)
        for population, own in (row.get("populations") or {}).items():
            self._measure(index, population, own)
            if population not in self.populations:
                self.populations.append(population)
                none = {
                    column_of(name, population): np.full(self.status.size, np.nan)
                    for name in VALUES
                }
                self.columns |= none
            for name in VALUES:
                if own.get(name) is not None:
                    self.columns[column_of(name, population)][index] = own[name]
        if row.get("message"):
            self.messages[index] = row["message"]
        if "batch" in row:
            self._batch[index] = batches.setdefault(row["batch"], len(batches))

    def _measure(self, index: int, population: str, row: Mapping[str, Any]) -> None:
        for name, (value, unit) in (row.get("measured") or {}).items():
            column = column_of(name, population)
            if (name, population) not in self.measured:
                self.measured[name, population] = unit
                self.columns[column] = np.full(self.status.size, np.nan)
            if value is not None:
                self.columns[column][index] = value

    def _measured_of(self, index: int, population: str) -> dict[str, Any]:
        """What was asked for of a point, and the units, as a summary has them."""
        found: dict[str, Any] = {}
        for (name, own), unit in self.measured.items():
            if own == population:
                value = float(self.columns[column_of(name, own)][index])
                found |= {name: None if np.isnan(value) else value, f"{name}_unit": unit}
        return found

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < self.status.size or not self.status[index]:
            raise KeyError(index)
        row: dict[str, Any] = {"point": index, "status": STATUSES[self.status[index]]}
        row["message"] = self.messages.get(index, "")
        if self._batch[index] >= 0:
            row |= {name: known(self.columns[name][index], name) for name in _NUMBERS}
            row |= self._measured_of(index, "")
            own = {
                one: {
                    name: known(self.columns[column_of(name, one)][index], name) for name in VALUES
                }
                | self._measured_of(index, one)
                for one in self.populations
            }
            own = {one: v for one, v in own.items() if any(v[k] is not None for k in v)}
            row |= {"populations": own} if own else {}
            row["batch"] = self._paths[self._batch[index]]
        return row

    @property
    def about(self) -> dict[str, tuple[str, str]]:
        """The columns of summary values, those of each population too: unit and what it is."""
        return {
            column_of(name, one): (unit, f"{text} of {one}" if one else text)
            for name, (unit, text) in VALUES.items()
            for one in ("", *self.populations)
        } | {
            column_of(name, one): (unit, f"{said(name)}{f' of {one}' * bool(one)}")
            for (name, one), unit in self.measured.items()
        }

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self.status).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(self.status))

    def batches(self) -> Iterator[tuple[Path, np.ndarray]]:
        """The folder of each batch, and its points."""
        order = np.argsort(self._batch, kind="stable")
        ends = np.cumsum(np.bincount(self._batch + 1, minlength=len(self._paths) + 1))
        yield from zip(self._paths, np.split(order, ends)[1:], strict=False)

    def where(self, *statuses: str) -> np.ndarray:
        """The points of some statuses."""
        return np.flatnonzero(np.isin(self.status, [STATUSES.index(one) for one in statuses]))

    def counts(self) -> dict[str, int]:
        """How many points have each status."""
        found = np.bincount(self.status, minlength=len(STATUSES))
        return dict(zip(STATUSES, found.tolist(), strict=True))

    def rates(self) -> dict[str, tuple[float, float]]:
        """The least and the largest rate in Hz of points that were completed: of all neurons, by an
        empty name, and of each population."""
        completed, found = self.where("completed"), {}
        for name in ("", *self.populations):
            rates = self.columns[column_of("rate_hz", name)][completed]
            if np.isfinite(rates).any():
                found[name] = (float(np.nanmin(rates)), float(np.nanmax(rates)))
        return found

    def statuses(self) -> np.ndarray:
        """The status of every point, as text."""
        return np.array(STATUSES, "U9")[self.status]


def as_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a point, or of a population of it, by the names that a run's summary has."""
    names, ours = {"rate_hz": "rate_hz_mean", "isi_cv": "isi_cv_mean"}, ("batch", "in_batch")
    return {names.get(key, key): value for key, value in row.items() if key not in ours}


def said(name: str) -> str:
    """``mean of V`` of ``V_mean``, of a statistic what it is."""
    if name in STATISTICS:
        return STATISTICS[name].doc
    variable, _, how = name.rpartition("_")
    words = {"std": "s.d.", "min": "least", "max": "largest", "final": "last"}
    return f"{words.get(how, how)} of {variable}"


def column_of(name: str, population: str) -> str:
    """The column of a population's value, or of all neurons' by an empty name."""
    return f"{name}.{population}" if population else name


def known(value: float, column: str) -> float | None:
    """A value of a column as it was put there; None where nothing is known."""
    if value != value:
        return None
    return int(value) if column.partition(".")[0] in _WHOLE else float(value)
