"""Composing a configuration with Hydra, and explaining why one cannot be composed.

Only Hydra and OmegaConf are imported here, so that printing a configuration stays fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neurolab.problems import ConfigError, Problem, Problems, did_you_mean

__all__ = ["compose_config", "conf_folder", "diagnose", "effective", "register_plugins"]

#: The file that a configuration begins with.  Not ``config``: ./conf comes before the built-in
#: options, and may hold the config.yaml of another application.
PRIMARY = "neurolab"
#: Keys of the configuration that Hydra itself adds.
_OWN = ("hydra",)


def conf_folder() -> Path:
    """The folder of the configuration groups: in the wheel, or beside the package."""
    package = Path(__file__).parent.parent
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


class UserConf(SearchPathPlugin):
    """Options from ``./conf`` of the folder a run is started in join the built-in ones, and replace
    those of the same name."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        folder = Path.cwd() / "conf"
        if folder.is_dir() and folder.resolve() != conf_folder().resolve():
            search_path.prepend("user", f"file://{folder}", "main")


def register_plugins() -> None:
    """Make Hydra look into ``./conf`` as well, and know neurolab's launcher and sweeper."""
    folder = str(Path(__file__).parent / "_plugins")
    if folder not in sys.path:
        sys.path.append(folder)
    plugins = Plugins.instance()
    if UserConf not in plugins.discover(SearchPathPlugin):
        plugins.register(UserConf)
    if "hydra_plugins.neurolab.BatchLauncher" not in plugins.class_name_to_class:
        # Hydra looked for plugins before (a notebook that used it for something else).
        from hydra_plugins.neurolab import BatchLauncher, Points

        plugins.register(BatchLauncher)
        plugins.register(Points)


def compose_config(overrides: Iterable[str]) -> DictConfig:
    """The composed configuration, Hydra's own part included.

    Raises
    ------
    ConfigError
        With every override that does not fit.
    """
    register_plugins()
    overrides = list(overrides)
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        try:
            return compose(PRIMARY, overrides, return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            problems = diagnose(overrides)
            raise ConfigError(problems or [Problem("configuration", "", str(error))]) from None


@contextmanager
def compose_master(overrides: Iterable[str]) -> Iterator[tuple[ConfigLoader, DictConfig]]:
    """Hydra's loader, and the configuration that is common to the points of a sweep."""
    register_plugins()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration(PRIMARY, list(overrides), RunMode.MULTIRUN)
        HydraConfig.instance().set_config(master)
        yield loader, master


def effective(config: DictConfig, overrides: Iterable[str]) -> dict[str, Any]:
    """The configuration as plain dicts.

    Where ``_target_`` was overridden, the other values of that group's option belonged to another
    model: they are dropped, except those that were given explicitly.
    """
    plain = OmegaConf.to_container(
        OmegaConf.masked_copy(config, [str(k) for k in config if k not in _OWN]), resolve=True
    )
    given = {override.lstrip("+~").partition("=")[0] for override in overrides}
    for key in given:
        if key.endswith("._target_"):
            *path, _ = key.split(".")
            node: Any = plain
            for name in path:
                node = node[name]
            prefix = ".".join(path)
            for name in list(node):
                if not any(
                    g == f"{prefix}.{name}" or g.startswith(f"{prefix}.{name}.") for g in given
                ):
                    del node[name]
    return plain  # type: ignore[return-value]


def diagnose(overrides: Iterable[str]) -> list[Problem]:
    """All that is wrong with overrides that Hydra refused, the values of the rest included."""
    problems = Problems()
    groups: list[str] = []
    values: list[tuple[str, Override]] = []
    with own_hydra():
        loader = GlobalHydra.instance().config_loader()
        for text in overrides:
            try:
                override = OverridesParser.create(loader).parse_override(text)
            except HydraException as error:
                advice = (
                    f"cannot be read: {str(error).splitlines()[0]}; quote the value: 'key=\"...\"'"
                )
                problems.add(text, None, advice)
                continue
            options = loader.get_group_options(override.key_or_group)
            if options and "." not in override.key_or_group:
                if _known_option(override, options, problems):
                    groups.append(text)
            else:
                values.append((text, override))
        try:
            config = compose(PRIMARY, groups, return_hydra_config=True)
        except HydraException as error:
            problems.add(" ".join(groups), None, str(error).splitlines()[0])
            return problems.found
        fitting = [text for text, override in values if _known_key(config, override, problems)]
        try:
            config = compose(PRIMARY, groups + fitting, return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            problems.add(" ".join(fitting), None, str(error).splitlines()[0])
            return problems.found
    return problems.found + _problems_of_values(effective(config, groups + fitting))


@contextmanager
def own_hydra() -> Iterator[None]:
    """Hydra set up for composing, beside one that may be at work."""
    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = running


def _known_option(override: Override, options: list[str], problems: Problems) -> bool:
    value = override.value()
    for option in value if isinstance(value, list) else [value]:
        if option is not None and str(option) not in options:
            problems.add(override.key_or_group, option, did_you_mean(str(option), options))
            return False
    return True


def _known_key(config: DictConfig, override: Override, problems: Problems) -> bool:
    if override.is_add() or override.is_force_add():
        return True
    node: Any = config
    path = override.key_or_group.replace("/", ".").split(".")
    for depth, name in enumerate(path):
        if not isinstance(node, DictConfig) or name not in node:
            known = [str(k) for k in node if k not in _OWN] if isinstance(node, DictConfig) else []
            key = ".".join(path[: depth + 1])
            hint = did_you_mean(name, [k for k in known if not k.startswith("_")])
            problems.add(key, override.value() if depth + 1 == len(path) else None, hint)
            return False
        node = node[name] if not OmegaConf.is_missing(node, name) else "???"
    return True


def _problems_of_values(config: Mapping[str, Any]) -> list[Problem]:
    from neurolab.engine.device import prepare

    prepare(config.get("device") or {})
    from neurolab.config.experiment import check

    try:
        check(config)
    except ConfigError as error:
        return list(error.problems)
    return []


def output_problem(folder: Path) -> Problem | None:
    """Why results cannot go to a folder; None if they can."""
    key = "hydra.run.dir"
    if (folder / "results.zarr").exists():
        return Problem(key, str(folder), "already holds the results of a run; choose another")
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return Problem(key, str(folder), f"cannot be made: {there} is a file")
    if not os.access(there, os.W_OK | os.X_OK):
        advice = f"cannot be written: no permission for {there}; choose another folder"
        return Problem(key, str(folder), advice)
    return None


def sweep_folder_problem(folder: Path, resume: Path | None, first: int) -> Problem | None:
    """Why the results of a sweep cannot go to a folder; None if they can."""
    problem = output_problem(folder)
    if problem is not None:
        return Problem("hydra.sweep.dir", problem.given, problem.advice)
    if resume is None and first == 0 and (folder / "definition.json").exists():
        advice = f"already holds a sweep; go on with it: sweep.resume={folder}, or choose another"
        return Problem("hydra.sweep.dir", str(folder), advice)
    return None


class Check(Callback):
    """Refuses a wrong configuration before its run folder is made or touched."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        from neurolab.engine.device import prepare

        plain = effective(config, config.hydra.overrides.task)
        prepare(plain.get("device") or {})
        from neurolab.config.experiment import check

        blocked = output_problem(Path(config.hydra.run.dir))
        found = [blocked] if blocked else []
        try:
            check(plain)
        except ConfigError as error:
            found = [*error.problems, *found]
        if found:
            # Hydra turns an exception in a callback into a warning; an exit gets through.
            print(f"neurolab: {ConfigError(found)}", file=sys.stderr)
            raise SystemExit(2)
