"""A network that is given in Python, as an option of its group."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hydra.core.config_store import ConfigStore

__all__ = ["option_of"]

_ONE_POPULATION = ({"override /neuron": None}, {"override /synapse": "none"},
    {"override /input": "none"})  # fmt: skip


def option_of(network: Mapping[str, Any]) -> str:
    """What chooses a network that is given as the file of one would be: ``network=given_...``.

    Its name is made of its content.  Without a defaults list there are no models but those that a
    ``_target_`` names.
    """
    node = {"size": None, **network}
    lines = list(node.pop("defaults", []))
    own = {str(key) for line in lines if isinstance(line, Mapping) for key in line}
    at = lines.index("_self_") if "_self_" in lines else len(lines)
    lines[at:at] = [line for line in _ONE_POPULATION if not own & line.keys()]
    if "_self_" not in lines:
        lines.append("_self_")
    text = json.dumps(network, sort_keys=True, default=str)
    name = f"given_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    store = ConfigStore.instance()
    store.store(name, {"defaults": lines, **node}, "network", "_global_", "neurolab.run")
    return f"network={name}"
