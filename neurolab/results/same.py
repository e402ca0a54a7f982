"""Whether a plan is that of a sweep which was begun, or has all of its points and more."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from neurolab.results.axes import Axis
from neurolab.results.digests import changes_results
from neurolab.results.earlier import Earlier
from neurolab.results.plan import Plan, flat

__all__ = ["differs", "extension", "plain"]

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*((?:[A-Za-z/%].*)?)")


def differs(plan: Plan, before: Plan, accept: Collection[str] = ()) -> str:
    """How a plan is of another sweep than one that was begun; empty if it is not."""
    if len(before) != len(plan):
        return f"it has {len(before)} points, this command asks for {len(plan)}"
    for point in range(len(plan)) if _columns(plan) != _columns(before) else (0,):
        ours, theirs = plan.typed(point), before.typed(point)
        if ours != theirs:
            was, given = " ".join(sorted(theirs - ours)), " ".join(sorted(ours - theirs))
            has = f"its point {point} has {was or 'nothing'}"
            return f"{has} where this command gives {given or 'nothing'}"
    for old, new in zip(before.templates, plan.templates, strict=False):
        for key, was, now in _differences(old, new):
            return f"{key} was {was} and is now {now}"
    if plan.to_json()["references"] != before.to_json()["references"]:
        return "values that refer to others refer to them in another way"
    return before.changed(plan.files, accept)


def extension(plan: Plan, before: Plan) -> Earlier:
    """Where the points of a plan that was begun are in one with more values of its axes, or with
    more axes, or of a longer duration.

    Raises
    ------
    ValueError
        They are not in it, or not as they were.
    """
    if before.numbered or plan.numbered:
        key = [*before.numbered, *plan.numbered][0]
        raise ValueError(f"{key} has the number of a point, which would be another")
    old = {axis.name: number for number, axis in enumerate(before.axes)}
    places: list[tuple[int | None, list[int]]] = []
    for axis in plan.axes:
        number = old.pop(axis.name, None)
        there = None if number is None else _places(axis, before.axes[number])
        places.append((number, [0] if there is None else there))
    if old:
        raise ValueError(f"{', '.join(old)} was swept, and has one value now")
    new = [at for at, (number, _) in enumerate(places) if number is None]
    keys = [key for at in new for key in plan.axes[at].keys]
    some = np.flatnonzero(before.kinds(np.arange(len(before))) >= 0)  # could be composed
    for values in itertools.product(*(range(len(plan.axes[at])) for at in new)):
        for at, value in zip(new, values, strict=True):
            places[at] = None, [value]
        found = Earlier(before.shape, places, False)
        changes = _changes(plan, before, found, int(some[0]) if some.size else 0)
        if not new or {key for key, *_ in changes} <= {"duration"}.difference(keys):
            break
    else:
        config = dict(flat(before.config(int(some[0])))) if some.size else {}
        had = ", ".join(shlex.quote(f"{key}={config.get(key)}") for key in keys)
        told = f"no value of {', '.join(keys)} is that which the points had until now"
        raise ValueError(f"{told}: give that, too ({had})")
    longer = False
    for point in _representatives(before, plan, found):
        for key, was, now in _changes(plan, before, found, point):
            if key != "duration":
                raise ValueError(f"{key} was {was} of its point {point} and would be {now}")
            longer = True
    return Earlier(before.shape, places, longer)


def _places(axis: Axis, before: Axis) -> list[int]:
    """Where the values of an axis are among those of another, which has more."""
    if axis.columns.keys() != before.columns.keys():
        keys = ", ".join(before.columns)
        raise ValueError(f"{keys} are walked together: give values of all of them, and no others")
    free: dict[tuple[Any, ...], list[int]] = {}
    for place in range(len(axis)):
        free.setdefault(_values(axis, place, before), []).append(place)
    found = []
    for place in range(len(before)):
        values = _values(before, place, before)
        if not free.get(values):
            told = " ".join(str(before.columns[key].text(place)) for key in before.columns)
            told = f"{', '.join(before.keys)} was {told} of some points"
            raise ValueError(f"{told}: give all values, each as it was written")
        found.append(free[values].pop(0))
    return found


def _values(axis: Axis, place: int, before: Axis) -> tuple[Any, ...]:
    return tuple(plain(axis.columns[key].text(place)) for key in before.columns)


def plain(value: Any) -> Any:
    """A value by which those that are written in two ways are one: ``5 ms``, ``5.0ms``."""
    if isinstance(value, bool) or not (match := _QUANTITY.fullmatch(str(value))):
        return value
    return Decimal(match[1]), match[2].strip()


def _representatives(plan: Plan, more: Plan, where: Earlier) -> Iterator[int]:
    """Points that have all values and options, and all combinations that values refer to, in the
    plan or in that which has more."""
    some: set[tuple[int, ...]] = set()
    zero = [0] * len(plan.axes)

    def at(axes: Sequence[int], places: Sequence[int]) -> tuple[int, ...]:
        given = dict(zip(axes, places, strict=True))
        return tuple(given.get(number, place) for number, place in enumerate(zero))

    for number, axis in enumerate(plan.axes):
        some |= {at([number], [place]) for place in range(len(axis))}
    firsts = [np.unique(axis.kinds, return_index=True)[1].tolist() for axis in plan.axes]
    some |= set(itertools.product(*firsts))
    for references in plan.references.values():
        for one in references:
            some |= {at(one.axes, places) for places in np.ndindex(*one.of.shape)}
    referring = [one.axes for several in more.references.values() for one in several]
    for axes in referring:
        known = sorted({of for of, _ in (where.axes[axis] for axis in axes) if of is not None})
        some |= {at(known, places) for places in np.ndindex(*(plan.shape[of] for of in known))}
    for places in sorted(some):
        yield int(np.ravel_multi_index(places, plan.shape)) if places else 0


def _changes(
    plan: Plan, before: Plan, where: Earlier, point: int
) -> Iterator[tuple[str, Any, Any]]:
    """What of a point is another in the plan: key, and both values."""
    there = int(where.points(np.array([point]), plan.shape)[0])
    try:
        old = before.config(point)
    except KeyError:  # it could not be composed
        return
    try:
        yield from _differences(old, plan.config(there))
    except KeyError:
        yield "configuration", "composed", "refused"


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    was, now = dict(flat(old)), dict(flat(new))
    for key in dict.fromkeys([*was, *now]):
        if changes_results(key) and plain(was.get(key)) != plain(now.get(key)):
            yield key, was.get(key), now.get(key)


def _columns(plan: Plan) -> list[Any]:
    return [{key: c.to_json() for key, c in axis.columns.items()} for axis in plan.axes]
