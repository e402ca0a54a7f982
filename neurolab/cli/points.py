"""The configurations of many points, composed once for each choice of options.

Hydra takes tens of milliseconds to compose a configuration; the points of a sweep mostly differ in
values.  So one configuration is composed for each set of overrides that do more than give an
existing key a value (a template), and a point is a template with changes.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neurolab.cli.compose import diagnose, effective
from neurolab.cli.forms import read_plan
from neurolab.problems import ConfigError, Problem

__all__ = ["Composer", "Point", "compose_points", "configuration", "diagnose_sweep", "simple_value"]


class Composer:
    """Composes the configuration of a job from its overrides, as Hydra's launchers do."""

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.loader, self.master = loader, master
        self._groups: dict[str, bool] = {}

    def __call__(self, overrides: Sequence[str]) -> DictConfig:
        return self.loader.load_sweep_config(self.master, list(overrides))

    def is_group(self, key: str) -> bool:
        """Whether a key chooses an option rather than giving a value."""
        if key not in self._groups:
            self._groups[key] = "." not in key and bool(self.loader.get_group_options(key))
        return self._groups[key]


@dataclass
class Point:
    """One configuration of a sweep: a template, and the values in which it differs from it."""

    index: int
    overrides: tuple[str, ...]
    template: int = -1
    changes: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def compose_points(
    jobs: Sequence[Sequence[str]], first: int, compose: Composer
) -> tuple[list[dict[str, Any]], list[Point]]:
    """The templates and points of the jobs' overrides; ``compose`` makes one configuration.

    What Hydra refuses is among a point's problems.
    """
    templates: list[dict[str, Any]] = []
    known: dict[Any, _Template] = {}
    points = []
    for index, job in enumerate(jobs, start=first):
        point = Point(index, tuple(job))
        points.append(point)
        values = {}
        rest = []
        for text in job:
            key, value = simple(text)
            if key and not compose.is_group(key):
                values[key] = value
            else:
                rest.append(text)
        kind = (tuple(rest), tuple(values))
        if kind not in known:
            known[kind] = _Template.of(list(job), values, compose)
            if known[kind].plain is not None:
                known[kind].number = len(templates)
                templates.append(known[kind].plain)
        template = known[kind]
        point.template, point.problems = template.number, template.problems
        if template.plain is not None:
            point.changes = template.changes(values)
    return templates, points


def diagnose_sweep(overrides: list[str]) -> list[Problem]:
    """What is wrong with the arguments of a sweep that Hydra refused."""
    try:
        points = read_plan(overrides).points()
    except ConfigError as error:
        return list(error.problems)
    found = [problem for point in {0, len(points) - 1} for problem in diagnose(points[point])]
    return list(dict.fromkeys(found))


@dataclass
class _Template:
    """A composed configuration, plain and as Hydra gave it where values refer to one another."""

    plain: Any
    values: dict[str, Any]
    number: int = -1
    problems: tuple[Problem, ...] = ()
    config: DictConfig | None = None
    overrides: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: list[str], values: dict[str, Any], compose: Composer) -> _Template:
        try:
            config = compose(job)
            plain = effective(config, job)
        except (HydraException, OmegaConfBaseException) as error:
            found = diagnose(job) or [Problem("configuration", "", str(error).splitlines()[0])]
            return cls(None, values, problems=tuple(found))
        own = OmegaConf.masked_copy(config, [str(k) for k in config if k != "hydra"])
        refers = any(_refers(text) for text in _leaves(OmegaConf.to_container(own)))
        return cls(plain, values, config=config if refers else None, overrides=tuple(job))

    def changes(self, values: dict[str, Any]) -> dict[str, Any]:
        """What differs from the template with other values of its keys."""
        changed = {k: v for k, v in values.items() if v != self.values[k]}
        if self.config is None or not changed:
            return changed
        config = copy.deepcopy(self.config)
        for key, value in changed.items():
            OmegaConf.update(config, key, value)
        before = dict(_flat(self.plain))
        after = dict(_flat(effective(config, self.overrides)))
        return {k: v for k, v in after.items() if k not in before or before[k] != v}


def configuration(template: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a point."""
    plain = copy.deepcopy(dict(template))
    for key, value in changes.items():
        set_value(plain, key, value)
    return plain


def set_value(plain: dict[str, Any], key: str, value: Any) -> None:
    """Give a dotted key a value."""
    *path, name = key.split(".")
    for step in path:
        plain = plain[step]
    plain[name] = value


def simple_value(key: str, text: str) -> Any:
    """The value that an override gives its key: ``0x5`` stays text, ``5`` is a number."""
    found, value = simple(f"{key}={text}")
    return value if found else text


_NUMBER = re.compile(r"[+-]?\d[\w.+*/-]*")


@cache
def simple(text: str) -> tuple[str, Any]:
    """Key and value of an override that does no more than give a key a value; or no key."""
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][\w.]*", key) or key.startswith("hydra."):
        return "", None
    if _NUMBER.fullmatch(value) and "_" not in value:  # Hydra's parser takes a millisecond
        for kind in (int, float):
            try:
                return key, kind(value)
            except ValueError:
                continue
        return key, value
    try:
        read = OverridesParser.create().parse_override(text).value()
    except HydraException:
        return "", None
    if isinstance(read, dict) or any(_refers(leaf) for leaf in _leaves(read)):
        return "", None
    return key, read


def _refers(text: Any) -> bool:
    """Whether a value refers to another key: ``${neuron.tau}``, not ``${oc.env:HOME}``."""
    return isinstance(text, str) and bool(re.search(r"\$\{(?!oc\.env:|now:)", text))


def _leaves(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        node = list(node.values())
    if not isinstance(node, list):
        yield node
        return
    for inner in node:
        yield from _leaves(inner)


def _flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for name, inner in node.items():
            yield from _flat(inner, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, node
