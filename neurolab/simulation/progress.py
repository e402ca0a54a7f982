"""The progress of a run or a sweep on a terminal, and the table at its end; silent elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from neurolab.numbers import number

__all__ = ["Bar", "in_words", "places", "print_rows", "print_summary"]


class Bar(Progress):
    """One bar, a text beside it, and the time left."""

    def __init__(self, total: int, done: int = 0) -> None:
        console = Console(stderr=True)
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal or console.is_jupyter,  # which needs ipywidgets
            transient=True,
        )
        self._task = self.add_task("compiling", total=total, completed=done, text="")

    def show(self, done: float, text: str) -> None:
        """So much of the total is done."""
        self.update(self._task, description="simulating", completed=done, text=text)


def in_words(facts: Mapping[str, float]) -> str:
    """How far a run is, and how fast."""
    return (
        f"{_time(facts['simulated_ms'])} of {_time(facts['duration_ms'])}  "
        f"{facts['x_real_time']:.3g}x real time  {facts['neuron_updates_per_s']:.2g} updates/s"
    )


def print_summary(summary: Mapping[str, Any], folder: Path) -> None:
    """The table at the end of a run."""
    status = summary["status"]
    colour = {"completed": "green", "interrupted": "yellow"}.get(status, "red")
    note = f"  {escape(summary['message'])}" if summary.get("message") else ""
    size = summary["n_neurons"]
    rows = {
        "status": f"[{colour}]{status}[/]{note}",
        "simulated": f"{size} neuron{'s' * (size != 1)}, {_time(summary['duration_ms'])}",
    }
    if summary.get("rate_hz_mean") is not None:
        rate, spread = summary["rate_hz_mean"], summary["rate_hz_std"]
        cv, some = summary["isi_cv_mean"], summary.get("n_spiking", "")
        over = f"{some} neurons that spike" if some else "neurons"
        rows |= {
            "rate": f"{rate:.2f} Hz (s.d. over {over} {spread:.2f})",
            "ISI CV": "-" if cv is None else f"{cv:.2f}",
        }
    for name, of in (summary.get("populations") or {}).items():
        rate, cv = of["rate_hz_mean"], of["isi_cv_mean"]
        rows[name] = f"{of['n_neurons']} neurons"
        rows[name] += "" if rate is None else f", {rate:.2f} Hz (s.d. {of['rate_hz_std']:.2f})"
        rows[name] += "" if cv is None else f", ISI CV {cv:.2f}"
    told = {"": summary, **(summary.get("populations") or {})}
    for name, of in told.items():  # what record.summary asks for
        asked = [key for key in of if f"{key}_unit" in of and key != "rheobase"]
        rows |= {
            f"{name}.{key}".strip("."): f"{number(of[key])} {of[f'{key}_unit']}".removesuffix(" 1")
            for key in asked
            if of[key] is not None
        }
    if summary.get("spike_count") is not None:
        rows["spikes"] = f"{summary['spike_count']:,}"
    if summary.get("rheobase") is not None:
        spread = f" (s.d. {number(summary['rheobase_std'])})" if summary["rheobase_std"] else ""
        rows["1 rheobase"] = f"{number(summary['rheobase'])} {summary['rheobase_unit']}{spread}"
    speed = summary["neuron_updates_per_s"]
    rows |= {
        "time": f"{summary['wall_s']:.2f} s, of which compiling {summary['compile_s']:.2f} s",
        "speed": f"{speed:.3g} neuron-updates/s while computing, on {summary['device']}",
        **places(folder),
    }
    print_rows(Console(), rows)


def print_rows(console: Console, rows: Mapping[str, str]) -> None:
    """Names and values, a line each; long values are not cut, as paths are there to be copied."""
    width = max(map(len, rows)) + 2
    for name, value in rows.items():
        console.print(f"[dim]{name:{width}}[/]{value}", soft_wrap=True, highlight=False)


def places(folder: Path) -> dict[str, str]:
    """Where the results of a run or a sweep are, and its page."""
    return {"folder": escape(str(folder)), "report": escape(str(folder / "report.html"))}


def _time(ms: float) -> str:
    return f"{number(ms / 1000)} s" if ms >= 1000 else f"{number(ms)} ms"
