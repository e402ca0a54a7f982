"""A point of a sweep as a run folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from neurolab.results.layout import RESULTS, Chunk, Trace, write_whole
from neurolab.results.run import Run
from neurolab.results.sealed import sealed
from neurolab.results.sweep import open_sweep
from neurolab.results.table import as_told
from neurolab.results.writer import ResultsWriter

__all__ = ["export_point"]

SUMMARY = "summary.json"


def export_point(sweep_folder: Path, index: int, folder: Path) -> None:
    """Write a point's summary and records into ``folder``, so that `open_run` reads it.

    What was not computed leaves a summary that says why; what was there of the point before, in a
    sweep that was stopped, is replaced.
    """
    sweep = open_sweep(sweep_folder)
    row = sweep.rows.get(index, {"point": index, "status": "missing"})
    (folder / SUMMARY).unlink(missing_ok=True)
    shutil.rmtree(folder / RESULTS, ignore_errors=True)
    summary = as_told(row)
    if "batch" in row and (Path(row["batch"]) / RESULTS).exists() and row["n_steps"]:
        point = sweep[index]
        _export(point, folder)
        summary = point.summary
    write_whole(folder / SUMMARY, sealed(summary, indent=2))


def _export(run: Run, folder: Path) -> None:
    """The records of a point as those of a run."""
    about = run.attributes["traces"]
    traces = [
        Trace(name, trace["unit"], run.traces[trace["axes"][1]].values, trace["every"])
        for name, trace in about.items()
    ]
    spikes = run.spikes is not None
    bins = run.attributes["rate_bin_steps"]
    with ResultsWriter(
        folder,
        n_neurons=run.n_neurons,
        dt_ms=run.dt_ms,
        populations=run.attributes.get("populations"),
        silent=run.silent,
        traces=traces,
        record_spikes=spikes,
        rate_bin_steps=bins,
        start=run.start_step,
    ) as writer:
        none = np.zeros(0, np.int64)
        writer.append(
            Chunk(
                0,
                run.committed_steps,
                run.read("spike_step") if spikes else none,
                run.read("spike_neuron") if spikes else none,
                {trace.name: run.traces[trace.name].values for trace in traces},
                None if bins is None else run.read("rate_counts"),
            )
        )
