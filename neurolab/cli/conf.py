"""Where configurations are found, and a Hydra of our own that composes them.

Only Hydra and OmegaConf are imported here, so that printing a configuration stays fast.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, reduce
from operator import getitem
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobRuntime
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf

from neurolab.cli import arithmetic
from neurolab.cli.parts import not_chosen, not_in_network, not_removable
from neurolab.problems import ConfigError, Problem

__all__ = [
    "PRIMARY",
    "conf_folder",
    "effective",
    "elsewhere",
    "is_group",
    "options_of",
    "own_hydra",
    "parse",
    "register_plugins",
    "typed",
    "unreadable",
    "user_folder",
]

#: The file that a configuration begins with.  Not ``config``: ./conf comes before the built-in
#: options, and may hold the config.yaml of another application.
PRIMARY = "neurolab"
#: Hydra keeps what it composes with for the whole process: one thread at a time.
_LOCK = threading.RLock()
_PLUGINS = str(Path(__file__).parent / "_plugins")


def conf_folder() -> Path:
    """The folder of the configuration groups: in the wheel, or beside the package."""
    package = Path(__file__).parent.parent
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def user_folder() -> Path:
    """The folder of a user's own options, whether it is there or not."""
    return Path.cwd() / "conf"


def _is_ours(search_path: ConfigSearchPath) -> bool:
    main = str(conf_folder())
    return any(e.provider == "main" and e.path == main for e in search_path.get_path())


class UserConf(SearchPathPlugin):
    """Options from ``./conf`` of the folder a run is started in join the built-in ones, and replace
    those of the same name."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        folder = user_folder()
        # Another application may have its Hydra in this process: its search path is its own.
        ours = _is_ours(search_path) and folder.resolve() != conf_folder().resolve()
        if ours and folder.is_dir():
            search_path.prepend("user", f"file://{folder}", "main")


def register_plugins() -> None:
    """Make Hydra look into ``./conf`` as well, and know ``calc``, and our launcher and sweeper."""
    arithmetic.register()
    with _LOCK:
        plugins = Plugins.instance()
        if UserConf not in plugins.discover(SearchPathPlugin):
            plugins.register(UserConf)
        if "hydra_plugins.neurolab.BatchLauncher" in plugins.class_name_to_class:
            return
        sys.path.append(_PLUGINS)
        try:
            from hydra_plugins.neurolab import BatchLauncher, Points
        finally:
            sys.path.remove(_PLUGINS)
        plugins.register(BatchLauncher)
        plugins.register(Points)


@lru_cache(4096)
def parse(text: str) -> Override:
    """What Hydra reads in an override; a `HydraException` if it cannot."""
    return OverridesParser.create().parse_override(text)


def unreadable(text: str, error: Exception) -> str:
    """Why Hydra cannot read an override, and what to write in its place."""
    value = text.partition("=")[2]
    if odd := " ".join(f"'{mark}'" for mark in text if not mark.isascii()):
        return f"cannot be read: {odd} is not ASCII; write - for a minus, us for microseconds"
    if value.startswith("~"):
        return f"cannot be read: ~ is for shells; write $HOME{value[1:]}"
    return f"cannot be read: {str(error).splitlines()[0]}; quote the value: 'key=\"...\"'"


def is_group(key: str, loader: ConfigLoader) -> bool:
    """Whether a key chooses an option rather than giving a value."""
    return "." not in key and any(source.is_group(key) for source in loader.get_sources())


def options_of(group: str, loader: ConfigLoader, elsewhere: list[str]) -> list[str]:
    """The options of a group, those in folders of it too: ``naud2008/tonic``."""
    found = loader.get_group_options(group, overrides=elsewhere)
    for folder in loader.get_group_options(group, ObjectType.GROUP, overrides=elsewhere):
        inside = options_of(f"{group}/{folder}", loader, elsewhere)
        found += [f"{folder}/{name}" for name in inside]
    return found


@contextmanager
def own_hydra() -> Iterator[ConfigLoader]:
    """Hydra set up for composing, beside one that may be at work; yields its loader.

    If that is neurolab's, of the command line, it is used, with the folders that it searches.
    Afterwards what Hydra keeps for a process is as it was.
    """
    with _LOCK:
        register_plugins()
        running, configured = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
        version, job = VersionBase.instance().getbase(), JobRuntime.instance().get("name")
        try:
            if running is None or not _is_ours(running.config_loader.get_search_path()):
                GlobalHydra.instance().clear()
                initialize_config_dir(str(conf_folder()), PRIMARY, version_base="1.3")
            yield GlobalHydra.instance().config_loader()
        finally:
            GlobalHydra.instance().hydra = running
            HydraConfig.instance().cfg = configured
            JobRuntime.instance().set("name", job)
            VersionBase.instance().version_base = version


#: Of a neuron: what follows from another number where that is given (`Membrane.alternatives`).
_ALTERNATIVES = (("R", "g_L"), ("tau", "C"))


def typed(hydra: Any) -> list[str]:
    """What was typed, as it was, by Hydra's part of a configuration: also ``b=${vars.b}``."""
    return list(OmegaConf.to_container(hydra.overrides.task, resolve=False))  # type: ignore


def effective(config: DictConfig, overrides: Iterable[str]) -> dict[str, Any]:
    """The configuration as plain dicts.

    Where ``_target_`` was typed, the model's own values come in place of those of the group's
    usual option, but for those that were typed.  Those of an option that was typed stay, if the
    model derives from that option's.  A value that refers to what is not there raises an
    `OmegaConfBaseException`; a group that was taken out, and a model that has nothing to do with
    the option typed beside it, a `ConfigError`.
    """
    overrides, plain = list(overrides), dict[str, Any]()
    for unfit in (not_removable, not_in_network, not_chosen):
        if wrong := unfit(config, overrides):
            raise ConfigError(wrong)
    with _LOCK:
        hydra: Any = HydraConfig.instance()
        configured = hydra.cfg
        hydra.cfg = config if "hydra" in config else configured  # what ${hydra:...} refers to
        try:
            for key in (str(key) for key in config if key != "hydra"):
                value: Any = "???" if OmegaConf.is_missing(config, key) else config[key]
                if OmegaConf.is_config(value):
                    value = OmegaConf.to_container(value, resolve=True)
                plain[key] = value
        finally:
            hydra.cfg = configured
    return with_own_values(plain, overrides, (config if "hydra" in config else configured).hydra)


def elsewhere(hydra: Any) -> list[str]:
    """The override by which Hydra finds the options of folders that were typed; or none."""
    places = [
        f"{source.schema}://{source.path}"
        for source in hydra.runtime.config_sources
        if source.provider == "command-line" or source.provider.startswith("hydra.searchpath")
    ]
    return [f"hydra.searchpath=[{','.join(places)}]"] if places else []


def with_own_values(plain: dict[str, Any], overrides: list[str], hydra: Any) -> dict[str, Any]:
    """A configuration in which models given by ``_target_`` have the values that `effective` says,
    and a neuron no value in place of which another was given: what is recorded is what is used."""
    given = {override.lstrip("+~").partition("=")[0] for override in overrides}
    problems = []
    paths = [key.removesuffix("._target_") for key in given if key.endswith("._target_")]
    for path in (path for path in paths if not path.startswith("hydra.")):
        node = reduce(getitem, path.split("."), plain)
        explicit = {k[len(path) + 1 :].partition(".")[0] for k in given if k.startswith(f"{path}.")}
        if path == "synapse" or path.startswith("receptors."):  # output is an option of its own
            explicit.add("output")
        model = _class_of(node["_target_"])
        option, base = _typed_option(path, overrides, hydra) if model else ("", None)
        if isinstance(model, type) and isinstance(base, type):
            explicit |= node.keys()
            if not issubclass(model, base):
                mark = "" if path in ("neuron", "input") else "+"  # there is an option anyway
                advice = (
                    f"is not derived from {base.__name__}, the model of {option}: leave out "
                    f"{option} and write {mark}{path}._target_ for its own defaults, or give a "
                    "class that is"
                )
                problems.append(Problem(f"{path}._target_", str(node["_target_"]), advice))
        for name in node.keys() - explicit:
            del node[name]
        node |= {k: v for k, v in _own_values(node["_target_"]).items() if k not in node}
    if problems:
        raise ConfigError(problems)
    node = plain["neuron"] if isinstance(plain.get("neuron"), dict) else {}
    for derived, instead in _ALTERNATIVES:
        if node.get(instead) is None or node.get(derived) is None or f"neuron.{derived}" in given:
            continue  # where both were typed, whoever reads them says so
        declared = getattr(_class_of(node.get("_target_")), "parameters", {}).get(instead)
        if declared is None or declared.measures is None:
            continue  # of one's own, and something else
        untouched = str(node[derived]) == str(_own_values(node["_target_"]).get(derived))
        if f"neuron.{instead}" in given or untouched:
            node[derived] = None
    return plain


def _typed_option(path: str, overrides: list[str], hydra: Any) -> tuple[str, Any]:
    """The option that was typed for what is at a path, and the class of its model; or neither."""
    keys = [override.partition("=")[0].partition("@") for override in overrides]
    options = [
        (override, at or group.lstrip("+").replace("/", "."))
        for override, (group, _, at) in zip(overrides, keys, strict=True)
        if "." not in group and group[:1] != "~" and "={" not in override
    ]
    typed_ones = [override for override, place in options if place == path]
    if not typed_ones:
        return "", None
    with own_hydra():
        asked = [*(override for override, _ in options), *elsewhere(hydra)]
        config = compose(str(hydra.job.config_name), asked)
    return typed_ones[-1], _class_of(OmegaConf.select(config, f"{path}._target_"))


def _class_of(target: Any) -> Any:
    """What a dotted path names; None if it cannot be had, which others tell."""
    from neurolab.config.classes import class_at
    from neurolab.config.values import UnfitValueError

    try:
        return class_at(target, object)
    except UnfitValueError:
        return None


def _own_values(target: Any) -> dict[str, Any]:
    """The defaults of a model of neurolab's kind, as a configuration has them; of what cannot be
    imported, or is another thing, none: whoever reads the configuration says what is wrong."""
    from brainunit import Quantity

    from neurolab.dynamics import Dynamics
    from neurolab.units import Relative, format_quantity

    model = _class_of(target)
    found: dict[str, Any] = {}
    own = isinstance(model, type) and issubclass(model, Dynamics)
    for name, declared in model.parameters.items() if own else ():
        value = declared.default
        if isinstance(value, Quantity | Relative):
            found[name] = format_quantity(value)
        elif isinstance(value, bool | int | float | str) or declared.measures is not None:
            found[name] = value
    return found
