"""What a notebook shows of a run or a sweep: a table, and the raster of a run."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from neurolab.numbers import number

if TYPE_CHECKING:
    from neurolab.results.run import Run
    from neurolab.results.sweep import Sweep

__all__ = ["of_run", "of_sweep"]

#: Bytes of a picture that a notebook holds, and rows of a table.
_MOST_BYTES, _MOST_ROWS = 2**20, 10


def of_run(run: Run) -> str:
    """A run as HTML: how it went, its populations, and raster.png where the folder has it."""
    rows = [("status", run.status), ("duration", f"{run.duration_ms:g} ms"),
        ("neurons", f"{run.n_neurons}")]  # fmt: skip
    parts = {"": run.summary} | {name: run[name].summary for name in run.populations}
    for name, told in parts.items():
        cv = told.get("isi_cv_mean")
        found = [f"{told['spike_count']:,} spikes"] if "spike_count" in told else []
        if told.get("rate_hz_mean") is not None:
            found.append(f"{number(told['rate_hz_mean'])} Hz")
        found += [f"CV {number(cv, 3)}"] if cv is not None else []
        if found:
            rows.append((name or "all", ", ".join(found)))
    rows += [(f"{name}", f"{trace['unit']}") for name, trace in run.attributes["traces"].items()]
    body = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    return f"{_title(run)}<table>{body}</table>{_picture(run)}"


def of_sweep(sweep: Sweep) -> str:
    """A sweep as HTML: how it went, and the first of its points."""
    table = sweep.table.drop(columns=["message", "overrides"]).dropna(axis="columns", how="all")
    more = len(table) - _MOST_ROWS
    told = f"<p>and {more} more: .table</p>" if more > 0 else ""
    return _title(sweep) + table.head(_MOST_ROWS).to_html(escape=True, border=0) + told


def _title(shown: Run | Sweep) -> str:
    lines = repr(shown).splitlines()[:2]
    return "".join(f"<p>{escape(line.strip())}</p>" for line in lines)


def _picture(run: Run) -> str:
    path = run.path / "raster.png"
    kept = isinstance(run.store, Path) and path.is_file()
    if not kept or path.stat().st_size > _MOST_BYTES:
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    return f"<img alt='raster' style='max-width:100%' src='data:image/png;base64,{data}'>"
