"""What a run shows when it has ended: its plots and its page."""

from __future__ import annotations

import logging
from pathlib import Path

__all__ = ["draw_run"]

log = logging.getLogger("neurolab")


def draw_run(folder: Path, standalone: bool = False) -> None:
    """Draw what is in a run folder; a run whose pictures fail is still a run."""
    try:
        from neurolab.plots.run import draw_all
        from neurolab.results.run import open_run

        draw_all(open_run(folder))
    except Exception:
        log.exception("the plots could not be drawn; the results are complete")
    try:
        from neurolab.report import write_report

        write_report(folder, standalone)
    except Exception:
        log.exception("the page could not be written; the results are complete")
