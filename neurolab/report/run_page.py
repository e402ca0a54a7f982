"""The page of a run: what it was, its spikes, traces and intervals, and its configuration."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.analysis import interval_histogram
from neurolab.plots.parts import decimate, duration, examples, labels_of, lines_of, title
from neurolab.plots.rates import ACROSS, rates_of
from neurolab.report.configuration import configuration_of
from neurolab.report.folders import about, overrides_of, short, tile, tried, wall_time
from neurolab.report.page import Page
from neurolab.report.run_spikes import drawn_neurons, embed_spikes, shown_part
from neurolab.report.run_statistics import statistics_of
from neurolab.results.damage import SUMMARY, DamagedError, check_file, lost_results
from neurolab.results.layout import RESULTS, Commit
from neurolab.results.run import Run
from neurolab.results.sealed import CONFIGURATION
from neurolab.results.status import read_summary

__all__ = ["run_page"]

log = logging.getLogger("neurolab")

_MOST_COUNTED = 20_000_000  # spikes that rates are counted of
_MOST_SAMPLES = 20_000  # of a line
_MOST_IN_ALL = 400_000
_MOST_READ = 200_000_000  # samples, to draw some
_MOST_INTERVALS = 5_000_000
_EXAMPLES = 4

_STYLES = ("common.css", "plots.css", "run.css")
_SCRIPTS = (
    "common.js", "tabs.js", "controls.js", "figures.js", "spikes.js", "raster.js", "stimulus.js",
    "traces.js", "statistics.js", "run.js",
)  # fmt: skip


def run_page(folder: Path) -> Page:
    """The page of a run, however it ended, and if it recorded nothing; it says what is damaged."""
    damaged: list[DamagedError] = []
    summary = tried(lambda: read_summary(folder), damaged, {})
    data = about(folder, summary) | ({"status": "damaged"} if damaged else {})
    run = tried(lambda: _run(folder, summary), damaged, None)
    arrays: dict[str, np.ndarray] = {}
    if run is not None and run.committed_steps:
        damaged += (error for name, error in run.damaged.items() if name != SUMMARY)
        data["results"] = _results(run, summary, arrays, damaged)
    commit = Commit() if run is None else run.commit
    config, typed = CONFIGURATION
    configuration, overrides = configuration_of(folder), overrides_of(folder)
    if tried(lambda: check_file(folder, config, commit), damaged, True):
        configuration = {"groups": [], "compared": "overrides"}
    if tried(lambda: check_file(folder, typed, commit), damaged, True):
        overrides = []
    data |= {
        "title": _title(run, configuration, data["status"]),
        "overrides": overrides,
        "tiles": _tiles(summary, run),
        "configuration": configuration,
    }
    if damaged:
        told = list(map(str, damaged))
        data["message"] = " ".join(filter(None, [data["message"], *told]))
        for one in told if data["status"] != "running" else ():  # the next page may have it
            log.warning("%s", one)
    return Page(_SCRIPTS, _STYLES, data | {"damaged": bool(damaged)}, arrays)


def _run(folder: Path, summary: Mapping[str, Any]) -> Run | None:
    """What was recorded; None if nothing was."""
    if (folder / RESULTS / "zarr.json").exists():
        return Run(folder)
    if lost := lost_results(folder, summary):  # deleted to save space, perhaps
        raise lost
    return None


def _title(run: Run | None, configuration: Mapping[str, Any], status: str) -> str:
    if run is not None and run.committed_steps:
        return title(run)
    values = {row["key"]: row["value"] for g in configuration["groups"] for row in g["rows"]}
    neuron = values.get("neuron._target_", "run").rpartition(".")[2]
    parts = [neuron, f"N = {values['size']}" if "size" in values else "", status]
    return ", ".join(part for part in parts if part)


def _tiles(summary: Mapping[str, Any], run: Run | None) -> list[dict[str, str]]:
    """The few numbers that are looked for first."""
    tiles = []
    if summary.get("rate_hz_mean") is not None:
        some = f"{n} that spike" if (n := summary.get("n_spiking")) else "neurons"
        spread = f"s.d. over {some} {short(summary['rate_hz_std'])} Hz"
        cv = summary.get("isi_cv_mean")
        note = "too few spikes" if cv is None else "mean over neurons"
        tiles += [
            tile("rate", short(summary["rate_hz_mean"]), "Hz", spread),
            tile("ISI CV", short(cv), "", note),
        ]
    if summary.get("spike_count") is not None:
        tiles.append(tile("spikes", f"{summary['spike_count']:,}"))
    done = summary.get("duration_ms", run.duration_ms if run else None)
    size = summary.get("n_neurons", run.n_neurons if run else None)
    if done is not None:
        value, _, unit = duration(done).rpartition(" ")
        note = f"{size:,} neuron{'s' * (size != 1)}"
        if summary.get("rheobase") is not None:
            note += f"; 1 rheobase is {short(summary['rheobase'])} {summary['rheobase_unit']}"
        if start := summary.get("start_ms", run.start_ms if run else 0.0):
            note += f"; recorded from {duration(start)} on"
        tiles.append(tile("simulated", value, unit, note))
    if summary.get("wall_s") and size and summary.get("n_steps"):
        number, _, prefix = short(size * summary["n_steps"] / summary["wall_s"]).partition(" ")
        unit = f"{prefix} updates/s".strip()
        tiles.append(tile("speed", number, unit, summary.get("device", "")))
    return tiles + wall_time(summary)


def _results(
    run: Run,
    summary: Mapping[str, Any],
    arrays: dict[str, np.ndarray],
    damaged: list[DamagedError],
) -> dict[str, Any] | None:
    """What was recorded and is not damaged; of more spikes than a page can hold those of some
    neurons, and the first part of more samples."""
    if run.start_step and not run.recorded_ms:
        return None  # it is in its warm-up
    # Which neurons spiked is told by the first of many spikes.
    begin = tried(lambda: run.beginning(_MOST_SAMPLES * 25), damaged, run)
    chosen = {name: examples(begin, of, _EXAMPLES) for name, of in lines_of(begin).items()}
    drawn = drawn_neurons(run, {neuron for of in chosen.values() for neuron in of.values()})
    part = tried(lambda: shown_part(run, drawn), damaged, None)
    if part is None:
        return None
    found: dict[str, Any] = {
        "n_neurons": run.n_neurons,
        "dt_ms": run.dt_ms,
        "duration_ms": run.duration_ms,
        "shown_ms": part.duration_ms,
        "start_ms": run.start_ms,
        "populations": _populations(run, summary),
        "spikes": None,
        "rate": None,
        "isi": None,
    }
    # Spikes that are damaged, or were not recorded, are in no array.
    count = None
    if run.attributes["record_spikes"]:
        count = tried(lambda: embed_spikes(part, drawn, arrays), damaged, None)
    if count is not None:
        found["spikes"] = {
            "count": count,
            "all": int(run.commit.lengths.get("spike_step", 0)),
            "neurons": int(drawn.sum()),
        }
        found["isi"] = tried(
            lambda: _histograms(run.beginning(_MOST_INTERVALS), run.duration_ms, summary),
            damaged,
            None,
        )
        found["statistics"] = tried(lambda: statistics_of(run), damaged, None)
    # Of spikes that are damaged, or very many, bins are left if they were recorded.
    many = run.commit.lengths.get("spike_step", 0) > _MOST_COUNTED and run.rate_bins is not None
    rates = tried(lambda: rates_of(part, count is not None and not many), damaged, {})
    for name, rate in rates.items():
        of = f"/{name}" if name else ""
        arrays[f"rate{of}"] = rate.hz.astype(np.float32)
        arrays[f"rate_edge{of}"] = rate.edges
        found["rate"] = {"bin_ms": rate.bin_ms, "least_ms": rate.least_ms, "across": ACROSS}
        found["rate"]["of"] = list(rates)
    samples = sum(of.time_ms.size * of.neurons.size for of in lines_of(part).values())
    traced = part if samples <= _MOST_READ else begin
    found["traces"] = _traces(traced, chosen, arrays, damaged)
    found["traced_ms"] = traced.duration_ms
    found["stimulus"] = tried(lambda: _stimulus(part, arrays), damaged, None)
    return found


def _stimulus(run: Run, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """What populations were given, where it varies, and the levels of their potential."""
    found: dict[str, Any] = {"lines": [], "epochs": [], "levels": {}}
    for name, one in run.stimuli.items():
        found["levels"][name] = one.levels
        if one.varies:
            key = f"stimulus/{name}"
            time, value = one.line(run.dt_ms)
            arrays[f"{key}/time"], arrays[f"{key}/value"] = time, value.astype(np.float32)
            line: dict[str, Any] = {"name": name, "unit": one.unit, "array": key}
            found["lines"].append(line | {"own": one.first_neuron, "beside": not one.alone})
            found["epochs"] += [e for e in one.epochs(run.dt_ms) if e not in found["epochs"]]
    return found


def _populations(run: Run, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The populations of a network: which neurons they are, where their names are on an axis of
    all, and how they fired."""
    labels, told = labels_of(run.populations).items(), summary.get("populations") or {}
    keys = ("rate_hz_mean", "isi_cv_mean")
    return [
        {"name": name, "begin": of.start, "end": of.stop, "label": label, "at": at}
        | {key: told.get(name, {}).get(key) for key in keys}
        for (name, of), (label, at) in zip(run.populations.items(), labels, strict=True)
    ]


def _histograms(run: Run, duration_ms: float, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """Counts of intervals, of each population of a network that has some, but for the longest few,
    which would leave the others one bin."""
    if run.spike_arrays is None:
        return None
    parts = {name: run[name].isi() for name in run.populations} or {"": run.isi()}
    intervals = np.concatenate(list(parts.values()))
    if not intervals.size:
        return None
    end = float(np.quantile(intervals, 0.995)) * 1.02
    edges, counts = interval_histogram(intervals, run.dt_ms, end)
    told = {"": summary} | (summary.get("populations") or {})
    return {
        "first_ms": float(edges[0]),
        "bin_ms": float(edges[1] - edges[0]),
        "beyond": int(intervals.size - counts.sum()),
        "of": "" if run.duration_ms >= duration_ms * 0.999 else duration(run.recorded_ms),
        "parts": [
            {"name": name, "counts": interval_histogram(own, run.dt_ms, end)[1].tolist()}
            | _spread(own, run.dt_ms)
            | {"cv_mean": told.get(name, {}).get("isi_cv_mean")}
            for name, own in parts.items()
            if own.size
        ],
    }


def _spread(intervals: np.ndarray, dt_ms: float) -> dict[str, Any]:
    steps = np.rint(intervals / dt_ms)  # whole numbers: the s.d. of equal ones is 0
    mean = float(steps.mean())
    return {"total": intervals.size, "mean_ms": mean * dt_ms, "cv": float(steps.std()) / mean}


def _traces(
    run: Run,
    examples: Mapping[str, Mapping[int, int]],
    arrays: dict[str, np.ndarray],
    damaged: list[DamagedError],
) -> list[dict[str, Any]]:
    """The recorded variables of a few neurons: of each variable their columns and numbers."""
    variables = lines_of(run)
    lines = max(1, sum(min(_EXAMPLES, v.neurons.size) for v in variables.values()))
    most = min(_MOST_SAMPLES, _MOST_IN_ALL // lines)
    panels = []
    for name, variable in variables.items():
        chosen = examples[name]
        values = tried(partial(variable.of, list(chosen)), damaged, None)
        if values is None:
            continue
        every = run.attributes["traces"][name]["every"]
        panel: dict[str, Any] = {
            "name": name,
            "unit": "" if variable.unit == "1" else variable.unit,
            "every_ms": every * run.dt_ms,
            "from_ms": run.start_step // every * every * run.dt_ms,
            # Of each such time a line has the least and the largest value.
            "block_ms": -(-2 * values.shape[0] // most) * every * run.dt_ms
            if values.shape[0] > most
            else None,
            "lines": [],
        }
        for column, neuron in enumerate(chosen.values()):
            sample, value = decimate(np.arange(values.shape[0]), values[:, column], most)
            key = f"{name}/{neuron}"
            with np.errstate(over="ignore"):  # of a run that diverged
                arrays[key] = value.astype(np.float32)
            if sample.size < values.shape[0]:
                arrays[f"{key}/sample"] = sample.astype(np.uint32)
            panel["lines"].append({"neuron": neuron, "name": run.name_of(neuron), "array": key})
        panels.append(panel)
    return panels
