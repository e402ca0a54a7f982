"""The axes of a sweep: the keys that vary, and the value of each at every place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Axis", "Column", "of_sweep", "plain_key"]

_NUMBER_AND_UNIT = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]\d+)?)((?![eE][+-]?\d)(?:[A-Za-z/%].*)?)"
)


@dataclass(eq=False)
class Column:
    """The values of one key along an axis: numbers of a unit, or texts.

    Parameters
    ----------
    values
        Numbers; or the configured value of each text.
    unit
        Of numbers, as it was typed.
    texts
        As typed, where they are no plain numbers of one unit; None where an override is left out.
    plain
        Whether the texts only give an existing key a value; if not, each needs a composition.
    """

    values: np.ndarray
    unit: str = ""
    texts: tuple[str | None, ...] | None = None
    plain: bool = True

    @classmethod
    def of(cls, texts: Sequence[str | None], configured: Callable[[str], Any] = str) -> Column:
        """The column of some texts; ``configured`` says what value each gives its key."""
        match = _NUMBER_AND_UNIT.fullmatch(texts[0] or "")
        if match:
            unit = match[2]
            bare = [(text or "").removesuffix(unit) for text in texts]
            for kind in (int, float):
                try:
                    values = np.array([kind(text) for text in bare], np.dtype(kind))
                except (ValueError, OverflowError):
                    continue
                column = cls(values, unit)
                if all(column.text(place) == text for place, text in enumerate(texts)):
                    return column
        given = [None if text is None else configured(text) for text in texts]
        return cls(_objects(given), texts=tuple(texts))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers of one unit."""
        return self.texts is None

    def text(self, place: int) -> str | None:
        """The value as it was, or could have been, typed."""
        if self.texts is not None:
            return self.texts[place]
        value = self.values[place]
        return (
            f"{value}{self.unit}" if self.values.dtype.kind == "i" else f"{value:.12g}{self.unit}"
        )

    def value(self, place: int) -> Any:
        """The value that the configuration has."""
        if self.texts is not None:
            return self.values[place]
        text = str(self.text(place))
        if self.unit:
            return text
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)

    def mark_options(self) -> None:
        """These choose options: each of them is a composition of its own."""
        self.texts = self.texts or tuple(map(self.text, range(len(self))))
        self.values = np.array(self.texts, object)
        self.plain = False

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        if self.texts is None:
            return {"unit": self.unit, "values": self.values.tolist()}
        values = self.values.tolist()
        own = {} if values == list(self.texts) else {"values": values}
        return {"texts": list(self.texts), **own, **({} if self.plain else {"plain": False})}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Column:
        """What `to_json` gave."""
        if "texts" not in found:
            return cls(np.array(found["values"]), found["unit"])
        values = _objects(found.get("values", found["texts"]))
        return cls(values, texts=tuple(found["texts"]), plain=found.get("plain", True))


@dataclass(eq=False)
class Axis:
    """Keys that are walked together, as they were typed: their columns, each of one length."""

    name: str
    columns: dict[str, Column]
    #: Numbers and unit of texts such as ``1mA,20uA``, by key.
    coordinates: dict[str, tuple[list[float], str]] = field(default_factory=dict)
    #: Which set of options each place belongs to.
    kinds: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if not self.kinds.size:
            self.kinds = np.zeros(len(self), np.int64)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 1

    @property
    def keys(self) -> list[str]:
        """Without what adds them."""
        return [plain_key(key) for key in self.columns]

    def coordinate(self, key: str) -> tuple[np.ndarray, str]:
        """Numbers and their unit, or texts as they were typed, and no unit."""
        column = self.columns[key]
        if key in self.coordinates:
            values, unit = self.coordinates[key]
            return np.array(values), unit
        if column.numeric:
            return column.values, column.unit
        values = [value for value in column.values.tolist() if value is not None]
        if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
            return np.array(column.values.tolist(), float), ""
        given = enumerate(column.values.tolist())
        return np.array([column.text(k) if isinstance(v, list) else str(v) for k, v in given]), ""


def plain_key(key: str) -> str:
    """A key without what adds or deletes it."""
    return key.lstrip("+~")


def of_sweep(key: str) -> bool:
    """Whether a key says how a sweep is computed, which no point of it has."""
    return plain_key(key).partition(".")[0] == "sweep"


def _objects(values: Sequence[Any]) -> np.ndarray:
    """An array of values of any kind, lists among them."""
    found = np.empty(len(values), object)
    for place, value in enumerate(values):
        found[place] = value
    return found
