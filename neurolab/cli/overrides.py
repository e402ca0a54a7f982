"""Overrides as keys and values, and the overrides of many jobs as the plan of a sweep."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from hydra.errors import HydraException

from neurolab.cli.conf import parse
from neurolab.results.axes import Axis, Column, plain_key
from neurolab.results.plan import Plan

__all__ = ["column", "leaves", "plan_of_jobs", "referred_to", "refers", "simple"]


def plan_of_jobs(jobs: Sequence[Sequence[str]]) -> Plan:
    """The plan of points whose overrides are known: a grid if they are one, else one axis."""
    given = [{text.partition("=")[0]: text for text in job} for job in jobs]
    order = list(dict.fromkeys(key for one in given for key in one))
    texts = {key: [one.get(key) for one in given] for key in order}
    fixed = {key: str(some[0]) for key, some in texts.items() if len(set(some)) == 1}
    if len(fixed) == len(order) and len(jobs) > 1:
        fixed.popitem()  # all are alike, and as many
    swept = {
        key: [None if text is None else text.partition("=")[2] for text in texts[key]]
        for key in order
        if key not in fixed
    }
    unique = {key: list(dict.fromkeys(some)) for key, some in swept.items()}
    places = list(zip(*swept.values(), strict=True))
    if swept and list(itertools.product(*unique.values())) == places:
        axes = [Axis(plain_key(key), {key: column(key, some)}) for key, some in unique.items()]
    else:
        axes = [Axis("point", {key: column(key, some) for key, some in swept.items()})]
    if len(jobs) == 1:
        axes = []
    return Plan(tuple(order), fixed, tuple(axes))


def column(key: str, texts: Sequence[str | None]) -> Column:
    """The column of some texts, with what each gives its key; marked where one does more."""
    bare = plain_key(key)
    found = Column.of(texts, lambda text: simple(f"{bare}={text}")[1])
    plain = found.texts is None or all(t is not None and simple(f"{bare}={t}")[0] for t in texts)
    if plain:
        return found
    return Column(np.array(texts, object), texts=tuple(texts), plain=False)


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
        read = parse(text).value()
    except HydraException:
        return "", None
    if isinstance(read, dict) or any("${" in str(leaf) for leaf in leaves(read)):
        return "", None
    return key, read


def refers(text: Any) -> bool:
    """Whether a value refers to another key: ``${neuron.tau}``, not ``${oc.env:HOME}``."""
    return isinstance(text, str) and bool(re.search(r"\$\{(?!oc\.env:|now:)", text))


def referred_to(texts: Iterable[str], swept: Iterable[str]) -> set[str]:
    """Of swept keys those that references may reach: ``${neuron}`` reaches ``neuron.tau``."""
    found: set[str] = set()
    keys = set(swept)
    for path in (path for text in texts for path in _REFERENCE.findall(text)):
        if _PATH.fullmatch(path):
            found |= {k for k in keys if f"{k}.".startswith(f"{path}.") or path.startswith(f"{k}.")}
        elif "${" in path:  # what it reaches is decided by a value
            return keys
        else:  # relative, or the arguments of a resolver: what has a name of theirs
            names = set(re.findall(r"\w+", path))
            found |= {k for k in keys if names.intersection(k.split(".")) or not names}
    return found


_REFERENCE = re.compile(r"\$\{((?:\$\{|[^{}])*)")
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")


def leaves(node: Any) -> Iterator[Any]:
    """The values of nested mappings and lists."""
    if isinstance(node, Mapping):
        node = list(node.values())
    if not isinstance(node, list):
        yield node
        return
    for inner in node:
        yield from leaves(inner)
