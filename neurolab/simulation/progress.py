"""The progress of a run on a terminal, and the table at its end; silent elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

__all__ = ["Progress", "places", "print_rows", "print_summary"]


class Progress:
    """A bar with simulated time, speed relative to real time, neuron-updates/s and ETA."""

    def __init__(self, n_steps: int, dt_ms: float, size: int) -> None:
        self.n_steps, self.dt_ms, self.size = n_steps, dt_ms, size
        console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("simulating", total=n_steps, told="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """What is happening before the first step."""
        self._bar.update(self._task, description=text)

    def update(self, done: int, speed: float) -> None:
        """``done`` steps so far, at ``speed`` steps per second."""
        told = (
            f"{_time(done * self.dt_ms)} of {_time(self.n_steps * self.dt_ms)}  "
            f"{speed * self.dt_ms * 1e-3:.3g}x real time  {speed * self.size:.2g} updates/s"
        )
        self._bar.update(self._task, description="simulating", completed=done, told=told)


def print_summary(summary: Mapping[str, Any], folder: Path) -> None:
    """The table at the end of a run."""
    status = summary["status"]
    colour = {"completed": "green", "interrupted": "yellow"}.get(status, "red")
    note = f"  {escape(summary['message'])}" if summary.get("message") else ""
    rows = {
        "status": f"[{colour}]{status}[/]{note}",
        "simulated": f"{summary['n_neurons']} neurons, {_time(summary['duration_ms'])}",
    }
    if summary.get("spike_count") is not None:
        rate, spread = summary["rate_hz_mean"], summary["rate_hz_std"]
        cv = summary["isi_cv_mean"]
        rows |= {
            "rate": f"{rate:.2f} Hz (s.d. over neurons {spread:.2f})",
            "ISI CV": "-" if cv is None else f"{cv:.2f}",
            "spikes": f"{summary['spike_count']:,}",
        }
    speed = summary["neuron_updates_per_s"]
    rows |= {
        "time": f"{summary['wall_s']:.2f} s, of which compiling {summary['compile_s']:.2f} s",
        "speed": f"{speed:.3g} neuron-updates/s on {summary['device']}",
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
    return f"{ms / 1000:.4g} s" if ms >= 1000 else f"{ms:.4g} ms"
