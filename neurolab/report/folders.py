"""Runs and sweeps on disk, and what their small files say, whatever became of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from neurolab.numbers import number
from neurolab.results.batches import SweepFolder
from neurolab.results.damage import DamagedError, read_mapping
from neurolab.results.layout import RESULTS
from neurolab.results.plan import flat
from neurolab.results.statistics import STATISTICS
from neurolab.results.status import standing

__all__ = [
    "about", "date_of", "ended", "find", "is_over", "is_run", "is_sweep",
    "overrides_of", "pictures_of", "read_yaml", "seconds", "short", "text_of", "tile", "tried",
    "wall_time",
]  # fmt: skip

#: Of runs and of sweeps, what shows most first.
_PICTURES = (
    "raster.png", "rate.png", "traces.png", "population_rate_hz.png", "rate_hz.png",
    "population_isi_cv.png", "isi_cv.png",
)  # fmt: skip
#: Those of what `record.summary` asks for, of sweeps.
_MEASURED = tuple(f"_{how}.png" for how in ("mean", "std", "min", "max", "final"))
_OF_SPIKES = {f"{of}{name}.png" for name in STATISTICS for of in ("", "population_")}
_DEFINITION = "definition.json"
_NOT_INSIDE = {"batches", "assets", ".hydra", ".submitit", "sweep.zarr", RESULTS}
_DEEPEST = 4
_LOG_BYTES = 8192


#: How many folders above a page the index is looked for: outputs/<day>/<sweep>/<point>.
_ABOVE = 4


def pictures_of(folder: Path) -> list[str]:
    """The pictures that a folder has, what shows most first."""
    there = {path.name for path in folder.glob("*.png")}
    measured = sorted(name for name in there if name.endswith(_MEASURED) or name in _OF_SPIKES)
    return [*(name for name in _PICTURES if name in there), *measured]


def is_sweep(folder: Path) -> bool:
    """Whether a sweep was defined in this folder."""
    return SweepFolder(folder).begun


def is_run(folder: Path) -> bool:
    """Whether a run was begun in this folder."""
    return not is_sweep(folder) and any(
        (folder / name).exists() for name in (".hydra", "summary.json", RESULTS)
    )


def find(outputs: Path) -> Iterator[Path]:
    """The runs and sweeps below a folder; what is inside a sweep is shown by its own page."""
    for place, inside, _ in os.walk(outputs, followlinks=True):
        folder = Path(place)
        if folder != outputs and (is_sweep(folder) or is_run(folder)):
            inside.clear()
            yield folder
        elif len(folder.relative_to(outputs).parts) == _DEEPEST:
            inside.clear()
        else:
            inside[:] = sorted(set(inside) - _NOT_INSIDE)


def read_yaml(path: Path) -> Any:
    """A YAML file; None where there is none or it cannot be read."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is built
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def overrides_of(folder: Path) -> list[str]:
    """What was typed for a run."""
    found = read_yaml(folder / ".hydra" / "overrides.yaml")
    return [str(text) for text in found] if isinstance(found, list) else []


def about(folder: Path, summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the pages of runs and of sweeps say alike."""
    status, message = ended(folder, summary)
    return {
        "status": status,
        "message": message,
        "date": date_of(folder),
        "folder": _place(folder),
        "summary": _summary(summary),
        "log": "" if status == "completed" else _log_tail(folder),
        "pictures": pictures_of(folder),
        "links": _links(folder),
    }


def _links(folder: Path) -> list[dict[str, str]]:
    """From a page to those above it, and to the files beside it, as far as they are there."""
    found = []
    above = next((k for k, place in enumerate(folder.resolve().parents[:_ABOVE], 1)
        if (place / "index.html").exists()), None)  # fmt: skip
    if above is not None:
        found.append(("all runs", "../" * above + "index.html"))
    if is_sweep(folder.parent):
        found.append(("its sweep", "../report.html"))
    names = [
        *pictures_of(folder),
        "sweep.csv",
        "summary.json",
        ".hydra/config.yaml",
        "neurolab.log",
    ]
    found += [(name.rpartition("/")[2], name) for name in names if (folder / name).exists()]
    return [{"text": text, "href": quote(href)} for text, href in found]


def _summary(summary: Mapping[str, Any]) -> list[list[str]]:
    """A summary as rows; of the sessions of what went on, when and how much."""
    rest = {key: value for key, value in summary.items() if key != "sessions"}
    rows = [[key, text_of(value)] for key, value in flat(rest)]
    sessions = summary.get("sessions", [])
    for nth, one in enumerate(sessions if len(sessions) > 1 else [], 1):
        began = re.sub(r"\.\d+", "", one["started"] or "–")
        did = f"{one['computed']} points" if "computed" in one else _steps(one)
        told = f"{began}: {did} in {seconds(one.get('wall_s'))}"
        told += f", {one['status']}" if "status" in one else ""
        rows.append([f"session {nth}", told])
    return rows


def _steps(session: Mapping[str, Any]) -> str:
    """Which steps a session of a run computed."""
    return f"steps {session.get('from_step', 0)} to {session.get('to_step', '–')}"


def date_of(folder: Path) -> str:
    """When a run or sweep began, as ``2026-11-20 12:00:00``: from its name, else its files."""
    day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", folder.resolve().parent.name)
    time = re.match(r"(\d{2})-(\d{2})-(\d{2})(?!\d)", folder.name)
    if day and time:
        return f"{day.group()} {':'.join(time.groups())}"
    for name in (".hydra/overrides.yaml", ".hydra", _DEFINITION, "summary.json", "."):
        if (folder / name).exists():
            then = datetime.fromtimestamp((folder / name).stat().st_mtime)
            return then.strftime("%Y-%m-%d %H:%M:%S")
    return ""


def tried(make: Callable[[], Any], damaged: list[DamagedError], otherwise: Any) -> Any:
    """What can be read, and what is damaged of it, each once, for a page to tell."""
    try:
        return make()
    except DamagedError as error:
        if str(error) not in map(str, damaged):
            damaged.append(error)
        return otherwise


def _place(folder: Path) -> str:
    """A folder as it is named from beside ``outputs``; its name alone elsewhere."""
    parts = folder.resolve().parts
    if "outputs" not in parts:
        return parts[-1]
    return "/".join(parts[len(parts) - 1 - parts[::-1].index("outputs") :])


def is_over(folder: Path) -> bool:
    """Whether a run or sweep has its last summary, or one that cannot be read."""
    try:
        return "status" in read_mapping(folder / "summary.json", needed=False)
    except DamagedError:
        return True


def ended(folder: Path, summary: Mapping[str, Any]) -> tuple[str, str]:
    """The status of a run or sweep and what is to be said of it; of one that has no summary, as
    far as status.json tells."""
    if "status" in summary:
        return str(summary["status"]), str(summary.get("message") or "")
    status, facts = standing(folder)
    try:
        updated = datetime.fromisoformat(facts["updated"])
        if facts.get("duration_ms"):
            part = facts["simulated_ms"] / facts["duration_ms"]
        else:
            part = facts["points_done"] / max(facts["points"], 1)
    except (KeyError, TypeError, ValueError):
        return status, ""
    left = f", {seconds(facts['eta_s'])} left" if facts.get("eta_s") and status == "running" else ""
    return status, f"{part:.0%} done at {updated.astimezone():%H:%M:%S on %Y-%m-%d}{left}"


def _log_tail(folder: Path) -> str:
    """The end of the log."""
    try:
        with (folder / "neurolab.log").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= _LOG_BYTES else "...\n" + text.partition("\n")[2]


def text_of(value: Any) -> str:
    """A value as YAML would have it on one line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(text_of(inner) for inner in value)}]"
    return "{}" if value == {} else str(value)


def short(value: float | None) -> str:
    """A number as one reads it: ``2.19 M`` rather than 2188013.2; a dash for None."""
    if value is None:
        return "–"
    for least, factor, prefix in ((1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e5, 1e3, " k")):
        if abs(value) >= least:
            return f"{value / factor:.3g}{prefix}"
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return number(value, 3)


def seconds(value: float | None) -> str:
    """A wall time."""
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def tile(label: str, value: str, unit: str = "", note: str = "") -> dict[str, str]:
    """One of the few numbers that are looked for first."""
    return {"label": label, "value": value, "unit": unit, "note": note}


def wall_time(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """The tile of the wall time, where it is known."""
    if summary.get("wall_s") is None:
        return []
    value, _, unit = seconds(summary["wall_s"]).rpartition(" ")
    compiling = summary.get("compile_s")
    note = "" if compiling is None else f"compiling {seconds(compiling)}"
    return [tile("wall time", value, unit, note)]
