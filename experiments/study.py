"""What the figures of studies have in common: how they are made from the folder of a sweep."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

import neurolab


def main(figure: str, draw: Callable[[neurolab.Sweep], Figure], fewest: Mapping[str, int]) -> None:
    """Draw the figure of the sweep whose folder was typed, beside the file that draws it.

    ``fewest`` are how many values of each key it needs; a sweep that has fewer is refused.
    """
    path, name = Path(figure).parent, Path(figure).parent.name
    if len(sys.argv) != 2:
        raise SystemExit(f"python experiments/{name}/figure.py FOLDER_OF_THE_SWEEP")
    sweep = neurolab.open_sweep(sys.argv[1])
    for key, least in fewest.items():
        there = sweep.table[key].nunique() if key in sweep.table else 0
        if there < least:
            more = f"the figure needs {least} or more, as experiment={name} has"
            raise SystemExit(f"{sys.argv[1]} has {there or 'no'} values of {key}: {more}")
    try:
        drawn = draw(sweep)
    except (KeyError, AttributeError) as error:
        what = f"{sys.argv[1]} is no sweep of experiment={name}, which the figure is of"
        raise SystemExit(f"{what}: {error}") from error
    drawn.savefig(path / f"{name}.png")
    print(path / f"{name}.png")
