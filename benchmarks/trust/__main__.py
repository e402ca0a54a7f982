"""``python -m benchmarks.trust``: what theory says beside what neurolab gives, in docs/trust.md.

Exit status 1 if any statement misses what is allowed.  It needs neurolab and nothing else, and
takes two to five minutes on two cores.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.environment import ROOT
from benchmarks.trust import draws, intervals, noise, rate_neuron, synapses, upstroke
from benchmarks.trust.rows import Row, Section

SUBJECTS = {
    "synapses": synapses,
    "intervals": intervals,
    "upstroke": upstroke,
    "noise": noise,
    "draws": draws,
    "rate_neuron": rate_neuron,
}
PAGE = ROOT / "docs" / "trust.md"
HEAD = """# What neurolab computes, beside what theory says

Made by `python -m benchmarks.trust`, which computes every row, with fixed seeds, and ends with 1 if
one misses what is allowed. Theory is a closed form, or an integration that shares no code with
neurolab. Every row of neurolab is a run of a configuration, as on the command line: what stands in
`benchmarks/trust/` can be tried one by one. [peers.md](peers.md) has Brian2 and NEST.
"""


def main() -> int:
    """Compute what was asked for, show it, write the page; 1 if a statement misses."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=SUBJECTS, default=[], help="these alone; nothing is written"
    )
    options = parser.parse_args()
    logging.getLogger("neurolab").setLevel(logging.ERROR)  # coarse steps are what is looked at
    console = Console(width=None if sys.stdout.isatty() else 140)
    sections: list[Section] = []
    for name in options.only or SUBJECTS:
        with console.status(name):
            for section in SUBJECTS[name].sections():
                sections.append(section)
                console.print(f"{section.title}: {_count(section.rows)}")
    misses = [row for section in sections for row in section.rows if not row.holds]
    for row in misses:
        console.print(f"[bold red]misses:[/] {row.statement}: {row.difference}", soft_wrap=True)
    if not options.only:
        write(sections, PAGE)
        console.print(f"{PAGE.relative_to(ROOT)} is written")
    return 1 if misses else 0


def write(sections: Sequence[Section], path: Path) -> None:
    """The page, a table for each section."""
    rows = [row for section in sections for row in section.rows]
    text = [HEAD, f"Of all statements: {_count(rows)}.\n"]
    for section in sections:
        text += [f"## {section.title}\n", f"{section.how}\n"]
        text += [
            "| statement | theory | neurolab | difference | allowed | |",
            "|---|---|---|---|---|---|",
        ]
        text += [_line(row) for row in section.rows] + [""]
    path.write_text("\n".join(text))


def _line(row: Row) -> str:
    cells = (row.statement, row.theory, row.found, row.difference, row.allowed)
    return "| " + " | ".join([*cells, "" if row.holds else "**misses**"]) + " |"


def _count(rows: Sequence[Row]) -> str:
    missing = sum(not row.holds for row in rows)
    return f"{len(rows) - missing} hold" + (f", {missing} miss" if missing else "")


if __name__ == "__main__":
    sys.exit(main())
