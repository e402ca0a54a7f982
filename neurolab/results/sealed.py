"""Files of results that tell whether they are as they were written.

A JSON file of ours ends with a digest of its own text, ``"sha256"``.  Of files that others write
(Zarr's metadata, Hydra's configuration) commit.json has digests.  Chunks of arrays have checksums
of their own (`neurolab.results.writer`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.layout import COMMIT, RESULTS, Commit, growing_axis, write_whole

__all__ = [
    "CONFIGURATION",
    "digest_of_content",
    "digest_of_file",
    "digest_of_metadata",
    "intact",
    "sealed",
    "write_commit",
]

_SEAL = "sha256"
#: The end of a sealed text, whatever a byte of it became.
_END = re.compile(r'"([^"]*)"\s*:\s*"([^"]{64})"\s*\}\s*$')
_LONGEST_END = 128
#: What was asked for, as Hydra keeps it.
CONFIGURATION = (".hydra/config.yaml", ".hydra/overrides.yaml")


def sealed(content: Mapping[Any, Any], indent: int | None = None) -> str:
    """A mapping as JSON that ends with a digest of what is before it."""
    text = json.dumps({**content, _SEAL: ""}, indent=indent, default=_plain)
    before, key, after = text.rpartition(f'"{_SEAL}"')
    return before + key + after.replace('""', f'"{_sha256(before.encode())}"') + "\n"


def intact(text: str, found: dict[str, Any]) -> bool:
    """Whether a JSON text is as it was sealed, or has no seal, as those of before; ``found`` is
    what it holds, from which the seal is taken."""
    start = max(len(text) - _LONGEST_END, 0)
    end = _END.search(text[start:])
    if end is None:
        return True
    before = text[: start + end.start()].encode()
    return end[1] == _SEAL and found.pop(_SEAL) == end[2] == _sha256(before)


def write_commit(
    folder: Path, commit: Commit, about: Mapping[str, Any], known: Mapping[str, str]
) -> Commit:
    """Replace commit.json, with digests of Zarr's metadata and of the configuration, if there is
    one; ``about`` are the attributes of the group, and ``known`` digests of files that stayed."""
    found = dict(known)
    for name in ("", *commit.lengths):
        file = f"{RESULTS}/{name}/zarr.json".replace("//", "/")
        if file not in found and (folder / file).is_file():  # of a batch that was stopped at once
            metadata = json.loads((folder / file).read_text(encoding="utf-8"))
            found[file] = digest_of_metadata(metadata, growing_axis(name, about))
    for file in CONFIGURATION:
        if file not in found and (folder / file).is_file():
            found[file] = digest_of_file(folder / file)
    commit = replace(commit, digests=found)
    write_whole(folder / COMMIT, sealed(vars(commit)), synced=True)
    return commit


def digest_of_metadata(metadata: Mapping[str, Any], axis: int) -> str:
    """A digest of what stays the same in the metadata of an array that grows along an axis, or of
    the group: neither its length nor the copy of the arrays' metadata, which is made at the end."""
    shape = [*found] if isinstance(found := metadata.get("shape"), list) else [found]
    shape[axis : axis + 1] = [None]
    rest = {key: value for key, value in metadata.items() if key != "consolidated_metadata"}
    return _short(json.dumps(rest | {"shape": shape}, sort_keys=True).encode())


def digest_of_content(content: Any) -> str:
    """A digest of what JSON can hold."""
    return _short(json.dumps(content, sort_keys=True).encode())


def digest_of_file(path: Path) -> str:
    """A digest of a small file."""
    return _short(path.read_bytes())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _short(content: bytes) -> str:
    """Enough where nobody tries to make another file of this digest."""
    return _sha256(content)[:16]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
