"""One writer per folder: a lease on it, a file that its holder keeps up while it writes.

    with Lease(folder) as lease:  # a ConfigError if a living process writes there
        ...
        lease.check()  # before a commit: a ResultsLostError if another has it now

    writer.json    {"host": "node7", "pid": 4711, "begun": ..., "token": ...}; touched every 10 s

Reading needs none.  A holder that is gone (`neurolab.results.holder`) is followed by the next who
asks; one of another machine is looked at for a minute first.

Of several that find it gone one follows: who makes the file ``writer.json.<token>``, with the token
of the holder that is gone, and then still finds that one in ``writer.json``.  That file is a lease
itself, so one whose maker was killed holds nobody up.
"""

from __future__ import annotations

import json
import logging
import math
import os
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Self

from neurolab.problems import ConfigError, Problem, ResultsLostError
from neurolab.results.holder import SILENT_SECONDS, WRITER, Holder, Watch, read_holder, this_process

__all__ = ["Lease", "check_writer"]

log = logging.getLogger("neurolab")
_BEAT_SECONDS = 10.0
_LOOK_SECONDS = 1.0


def check_writer(folder: Path, token: str) -> None:
    """That the folder's writer is the one with this token, living or not.

    Raises
    ------
    ResultsLostError
        It is another now, or none.
    """
    held = read_holder(folder / WRITER)
    if held is None:
        raise ResultsLostError(
            f"{folder} was removed or emptied meanwhile, with {WRITER}, by which it was held"
        )
    if held.token != token:
        raise ResultsLostError(
            f"{folder} is written by {held} now, who found this process silent; what was committed "
            "before is there, and this process writes no more"
        )


class Lease:
    """The right to write to a folder, which is made if need be, for as long as the context lasts.

    Parameters
    ----------
    folder
        What is written.  One that was made for this and is empty in the end is removed.
    key
        The key of the configuration by which the folder is given.
    watch
        What is known of leases of other machines.

    Raises
    ------
    ConfigError
        On entering: a living process has it.  This one, too, has a folder once.
    """

    def __init__(
        self, folder: str | Path, key: str = "hydra.run.dir", watch: Watch | None = None
    ) -> None:
        self.folder, self.key = Path(folder).absolute(), key
        self.token = secrets.token_hex(8)
        self._watch = watch or Watch()
        self._made: list[Path] = []
        self._ended = threading.Event()
        self._lost: str = ""
        self._checked = -math.inf  # when it was last found to be ours

    @property
    def lost(self) -> bool:
        """Whether another was found to have it (`check` looks)."""
        return bool(self._lost)

    def __enter__(self) -> Self:
        above = (self.folder, *self.folder.parents)
        self._made = [place for place in above if not place.exists()]
        self._pid = os.getpid()
        self._text = json.dumps(asdict(replace(this_process(), token=self.token))) + "\n"
        try:
            self._take(self.folder / WRITER)
        except BaseException:
            self._unmake()
            raise
        for left in self.folder.glob(f"{WRITER}.*"):  # by takers that were killed
            if left.name != f"{WRITER}.{self.token}":
                left.unlink(missing_ok=True)
        threading.Thread(target=self._beats, name="lease", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the folder free; once, and by the process that has it."""
        if self._ended.is_set() or os.getpid() != self._pid:
            return
        self._ended.set()
        with suppress(OSError, ResultsLostError):
            check_writer(self.folder, self.token)
            (self.folder / WRITER).unlink()
        self._unmake()

    def check(self, lately: float = 0.0) -> None:
        """That the folder is still ours, or was so ``lately``, seconds ago.

        Raises
        ------
        ResultsLostError
            Another has it, or it was removed.
        """
        now = time.monotonic()
        if not self._lost and now - self._checked >= lately:
            try:
                check_writer(self.folder, self.token)
                self._checked = now
            except ResultsLostError as error:
                self._lost = str(error)
            except OSError:  # the file system does not answer now
                return
        if self._lost:
            raise ResultsLostError(self._lost)

    def _beats(self) -> None:
        while not self._ended.wait(_BEAT_SECONDS):
            try:
                self.check()
                os.utime(self.folder / WRITER)
            except ResultsLostError:
                return
            except OSError:
                continue

    def _unmake(self) -> None:
        for place in self._made:
            with suppress(OSError):  # there is something in it
                place.rmdir()

    def _take(self, path: Path) -> None:
        """Make a file of this lease's, or replace that of a holder who is gone."""
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                with suppress(FileExistsError):
                    return _make(path, self._text)
                held = read_holder(path)
                if held is not None and self._follows(path, held):
                    return None
            except FileNotFoundError:  # the folder was empty, and was removed just now
                continue

    def _follows(self, path: Path, held: Holder) -> bool:
        """Replace a file whose holder is gone, if it is there still."""
        if not self._is_gone(path, held):
            advice = "wait until it has ended, end it, or choose another folder"
            advice = f"is being written by {held}; {advice}"
            raise ConfigError([Problem(self.key, str(self.folder), advice)])
        claim = self.folder / f"{WRITER}.{held.token}"
        self._take(claim)
        try:
            found = read_holder(path)
            if found is None or found.token != held.token:
                return False
            _make(path, self._text, instead=True)
            return True
        finally:
            claim.unlink(missing_ok=True)

    def _is_gone(self, path: Path, held: Holder) -> bool:
        """Whether a holder is gone; one of another machine is looked at until that is known."""
        lives, silent_s = held.lives(), self._watch.silent_s(held)
        if lives is None and silent_s < SILENT_SECONDS:
            log.warning("%s: looking for %g s whether %s lives", path, SILENT_SECONDS, held)
        while lives is None and silent_s < SILENT_SECONDS:
            time.sleep(_LOOK_SECONDS)
            found = read_holder(path)
            if found is None or found.token != held.token:
                return True  # it is no more
            before, silent_s = silent_s, self._watch.silent_s(found)
            lives = True if silent_s <= before else None
        return not lives


def _make(path: Path, text: str, instead: bool = False) -> None:
    """Make a whole file in one operation, in place of another or where there is none."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        new.write_text(text)
        if instead:
            new.replace(path)
            return
        try:
            os.link(new, path)
        except FileExistsError:
            if new.stat().st_nlink != 2:  # or NFS made it, and was asked once more
                raise
        except FileNotFoundError:
            raise
        except OSError:  # a file system without links
            with path.open("x") as file:
                file.write(text)
    finally:
        new.unlink(missing_ok=True)
