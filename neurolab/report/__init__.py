"""Pages of results: report.html of a run or a sweep, index.html of many.

    python -m neurolab.report outputs/            # outputs/index.html, and reports that are missing
    python -m neurolab.report outputs/mine        # the report of one run or sweep, anew

A page opens from disk, without server or network. Python writes data, `assets/*.js` shows them, and
Plotly draws; nothing here knows models, and Plotly's Python package is never imported.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_index", "write_report"]

REPORT, INDEX = "report.html", "index.html"


def write_report(folder: str | Path, standalone: bool = False) -> Path:
    """Write report.html of a run or a sweep, finished or not; returns its path.

    Parameters
    ----------
    folder
        A run folder, or that of a sweep.
    standalone
        The plotting library inside the page, 5 MB, in place of a link to one for all pages.

    Raises
    ------
    FileNotFoundError
        The folder is neither.
    """
    from neurolab.report.folders import is_run, is_sweep

    folder = Path(folder)
    if is_sweep(folder):
        from neurolab.report.sweep_page import sweep_page

        page = sweep_page(folder)
    elif is_run(folder):
        from neurolab.report.run_page import run_page

        page = run_page(folder)
    else:
        raise FileNotFoundError(
            f"{folder} is no run (no .hydra, summary.json or results.zarr) and no sweep (no "
            "definition.json). Both are usually under outputs/<date>/."
        )
    return page.write(folder / REPORT, standalone)


def write_index(outputs: str | Path) -> Path:
    """Write index.html, which lists the runs and sweeps below a folder; returns its path.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    from neurolab.report.index_page import index_page

    return index_page(Path(outputs)).write(Path(outputs) / INDEX)
