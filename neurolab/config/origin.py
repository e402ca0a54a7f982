"""Whose code a configuration may name: the models and trackers of neurolab, and the user's own.

A configuration may be somebody else's: importing a module runs it, and so does calling what is in
it.  So it is known whose a module is before it is imported.
"""

from __future__ import annotations

import site
import sys
import sysconfig
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

__all__ = ["ENTRY_POINTS", "not_to_be_named"]

#: The entry points by which an installed package says that it has models or trackers.
ENTRY_POINTS = "neurolab.models"
_ROOMS = ("neurons", "synapses", "inputs", "connectivity", "integrators", "trackers")
_INSTALLED = {"site-packages", "dist-packages"}


def not_to_be_named(module: str) -> str:
    """Why a configuration may not name what is in a module; empty if it may.  Nothing is imported.

    The user's are modules that lie neither with Python's own nor where packages are installed; one
    that is installed to be edited lies with its source.
    """
    package, _, rest = module.partition(".")
    if package == "neurolab":
        if rest.partition(".")[0] in _ROOMS:
            return ""
        rooms = ", ".join(f"neurolab.{room}" for room in _ROOMS)
        return f"is none of neurolab's models and trackers, which are in {rooms}"
    if package in sys.builtin_module_names:
        return _PYTHONS
    try:
        spec = find_spec(package)
    except ValueError:  # made in this process, such as the __main__ of a notebook
        return ""
    if spec is None:  # whoever imports it says so
        return ""
    places = list(spec.submodule_search_locations or ()) or [str(spec.origin)]
    if "frozen" in places or any(map(_is_pythons, places)):
        return _PYTHONS
    if not any(map(_is_installed, places)) or _is_offered(module):
        return ""
    return (
        f"is of {package}, an installed package, which does not offer it to neurolab: import the "
        "class in a module of your own and name that, such as mycells.Name; or, in the package's "
        f"metadata, add an entry point of the group {ENTRY_POINTS}"
    )


_PYTHONS = (
    "is of Python's own library, where no models and trackers are; expected a class of neurolab, "
    "see --help, or of a module of your own, such as mycells.Name"
)


def _is_pythons(place: str) -> bool:
    path = Path(place).resolve()
    own = (Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))
    return any(path.is_relative_to(folder) for folder in own) and not _is_installed(place)


def _is_installed(place: str) -> bool:
    """Whether a module or package lies where packages are installed."""
    path = Path(place).absolute()
    folders = [*(sysconfig.get_path(name) for name in ("purelib", "platlib")), *_of_user()]
    beneath = any(path.is_relative_to(folder) for folder in folders)
    return beneath or not _INSTALLED.isdisjoint(path.parts) or _holds_packages(path.parent)


def _of_user() -> list[str]:
    return [site.getusersitepackages()] if site.ENABLE_USER_SITE else []


@cache
def _holds_packages(folder: Path) -> bool:
    """Whether packages were installed into a folder, as by ``pip install --target``."""
    return any(folder.glob("*.dist-info"))


def _is_offered(module: str) -> bool:
    return any(f"{module}.".startswith(f"{e.module}.") for e in entry_points(group=ENTRY_POINTS))
