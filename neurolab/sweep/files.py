"""Digests of the files that a sweep reads, of its models and of what computes: to go on with others
would be two."""

from __future__ import annotations

from collections.abc import Iterator

from neurolab.results.digests import digests_of
from neurolab.results.plan import Plan, flat

__all__ = ["digests"]


def digests(plan: Plan) -> dict[str, str]:
    """A digest of each file that a value of some point names; see `digests_of`."""
    return digests_of(set(_texts(plan)))


def _texts(plan: Plan) -> Iterator[tuple[str, str]]:
    """What may be the name of a file or a class, by key."""
    pairs = [pair for template in plan.templates for pair in flat(template)]
    pairs += [
        (key, value)
        for axis in plan.axes
        for key, column in zip(axis.keys, axis.columns.values(), strict=True)
        if column.texts is not None
        for value in column.values.tolist()
    ]
    references = (one for some in plan.references.values() for one in some)
    pairs += [pair for one in references for row in one.rows for pair in row.items()]
    for key, value in pairs:
        if isinstance(value, str):
            yield key, value
