"""How a run ended."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from neurolab.problems import ResultsLostError
from neurolab.results.run import Run

__all__ = ["Outcome"]

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

    def fail(self, error: Exception, what: str) -> None:
        """Something was not written; what went wrong first is what ended the run."""
        first, lost = self.error is None, isinstance(error, ResultsLostError)
        if first:
            self.status, self.exit_code, self.error = "failed", 1, error
            self.message = str(error) if lost else f"{type(error).__name__}: {error}"
            if not lost:  # which is told at the end
                log.error(what, exc_info=error)
        elif not isinstance(self.error, ResultsLostError):
            log.error("%s: %s", what, error)
