"""The sessions of a sweep that went on: when each began, what it computed and took.

They are in summary.json, which has nothing else while a session goes: how that stands, status.json
says.  Of a session that was killed they have the points that are done and are of no other, and the
time for which it said that it went on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neurolab.results.batches import SweepFolder
from neurolab.results.status import standing
from neurolab.results.summary import environment, peak_memory_mb

if TYPE_CHECKING:
    from neurolab.sweep.compute import Report

__all__ = ["begin", "end"]

#: What sessions have in all.
_SUMS = ("computed", "compute_s", "compile_s", "compose_s", "wall_s")
#: How those stand that did not come to say what they did, which may be less than a point.
_WITHOUT_AN_END = ("killed", "interrupted")
_FACTS = ("started", *_SUMS, "peak_rss_mb", "device", "versions", "git_revision")


def begin(folder: SweepFolder, done: int) -> None:
    """A session begins in a folder in which so many points are done."""
    summary, (status, known) = folder.summary(), standing(folder.path)
    before = {key: summary[key] for key in _FACTS if key in summary}  # of folders without sessions
    before = {"started": known.get("started")} | before
    sessions = summary.get("sessions", [before] if summary.get("computed") else [])
    lost = max(done - sum(one["computed"] for one in sessions), 0)
    another = known.get("started") not in (None, *(one["started"] for one in sessions))
    if lost or (another and status in _WITHOUT_AN_END):
        sessions.append({"started": None, "computed": lost})
        if another:
            sessions[-1] |= {"started": known["started"], "status": status}
            sessions[-1]["wall_s"] = known["elapsed_s"]
    if summary or sessions:
        folder.summarise({"sessions": sessions})


def end(
    folder: SweepFolder, report: Report, times: Mapping[str, float], started: str
) -> dict[str, Any]:
    """A session, or a round of one that began at the same time, has ended; what is to be said of
    all that computed something."""
    sessions = folder.summary().get("sessions", [])
    this = {
        "started": started,
        "computed": report.points,
        "compute_s": report.compute_s,
        "compile_s": report.compile_s,
        **times,
        "peak_rss_mb": peak_memory_mb(),
        "device": report.device,
        **environment(),
    }
    if report.points or not sessions:
        if sessions and sessions[-1]["started"] == started:
            this |= _sums([sessions.pop(), this])
        sessions = [*sessions, this]
    timed = _sums([one for one in sessions if one.get("wall_s")])
    peaks = [one["peak_rss_mb"] for one in sessions if one.get("peak_rss_mb") is not None]
    return {
        **this,
        **sessions[-1],
        **_sums(sessions),
        "started": sessions[0]["started"],
        "peak_rss_mb": max(peaks, default=None),
        "points_per_s": timed["computed"] / timed["wall_s"] if timed["computed"] else None,
        "sessions": sessions,
    }


def _sums(sessions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The points that sessions computed, and the seconds that they took as far as is known."""
    return {key: sum(one.get(key) or 0 for one in sessions) for key in _SUMS}
