"""Parts of a configuration: which values may be taken out or put in, and which are another's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neurolab.problems import Problem

__all__ = ["not_chosen", "not_in_network", "not_removable", "shared"]

#: Keys that may be taken out: what was added, parts of a network, options of Hydra's groups.
_REMOVABLE = re.compile(
    r"(vars|hydra|device\.jax)\..*|(populations\.\w+\.)?(receptors|inputs)\.\w+"
    r"|(populations|projections)\.\w+|.*[@/].*"
)

_ANOTHER = re.compile(r"\$\{([\w.]+)\}")


def not_removable(config: DictConfig, overrides: Iterable[str]) -> list[Problem]:
    """The keys that were taken out (``~key``) and are needed: no default is used in silence.  What
    a file gave an option is not, where another stands in its place that has no such parameter."""
    removed = [text[1:].partition("=")[0] for text in overrides if text.startswith("~")]
    option = "cannot be left out; choose an option: --help lists them"
    other = "cannot be left out: a default would be used in silence; give it a value"
    return [
        Problem(key, "", option if key.isidentifier() else other)
        for key in removed
        if not _REMOVABLE.fullmatch(key) and not _foreign(config, key)
    ]


def _foreign(config: DictConfig, key: str) -> bool:
    """Whether a key stands at a model that has no such parameter."""
    part, _, name = key.rpartition(".")
    target = OmegaConf.select(config, f"{part}._target_", throw_on_resolution_failure=False)
    if target is None or name == "_target_":
        return False
    from neurolab.config.classes import class_at, declared_parameters
    from neurolab.config.values import UnfitValueError

    try:
        return name not in declared_parameters(class_at(target, object))
    except UnfitValueError:  # whoever reads the configuration says so
        return False


def not_in_network(config: DictConfig, overrides: Iterable[str]) -> list[Problem]:
    """The numbers put into a network (``+network.x=5``, ``++network.x=5``) that its file has not:
    nothing follows from them."""
    put = [text for text in overrides if re.match(r"\+{1,2}network\.", text)]
    if not put:
        return []
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    followed, problems = _followed(own), []
    for text in put:
        key, _, value = text.lstrip("+").partition("=")
        other = own.copy()  # in which what follows from it is not the same, or cannot be
        OmegaConf.update(other, key, "?", force_add=True)
        if text[1] != "+" or (followed is not None and _followed(other) == followed):
            advice = "is no number that this network's file has; those of your own are +vars.x=5"
            problems.append(Problem(key, value, advice))
    return problems


def _followed(config: DictConfig) -> Any:
    """The values beside a network's numbers; None where they refer to what is not there."""
    try:
        found: Any = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException:
        return None
    return {key: value for key, value in found.items() if key != "network"}


def not_chosen(config: Any, overrides: Iterable[str]) -> list[Problem]:
    """The options that were typed for a part that its file says is another's: nothing would be of
    them, as for ``populations.I.neuron`` where this is ``${populations.E.neuron}``."""
    problems = []
    for text in overrides:
        key, _, option = text.lstrip("+").partition("=")
        group, at, place = key.partition("@")
        if not at or group.startswith("hydra/"):
            continue
        node, own = OmegaConf.to_container(config), ""
        for name in place.split("."):
            node, own = (
                node.get(name) if isinstance(node, dict) else None,
                f"{own}.{name}"[not own :],
            )
            if found := _ANOTHER.fullmatch(str(node)):
                break
        else:
            continue
        choices, both = config.hydra.runtime.choices, f"{group}@{place.replace(own, found[1], 1)}"
        advice = f"is not used, as {own} is {node}"
        if both in choices:
            advice += f": {both}={option} changes both"
        alone = "leave this out of the file" if key in choices else f"type +{key}={option}"
        problems.append(Problem(key, option, f"{advice}; for an option of its own {alone}"))
    return problems


def shared(config: Any, override: Override, own: str, whole: Any) -> str:
    """What to type for a value of a part that is another's, as where ``populations.I.neuron`` is
    ``${populations.E.neuron}``; empty where it is none."""
    found = _ANOTHER.fullmatch(str(whole))
    if not found:
        return ""
    of = found[1]
    both = str(override.input_line).replace(own, of, 1)
    places = [(*key.partition("@"), option) for key, option in config.hydra.runtime.choices.items()]
    options = [  # of synapse/output there is one already, which comes with its synapse
        f"{'' if '/' in group else '+'}{group}@{own}{place.removeprefix(of)}={option}"
        for group, _, place, option in places
        if f"{place}.".startswith(f"{of}.")
    ]
    more = f", {' '.join(options)} gives {own} the values of the option, for its own to be typed"
    return f"{own} is {whole}: {both} changes both{more if options else ''}"
