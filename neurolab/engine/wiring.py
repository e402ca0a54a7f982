"""The tables of a projection's synapses, drawn on the host from its rule and the seed.

Of a source and a delay the synapses follow one another in the order of their targets: ``first``
says where those of each begin, ``targets`` which neurons they go to, ``weights`` what they bring
where each has a weight of its own.  Every table has a first axis of devices, each with the synapses
onto its own neurons.  Drawn from the seed and the projection's name, they do not depend on devices.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Mapping
from typing import Any

import brainstate
import brainunit as u
import numpy as np

from neurolab.connectivity import Connectivity, Pairs
from neurolab.distributions import draw
from neurolab.engine.structure import Structure, Wiring
from neurolab.problems import ConfigError, Problem

__all__ = ["Tables", "synapse_problems", "wired"]

Tables = dict[str, np.ndarray]

#: What drawing a synapse takes at most: its ends, its row, their order.
_BYTES = 48
_KNOWN = hasattr(os, "sysconf")  # not on Windows


def wired(
    structure: Structure, numbers: Mapping[str, Any], n_shards: int, varying: Collection[str] = ()
) -> Tables:
    """The tables of all projections; with a first axis of points where ``varying`` numbers, which
    have one, decide them.

    Raises
    ------
    ConfigError
        For synapses that cannot be drawn.
    """
    found: Tables = {}
    for wiring in structure.projections:
        keys = wiring.drawn_from
        own = {key: np.asarray(numbers[key]) for key in keys}
        many = keys & set(varying)
        if not many:
            found |= _tables(structure, wiring, own, n_shards)
            continue
        n_points = len(own[next(iter(many))])
        points = [{k: v[p] if k in many else v for k, v in own.items()} for p in range(n_points)]
        each = [_tables(structure, wiring, one, n_shards) for one in points]
        for key in each[0]:
            longest = max(table[key].shape[-1:] for table in each)
            found[key] = np.stack([_padded(table[key], longest) for table in each])
    return found


def rule_of(
    structure: Structure, wiring: Wiring, numbers: Mapping[str, Any]
) -> tuple[Connectivity, Pairs]:
    """The rule of a projection, and the pairs of neurons that it may connect."""
    source, target = structure.of(wiring.source), structure.of(wiring.target)
    with brainstate.environ.context(dt=structure.dt_ms * u.ms, precision=64):
        rule: Connectivity = wiring.rule.build(1, numbers, wiring.key("connectivity"))
    return rule, rule.pairs(source.size, target.size, source is target)


def synapse_problems(structure: Structure, numbers: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the rules of projections, before any synapse is drawn."""
    found, n_bytes = [], 0.0
    for wiring in structure.projections:
        rule, pairs = rule_of(structure, wiring, numbers)
        if why := rule.refuses(pairs):
            found.append(Problem(wiring.key("connectivity"), type(rule).__name__, why))
        else:
            n_bytes += rule.expected(pairs) * _BYTES
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if _KNOWN else n_bytes
    if n_bytes > there:
        advice = (
            f"need {n_bytes / 1e9:.3g} GB of memory or more while they are drawn, and there are "
        )
        advice += f"{there / 1e9:.3g} GB; fewer neurons or synapses fit"
        found.append(Problem("projections", f"{n_bytes / _BYTES:.3g} synapses", advice))
    return found


def _tables(
    structure: Structure, wiring: Wiring, numbers: Mapping[str, Any], n_shards: int
) -> Tables:
    source, target, slot, weight = _drawn(structure, wiring, numbers)
    n_source, n_target = structure.of(wiring.source).size, structure.of(wiring.target).size
    least, most = wiring.delays
    n_slots, local = most - least + 1, n_target // n_shards
    row = source * n_slots + slot
    order = np.argsort(row * n_target + target, kind="stable")
    row, target = row[order], target[order]
    weight = None if weight is None else weight[order]
    shard = target // local
    firsts, targets, weights = [], [], []
    for k in range(n_shards):
        own = shard == k
        counts = np.bincount(row[own], minlength=n_source * n_slots)
        firsts.append(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
        targets.append((target[own] - k * local).astype(np.int32))
        if weight is not None:
            weights.append(weight[own])
    length = (_rounded(max(map(len, targets))),)
    found = {wiring.key("first"): np.stack(firsts)}
    found[wiring.key("targets")] = np.stack([_padded(own, length) for own in targets])
    if weight is not None:
        found[wiring.key("weights")] = np.stack([_padded(own, length) for own in weights])
        # All synapses of a neuron at once stay below 2^31 of it.
        largest = np.bincount(target, np.abs(weight), n_target).max(initial=0.0)
        bits = 30 if structure.precision == 32 else 62
        quantum = 2.0 ** (np.ceil(np.log2(largest)) - bits) if largest else 1.0
        found[wiring.key("quantum")] = np.asarray(quantum)
    return found


def _drawn(
    structure: Structure, wiring: Wiring, numbers: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Source, target, delay above the least in steps, and weight of every synapse."""
    seed = int(numbers["seed"])
    rng = np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(wiring.name.encode())]))
    rule, pairs = rule_of(structure, wiring, numbers)
    if why := rule.refuses(pairs):
        raise ConfigError([Problem(wiring.key("connectivity"), type(rule).__name__, why)])
    pre, post, own_weight, own_delay = rule.connect(rng, pairs)
    slot, weight, (least, most) = np.zeros(len(pre), np.int64), None, wiring.delays
    if wiring.slots:
        delay = draw(wiring.slots, numbers[wiring.key("delay")], len(pre), rng, own_delay)
        slot = np.clip(np.rint(delay / structure.dt_ms).astype(np.int64), least, most) - least
    if wiring.weights:
        weight = draw(wiring.weights, numbers[wiring.key("weight")], len(pre), rng, own_weight)
    return pre, post, slot, weight


def _rounded(n: int) -> int:
    """A length of a table that has n entries, so that those of other seeds mostly share it."""
    grain = max(1 << max(n.bit_length() - 6, 0), 16)
    return -(-(n + 1) // grain) * grain


def _padded(values: np.ndarray, length: tuple[int, ...]) -> np.ndarray:
    if values.ndim == 0:
        return values
    more = length[-1] - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, more)])
