"""The spikes of a sweep's points in one first window of time: what a page can hold of each run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.plots.parts import round_down
from neurolab.results.damage import lost_results, read_mapping
from neurolab.results.layout import RESULTS
from neurolab.results.run import Run
from neurolab.results.table import Table

__all__ = ["spikes_of"]

_MOST = 400_000  # spikes of all points: 1.6 MB of page
_MOST_NEURONS = 50
_LEAST_NEURONS = 5  # of a population
_FEWEST = 50  # spikes of an active point, below which a picture says nothing
_TIMES = 65_535


def spikes_of(table: Table, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The window, and in ``arrays`` for each point's spikes their times and neurons.

    Times count in steps of window / 65535; ``why`` says why there are none.  Of a network they are
    those of the first neurons of each population, ``shown`` being the populations of those; of
    points with others, at another place in it.
    """
    columns = table.columns
    batches = {path: points[columns["n_steps"][points] > 0] for path, points in table.batches()}
    about = {
        path: attributes
        for path, points in batches.items()
        if points.size and (attributes := _attributes(path))
    }
    if not about:
        return {"why": "No spikes were recorded (record=spikes keeps them)."}
    rows = {path: _rows(attributes) for path, attributes in about.items()}
    per_ms, longest, active = 0.0, 0.0, 0
    for path, attributes in about.items():
        count = np.nan_to_num(columns["spike_count"][batches[path]])
        lasted = columns["duration_ms"][batches[path]] - _start_ms(attributes)
        lasted = np.maximum(lasted, attributes["dt_ms"])
        part = np.count_nonzero(rows[path][0] >= 0) / attributes["n_neurons"]
        per_ms += float((count / lasted).sum()) * part
        longest, active = max(longest, float(lasted.max())), active + int(np.count_nonzero(count))
    window = min(longest, round_down(_MOST / per_ms, 2)) if per_ms else longest
    starts = {path: _start_ms(attributes) for path, attributes in about.items()}
    if any(starts.values()):
        arrays["start_ms"] = np.zeros(table.status.size, np.float32)
        for path, start in starts.items():
            arrays["start_ms"][batches[path]] = start
    if window < longest and per_ms * window < _FEWEST * active:
        why = f"{active} points are too many to hold the spikes of each in this page; open_sweep "
        return {"why": why + "has them."}
    parts = [
        _read(path, about[path], table, batches[path], window, rows[path][0]) for path in about
    ]
    point, time, neuron = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(point, kind="stable")
    arrays["spike_time"] = np.rint(time[order] * (_TIMES / window)).astype(np.uint16)
    kind = np.min_scalar_type(int(neuron.max(initial=0)))
    arrays["spike_neuron"] = neuron[order].astype(kind)
    counts = np.bincount(point, minlength=table.status.size)
    arrays["spike_end"] = np.cumsum(counts).astype(np.uint32)
    shown: list[list[dict[str, Any]]] = []
    arrays["shown_of"] = np.zeros(table.status.size, np.uint16)
    for path, (_, populations) in rows.items():
        if populations not in shown:
            shown.append(populations)
        arrays["shown_of"][batches[path]] = shown.index(populations)
    sizes = sorted({attributes["n_neurons"] for attributes in about.values()})
    return {
        "window_ms": window,
        "whole": bool(window >= longest),
        "most_neurons": _MOST_NEURONS,
        "n_neurons": sizes,
        "shown": shown,
    }


def _rows(about: Mapping[str, Any]) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The row that each neuron has in the picture of a point, -1 for none; and which rows are of
    which population."""
    n, populations = about["n_neurons"], about.get("populations") or {}
    rows, found, at = np.full(n, -1), [], 0
    for name, (begin, end) in populations.items() or {"": (0, n)}.items():
        # As large a part of each, and enough of the small ones.
        share = min(end - begin, max(_MOST_NEURONS * (end - begin) // n, _LEAST_NEURONS))
        share = share if name else min(n, _MOST_NEURONS)
        rows[begin : begin + share] = np.arange(at, at + share)
        found.append({"name": name, "begin": at, "end": at + share})
        at += share
    return rows, found if populations else []


def _start_ms(about: Mapping[str, Any]) -> float:
    """From when on spikes were kept (``record.start``)."""
    return float(about.get("start_step", 0) * about["dt_ms"])


def _attributes(batch: Path) -> dict[str, Any]:
    """What a batch says of its records; empty if there are no spikes among them."""
    if lost := lost_results(batch, {}) if not (batch / RESULTS / "zarr.json").exists() else None:
        raise lost
    found = read_mapping(batch / RESULTS / "zarr.json", needed=False).get("attributes", {})
    return found if found.get("record_spikes") else {}


def _read(
    batch: Path,
    about: Mapping[str, Any],
    table: Table,
    inside: np.ndarray,
    window: float,
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Point, time in ms since recording began, and row of a batch's spikes in the window, in the
    file's order."""
    run, none = Run(batch), np.zeros(0, np.int64)
    ends = run.read("spike_end")
    if not ends.size:
        return none, none, none
    points = np.full(ends.shape[1], -1)
    steps = np.zeros(ends.shape[1], np.int64)
    places = table.columns["in_batch"][inside].astype(int)
    points[places], steps[places] = inside, table.columns["n_steps"][inside].astype(int)
    start, begin = about.get("start_step", 0), 0
    last = start + int(np.floor(window / about["dt_ms"] + 1e-6))
    found = [(none, none, none)]
    for end in ends:  # chunk after chunk, each sorted by point
        step, neuron = (
            run.part(f"spike_{name}", slice(begin, int(end[-1]))) for name in ("step", "neuron")
        )
        place = np.repeat(np.arange(end.size), np.diff(end, prepend=begin))
        begin = int(end[-1])
        neuron = rows[neuron]
        keep = (step < np.minimum(steps, last)[place]) & (neuron >= 0)
        keep &= points[place] >= 0
        found.append((points[place[keep]], step[keep], neuron[keep]))
        if step.size and step.min() >= last:
            break
    point, step, neuron = (np.concatenate(part) for part in zip(*found, strict=True))
    return point, (step - start + 1) * about["dt_ms"], neuron
