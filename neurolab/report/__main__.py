"""``python -m neurolab.report``: the pages of runs and sweeps, and an index of many."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from neurolab.report import REPORT, write_index, write_report
from neurolab.report.folders import find, is_over, is_run, is_sweep

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what was asked for; 0 if all went well, 1 if a page failed, 2 for a wrong folder."""
    options = _parser().parse_args(arguments)
    problems = [problem for folder in options.folder if (problem := _problem(folder))]
    for problem in problems:
        print(f"neurolab.report: {problem}", file=sys.stderr)
    if problems:
        return 2
    failed = 0
    for folder in options.folder:
        if is_run(folder) or is_sweep(folder):
            failed += _report(folder, options.standalone, loud=True)
            continue
        for path in find(folder):
            # What has no summary may have gone on since its page was written.
            if not ((path / REPORT).exists() and is_over(path)):
                failed += _report(path, options.standalone)
        print(write_index(folder))
    return int(bool(failed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m neurolab.report",
        description="Write report.html of a run or sweep, or index.html of a folder with many.",
    )
    parser.add_argument(
        "folder",
        nargs="+",
        type=Path,
        help="a run or a sweep: its page is written anew; a folder that holds some, such as "
        "outputs/: index.html lists them, and pages that are missing are written",
    )
    parser.add_argument(
        "--standalone",
        action="store_true",
        help="the plotting library inside each page that is written (5 MB), so that it can be sent",
    )
    return parser


def _problem(folder: Path) -> str:
    if not folder.exists():
        return f"there is no folder {folder}. Runs are usually under outputs/."
    if not folder.is_dir():
        return f"{folder} is a file; give the folder of a run or sweep, or one that holds some."
    if is_run(folder) or is_sweep(folder) or next(find(folder), None):
        return ""
    return (
        f"{folder} holds no runs or sweeps, up to 4 folders deep. "
        "Make one: python -m neurolab neuron=lif input=poisson"
    )


def _report(folder: Path, standalone: bool, loud: bool = False) -> bool:
    """Whether the page could not be written; one damaged folder does not stop the others."""
    try:
        path = write_report(folder, standalone)
    except Exception as error:
        print(f"neurolab.report: {folder}: {type(error).__name__}: {error}", file=sys.stderr)
        return True
    if loud:
        print(path)
    return False


if __name__ == "__main__":
    sys.exit(main())
