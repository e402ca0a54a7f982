"""How a run ended, and what is said of what ended it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from neurolab.engine.smaller import exhausted, too_little
from neurolab.problems import OutOfMemoryError, ResultsLostError
from neurolab.results.layout import RESULTS
from neurolab.results.room import not_kept, used
from neurolab.results.run import Run
from neurolab.simulation.computation import Computation

__all__ = ["Outcome", "told"]

log = logging.getLogger("neurolab")


@dataclass
class Outcome:
    """How a run ended."""

    status: str = "failed"
    message: str = ""
    exit_code: int = 1
    error: Exception | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    run: Run | None = None

    @property
    def lost(self) -> bool:
        """Whether nothing more can be kept in its folder."""
        return isinstance(self.error, ResultsLostError)

    def fail(self, error: Exception, what: str) -> None:
        """Something was not done; what went wrong first is what ended the run."""
        if self.error is None:
            said = isinstance(error, (ResultsLostError, OutOfMemoryError))  # at the end
            self.status, self.exit_code, self.error = "failed", 1, error
            self.message = str(error) if said else f"{type(error).__name__}: {error}"
            if not said:
                log.error(what, exc_info=error)
        elif not self.lost:
            log.error("%s: %s", what, error)


def told(error: Exception, computation: Computation) -> Exception:
    """An error, or in its place one that says what is needed: room on the disk, or memory."""
    if exhausted(error):
        return too_little(computation.program, computation.numbers)
    folder, done = computation.writer.folder, computation.writer.commit.steps
    if folder is None:
        return error
    left = (computation.total - done) / done if done else 0.0
    return not_kept(error, folder, left and left * used(folder / RESULTS)) or error
