"""Parts of a configuration: which values may be taken out or put in, and which are another's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neurolab.problems import Problem, did_you_mean

__all__ = [
    "not_chosen",
    "not_in_network",
    "not_removable",
    "not_taken_out",
    "of_one_alone",
    "shared",
    "told_once",
]

#: Keys that may be taken out: what was added, parts of a network, options of Hydra's groups.
_REMOVABLE = re.compile(
    r"(vars|hydra|device\.jax)\..*|(populations\.\w+\.)?(receptors|inputs)\.\w+"
    r"|(populations|projections)\.\w+|.*[@/].*"
)

_ANOTHER = re.compile(r"\$\{(\.*)(\w[\w.]*)\}")


def not_removable(config: DictConfig, overrides: Iterable[str]) -> list[Problem]:
    """The keys that were taken out (``~key``) and are needed: no default is used in silence.  What
    a file gave an option is not, where another stands in its place that has no such parameter.  And
    those of a part that is another's, which would be taken from that too."""
    removed = [text[1:].partition("=")[0] for text in overrides if text.startswith("~")]
    found = {key: _needed(config, key) or shared(config, f"~{key}") for key in removed}
    return [Problem(key, "", advice) for key, advice in found.items() if advice]


def _needed(config: DictConfig, key: str) -> str:
    """Why a key cannot be taken out; empty if it can."""
    if _REMOVABLE.fullmatch(key) or _foreign(config, key):
        return ""
    if key.isidentifier():
        return "cannot be left out; choose an option: --help lists them"
    part, _, name = key.rpartition(".")
    node = OmegaConf.select(config, part, throw_on_resolution_failure=False)
    if OmegaConf.is_dict(node) and name in node and node._get_node(name)._is_none():
        return "is null, which is to be without it: leave this away"
    return "cannot be left out: a default would be used in silence; give it a value"


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
        if not at or group.startswith(("hydra/", "~")) or not (found := _another(config, place)):
            continue
        (own, of), choices = found, config.hydra.runtime.choices
        changed = f"{group}@{place.replace(own, of, 1)}"
        advice = f"is not used, as {own} is ${{{of}}}"
        if changed in choices:
            advice += f": {changed}={option} changes {_who(config, of)}"
        alone = "leave this out of the file" if key in choices else f"type +{key}={option}"
        problems.append(Problem(key, option, f"{advice}; for an option of its own {alone}"))
    return problems


def not_taken_out(config: Any, overrides: Iterable[str]) -> list[Problem]:
    """The options that were taken out (``~group@part``) of a part that is another's."""
    places = {text[1:]: text.partition("@")[2] for text in overrides if text[:1] == "~"}
    told = {key: shared(config, f"~{place}") for key, place in places.items() if place}
    return [Problem(key, "", advice) for key, advice in told.items() if advice]


def shared(config: Any, text: str) -> str:
    """What to type for a value of a part that is another's, as where ``populations.I.neuron`` is
    ``${populations.E.neuron}``; empty where it is none."""
    key = text.lstrip("+~").partition("=")[0]
    if not (found := _another(config, key.rpartition(".")[0])):
        return ""
    own, of = found
    part = OmegaConf.select(config, f"{of}{key.rpartition('.')[0].removeprefix(own)}")
    name = key.rpartition(".")[2]
    if text[0] != "~" and OmegaConf.is_dict(part) and name not in part:
        return did_you_mean(name, [str(k) for k in part if not str(k).startswith("_")])
    places = [(*key.partition("@"), option) for key, option in config.hydra.runtime.choices.items()]
    options = [  # of synapse/output there is one already, which comes with its synapse
        f"{'' if '/' in group else '+'}{group}@{own}{place.removeprefix(of)}={option}"
        for group, _, place, option in places
        if f"{place}.".startswith(f"{of}.")
    ]
    if text[0] == "~" and (why := _needed(config, changed_key := key.replace(own, of, 1))):
        return f"{own} is ${{{of}}}, and {changed_key} {why}"
    more = f", {' '.join(options)} gives {own} the values of the option, for its own to be typed"
    changed = f"{text.replace(own, of, 1)} changes {_who(config, of)}"
    return f"{own} is ${{{of}}}: {changed}{more if options else ''}"


def of_one_alone(config: Any, key: str) -> str:
    """What is said of a key of one population where a network has several."""
    from neurolab.config.network import of_one
    from neurolab.results.plan import flat

    populations = OmegaConf.select(config, "populations")
    if not populations:
        return ""
    first, _, last = key.partition(".")
    alike = {"input": "inputs.", "synapse": "receptors."}.get(first, f"{first}.")
    ends = f".{last.rpartition('.')[2]}"
    own = [k for k, _ in flat(OmegaConf.to_container(populations)) if k.endswith(ends)]
    own = [k for k in own if f".{alike}" in k or f".{first}." in k]
    return of_one(key, f"such as populations.{own[0]}" if own and last else "")


def told_once(config: Any, problems: Sequence[Problem]) -> list[Problem]:
    """The problems without those of a part that is another's, of which that is told."""
    keys = {problem.key for problem in problems}

    def twice(key: str) -> bool:
        found = _another(config, key.rpartition(".")[0])
        return found is not None and key.replace(*found, 1) in keys

    return [problem for problem in problems if not twice(problem.key)]


def _another(config: Any, key: str) -> tuple[str, str] | None:
    """Of a key, the part of it that a file says is another, and which, where there is one."""
    node, names = OmegaConf.to_container(config), key.split(".")
    for depth, name in enumerate(names, 1):
        node = node.get(name) if isinstance(node, dict) else None
        if found := _ANOTHER.fullmatch(str(node)):
            up, of = found.groups()  # of .a, which is beside it, and ..a, which is one above
            of = ".".join([*names[: depth - len(up)], of]) if up else of
            if OmegaConf.select(config, of, throw_on_resolution_failure=False) is None:
                return None
            further = _another(config, of)
            return ".".join(names[:depth]), further[1] if further else of
    return None


def _who(config: Any, of: str) -> str:
    """Those that a change of a part is of, where others are the same."""
    n = str(OmegaConf.to_container(config)).count(f"'${{{of}}}'")
    return "both" if n == 1 and of.startswith("populations.") else "all that are the same"
