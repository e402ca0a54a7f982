"""Swept keys as axes of a picture, and the marks of runs that were not completed."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from neurolab.plots.colours import COLOURS, GREY, INK, PURPLE, VERMILLION
from neurolab.plots.parts import named

Array = np.ndarray

#: How a run that was not completed is shown: as a symbol (in text, as marker) or a cell (likewise).
Mark = namedtuple("Mark", "symbol marker cell hatch colour")
#: From the least to the most serious: of several runs at one place the last is shown.
MARKS = {
    "undefined": Mark("", "", "■", "", GREY),  # completed, but there is no value
    "missing": Mark("○", "o", "░", "....", GREY),
    "damaged": Mark("▽", "v", "▥", "oo", VERMILLION),
    "partial": Mark("◇", "D", "▤", "---", "#4C78A8"),
    "refused": Mark("□", "s", "▧", "\\\\\\\\", PURPLE),
    "failed": Mark("△", "^", "▩", "xxxx", INK),
    "diverged": Mark("×", "x", "▨", "////", VERMILLION),
}


def marked(marks: Array) -> Iterator[tuple[str, Mark, Array]]:
    """Those of these marks that were not completed, and where."""
    for code, (name, mark) in enumerate(MARKS.items(), start=1):
        if mark.marker and (marks == code).any():
            yield name, mark, marks == code


def room(texts: Iterable[str]) -> float:
    """Width of a column of texts, in inches."""
    return 0.09 * max(map(len, texts))  # a character at 10.5 points


def limits(values: Array) -> tuple[float, float]:
    """The smallest and the largest value; panels that were left out may have all of them."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Key:
    """A swept key: its values along a dimension, numbers (float) or categories (str)."""

    name: str
    dim: str
    values: Array
    unit: str = ""
    joined: bool = True  # whether a line joins neighbours: not those of a random sample
    about: str = ""  # what the model says of it

    def __len__(self) -> int:
        return int(self.values.size)

    @property
    def numeric(self) -> bool:
        return self.values.dtype.kind == "f"

    @property
    def distinct(self) -> Array:
        """The different values in order, without NaN: points of other structures lack the key."""
        values = np.unique(self.values)
        return values[np.isfinite(values)] if self.numeric else values

    @property
    def label(self) -> str:
        return named(self.name, self.unit)

    def words(self, most: int) -> str:
        """What it is, with its name and unit, where there is room for so many letters."""
        found = f"{self.about}, {self.label}" if self.about else self.label
        return found if len(found) <= most else self.label

    @property
    def places(self) -> Array:
        """Where the values stand on an axis."""
        return self.values if self.numeric else np.arange(float(len(self)))

    @property
    def texts(self) -> list[str]:
        """The values, in as few digits as tell them apart."""
        if not self.numeric:
            return [t if len(t) <= 28 else f"{t[:13]}…{t[-14:]}" for t in self.values.tolist()]
        rounded = ([f"{v:.{digits}g}" for v in self.values] for digits in range(4, 18))
        return next(t for t in rounded if len(set(t)) >= np.unique(self.values).size)

    @property
    def said(self) -> list[str]:
        """The values with their unit."""
        return [f"{t} {self.unit}" if self.label != self.name else t for t in self.texts]

    @property
    def log(self) -> bool:
        """Whether the middle value is nearer to the middle of a logarithmic axis."""
        values = self.distinct
        if not self.numeric or values[0] <= 0 or values[-1] < 4 * values[0]:
            return False
        off = [abs(np.median(v) - (v[0] + v[-1]) / 2) / np.ptp(v) for v in (values, np.log(values))]
        return bool(off[0] > 2 * off[1] + 0.1)

    def edges(self) -> Array:
        """The edges of cells around the values: half-way, on a logarithmic axis geometrically."""
        at = np.log(self.places) if self.log else self.places
        half = np.diff(at) / 2
        cells = np.concatenate([[at[0] - half[0]], at[:-1] + half, [at[-1] + half[-1]]])
        return np.exp(cells) if self.log else cells

    def shades(self) -> list[Any]:
        """Colours of lines: distinct for categories, in an order for numbers."""
        if not self.numeric:
            return list(COLOURS[: len(self)])
        from matplotlib import colormaps

        return [colormaps["viridis"](v) for v in np.linspace(0.0, 0.76, len(self))]

    def titles(self, length: float) -> list[str]:
        """Which value each panel is of; on two lines where one is too short. The name of an option
        says enough."""
        if not self.numeric and "." not in self.name:
            return self.said
        names = [f"{self.name} = {text}" for text in self.said]
        return names if room(names) <= length else [name.replace(" = ", "\n= ") for name in names]

    def turned(self, length: float) -> tuple[float, float]:
        """The angle at which names of categories fit under an axis, and the room they need."""
        texts, slot = self.texts, length / len(self)
        pairs = pairwise([texts[0], *texts, texts[-1]])
        if self.numeric or room(a + b for a, b in pairs) / 2 + 0.1 < slot:
            return 0.0, 0.62
        beyond = max(0.82 * room([t]) - slot * (i + 0.5) for i, t in enumerate(texts))
        angle = 35.0 if beyond < 0.85 and slot > 0.25 else 90.0
        return angle, 0.6 + room(texts) * math.sin(math.radians(angle))

    def order(self) -> Array:
        """Positions of the values as an axis has them: numbers ascend and none comes twice."""
        order = np.unique(self.values, return_index=True)[1]
        return order[: self.distinct.size] if self.numeric else np.arange(len(self))
