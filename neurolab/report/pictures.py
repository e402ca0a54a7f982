"""What a run or a sweep shows when it has ended; it is complete, whatever fails in that."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from neurolab.results.damage import DamagedError
from neurolab.results.room import not_kept

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["show", "show_page"]

log = logging.getLogger("neurolab")


def show(folder: Path, standalone: bool, sweep: xr.Dataset | None = None) -> bool:
    """Draw what is in a run folder, or the values of a sweep, and write the page; whether they
    could be kept."""
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
    except Exception as error:
        if _not_kept(error, folder):
            return False
        log.exception("the plots could not be drawn; what was committed can be opened")
    return show_page(folder, standalone)


def show_page(folder: Path, standalone: bool) -> bool:
    """Write the page; whether it could be kept."""
    try:
        from neurolab.report import write_report

        write_report(folder, standalone)
    except Exception as error:
        if _not_kept(error, folder):
            return False
        log.exception("the page could not be written; what was committed can be opened")
    return True


def _not_kept(error: Exception, folder: Path) -> bool:
    """Whether the disk has no place for what is shown, which is told."""
    told = not_kept(error, folder, advice=f"have its page: python -m neurolab.report {folder}")
    if told:
        log.error("%s", told)
    return told is not None
