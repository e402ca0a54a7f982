"""The plan of a sweep: what is fixed, what varies along which axis; `definition.json`.

A point is an index.  Its overrides and its configuration are found from its places along the axes
when they are asked for, so a plan is as large as the sum of its axes, whatever their product.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurolab.results.axes import Axis, Column, of_sweep, plain_key
from neurolab.results.digests import changes_results, kind_of
from neurolab.results.earlier import Earlier

__all__ = ["FORMAT", "NUMBER", "Plan", "Reference", "flat"]

FORMAT = "neurolab sweep 2"
#: What stands for a point's index in a fixed value, as in Hydra's jobs.
NUMBER = re.compile(r"\$\{hydra:job\.(num|id)\}")


@dataclass(eq=False)
class Reference:
    """Values of a template that refer to swept ones: a row for each combination of these."""

    axes: tuple[int, ...]
    of: np.ndarray  # the row, over the places along these axes
    rows: list[dict[str, Any]]


@dataclass(eq=False)
class Plan:
    """All that a sweep is.

    Parameters
    ----------
    order
        The keys as they were typed, in order.
    fixed
        The whole override of each key that is the same for all points.
    axes
        Of a grid, the last the fastest.
    templates
        A configuration for each set of options.
    which
        The template of each combination of the axes' kinds; -1 where Hydra refuses it.
    references
        By template.
    refused
        Points that cannot be, by reason; known once the values were read.
    files
        A digest of each file that a value names, and of the modules of models that it names.
    versions
        Of the libraries that computed it; several, where it went on with others.
    earlier
        What it was before it was extended, the first first.
    about
        What the models of swept keys say of these.
    """

    order: tuple[str, ...]
    fixed: dict[str, str]
    axes: tuple[Axis, ...]
    templates: list[dict[str, Any]] = field(default_factory=list)
    which: np.ndarray = field(default_factory=lambda: np.zeros((), np.int64))
    references: dict[int, list[Reference]] = field(default_factory=dict)
    refused: dict[str, np.ndarray] = field(default_factory=dict)
    title: str = ""
    files: dict[str, str] = field(default_factory=dict)
    versions: dict[str, list[str]] = field(default_factory=dict)
    earlier: list[Earlier] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.which.ndim != len(self.axes):
            self.which = np.zeros((1,) * len(self.axes), np.int64)

    @property
    def shape(self) -> tuple[int, ...]:
        """Places along each axis."""
        return tuple(map(len, self.axes))

    def __len__(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def keys(self) -> list[str]:
        """The swept keys, without what adds them."""
        return [key for axis in self.axes for key in axis.keys]

    @property
    def varying(self) -> set[str]:
        """The keys whose values differ among points: swept ones, and those that refer to them."""
        found = {*self.keys, *(key.lstrip("+") for key in self.numbered)}
        rows = (one.rows[0] for some in self.references.values() for one in some)
        return found.union(*rows)

    def places(self, points: Any) -> tuple[Any, ...]:
        """The place of points along each axis."""
        return np.unravel_index(points, self.shape) if self.axes else ()

    def kinds(self, points: np.ndarray) -> np.ndarray:
        """The template of each of some points."""
        places = self.places(points)
        codes = [axis.kinds[place] for axis, place in zip(self.axes, places, strict=True)]
        return np.broadcast_to(self.which[tuple(codes)], np.shape(points))

    def overrides(self, point: int) -> list[str]:
        """What is typed for a point alone."""
        texts = {key: NUMBER.sub(str(point), text) for key, text in self.fixed.items()}
        for axis, place in zip(self.axes, self.places(point), strict=True):
            for key, column in axis.columns.items():
                text = column.text(int(place))
                if text is not None:
                    texts[key] = f"{key}={text}"
        return [texts[key] for key in self.order if key in texts]

    def alone(self, point: int) -> list[str]:
        """What is typed to compute a point alone, also of an experiment that is a sweep."""
        given = [text for text in self.overrides(point) if not of_sweep(text.partition("=")[0])]
        return [*given, *self.mode]

    @property
    def mode(self) -> list[str]:
        """What makes a run of an experiment that may be a sweep by itself."""
        sweeps = any(key.lstrip("+") == "experiment" for key in self.order)
        return ["hydra.mode=RUN"] if sweeps and "hydra.mode" not in self.order else []

    def commands(self) -> list[str]:
        """The overrides of every point, as one text each."""
        n, columns = len(self), {key: [text] * len(self) for key, text in self.fixed.items()}
        for key in self.numbered:
            columns[key] = [NUMBER.sub(str(point), self.fixed[key]) for point in range(n)]
        for axis, place in zip(self.axes, self.places(np.arange(n)), strict=True):
            for key, column in axis.columns.items():
                texts = [column.text(at) for at in range(len(column))]
                given = ["" if text is None else f"{key}={text}" for text in texts]
                columns[key] = [given[at] for at in place.tolist()]
        rows = zip(*(columns[key] for key in self.order), strict=True)
        return [" ".join(filter(None, row)) for row in rows] if self.order else [""] * n

    def own(self, point: int) -> list[str]:
        """Those overrides of a point that not all points share."""
        shared = set(self.shared)
        return [text for text in self.overrides(point) if text not in shared]

    @property
    def shared(self) -> list[str]:
        """The overrides of all points."""
        return [text for text in self.fixed.values() if not NUMBER.search(text)]

    def changes(self, point: int) -> dict[str, Any]:
        """Where the configuration of a point differs from its template, by key."""
        found: dict[str, Any] = {}
        places = self.places(point)
        for axis, place in zip(self.axes, places, strict=True):
            for key, column in axis.columns.items():
                if column.plain and (column.texts is None or column.texts[place] is not None):
                    found[plain_key(key)] = column.value(int(place))
        for key in self.numbered:
            found[plain_key(key)] = self.numbered_value(key, point)
        for reference in self.references.get(int(self.kinds(np.asarray(point))), ()):
            at = tuple(places[number] for number in reference.axes)
            found |= reference.rows[int(reference.of[at])]
        return found

    @property
    def numbered(self) -> list[str]:
        """Fixed keys whose value has the point's index in it."""
        return [key for key, text in self.fixed.items() if NUMBER.search(text)]

    def numbered_value(self, key: str, point: int) -> Any:
        """The value of such a key."""
        text = NUMBER.sub(str(point), self.fixed[key].partition("=")[2]).strip("'\"")
        return int(text) if text.isdigit() else text

    def config(self, point: int) -> dict[str, Any]:
        """The composed configuration of a point.

        Raises
        ------
        KeyError
            Hydra refuses to compose it.
        """
        template = int(self.kinds(np.asarray(point)))
        if template < 0:
            raise KeyError(f"point {point} could not be composed: {self.reason(point)}")
        plain = copy.deepcopy(self.templates[template])
        for key, value in self.changes(point).items():
            *path, name = key.split(".")
            node = plain
            for step in path:
                node = node[step]
            node[name] = copy.copy(value)
        return plain

    def reason(self, point: int) -> str:
        """Why a point was refused; empty if it was not."""
        return next((why for why, some in self.refused.items() if np.any(some == point)), "")

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        axes = [
            {
                "name": axis.name,
                "keys": {key: column.to_json() for key, column in axis.columns.items()},
                "coordinates": axis.coordinates,
                "kinds": axis.kinds.tolist() if axis.kinds.any() else len(axis.kinds),
            }
            for axis in self.axes
        ]
        references = {
            str(number): [[list(one.axes), one.of.tolist(), one.rows] for one in some]
            for number, some in self.references.items()
        }
        return {
            "format": FORMAT,
            "title": self.title,
            "points": len(self),
            "order": list(self.order),
            "fixed": self.fixed,
            "axes": axes,
            "templates": self.templates,
            "which": self.which.tolist(),
            "references": references,
            "refused": [[why, points.tolist()] for why, points in self.refused.items()],
            "files": self.files,
            "versions": self.versions,
            "about": self.about,
            "earlier": [[one.shape, one.axes, one.longer] for one in self.earlier],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Plan:
        """What `to_json` gave.

        Raises
        ------
        ValueError
            It was written by another version.
        """
        if found.get("format") != FORMAT:
            reason = f"its format is {found.get('format')}, this version reads {FORMAT}"
            raise ValueError(f"{reason}; compute the sweep anew, or open it with that version")
        axes = []
        for one in found["axes"]:
            columns = {key: Column.from_json(column) for key, column in one["keys"].items()}
            coordinates = {key: (v, unit) for key, (v, unit) in one["coordinates"].items()}
            kinds = one["kinds"]
            codes = np.zeros(kinds, np.int64) if isinstance(kinds, int) else np.array(kinds)
            axes.append(Axis(one["name"], columns, coordinates, codes))
        references = {
            int(number): [Reference(tuple(a), np.array(of), rows) for a, of, rows in some]
            for number, some in found["references"].items()
        }
        refused = {why: np.array(points, np.int64) for why, points in found["refused"]}
        return cls(
            tuple(found["order"]), dict(found["fixed"]), tuple(axes), list(found["templates"]),
            np.array(found["which"], np.int64), references, refused, found["title"],
            {**found.get("files", {})}, {**found.get("versions", {})},
            [Earlier(tuple(one[0]), *one[1:]) for one in found.get("earlier", ())],
            {**found.get("about", {})},
        )  # fmt: skip

    def typed(self, point: int) -> set[str]:
        """What of a point's overrides decides what it is."""
        return {text for text in self.overrides(point) if changes_results(text)}

    def changed(self, files: Mapping[str, str], accept: Collection[str] = ()) -> str:
        """Which files have another digest than when it began; empty if none has."""
        names = [name for name, what in files.items() if self.files.get(name, what) != what]
        names = [name for name in names if kind_of(name) not in accept]
        kinds = f"resume.accept=[{','.join(sorted(set(map(kind_of, names))))}]"
        return f"{', '.join(names)} has other contents now ({kinds})" if names else ""

    def differences(self, now: Plan) -> dict[str, str]:
        """What differs here and now from when it began, by its kind."""
        found: dict[str, list[str]] = {}
        for name, what in now.files.items():
            if self.files.get(name, what) != what:
                found.setdefault(kind_of(name), []).append(f"{name} has other contents now")
        for name, used in self.versions.items():
            if (new := now.versions.get(name, used)[-1]) not in used:
                found.setdefault("versions", []).append(f"{name} was {used[-1]}, is {new}")
        return {kind: "; ".join(names) for kind, names in found.items()}


def flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of nested mappings; an empty mapping is a value."""
    if isinstance(node, Mapping) and node:
        for name, inner in node.items():
            yield from flat(inner, f"{prefix}.{name}" if prefix else str(name))
    elif prefix:
        yield prefix, node
