"""Checkpoints of a computation: taken while it goes, and gone on from.

One has the state after some step, and what was counted until then; the results until then were
committed before.  More may be committed after it: whoever goes on computes those steps again, in
which nothing is written, and so comes to the same as if there had been no end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.engine.checkpoint import gathered, scattered
from neurolab.results.checkpoint import CHECKPOINT, Checkpoint

if TYPE_CHECKING:
    from neurolab.engine.program import Program
    from neurolab.engine.structure import Numbers
    from neurolab.simulation.computation import Computation

__all__ = ["Checkpoints", "check_state", "go_on"]

_STATE, _COUNTS = "state/", "counts/"


class Checkpoints:
    """Those of a computation with a folder; of one without there are none.

    Parameters
    ----------
    computation
        Of which.
    every
        Wall time in seconds from one to the next.
    about
        What else is to be known, asked when one is taken.
    """

    def __init__(
        self,
        computation: Computation,
        every: float,
        about: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self.of, self.every, self.about = computation, every, about
        self._last = time.monotonic()
        #: The step of the last one that was taken; None before there is one.
        self.step: int | None = None

    @property
    def due(self) -> bool:
        """Whether it is time for one."""
        return self.possible and time.monotonic() - self._last >= self.every

    @property
    def possible(self) -> bool:
        """Whether there is a folder for one, and something new to keep."""
        of = self.of
        return of.writer.folder is not None and of.done > 0 and of.done >= of.known

    def take(self, state: Mapping[str, Any]) -> None:
        """Commit what waits, and keep the state after the last step that was worked up."""
        of = self.of
        if not self.possible or of.writer.folder is None:
            return
        of.commit()
        arrays = {_COUNTS + name: value for name, value in of.counts().items()}
        state = gathered(of.program, state, len(of.ends))
        arrays |= {_STATE + name: value for name, value in state.items()}
        broken = {str(point): message for point, message in of.broken.items()}
        about = {"broken": broken, "points": list(of.points), "plan": of.plan}
        about |= {"of": of.writer.of} if of.writer.of else {}
        about |= {"lengths": of.writer.commit.lengths, **self.about()}
        Checkpoint(of.done, arrays, about).write(of.writer.folder)
        self.step, self._last = of.done, time.monotonic()

    def remove(self) -> None:
        """There is nothing to go on with."""
        if self.of.writer.folder is not None:
            (self.of.writer.folder / CHECKPOINT).unlink(missing_ok=True)
            self.step = None


def check_state(program: Program, numbers: Numbers, checkpoint: Checkpoint) -> None:
    """That the state of a checkpoint is one of a program.

    Raises
    ------
    ValueError
        It is of another structure.
    """
    scattered(program, numbers, _part(checkpoint, _STATE))


def _part(checkpoint: Checkpoint, prefix: str) -> dict[str, np.ndarray]:
    arrays = checkpoint.arrays.items()
    return {k.removeprefix(prefix): v for k, v in arrays if k.startswith(prefix)}


def go_on(computation: Computation, checkpoint: Checkpoint) -> None:
    """Bring a computation that has not begun to where a checkpoint was taken.

    Raises
    ------
    ValueError
        It is of another one.
    """
    if checkpoint.about["points"] != list(computation.points):
        raise ValueError("the checkpoint is of other points")
    if checkpoint.step > computation.known:
        raise ValueError(f"the checkpoint is of step {checkpoint.step}, which was not committed")
    computation.state = scattered(
        computation.program, computation.numbers, _part(checkpoint, _STATE)
    )
    computation.recount(_part(checkpoint, _COUNTS))
    computation.broken |= {int(k): text for k, text in checkpoint.about["broken"].items()}
    computation.sent = computation.done = checkpoint.step
