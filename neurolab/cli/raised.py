"""What Hydra and OmegaConf raise for what was typed, as problems with their keys."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from neurolab.cli.conf import PRIMARY, options_of, own_hydra, user_folder
from neurolab.problems import ConfigError, Problem, did_you_mean

__all__ = ["explained", "first_line", "refused_option"]

#: What sets up logs as Hydra's part says.
_LOGS = "hydra._internal.logging_config"
#: What Hydra says of an option that it cannot use: the key, what was given, and what to do.
_REFUSED = (
    (r"Could not override '([^']+)'()", "is part of no option that is chosen; choose one that has "
     "it, as synapse=expon or input=poisson_rates"),
    (r"Could not find '(.+)/([^/']+)'", ""),
    (r"Multiple values for ([^ .]+)()\.", "is chosen twice; {rest}"),
    (r"Error merging override [+~]*([^=]+)=?(.*)", "cannot be this; leave it out"),
    (r"Could not delete '([^'=]+)=?([^']*)'", "is not there to be taken out, or is of no option: a "
     "part goes by its key, as ~inputs.noise"),
    (r"(hydra\.searchpath) must be a list of strings. Got: (.*)", "expected a list of folders, as "
     "[file:///path/to/conf]"),
)  # fmt: skip


def first_line(error: Exception) -> str:
    """What an exception says first; what it is, if it says nothing."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def refused_option(error: Exception, loader: ConfigLoader, typed: Sequence[str]) -> Problem:
    """What Hydra raised for an option among what was typed, as a problem of its key."""
    what = first_line(error)
    for pattern, advice in _REFUSED:
        if found := re.search(pattern, what):
            key, given = found.groups()
            rest = re.sub(r"'override (\w)", r"'override /\1", what[found.end() :].strip())
            known = advice or did_you_mean(given, options_of(key, loader, []))
            return Problem(key, given, known.format(rest=rest))
    return _blamed(error, typed)


@contextmanager
def explained(find: Callable[[], list[Problem]], typed: Iterable[str]) -> Iterator[None]:
    """What Hydra and OmegaConf raise, as a `ConfigError` with what ``find`` says is wrong with what
    was typed."""
    try:
        yield
    except ConfigError:
        raise
    except YAMLError as error:
        advice = "indent with spaces, close brackets, give a key once, and no tags"
        problem = Problem("conf", "", f"cannot be read: {error}\n    {advice}")
        raise ConfigError([problem]) from None
    except UnicodeDecodeError as error:
        advice = f"cannot be read: {error}; save it as text in UTF-8"
        files = ", ".join(map(str, _not_utf8()))
        raise ConfigError([Problem("conf", files, advice)]) from None
    except RecursionError:
        advice = (
            "an option's defaults list leads to the option itself; begin with another, as - lif"
        )
        raise ConfigError([Problem("conf", "", advice)]) from None
    except Exception as error:
        if not _is_theirs(error):
            raise
        try:
            problems = find()
        except ConfigError:
            raise
        except Exception as another:  # the same, as it composes too
            if not _is_theirs(another):
                raise
            problems = []
        raise ConfigError(problems or [_blamed(error, list(typed))]) from None


def _is_theirs(error: Exception) -> bool:
    """Whether Hydra or OmegaConf raised something, whatever it is, for what they were given."""
    if isinstance(error, (HydraException, OmegaConfBaseException)):
        return True
    if isinstance(error, OSError):  # of a folder
        return False
    passed = [name.partition(".")[0] for name in _passed(error)]
    last = [package for package in passed if package not in sys.stdlib_module_names][-1]
    return last in ("hydra", "omegaconf")


def _passed(error: Exception) -> list[str]:
    """The modules through which an exception came, that which raised it last."""
    frames = traceback.walk_tb(error.__traceback__)
    return [str(frame.f_globals.get("__name__")) for frame, _ in frames]


def _blamed(error: Exception, typed: Sequence[str]) -> Problem:
    """What was typed that raises it alone, or without which it would not be raised."""
    what = first_line(error)
    what += f": {error.__cause__}" if error.__cause__ else ""
    if _LOGS in _passed(error):
        logs = ("hydra.job_logging", "hydra.hydra_logging")
        own = [text.lstrip("+~").partition("=") for text in typed]
        key, given = next(((k, v) for k, _, v in own if k.startswith(logs)), (logs[0], ""))
        return Problem(key, given, f"the log cannot be set up: {what}")
    for text in typed if _composing(list(typed)) is not None else ():
        others = [other for other in typed if other != text]
        if str(_composing([text])) == str(error) or _composing(others) is None:
            key, _, given = text.lstrip("+~").partition("=")
            return Problem(key, given, f"cannot be this: {what}")
    for text in typed:
        key, _, given = text.lstrip("+~").partition("=")
        if f"'{text}'" in str(error) or f"'{key}'" in str(error):
            return Problem(key, given, f"cannot be this: {what}")
    return Problem("configuration", "", what)


def _composing(typed: list[str]) -> Exception | None:
    """What is raised when this is composed; None if nothing is."""
    with own_hydra() as loader:
        try:
            loader.load_configuration(PRIMARY, typed, RunMode.MULTIRUN, False, False)
        except Exception as error:
            return error
    return None


def _not_utf8() -> Iterator[Path]:
    """The files of a user's options that are no text in UTF-8."""
    for path in user_folder().rglob("*.yaml"):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            yield path
