"""Docstrings, which are reStructuredText, as Markdown."""

from __future__ import annotations

import inspect
import re

__all__ = ["markdown"]


def markdown(text: str | None) -> str:
    r"""A docstring with mathematics between ``\(`` and ``\)``, ``\[`` and ``\]``."""
    lines, out = inspect.cleandoc(text or "").splitlines(), []
    while lines:
        line = lines.pop(0)
        if not line.startswith(".. math::"):
            out.append(line)
            continue
        block = [line.removeprefix(".. math::")]
        while lines and (not lines[0].strip() or lines[0].startswith(" ")):
            block.append(lines.pop(0))
        latex = "\n".join(part.strip() for part in block if part.strip())
        if "&" in latex:
            latex = rf"\begin{{align*}}{latex}\end{{align*}}"
        out += ["", rf"\[ {latex} \]".replace("\n", " "), ""]
    return re.sub(r":math:`([^`]*)`", r"\\( \1 \\)", "\n".join(out))
