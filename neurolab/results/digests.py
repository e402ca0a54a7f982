"""Digests of the files that a configuration names: with other contents it is another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from neurolab.results.layout import COMMIT

__all__ = ["digest_of"]


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
