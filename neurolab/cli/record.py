"""What a run folder keeps of its configuration: as it was used, and with its options alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neurolab.cli.compose import compose_known
from neurolab.cli.conf import effective, elsewhere, own_hydra, parse
from neurolab.results.layout import write_whole

__all__ = ["defaults_of", "save_config", "save_defaults"]


def save_config(
    plain: Mapping[str, Any], overrides: Sequence[str], folder: Path, subfolder: str | None
) -> None:
    """Write the configuration as it is used and what was typed where Hydra writes them: nowhere
    with ``hydra.output_subdir=null``."""
    if subfolder is not None:
        place = folder / subfolder
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(dict(plain))))
        write_whole(place / "overrides.yaml", OmegaConf.to_yaml(OmegaConf.create([*overrides])))


def save_defaults(folder: Path, hydra: Any, plain: Mapping[str, Any] | None = None) -> None:
    """Write what the page of a run compares its configuration with.

    ``hydra`` is Hydra's own part of the configuration, ``plain`` what was made of the rest.
    """
    if hydra.output_subdir is None or not (place := folder / str(hydra.output_subdir)).is_dir():
        return
    if (found := defaults_of(hydra, plain)) is not None:
        write_whole(place / "defaults.yaml", OmegaConf.to_yaml(OmegaConf.create(found)))


def defaults_of(hydra: Any, plain: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """What a configuration would be had only its options been chosen, and no experiment.

    To compose it takes a tenth of a second; not where nothing else was typed.

    Returns
    -------
        ``config``, the ``options`` chosen, and those that are ``usual``; None where the options
        cannot be composed without what was typed.
    """
    primary = str(hydra.job.config_name)
    options = {
        str(key): value
        for key, value in hydra.runtime.choices.items()
        if value is not None and not str(key).startswith(("hydra/", "experiment"))
    }
    try:
        with own_hydra() as loader:
            usual = _usual(primary, loader)
            if plain is not None and _options_alone(hydra):
                return {"config": dict(plain), "options": options, "usual": usual}
            asked = _asked({key: options[key] for key in usual if key in options}, usual)
            composed = compose_known(primary, asked + elsewhere(hydra), loader)
            # A network brings options of its own: they are known once it has been chosen.
            if more := _asked(options, composed.hydra.runtime.choices):
                composed = compose_known(primary, asked + more + elsewhere(hydra), loader)
            config = effective(composed, ())
    except (HydraException, OmegaConfBaseException):
        return None
    return {"config": config, "options": options, "usual": usual}


def _options_alone(hydra: Any) -> bool:
    """Whether all that was typed chose an option, and none is an experiment."""
    choices = hydra.runtime.choices
    if any(str(key).startswith("experiment") and value for key, value in choices.items()):
        return False
    typed = [parse(text) for text in hydra.overrides.task]
    return all(choices.get(o.get_key_element().lstrip("+"), o) == o.value() for o in typed)


def _asked(options: Mapping[str, str], chosen: Mapping[str, Any]) -> list[str]:
    """What is typed for options where others, or none, were chosen."""
    new = {key: option for key, option in options.items() if chosen.get(key) != option}
    return [f"{'' if key in chosen else '+'}{key}={option}" for key, option in new.items()]


def _usual(primary: str, loader: ConfigLoader) -> dict[str, Any]:
    """The options that the first file of a configuration chooses; none if it is elsewhere."""
    source = next((s for s in loader.get_sources() if s.is_config(primary)), None)
    entries = OmegaConf.select(source.load_config(primary).config, "defaults") if source else ()
    found = {
        str(k): v for one in entries or () if isinstance(one, DictConfig) for k, v in one.items()
    }
    return {key: option for key, option in found.items() if " " not in key}  # override, optional
