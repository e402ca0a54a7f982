"""``neurolab.models`` and ``neurolab.parameters``: what there is to choose, as tables.

neurolab.models(), neurolab.models("neuron")
neurolab.parameters("gif"), neurolab.parameters("synapse=alpha"), neurolab.parameters("ou")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf
from yaml import YAMLError

from neurolab.cli.conf import conf_folder, user_folder
from neurolab.problems import ConfigError, Problem, did_you_mean, show

if TYPE_CHECKING:
    import pandas as pd

    from neurolab.dynamics import Parameter

__all__ = ["models", "parameters"]

#: Groups whose options are models, and networks of them.
_GROUPS = ("neuron", "synapse", "synapse/output", "input", "input/rates", "connectivity",
    "integrator", "network")  # fmt: skip


def models(group: str | None = None) -> pd.DataFrame:
    """What may be chosen, built in or in ``./conf``: a row for each option, with its group, the
    class of its model (empty for networks, and where there is none) and a line of text.

    Parameters
    ----------
    group
        One, as ``"neuron"`` or ``"synapse/output"``; without it all.

    Raises
    ------
    ConfigError
        There is no such group, or a file in ``./conf`` cannot be read.
    """
    import pandas as pd

    if group is not None and group not in _GROUPS:
        raise ConfigError([Problem("group", str(group), did_you_mean(str(group), _GROUPS))])
    rows = [
        {"group": of, "option": name, "class": str(one.values.get("_target_") or ""),
         "text": one.text}
        for (of, name), one in _options().items() if group in (None, of)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["group", "option", "class", "text"])


def parameters(model: str | type) -> pd.DataFrame:
    """The parameters of a model: its default with unit, what it measures, its range, a line of
    text, and the source of the value where the option names one.

    Parameters
    ----------
    model
        An option, as ``"gif"`` or ``"naud2008/tonic"``, with its group where several have one of
        that name, as ``"synapse=none"``; or a class.

    Raises
    ------
    ConfigError
        There is no such option, or its class cannot be imported; it says what there is.
    """
    import pandas as pd

    from neurolab.config.classes import class_at, declared_parameters
    from neurolab.config.values import UnfitValueError

    option = _Option() if isinstance(model, type) else _chosen(model)
    target = option.values.get("_target_")
    try:
        found = model if isinstance(model, type) else class_at(target, object) if target else None
    except UnfitValueError as error:
        raise ConfigError([Problem(f"{model}._target_", str(target), str(error))]) from None
    declared = {} if found is None else declared_parameters(found)
    order = getattr(found, "ordered", ())
    rows = {
        name: {
            "default": _default(one, option.values, name),
            "measures": _measures(one),
            "range": _range(name, one, order),
            "text": one.doc,
            "source": option.sources.get(name, ""),
        }
        for name, one in declared.items()
        if one.part is None
    }
    columns = ["default", "measures", "range", "text", "source"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("parameter")


@dataclass
class _Option:
    """An option as its files have it, with those that it begins with."""

    text: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


def _options() -> dict[tuple[str, str], _Option]:
    return {key: _read(path) for key, path in _files()}


def _files() -> Iterator[tuple[tuple[str, str], Path]]:
    """The file of each option, by group and name; a user's in place of ours of that name."""
    found: dict[tuple[str, str], Path] = {}
    for folder in dict.fromkeys((conf_folder(), user_folder())):
        for path in folder.rglob("*.yaml"):
            place = path.relative_to(folder).with_suffix("").as_posix()
            group = max((g for g in _GROUPS if place.startswith(f"{g}/")), key=len, default="")
            if group:
                found[group, place.removeprefix(f"{group}/")] = path
    yield from sorted(found.items(), key=lambda one: (_GROUPS.index(one[0][0]), one[0][1]))


def _read(path: Path) -> _Option:
    """What an option gives: what it begins with (``/neuron/adexif@_here_``), then its own."""
    head = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        head += [] if "@package" in line else [line.lstrip("# ").strip()]
    try:
        found: Any = OmegaConf.to_container(OmegaConf.load(path))
    except (OSError, YAMLError) as error:
        raise ConfigError([Problem(str(path), "", f"cannot be read: {error}")]) from None
    found = found if isinstance(found, dict) else {}
    option = _Option(head[0] if head else "")
    for entry in found.pop("defaults", None) or ():
        if isinstance(entry, str) and entry.startswith("/") and entry.endswith("@_here_"):
            places = (f / f"{entry[1:].partition('@')[0]}.yaml" for f in _folders())
            there = [place for place in places if place.is_file()]
            base = _read(there[0]) if there else _Option()
            option.values |= base.values
            option.sources |= base.sources
    option.values |= found
    option.sources |= dict.fromkeys(found, " ".join(head[1:]))
    return option


def _folders() -> tuple[Path, Path]:
    return user_folder(), conf_folder()


def _chosen(model: str) -> _Option:
    group, equals, name = model.rpartition("=")
    files = {key: path for key, path in _files() if key[0] != "network"}
    found = [key for key in files if key[1] == name and (not equals or key[0] == group)]
    if len(found) == 1:
        return _read(files[found[0]])
    if found:
        advice = f"is of several groups: give {' or '.join(f'{g}={n}' for g, n in found)}"
    elif name in _GROUPS:
        advice = f"is a group, of which there are: {', '.join(n for g, n in files if g == name)}"
    else:
        own = [n for g, n in files if not equals or g == group]
        advice = did_you_mean(name, [n for n in own if "/" not in n or "/" in name] or own)
    raise ConfigError([Problem("model", model, advice)])


def _default(declared: Parameter, values: Mapping[str, Any], name: str) -> str:
    if name in values:
        return show(values[name])
    from brainunit import Quantity

    from neurolab.units import Relative, format_quantity

    value = declared.default
    return format_quantity(value) if isinstance(value, Quantity | Relative) else show(value)


def _measures(declared: Parameter) -> str:
    if declared.role:
        return declared.role
    if not declared.is_number:
        return ""
    from neurolab.units import dimension_name

    return dimension_name(declared.unit).partition(" such as")[0]


def _range(name: str, declared: Parameter, order: tuple[tuple[str, str], ...]) -> str:
    """What values it may have, in words."""
    words = ["> 0"] if declared.positive else [">= 0"] if declared.nonnegative else []
    if declared.choices:
        words.append(" or ".join(map(show, declared.choices)))
    words += [f"< {high}" for low, high in order if low == name]
    words += [f"> {low}" for low, high in order if high == name]
    return ", ".join(words)
