"""Who writes to a folder, and whether that process lives (see `neurolab.results.lease`).

The system says, if its process was one of this machine.  Of another machine its beat is looked at,
by the clock of who looks: clocks of machines differ, and are moved.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

__all__ = ["SILENT_SECONDS", "WRITER", "Holder", "Watch", "holder", "read_holder", "this_process"]

WRITER = "writer.json"
#: A holder elsewhere that was not seen to beat for so long is gone.
SILENT_SECONDS = 60.0


@dataclass(frozen=True)
class Holder:
    """A process that writes to a folder."""

    host: str = ""
    pid: int = 0
    begun: str = ""
    token: str = "unreadable"
    #: Where processes have these numbers, and since when: a name may be that of several machines,
    #: and a number that of several processes, one after the other or in several containers.
    machine: str = ""
    boot: str = ""
    numbers: str = ""
    start: int | None = None
    #: When it was last touched, as the file system says.
    beat: int = 0

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} (since {self.begun or 'when, is not known'})"

    def lives(self) -> bool | None:
        """Whether it goes on; None where the system cannot tell: it is not of this machine."""
        here = _here()
        if os.name != "posix":
            return None  # to ask for a process may end it
        if self.boot != here.boot:
            again = self.machine and (self.host, self.machine) == (here.host, here.machine)
            return False if again else None
        if self.numbers != here.numbers or (not self.boot and self.host != here.host):
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # it is somebody else's
            pass
        state, start = _state(self.pid)
        return state not in ("Z", "X") and start in (None, self.start)


class Watch:
    """For how long leases were not seen to beat, by the clock of this process."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def silent_s(self, held: Holder) -> float:
        """Seconds since it was first looked at, or seen to have beaten."""
        now = time.monotonic()
        beat, since = self._seen.get(held.token, (None, now))
        self._seen[held.token] = (held.beat, since if beat == held.beat else now)
        return now - self._seen[held.token][1]


def holder(folder: Path, watch: Watch | None = None) -> Holder | None:
    """The living process that writes to a folder, if there is one.

    One of another machine is living if it has beaten within a minute by this machine's clock: good
    enough to tell, not to write.  With a ``watch`` it is until it was seen not to for a minute.
    """
    held = read_holder(folder / WRITER)
    if held is None:
        return None
    lives = held.lives()
    if lives is None:
        age = abs(time.time() - held.beat * 1e-9) if watch is None else watch.silent_s(held)
        lives = age < SILENT_SECONDS
    return held if lives else None


def read_holder(path: Path) -> Holder | None:
    """What a lease says; None where there is none."""
    try:
        with path.open() as file:  # opened, NFS asks for its time anew
            found, beat = file.read(), os.fstat(file.fileno()).st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        held = Holder(**{**json.loads(found), "beat": beat})
    except (ValueError, TypeError):
        return Holder(beat=beat)
    sound = isinstance(held.pid, int) and str(held.token).isalnum()
    return held if sound else Holder(beat=beat)


def this_process() -> Holder:
    """This one, from now on."""
    begun = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    return replace(_here(), pid=os.getpid(), start=_state(os.getpid())[1], begun=begun)


@cache
def _here() -> Holder:
    """What tells this machine and its processes from others."""
    numbers = ""
    with suppress(OSError):
        numbers = str(Path("/proc/self/ns/pid").readlink())
    return Holder(
        host=socket.gethostname(),
        machine=_text("/etc/machine-id"),
        boot=_text("/proc/sys/kernel/random/boot_id"),
        numbers=numbers,
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _state(pid: int) -> tuple[str, int | None]:
    """The state of a process and when it started, in ticks since the system did, where it says."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], int(fields[19])
    return "", None
