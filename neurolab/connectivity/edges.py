"""Synapses that a table lists, one a row."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from zipfile import BadZipFile, is_zipfile

import numpy as np

from neurolab.connectivity.base import Connectivity, Pairs, Synapses
from neurolab.dynamics import parameter
from neurolab.problems import InputFileError, must_exist

__all__ = ["Edges", "checked"]

#: What a table has, and by which other names.
_ENDS = {"source": "pre", "target": "post"}
_OWN = ("weight", "delay")
_READ = (*_ENDS, *_ENDS.values(), *_OWN)


class Edges(Connectivity):
    """The synapses of a file: source and target of each, and a weight and a delay if it has them.

    A ``.npz`` has arrays of these names, a ``.csv`` columns, named in its first line (``#`` begins
    a comment), of numbers; ``pre`` and ``post`` are read as source and target, others are passed
    over.  Neurons are counted from 0 in their populations.  Weights and delays are plain numbers,
    what 1 is says the projection: ``weight: [file, 1 nS]``.

    Raises
    ------
    InputFileError
        In `load`, of a file that is missing or cannot be read, and of columns that are missing, of
        unlike lengths, no whole numbers, or not finite.
    """

    autapses = True  # as the file has them
    recorded: ClassVar[tuple[str, ...]] = ("file",)

    file = parameter(None, "table (.npz, .csv) of source, target and, if given, weight and delay")
    source = parameter(None, "source of each synapse", role="events")
    target = parameter(None, "target of each synapse", role="events")
    weight = parameter(None, "weight of each, a factor", role="events")
    delay = parameter(None, "delay of each, a factor", role="events")

    @classmethod
    def load(cls, settings: Mapping[str, Any], size: int) -> Mapping[str, Any]:
        path = Path(str(settings["file"]))
        must_exist(path)
        kinds = {".npz": _of_npz, ".csv": _of_csv}
        if path.suffix not in kinds:
            advice = "expected .npz or .csv; connectivity=sonata reads .h5"
            raise InputFileError(f"{path} is no table of edges: {advice}")
        try:
            columns = kinds[path.suffix](path)
        except InputFileError:
            raise
        except (ValueError, TypeError, OSError, EOFError, BadZipFile, zlib.error) as error:
            raise InputFileError(f"{path} cannot be read ({error})") from error
        for name, other in _ENDS.items():
            given = [one for one in (name, other) if one in columns]
            if len(given) != 1:
                wrong = f"has both {name} and {other}" if given else f"has no {name} (or {other})"
                there = f"{path} {wrong}; there are: {', '.join(columns) or 'none'}"
                raise InputFileError(there)
            columns[name] = columns[given[0]]
        return checked(path, {k: columns[k] for k in (*_ENDS, *_OWN) if k in columns})

    def refuses(self, pairs: Pairs) -> str:
        for end, n in (("source", pairs.n_source), ("target", pairs.n_target)):
            neurons = np.asarray(getattr(self, end))
            beyond = np.flatnonzero(neurons >= n)
            if beyond.size:
                at = int(beyond[0])
                more = f", and {beyond.size - 1} more edges have such" if beyond.size > 1 else ""
                advice = f"has {n} neurons, 0 to {n - 1}{more}"
                return f"edge {at} (from 0) has {end} {neurons[at]}, but the population {advice}"
        return ""

    def doubts(self) -> str:
        return "" if np.size(self.source) else "lists no synapses"

    def expected(self, pairs: Pairs) -> float:
        return float(np.size(self.source))

    def connect(self, rng: np.random.Generator, pairs: Pairs) -> Synapses:
        ends = (np.asarray(end, np.int64) for end in (self.source, self.target))
        own = (None if k is None else np.asarray(k, np.float64) for k in (self.weight, self.delay))
        return Synapses(*ends, *own)


def checked(path: Path, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns as neurons, int32, and plain numbers, float64, where they can be."""
    if any(column.ndim != 1 for column in columns.values()):
        shapes = ", ".join(f"{name} {column.shape}" for name, column in columns.items())
        raise InputFileError(f"{path} has arrays of shapes {shapes}; expected one axis of edges")
    if len({column.size for column in columns.values()}) > 1:
        sizes = ", ".join(f"{name} {column.size}" for name, column in columns.items())
        raise InputFileError(f"{path} has columns of unlike lengths: {sizes}")
    for name in _OWN:
        if name in columns:
            _real(path, name, columns[name])
            largest = float(np.finfo(np.float32).max)
            bad = np.flatnonzero(~(np.abs(columns[name].astype(np.float64)) <= largest))
            if bad.size:
                raise InputFileError(
                    f"{path}: edge {bad[0]} (from 0) has {name} {columns[name][bad[0]]}; "
                    f"expected a finite number, up to {largest:.2g}"
                )
    ends = {name: _whole(path, name, columns[name]) for name in _ENDS}
    return ends | {name: columns[name].astype(np.float64) for name in _OWN if name in columns}


def _whole(path: Path, name: str, column: np.ndarray) -> np.ndarray:
    """Neurons, counted from 0."""
    _real(path, name, column)
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero(~((column >= 0) & (column < 2**31) & (column == np.floor(column))))
    if bad.size:
        raise InputFileError(
            f"{path}: edge {bad[0]} (from 0) has {name} {column[bad[0]]}; "
            "expected neurons as whole numbers, counted from 0"
        )
    return column.astype(np.int32)


def _real(path: Path, name: str, column: np.ndarray) -> None:
    if column.dtype.kind not in "iuf":
        raise InputFileError(f"{path} has {name} as {column.dtype}; expected real numbers")


def _of_npz(path: Path) -> dict[str, np.ndarray]:
    if not is_zipfile(path):  # NumPy would speak of pickles
        raise InputFileError(f"{path} cannot be read: it is no .npz file, or not the whole of one")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] if name in _READ else np.empty(0) for name in arrays.files}


def _of_csv(path: Path) -> dict[str, np.ndarray]:
    with path.open(encoding="utf-8-sig") as file:
        head = next((line for line in file if line.partition("#")[0].strip()), "")
        names = [name.strip().strip("\"'") for name in head.partition("#")[0].split(",")]
        if twice := [name for name in names if name in _READ and names.count(name) > 1]:
            raise InputFileError(f"{path} has several columns {twice[0]}; expected one")
        try:
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # no rows
                rows = np.loadtxt(file, delimiter=",", ndmin=2)
        except ValueError:
            rows = np.zeros((0, 0))
    if rows.size and rows.shape[1] == len(names) and not all(map(_is_number, names)):
        return dict(zip(names, rows.T, strict=True))
    return dict(zip(names, _row_by_row(path, names).T, strict=True))


def _row_by_row(path: Path, names: list[str]) -> np.ndarray:
    """The rows of a table that has none, or one that is broken; which is told."""
    if any(map(_is_number, names)):
        wanted = "source,target, and weight,delay if it has them"
        raise InputFileError(f"{path} begins with numbers; expected a line of names: {wanted}")
    if len(names) == 1 and names[0]:
        raise InputFileError(f"{path} has one column, {names[0]}; expected commas between columns")
    lines = enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1)
    rows = [(at, line) for at, line in lines if line.partition("#")[0].strip()][1:]
    for at, line in rows:
        cells = line.partition("#")[0].split(",")
        if len(cells) != len(names) or not all(map(_is_number, cells)):
            wanted = f"expected {len(names)} numbers: {', '.join(names)}"
            raise InputFileError(f"{path}, line {at}: '{line.strip()[:60]}'; {wanted}")
    return np.zeros((0, len(names)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
