"""run.json: what a run is, and the sessions that computed it; what it goes on from is kept with it.

    {"format": "neurolab run 1", "config": {...}, "overrides": ["neuron=lif", ...],
     "files": {"drive.npy": "<sha256>", ...},
     "sessions": [{"started": ..., "host": ..., "from_step": 0, "versions": {...}, ...,
                   "status": "interrupted", "to_step": 40000, "wall_s": 12.0}, ...]}

A session has an end (``status`` and what follows) once it has one; of one that was killed the next
says what is known.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurolab.results.damage import DamagedError, read_commit, read_mapping
from neurolab.results.digests import changes_results, digests_of
from neurolab.results.kept import kept_in
from neurolab.results.layout import write_whole
from neurolab.results.plan import flat
from neurolab.results.sealed import digest_of_content, sealed
from neurolab.results.status import standing
from neurolab.results.summary import environment

__all__ = ["RECORD", "RunRecord"]

RECORD = "run.json"
FORMAT = "neurolab run 1"
#: What sessions have in all.
_SUMS = ("compile_s", "wall_s")


@dataclass
class RunRecord:
    """What a run is.

    Parameters
    ----------
    config
        The configuration as it is used.
    overrides
        What was typed.
    files
        Digests of the files that it names, and of its models' sources.
    sessions
        The first first.
    id
        Of the run that it began as: a digest of all that decides its results, but its length.
        Empty in folders of before.
    """

    config: dict[str, Any]
    overrides: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    id: str = ""

    @classmethod
    def of(cls, config: Mapping[str, Any], overrides: Sequence[str]) -> RunRecord:
        """That of a run that is to begin."""
        files = digests_of(flat(config))
        decides = {key: str(value) for key, value in flat(config) if changes_results(key)}
        decides.pop("duration", None)
        return cls(dict(config), list(overrides), files, id=digest_of_content([decides, files]))

    @classmethod
    def read(cls, folder: Path) -> RunRecord:
        """That of a folder.

        Raises
        ------
        DamagedError
            It is missing, not as it was written, or of another version.
        """
        found = kept_in(folder, read_mapping(folder / RECORD))
        if found.pop("format", None) != FORMAT:
            raise DamagedError(folder / RECORD, f"this version reads {FORMAT}")
        try:
            record = cls(**found)
            kinds = (record.config, dict), (record.overrides, list), (record.sessions, list)
            if not all(isinstance(value, kind) for value, kind in kinds):
                raise TypeError("it is no record of a run")
        except TypeError as error:
            raise DamagedError(folder / RECORD, str(error)) from None
        return record

    def write(self, folder: Path) -> None:
        """Put it in place of the one that is there."""
        text = sealed({"format": FORMAT, **vars(self)}, indent=2)
        write_whole(folder / RECORD, text, synced=True)

    def begin(self, folder: Path, started: str, step: int, **facts: Any) -> None:
        """A session begins at a step; the one before it, if it was killed, is given its end."""
        if self.sessions and "status" not in self.sessions[-1]:
            self.sessions[-1] |= _end_of_killed(folder, self.sessions[-1])
        session = {"started": started, "host": socket.gethostname(), "from_step": step}
        self.sessions.append({**session, **facts, **environment()})
        self.write(folder)

    def end(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """The present session ends."""
        self.sessions[-1] |= facts
        self.write(folder)

    def totals(self) -> dict[str, Any]:
        """The seconds that all sessions took as far as is known, and their list."""
        sums = {key: sum(one.get(key) or 0.0 for one in self.sessions) for key in _SUMS}
        return {**sums, "sessions": self.sessions}


def _end_of_killed(folder: Path, session: Mapping[str, Any]) -> dict[str, Any]:
    """How a session went that did not come to say so."""
    status, known = standing(folder)
    found: dict[str, Any] = {"status": "killed"}
    with suppress(DamagedError):  # nobody knows how far it came
        found["to_step"] = read_commit(folder).steps
    if known.get("started") == session["started"]:
        found["wall_s"] = known["elapsed_s"]
        found |= {} if status in ("running", "compiling") else {"status": status}
    return found


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Sequence[str]:
    """The keys of which one mapping has other values than another."""
    keys = dict.fromkeys([*before, *now])
    return [key for key in keys if before.get(key) != now.get(key)]
