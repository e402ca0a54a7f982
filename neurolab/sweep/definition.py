"""What a sweep is: templates, points, and axes with their values; `definition.json`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import brainunit as u
import numpy as np

from neurolab.cli.points import Point, simple_value
from neurolab.config.values import UnfitValueError, read_number, read_time
from neurolab.problems import Problems
from neurolab.results.table import swept
from neurolab.sweep.points import Group

__all__ = ["define", "differences", "extend"]

#: Overrides that change no result; the precision is compared in the configuration.
_IGNORED = re.compile(r"[+~]*(sweep|tracker|device|report)[.=]")
FORMAT = "neurolab sweep 1"


def define(
    templates: Sequence[Mapping[str, Any]],
    points: Sequence[Point],
    groups: Sequence[Group],
    axes: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The definition of a sweep, as JSON can hold it."""
    neurons = dict.fromkeys(
        str((template.get("neuron") or {}).get("_target_", "")).rpartition(".")[2]
        for template in templates
    )
    return {
        "format": FORMAT,
        "title": ", ".join(name for name in neurons if name),
        "axes": _axes(axes, points, groups),
        "templates": list(templates),
        "points": [
            {
                "overrides": list(point.overrides),
                "template": point.template,
                "changes": point.changes,
                "refused": "; ".join(
                    f"{problem.key} = {problem.given} {problem.advice}"
                    for problem in point.problems
                ),
            }
            for point in points
        ],
    }


def extend(before: Mapping[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """A definition with further points, of a sweeper that asks for them round by round."""
    shift = len(before["templates"])
    for point in more["points"]:
        point["template"] += shift if point["template"] >= 0 else 0
    points = [*before["points"], *more["points"]]
    jobs = [point["overrides"] for point in points]
    keys = swept(jobs)
    axes = (*more["axes"], *before["axes"])
    units = {key: unit for axis in axes for key, unit in axis["units"].items()}
    given = [dict(text.lstrip("+").split("=", 1) for text in job if "=" in text) for job in jobs]
    axis: dict[str, Any] = {
        "name": "point",
        "keys": keys,
        "size": len(points),
        "units": {},
        "values": {key: [one.get(key, "") for one in given] for key in keys},
    }
    for key in keys:
        numbers = _magnitudes(axis["values"][key], units.get(key, ""))
        if numbers is not None:
            axis["values"][key], axis["units"][key] = numbers, units.get(key, "")
    templates = [*before["templates"], *more["templates"]]
    return {**before, "axes": [axis], "templates": templates, "points": points}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """How a sweep differs from one that was begun; empty if it does not."""
    if before.get("format") != FORMAT:
        return f"its format is {before.get('format')}, this version writes {FORMAT}"
    if len(before["points"]) != len(now["points"]):
        return f"it has {len(before['points'])} points, this command asks for {len(now['points'])}"
    for index, (old, new) in enumerate(zip(before["points"], now["points"], strict=True)):
        ours, theirs = (
            {text for text in point["overrides"] if not _IGNORED.match(text)}
            for point in (new, old)
        )
        if ours != theirs:
            was, given = " ".join(sorted(theirs - ours)), " ".join(sorted(ours - theirs))
            return f"its point {index} has {was or 'no'} where this command gives {given or 'none'}"
    ignored = ("device.", "tracker.", "report.")
    pairs = zip(before["templates"], now["templates"], strict=False)
    for old_config, new_config in pairs:
        old, new = dict(_flat(old_config)), dict(_flat(_as_json(new_config)))
        for key in old.keys() | new.keys():
            counts = not key.startswith(ignored) or key == "device.precision"
            if counts and old.get(key) != new.get(key):
                return f"{key} was {old.get(key)} and is now {new.get(key)}"
    return ""


def _axes(
    axes: Sequence[Mapping[str, Any]], points: Sequence[Point], groups: Sequence[Group]
) -> list[dict[str, Any]]:
    given = [
        dict(text.lstrip("+").split("=", 1) for text in point.overrides if "=" in text)
        for point in points
    ]
    sizes = [axis["size"] for axis in axes] if all("size" in axis for axis in axes) else None
    if sizes is None:
        sizes = [
            len(dict.fromkeys(tuple(one.get(key) for key in axis["keys"]) for one in given))
            if len(axes) > 1
            else len(points)
            for axis in axes
        ]
    places = np.arange(len(points)).reshape(sizes)
    found = []
    for number, axis in enumerate(axes):
        along = np.moveaxis(places, number, 0).reshape(sizes[number], -1)[:, 0]
        values, units = {}, {}
        for key in axis["keys"]:
            texts = [given[index].get(key, "") for index in along]
            values[key], units[key] = _coordinate(key, texts, groups)
        found.append(
            {
                "name": axis["name"],
                "keys": list(axis["keys"]),
                "size": sizes[number],
                "values": values,
                "units": units,
            }
        )
    return found


def _coordinate(key: str, texts: list[str], groups: Sequence[Group]) -> tuple[list[Any], str]:
    """The values of a key as numbers of one unit where they are such, as typed where not."""
    configured = [simple_value(key, text) for text in texts]
    if key in ("duration", "dt"):
        times = [read_time(value, key, Problems()) for value in configured]
        return (times, "ms") if None not in times else (texts, "")
    readings = [g.experiment.readings[key] for g in groups if key in g.experiment.readings]
    units = {reading.unit_name for reading in readings}
    if len(units) == 1:
        reading = readings[0]
        try:
            numbers = [
                read_number(value, reading.unit, reading.declared, size=0, seed=0, key=key)
                for value in configured
            ]
        except (UnfitValueError, ValueError):
            return texts, ""
        if all(np.ndim(number) == 0 and r == reading.relative for number, r in numbers):
            return [float(number) for number, _ in numbers], reading.unit_name
    plain = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in configured)
    return (configured, "") if plain else (texts, "")


def _magnitudes(texts: Sequence[str], unit: str) -> list[float] | None:
    from neurolab.units import Relative, UnitError, parse, parse_unit

    numbers = []
    for text in texts:
        try:
            value = parse(text)
            if isinstance(value, Relative):
                numbers.append(float(value.value))
            else:
                numbers.append(float(value.to(parse_unit(unit) if unit else u.UNITLESS).mantissa))
        except (UnitError, u.UnitMismatchError):
            return None
    return numbers


def _as_json(node: Any) -> Any:
    import json

    return json.loads(json.dumps(node, default=str))


def _flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for name, inner in node.items():
            yield from _flat(inner, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, node
