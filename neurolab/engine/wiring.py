"""The tables of synapses, drawn on the host from rules and the seed.

In the table of a bundle of projections the synapses of a source follow one another, in the order of
their delays and targets: ``first`` says where those of each begin, ``places`` where they arrive,
which is (delay above the least, in steps) x (targets, and one) + target, ``weights`` what they
bring where each has a weight of its own.  Every table has a first axis
of devices, each with the synapses onto its own neurons.  Drawn from the seed and a projection's
name, synapses depend neither on devices nor on what else there is.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import brainstate
import brainunit as u
import numpy as np

from neurolab.connectivity import Connectivity, Pairs
from neurolab.distributions import draw
from neurolab.engine.memory import available
from neurolab.engine.projections import Bundle, Wiring
from neurolab.engine.structure import Structure
from neurolab.problems import ConfigError, Problem

__all__ = ["Synapses", "Tables", "synapse_problems", "synapses", "wired"]

Tables = dict[str, np.ndarray[Any, Any]]

#: What a synapse takes in its table; while that is filled, and while a projection is drawn.
_KEPT, _FILLED, _DRAWN = 8, 24, 40
#: What else a process needs, as a part of that: the network may be too large by this much.
_BESIDE = 0.15
#: Synapses of a row that are added in one turn of a loop; a row is filled up to whole groups.
_GROUP = 4


def wired(
    structure: Structure, numbers: Mapping[str, Any], n_shards: int, varying: Collection[str] = ()
) -> Tables:
    """The tables of all projections that are not among the numbers yet; with a first axis of points
    where ``varying`` numbers, which have one, decide them.

    Raises
    ------
    ConfigError
        For synapses that cannot be drawn, or not in the memory that there is.
    """
    found: Tables = {}
    for bundle in structure.bundles:
        if set(bundle.tables) <= numbers.keys():
            continue
        try:
            found |= _of_bundle(structure, bundle, numbers, n_shards, varying)
        except MemoryError as error:
            names = ", ".join(of.name.removeprefix("projections.") for of in bundle.wirings)
            advice = f"memory ran out while synapses were drawn ({error}); fewer neurons or "
            advice += "synapses fit" + "; so do fewer points at once (sweep.batch)" * bool(varying)
            raise ConfigError([Problem("projections", names, advice)]) from error
    return found


def _width(structure: Structure, bundle: Bundle) -> int:
    """The targets of a bundle."""
    return sum(structure.of(wiring.target).size for wiring in bundle.wirings)


def _of_bundle(
    structure: Structure,
    bundle: Bundle,
    numbers: Mapping[str, Any],
    n_shards: int,
    varying: Collection[str],
) -> Tables:
    """The table of a bundle, or of each point."""
    keys = bundle.drawn_from
    own = {key: np.asarray(numbers[key]) for key in keys}
    many = keys & set(varying)
    if not many:
        return _tables(structure, bundle, own, n_shards)
    n_points = len(own[next(iter(many))])
    points = [{k: v[p] if k in many else v for k, v in own.items()} for p in range(n_points)]
    each = [_tables(structure, bundle, points[0], n_shards)]
    group = each[0][bundle.key("places")].shape[-1]
    each += [_tables(structure, bundle, one, n_shards, group) for one in points[1:]]
    found: Tables = {}
    for key in each[0]:
        longest = max(np.shape(table[key])[1:2] for table in each)
        found[key] = np.stack([_as_long(table[key], longest) for table in each])
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
    found, expected, there = [], dict[str, float](), available()
    widths = {of.name: _width(structure, b) for b in structure.bundles for of in b.wirings}
    for wiring in structure.projections:
        (least, most), n_source = wiring.delays, structure.of(wiring.source).size
        # Two copies of the bits that say who fired, and of what is to arrive.
        n_slots, width = most - least + 1, widths.get(wiring.name, 0)
        n_bytes = 8.0 * ((n_source // 32 + 2) * least + n_slots * width)
        if n_bytes > there or max(most, n_slots * max(2 * width, n_source)) >= 2**31:
            advice = (
                f"is {most:.3g} steps: what comes in so many takes {n_bytes / 1e9:.3g} GB, and "
            )
            advice += f"{there / 1e9:.3g} GB are free"
            longest = f"{most * structure.dt_ms:g} ms"
            found.append(Problem(wiring.key("delay"), longest, advice))
        rule, pairs = rule_of(structure, wiring, numbers)
        if why := rule.refuses(pairs):
            found.append(Problem(wiring.key("connectivity"), type(rule).__name__, why))
        elif not wiring.everyone:
            expected[wiring.name] = rule.expected(pairs)
    bundles = [sum(expected.get(of.name, 0.0) for of in b.wirings) for b in structure.bundles]
    together = max(max(bundles, default=0.0) * _FILLED, max(expected.values(), default=0) * _DRAWN)
    n, n_bytes = sum(bundles), sum(bundles) * _KEPT + together
    n_bytes *= 1 + _BESIDE
    if n_bytes > there:
        advice = f"need {n_bytes / 1e9:.3g} GB of memory or more while they are drawn, and "
        advice += f"{there / 1e9:.3g} GB are free; fewer neurons or synapses fit"
        found.append(Problem("projections", f"{n:.3g} synapses", advice))
    elif max(bundles, default=0.0) >= 2**31:
        advice = "are more than the 2^31 that a population may have; divide it into several"
        found.append(Problem("projections", f"{max(bundles):.3g} synapses of one source", advice))
    return found


class Synapses(NamedTuple):
    """The synapses of a projection, sorted by row, then by target."""

    #: source x (different delays) + delay above the least, in steps
    row: np.ndarray
    target: np.ndarray
    #: What each brings, where that is its own.
    weight: np.ndarray | None

    def onto(self, begin: int, end: int) -> Synapses:
        """Those onto some of the targets, counted from the first of these."""
        own = (begin <= self.target) & (self.target < end)
        weight = None if self.weight is None else self.weight[own]
        return Synapses(self.row[own], self.target[own] - np.int32(begin), weight)


def _tables(
    structure: Structure,
    bundle: Bundle,
    numbers: Mapping[str, Any],
    n_shards: int,
    group: int | None = None,
) -> Tables:
    """The table of a bundle: source by source those of its projections, one after another, filled
    up to groups of as many synapses, by default of `_GROUP` where sources have many times that."""
    drawn = [synapses(structure, wiring, numbers) for wiring in bundle.wirings]
    widths = [-(-structure.of(wiring.target).size // n_shards) for wiring in bundle.wirings]
    n_rows, width = structure.of(bundle.source).size, sum(widths) + 1
    parts = [
        [of if n_shards == 1 else of.onto(k * w, (k + 1) * w) for k in range(n_shards)]
        for of, w in zip(drawn, widths, strict=True)
    ]
    del drawn
    counts = np.zeros((len(parts), n_shards, n_rows), np.int64)
    for part, count in zip(parts, counts, strict=True):
        count[:] = [np.bincount(of.row // bundle.n_slots, minlength=n_rows) for of in part]
    of_row = counts.sum(axis=0)
    if group is None:
        group = _GROUP if of_row.sum() >= 4 * _GROUP * np.count_nonzero(of_row) else 1
    first = np.zeros((n_shards, n_rows + 1), np.int32)
    np.cumsum(-(-of_row // group), axis=1, out=first[:, 1:])
    shape = (n_shards, _rounded(int(first[:, -1].max())) * group)
    # Half the memory where it is enough: a long row waits for memory.
    kind = np.uint16 if width * bundle.n_slots <= 2**16 else np.int32
    places = np.full(shape, width - 1, kind)
    floats = np.float32 if structure.precision == 32 else np.float64
    weights = np.zeros(shape, floats) if bundle.weighted else None
    begin, offset = first[:, :-1].astype(np.int64) * group, 0
    for part, count, own in zip(parts, counts, widths, strict=True):
        for k, of in enumerate(part):
            # Where a synapse is in the table, beyond where it is among the projection's own.
            at = np.repeat(begin[k] - (np.cumsum(count[k]) - count[k]), count[k])
            at += np.arange(len(of.target))
            places[k, at] = (of.row % bundle.n_slots * width + of.target + offset).astype(kind)
            if weights is not None:
                weights[k, at] = of.weight
        part.clear()  # a bundle may be half of what memory holds
        begin += count
        offset += own
    in_groups = (n_shards, -1, group)
    found: Tables = {"first": first, "places": places.reshape(in_groups)}
    if weights is not None:
        found["weights"] = weights.reshape(in_groups)
        found["quantum"] = _quantum(places, weights, width)
    return {bundle.key(part): values for part, values in found.items()}


def _quantum(places: np.ndarray, weights: np.ndarray, width: int) -> np.ndarray:
    """A power of two: of it all synapses of a neuron at once stay below 2^31, or 2^63."""
    counts = (np.delete(np.bincount(own, minlength=width), width - 1) for own in places)
    most = max(count.max(initial=0) for count in counts)
    largest = most * float(np.abs(weights).max(initial=0.0))
    bits = 30 if weights.dtype == np.float32 else 62
    return np.asarray(2.0 ** (np.ceil(np.log2(largest)) - bits) if largest else 1.0)


def synapses(structure: Structure, wiring: Wiring, numbers: Mapping[str, Any]) -> Synapses:
    """Draw the synapses of a projection."""
    seed = int(numbers["seed"])
    rng = np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(wiring.name.encode())]))
    rule, pairs = rule_of(structure, wiring, numbers)
    if why := rule.refuses(pairs):
        raise ConfigError([Problem(wiring.key("connectivity"), type(rule).__name__, why)])
    least, most = wiring.delays
    source, target, own_weight, own_delay = rule.connect(rng, pairs)
    place = np.multiply(source, most - least + 1, dtype=np.int64)
    if wiring.slots:
        delay = draw(wiring.slots, numbers[wiring.key("delay")], len(source), rng, own_delay)
        delay = np.rint(delay / structure.dt_ms).clip(least, most)
        place += delay.astype(np.int32) - least
        del delay
    place *= pairs.n_target
    place += target
    del source, target
    if own_weight is not None:
        order = np.argsort(place, kind="stable")
        place, own_weight = place[order], own_weight[order]
    else:  # what is still to be drawn is alike for all: they need no other order than this
        place.sort()
    row = place // pairs.n_target
    place -= row * pairs.n_target
    row, target = row.astype(np.int32), place.astype(np.int32)
    del place
    weight = None
    if wiring.weights:
        given = numbers[wiring.key("weight")]
        weight = draw(wiring.weights, given, len(target), rng, own_weight)
        weight = weight.astype(np.float32 if structure.precision == 32 else np.float64, copy=False)
    return Synapses(row, target, weight)


def _rounded(n: int) -> int:
    """A length of a table that has n entries, so that those of other seeds mostly share it."""
    grain = max(1 << max(n.bit_length() - 6, 0), 16)
    return -(-(n + 1) // grain) * grain


def _as_long(values: np.ndarray, length: tuple[int, ...]) -> np.ndarray:
    """A table with as many rows as that of another point; `first` says how many are used."""
    more = length[0] - values.shape[1] if length else 0
    return np.pad(values, [(0, 0), (0, more), (0, 0)][: values.ndim]) if more else values
