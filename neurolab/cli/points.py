"""The configurations of many points, composed once for each set of options.

Hydra takes a tenth of a second to compose a configuration; the points of a sweep mostly differ in
values.  So one is composed for each set of overrides that do more than give an existing key a
value (a template), and a second, of another point, to prove that values alone make up the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hydra.core.config_loader import ConfigLoader
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.progress import track

from neurolab.cli.conf import effective, is_group
from neurolab.cli.diagnose import THERE, diagnose
from neurolab.cli.forms import read_plan
from neurolab.cli.overrides import leaves, referred_to, refers
from neurolab.problems import ConfigError, Problem, did_you_mean
from neurolab.results.axes import plain_key
from neurolab.results.plan import Plan, Reference, flat

__all__ = ["Composer", "compose_plan", "diagnose_sweep"]

#: What Hydra and OmegaConf raise for what was typed.
_REFUSED = (HydraException, OmegaConfBaseException, ValueError)


class Composer:
    """Composes the configuration of a job from its overrides, as Hydra's launchers do."""

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.loader, self.master = loader, master

    def __call__(self, overrides: Sequence[str]) -> DictConfig:
        return self.loader.load_sweep_config(self.master, list(overrides))

    def is_group(self, key: str) -> bool:
        """Whether a key chooses an option rather than giving a value."""
        return is_group(key, self.loader)


def compose_plan(plan: Plan, compose: Composer) -> list[tuple[tuple[Problem, ...], np.ndarray]]:
    """Give a plan its templates; returns what Hydra refuses, and the points that have it."""
    for axis in plan.axes:
        options = [
            column
            for key, column in axis.columns.items()
            if not column.plain
            or "@" in key
            or key[:6] == "hydra."
            or "null" in (column.texts or ())  # null may stand for what follows from others
            or compose.is_group(plain_key(key))
        ]
        for one in options:
            one.mark_options()
        seen: dict[Any, int] = {}
        rows = zip(*(one.texts or () for one in options), strict=True)
        codes = [seen.setdefault(row, len(seen)) for row in rows]
        axis.kinds = np.array(codes or np.zeros(len(axis)), np.int64)
    plan.which = np.full([int(axis.kinds.max()) + 1 for axis in plan.axes], -1, np.int64)
    refused = []
    kinds = list(np.ndindex(*plan.which.shape))
    console = Console(stderr=True)
    quiet = not console.is_terminal or len(kinds) < 3
    for kind in track(kinds, "composing", console=console, transient=True, disable=quiet):
        places = [np.flatnonzero(axis.kinds == k) for axis, k in zip(plan.axes, kind, strict=True)]
        first, last = (_point(plan, [p[end] for p in places]) for end in (0, -1))
        try:
            template, references = _compose(plan, compose, first, last, places)
        except ConfigError:
            raise
        except _REFUSED as error:
            job = plan.overrides(first)
            found = _no_options(job, compose) or diagnose(job)
            found = [_of_swept(one) for one in found]
            found = found or [Problem("configuration", "", str(error).splitlines()[0])]
            inside = np.ravel_multi_index(np.ix_(*places), plan.shape) if places else np.zeros(1)
            refused.append((tuple(found), np.asarray(inside, np.int64).ravel()))
            continue
        plan.which[kind] = len(plan.templates)
        if references:
            plan.references[len(plan.templates)] = references
        plan.templates.append(template)
    return refused


def _no_options(job: Sequence[str], compose: Composer) -> list[Problem]:
    """Groups that are to have no option, which Hydra cannot say clearly."""
    nulls = [plain_key(text.removesuffix("=null")) for text in job if text.endswith("=null")]
    return [
        Problem(key, "null", did_you_mean("null", compose.loader.get_group_options(key)))
        for key in nulls
        if compose.is_group(key)
    ]


def _of_swept(problem: Problem) -> Problem:
    """Of a key that is added (``+``), and is there already with an option that is swept, where
    without + it would not be there."""
    if not problem.advice.startswith(THERE):
        return problem
    advice = "is there already, in an option which is swept; type "
    return replace(problem, advice=f"{advice}++{problem.key}={problem.given}")


def _point(plan: Plan, places: Sequence[int]) -> int:
    return int(np.ravel_multi_index(tuple(places), plan.shape)) if places else 0


def _compose(
    plan: Plan, compose: Composer, first: int, last: int, places: Sequence[np.ndarray]
) -> tuple[dict[str, Any], list[Reference]]:
    """The template of the points at some places, and what of it refers to swept keys."""
    job = plan.overrides(first)
    config = compose(job)
    # how points are computed is no part of what a point is
    own = [str(key) for key in config if key not in ("hydra", "sweep")]
    plain = dict(flat(OmegaConf.to_container(OmegaConf.masked_copy(config, own))))
    template = effective(config, job)
    template.pop("sweep", None)
    refer = {key: list(filter(refers, leaves(value))) for key, value in plain.items()}
    references = _references(plan, config, template, refer, places)
    if first != last:
        timed = {key for key, value in plain.items() if "${now:" in str(value)}
        _prove(plan, template, references, compose, last, timed)
    return template, references


def _references(
    plan: Plan,
    config: DictConfig,
    template: dict[str, Any],
    refer: dict[str, list[str]],
    places: Sequence[np.ndarray],
) -> list[Reference]:
    """The values of a template that refer to swept keys, for each combination of these."""
    swept = [{plain_key(k): c for k, c in axis.columns.items() if c.plain} for axis in plan.axes]
    numbered = list(map(plain_key, plan.numbered))
    texts = [text for some in refer.values() for text in some]
    reached = referred_to(texts, [*numbered, *(key for keys in swept for key in keys)])
    swept = [{k: column for k, column in keys.items() if k in reached} for keys in swept]
    every = not reached.isdisjoint(numbered)
    axes = tuple(number for number, keys in enumerate(swept) if keys or every)
    if not reached:
        return []
    known = set(dict(flat(template)))
    of = np.zeros([plan.shape[number] for number in axes], np.int64)
    rows: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for at in itertools.product(*(places[number].tolist() for number in axes)):
        values = {
            key: column.value(place)
            for number, place in zip(axes, at, strict=True)
            for key, column in swept[number].items()
        }
        if every:
            point = _point(plan, at)
            values |= {plain_key(k): plan.numbered_value(k, point) for k in plan.numbered}
        name = str(list(values.values()))
        if name not in seen:
            seen[name] = len(rows)
            for key, value in values.items():
                OmegaConf.update(config, key, value)
            found = {k: _plain(OmegaConf.select(config, k)) for k, some in refer.items() if some}
            rows.append({k: v for k, v in flat(found) if k in known})
        of[at] = seen[name]
    return [Reference(axes, of, rows)]


def _prove(
    plan: Plan,
    template: dict[str, Any],
    references: list[Reference],
    compose: Composer,
    point: int,
    timed: Collection[str],
) -> None:
    """That the configuration of a point is that of another with its own values in place; else no
    point could be trusted to have what it is labelled with.  What is ``timed`` always differs."""
    job = plan.overrides(point)
    composed = effective(compose(job), job)
    composed.pop("sweep", None)
    values = plan.changes(point)
    for reference in references:
        at = tuple(plan.places(point)[number] for number in reference.axes)
        values |= reference.rows[int(reference.of[at])]
    theirs = dict(flat(composed))
    ours = dict(flat(template)) | dict(pair for k, v in values.items() for pair in flat(v, k))
    for key in (ours.keys() | theirs.keys()).difference(timed):
        if ours.get(key) != theirs.get(key):
            advice = (
                f"is {theirs.get(key)} where point {point} is composed and {ours.get(key)} by "
                "its values alone: two overrides give it a value, or it refers to one in a way "
                "that is not followed. Give it once, or compose each point by itself: "
                "hydra/launcher=basic"
            )
            raise ConfigError([Problem(key, "", advice)])


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def diagnose_sweep(overrides: Iterable[str]) -> list[Problem]:
    """What is wrong with the arguments of a sweep that Hydra refused."""
    try:
        plan = read_plan(list(overrides))
    except ConfigError as error:
        return list(error.problems)
    found = [p for point in {0, len(plan) - 1} for p in diagnose(plan.overrides(point))]
    swept = " and ".join(key for axis in plan.axes for key in axis.keys if "." not in key)
    if not found and swept:  # each point can be: it is what they have in common that cannot
        advice = f"is of {swept}, which is swept: options differ in their keys; type "
        unknown = tuple(one.key for one in diagnose([*plan.fixed.values()]))
        pairs = {text: text.partition("=") for text in plan.fixed.values()}
        found = [
            Problem(key, value, f"{advice}++{text}")
            for text, (key, _, value) in pairs.items()
            if unknown and key.startswith(unknown)
        ]
    return list(dict.fromkeys(found))
