"""Digests of the files that a sweep reads: one that goes on with others would be two."""

from __future__ import annotations

from collections.abc import Iterator

from neurolab.results.digests import digest_of
from neurolab.results.plan import Plan, flat

__all__ = ["digests"]

#: Keys whose values are no input of a model.
_OTHERS = ("vars.", "tracker.", "device.", "report.", "sweep.")


def digests(plan: Plan) -> dict[str, str]:
    """A digest of each file that a value of some point names, and of each run."""
    found = {name: digest_of(name) for name in sorted(set(_texts(plan)))}
    return {name: digest for name, digest in found.items() if digest}


def _texts(plan: Plan) -> Iterator[str]:
    """What may be the name of a file."""
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
        if isinstance(value, str) and not key.startswith(_OTHERS):
            yield value
