"""docs/reliability.md: a section for each of the commands that measure what is in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.environment import ROOT, cores, versions

__all__ = ["PAGE", "made_by", "table", "write"]

PAGE = ROOT / "docs" / "reliability.md"
HEAD = """# What ends a run, and what is left of it

Each section says which command measured it. Nothing here is stated that the command did not do.
"""
#: The sections, in the order in which they stand.
TITLES = ("Faults", "What checkpoints cost", "Long runs")


def write(title: str, text: str, page: Path = PAGE) -> None:
    """Put a section in its place; the others stay as they are."""
    found = dict.fromkeys(TITLES, "")
    if page.exists():
        for part in page.read_text().split("\n## ")[1:]:
            name, _, body = part.partition("\n")
            found[name] = body.strip()
    found[title] = text.strip()
    sections = [f"## {name}\n\n{body}\n" for name, body in found.items() if body]
    page.write_text("\n".join([HEAD, *sections]))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def made_by(command: str) -> str:
    """The command, and what its figures depend on."""
    used = versions()
    libraries = ", ".join(f"{name} {used[name]}" for name in ("jax", "numpy") if name in used)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    where = f"{cores()} cores of a shared x86-64 server" if os.uname().machine == "x86_64" else (
        f"{cores()} cores, {os.uname().machine}"
    )  # fmt: skip
    return (
        f"Made by `{command}` on {where}, {memory:.0f} GiB of memory, {os.uname().sysname}, "
        f"Python {used['python']}, {libraries}.\n"
    )
