"""How the arguments of a sweep become axes and points.

Hydra's own sweeps (``14Hz,16Hz``, ``choice(..)``, ``range(1,5)``) keep their meaning.  Beside them
a value may be one of

    linspace(start, stop, n)     n values at equal distances, both ends included
    logspace(start, stop, n)     n values at equal ratios, both ends included
    range(start, stop, step)     the stop left out; also range(start, stop) and range(stop)
    random(low, high, n[, log])  n points drawn uniformly, or uniformly in the logarithm
    sobol(low, high, n[, log])   n points of a scrambled Sobol sequence
    zip(a, b, c)                 values that are walked together with those of all other zip(...)

with units, or with colons, ``linspace:0mA:50mA:11``, which a shell takes without quotes.  All keys
with random or sobol are sampled together, n points for all of them.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from neurolab.problems import Problem, Problems
from neurolab.sweep.ranges import FormError, samples, values_of

__all__ = ["Axis", "Plan", "hydra_form", "is_form", "read_plan"]

_NAMES = ("linspace", "logspace", "range", "random", "sobol", "zip")
_JOINT = {"random": "sample", "sobol": "sample", "zip": "zip"}
_CALL = re.compile(rf"\s*({'|'.join(_NAMES)})\s*(?:\((.*)\)|:(.*))\s*", re.DOTALL)
_KEY = re.compile(r"[+~]*[A-Za-z_][\w./@-]*")
_MOST_POINTS = 10**6


@dataclass(frozen=True)
class Axis:
    """Keys that are walked together, and the text of each one's value at every place."""

    name: str
    keys: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plan:
    """What is the same for all points, and the axes that they span."""

    order: tuple[str, ...]
    fixed: dict[str, str]
    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Places along each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def points(self) -> list[list[str]]:
        """The overrides of every point, the last axis fastest, in the order they were given."""
        points = []
        for places in itertools.product(*(axis.values for axis in self.axes)):
            texts = dict(self.fixed)
            for axis, values in zip(self.axes, places, strict=True):
                texts |= {k: f"{k}={value}" for k, value in zip(axis.keys, values, strict=True)}
            points.append([texts[key] for key in self.order])
        return points


@dataclass
class _Form:
    """A value that is one of our forms."""

    key: str
    name: str
    arguments: list[str]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"


def read_plan(overrides: Sequence[str], config_loader: Any = None, seed: int = 0) -> Plan:
    """The plan of a sweep's arguments; ``seed`` is that of random and Sobol samples.

    Raises
    ------
    ConfigError
        With all that is wrong.
    """
    problems = Problems()
    parser = OverridesParser.create(config_loader)
    fixed: dict[str, str] = {}
    forms: dict[str, _Form] = {}
    grids: dict[str, tuple[str, ...]] = {}
    order: dict[str, None] = {}
    for text in overrides:
        form = _form(text)
        try:
            if form is None:
                override = parser.parse_override(text)
                key = override.get_key_element()
            else:
                key = form.key
        except HydraException as error:
            advice = f"cannot be read: {str(error).splitlines()[0]}; quote it: 'key=\"...\"'"
            problems.add(text, None, advice)
            continue
        order[key] = None
        for known in (fixed, forms, grids):
            known.pop(key, None)
        if form is not None:
            forms[key] = form
        else:
            _read_hydra(override, key, fixed, grids, problems)
    for key in list(forms):
        if forms[key].name not in _JOINT:
            try:
                grids[key] = tuple(map(_quoted, values_of(forms[key].name, forms[key].arguments)))
            except FormError as error:
                problems.add(key, str(forms.pop(key)), str(error))
    axes: dict[str, Axis] = {}
    for key in order:
        if key in grids:
            axes[key] = Axis(key, (key,), tuple((value,) for value in grids[key]))
        elif key in forms and forms[key].name in _JOINT:
            name = _JOINT[forms[key].name]
            if name not in axes:
                members = [f for f in forms.values() if _JOINT.get(f.name) == name]
                axes[name] = _joint(name, members, seed, problems)
    plan = Plan(tuple(order), fixed, tuple(axes.values()))
    if math.prod(plan.shape) > _MOST_POINTS:
        shape = " x ".join(map(str, plan.shape))
        problems.add("sweep", shape, f"{math.prod(plan.shape):.3g} points; at most {_MOST_POINTS}")
    problems.raise_if_any()
    return plan


def _read_hydra(
    override: Override,
    key: str,
    fixed: dict[str, str],
    grids: dict[str, tuple[str, ...]],
    problems: Problems,
) -> None:
    if not override.is_sweep_override():
        fixed[key] = f"{key}={override.get_value_element_as_str()}"
    elif override.is_discrete_sweep():
        grids[key] = tuple(map(str, override.sweep_string_iterator()))
    else:
        advice = "an interval has no points: write random(low, high, n), sobol(..) or linspace(..)"
        problems.add(key, str(override.input_line).partition("=")[2], advice)


def _joint(name: str, members: Sequence[_Form], seed: int, problems: Problems) -> Axis:
    """The axis of keys that are walked together."""
    columns: dict[str, list[str]] = {}
    dimensions = {"random": 0, "sobol": 0}
    for form in members:
        try:
            if form.name == "zip":
                columns[form.key] = values_of("zip", form.arguments)
            else:
                count = sum(other.name == form.name for other in members)
                place = (dimensions[form.name], count)
                columns[form.key] = samples(form.name, form.arguments, place, seed)
                dimensions[form.name] += 1
        except FormError as error:
            problems.add(form.key, str(form), str(error))
    lengths = {key: len(column) for key, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} {n}" for key, n in lengths.items())
        what = "zip(...) are walked together" if name == "zip" else "are sampled together"
        problems.add(" ".join(lengths), None, f"{what}, so they need as many values each: {told}")
        return Axis(name, tuple(columns), ())
    rows = zip(*(map(_quoted, column) for column in columns.values()), strict=True)
    return Axis(name, tuple(columns), tuple(rows))


def is_form(argument: str) -> bool:
    """Whether the value of an argument is one of our forms."""
    return _form(argument) is not None


def hydra_form(argument: str) -> str:
    """An argument as Hydra's grammar accepts it: what it would refuse, with colons or quoted."""
    form = _form(argument)
    if form is None or "(" not in argument.partition("=")[2].lstrip("'\"")[:12]:
        return argument
    if form.name == "range" and all(re.fullmatch(r"[+-]?[\d.]+", a) for a in form.arguments):
        return argument
    if any(re.search(r"[\s,:\[\](){}'\"=]", a) for a in form.arguments):
        text = ", ".join(form.arguments).replace("'", '"')
        return f"{form.key}='{form.name}({text})'"
    return f"{form.key}={form.name}:{':'.join(form.arguments)}"


def _form(argument: str) -> _Form | None:
    key, equals, value = argument.partition("=")
    value = value.strip()
    if value[:1] in ("'", '"') and value[-1:] == value[:1]:
        value = value[1:-1]
    match = _CALL.fullmatch(value)
    if not equals or match is None or not _KEY.fullmatch(key):
        return None
    name, inside, colons = match.groups()
    arguments = _split(inside, ",") if inside is not None else _split(colons, ":")
    hydras_own = name == "range" and inside is not None and all(_is_number(a) for a in arguments)
    return None if hydras_own else _Form(key, name, arguments)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"(start=|stop=|step=)?[+-]?[\d.]+(e[+-]?\d+)?", text))


def _split(text: str, mark: str) -> list[str]:
    """Pieces between marks that are in no brackets."""
    pieces, depth = [""], 0
    for letter in text:
        depth += (letter in "[({") - (letter in "])}")
        if letter == mark and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return [piece.strip() for piece in pieces]


def _quoted(text: str) -> str:
    """A value as Hydra's grammar reads it back."""
    text = text.replace("µ", "u").replace("μ", "u").replace("Ω", "ohm")
    try:
        OverridesParser.create().parse_override(f"k={text}") if not _PLAIN.fullmatch(text) else None
    except HydraException:
        return "'" + text.replace("'", "\\'") + "'"
    return text


_PLAIN = re.compile(r"[\w./*+-]+")


def unread(arguments: Sequence[str]) -> list[Problem]:
    """Arguments that ask for a sweep where none was asked for."""
    found = [argument.partition("=") for argument in arguments if is_form(argument)]
    return [Problem(key, value, "is a sweep: add -m") for key, _, value in found]
