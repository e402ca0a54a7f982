"""What a command is given that is about a folder: ``resume=``, ``reproduce=``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from neurolab.cli.given import option_of
from neurolab.problems import ConfigError, Problem, did_you_mean
from neurolab.results.batches import SweepFolder
from neurolab.results.kept import networks_in
from neurolab.results.layout import RESULTS
from neurolab.results.record import RECORD

__all__ = ["folder_of", "split"]


def folder_of(text: str, key: str = "resume") -> Path:
    """The folder that was given; networks that it keeps can be composed again.

    Raises
    ------
    ConfigError
        It has neither run nor sweep.
    DamagedError
        A network that it keeps is not as it was given.
    """
    folder = Path(text)
    if (folder / RECORD).exists() or SweepFolder(folder).exists:
        for network in networks_in(folder):
            option_of(network)
        return folder
    whole = next((up for up in folder.resolve().parents if SweepFolder(up).exists), None)
    if not folder.is_dir():
        advice = "there is no such folder; give one under outputs/"
    elif whole is not None:
        advice = f"is a part of a sweep, which goes on as a whole: {key}={whole}"
    elif (folder / RESULTS).is_dir():
        advice = f"has results without {RECORD}, which says how to go on: copy it again"
    elif runs := sorted(path.parent for path in folder.glob(f"*/{RECORD}")):
        advice = f"holds runs, each of which goes on by itself, as {key}={runs[0]}"
    else:
        advice = "is not the folder of a run or a sweep; give one under outputs/"
    raise ConfigError([Problem(key, text, advice)])


def split(arguments: Iterable[str], keys: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """What is for a command that begins with the first of its ``keys``, and the overrides."""
    given: dict[str, str] = {}
    rest = []
    for text in arguments:
        key, equals, value = text.partition("=")
        if text.startswith("-"):
            advice = f"is for what begins; {keys[0]}=<folder> has the settings of its folder"
            raise ConfigError([Problem(text, "", advice)])
        if key in keys and equals:
            given[key] = value
        elif key.startswith(f"{keys[0]}."):
            raise ConfigError([Problem(key, value, did_you_mean(key, keys))])
        else:
            rest.append(text)
    return given, rest
