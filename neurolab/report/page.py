"""A page: its data, the styles and scripts of `assets`, and where Plotly comes from."""

from __future__ import annotations

import base64
import html
import json
import math
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from neurolab.plots.colours import palettes

__all__ = ["Page", "bundle"]

_ASSETS = Path(__file__).parent / "assets"


@dataclass
class Page:
    """What a page shows: ``data`` (its title among them) as JSON, ``arrays`` as bytes; and how."""

    scripts: Sequence[str]
    styles: Sequence[str]
    data: Mapping[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    plots: bool = True

    def write(self, path: Path, standalone: bool = False) -> Path:
        """Write the page in one operation; returns its path."""
        arrays = "\n".join(_embedded(name, array) for name, array in self.arrays.items())
        # What needs no plot is shown before the library is read.
        text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(self.data["title"])}</title>
<link rel="icon" href="data:,">
<style>{_assets(*self.styles)}</style>
<script>{_assets("theme.js")}</script>
</head>
<body>
<main id="main"><noscript>This page needs JavaScript.</noscript></main>
<script type="application/json" id="data">{_json({**self.data, "palettes": palettes()})}</script>
{arrays}
<script>(() => {{
"use strict";
{_code(_assets(*self.scripts))}
}})();</script>
{_library(path.parent, standalone) if self.plots else ""}
<script>neurolab.draw();</script>
</body>
</html>
"""
        _write(path, text)
        return path


def _library(folder: Path, standalone: bool) -> str:
    if standalone:
        return f"<script>{_code(_plotly().read_text(encoding='utf-8'))}</script>"
    link = Path(os.path.relpath(bundle(folder), folder.resolve())).as_posix()
    return f'<script src="{quote(link)}"></script>'


def bundle(folder: Path) -> Path:
    """The plotting library that the pages around a folder share, copied there if it is missing.

    It lies in ``assets/`` of the nearest folder above that is named ``outputs``, else of the
    parent; where that cannot be written, of the folder itself.
    """
    folder = folder.resolve()
    above = (path for path in (folder, *folder.parents) if path.name == "outputs")
    try:
        return _copied(next(above, folder.parent))
    except OSError:
        return _copied(folder)


def _copied(folder: Path) -> Path:
    target = folder / "assets" / f"plotly-{version('plotly')}.min.js"
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        _write(target, _plotly().read_text(encoding="utf-8"))
    return target


def _plotly() -> Path:
    """The library inside Plotly's Python package, found without importing that."""
    return Path(str(distribution("plotly").locate_file("plotly/package_data/plotly.min.js")))


def _write(path: Path, text: str) -> None:
    """Replace a file when the new one is whole: of processes that do so at once the last stays."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _assets(*names: str) -> str:
    return "".join((_ASSETS / name).read_text(encoding="utf-8") for name in names)


def _embedded(name: str, array: np.ndarray) -> str:
    """An array as its little-endian bytes."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    text = base64.b64encode(little.tobytes()).decode("ascii")
    return (
        f'<script type="application/octet-stream+base64" data-name="{html.escape(name)}" '
        f'data-type="{array.dtype.name}">{text}</script>'
    )


def _json(data: Any) -> str:
    """JSON that ends no script element: what was typed or logged may hold any text."""
    text = json.dumps(_clean(data), allow_nan=False, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _clean(node: Any) -> Any:
    """The data with null for NaN and infinity, which JSON lacks."""
    if isinstance(node, Mapping):
        return {str(key): _clean(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_clean(value) for value in node]
    value = node.item() if isinstance(node, np.generic) else node
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _code(text: str) -> str:
    """A script that does not end its element."""
    return text.replace("</script", "<\\/script")
