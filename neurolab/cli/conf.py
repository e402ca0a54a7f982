"""Where configurations are found, and a Hydra of our own that composes them.

Only Hydra and OmegaConf are imported here, so that printing a configuration stays fast.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobRuntime
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf

__all__ = [
    "PRIMARY",
    "conf_folder",
    "effective",
    "own_hydra",
    "register_plugins",
    "typed",
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


class UserConf(SearchPathPlugin):
    """Options from ``./conf`` of the folder a run is started in join the built-in ones, and replace
    those of the same name."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        folder, ours = user_folder(), str(conf_folder())
        # Another application may have its Hydra in this process: its search path is its own.
        if all(entry.path != ours for entry in search_path.get_path()):
            return
        if folder.is_dir() and folder.resolve() != conf_folder().resolve():
            search_path.prepend("user", f"file://{folder}", "main")


def register_plugins() -> None:
    """Make Hydra look into ``./conf`` as well, and know neurolab's launcher and sweeper."""
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


@contextmanager
def own_hydra() -> Iterator[ConfigLoader]:
    """Hydra set up for composing, beside one that may be at work; yields its loader.

    Afterwards what Hydra keeps for a process is as it was.
    """
    with _LOCK:
        register_plugins()
        running, configured = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
        version, job = VersionBase.instance().getbase(), JobRuntime.instance().get("name")
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(str(conf_folder()), PRIMARY, version_base="1.3"):
                yield GlobalHydra.instance().config_loader()
        finally:
            GlobalHydra.instance().hydra = running
            HydraConfig.instance().cfg = configured
            JobRuntime.instance().set("name", job)
            VersionBase.instance().version_base = version


def typed(hydra: Any) -> list[str]:
    """What was typed, as it was, by Hydra's part of a configuration: also ``b=${vars.b}``."""
    return list(OmegaConf.to_container(hydra.overrides.task, resolve=False))  # type: ignore


def effective(config: DictConfig, overrides: Iterable[str]) -> dict[str, Any]:
    """The configuration as plain dicts.

    Where ``_target_`` was overridden, the other values of that group's option belonged to another
    model: they are dropped, except those that were given explicitly.

    Raises
    ------
    OmegaConfBaseException
        For a value that refers to what is not there.
    """
    with _LOCK:
        configured = HydraConfig.instance().cfg
        own = OmegaConf.masked_copy(config, [str(k) for k in config if k != "hydra"])
        try:
            if "hydra" in config and "${hydra:" in str(own):  # what that refers to; it takes time
                HydraConfig.instance().set_config(config)
            plain = OmegaConf.to_container(own, resolve=True)
        finally:
            HydraConfig.instance().cfg = configured
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
