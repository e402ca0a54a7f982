"""A configuration as groups of keys and values, with what differs from the defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neurolab.report.folders import overrides_of, read_yaml, text_of
from neurolab.results.plan import flat

__all__ = ["configuration_of"]

#: Where results go and who is told come last: they decide no result.
_LAST = ("device", "tracker", "sweep", "report")


def configuration_of(folder: Path) -> dict[str, Any]:
    """The groups of a run's configuration; ``compared`` says with what it was compared.

    That is what the run folder says its options alone would be, else what was typed.
    """
    config, found = (
        read_yaml(folder / ".hydra" / name) for name in ("config.yaml", "defaults.yaml")
    )
    config = config if isinstance(config, dict) else {}
    if isinstance(found, dict) and found.keys() >= {"config", "options", "usual"}:
        before = dict(flat(found["config"] or {}))

        def from_default(key: str, value: Any) -> dict[str, Any]:
            if key in before and _same(value, before[key]):
                return {}
            usual = text_of(before[key]) if key in before else "not set"
            return {"differs": True, "default": usual}

        groups = _groups(config, from_default, found["options"], found["usual"])
        return {"groups": groups, "compared": "defaults"}
    typed = {text.lstrip("+~").partition("=")[0] for text in overrides_of(folder)}
    groups = _groups(config, lambda key, value: {"differs": key in typed}, {}, {})
    return {"groups": groups, "compared": "overrides"}


def _groups(
    config: Mapping[str, Any],
    difference: Callable[[str, Any], dict[str, Any]],
    chosen: Mapping[str, Any],
    usual: Mapping[str, Any],
) -> list[dict[str, Any]]:
    def row(key: str, value: Any, name: str) -> dict[str, Any]:
        return {"key": key, "name": name, "value": text_of(value), **difference(key, value)}

    plain = [row(key, value, key) for key, value in config.items() if not isinstance(value, dict)]
    groups: list[dict[str, Any]] = [{"name": "run", "rows": plain}] if plain else []
    named = [key for key, value in config.items() if isinstance(value, dict)]
    for group in sorted(named, key=lambda name: _LAST.index(name) if name in _LAST else -1):
        rows = [
            row(key, value, key.removeprefix(f"{group}."))
            for key, value in flat(config[group], group)
            if key != group
        ]
        more = {k: v for k, v in chosen.items() if k.replace("@", "/").startswith(f"{group}/")}
        inner = [f"{key.rpartition('.')[2].rpartition('/')[2]}: {v}" for key, v in more.items()]
        option = ", ".join(filter(None, [chosen.get(group), *inner]))
        one = {"name": group, "rows": rows, "option": option}
        if group in usual and _option(usual[group]) != _option(chosen.get(group)):
            one["default"] = _option(usual[group])
        if rows or one["option"]:
            groups.append(one)
    return groups


def _option(value: Any) -> str:
    return "none" if value is None else str(value)


def _same(value: Any, other: Any) -> bool:
    """Equal up to blanks, which the value of a quantity does not depend on: 20ms, 20 ms."""
    if isinstance(value, str) and isinstance(other, str):
        return "".join(value.split()) == "".join(other.split())
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)
