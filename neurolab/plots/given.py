"""What neurons were given, beside what they did: the stimulus, when it was there, their levels."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from neurolab.numbers import number
from neurolab.plots import parts
from neurolab.plots.colours import GREY, INK, SHADE
from neurolab.results.damage import DamagedError
from neurolab.results.run import Run
from neurolab.results.stimulus import Stimulus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Given", "given_to"]

log = logging.getLogger("neurolab")

#: Of a panel's height: levels that are nearer to one another share a line of text.
_NEAR = 0.09
#: Where panels end that have levels, so that their names have room.
_RIGHT = 0.94


@dataclass(frozen=True)
class Given:
    """What the populations of a run were given, by their names."""

    run: Run
    of: Mapping[str, Stimulus]

    @property
    def units(self) -> list[str]:
        """Of the currents that vary: each has a panel."""
        return list(dict.fromkeys(one.unit for one in self.of.values() if one.varies))

    @property
    def _common(self) -> bool:
        """Whether all populations have the same."""
        first, *others = [*self.of.values()] or [Stimulus()]
        return all(replace(one, levels=first.levels) == first for one in others)

    def draw(self, axes: Sequence[Axes], scale: float) -> None:
        """The currents that vary, those of each unit on axes of their own."""
        colours = parts.colours_of(self.run.populations)
        for ax, unit in zip(axes, self.units, strict=True):
            lines = {name: one for name, one in self.of.items() if one.varies and one.unit == unit}
            if self._common:
                lines = dict([*lines.items()][:1])
            for name, one in lines.items():
                time, value = one.line(self.run.dt_ms)
                ink = INK if self._common else colours.get(name, INK)
                ax.plot(time * scale, value, color=ink, linewidth=1.2)
            parts.label(ax, "")
            ax.set_ylabel(f"input\n({unit})" if unit else "input", fontsize=10, color=INK)
            ax.locator_params(axis="y", nbins=3)

    def shade(self, axes: Sequence[Axes], scale: float) -> None:
        """The times in which it is not at its baseline, behind all panels."""
        epochs = {
            epoch for one in self.of.values() if one.varies for epoch in one.epochs(self.run.dt_ms)
        }
        for ax in axes:
            for begin, end in sorted(epochs):
                ax.axvspan(begin * scale, end * scale, color=SHADE, linewidth=0, zorder=0)

    def levels(
        self, ax: Axes, variable: str, low: float, high: float, more: Mapping[str, float]
    ) -> tuple[float, float]:
        """Thresholds and resets of a population, as dashed lines, where its potential ``E.V`` is
        from ``low`` to ``high``; what is then shown, from and to.  Those that are far from it are
        left out, unless it is constant: they are what it can be compared with."""
        name, _, own = variable.rpartition(".")
        levels = {**self.of[name].levels, **more} if own == "V" and name in self.of else {}
        margin = 0.3 * (high - low) if high > low else float("inf")
        there = {k: v for k, v in levels.items() if low - margin <= v <= high + margin}
        low, high = min([low, *there.values()]), max([high, *there.values()])
        written: list[float] = []
        for value in sorted(set(there.values()), reverse=True):
            ax.axhline(value, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
            if all(at - value > _NEAR * (high - low) for at in written):
                written.append(value)
                text = "\n".join(_typeset(key) for key, at in there.items() if at == value)
                place: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "clip_on": False}
                ax.figure.subplots_adjust(right=_RIGHT)  # that there is room for them
                ax.text(1.004, value, text, fontsize=8, color=GREY, va="center", **place)
        return low, high

    def told(self) -> dict[str, str]:
        """What is said of it in the key: currents that stay as they are, what comes beside them,
        and whose they are."""
        colours, found = parts.colours_of(self.run.populations), dict[str, str]()
        given = {name: one for name, one in self.of.items() if one.value}
        for name, one in [*given.items()][: 1 if self._common else None]:
            more = (
                "" if one.alone else "without spikes and noise",
                "of neuron 0" * one.first_neuron,
            )
            told = ["" if self._common or not name else f"to {name}", *more]
            constant = [] if one.varies else [f"{number(one.value[0])} {one.unit}"]
            if constant or any(more):
                text = " ".join(filter(None, ["input", *told, *constant]))
                found[text.strip()] = GREY if self._common else colours.get(name, GREY)
        return found


def given_to(run: Run) -> Given:
    """What the neurons of a run were given; that it is damaged is told, and it is left out."""
    try:
        found = run.stimuli
    except DamagedError as error:
        log.error("the stimulus is left out: %s", error)
        found = {}
    return Given(run, found)


def _typeset(name: str) -> str:
    """``V_th`` with an index."""
    letter, _, index = name.partition("_")
    return f"${letter}_{{\\mathrm{{{index}}}}}$" if index else letter
