"""Keywords of Python as what is typed: ``neuron__b=5 * u.mA`` is ``neuron.b=5mA``.

Two underscores are a dot, or the slash of a group within a group; a text is as it is typed after
``=``; a mapping gives the keys below its own; a class is a model (``_target_``).  Of a sweep a
list, a range or an array is an axis, and a tuple is one value that is a list.

An array for a ``file`` is a file; one with a unit for an input is a recorded current, a row for
each step unless its ``sampling`` is given; one quantity for an input is a constant current.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from pathlib import PurePath
from typing import Any, NoReturn, ParamSpec, TypeVar

import numpy as np

from neurolab.cli.conf import conf_folder, user_folder
from neurolab.cli.given import option_of
from neurolab.problems import ConfigError, Problem
from neurolab.results.kept import as_file, safe

__all__ = ["listed", "told_as_keywords"]

P = ParamSpec("P")
T = TypeVar("T")
_FILE = re.compile(r"\S*/given_[0-9a-f]{16}\.npy")
#: Places that are added to, and the group of what is added.
_ADDED = {"inputs": "input", "receptors": "synapse"}


def listed(
    overrides: Iterable[str | Mapping[str, Any]], keys: Mapping[str, Any], swept: bool = False
) -> list[str]:
    """What would be typed: overrides, or networks as mappings, then keywords.

    Raises
    ------
    ConfigError
        For what is no list, several networks, or a value that cannot be typed.
    """
    if isinstance(overrides, Mapping):
        advice = "is one mapping; give a list: [{...}], or keywords: network={...}, neuron='lif'"
        raise ConfigError([Problem("overrides", str(overrides)[:60], advice)])
    if isinstance(overrides, str):
        listed = overrides.split()
        pairs = [text.partition("=") for text in listed if "=" in text]
        words = ", ".join(f"{key.replace('.', '__')}={value!r}" for key, _, value in pairs)
        also = f", or keywords: {words}" if len(pairs) == len(listed) and pairs else ""
        advice = f"is one text; give a list: {listed}{also}"
        raise ConfigError([Problem("overrides", overrides, advice)])
    found = list(overrides)
    if other := [one for one in found if not isinstance(one, str | Mapping)]:
        advice = "is no text; write 'key=value', or give keywords"
        raise ConfigError([Problem("overrides", f"{other[0]!r}"[:60], advice)])
    mappings = [one for one in found if isinstance(one, Mapping)]
    texts = [option_of(one) if isinstance(one, Mapping) else one for one in found]
    texts += _overrides(keys, swept)
    named = [text for text in texts if text.startswith("network=")]
    if mappings and len(named) > 1:
        other = [text for text in named if not text.startswith("network=given_")]
        advice = f"{other[0]} beside a mapping" if other else "several mappings"
        advice = f"is given by {advice}; there is one network: give one, and overrides of its keys"
        raise ConfigError([Problem("network", "", advice)])
    return texts


def told_as_keywords(function: Callable[P, T]) -> Callable[P, T]:
    """A function whose keywords are keys of a configuration: problems name them as they were
    given."""

    @wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> T:
        try:
            return function(*args, **keywords)
        except ConfigError as error:
            told = [_as_given(one, keywords) for one in error.problems]
            raise ConfigError(told) from error.__cause__

    return call


def _overrides(keywords: Mapping[str, Any], swept: bool) -> list[str]:
    given = {keyword.replace("__", "."): value for keyword, value in keywords.items()}
    found = [pair for key, value in given.items() for pair in _leaves(key, value)]
    leaves = dict(found)
    if len(found) > len(leaves) or len(given) < len(keywords):
        seen = Counter(key for keyword, value in keywords.items()
            for key, _ in _leaves(keyword.replace("__", "."), value))  # fmt: skip
        twice = next(key for key, count in seen.items() if count > 1)
        _refuse(twice, leaves[twice], "is given twice among the keywords")
    pairs = [pair for key, value in leaves.items() for pair in _with_file(key, value, leaves)]
    return [_override(key, value, swept) for key, value in pairs]


def _as_given(problem: Problem, keywords: Mapping[str, Any]) -> Problem:
    """A problem with the keyword of whose key its own is all, or the beginning, or of whose array
    it is; and arrays in place of their files."""
    key = problem.key.replace("/", ".")
    given, advice = (_FILE.sub("the array", text) for text in (problem.given, problem.advice))
    for keyword, value in keywords.items():
        dotted = keyword.replace("__", ".")
        if f"{dotted}.".startswith(f"{key}.") and "." in key:
            return Problem(key.replace(".", "__"), given, advice)
        added = key == _ADDED.get(dotted.partition(".")[0]) and value == problem.given
        if added or (key.startswith(f"{dotted}.") and _is_array(value)):
            return Problem(keyword, given, advice)
    return Problem(problem.key, given, advice)


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value and key != "network":
        for name, inner in value.items():
            yield from _leaves(f"{key}.{name}", inner)
    else:
        yield key, value


def _with_file(key: str, value: Any, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A key with its value; of an array that is to be a file the key with its name, and what
    tells its unit."""
    above, _, name = key.rpartition(".")
    if name == "file" and isinstance(value, list) and value and all(map(_is_array, value)):
        yield key, [_file(key, one) for one in value]
        return
    signal = key == "input" or above.endswith("inputs")
    if signal and hasattr(value, "mantissa") and np.ndim(_number(value)) == 0:
        yield from ((key, "constant"), (f"{key}.amplitude", value))
        return
    if not (_is_array(value) and (name == "file" or (signal and np.ndim(_number(value))))):
        yield key, value
        return
    if signal:
        yield key, "current_from_file"
        above = key
        if not hasattr(value, "unit") and f"{key}.unit" not in given:
            _refuse(key, value, "has no unit; give a quantity as samples * u.nA, or its unit too")
        if f"{key}.sampling" not in given:
            yield f"{key}.sampling", "${dt}"
    yield f"{above}.file", _file(key, value)
    if hasattr(value, "unit") and f"{above}.unit" not in given:
        from neurolab.units import unit_text

        if not (unit := unit_text(value.unit)):
            _refuse(key, value, "has a unit without a name; give it in one such as nA")
        yield f"{above}.unit", unit


def _file(key: str, value: Any) -> PurePath:
    array = np.asarray(_number(value))
    if array.dtype.kind not in "fiub":
        _refuse(key, value, "is no array of numbers")
    return as_file(array)


def _override(key: str, value: Any, swept: bool) -> str:
    if key == "network" and isinstance(value, Mapping):
        return option_of(value)
    if isinstance(value, type):
        key, value = f"{key}._target_", f"{value.__module__}.{value.__qualname__}"
    text = _text(key, value, swept)
    root, _, name = key.partition(".")
    if isinstance(value, str) and root in _ADDED and name and "." not in name:
        return f"+{_ADDED[root]}@{key}={text}"
    if root == "vars":
        return f"++{key}={text}"
    group = key.replace(".", "/")
    if any((place / group).is_dir() for place in (conf_folder(), user_folder())):
        if isinstance(value, list | tuple) and not swept:
            _refuse(key, value, "are several options, and this is one run: use neurolab.run_sweep")
        key = group
    return f"{key}={text}"


def _text(key: str, value: Any, swept: bool) -> str:
    """A value as it is typed, after ``=``."""
    if hasattr(value, "mantissa"):
        value = _quantities(key, value)
    elif _is_array(value):
        value = _floats(np.asarray(value))
    if isinstance(value, range):
        value = list(value)
    if isinstance(value, list | tuple):
        if any(isinstance(one, Mapping) for one in value):
            below = (
                "give one network, and sweep its keys"
                if key == "network"
                else f"{key}={{'a': [..]}}"
            )
            _refuse(key, value, f"is a list of mappings; an axis is of one key: {below}")
        values = [_text(key, one, swept=False) for one in value]
        if not (swept and isinstance(value, list)):
            return f"[{','.join(values)}]"
        if not values:
            _refuse(key, value, "is an axis without values")
        return ",".join(values)
    if isinstance(value, PurePath):
        return safe(str(value))
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping) and not value:
        return "{}"
    _refuse(key, value, "give a number, a text, a quantity, a list or array of them, or a mapping")


def _quantities(key: str, quantity: Any) -> Any:
    """A quantity, or nested lists of them, as ``5mA``; an array's in its own precision."""
    from brainunit import Quantity

    from neurolab.units import format_quantity

    factor, _, unit = format_quantity(Quantity(1.0, unit=quantity.unit)).partition(" ")
    unit = unit.removeprefix("1") if unit.startswith("1/") else unit

    def of(numbers: Any) -> Any:
        if isinstance(numbers, list):
            return [of(one) for one in numbers]
        number = numbers if factor == "1" else numbers * float(factor)
        return safe(f"{number!r}{unit}")

    return of(_floats(np.asarray(quantity.mantissa)))


def _floats(array: np.ndarray) -> Any:
    """Numbers in lists; of float32 those that a person would write."""
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        array = array.astype(str).astype(np.float64)
    return array.tolist()


def _number(value: Any) -> Any:
    return value.mantissa if hasattr(value, "mantissa") else value


def _is_array(value: Any) -> bool:
    return isinstance(value, np.generic) or hasattr(value, "__array__")


def _refuse(key: str, value: Any, advice: str) -> NoReturn:
    raise ConfigError([Problem(key, f"{type(value).__name__} {value!r}"[:60], advice)])
