"""neurolab.log: what happened, in a run's or a sweep's folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["log_to"]


@contextmanager
def log_to(folder: Path, terminal: bool = False) -> Iterator[None]:
    """Write what is logged to ``neurolab.log`` in a folder, made when there is something to say.

    With ``terminal`` warnings go there as well, and nothing else does.
    """
    log = logging.getLogger("neurolab")
    handlers: list[logging.Handler] = [_Late(folder / "neurolab.log", delay=True)]
    text = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    handlers[0].setFormatter(logging.Formatter(text))
    if terminal:
        handlers.append(logging.StreamHandler())
        handlers[1].setLevel(logging.WARNING)
        handlers[1].setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    before = log.level, log.propagate
    for handler in handlers:
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = log.propagate and not terminal
    try:
        yield
    finally:
        log.setLevel(before[0])
        log.propagate = before[1]
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()


class _Late(logging.FileHandler):
    def _open(self):  # type: ignore[no-untyped-def]
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()
