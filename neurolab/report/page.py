"""A page: its data, the styles and scripts of `assets`, and where Plotly comes from."""

from __future__ import annotations

import base64
import html
import importlib.util
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

__all__ = ["Page", "bundle"]

_ASSETS = Path(__file__).parent / "assets"
_TYPES = {"u1": "uint8", "u2": "uint16", "u4": "uint32", "f4": "float32", "f8": "float64"}


@dataclass
class Page:
    """What a page shows: ``data`` as JSON, ``arrays`` as their bytes, and who shows it."""

    title: str
    scripts: Sequence[str]
    styles: Sequence[str]
    data: Mapping[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    plots: bool = True

    def write(self, path: Path, standalone: bool = False) -> Path:
        """Write the page in one operation; returns its path."""
        library = ""
        if self.plots and standalone:
            library = f"<script>{_code(_plotly().read_text(encoding='utf-8'))}</script>"
        elif self.plots:
            link = os.path.relpath(bundle(path.parent), path.parent.resolve())
            library = f'<script src="{quote(Path(link).as_posix())}"></script>'
        text = self._text(library)
        with _replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
        return path

    def _text(self, library: str) -> str:
        styles = "".join((_ASSETS / name).read_text(encoding="utf-8") for name in self.styles)
        scripts = "".join((_ASSETS / name).read_text(encoding="utf-8") for name in self.scripts)
        arrays = "\n".join(_embedded(name, array) for name, array in self.arrays.items())
        # What needs no plot is shown before the library is read.
        return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(self.title)}</title>
<link rel="icon" href="data:,">
<style>{styles}</style>
<script>{(_ASSETS / "theme.js").read_text(encoding="utf-8")}</script>
</head>
<body>
<main id="main"><noscript>This page needs JavaScript.</noscript></main>
<script type="application/json" id="data">{_json(self.data)}</script>
{arrays}
<script>(() => {{
"use strict";
{_code(scripts)}
}})();</script>
{library}
<script>neurolab.draw();</script>
</body>
</html>
"""


def bundle(folder: Path) -> Path:
    """The plotting library that the pages around a folder share, copied there if it is missing.

    It lies in ``assets/`` of the nearest folder above that is named ``outputs``, else of the
    parent; where that cannot be written, of the folder itself.
    """
    folder = folder.resolve()
    above = (path for path in (folder, *folder.parents) if path.name == "outputs")
    name = f"plotly-{version('plotly')}.min.js"
    target = next(above, folder.parent) / "assets" / name
    if target.exists():
        return target
    try:
        return _copied(target)
    except OSError:
        target = folder / "assets" / name
        return target if target.exists() else _copied(target)


def _copied(target: Path) -> Path:
    target.parent.mkdir(exist_ok=True)
    with _replacing(target) as partial:
        shutil.copyfile(_plotly(), partial)
    return target


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file to write that takes the place of ``path`` when it is whole, and leaves nothing if not.

    Several processes may do this at once: each has its own, the last one stays.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _plotly() -> Path:
    """The library inside Plotly's Python package, found without importing that."""
    spec = importlib.util.find_spec("plotly")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / "package_data" / "plotly.min.js"
        if path.exists():
            return path
    raise FileNotFoundError(
        "plotly.min.js, which draws in the pages, is not installed; pip install plotly"
    )


def _embedded(name: str, array: np.ndarray) -> str:
    """An array as its little-endian bytes."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    kind = _TYPES[f"{array.dtype.kind}{array.dtype.itemsize}"]
    text = base64.b64encode(little.tobytes()).decode("ascii")
    return (
        f'<script type="application/octet-stream+base64" data-name="{html.escape(name)}" '
        f'data-type="{kind}">{text}</script>'
    )


def _json(data: Any) -> str:
    """JSON that ends no script element: what was typed or logged may hold any text."""
    text = json.dumps(_clean(data), allow_nan=False, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _clean(node: Any) -> Any:
    """The data with null for NaN and infinity, which JSON lacks."""
    if isinstance(node, float):  # NumPy's are, too
        return node if math.isfinite(node) else None
    if isinstance(node, np.generic):
        return _clean(node.item())
    if isinstance(node, Mapping):
        return {str(key): _clean(value) for key, value in node.items()}
    if isinstance(node, np.ndarray):
        return _clean(node.tolist())
    return [_clean(value) for value in node] if isinstance(node, (list, tuple)) else node


def _code(text: str) -> str:
    """A script that does not end its element."""
    return text.replace("</script", "<\\/script")
