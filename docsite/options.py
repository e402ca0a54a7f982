"""The options of conf/: what each says of itself, and the class that it names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["CONF", "Option", "options", "reference"]

CONF = Path(__file__).parent.parent / "conf"


@dataclass(frozen=True)
class Option:
    """One file of conf/, by what a command gives: ``neuron=naud2008/tonic``."""

    group: str
    name: str
    text: str

    @property
    def comments(self) -> list[str]:
        """The lines at its top, of which the first says what it is."""
        lines = [line for line in self.text.splitlines() if "@package" not in line]
        end = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
        return [line.removeprefix("#").strip() for line in lines[:end]]

    @property
    def values(self) -> dict[str, Any]:
        return yaml.safe_load(self.text) or {}

    @property
    def target(self) -> str:
        """The class that it names, itself or through the option that it is based on; or nothing."""
        values = self.values
        if "_target_" in values:
            return str(values["_target_"]).rpartition(".")[2]
        for default in values.get("defaults", ()):
            if isinstance(default, str) and default.endswith("@_here_"):
                base = default.removesuffix("@_here_").removeprefix(f"/{self.group}/")
                return next(o.target for o in options(self.group) if o.name == base)
        return ""


@cache
def options(group: str) -> tuple[Option, ...]:
    """The options of a group, those in folders of it last."""
    folder = CONF / group
    nested = {"output", "rates"}  # groups within groups
    found = [
        Option(group, path.relative_to(folder).with_suffix("").as_posix(), path.read_text())
        for path in folder.rglob("*.yaml")
        if path.parent == folder or path.parent.name not in nested
    ]
    return tuple(sorted(found, key=lambda option: ("/" in option.name, option.name)))


#: Groups in the order in which a configuration is thought of, and what each is.
GROUPS = {
    "neuron": "The model of a population.",
    "synapse": "The receptor on which spikes arrive. `none`: they kick the potential.",
    "synapse/output": "What the variable of a synapse is to the cell.",
    "input": "What a neuron receives from outside.",
    "input/rates": "The signal that the rate of `input=poisson_rates` follows.",
    "connectivity": "Which neurons of two populations a projection connects.",
    "network": "Populations and projections. `single` is one population without any.",
    "integrator": "How a model is stepped.",
    "record": "What is kept.",
    "device": "What computes, and in which precision.",
    "tracker": "Where a run is told of while it goes.",
    "experiment": "Whole experiments and sweeps in one file.",
    "hydra/launcher": "Where the points of a sweep are computed.",
    "hydra/sweeper": "Which points a sweep has.",
}


def reference() -> dict[str, str]:
    """Pages of the configuration reference: every option of every group, as its file says it."""
    links = "\n".join(
        f"| [`{group}`]({_file(group)}) | {text} | {_names(group)} |"
        for group, text in GROUPS.items()
    )
    top = (CONF / "neurolab.yaml").read_text()
    pages = {"configuration/index.md": f"{_INDEX}\n{links}\n\n## The top\n\n```yaml\n{top}```\n"}
    for group, text in GROUPS.items():
        parts = [f"# {group}\n\n{text}\n"]
        for option in options(group):
            body = "\n".join(option.text.splitlines()[_comment_lines(option) :]).strip()
            head = " ".join(option.comments)
            shown = f"\n\n```yaml\n{body}\n```" if body else ""
            parts.append(f"## {option.name}\n\n{head}{shown}\n")
        pages[f"configuration/{_file(group)}"] = "\n".join(parts)
    return pages


_INDEX = """# Configuration

Every group, option, key, default and comment, as the files in `conf/` say them.
`python -m neurolab --help` lists groups and options in the terminal, `python -m neurolab --cfg job`
prints a composed configuration.

| group | what it is | options |
|---|---|---|"""


def _file(group: str) -> str:
    return f"{group.replace('/', '_')}.md"


def _comment_lines(option: Option) -> int:
    lines = option.text.splitlines()
    return next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))


def _names(group: str) -> str:
    plain = [f"`{option.name}`" for option in options(group) if "/" not in option.name]
    folders = sorted({o.name.partition("/")[0] for o in options(group) if "/" in o.name})
    return ", ".join([*plain, *(f"`{folder}/..`" for folder in folders)])
