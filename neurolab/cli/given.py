"""A network that is given in Python, as an option of its group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from neurolab.problems import ConfigError, Problem
from neurolab.results.kept import as_network

__all__ = ["option_of"]

_ONE_POPULATION = ({"override /neuron": None}, {"override /synapse": "none"},
    {"override /input": "none"})  # fmt: skip
#: Networks that are kept, the last: one for each thread that has given one and not composed yet.
_MOST = 8


def option_of(network: Mapping[str, Any]) -> str:
    """What chooses a network that is given as the file of one would be: ``network=given_...``.

    Its name is made of its content; the folder of what is composed with it keeps it.  Without a
    defaults list there are no models but those that a ``_target_`` names.

    Raises
    ------
    ConfigError
        For a value that no file could have.
    """
    given = OmegaConf.to_container(network) if OmegaConf.is_config(network) else network
    network = _plain(given, "")
    for group in ("populations", "projections"):
        if not isinstance(network.get(group) or {}, Mapping):
            advice = "is a list; give a mapping from names: {'E': {...}}"
            raise ConfigError([Problem(group, str(network[group])[:60], advice)])
    node = {"size": None, **network}
    lines = list(node.pop("defaults", None) or [])
    own = {str(key) for line in lines if isinstance(line, Mapping) for key in line}
    at = lines.index("_self_") if "_self_" in lines else len(lines)
    lines[at:at] = [line for line in _ONE_POPULATION if not own & line.keys()]
    if "_self_" not in lines:
        lines.append("_self_")
    name = as_network(network)
    store = ConfigStore.instance()
    known = store.repo.setdefault("network", {})
    known.pop(f"{name}.yaml", None)
    # Hydra copies all that is stored whenever it composes.
    for old in [one for one in known if one.startswith("given_")][: 1 - _MOST]:
        known.pop(old, None)
    store.store(name, {"defaults": lines, **node}, "network", "_global_", "neurolab.run")
    return f"network={name}"


def _plain(value: Any, key: str) -> Any:
    """As a file has it: arrays as lists, quantities as texts."""
    if isinstance(value, Mapping):
        return {
            str(name): _plain(one, f"{key}.{name}".removeprefix(".")) for name, one in value.items()
        }
    if hasattr(value, "mantissa"):
        from neurolab.units import typed  # whose library takes a second to import: is there already

        return typed(value)
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    if isinstance(value, list | tuple):
        return [_plain(one, f"{key}[{k}]") for k, one in enumerate(value)]
    if isinstance(value, PurePath):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    advice = "give a number, a text, a quantity, a list or array of them, or a mapping"
    raise ConfigError([Problem(key, f"{type(value).__name__} {value!r}"[:60], advice)])
