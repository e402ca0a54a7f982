"""Panels over time: spikes, recorded variables, the rate, and one variable against another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.plots.colours import BLUE, COLOURS, INK
from neurolab.plots.parts import colours_of, decimate, named
from neurolab.plots.planes import apart, draw_nullclines
from neurolab.plots.rates import ACROSS, rate_of
from neurolab.plots.style import column, filled, tidy, whole_numbers
from neurolab.results.trains import Trains

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OverTime"]

#: Neurons that are drawn of a trace where none are named.
_EXAMPLES = 3
#: Rows of a raster above which spikes are dots, and spikes above which a vector file has an image.
_MOST_ROWS, _MOST_MARKS = 200, 20_000
#: Letters that have room beside a low panel.
LONG = 12
#: Rows that are named where neurons are in no order.
_MOST_NAMES = 12


class OverTime:
    """Panels that have time as an axis, or go on with it; see `neurolab.plots.panels`."""

    def __init__(self, trains: Trains) -> None:
        self._of = trains

    def raster(
        self,
        ax: Axes | None = None,
        *,
        time: tuple[float, float] | None = None,
        neurons: Sequence[int] | None = None,
        **look: Any,
    ) -> Axes:
        """A mark for each spike, over time and neuron; ``look`` is of the marks, as ``color``.

        Raises
        ------
        ValueError
            Spikes were not recorded, or there is no such time or neuron.
        """
        begin, end = self._window(time)
        rows, first, labels = self._rows(neurons)
        trains, populations = self._of.spike_trains(), getattr(self._of, "populations", {})
        inks = colours_of(populations) or {"": INK}
        ax = column(ax)
        middles = {}
        for name, of in (populations or {"": slice(0, self._of.n_neurons)}).items():
            own = [k for k, one in enumerate(rows) if of.start <= one < of.stop]
            if not own:
                continue
            spikes = [(t := trains[rows[k]])[(begin < t) & (t <= end)] for k in own]
            y = np.repeat(np.array(own) + first, [one.size for one in spikes])
            _marks(ax, np.concatenate(spikes), y, len(rows), {"color": inks[name]} | look)
            middles[name] = float(np.mean(own)) + first
        ax.set_xlim(begin, end)
        ax.set_ylim(first - 0.5, first + len(rows) - 0.5)
        ax.set(xlabel="time (ms)", ylabel=self._of.member)
        if len(middles) > 1 and not labels:
            ax.set_yticks(list(middles.values()), list(middles))
            ax.tick_params(axis="y", length=0)
            ax.set_ylabel("")
        elif labels is not None:
            ax.set_yticks(range(len(labels)), labels)
        else:
            whole_numbers(ax.yaxis)
        return tidy(ax)

    def trace(
        self,
        name: str = "V",
        ax: Axes | None = None,
        *,
        time: tuple[float, float] | None = None,
        neurons: Sequence[int] | None = None,
        spikes: bool = True,
        **look: Any,
    ) -> Axes:
        """A recorded variable over time, a line for each neuron (three, where none are named); of a
        potential ``V`` with a tick above it for each of its spikes.

        Raises
        ------
        KeyError
            It was not recorded; it says what was.
        ValueError
            There is no such time, or a neuron was not recorded.
        """
        begin, end = self._window(time)
        t, values, label = self._samples(name, neurons)
        inside = (begin < t) & (t <= end)
        fires = spikes and name.rpartition(".")[2] == "V" and self._of.spike_arrays is not None
        trains = self._of.spike_trains() if fires else []
        ax = column(ax)
        for k, (neuron, line) in enumerate(values.items()):
            style: dict[str, Any] = {
                "color": COLOURS[k % len(COLOURS)],
                "label": f"{self._of.member} {neuron}",
            }
            ax.plot(*decimate(t[inside], line[inside]), **(style | look))
            for own in trains[neuron : neuron + 1]:
                low = 1.03 + 0.09 * (len(values) - 1 - k)  # the first is the highest, as in a key
                where: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
                at = own[(begin < own) & (own <= end)]
                ax.vlines(at, low, low + 0.06, color=style["color"], linewidth=0.8, **where)
        ax.set_xlim(begin, end)
        ax.set(xlabel="time (ms)", ylabel=label)
        return tidy(ax)

    def rate(
        self,
        ax: Axes | None = None,
        *,
        time: tuple[float, float] | None = None,
        bin_ms: float | None = None,
        **look: Any,
    ) -> Axes:
        """The population rate over time, in bins of about ``bin_ms``, or as suits the spikes.

        Raises
        ------
        ValueError
            Neither spikes nor a rate were recorded, or there is no such time.
        """
        begin, end = self._window(time)
        found = rate_of(self._of)
        if found is None:
            raise ValueError("neither spikes nor the rate were recorded: record=spikes has both")
        if found.bin_ms is not None:
            found = found.grouped(bin_ms or max(found.least_ms, (end - begin) / ACROSS))
        ax = column(ax)
        filled(ax, found.hz, found.edges, BLUE, look)
        shown = (found.edges[1:] > begin) & (found.edges[:-1] < end)
        high = float(found.hz[shown].max(initial=0.0))
        ax.set_xlim(begin, end)
        ax.set_ylim(0, 1.08 * high or 1.0)
        ax.set(xlabel="time (ms)", ylabel="rate (Hz)")
        return tidy(ax)

    def stimulus(
        self, ax: Axes | None = None, *, time: tuple[float, float] | None = None, **look: Any
    ) -> Axes:
        """The current that signals brought, a line for each population that it varies for.

        Raises
        ------
        ValueError
            There was none, it was not kept (of runs in memory, of points; ``record.variables`` can
            name the input), units differ, or there is no such time.
        """
        begin, end = self._window(time)
        given = {name: one for name, one in self._of.stimuli.items() if one.value}
        units = {one.unit for one in given.values()}
        if len(units) != 1:
            what = f"there are {' and '.join(sorted(units))}; take one population"
            if not units and self._of.stimuli:
                what = "spikes or noise came, and no signal (rate and raster show what they did)"
            elif not units:
                what = "none was kept (record.variables=[V,input] records it, of points too)"
            raise ValueError(f"a stimulus is a current, of one unit: {what}")
        ax, inks = column(ax), colours_of(getattr(self._of, "populations", {}))
        for name, one in given.items():
            at, value = one.line(self._of.dt_ms)
            ax.plot(at, value, **({"color": inks.get(name, INK), "label": name or None} | look))
        ax.set_xlim(begin, end)
        ax.set(xlabel="time (ms)", ylabel=named("input", units.pop()))
        return tidy(ax)

    def phase(
        self,
        x: str = "V",
        y: str = "w",
        ax: Axes | None = None,
        *,
        time: tuple[float, float] | None = None,
        neuron: int | None = None,
        plane: Any = None,
        **look: Any,
    ) -> Axes:
        """One recorded variable of a neuron against another, as both go on; with a ``plane``, as
        `neurolab.neurons.phase_plane.phase_plane` computes it, its nullclines, dashed, and fixed
        points, filled where they are stable.  The line goes on anew after each reset."""
        begin, end = self._window(time)
        both = [self._samples(name, None if neuron is None else [neuron]) for name in (x, y)]
        (t, one, of_x), (other_t, other, of_y) = both
        if not np.array_equal(t, other_t):
            raise ValueError(f"{x} and {y} were recorded at other times")
        inside = (begin < t) & (t <= end)
        ax = column(ax)
        (which,) = [*one][:1]
        lines = apart(
            t[inside], self._spikes_of(which), *(of[which][inside] for of in (one, other))
        )
        style: dict[str, Any] = {"color": BLUE}
        ax.plot(*lines, **(style | look))
        if plane is not None:
            names, units = [*plane.units], (self._unit(x), self._unit(y))
            if names != [x, y]:
                there = ", ".join(names)
                raise ValueError(f"the plane is of {there}; got {x}, {y}, which are drawn")
            plane = plane.to(dict(zip(names, units, strict=True)))
            draw_nullclines(ax, plane, (x, y), lines)
        ax.set(xlabel=of_x, ylabel=of_y)
        return tidy(ax)

    def _unit(self, name: str) -> str:
        """In which a recorded variable is; 1 where it has none."""
        return str(self._of.traces[name].attrs.get("units", "") or "1")

    def _window(self, time: tuple[float, float] | None) -> tuple[float, float]:
        first, lasts_ms = self._of.start_ms, self._of.duration_ms
        begin, end = (first, lasts_ms) if time is None else map(float, time)
        if not (first <= begin < end and begin < lasts_ms):
            there = f"{first:g} to {lasts_ms:g}" if first else f"{lasts_ms:g}"
            raise ValueError(f"time is from and until when in ms, of {there}; got {time}")
        return begin, min(end, lasts_ms)

    def _rows(self, neurons: Sequence[int] | None) -> tuple[list[int], int, list[str] | None]:
        """Which neurons are drawn from below to above, what the first row is called, and the names
        of all rows where they are not numbered on, none if they are too many."""
        n = self._of.n_neurons
        rows = list(range(n)) if neurons is None else [int(one) for one in neurons]
        if not rows or (other := [one for one in rows if not 0 <= one < n]):
            wrong = other[0] if rows else "none"
            raise ValueError(f"neurons are 0 to {n - 1}; got {wrong}")
        if rows == list(range(rows[0], rows[0] + len(rows))):
            return rows, rows[0], None
        return rows, 0, [str(one) for one in rows] if len(rows) <= _MOST_NAMES else []

    def _spikes_of(self, neuron: int) -> np.ndarray:
        """When a neuron spiked, in ms; never, as far as is known, if spikes were not recorded."""
        if self._of.spike_arrays is None:
            return np.zeros(0)
        time, who = self._of.spike_arrays
        found: np.ndarray = time[who == neuron]
        return found

    def _samples(
        self, name: str, neurons: Sequence[int] | None
    ) -> tuple[np.ndarray, dict[int, np.ndarray], str]:
        """Times in ms, the samples of each neuron, and what the variable is called."""
        traces = self._of.traces
        if name not in traces:
            there = ", ".join(map(str, traces.data_vars)) or "none: record.variables=[V]"
            raise KeyError(f"no recorded variable {name!r}; there are: {there}")
        data = traces[name]
        known = data[data.dims[1]].values.tolist()
        chosen = known[:_EXAMPLES] if neurons is None else [int(one) for one in neurons]
        if missing := [one for one in chosen if one not in known]:
            kept = f"{known[:8]}{'..' * (len(known) > 8)}"
            raise ValueError(f"{name} of neuron {missing[0]} was not recorded; of {kept} it was")
        values = {one: data.values[:, known.index(one)].astype(float) for one in chosen}
        label = named(name, str(data.attrs.get("units", "")))
        label = label.replace(" (", "\n(") if len(label) > LONG else label
        return data["time"].values, values, label


def _marks(ax: Axes, x: np.ndarray, y: np.ndarray, n_rows: int, look: Any) -> None:
    """Lines as high as a row, or dots where rows are too many; of very many an image."""
    dense: dict[str, Any] = {"rasterized": x.size > _MOST_MARKS}
    if n_rows > _MOST_ROWS:
        style: dict[str, Any] = {
            "marker": ".",
            "markersize": 1.2,
            "markeredgewidth": 0,
            "linestyle": "none",
        }
        ax.plot(x, y, **(style | dense | look))
    else:
        ax.vlines(x, y - 0.4, y + 0.4, **(dense | {"linewidth": 0.7} | look))
