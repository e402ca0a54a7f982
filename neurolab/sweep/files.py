"""Digests of the files that a sweep reads, of its models and of what computes: to go on with others
would be two."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from neurolab.results.digests import digest_of
from neurolab.results.plan import Plan, flat

__all__ = ["digests", "versions"]

#: Keys whose values are no input of a model.
_OTHERS = ("vars.", "network.", "tracker.", "device.", "report.", "sweep.")
#: What models are built on: told by version, not by source.
_LIBRARIES = ("neurolab", "jax", "brainstate")


def versions() -> dict[str, list[str]]:
    """The versions of what computes; a sweep that goes on may have had several."""
    return {name: [version(name)] for name in _LIBRARIES}


def digests(plan: Plan) -> dict[str, str]:
    """A digest of each file, or run, that a value of some point names, and of the module of each
    class that a ``_target_`` names and of its bases; and one of neurolab itself, which
    changes in a checkout while its version does not.

    What these modules import is beyond it, and so are the sources of other libraries.
    """
    found = {"neurolab's own source": _own_source()}
    for key, value in set(_texts(plan)):
        found[value] = digest_of(value)
        if key.rpartition(".")[2] == "_target_":
            found |= {name: digest_of(path) for name, path in _sources(value)}
    return {name: digest for name, digest in sorted(found.items()) if digest}


@cache
def _own_source() -> str:
    """A digest of all modules of neurolab, as they were when this process first asked."""
    room, found = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(room.rglob("*.py")):
        found.update(path.relative_to(room).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _sources(target: str) -> Iterator[tuple[str, str]]:
    """Short names and paths of the modules in which a class and its bases are written."""
    module, _, name = target.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    for base in found.__mro__ if isinstance(found, type) else ():
        package = base.__module__.partition(".")[0]
        path = getattr(sys.modules.get(base.__module__), "__file__", None)
        if path and package not in {*_LIBRARIES, *sys.stdlib_module_names}:
            parts = base.__module__.count(".") + 1 + (Path(path).stem == "__init__")
            yield Path(*Path(path).parts[-parts:]).as_posix(), path


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
        if isinstance(value, str) and not key.startswith(_OTHERS):
            yield key, value
