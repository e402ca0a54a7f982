"""Why a configuration cannot be composed: all that is wrong with it, each with key and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from neurolab.cli.conf import (
    PRIMARY,
    effective,
    options_of,
    own_hydra,
    parse,
    unreadable,
    user_folder,
)
from neurolab.cli.parts import not_chosen, of_one_alone, shared, told_once
from neurolab.problems import ConfigError, Problem, Problems, did_you_mean

if TYPE_CHECKING:
    from neurolab.config.experiment import Experiment

__all__ = [
    "asks_for_a_sweep",
    "checked",
    "diagnose",
    "explained",
    "given_twice",
    "not_of_a_run",
    "sweeps_in",
]

_SEARCH = "hydra.searchpath="


def diagnose(overrides: Iterable[str], primary: str = PRIMARY) -> list[Problem]:
    """All that is wrong with overrides that Hydra refused, the values of the rest included.

    ``primary`` is the file that the configuration begins with; where else options are found is said
    by an override of ``hydra.searchpath``.
    """
    overrides = list(overrides)
    problems = Problems()
    groups: list[str] = []
    values: list[tuple[str, Override]] = []
    with own_hydra() as loader:
        elsewhere = [text for text in overrides if text.startswith(_SEARCH)]
        files = loader.get_group_options("", overrides=elsewhere)
        if primary not in files:
            known = did_you_mean(primary, [name for name in files if not name.startswith("_")])
            advice = f"no such file; {known}; your own goes into ./conf or the --config-dir"
            return [Problem("--config-name", primary, advice)]
        for text in overrides:
            several = sweeps_in([text])
            problems.found += several
            override = None if several else _read(text, problems)
            if override is None:
                continue
            options = options_of(override.key_or_group, loader, elsewhere)
            if options and "." not in override.key_or_group:
                if _known_option(override, options, problems):
                    groups.append(text)
            elif override.is_hydra_override() and ".launcher." not in override.key_or_group:
                groups.append(text)
            else:
                values.append((text, override))
        refused: list[str] = []
        while True:
            try:
                config = compose(primary, groups, return_hydra_config=True)
                break
            except (HydraException, OmegaConfBaseException) as error:
                problem = _refused(error, loader)
                problems.found.append(problem)
                blamed = [t for t in groups if t.lstrip("+~").partition("=")[0] == problem.key]
                if not blamed:
                    return problems.found
                groups.remove(blamed[-1])
                refused.append(blamed[-1])
        another = {problem.key: problem for problem in not_chosen(config, refused)}
        problems.found = [another.get(problem.key, problem) for problem in problems.found]
        try:
            fitting = [text for text, override in values if _known_key(config, override, problems)]
            config = compose(primary, groups + fitting, return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            problems.add("configuration", None, str(error).splitlines()[0])
            return problems.found
    try:
        checked(config, groups + fitting)
    except ConfigError as error:
        told = {problem.key for problem in problems.found}
        problems.found += [problem for problem in error.problems if problem.key not in told]
    return problems.found


#: What Hydra says of an option that it cannot use: the key, what was given, and what to do.
_REFUSED = (
    (r"Could not override '([^']+)'()", "is part of no option that is chosen; choose one that has "
     "it, as synapse=expon or input=poisson_rates"),
    (r"Could not find '(.+)/([^/']+)'", ""),
    (r"Multiple values for ([^ .]+)()\.", "is chosen twice; {rest}"),
    (r"Error merging override ([^=]+)=(.*)", "cannot be this; leave it out"),
)  # fmt: skip


def _refused(error: Exception, loader: ConfigLoader) -> Problem:
    """What Hydra raised for an option, as a problem of its key."""
    what = str(error).splitlines()[0]
    for pattern, advice in _REFUSED:
        if found := re.search(pattern, what):
            key, given = found.groups()
            rest = re.sub(r"'override (\w)", r"'override /\1", what[found.end() :].strip())
            known = advice or did_you_mean(given, options_of(key, loader, []))
            return Problem(key, given, known.format(rest=rest))
    return Problem("configuration", "", what)


@contextmanager
def explained(find: Callable[[], list[Problem]]) -> Iterator[None]:
    """What Hydra and OmegaConf raise, as a `ConfigError` with what ``find`` says is wrong."""
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
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        problems = find()
        if not problems and not isinstance(error, (HydraException, OmegaConfBaseException)):
            raise
        raise ConfigError(problems or [Problem("configuration", "", str(error))]) from None


def _not_utf8() -> Iterator[Path]:
    """The files of a user's options that are no text in UTF-8."""
    for path in user_folder().rglob("*.yaml"):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            yield path


def asks_for_a_sweep(overrides: Iterable[str], primary: str = PRIMARY) -> bool:
    """Whether ``hydra.mode``, as it was typed or as an experiment has it, says so."""
    words = ("hydra.", "experiment=")
    asked = [text for text in overrides if text.startswith(words)]
    with own_hydra():
        hydra: Any = GlobalHydra.instance().hydra
        return bool(asked) and hydra.get_mode(primary, asked) == RunMode.MULTIRUN


def sweeps_in(overrides: Iterable[str]) -> list[Problem]:
    """The overrides that have several values, where one was wanted."""
    swept = [text.partition("=") for text in overrides if _is_sweep(text)]
    return [Problem(key, value, _SWEEP + _decimal(value)) for key, _, value in swept]


def not_of_a_run(overrides: Iterable[str]) -> list[Problem]:
    """The overrides that only a sweep can have: several values, and settings of sweeps."""
    from neurolab.results.axes import of_sweep, plain_key

    overrides = list(overrides)
    pairs = [text.partition("=") for text in overrides]
    advice = "is for sweeps, and this is none: add -m (neurolab.run_sweep in Python)"
    settings = [Problem(plain_key(k), value, advice) for k, _, value in pairs if of_sweep(k)]
    return [*sweeps_in(overrides), *settings]


def given_twice(overrides: Iterable[str]) -> list[Problem]:
    """The keys that a command gives two values: of options and values Hydra takes the last, in
    silence.  Mappings are merged, and what is taken out (``~``) may be added again."""
    given: dict[str, list[str]] = {}
    for text in overrides:
        key, _, value = text.partition("=")
        if not (value.startswith("{") or key.startswith("~")):
            given.setdefault(key.lstrip("+"), []).append(value)
    several = {key: " and ".join(dict.fromkeys(some)) for key, some in given.items()}
    return [
        Problem(key, "", f"is given twice: {several[key]}; leave one out")
        for key, some in given.items()
        if len(set(some)) > 1
    ]


_SWEEP = "is a sweep: add -m (neurolab.run_sweep in Python); a list is written [a,b]"


def _decimal(value: str) -> str:
    """What to do about 5,5ms."""
    comma = re.fullmatch(r"[+-]?\d+,\d+[^,\d]*", value)
    return f"; a decimal has a point: {value.replace(',', '.')}" if comma else ""


def _is_sweep(text: str) -> bool:
    if not any(mark in text for mark in ",:("):
        return False
    from neurolab.cli.forms import is_form

    try:
        return is_form(text) or parse(text).is_sweep_override()
    except HydraException:
        return False


def _read(text: str, problems: Problems) -> Override | None:
    try:
        return parse(text)
    except HydraException as error:
        key, _, value = text.partition("=")
        problems.add(key, value, unreadable(text, error))
        return None


def _known_option(override: Override, options: list[str], problems: Problems) -> bool:
    value = override.value()
    if override.is_delete() or isinstance(value, dict):
        return True
    for option in value if isinstance(value, list) else [value]:
        given = "null" if option is None else str(option)
        if given not in options:
            folder = given.rpartition("/")[0]
            beside = [o for o in options if o.rpartition("/")[0] == folder]
            deeper = [o for o in options if o not in beside and o.endswith(f"/{given}")]
            hint = did_you_mean(given, beside + deeper if beside else options)
            if given.startswith("given_"):
                hint = "is a mapping that was given in Python: give it again, among what is typed"
            problems.add(override.key_or_group, given, hint)
            return False
    return True


def _known_key(config: Any, override: Override, problems: Problems) -> bool:
    """Whether an override is of a key that is in a configuration, or adds one."""
    key, value = override.key_or_group.replace("/", "."), override.value()
    if override.is_force_add():
        return True
    if override.is_add():
        new = isinstance(value, (dict, list)) or OmegaConf.select(config, key) is None
        if not new:
            problems.add(key, value, "is there already: leave out the +")
        return new
    node: Any = OmegaConf.to_container(config)
    path = key.split(".")
    for depth, name in enumerate(path, 1):
        known = [str(key) for key in node] if isinstance(node, dict) else []
        if name not in known:
            hint = did_you_mean(name, [k for k in known if k != "hydra" and not k.startswith("_")])
            if node == {}:
                above, add = ".".join(path[: depth - 1]), f"+{override.input_line}"
                hint = f"{above} is empty: choose an option that has this, or add it: {add}"
            hint = of_one_alone(config, key) or shared(config, str(override.input_line)) or hint
            given = value if depth == len(path) else None
            problems.add(".".join(path[:depth]), given, hint)
            return False
        node = node[name]
    return True


def checked(config: DictConfig, overrides: Iterable[str]) -> Experiment:
    """What a composed configuration asks for; a `ConfigError` tells all that is wrong with it."""
    try:
        plain = effective(config, overrides)
    except OmegaConfBaseException as error:
        what = str(error).splitlines()[0]
        key = str(error.full_key or "configuration")
        advice = f"cannot be resolved: {what}; refer to a key that --cfg job shows, or add one: "
        raise ConfigError([Problem(key, "", f"{advice}+vars.x=5")]) from None
    from neurolab.engine.device import prepare

    prepare(plain.get("device") or {})
    from neurolab.config.experiment import check

    try:
        return check(plain)
    except ConfigError as error:
        raise ConfigError(told_once(config, error.problems)) from None
