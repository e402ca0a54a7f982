"""The classes that a configuration names, and the parameters that they have."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from neurolab.config.origin import not_to_be_named
from neurolab.config.values import UnfitValueError
from neurolab.dynamics import Dynamics, Parameter
from neurolab.problems import did_you_mean

__all__ = ["class_at", "declared_parameters"]


def class_at(path: Any, base: type) -> Any:
    """The class that a dotted path names; an `UnfitValueError` says why it is none, or may not be
    named.  Its module is imported, which runs it, and no more."""
    names = path.split(".") if isinstance(path, str) else []
    if len(names) < 2 or not all(map(str.isidentifier, names)):
        advice = (
            "expected the dotted path of a class, module.Class; or choose an option, see --help"
        )
        raise UnfitValueError(advice)
    name, _, attribute = path.rpartition(".")
    if why := not_to_be_named(name):
        raise UnfitValueError(why)
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise UnfitValueError(f"cannot be imported: {error}; is it on PYTHONPATH?") from error
    except Exception as error:  # whatever a module of the user's own does
        what = f"{type(error).__name__}: {error}"
        raise UnfitValueError(f"cannot be imported: {what}; mend {name}") from error
    if not hasattr(module, attribute):
        known = [n for n, v in vars(module).items() if inspect.isclass(v)]
        raise UnfitValueError(f"{name} has no '{attribute}'; {did_you_mean(attribute, known)}")
    target = getattr(module, attribute)
    if not (inspect.isclass(target) and issubclass(target, base)):
        more = "" if base is object else f" derived from {base.__name__}"
        raise UnfitValueError(f"expected a class{more}; the options are in --help")
    lacks = [n for n in dir(target) if getattr(getattr(target, n, 0), "__isabstractmethod__", 0)]
    if lacks:
        raise UnfitValueError(f"lacks {', '.join(lacks)}: a class derived from it must have them")
    return target


def declared_parameters(target: type) -> dict[str, Parameter]:
    """What a model says of its parameters; of a foreign model, what its signature says."""
    if issubclass(target, Dynamics) and target.parameters:
        return target.parameters
    found = {}
    signature = inspect.signature(target.__init__)  # type: ignore[misc]
    for name, argument in signature.parameters.items():
        if name not in ("in_size", "name", "self") and argument.kind in (
            argument.POSITIONAL_OR_KEYWORD,
            argument.KEYWORD_ONLY,
        ):
            default = None if argument.default is argument.empty else argument.default
            found[name] = Parameter(default, f"argument of {target.__name__}")
    return found
