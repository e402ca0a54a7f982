"""Whatever is typed runs, or is refused by a message that names a key; nothing else happens.

A run's numbers are finite, nothing is written beside its folder, and nothing that a configuration
names is executed to find that it may not be named.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import math
import os
import re
import secrets
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from configurations import command_lines
from hypothesis import HealthCheck, Phase, given, seed, settings
from sweeps import KEEP

from neurolab.cli.main import main
from neurolab.engine.device import prepare
from neurolab.results import open_run, open_sweep

prepare({})  # as each command does in a process of its own
#: A completed run, a refused configuration, one that diverged.
EXPECTED = (0, 2, 3)
CANARY = "import pathlib\npathlib.Path(__file__).with_name('touched').touch()\n"


@dataclass
class Ended:
    """How a command ended, and what it said."""

    code: Any
    out: str
    err: str


def command(arguments: list[str], folder: Path) -> Ended:
    """What ``neurolab ARGUMENTS`` does in a folder, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with _as_it_was(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        os.chdir(folder)
        os.environ["HOME"] = str(folder.parent / "home")
        sys.argv = ["neurolab", *arguments]
        code: Any = 0
        try:
            main()
        except SystemExit as ends:
            code = ends.code
        except Exception:  # whatever it is: this is what is looked for
            code = 1
            traceback.print_exc(file=err)
    return Ended(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """What a command changes in its process, put back."""
    here, argv, path, environ = Path.cwd(), sys.argv, [*sys.path], dict(os.environ)
    root, jaxs = logging.getLogger(), dict(jax.config.values)
    handlers, level = [*root.handlers], root.level
    try:
        yield
    finally:
        os.chdir(here)
        sys.argv, sys.path[:] = argv, path
        os.environ.clear()
        os.environ.update(environ)
        for handler in {*root.handlers} - {*handlers}:
            handler.close()
        root.handlers[:], root.level = handlers, level
        for name, value in jaxs.items():
            if jax.config.values[name] != value:
                jax.config.update(name, value)


def tried(typed: list[str], root: Path) -> tuple[Ended, str]:
    """How it ends when this is typed in a new folder, and what of it should not be."""
    (root / "here").mkdir(parents=True)
    (root / "site-packages").mkdir()
    for cache in (".cache", ".config"):  # of libraries
        (root / "home" / cache).mkdir(parents=True)
    (root / "site-packages" / "canary.py").write_text(CANARY)
    sys.path.append(str(root / "site-packages"))
    before = set(root.rglob("*"))
    try:
        ended = command(typed, root / "here")
    finally:
        sys.path.remove(str(root / "site-packages"))
        sys.modules.pop("canary", None)
    new = sorted(path for path in set(root.rglob("*")) - before if path.is_file())
    if ended.code == 2 and any(t.startswith(("hydra/launcher=", "hydra/sweeper=")) for t in typed):
        # Hydra's launchers keep a job's configuration, and its log, before it can refuse it, and
        # its sweepers what they sweep.
        theirs = [
            path.name in ("multirun.yaml", "neurolab.log") or ".hydra" in path.parts for path in new
        ]
        new = [path for path, known in zip(new, theirs, strict=True) if not known]
    return ended, _wrong(ended, [path for path in new if "/home/." not in str(path)], root / "here")


def _wrong(ended: Ended, new: list[Path], here: Path) -> str:
    """What should not be of how a command ended and the files that it left; empty if all should."""
    if "Traceback" in ended.out + ended.err:
        return f"a traceback: {ended.err}"
    folders = {path.parent for path in new if path.name == "summary.json"}
    if ended.code not in EXPECTED and not (ended.code == 1 and any(map(_refuses, folders))):
        return f"exit code {ended.code}: {ended.out} {ended.err}"
    if ended.code == 2:
        return _unkeyed(ended.err) or (f"leaves {new}: {ended.err}" if new else "")
    outside = [path for path in new if not _belongs(path, folders)]
    if outside:
        return f"writes beside its folder: {outside}"
    return "".join(map(_not_finite, folders)) if ended.code != 3 else ""


def _refuses(folder: Path) -> bool:
    """Whether a sweep has points that cannot be, each with what is wrong, and none that failed."""
    if not (folder / "definition.json").exists():
        return False
    table = open_sweep(folder).table
    well = table["status"].isin(["completed", "refused", "diverged"])
    return bool((well & ((table["status"] == "completed") | table["message"].astype(bool))).all())


def _belongs(path: Path, folders: set[Path]) -> bool:
    """Whether a file is of a run's folder, or what its page shares with others."""
    return "assets" in path.parts or any(path.is_relative_to(folder) for folder in folders)


def _unkeyed(said: str) -> str:
    """Why what was said of a refused configuration is no message with a key."""
    found = said[said.find("neurolab: ") :]
    keys = re.findall(r"^  (\S[^\n]*?)(?: = .*?)?\n    \S", found, re.MULTILINE | re.DOTALL)
    if not found.startswith("neurolab: ") or not keys:
        return f"no message with a key: {said}"
    return f"names no key of the configuration: {said}" if "configuration" in keys else ""


def _not_finite(folder: Path) -> str:
    """The numbers of a folder's results that are not finite."""
    summary = json.loads((folder / "summary.json").read_text())
    bad = [name for name, value in _numbers(summary) if not math.isfinite(value)]
    if (folder / "definition.json").exists():
        sweep = open_sweep(folder)
        done = np.flatnonzero(sweep.table["status"] == "completed")
        bad += [f"{point}.{name}" for point in done for name in _bad_arrays(sweep[int(point)])]
    else:
        bad += _bad_arrays(open_run(folder))
    return f"not finite in {folder.name}: {bad}" if bad else ""


def _bad_arrays(run: Any) -> list[str]:
    times = None if run.spikes is None else run.spikes["time"]
    found = {"time": times, "rate": run.rate, **dict(run.traces or {})}
    return [
        str(name)
        for name, values in found.items()
        if values is not None and not np.isfinite(np.asarray(values)).all()
    ]


def _numbers(node: Any, key: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _numbers(value, f"{key}.{name}")
    elif isinstance(node, float):
        yield key, node


def tried_many(n: int, seeded: Any) -> list[str]:
    """What should not be, of so many command lines."""
    found = []

    @seeded
    @settings(
        max_examples=n, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(typed=command_lines())
    def one(typed: list[str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            _, why = tried([*typed, KEEP], Path(folder) / "root")
        if why:
            found.append(f"{typed}: {why}")

    one()
    return found


def test_what_is_typed_runs_or_is_refused() -> None:
    assert tried_many(30, seed(0)) == []


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(8))
def test_whatever_is_typed_runs_or_is_refused(part: int) -> None:
    """2000 others every time."""
    chance = secrets.randbits(32)
    assert tried_many(250, seed(chance)) == [], f"seed {chance}"
