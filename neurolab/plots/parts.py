"""What the pictures of `neurolab.plots.run` are made of: frame, axes, key, lines.

Figures are made without pyplot, which is slow to import and keeps every figure alive.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.numbers import number
from neurolab.plots.colours import COLOURS, GREY, INK, legible
from neurolab.plots.rates import Rate
from neurolab.results.damage import DamagedError
from neurolab.results.layout import replacing
from neurolab.results.population import Population
from neurolab.results.run import Run
from neurolab.results.samples import Samples, samples_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABEL_GAP = 0.068  # between names on an axis, as a part of its length

SIZE, DPI, _LEFT = (8.0, 4.5), 150, 0.115
LONG_LABEL = 12  # characters: more would not fit beside a low panel
_MAX_POINTS = 4000  # per line: more than twice the pixels across
_SECONDS_FROM_MS = 5000.0


def new_figure(title: str, height: float = SIZE[1]) -> Figure:
    """An empty figure with its title."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SIZE[0], height), dpi=DPI, facecolor="white")
    # Fixed margins: automatic layout draws everything twice.
    figure.subplots_adjust(
        left=_LEFT, right=0.965, top=1 - 0.68 / height, bottom=0.58 / height, hspace=0.16
    )
    figure.text(_LEFT, 1 - 0.22 / height, title, fontsize=14, color=INK, va="center", weight="bold")
    return figure


def save(figures: Mapping[str, Figure | None], folder: Path) -> list[Path]:
    """Save the figures that there are under their names; returns their paths."""
    drawn = {folder / f"{name}.png": figure for name, figure in figures.items() if figure}
    for path, figure in drawn.items():
        with replacing(path) as partial:
            figure.savefig(partial, format="png", pil_kwargs={"compress_level": 3})
    return list(drawn)


def _model(run: Run, group: str) -> str:
    """The class of the one model of a group; nothing where there is none."""
    from omegaconf import OmegaConf

    try:
        target = OmegaConf.select(run.config, f"{group}._target_")
    except DamagedError:
        target = None
    return str(target or "").rpartition(".")[2]


def _network(run: Run) -> str:
    """The network that was named, or else the models of its populations; nothing of one alone."""
    if not run.populations:
        return ""
    path = run.path / ".hydra" / "overrides.yaml"
    typed = path.read_text(encoding="utf-8") if path.is_file() else ""
    named: list[str] = re.findall(r"^- ['\"]?\+?network=([\w/]+)['\"]?$", typed, re.MULTILINE)
    models = dict.fromkeys(_model(run, f"populations.{name}.neuron") for name in run.populations)
    return named[-1] if named else " and ".join(filter(None, models))


def title(run: Run) -> str:
    """Which neuron, or network, and input, how many, how active, and what became of a run that was
    not completed."""
    models = [_network(run) or _model(run, "neuron"), _model(run, "input")]
    mean, summary = mean_rate_hz(run), summary_of(run)
    status = summary.get("status", "unfinished")
    partial = summary.get("duration_ms", 0.0) > run.duration_ms * 1.001
    spiking = int(run.firing.sum())
    of = f" of the {spiking} that can fire" if spiking < run.n_neurons else ""
    parts = [
        *models,
        f"N = {number(run.n_neurons)}",
        "" if mean is None else f"mean {number(mean, 3)} Hz{of}",
        f"the first {duration(run.duration_ms)}" if partial else "",
        "" if status == "completed" else str(status),
    ]
    return ", ".join(part for part in parts if part)


def time_axis(ax: Axes, run: Run) -> float:
    """Label the shared time axis; returns what turns ms into its unit."""
    seconds = run.duration_ms > _SECONDS_FROM_MS
    scale = 1e-3 if seconds else 1.0
    ax.set_xlim(run.start_ms * scale, max(run.duration_ms, run.start_ms + run.dt_ms) * scale)
    ax.set_xlabel(f"time ({'s' if seconds else 'ms'})", fontsize=12, color=INK)
    return scale


def named(name: str, unit: str) -> str:
    """A quantity with its unit, if it has one."""
    return name if unit in ("", "1") else f"{name} ({unit})"


def label(ax: Axes, text: str) -> None:
    """The label of the vertical axis, and the looks of both."""
    if len(text) > LONG_LABEL:
        text = text.replace(" (", "\n(")
    ax.set_ylabel(text, fontsize=12 if len(text) <= LONG_LABEL else 10, color=INK)
    ax.tick_params(labelsize=10.5, color=GREY, labelcolor=INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)


def join_below(ax: Axes) -> None:
    """A panel whose time axis is that of the panel below."""
    ax.tick_params(bottom=False)
    ax.spines["bottom"].set_visible(False)


def neuron_axis(ax: Axes, n_neurons: int) -> None:
    """A row for each neuron, whole numbers at the ticks."""
    from matplotlib.ticker import MaxNLocator

    ax.set_ylim(-0.5, n_neurons - 0.5)
    if n_neurons <= 5:
        ax.set_yticks(range(n_neurons))
    else:
        ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 2.5, 5, 10]))


def colours_of(populations: Mapping[str, slice]) -> dict[str, str]:
    """The colour of each population by its name."""
    return dict(zip(populations, itertools.cycle(COLOURS), strict=False))


def labels_of(populations: Mapping[str, slice]) -> dict[str, float]:
    """What each population is called on the axis of neurons, and where: at its middle, or as near
    to that as others leave room."""
    n = max((of.stop for of in populations.values()), default=0)
    gap = min(_LABEL_GAP * n, n / max(len(populations), 1))
    at = [(of.start + of.stop - 1) / 2 for of in populations.values()]
    for k in range(1, len(at)):
        at[k] = max(at[k], at[k - 1] + gap)
    top = n - 0.5
    for k in reversed(range(len(at))):
        at[k] = min(at[k], top - gap / 2 if k == len(at) - 1 else at[k + 1] - gap)
    texts = [f"{name} {of.stop - of.start}" for name, of in populations.items()]
    return dict(zip(texts, at, strict=True))


def bands(ax: Axes, populations: Mapping[str, slice]) -> None:
    """Names of populations in their colours in place of numbers of neurons, and lines between."""
    if not populations:
        return
    labels = labels_of(populations)
    ax.set_yticks(list(labels.values()), list(labels))
    ax.tick_params(axis="y", length=0)
    colours = colours_of(populations)
    for text, (name, of) in zip(ax.get_yticklabels(), populations.items(), strict=True):
        text.set(color=colours[name], fontsize=10.5 * min(1.0, 9.5 / max(map(len, labels))))
        if of.start:
            ax.axhline(of.start - 0.5, color="white", linewidth=1.5)
            ax.axhline(of.start - 0.5, color=GREY, linewidth=0.5)


def draw_steps(
    ax: Axes, rates: Mapping[str, Rate], scale: float, colours: Mapping[str, str], line: float
) -> float:
    """A rate as one filled outline, several as lines so wide in the colours of their populations:
    thousands of bins without thousands of patches. Returns the largest."""
    for name, rate in rates.items():
        look: dict[str, Any] = {"color": colours[name], "linewidth": line}
        look |= {"baseline": None} if name else {"fill": True, "linewidth": 0}
        ax.stairs(rate.hz, rate.edges * scale, **look)
    high = max(float(rate.hz.max()) for rate in rates.values())
    ax.set_ylim(0, 1.08 * high)
    return high


def colour_key(figure: Figure, entries: dict[str, str]) -> None:
    """What colours mean, in these colours, in one line under the title, as large as fits."""
    from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea

    fit = (495 - 16 * len(entries)) / (7.0 * sum(map(len, entries)))
    look = {"fontsize": 11 * min(fit, 1.0), "weight": "normal"}
    texts: list[Artist] = [
        TextArea(name, textprops={"color": legible(colour), **look})
        for name, colour in entries.items()
    ]
    line = HPacker(children=texts, pad=0, sep=16)
    place: dict[str, Any] = {"bbox_to_anchor": (_LEFT, 1 - 0.46 / figure.get_figheight())}
    place |= {"bbox_transform": figure.transFigure, "pad": 0, "borderpad": 0}
    figure.add_artist(AnchoredOffsetbox("center left", child=line, frameon=False, **place))


def say(ax: Axes, text: str) -> None:
    """A text in the middle of an empty panel."""
    ax.text(
        0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=14, color=GREY
    )


def duration(ms: float) -> str:
    """A time in the unit of the time axis."""
    return f"{number(ms / 1000)} s" if ms > _SECONDS_FROM_MS else f"{number(ms)} ms"


def summary_of(run: Run | Population) -> dict[str, Any]:
    """What the summary says; that it is damaged is told where the run is opened."""
    try:
        return run.summary
    except DamagedError:
        return {"status": "damaged"}


def has_spikes(run: Run | Population) -> bool:
    """Whether there are spikes that can be read; that they are damaged is told where they alone are
    shown."""
    try:
        return run.spike_arrays is not None
    except DamagedError:
        return False


def mean_rate_hz(run: Run | Population) -> float | None:
    """Spikes per neuron and second; None when nothing tells them, neurons do not spike, or the run
    diverged."""
    summary = summary_of(run)
    for key in ("rate_hz_mean", "rate_hz"):  # of a run, of a point
        if key in summary:
            return summary[key]
    if summary.get("status") == "diverged":
        return None
    if has_spikes(run) and run.recorded_ms:
        count = run.spike_arrays[0].size  # type: ignore[index]
        return count / (run.firing.sum() * run.recorded_ms * 1e-3)
    bins = run.rate_bins
    return float(bins[0].mean()) if bins is not None and bins[0].size else None


def lines_of(run: Run) -> dict[str, Samples]:
    """The recorded variables that are drawn, potentials first: whole numbers are places in time or
    states of a machine, and lines of them say nothing, where there is anything else."""
    traces = dict(sorted(samples_of(run).items(), key=lambda item: not is_potential(item[0])))
    return {name: values for name, values in traces.items() if values.kind == "f"} or traces


def is_potential(name: str) -> bool:
    """Whether a variable is a membrane potential, of a population or of all neurons."""
    return name.rpartition(".")[2] == "V"


def examples(run: Run, variable: Samples, most: int) -> dict[int, int]:
    """Position -> index of the first neurons recorded, those that spiked before the others; of
    populations as many as there are colours for."""
    most = min(most, max(1, len(COLOURS) // max(1, len(run.populations))))
    neurons = variable.neurons
    silent = np.ones(run.n_neurons, bool)
    if has_spikes(run):
        silent[run.spike_arrays[1]] = False  # type: ignore[index]
    first = np.sort(np.argsort(silent[neurons], kind="stable")[:most])
    return dict(zip(first.tolist(), neurons[first].tolist(), strict=True))


def decimate(
    x: np.ndarray, y: np.ndarray, most: int = _MAX_POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each block of samples, in their order: peaks survive."""
    block = -(-2 * y.size // most)
    if y.size <= most:
        return x, y
    start = np.arange(0, y.size - block + 1, block)
    blocks = y[: start.size * block].reshape(-1, block)
    ends = np.sort(np.stack([blocks.argmin(axis=1), blocks.argmax(axis=1)], axis=1), axis=1)
    keep = np.append((start[:, None] + ends).ravel(), np.arange(start.size * block, y.size))
    return x[keep], y[keep]


def round_down(value: float, digits: int = 1) -> float:
    """A value cut to its first digits."""
    power = 10.0 ** (math.floor(math.log10(value)) + 1 - digits)
    return math.floor(value / power) * power
