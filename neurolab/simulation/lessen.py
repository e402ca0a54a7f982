"""A run goes on in chunks of half the length where memory has run out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from neurolab.engine.smaller import exhausted, halved

if TYPE_CHECKING:
    from neurolab.simulation.computation import Computation

__all__ = ["compiled", "lessen"]

log = logging.getLogger("neurolab")


def compiled(computation: Computation) -> None:
    """Compile its program, which is run to see that there is memory for its records."""
    while True:
        try:
            return computation.program.compile(computation.numbers)
        except Exception as error:
            lessen(computation, error)


def lessen(computation: Computation, error: Exception) -> None:
    """Give a computation, of which a chunk raised, a program of half as many steps.

    Raises
    ------
    Exception
        What it raised: memory did not run out, or not for want of shorter chunks.  Of several
        points fewer are tried first, by whoever computes them.
    """
    computation.wait()  # what the chunk before holds is given back
    smaller = halved(computation.program, computation.numbers) if exhausted(error) else None
    if smaller is None or computation.writer.n_points is not None:
        raise error
    computation.program, computation.numbers = smaller
    steps = computation.program.capacity
    log.warning("not enough memory: chunks of %d steps at most from now on", steps)
