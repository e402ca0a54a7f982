"""A session with a tracker, which never holds anything up.

A tracker has a process of its own (`neurolab.trackers.process`): importing a tracking library,
waiting for its server and writing its files takes place beside the simulation, an error there is a
warning, and if the simulation is killed, the tracker still hears of it.
"""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any, Self

from neurolab.results.status import status_after
from neurolab.trackers import NoTracker, Tracked, Tracker

__all__ = ["TrackerSession"]

log = logging.getLogger("neurolab")


class TrackerSession:
    """A tracker elsewhere: calls return at once and raise nothing.

    As a context it ends with a wait until the tracker has taken everything in, as long as its
    ``patience_s`` says if it has that; an exception that passes is told as the end.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        #: Whether anybody listens.
        self.active = not isinstance(tracker, NoTracker) and getattr(tracker, "active", True)
        #: Whether it wants each point of a sweep, not the sweep.
        self.per_point = bool(getattr(tracker, "per_point", False))
        self._patience = getattr(tracker, "patience_s", None)
        self._messages: SimpleQueue[bytes | None] = SimpleQueue()
        self._ends: SimpleQueue[Callable[[], None] | None] = SimpleQueue()  # not answered yet
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._begun = False  # something was started that has not finished

    def start(self, tracked: Callable[[], Tracked]) -> None:
        """Something begins; ``tracked`` is asked what only if somebody listens."""
        if not self.active:
            return
        try:
            if self._process is None:
                self._launch()
            self._send("start", self._tracker, tracked())
            self._begun = True
        except Exception as error:
            self._give_up(error)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Metrics after so many steps."""
        self._send("log", step, metrics)

    def finish(
        self,
        exit_code: int,
        summary: Mapping[str, Any],
        then: Callable[[], None] | None = None,
    ) -> None:
        """It ended; ``then`` is called, on another thread, once the tracker has taken that."""
        self._begun = False
        self._ends.put(then)
        self._send("finish", exit_code, summary)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, _: object) -> None:
        if kind is not None and self._begun:
            self.finish(1, {"status": status_after(kind), "message": f"{kind.__name__}: {value}"})
        self._wait()

    def _wait(self) -> None:
        if self._process is None:
            return
        self._messages.put(None)
        try:
            self._process.wait(self._patience)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            self.active = False  # whatever it hears or not from now on
            log.warning("the tracker is not waited for; its process %d goes on", self._process.pid)
            return
        for thread in self._threads:  # they end with their pipes, unless what it started has one
            thread.join(1.0)

    def _launch(self) -> None:
        """Start the process; importing a tracking library takes as long as compiling."""
        path = [place for place in sys.path if isinstance(place, str)]  # as the import system does
        code = (
            f"import sys; sys.path[:] = {path!r}; import neurolab.trackers.process as p; p.main()"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the simulation
        )
        for work in (self._pass_on, self._listen):
            # Daemons: a tracker that hangs must not keep this process.
            self._threads.append(threading.Thread(target=work, args=(self._process,), daemon=True))
            self._threads[-1].start()

    def _send(self, *message: Any) -> None:
        if not self.active or self._process is None:
            return
        try:
            self._messages.put(pickle.dumps(message))
        except Exception as error:
            self._give_up(error)

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        """Write to the pipe, which is full while the tracker waits for something."""
        if process.stdin is None:
            return
        try:
            with process.stdin as pipe:
                for message in iter(self._messages.get, None):
                    pickle.dump(message, pipe)
                    pipe.flush()
        except OSError as error:
            self._give_up(error)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Log what the process has to say; go on with what waits for the end of something."""
        for line in process.stdout or ():
            match json.loads(line):
                case bool(taken):
                    then = None if self._ends.empty() else self._ends.get()
                    if taken and then is not None:
                        then()
                case level, text:
                    log.log(level, "%s", text)

    def _give_up(self, error: Exception) -> None:
        if self.active:
            self.active = False
            log.warning(
                "the tracker cannot be told any more: %s: %s; it must be a class in a module that "
                "Python finds, with attributes that can be pickled",
                type(error).__name__,
                error,
            )
