"""Digests of the files that a configuration names, and which of its keys change results: with other
ones it is another."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from neurolab.results.layout import COMMIT

__all__ = ["OWN_SOURCE", "changes_results", "digest_of", "digests_of", "kind_of", "versions"]

OWN_SOURCE = "neurolab's own source"
#: Keys whose values are no input of a model.
_OTHERS = ("vars.", "network.", "tracker.", "device.", "report.", "sweep.", "checkpoint.")
#: Overrides and keys that change no result.
_IGNORED = re.compile(r"(?!device\.precision\b)(sweep|tracker|device|report|checkpoint)([./=]|$)")
#: What models are built on: told by version, not by source.
_LIBRARIES = ("neurolab", "jax", "brainstate")


def digest_of(value: object) -> str:
    """A digest of the file, or of the run, that a value names; empty if it names none."""
    if not isinstance(value, str) or not _may_be_a_file(value):
        return ""
    try:
        path = Path(value)
        path = path / COMMIT if path.is_dir() else path
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # too long for a name, not to be read
        return ""


def _may_be_a_file(text: str) -> bool:
    return 0 < len(text) < 4096 and ("." in text or "/" in text) and "\n" not in text


def changes_results(key: str) -> bool:
    """Whether a key, or an override, may change what is computed."""
    return not _IGNORED.match(key.lstrip("+~"))


def kind_of(name: str) -> str:
    """What a file is that has a digest: ``source`` of models and of neurolab, or ``files``."""
    return "source" if name.endswith(".py") or name == OWN_SOURCE else "files"


def versions() -> dict[str, list[str]]:
    """The versions of what computes; what goes on may have had several."""
    return {name: [version(name)] for name in _LIBRARIES}


def digests_of(pairs: Iterable[tuple[str, object]]) -> dict[str, str]:
    """A digest of each file, or run, that a value names, of keys and values of a configuration, and
    of the module of each class that a ``_target_`` names and of its bases; and one of neurolab
    itself, which changes in a checkout while its version does not.

    What these modules import is beyond it, and so are the sources of other libraries.
    """
    found = {OWN_SOURCE: _own_source()}
    for key, value in pairs:
        if not isinstance(value, str) or key.startswith(_OTHERS):
            continue
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
