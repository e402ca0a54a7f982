"""``python -m neurolab.plot``: figures of a run for a paper, with sizes in mm.

python -m neurolab.plot outputs/2026-01-31/12-00-00 --kind raster,rate --time 0.2s:0.5s
python -m neurolab.plot outputs/2026-01-31/12-00-00-sweep --point 3 --kind trace --neurons 0,4
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurolab.plots.style import COLUMN_MM, HEIGHT_MM, POINTS, paper, save_figure, size_in
from neurolab.results import open_run, open_sweep
from neurolab.results.batches import SweepFolder
from neurolab.results.trains import Trains

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure", "main"]

_TIME = {"raster", "trace", "rate", "stimulus"}
_KINDS = ("raster", "trace", "rate", "stimulus", "isi", "log-isi", "rates", "cv", "psd", "lv",
    "fano", "correlogram", "phases", "sta")  # fmt: skip
_FORMATS = ("pdf", "svg", "png")
_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_HZ = {"Hz": 1.0, "kHz": 1e3}
_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4}


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw what was asked for and print where it is; 2 for what cannot be drawn."""
    parser = _parser()
    typed = parser.parse_args(arguments)
    try:
        trains = _opened(typed.folder, typed.point, typed.population)
        made = figure(
            trains, typed.kind, (typed.width, typed.height), typed.time, typed.neurons,
            typed.variable, typed.points, typed.title, typed.frequency,
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
    from matplotlib.figure import Figure

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


def _opened(folder: Path, point: int | None, population: str | None) -> Trains:
    """What is drawn.

    Raises
    ------
    ValueError, KeyError, FileNotFoundError
        There is no such folder, point or population.
    """
    if SweepFolder(folder).exists:
        if point is None:
            raise ValueError(f"{folder} is a sweep: say which of its points, --point 0")
        run: Any = open_sweep(folder)[point]
    elif point is not None:
        raise ValueError(f"--point {point}: {folder} is no sweep")
    else:
        run = open_run(folder)
    return run[population] if population else run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m neurolab.plot",
        description="Figures of a run for a paper: letters of 7 points, fonts in the file.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("folder", type=Path, help="of a run, or of a sweep with --point")
    add("--kind", type=_among(_KINDS), default=["raster"], help=f"of {', '.join(_KINDS)}; several"
        " with commas are below one another")  # fmt: skip
    add("--time", type=_window, help="from and until when: 0.2s:0.5s")
    add("--neurons", type=_numbers, help="which: 0:50, or 3,17,4; of traces three, if not given")
    add("--variable", type=lambda text: text.split(","), help="for trace and sta; all, if not"
        " given")  # fmt: skip
    add("--frequency", type=lambda text: _measure(text, _HZ), help="for phases: 40Hz")
    add("--population", help="one of a network's")
    add("--point", type=int, help="of a sweep")
    add("--width", type=_length, default=COLUMN_MM, help="85mm, 3.3in")
    add("--height", type=_length, help="50 mm, and 25 for each further panel, if not given")
    add("--points", type=float, default=POINTS, help="size of letters")
    add("--title", default="", help="above the figure")
    add("--format", type=_among(_FORMATS), default=["pdf"], help=", ".join(_FORMATS))
    add("--output", type=Path, help="a folder for the figures; that of the run, if not given")
    return parser


def _among(known: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        found = text.split(",")
        if other := [one for one in found if one not in known]:
            raise argparse.ArgumentTypeError(f"{other[0]!r} is none of {', '.join(known)}")
        return found

    return read


def _measure(text: str, units: Mapping[str, float]) -> float:
    found = re.fullmatch(r"([0-9.eE+-]+) ?([A-Za-z]+)", text)
    try:
        return float(found[1]) * units[found[2]]  # type: ignore[index]
    except (TypeError, ValueError, KeyError):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give a number with one of {', '.join(units)}"
        ) from None


def _length(text: str) -> float:
    if not 10 <= (found := _measure(text, _MM)) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 10 mm and 1 m")
    return found


def _window(text: str) -> tuple[float, float]:
    begin, colon, end = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r}: from and until, as 0.2s:0.5s")
    return _measure(begin, _MS), _measure(end, _MS)


def _numbers(text: str) -> list[int]:
    try:
        if ":" in text:
            begin, end = map(int, text.split(":"))
            return list(range(begin, end))
        return [int(one) for one in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: neurons as 0:50, or 3,17,4") from None


if __name__ == "__main__":
    sys.exit(main())
