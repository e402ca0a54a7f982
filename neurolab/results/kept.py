"""Arrays and networks that were given in Python: a folder keeps them as files, under ``inputs/``.

What names the file of an array is found again in the folder itself, wherever that was moved to. A
network is the option ``network=given_...``, in any process that goes on with the folder.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, get_ident
from typing import Any

import numpy as np

from neurolab.results.damage import DamagedError
from neurolab.results.digests import digest_of
from neurolab.results.layout import replacing

__all__ = [
    "as_file",
    "as_network",
    "check_inputs",
    "keeping_inputs",
    "kept_in",
    "networks_in",
    "safe",
]

INPUTS = "inputs"
_NAME = r"given_[0-9a-f]{16}\.npy"
_NETWORK = re.compile(r"network=(given_[0-9a-f]{16})")
_PATH = re.compile(rf"(?:[^'].*/)?{INPUTS}/({_NAME})", re.DOTALL)
#: What is typed for a key, or a value of it: paths between commas, some of them in quotes.
_TYPED = re.compile(r"[+]*[\w.]+\.file=.*|'.*'", re.DOTALL)
_TYPED_PATH = re.compile(
    rf"'(?:(?:\\.|[^'\\])*/)?{INPUTS}/({_NAME})'|(?:[^=,'\[\]]*/)?{INPUTS}/({_NAME})"
)
_SAFE = re.compile(r"[A-Za-z0-9_.+\-*/%@]+")


_STARTING = Lock()


@cache
def _directory() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="neurolab-inputs-")


def _waiting() -> Path:
    """Where arrays and networks are until a folder has them; it goes with the process."""
    with _STARTING:  # threads that are the first have the same one
        place = Path(_directory().name, INPUTS)
        place.mkdir(exist_ok=True)
    return place


def _waits(name: str, write: Callable[[Path], Any]) -> Path:
    """A file that waits, which is whole as soon as it is there, whichever thread writes it."""
    path = _waiting() / name
    if not path.exists():
        own = path.with_name(f"{get_ident()}-{name}")
        write(own)
        own.replace(path)
    return path


def as_file(array: np.ndarray) -> Path:
    """An array as a file that a configuration can name; its name is made of its content."""
    array = np.ascontiguousarray(array)
    digest = hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return _waits(
        f"given_{digest.hexdigest()[:16]}.npy",
        lambda path: np.save(path, array, allow_pickle=False),
    )


def as_network(network: Mapping[str, Any]) -> str:
    """A network as a file; its name, which is made of its content, is that of its option."""
    text = json.dumps(network, sort_keys=True)
    name = _name_of(text)
    _waits(f"{name}.json", lambda path: path.write_text(text))
    return name


def networks_in(folder: Path) -> Iterator[dict[str, Any]]:
    """The networks that a folder keeps.

    Raises
    ------
    DamagedError
        One is not as it was given.
    """
    for path in sorted((folder / INPUTS).glob("given_*.json")):
        text = path.read_bytes().decode(errors="replace")
        if _name_of(text) != path.stem:
            raise DamagedError(path, "it is not as it was written")
        yield json.loads(text)


def _name_of(text: str) -> str:
    return f"given_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@contextmanager
def keeping_inputs(folder: Path, texts: Sequence[str]) -> Iterator[None]:
    """A folder has the arrays that overrides name as `as_file` gave them, and networks; where it
    then has no results, as what was given was refused, it does not keep them."""
    place, own = folder / INPUTS, not (folder / INPUTS).exists()
    try:
        for name in (*_names(texts), *_networks(texts)):
            source = _waiting() / name
            named = source.suffix == ".json" or any(str(source) in text for text in texts)
            if named and source.exists() and not (place / name).exists():
                place.mkdir(parents=True, exist_ok=True)
                with replacing(place / name, synced=True) as partial:
                    shutil.copyfile(source, partial)
        yield
    finally:
        if own and not any((folder / name).exists() for name in ("run.json", "definition.json")):
            with suppress(OSError):
                shutil.rmtree(place)


def kept_in(folder: Path, node: Any) -> Any:
    """Overrides, a configuration or what else is of mappings, lists and texts, in which the files
    that the folder keeps are named there, wherever they were before."""
    there = {path.name for path in (folder / INPUTS).glob("given_*.npy")}
    return _renamed(node, folder, there) if there else node


def check_inputs(folder: Path, files: Mapping[str, str], texts: Iterable[str] = ()) -> None:
    """That a folder has what it kept, as it was; ``files`` are its digests, ``texts`` overrides.

    Raises
    ------
    DamagedError
        The first that it has not.
    """
    for name, digest in files.items():
        path = folder / INPUTS / Path(name).name
        others = not path.exists() and Path(name).exists()  # of another folder, by its name
        if _PATH.fullmatch(name) and not others and digest_of(str(path)) != digest:
            how = "it is not as it was written" if path.exists() else "it is missing"
            raise DamagedError(path, how)
    for name in _networks(texts):
        if not (folder / INPUTS / name).exists():
            raise DamagedError(folder / INPUTS / name, "it is missing")
    for _ in networks_in(folder):
        pass


def _renamed(node: Any, folder: Path, there: set[str]) -> Any:
    if isinstance(node, dict):
        return {
            _renamed(key, folder, there): _renamed(value, folder, there)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return type(node)(_renamed(one, folder, there) for one in node)
    if not isinstance(node, str):
        return node

    def here(found: re.Match[str]) -> str:
        name = found[found.lastindex or 1]
        return safe(str(folder / INPUTS / name)) if name in there else found[0]

    if _TYPED.fullmatch(node):
        return _TYPED_PATH.sub(here, node)
    found = _PATH.fullmatch(node)
    return str(folder / INPUTS / found[1]) if found and found[1] in there else node


def safe(text: str) -> str:
    """A text as a value of an override, quoted where it has to be."""
    if _SAFE.fullmatch(text):
        return text
    escaped = re.sub(r"(\\+)(?=$|')", r"\1\1", text).replace("'", r"\'")
    return f"'{escaped}'"


def _names(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in re.findall(_NAME, text)}


def _networks(texts: Iterable[str]) -> set[str]:
    return {f"{found[1]}.json" for text in texts if (found := _NETWORK.fullmatch(text))}
