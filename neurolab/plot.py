"""``python -m neurolab.plot``: figures of a run or a sweep for a paper, with sizes in mm.

python -m neurolab.plot outputs/2026-01-31/12-00-00 --kind raster,rate --time 0.2s:0.5s
python -m neurolab.plot outputs/2026-01-31/12-00-00-sweep --point 3 --kind trace --neurons 0,4
python -m neurolab.plot outputs/2026-01-31/12-00-00-sweep --kind map --x b --y rate --where tau=10
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurolab.plots.style import COLUMN_MM, HEIGHT_MM, POINTS, paper, save_figure, size_in
from neurolab.plots.typed import OF_SWEEPS, parser
from neurolab.results import open_run, open_sweep
from neurolab.results.batches import SweepFolder
from neurolab.results.sweep import Sweep
from neurolab.results.trains import Trains

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure", "main", "sweep_figure"]

_TIME = {"raster", "trace", "rate", "stimulus"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw what was asked for and print where it is; 2 for what cannot be drawn."""
    typed = parser().parse_args(arguments)
    try:
        size = (typed.width, typed.height)
        if set(typed.kind) & set(OF_SWEEPS):
            made = sweep_figure(
                _sweep(typed.folder, typed.kind, typed.point), typed.kind, size, typed.value,
                typed.x, typed.y, dict(typed.where or ()), typed.points, typed.title,
            )  # fmt: skip
        else:
            trains = _opened(typed.folder, typed.point, typed.population)
            made = figure(
                trains, typed.kind, size, typed.time, typed.neurons, typed.variable, typed.points,
                typed.title, typed.frequency,
            )  # fmt: skip
    except (ValueError, KeyError, FileNotFoundError) as error:
        print(f"neurolab.plot: {error.args[0]}", file=sys.stderr)
        return 2
    name = "_".join([*typed.kind, *([typed.population] if typed.population else [])])
    name += "" if typed.point is None else f"_{typed.point}"
    for form in typed.format:
        path = (typed.output or typed.folder) / f"{name}.{form}"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_figure(made, path, typed.points)
        print(path)
    return 0


def figure(
    trains: Trains,
    kinds: Sequence[str],
    size_mm: tuple[float, float | None] = (COLUMN_MM, None),
    time: tuple[float, float] | None = None,
    neurons: Sequence[int] | None = None,
    variables: Sequence[str] | None = None,
    points: float = POINTS,
    title: str = "",
    frequency_hz: float | None = None,
) -> Figure:
    """Panels below one another, those over time with one axis of it.

    Parameters
    ----------
    size_mm
        Width and height; that of one panel is 50 mm, and each further one adds 25, if not given.
    time
        From and until when, in ms; statistics are of all that was recorded.
    neurons
        Which; statistics are of all.
    variables
        Those that ``trace`` and ``sta`` draw, a panel for each; all that were recorded, if not
        given.
    frequency_hz
        That of ``phases``.

    Raises
    ------
    ValueError, KeyError
        What cannot be drawn, or has no room.
    """
    of = trains.plot
    over: dict[str, Any] = {"time": time}
    drawn: dict[str, Callable[[Axes], Any]] = {
        "raster": lambda ax: of.raster(ax, neurons=neurons, **over),
        "rate": lambda ax: of.rate(ax, **over),
        "stimulus": lambda ax: of.stimulus(ax, **over),
        "log-isi": lambda ax: of.isi(ax, log=True),
        "isi": of.isi, "rates": of.rates, "cv": of.cv, "psd": of.psd, "lv": of.lv,
        "fano": of.fano, "correlogram": of.correlogram,
    }  # fmt: skip
    panels: list[tuple[str, Callable[[Axes], Any]]] = []
    for kind in kinds:
        if kind == "trace":
            names = variables or _recorded(trains)
            panels += [(kind, partial(of.trace, name, neurons=neurons, **over)) for name in names]
        elif kind == "sta":
            panels += [(kind, partial(of.sta, name)) for name in variables or _recorded(trains)]
        elif kind == "phases":
            if frequency_hz is None:
                raise ValueError("phases are of a frequency: --frequency 40Hz")
            panels.append((kind, partial(of.phases, frequency_hz)))
        else:
            panels.append((kind, drawn[kind]))
    return _arranged(panels, size_mm, points, title)


def sweep_figure(
    sweep: Sweep,
    kinds: Sequence[str],
    size_mm: tuple[float, float | None] = (COLUMN_MM, None),
    value: str = "rate_hz",
    x: str | None = None,
    y: str | None = None,
    where: Mapping[str, Any] | None = None,
    points: float = POINTS,
    title: str = "",
) -> Figure:
    """Panels of a sweep below one another: `neurolab.plots.panels_sweep`.

    Parameters
    ----------
    x, y
        The keys of the axes of ``lines``, where the second is that of the lines, and ``map``.
    where
        The values of keys that have no place there.

    Raises
    ------
    ValueError, KeyError
        What cannot be drawn, or has no room.
    """
    of = sweep.plot
    drawn: dict[str, Callable[[Axes], Any]] = {
        "lines": lambda ax: of.lines(value, ax, x=x, by=y, where=where),
        "map": lambda ax: of.map(value, ax, x=x, y=y, where=where, contours=True),
        "importance": lambda ax: of.importance(value, ax),
        "parallel": lambda ax: of.parallel(value, ax),
    }
    return _arranged([(kind, drawn[kind]) for kind in kinds], size_mm, points, title)


def _arranged(
    panels: Sequence[tuple[str, Callable[[Axes], Any]]],
    size_mm: tuple[float, float | None],
    points: float,
    title: str,
) -> Figure:
    """
    Raises
    ------
    ValueError
        There is no room.
    """
    from matplotlib.figure import Figure

    width_mm, height_mm = size_mm
    height_mm = height_mm or HEIGHT_MM * (1 + len(panels)) / 2
    with paper(points):
        made = Figure(figsize=size_in(width_mm, height_mm))
        axes = made.subplots(len(panels), 1, squeeze=False)[:, 0]
        for ax, (_, draw) in zip(axes, panels, strict=True):
            draw(ax)
        for ax, below, (kind, _), (next_kind, _) in zip(
            axes, axes[1:], panels, panels[1:], strict=False
        ):
            if {kind, next_kind} <= _TIME:
                ax.sharex(below)
                ax.tick_params(labelbottom=False)
                ax.set_xlabel("")
        if title:
            made.suptitle(title)
        made.align_ylabels(list(axes))
        try:
            with warnings.catch_warnings(action="error", category=UserWarning):
                made.draw_without_rendering()
        except UserWarning:
            size = f"{width_mm:g} mm x {height_mm:g} mm"
            raise ValueError(f"{len(panels)} panels have no room in {size}: a larger one") from None
    return made


def _recorded(trains: Trains) -> list[str]:
    data = trains.traces.data_vars
    # Whole numbers are places in time, of which lines say nothing.
    found = [str(name) for name, values in data.items() if values.dtype.kind == "f"]
    if not found:
        raise ValueError("no variable was recorded: record.variables=[V], or record=full")
    return sorted(found, key=lambda name: name.rpartition(".")[2] != "V")


def _sweep(folder: Path, kinds: Sequence[str], point: int | None) -> Sweep:
    """
    Raises
    ------
    ValueError, FileNotFoundError
        There is no sweep, or a point of one was asked for, or other kinds too.
    """
    if others := set(kinds) - set(OF_SWEEPS):
        raise ValueError(f"{', '.join(sorted(others))}: of a run; {', '.join(OF_SWEEPS)} are of a"
            " sweep, in a figure of their own")  # fmt: skip
    if point is not None:
        raise ValueError(f"--point {point}: {', '.join(kinds)} are of a whole sweep")
    if not SweepFolder(folder).exists:
        raise ValueError(f"{', '.join(kinds)}: of a whole sweep; {folder} is none")
    return open_sweep(folder)


def _opened(folder: Path, point: int | None, population: str | None) -> Trains:
    """What is drawn.

    Raises
    ------
    ValueError, KeyError, FileNotFoundError
        There is no such folder, point or population.
    """
    if SweepFolder(folder).exists:
        if point is None:
            raise ValueError(f"{folder} is a sweep: say which of its points, --point 0, or ask for"
                f" {', '.join(OF_SWEEPS)}")  # fmt: skip
        run: Any = open_sweep(folder)[point]
    elif point is not None:
        raise ValueError(f"--point {point}: {folder} is no sweep")
    else:
        run = open_run(folder)
    return run[population] if population else run


if __name__ == "__main__":
    sys.exit(main())
