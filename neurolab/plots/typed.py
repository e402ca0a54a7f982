"""What is typed for `python -m neurolab.plot`, with units."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from neurolab.plots.style import COLUMN_MM, POINTS

__all__ = ["OF_SWEEPS", "parser"]

_KINDS = ("raster", "trace", "rate", "stimulus", "isi", "log-isi", "rates", "cv", "psd", "lv",
    "fano", "correlogram", "phases", "sta")  # fmt: skip
OF_SWEEPS = ("lines", "map", "importance", "parallel")
_FORMATS = ("pdf", "svg", "png")
_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_HZ = {"Hz": 1.0, "kHz": 1e3}
_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4}


def parser() -> argparse.ArgumentParser:
    """What `python -m neurolab.plot` takes."""
    found = argparse.ArgumentParser(
        prog="python -m neurolab.plot",
        description="Figures of a run or a sweep for a paper: letters of 7 points, fonts in the"
        " file.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = found.add_argument
    add("folder", type=Path, help="of a run, or of a sweep")
    add("--kind", type=_among((*_KINDS, *OF_SWEEPS)), default=["raster"], help="of"
        f" {', '.join(_KINDS)}; of a sweep {', '.join(OF_SWEEPS)}; several with commas are below"
        " one another")  # fmt: skip
    add("--value", default="rate_hz", help="of a sweep: what is drawn")
    add("--x", help="of a sweep: the key along the axis")
    add("--y", help="of a sweep: the key of lines, or along the other axis")
    add("--where", type=_equal, action="append", help="of a sweep: the value of another key,"
        " tau=10, in its unit; once for each")  # fmt: skip
    add("--time", type=_window, help="from and until when: 0.2s:0.5s")
    add("--neurons", type=_numbers, help="which: 0:50, or 3,17,4; of traces three, if not given")
    add("--variable", type=lambda text: text.split(","), help="for trace and sta; all, if not"
        " given")  # fmt: skip
    add("--frequency", type=lambda text: _measure(text, _HZ), help="for phases: 40Hz")
    add("--population", help="one of a network's")
    add("--point", type=int, help="of a sweep")
    add("--width", type=_length, default=COLUMN_MM, help="85mm, 3.3in")
    add("--height", type=_length, help="50 mm, and 25 for each further panel, if not given")
    add("--points", type=float, default=POINTS, help="size of letters")
    add("--title", default="", help="above the figure")
    add("--format", type=_among(_FORMATS), default=["pdf"], help=", ".join(_FORMATS))
    add("--output", type=Path, help="a folder for the figures; that of the run, if not given")
    return found


def _among(known: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        found = text.split(",")
        if other := [one for one in found if one not in known]:
            raise argparse.ArgumentTypeError(f"{other[0]!r} is none of {', '.join(known)}")
        return found

    return read


def _measure(text: str, units: Mapping[str, float]) -> float:
    found = re.fullmatch(r"([0-9.eE+-]+) ?([A-Za-z]+)", text)
    try:
        return float(found[1]) * units[found[2]]  # type: ignore[index]
    except (TypeError, ValueError, KeyError):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give a number with one of {', '.join(units)}"
        ) from None


def _length(text: str) -> float:
    if not 10 <= (found := _measure(text, _MM)) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 10 mm and 1 m")
    return found


def _window(text: str) -> tuple[float, float]:
    begin, colon, end = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r}: from and until, as 0.2s:0.5s")
    return _measure(begin, _MS), _measure(end, _MS)


def _equal(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: a key and its value, as tau=10")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _numbers(text: str) -> list[int]:
    try:
        if ":" in text:
            begin, end = map(int, text.split(":"))
            return list(range(begin, end))
        return [int(one) for one in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: neurons as 0:50, or 3,17,4") from None
