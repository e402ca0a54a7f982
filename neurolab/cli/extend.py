"""The plan of a sweep with more: ``resume=<folder> seed=range:20`` or ``duration=20s``.

More values of a key that is swept are put in place of those that there are, which must be among
them; a key that is not swept becomes a further axis, of which one value is that of all points until
now.  Points are numbered anew; what is computed of them stays (`neurolab.results.earlier`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurolab.cli.compose import compose_master
from neurolab.cli.forms import hydra_form, plan_of
from neurolab.cli.points import Composer, compose_plan, diagnose_sweep
from neurolab.cli.raised import explained
from neurolab.problems import ConfigError, Problem
from neurolab.results.axes import Axis, of_sweep, plain_key
from neurolab.results.plan import Plan
from neurolab.results.same import extension

__all__ = ["extend"]


def extend(
    before: Plan, overrides: Sequence[str], usual: Sequence[str], seed: int
) -> tuple[Plan, list[tuple[tuple[Problem, ...], np.ndarray]] | dict[str, np.ndarray]]:
    """The plan that has what a sweep was begun with and more, and what Hydra refuses of it.

    Parameters
    ----------
    overrides
        More values, as they are typed: all of a key, not those alone that are new.
    usual
        What is typed besides, which says how it is computed.
    seed
        That of samples (``sweep.seed``).

    Raises
    ------
    ConfigError
        The points of the sweep are not in it.
    """
    if hydras := [text for text in overrides if plain_key(text)[:6] in ("hydra.", "hydra/")]:
        advice = "is not heeded here: of hydra's keys a sweep goes on with hydra/launcher alone"
        raise ConfigError([Problem(*text.partition("=")[::2], advice) for text in hydras])
    if others := [
        text for text in overrides if of_sweep(text.partition("=")[0]) or text[:1] == "~"
    ]:
        advice = "is what the sweep is; begin another sweep for another value"
        raise ConfigError([Problem(*text.partition("=")[::2], advice) for text in others])
    given = [hydra_form(text, swept=True) for text in overrides]
    explaining = explained(lambda: diagnose_sweep(given), given)
    with explaining, compose_master(usual) as (loader, master):
        plan = _joined(before, plan_of(None, given, loader, seed))
        refused = compose_plan(plan, Composer(loader, master))
    if not plan.templates:
        raise ConfigError(dict.fromkeys(problem for problems, _ in refused for problem in problems))
    try:
        where = extension(plan, before)
    except ValueError as error:
        advice = f"{error}; a sweep that goes on may have more values or a longer duration"
        pairs = [text.partition("=")[::2] for text in overrides]
        pairs = [pair for pair in pairs if plain_key(pair[0]) in str(error)] or pairs
        raise ConfigError(
            [Problem(key, value, f"{advice}, begin another for others") for key, value in pairs]
        ) from None
    if where.shape == plan.shape and not where.longer:  # which has all of them, each once
        return before, before.refused
    plan.earlier = [*(one.then(where) for one in before.earlier), where]
    return plan, refused


def _joined(before: Plan, more: Plan) -> Plan:
    """A plan with the values of another in place of its own; not yet composed."""
    known = {plain_key(key): key for key in before.order}  # as it is typed, with a + where it needs
    new = {plain_key(key): known.get(plain_key(key), key) for key in more.order}
    axes, left = [], []
    for axis in more.axes:
        columns = {new[plain_key(key)]: column for key, column in axis.columns.items()}
        left.append(Axis(axis.name, columns))
    for axis in before.axes:
        others = [one for one in left if not set(one.keys).isdisjoint(axis.keys)]
        for one in others:
            left.remove(one)
        columns = {key: own for key, own in axis.columns.items() if plain_key(key) not in new}
        for one in others:
            columns |= one.columns
        if {one.name for one in others} - {axis.name} or len(set(map(len, columns.values()))) > 1:
            keys = " ".join(axis.keys)
            advice = "are walked together: give each as many values, in the form that they have"
            raise ConfigError([Problem(keys, "", advice)])
        if columns:
            axes.append(Axis(axis.name, columns))
    for one in left:  # of their own, where there is an axis of their name
        for other in (axis for axis in axes if axis.name == one.name):
            advice = f"would be walked together with {', '.join(other.keys)}: list its values"
            raise ConfigError([Problem(" ".join(one.keys), "", advice)])
    order = dict.fromkeys([*before.order, *new.values()])
    fixed = {key: text for key, text in before.fixed.items() if plain_key(key) not in new}
    for key, text in more.fixed.items():
        key = new[plain_key(key)]
        fixed[key] = f"{key}={text.partition('=')[2]}"
    return Plan(tuple(order), fixed, (*axes, *left))
