"""A page for each model, from its class and the options of conf/ that name it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import brainunit as u
import yaml

from docsite.docstrings import markdown
from docsite.options import Option, options
from neurolab import connectivity, inputs, integrators, neurons, synapses
from neurolab.dynamics import Dynamics, Parameter
from neurolab.units import Relative, format_quantity

__all__ = ["KINDS", "pages"]

#: Kinds of models: folder, group of conf/, where the classes are, and the base of all.
KINDS = {
    "neurons": ("neuron", neurons, "Neuron"),
    "synapses": ("synapse", synapses, "Synapse"),
    "outputs": ("synapse/output", synapses, "Output"),
    "inputs": ("input", inputs, "Input"),
    "connectivity": ("connectivity", connectivity, "Connectivity"),
    "integrators": ("integrator", integrators, "Integrator"),
}
_PEERS = {"brainpy": "brainpy.state", "brian2": "Brian2", "nest": "NEST"}
#: What a command has to give beside the option, so that it runs.
_BESIDE = {
    "synapses": "neuron=adexif_ref synapse={}",
    "outputs": "neuron=adexif_ref synapse=expon synapse/output={}",
    "inputs": "input={}",
    "integrators": "neuron=adexif_ref integrator={}",
}
_OF_A_NETWORK = "- /connectivity@projections.E_E.connectivity: "
#: Options that need a file of the user.
_FILES = ("current_from_file", "spikes_from_file", "edges", "sonata")
#: Neurons that do not fire.
_SILENT = ("leaky_integrator", "sigmoid_rate")


@cache
def peers() -> dict[str, dict[str, dict[str, str]]]:
    """What others call a model, by kind and option."""
    return yaml.safe_load((Path(__file__).parent / "peers.yaml").read_text())


def pages() -> dict[str, str]:
    """Markdown of all pages, by path."""
    made = {"models/index.md": _index()}
    for kind in KINDS:
        for option in _plain(kind):
            made[f"models/{kind}/{option.name}.md"] = _page(kind, option)
    return made


def _plain(kind: str) -> list[Option]:
    """The options that have a page: of the classes' own defaults, not the cells of papers."""
    return [o for o in options(KINDS[kind][0]) if "/" not in o.name and o.target]


def _class(kind: str, option: Option) -> Any:
    return getattr(KINDS[kind][1], option.target)


def _index() -> str:
    parts = ["# Models\n", _HOW]
    for kind in KINDS:
        rows = [f"| [{o.name}]({kind}/{o.name}.md) | {o.comments[0]} |" for o in _plain(kind)]
        parts.append(f"## {kind.capitalize()}\n\n| option | what it is |\n|---|---|")
        parts[-1] += "\n" + "\n".join(rows) + "\n"
    return "\n".join(parts)


_HOW = """\
These pages are made from the classes themselves. Default values are those of the options in
`conf/`; parameters carry units, and any floating one of a neuron may be a number, a list with a
value for each neuron, or a distribution ([values](../howto/values.md)).
"""


def _page(kind: str, option: Option) -> str:
    model = _class(kind, option)
    same = [o for o in options(KINDS[kind][0]) if o.target == option.target and o != option]
    parts = [
        f"# {option.name}\n",
        f"{option.comments[0]}\n",
        _command(kind, option),
        f"## Equations\n\n{_described(model)}\n",
    ]
    if kind == "neurons":
        parts.append(f"## What it does\n\npicture of {option.name}\n")
        parts.append(_caption(option.name))
    if issubclass(model, Dynamics) and model.parameters:
        parts.append(f"## Parameters\n\n{_parameters(option, model)}\n")
        if ordered := [f"{low} < {high}" for low, high in model.ordered]:
            parts.append(f"In order: {', '.join(ordered)}.\n")
    if source := " ".join(option.comments[1:]):
        parts.append(f"**Source.** {source}\n")
    parts.append(_named(kind, option, model))
    if same:
        rows = "\n".join(f"| `{KINDS[kind][0]}={o.name}` | {o.comments[0]} |" for o in same)
        parts.append(f"## Options of this class\n\n| option | what it is |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


def _command(kind: str, option: Option) -> str:
    if kind == "connectivity":
        return (
            f"In the defaults of a network's file:\n\n```yaml\n{_OF_A_NETWORK}{option.name}\n```\n"
        )
    if option.name in _FILES:
        return f"`input={option.name} input.file=..`\n"
    if kind == "neurons":
        drive = "" if option.name in _SILENT else " input=constant"
        given = f"neuron={option.name}{drive}"
    else:
        given = _BESIDE[kind].format(option.name)
    return f"```sh\npython -m neurolab {given}\n```\n"


def _described(model: type) -> str:
    """Its docstring; where that refers to another model, that one's as well."""
    told = [markdown(model.__doc__)]
    for base in model.__mro__[1:]:
        if "\\[" in "".join(told) or not getattr(base, "__module__", "").startswith("neurolab"):
            break
        if base.__doc__ and not base.__name__.startswith("_") and ".. math::" in base.__doc__:
            told.append(markdown(base.__doc__))
    return "\n\n".join(told)


def _parameters(option: Option, model: type[Dynamics]) -> str:
    """A row for each, in the order and with the values of the option."""
    values, declared = option.values, model.parameters
    order = sorted(declared, key=[*values, *declared].index)
    rows = [
        f"| `{name}` | {_default(values.get(name), declared[name])} | {_range(declared[name])} "
        f"| {declared[name].doc} |"
        for name in order
        if declared[name].role not in ("samples", "events")  # what a file is read into
    ]
    return "\n".join(["| parameter | default | range | what it is |", "|---|---|---|---|", *rows])


def _default(typed: Any, given: Parameter) -> str:
    value = given.default
    if given.is_number and isinstance(typed, str):
        return typed
    if value is None:
        return f"none, in {given.unit}" if given.measures is not None else "none"
    if isinstance(value, (u.Quantity, Relative)):
        return format_quantity(value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _range(given: Parameter) -> str:
    if given.choices:
        return " or ".join(f"`{str(one).lower()}`" for one in given.choices)
    return "> 0" if given.positive else "≥ 0" if given.nonnegative else ""


def _caption(name: str) -> str:
    if name == "leaky_integrator":
        return "The response to a step of the current. It does not fire.\n"
    if name == "sigmoid_rate":
        return "The response to a step of the drive, and where it settles; without noise.\n"
    return """\
Left: the response to a step of the current at 1.5 rheobase. Right: the rate in the last
half second of a step of 1 s, against the current. Defaults, dt = 0.1 ms; computed as this page
was built.
"""


def _named(kind: str, option: Option, model: type) -> str:
    found = peers().get(kind, {}).get(option.name, {})
    rows = [f"| Python | `{KINDS[kind][1].__name__}.{model.__name__}` |"]
    rows += [f"| {title} | {found[peer]} |" for peer, title in _PEERS.items() if found.get(peer)]
    return "## Its name elsewhere\n\n| in | name |\n|---|---|\n" + "\n".join(rows) + "\n"
