"""What a configuration would be with its options alone: what a page calls the defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hydra import compose
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neurolab.cli.compose import PRIMARY, conf_folder, effective, own_hydra, register_plugins

__all__ = ["defaults_of"]


def defaults_of(
    config: Mapping[str, Any],
    overrides: Iterable[str],
    choices: Mapping[str, Any] | None = None,
    elsewhere: Iterable[str] = (),
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]] | None:
    """What a configuration would be had only its options been chosen, and no experiment.

    Parameters
    ----------
    config
        The configuration as it was composed.
    overrides
        What was typed.
    choices
        The option of each group, as ``hydra.runtime.choices`` has them; found from what was typed
        if not given.
    elsewhere
        Overrides that say where else options are found.

    Returns
    -------
        The configuration, the options chosen, and those chosen by default; None where the options
        are not there to be composed (a user's, from another folder).
    """
    register_plugins()
    elsewhere = list(elsewhere)
    typed = {text.lstrip("+~").partition("=")[0]: text for text in overrides}
    primary = OmegaConf.load(conf_folder() / f"{PRIMARY}.yaml").defaults
    entries = {str(k): v for one in primary if isinstance(one, DictConfig) for k, v in one.items()}
    usual = {key: option for key, option in entries.items() if " " not in key}
    try:
        with own_hydra():
            loader = GlobalHydra.instance().config_loader()
            if choices is None and "experiment" in typed:
                whole = compose(PRIMARY, [*typed.values(), *elsewhere], return_hydra_config=True)
                choices = {str(k): v for k, v in whole.hydra.runtime.choices.items()}
            elif choices is None:
                groups = {key: key.partition("@")[0] for key in typed}
                choices = usual | {
                    key: typed[key].partition("=")[2]
                    for key, group in groups.items()
                    if "." not in group and loader.get_group_options(group)
                }
            choices = choices or {}
            chosen = {
                k: v for k, v in choices.items() if not k.startswith(("hydra/", "experiment"))
            }
            if not elsewhere and not choices.get("experiment"):
                values = [key for key in typed if key not in chosen]
                defaults = _as_the_options_say(config, values, chosen, loader)
                if defaults is not None:
                    return defaults, chosen, usual
            asked = [
                typed.get(key) or f"{'+' if '@' in key else ''}{key}={value or 'null'}"
                for key, value in chosen.items()
                if key in typed or usual.get(key, "") != value
            ]
            return effective(compose(PRIMARY, asked + elsewhere), ()), chosen, usual
    except (HydraException, OmegaConfBaseException):
        return None


def _as_the_options_say(
    config: Mapping[str, Any],
    keys: Iterable[str],
    chosen: Mapping[str, Any],
    loader: ConfigLoader,
) -> dict[str, Any] | None:
    """The configuration with the values that these keys have in the files of their options: the
    same as composing it without them in a twentieth of the time; None where they are not there."""
    packages = {key.rpartition("@")[2].replace("/", "."): key.partition("@")[0] for key in chosen}
    defaults = OmegaConf.create(dict(config))
    for key in keys:
        package = max((p for p in packages if key.startswith(f"{p}.")), key=len, default="")
        path = f"{packages[package]}/{chosen[packages[package]]}" if package else PRIMARY
        source = next((s for s in loader.get_sources() if s.is_config(path)), None)
        file = source.load_config(path).config if source else None
        value = OmegaConf.select(file, key.removeprefix(f"{package}.")) if file else None
        if value is None:  # perhaps not set, or set by an option that this one is based on
            return None
        OmegaConf.update(defaults, key, value, merge=False)
    return OmegaConf.to_container(defaults)  # type: ignore[return-value]
