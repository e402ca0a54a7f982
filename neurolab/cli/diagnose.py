"""Why a configuration cannot be composed: all that is wrong with it, each with key and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neurolab.cli.conf import (
    PRIMARY,
    effective,
    options_of,
    own_hydra,
    parse,
    unreadable,
)
from neurolab.cli.parts import not_chosen, not_taken_out, of_one_alone, shared, told_once
from neurolab.cli.raised import first_line, refused_option
from neurolab.problems import ConfigError, Problem, Problems, did_you_mean, show

if TYPE_CHECKING:
    from neurolab.config.experiment import Experiment

__all__ = [
    "THERE",
    "asks_for_a_sweep",
    "checked",
    "diagnose",
    "given_twice",
    "not_of_a_run",
    "sweeps_in",
]

#: What is said of a key that is added and is there.
THERE = "is there already"
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
        try:
            files = loader.get_group_options("", overrides=elsewhere)
        except HydraException as error:  # of the search path
            return [refused_option(error, loader, overrides)]
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
                problem = refused_option(error, loader, groups)
                problems.found.append(problem)
                blamed = [t for t in groups if t.lstrip("+~").partition("=")[0] == problem.key]
                if not blamed:
                    return problems.found
                groups.remove(blamed[-1])
                refused.append(blamed[-1])
        theirs = [*not_chosen(config, refused), *not_taken_out(config, refused)]
        another = {problem.key: problem for problem in theirs}
        problems.found = [another.get(problem.key, problem) for problem in problems.found]
        try:
            fitting = [text for text, override in values if _known_key(config, override, problems)]
            config = compose(primary, groups + fitting, return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            problems.found.append(refused_option(error, loader, groups + fitting))
            return problems.found
    try:
        checked(config, groups + fitting)
    except ConfigError as error:
        told = {problem.key for problem in problems.found}
        problems.found += [problem for problem in error.problems if problem.key not in told]
    return problems.found


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


#: What is added by name, and the group of its options.
_NAMED = {"inputs": "input", "receptors": "synapse"}
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
    key, _, value = text.partition("=")
    try:
        override = parse(text)
    except HydraException as error:
        problems.add(key, value, unreadable(text, error))
        return None
    if not override.key_or_group:
        problems.add(text, None, "has no key; write key=value")
        return None
    return override


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
                hint = (
                    f"is a mapping that was given in Python; in a folder it is inputs/{given}.json"
                )
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
            problems.add(key, value, f"{THERE}: leave out the +")
        return new
    node: Any = OmegaConf.to_container(config)
    path = key.split(".")
    for depth, name in enumerate(path, 1):
        known = [str(key) for key in node] if isinstance(node, dict) else []
        if name not in known:
            hint = did_you_mean(name, [k for k in known if k != "hydra" and not k.startswith("_")])
            if depth == len(path) == 1 and (deeper := _deeper(node, name)):
                hint = f"did you mean {' or '.join(deeper)}?"
            above, add = ".".join(path[: depth - 1]), f"+{override.input_line}"
            if group := _NAMED.get(above):
                add = f"+{group}@{above}.{name}={value if depth == len(path) else '<option>'}"
            if depth > 1 and not isinstance(node, dict):
                hint = f"{above} is {show(node)}, which has no keys"
            elif node == {}:
                hint = f"{above} is empty: choose an option that has this, or add it: {add}"
            hint = of_one_alone(config, key) or shared(config, str(override.input_line)) or hint
            given = show(value) if depth == len(path) and value is not None else None
            problems.add(".".join(path[:depth]), given, hint)
            return False
        node = node[name]
    return True


def _deeper(node: dict[Any, Any], name: str) -> list[str]:
    """Where a configuration has a key of a name below its first keys."""
    return [f"{key}.{name}" for key, inner in node.items() if key != "hydra"
            and isinstance(inner, dict) and name in inner]  # fmt: skip


def checked(config: DictConfig, overrides: Iterable[str]) -> Experiment:
    """What a composed configuration asks for; a `ConfigError` tells all that is wrong with it."""
    overrides = list(overrides)
    try:
        plain = effective(config, overrides)
    except OmegaConfBaseException as error:
        what = first_line(error)
        refers = (text.lstrip("+~").partition("=")[0] for text in overrides if "${" in text)
        key = str(error.full_key or next(refers, "configuration"))
        advice = f"cannot be resolved: {what}; refer to a key that --cfg job shows, or add one: "
        raise ConfigError([Problem(key, "", f"{advice}+vars.x=5")]) from None
    from neurolab.engine.device import prepare

    prepare(plain.get("device") or {})
    from neurolab.config.experiment import check

    try:
        return check(plain)
    except ConfigError as error:
        problems = _replaced(config, list(overrides), error.problems)
        raise ConfigError(told_once(config, problems)) from None


def _replaced(
    config: DictConfig, overrides: list[str], problems: Sequence[Problem]
) -> list[Problem]:
    """The problems, where a part that is another's was replaced by one value of it
    (``++populations.I.neuron.tau=5ms``) with what to type in place of that."""
    lost = {one.key.removesuffix("._target_") for one in problems if one.key.endswith("._target_")}
    put = {text.lstrip("+").partition("=")[0]: text for text in overrides if text[:2] == "++"}
    put = {key: text for key, text in put.items() if key.rpartition(".")[0] in lost}
    if not put or "hydra" not in config:
        return list(problems)
    with own_hydra():
        rest = [text for text in overrides if text not in put.values()]
        before = compose(str(config.hydra.job.config_name), rest, return_hydra_config=True)
    told = {key: shared(before, text) for key, text in put.items()}
    instead = {f"{key.rpartition('.')[0]}._target_": key for key, advice in told.items() if advice}
    return [
        Problem(key, put[key].partition("=")[2], told[key])
        if (key := instead.get(one.key, ""))
        else one
        for one in problems
    ]
