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

import difflib
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from neurolab.cli.conf import parse, unreadable
from neurolab.cli.overrides import column
from neurolab.problems import Problems, did_you_mean
from neurolab.results.axes import Axis, Column, of_sweep, plain_key
from neurolab.results.plan import NUMBER, Plan
from neurolab.sweep.ranges import (
    MOST_POINTS,
    FormError,
    Interval,
    check_size,
    example,
    read_numbers,
    samples,
)

__all__ = ["hydra_form", "is_form", "plan_of", "quoted", "read_plan"]

_NAMES = ("linspace", "logspace", "range", "random", "sobol", "zip")
#: ``key=value``, but neither a flag nor the deletion of a key.
_ARGUMENT = re.compile(r"([^\s=~-][^\s=]*)=\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
#: What makes Hydra leave a zip of options to the sweeper, in place of looking for that option.
_HIDDEN = re.compile(r"choice\((.*)\)", re.DOTALL)
_CALL = re.compile(rf"\s*({'|'.join(_NAMES)})\s*(?:\((.*)\)|:(.*))\s*", re.DOTALL)
_TOKEN = re.compile(rf"\\.|{_QUOTED.pattern}|.", re.DOTALL)
#: An argument of the range that Hydra reads by itself.
_HYDRAS = re.compile(r"(?:\w+\s*=\s*)?[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?")
#: An argument that Hydra reads as text between colons.
_SAFE = re.compile(r"[A-Za-z0-9_.+\-*/%@]+")


class _Form(NamedTuple):
    """A value that is one of our forms, and how it was spelt."""

    key: str
    value: str
    quoted: bool
    hidden: bool
    name: str
    arguments: list[str]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"


class _Entry(NamedTuple):
    """What a key walks through, and on which axis; "" if it is fixed."""

    axis: str
    content: str | Column | Interval


def read_plan(overrides: Sequence[str], config_loader: Any = None, seed: int = 0) -> Plan:
    """The plan of a sweep's arguments, or a `ConfigError` with all that is wrong; random and Sobol
    samples have this seed."""
    problems = Problems()
    entries: dict[str, _Entry] = {}  # of a key given twice the last, at the place of the first
    for text in overrides:
        form = _form(text)
        key, _, value = text.partition("=")
        try:
            if form:
                key = _parsed(f"{form.key}=0").get_key_element()
                entries[key] = _read_form(form, key)
            else:
                override = _parsed(text)
                override.config_loader = config_loader
                key = override.get_key_element()
                if not key:
                    raise FormError("has no key; write key=value")
                entries[key] = _read_hydra(override, key)
        except FormError as error:
            advice = f"{error}; write for example {example(form.name)}" if form else str(error)
            problems.add(key or text, str(form) if form else value, advice)
        if key in entries and entries[key].axis and of_sweep(key):
            advice = "cannot be swept: it says how the points are computed; give it one value"
            problems.add(plain_key(key), value, advice)
    members: dict[str, list[str]] = {}
    for key, entry in entries.items():
        if entry.axis:
            members.setdefault(entry.axis, []).append(key)
    _check_overlaps(entries, problems)
    _check_sizes(members, entries, problems)
    problems.raise_if_any()
    axes = []
    for name, keys in members.items():
        contents: Any = {key: entries[key].content for key in keys}
        drawn = isinstance(entries[keys[0]].content, Interval)
        axes.append(Axis(plain_key(name), samples(contents, seed) if drawn else contents))
    fixed = {key: str(entry.content) for key, entry in entries.items() if not entry.axis}
    return Plan(tuple(entries), fixed, tuple(axes))


def plan_of(
    params: Mapping[str, Any] | None, arguments: Sequence[str], loader: Any, seed: int
) -> Plan:
    """The plan of a sweep; arguments replace what the configuration sweeps (``params``)."""
    typed = {plain_key(argument.partition("=")[0]) for argument in arguments}
    own = [
        f"{k}={'null' if value is None else value}"
        for k, value in (params or {}).items()
        if plain_key(k) not in typed
    ]
    return read_plan([*own, *arguments], loader, seed)


def is_form(argument: str) -> bool:
    """Whether the value of an argument is one of our forms."""
    return _form(argument) is not None


def hydra_form(argument: str, swept: bool = False) -> str:
    """An argument as Hydra's grammar accepts it: what it would refuse, with colons or quoted; of a
    sweep, and a zip that may be of options, as a choice, which Hydra leaves to the sweeper: the
    options that have its key may be swept, too."""
    form = _form(argument)
    if form is None or form.hidden or (form.quoted and not swept):
        return argument
    if swept or (form.name == "zip" and not re.fullmatch(r"[^@/]*\.[^@/]*", form.key)):
        return f"{form.key}=choice({quoted(form.value)})"
    if all(map(_SAFE.fullmatch, form.arguments)):
        return f"{form.key}={form.name}:{':'.join(form.arguments)}"
    return f"{form.key}={quoted(form.value)}"


def _form(argument: str) -> _Form | None:
    given = _ARGUMENT.fullmatch(argument)
    if given is None:
        return None
    key, value = given.groups()
    hidden = _HIDDEN.fullmatch(value)
    value = hidden[1] if hidden else value
    quoted = bool(_QUOTED.fullmatch(value))
    if quoted:
        value = re.sub(r"\\(['\"])", r"\1", value[1:-1])
    match = _CALL.fullmatch(value)
    if match is None:
        return None
    name, inside, after = match.groups()
    arguments = _split(after, ":") if inside is None else _split(inside, ",")
    hydras_own = name == "range" and inside is not None and not quoted
    if arguments is None or (hydras_own and all(map(_HYDRAS.fullmatch, arguments))):
        return None
    if hidden and not quoted:
        return None
    return _Form(key, value, quoted, bool(hidden), name, arguments)


def _split(text: str, mark: str) -> list[str] | None:
    """Pieces between marks that are in no brackets or quotes; None if brackets do not pair."""
    pieces, depth = [""], 0
    for token in _TOKEN.findall(text):
        depth += (token in "([{") - (token in "])}")
        if depth < 0:
            return None
        if token == mark and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += token
    return None if depth else [piece.strip() for piece in pieces]


def _parsed(text: str) -> Override:
    """What Hydra reads; a distribution such as ``normal(10 ms, 1 ms)`` as if it were quoted."""
    try:
        return parse(text)
    except HydraException as error:
        call = re.fullmatch(r"([^=]+)=\s*((\w+)\s*\(.*\))\s*", text, re.DOTALL)
        if call and call[3] not in _NAMES:
            from neurolab.config.values import DISTRIBUTIONS

            if call[3] in DISTRIBUTIONS:
                return parse(f"{call[1]}={quoted(call[2])}")
        raise FormError(unreadable(text, error)) from error


def _read_hydra(override: Override, key: str) -> _Entry:
    if not override.is_sweep_override():
        typed = str(override.input_line).partition("=")[2].strip()
        name, colon, _ = typed.partition(":")
        if colon and difflib.get_close_matches(name, _NAMES, cutoff=0.7):
            raise FormError(f"no form '{name}'; {did_you_mean(name, _NAMES)}")
        if NUMBER.fullmatch(typed.strip("'\"")):  # quoted too, it is a number
            typed = typed.strip("'\"")
        value = typed if "${" in typed else override.get_value_element_as_str()  # it escapes these
        return _Entry("", f"{key}={value}")
    if not override.is_discrete_sweep():
        raise FormError(
            "an interval has no points: write random(low, high, n), sobol(..) or linspace(..)"
        )
    try:  # no more of a range than it takes to see that it is too long
        values = tuple(itertools.islice(override.sweep_string_iterator(), MOST_POINTS + 1))
    except (HydraException, ValueError, ArithmeticError) as error:
        raise FormError(f"cannot be read: {error}") from error
    if not values:
        raise FormError("has no values")
    check_size(len(values))
    for value in values:
        if is_form(f"key={value}".replace("\\", "")):
            raise FormError("a list cannot hold a form; give the form alone, or all values")
    return _Entry(key, column(key, values))


def _read_form(form: _Form, key: str) -> _Entry:
    if form.name == "zip":
        return _Entry("zip", column(key, list(map(_zipped, form.arguments))))
    numbers = read_numbers(form.name, form.arguments)
    return _Entry("sample" if isinstance(numbers, Interval) else key, numbers)


def _zipped(text: str) -> str:
    """A value of any kind as a text that Hydra reads as that value."""
    if not text:
        raise FormError("a value is empty")
    try:
        several = is_form(f"key={text}") or parse(f"key={text}").is_sweep_override()
    except HydraException:
        return quoted(text)
    if several:
        raise FormError(f"{text} is a sweep itself")
    return text


def quoted(text: str) -> str:
    """A text in the quotes of Hydra's grammar."""
    return QuotedString(text, Quote.single).with_quotes()


def _check_sizes(
    members: dict[str, list[str]], entries: dict[str, _Entry], problems: Problems
) -> None:
    sizes = []
    for name, keys in members.items():
        own = [len(entries[key].content) for key in keys]
        sizes.append(own[0])
        if len(set(own)) > 1:
            sizes_given = ", ".join(f"{key} {size}" for key, size in zip(keys, own, strict=True))
            what = "zip(...) are walked together" if name == "zip" else "are sampled together"
            advice = f"{what}, so they need as many values each: {sizes_given}"
            problems.add(" ".join(keys), None, advice)
    try:
        check_size(math.prod(sizes))
    except FormError as error:
        problems.add("sweep", " x ".join(map(str, sizes)), str(error))


def _check_overlaps(entries: dict[str, _Entry], problems: Problems) -> None:
    """Two ways to give one key a value: which of them holds would depend on their order."""
    names = [(plain_key(key).replace("/", "."), key) for key in entries if key[:1] != "~"]
    names.sort()
    for (one, key), (other, inner) in itertools.pairwise(names):
        same = one == other or (other.startswith(f"{one}.") and _is_mapping(entries[key]))
        if same and (entries[key].axis or entries[inner].axis):
            advice = f"gives a value to what {key} gives one to; give it once"
            problems.add(inner, None, advice)


def _is_mapping(entry: _Entry) -> bool:
    """Whether some value has keys of its own; an option has not."""
    if isinstance(entry.content, str):
        return entry.content.partition("=")[2][:1] == "{"
    texts = getattr(entry.content, "texts", None) or ()
    return any((text or "")[:1] == "{" for text in texts)
