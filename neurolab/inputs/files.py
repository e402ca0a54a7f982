"""Recorded data for inputs, read from tables."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import brainunit as u
import numpy as np

from neurolab.problems import InputFileError, must_exist
from neurolab.units import Relative, parse_unit

__all__ = ["InputFileError", "read_samples", "read_spikes"]


def read_samples(file: str | Path, unit: str, size: int) -> Any:
    """Samples of a signal, shape (samples, 1) or (samples, size), in ``unit``.

    ``unit`` may be ``rheobase``.  Formats: ``.npy``, ``.npz`` (one array), and text with commas or
    white space (``#`` begins a comment).

    Raises
    ------
    InputFileError
        If the file is missing, empty, of another shape, or holds NaN or infinities.
    """
    table = _read_table(Path(file))
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or table.shape[1] not in (1, size):
        raise InputFileError(
            f"{file} has shape {table.shape}; expected one column for all neurons, or one for "
            f"each of the {size}"
        )
    if unit == "rheobase":
        return Relative(table)
    return u.Quantity(table, unit=parse_unit(unit))


def read_spikes(
    file: str | Path | np.ndarray, unit: str, size: int
) -> tuple[u.Quantity, np.ndarray]:
    """Times (sorted) and neurons of recorded spikes, from a file or from what is one already.

    Raises
    ------
    InputFileError
        As `read_samples`, and for neurons outside ``0 .. size - 1`` or negative times.
    """
    table = file if isinstance(file, np.ndarray) else _read_table(Path(file))
    file = "the table" if isinstance(file, np.ndarray) else file
    if table.ndim != 2 or table.shape[1] != 2:
        raise InputFileError(
            f"{file} has shape {table.shape}; expected two columns: the time of each spike and "
            "the neuron it goes to"
        )
    times, neurons = table[:, 0], table[:, 1].astype(np.int64)
    if (
        np.any(neurons != table[:, 1])
        or neurons.min(initial=0) < 0
        or neurons.max(initial=0) >= size
    ):
        raise InputFileError(
            f"{file} names neurons from {table[:, 1].min():g} to {table[:, 1].max():g}; "
            f"expected whole numbers from 0 to {size - 1} (size={size})"
        )
    if times.min(initial=0) < 0:
        raise InputFileError(f"{file} holds a negative time, {times.min():g} {unit}")
    order = np.argsort(times, kind="stable")
    return u.Quantity(times[order], unit=parse_unit(unit)), neurons[order].astype(np.int32)


def _rows(text: str) -> list[str]:
    """Lines of numbers with spaces between them, without a first line of names. With semicolons,
    commas are those of decimal fractions.

    Raises
    ------
    ValueError
        A field is empty: the others of its line would take its place.
    """
    if ";" in text:
        text = text.replace(",", ".").replace(";", ",")
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        fields = line.partition("#")[0].split(",")
        if len(fields) > 1 and not all(field.strip() for field in fields):
            raise ValueError(f"line {number} has an empty field")
    lines = [line.replace(",", " ") for line in lines]
    first = next((i for i, line in enumerate(lines) if line.partition("#")[0].strip()), 0)
    words = lines[first].partition("#")[0].split() if lines else []
    if words and not any(map(_is_number, words)):
        lines = lines[first + 1 :]
    return lines


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _read_table(path: Path) -> np.ndarray:
    must_exist(path)
    try:
        if path.suffix == ".npy":
            table = np.load(path, allow_pickle=False)
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                if len(arrays.files) != 1:
                    raise InputFileError(f"{path} holds {arrays.files}; expected one array")
                table = arrays[arrays.files[0]]
        else:
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # no data
                table = np.loadtxt(_rows(path.read_text(encoding="utf-8-sig")), ndmin=2)
        if np.iscomplexobj(table):
            raise InputFileError(f"{path} holds complex numbers; save their real part")
        table = np.asarray(table, np.float64)
    except InputFileError:
        raise
    except (ValueError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise InputFileError(
            f"{path} cannot be read as a table of numbers ({error}); .npy, .npz and text with "
            "commas, semicolons or spaces are read, with one line of names at most, and lines that "
            "begin with #"
        ) from error
    if table.size == 0:
        raise InputFileError(f"{path} is empty: it has no numbers")
    bad = ~np.isfinite(table)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        raise InputFileError(f"{path} holds NaN or infinity, first in row {row} (from 0)")
    return table
