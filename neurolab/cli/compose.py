"""Composing a configuration with Hydra, and refusing one before anything is made for it.

Only Hydra and OmegaConf are imported here, so that printing a configuration stays fast.
"""

from __future__ import annotations

import os
import pickle
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hydra import compose
from hydra._internal.config_loader_impl import get_overrides_dirname
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override, OverrideType
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from neurolab.cli.conf import (
    PRIMARY,
    conf_folder,
    effective,
    is_group,
    own_hydra,
    parse,
    typed,
    user_folder,
)
from neurolab.cli.diagnose import checked, diagnose, not_of_a_run
from neurolab.cli.ending import held
from neurolab.cli.raised import explained
from neurolab.problems import ConfigError, Problem
from neurolab.results.holder import holder

if TYPE_CHECKING:
    from neurolab.config.experiment import Experiment

__all__ = [
    "check_folder",
    "check_sweep_folder",
    "compose_config",
    "compose_known",
    "compose_master",
    "conf_folder",
    "effective",
    "sweep_key",
]

#: Configurations by the options they were composed of, with what these were read from.
_COMPOSED: dict[Any, tuple[Any, bytes]] = {}
_MOST_COMPOSED = 64
#: Bytes that a run's own account of itself takes.
_LEAST = 2**16
_ASKS = re.compile(r"\$\{[\w.]+:")


def compose_config(overrides: Iterable[str]) -> DictConfig:
    """The composed configuration, Hydra's own part included; a `ConfigError` tells every override
    that does not fit."""
    overrides = list(overrides)
    with own_hydra() as loader, explained(lambda: diagnose(overrides), overrides):
        return compose_known(PRIMARY, overrides, loader)


def compose_known(primary: str, overrides: list[str], loader: ConfigLoader) -> DictConfig:
    """What Hydra composes: by Hydra for each set of options once, then from these with values.

    Composing takes a tenth of a second, most of it the same again whatever the values are.
    """
    parsed = [parse(text) for text in overrides]
    options = [o for o in parsed if _is_option(o, loader)]
    values = [o for o in parsed if _is_value(o) and not _is_option(o, loader)]
    if len(options) + len(values) < len(parsed):  # +key, ~key, hydra.key: Hydra does it all
        options, values = parsed, []
    asked = [str(option.input_line) for option in options]
    key = (primary, *asked, str(Path.cwd()))
    own = _files(user_folder())
    made_of = own, _files(conf_folder()), str(ConfigStore.instance().repo)
    known = _COMPOSED.get(key)
    if known is not None and known[0] == made_of:
        config = pickle.loads(known[1])
    else:
        config = compose(primary, asked, return_hydra_config=True)
        if _is_made_of(config, (*asked, *own.values())):
            if len(_COMPOSED) >= _MOST_COMPOSED:
                _COMPOSED.clear()
            _COMPOSED[key] = made_of, pickle.dumps(config)
    for override in values:
        OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
    if values:
        naming = config.hydra.job.config.override_dirname
        task = [override for override in parsed if not override.is_hydra_override()]
        config.hydra.overrides.task = [override.input_line for override in task]
        config.hydra.job.override_dirname = get_overrides_dirname(
            task, naming.exclude_keys, naming.item_sep, naming.kv_sep
        )
    return config


def _is_option(override: Override, loader: ConfigLoader) -> bool:
    """Whether an override chooses an option, as ``neuron=lif`` and ``+input@inputs.b=ou``."""
    key = override.key_or_group
    return is_group(key, loader) and not isinstance(override.value(), dict)


def _is_value(override: Override) -> bool:
    """Whether an override gives a key of the configuration a value, and no more."""
    plain = override.type == OverrideType.CHANGE and override.package is None
    return plain and not override.is_sweep_override() and not override.is_hydra_override()


def _files(folder: Path) -> dict[str, str]:
    """What Hydra may compose from in a folder, by path."""
    found = (
        Path(place, name)
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.endswith(".yaml")
    )
    return {str(path): path.read_text(errors="replace") for path in found if path.is_file()}


def _is_made_of(config: DictConfig, texts: Iterable[str]) -> bool:
    """Whether a configuration is made of the built-in options and those in ``./conf`` alone, and no
    text asks for what is elsewhere, as ``${oc.env:CELL}``."""
    ours = {str(conf_folder()), str(user_folder())}
    sources = config.hydra.runtime.config_sources
    alone = all(source.schema != "file" or str(source.path) in ours for source in sources)
    return alone and not any(_ASKS.search(text) for text in texts)


@contextmanager
def compose_master(overrides: Iterable[str]) -> Iterator[tuple[ConfigLoader, DictConfig]]:
    """Hydra's loader, and the configuration that is common to the points of a sweep."""
    with own_hydra() as loader:
        master = loader.load_configuration(PRIMARY, list(overrides), RunMode.MULTIRUN)
        HydraConfig.instance().set_config(master)
        yield loader, master


def check_folder(folder: Path, key: str = "hydra.run.dir") -> None:
    """That results can go to a folder; a `ConfigError` tells why they cannot."""
    if str(folder).startswith("~"):
        advice = f"would be a folder named ~ in this one; write $HOME{str(folder)[1:]}"
        raise ConfigError([Problem(key, str(folder), advice)])
    try:
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    except (OSError, ValueError) as error:  # too long, or with what no name may have
        raise ConfigError([Problem(key, str(folder), f"cannot be made: {error}")]) from None
    if (folder / "results.zarr").exists():
        by = holder(folder)
        going = f"is being written by {by}; wait until it has ended, or"
        advice = f"{going if by else 'already holds the results of a run;'} choose another"
    elif not there.is_dir():
        advice = f"cannot be made: {there} is a file"
    elif why := _not_writable(there):
        advice = f"cannot be written: {why} for {there}; choose another folder"
    else:
        return
    raise ConfigError([Problem(key, str(folder), advice)])


def _not_writable(folder: Path) -> str:
    """Why no folder can be made in one; empty if it can."""
    try:
        with TemporaryDirectory(dir=folder) as place:
            Path(place, "room").write_bytes(bytes(_LEAST))
    except OSError as error:
        return "no permission" if isinstance(error, PermissionError) else str(error.strerror)
    return ""


def check_sweep_folder(folder: Path, resume: Path | None, first: int) -> None:
    """That the results of a sweep can go to a folder."""
    key = sweep_key(resume)
    check_folder(folder, key)
    if resume is None and first == 0 and (folder / "definition.json").exists():
        by = holder(folder)
        advice = f"is being written by {by}; when it ends, " if by else "already holds a sweep; "
        advice += f"go on with it: resume={folder}, or choose another"
        raise ConfigError([Problem(key, str(folder), advice)])


def sweep_key(resume: Path | None) -> str:
    """The key by which the folder of a sweep is given."""
    return "hydra.sweep.dir" if resume is None else "sweep.resume"


def _fit(read: list[Experiment], folder: Path) -> None:
    from neurolab.simulation.needs import needs_of, refuse

    for experiment in read:
        refuse(needs_of(experiment), folder)


class Check(Callback):
    """Refuses a wrong configuration before its run folder is made or touched."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        overrides = typed(config.hydra)
        found = not_of_a_run(overrides)
        read: list[Experiment] = []
        checks = [] if found else [lambda: read.append(checked(config, overrides))]
        if "/" in (name := str(config.hydra.job.name)):
            found.append(Problem("hydra.job.name", name, "names a file: write it without /"))
        folder = Path(config.hydra.run.dir)
        for check in (*checks, lambda: check_folder(folder)):
            try:
                check()
            except ConfigError as error:
                found += error.problems
        try:
            if not found:
                _fit(read, folder)
                held(folder, "hydra.run.dir", keep=True).__enter__()
        except ConfigError as error:
            found += error.problems
        if found:
            # Hydra turns an exception in a callback into a warning; an exit gets through.
            print(f"neurolab: {ConfigError(found)}", file=sys.stderr)
            raise SystemExit(2)
