"""What swept keys are, in the words of their models, and what a sweep is of: for pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurolab.config.classes import class_at, declared_parameters
from neurolab.config.values import UnfitValueError
from neurolab.results.plan import Plan

__all__ = ["described", "title_of"]

#: What is no parameter of a model.
_OWN = {"dt": "length of a step", "duration": "simulated time", "size": "neurons"}


def described(plan: Plan) -> dict[str, str]:
    """Of each swept key that is a parameter of one thing, what that says of it."""
    found = {}
    for name in (name for axis in plan.axes for name in axis.keys):
        of = {_said(name, template) for template in plan.templates} - {""}
        if len(of) == 1:  # the same for all options
            found[name] = of.pop()
    return found


def _said(key: str, config: Mapping[str, Any]) -> str:
    """What the model in a configuration that has a key says of it; nothing of a foreign one."""
    *path, name = key.split(".")
    at: Any = config
    for one in path:
        at = at.get(one) if isinstance(at, Mapping) else None
    if not path or not isinstance(at, Mapping):
        return _OWN.get(key, "")
    try:
        declared = declared_parameters(class_at(at.get("_target_"), object))
    except UnfitValueError:
        return ""
    doc = declared[name].doc if name in declared else ""
    return "" if doc.startswith("argument of") else doc


def title_of(plan: Plan) -> str:
    """The neurons of a sweep and their inputs, or the network that was named."""
    if "network" in plan.fixed:
        return plan.fixed["network"].partition("=")[2]
    targets = (
        str((one.get(group) or {}).get("_target_", ""))
        for group in ("neuron", "input")
        for one in plan.templates
    )
    return ", ".join(filter(None, dict.fromkeys(name.rpartition(".")[2] for name in targets)))
