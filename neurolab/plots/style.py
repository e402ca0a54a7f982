"""How figures for papers look: sizes in mm, letters of 7 points, fonts that are in the file."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.numbers import number
from neurolab.plots.colours import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "column",
    "filled",
    "logarithmic",
    "paper",
    "save_figure",
    "size_in",
    "tidy",
    "whole_numbers",
]

_MM_PER_INCH = 25.4
#: A column of most journals, and a panel that is read well in it.
COLUMN_MM, HEIGHT_MM = 85.0, 50.0
POINTS = 7.0
#: Of an axis that has room for ticks between its decades, from end to end.
_FEW_DECADES = 500
#: Dots per inch of what is no vector.
_DPI = 600


def look(points: float = POINTS) -> Any:
    """Settings of matplotlib (`rcParams`) of a figure for a paper.

    Fonts are kept as TrueType (42), which journals take and programs can edit; matplotlib makes
    Type 3 of them.
    """
    from matplotlib.rcsetup import cycler

    sizes = ("font.size", "axes.labelsize", "axes.titlesize", "xtick.labelsize", "ytick.labelsize",
        "legend.fontsize", "figure.titlesize")  # fmt: skip
    found: dict[str, Any] = dict.fromkeys(sizes, points)
    found |= dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.5)
    found |= dict.fromkeys(("xtick.minor.width", "ytick.minor.width"), 0.4)
    found |= dict.fromkeys(("xtick.major.size", "ytick.major.size"), 2.5)
    found |= dict.fromkeys(("xtick.minor.size", "ytick.minor.size"), 1.5)
    found |= dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False)
    return found | {
        "lines.linewidth": 0.8,
        "axes.prop_cycle": cycler(color=COLOURS),
        "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "none",
        "savefig.dpi": _DPI,
        "figure.constrained_layout.use": True,
    }


@contextmanager
def paper(points: float = POINTS) -> Iterator[None]:
    """Figures that are made, and saved, within look as in a paper, with letters of so many points.

    with neurolab.plots.paper():
        figure, ax = plt.subplots(figsize=neurolab.plots.size_in(85, 40))
        run.plot.raster(ax)
        figure.savefig("raster.pdf")
    """
    import matplotlib as mpl

    with mpl.rc_context(look(points)):
        yield


def size_in(width_mm: float = COLUMN_MM, height_mm: float = HEIGHT_MM) -> tuple[float, float]:
    """A size in inches, as matplotlib takes it."""
    return width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH


def column(ax: Axes | None) -> Axes:
    """The axes that were given, or those of a new figure as wide as a column."""
    if ax is not None:
        return ax
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with paper():
        if shows := _shown_by():
            figure = shows(figsize=size_in(), dpi=200)
        else:
            figure = Figure(figsize=size_in(), dpi=200)
            FigureCanvasAgg(figure)
        found: Axes = figure.subplots()
    return found


def _shown_by() -> Callable[..., Figure] | None:
    """What makes figures that are shown: pyplot's, of who uses it, or has a notebook; elsewhere it
    would keep each of them alive."""
    ipython = sys.modules.get("IPython")
    if "matplotlib.pyplot" in sys.modules or (ipython is not None and ipython.get_ipython()):
        from matplotlib import pyplot

        return pyplot.figure
    return None


def tidy(ax: Axes) -> Axes:
    """Without the lines above and to the right."""
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def filled(ax: Axes, values: np.ndarray, edges: np.ndarray, color: str, looks: Any) -> None:
    """Bins as one outline, filled."""
    style: dict[str, Any] = {"fill": True, "color": color}
    ax.stairs(values, edges, **(style | looks))


def whole_numbers(axis: Axis) -> None:
    """Ticks at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 2.5, 5, 10]))


def logarithmic(ax: Axes, of: str) -> None:
    """A logarithmic axis, ``x`` or ``y``, with 20, 50 and 100 written so; of what has no positive
    value it stays linear."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if not np.isfinite(ax.dataLim.minposx if of == "x" else ax.dataLim.minposy):
        return
    ax.set(**{f"{of}scale": "log"})
    axis = ax.xaxis if of == "x" else ax.yaxis
    low, high = axis.get_view_interval()
    subs = (1.0, 2.0, 5.0) if high < _FEW_DECADES * low else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())


def save_figure(figure: Figure, path: Path, points: float = POINTS) -> None:
    """Save a figure in the format that its name says; its fonts are in the file."""
    with paper(points):
        if path.suffix != ".svg":
            figure.savefig(path)
            return
        text = io.StringIO()
        figure.savefig(text, format="svg")
    path.write_text(with_font(text.getvalue()))


def with_font(svg: str) -> str:
    """A picture that holds the letters it needs of its font, as TrueType."""
    import matplotlib as mpl
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from matplotlib.font_manager import FontProperties, findfont

    with mpl.rc_context(look()):
        font = TTFont(findfont(FontProperties(family=["sans-serif"])))
    letters = set("".join(re.findall(r">([^<>]+)</(?:text|tspan)>", svg)))
    subsetter = Subsetter(
        Options(notdef_outline=True, drop_tables=[*Options().drop_tables, "FFTM"])
    )
    subsetter.populate(text="".join(letters) + " ")
    subsetter.subset(font)
    name = font["name"].getDebugName(1)
    kept = io.BytesIO()
    font.save(kept)
    data = base64.b64encode(kept.getvalue()).decode()
    face = f"@font-face{{font-family:'{name}';src:url(data:font/ttf;base64,{data})}}"
    return svg.replace("<defs>", f"<defs><style>{face}</style>", 1)
