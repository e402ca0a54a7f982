"""``python -m benchmarks.reliability``: what ends runs, done to them for real, and what is left.

The table of docs/reliability.md.  Exit status 1 if anything did not come back.  A hundred kills
and all else take some twenty minutes on two cores; ``--quick`` tries each thing once or twice and
writes nothing.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from benchmarks.reliability import damage, ended, surroundings
from benchmarks.reliability.document import made_by, table, write
from benchmarks.reliability.trial import KINDS, Place, Try, cells

TITLE = "Faults"
AT_ONCE = 2
HEAD = (
    "what is done", "tries", "came back whole", "told", "bytes lost, of those committed",
    "with steps left", "seconds to resume: median", "largest",
)  # fmt: skip
HOW = """
Every try is a command of its own, `python -m neurolab ...`, to which the thing is done for real, at
a moment that is drawn: while it starts, compiles, computes, or draws its pictures; two tries at a
time, on machines where other work goes on. Checkpoints are
taken every 100 ms of wall time (the default is 30 s). Then `python -m neurolab resume=<folder>`
goes on; where nothing had begun yet, the command is given again.

- *came back whole*: all spikes, traces, rates and the summary are bit for bit those of a command
  that nothing was done to (with a tracker, which the summary names: all but the summary).
- *told*: there is nothing to go on with, and one message says so, without a traceback.
- *bytes lost*: all arrays that could be read as committed before `resume=`, compared byte for byte
  with what stands in their place afterwards.
- *seconds to resume*: from the start of the `resume=` command, Python and imports included, until a
  step is committed that was not before. It is there for tries that had *steps left* and had
  committed some, or at least had begun.

"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few tries; nothing is written")
    parser.add_argument("--kills", type=int, default=100, help="with kill -9, in all (100)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    typed = parser.parse_args()
    kills, others = (4, 1) if typed.quick else (typed.kills, 3)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:  # with nohup, say: commands would ignore it
            signal.signal(number, signal.SIG_DFL)
    began, found = time.monotonic(), dict[str, list[Try]]()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        place = Place(Path(folder), random.Random(typed.seed))
        place.make_whole()
        everything = chain(
            ended.faults(place, kills, others),
            surroundings.faults(place, others),
            damage.faults(place, 1 if typed.quick else 4),
        )
        for fault in everything:
            tries = found[fault.name] = [*pool.map(lambda do: do(), fault.tries)]
            print(
                f"{time.monotonic() - began:4.0f} s:",
                *cells(fault.name, tries),
                sep=" | ",
                flush=True,
            )
            for one in tries:
                print(
                    "" if one.recovered else f"{one.lost} bytes lost; {one.how}", end="", flush=True
                )
    wrong = [
        f"{name}: {one.lost} bytes lost; {one.how}"
        for name, tries in found.items()
        for one in tries
        if not one.recovered
    ]
    if not typed.quick:
        made = made_by(f"python -m benchmarks.reliability --kills {kills}")
        write(TITLE, made + _text(found, wrong, time.monotonic() - began))
    return 1 if wrong else 0


def _text(found: dict[str, list[Try]], wrong: list[str], seconds: float) -> str:
    kinds = "".join(f"- a {kind}: `{' '.join(typed)}`\n" for kind, typed in KINDS.items())
    tries = sum(map(len, found.values()))
    said = (
        f"{tries} tries in {seconds / 60:.0f} minutes; {tries - len(wrong)} came back or were told"
    )
    said += (
        ".\n"
        if not wrong
        else ", which did not:\n\n" + "".join(f"- {line.splitlines()[0]}\n" for line in wrong)
    )
    rows = table(HEAD, (cells(name, of) for name, of in found.items()))
    return HOW + kinds + "\n" + rows + "\n" + said


if __name__ == "__main__":
    sys.exit(main())
