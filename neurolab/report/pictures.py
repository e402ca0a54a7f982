"""What a run or a sweep shows when it has ended; it is complete, whatever fails in that."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from neurolab.results.damage import DamagedError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["show", "show_page"]

log = logging.getLogger("neurolab")


def show(folder: Path, standalone: bool, sweep: xr.Dataset | None = None) -> None:
    """Draw what is in a run folder, or the values of a sweep, and write the page."""
    try:
        if sweep is None:
            from neurolab.plots.run import draw_all as draw_run
            from neurolab.results.run import open_run

            draw_run(open_run(folder))
        else:
            from neurolab.plots.sweep import draw_all as draw_sweep

            draw_sweep(sweep, folder)
    except DamagedError as error:
        log.error("the plots could not be drawn: %s", error)
    except Exception:
        log.exception("the plots could not be drawn; what was committed can be opened")
    show_page(folder, standalone)


def show_page(folder: Path, standalone: bool) -> None:
    """Write the page."""
    try:
        from neurolab.report import write_report

        write_report(folder, standalone)
    except Exception:
        log.exception("the page could not be written; what was committed can be opened")
