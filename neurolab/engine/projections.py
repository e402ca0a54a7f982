"""Projections, as a structure knows them, and which of them share a table of synapses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurolab.connectivity import AllToAll

if TYPE_CHECKING:
    from neurolab.engine.structure import ModelSpec

__all__ = ["Bundle", "Wiring"]


@dataclass(frozen=True)
class Wiring:
    """The synapses of a projection, which is an input of its target: how they are drawn.

    Tables of them are numbers of the program, made by `neurolab.engine.wiring` from those that the
    configuration gives; projections that are alike share one (`Bundle`).
    """

    #: ``projections.E_I``
    name: str
    #: Prefixes of the populations.
    source: str
    target: str
    rule: ModelSpec
    #: Steps, the least and the most.
    delays: tuple[int, int]
    #: Distributions of what synapses have each of their own; None where all have the same.
    weights: str | None = None
    slots: str | None = None
    #: Whether weights may be negative.
    signed: bool = True

    def key(self, part: str) -> str:
        return f"{self.name}.{part}"

    @property
    def everyone(self) -> bool:
        """Whether every neuron of the target hears the same: a sum over the source, no synapses."""
        return issubclass(self.rule.target, AllToAll) and not (self.weights or self.slots)

    @property
    def autapses(self) -> bool:
        """Whether a neuron may connect to itself."""
        return bool(dict(self.rule.fixed).get("autapses", True))

    @property
    def drawn_from(self) -> frozenset[str]:
        """Keys of the numbers that its synapses depend on."""
        own = {
            self.key(part)
            for part, name in (("weight", self.weights), ("delay", self.slots))
            if name
        }
        return frozenset({"seed", *(number.key for number in self.rule.all_numbers()), *own})


@dataclass(frozen=True)
class Bundle:
    """Projections of one source whose synapses lie in one table: alike in their delays, and in
    whether each synapse has a weight of its own.  Targets are counted through those of all of them.
    """

    wirings: tuple[Wiring, ...]

    def key(self, part: str) -> str:
        return f"{'+'.join(wiring.name for wiring in self.wirings)}.{part}"

    @property
    def source(self) -> str:
        return self.wirings[0].source

    @property
    def delays(self) -> tuple[int, int]:
        return self.wirings[0].delays

    @property
    def n_slots(self) -> int:
        """Different delays, in steps."""
        return self.delays[1] - self.delays[0] + 1

    @property
    def weighted(self) -> bool:
        """Whether synapses have weights of their own."""
        return self.wirings[0].weights is not None

    @property
    def once(self) -> bool:
        """Whether each pair of neurons has one synapse at most."""
        rules: list[Any] = [wiring.rule.target for wiring in self.wirings]
        return all(rule.once for rule in rules)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of its tables, each with a first axis of devices."""
        return tuple(map(self.key, ("first", "places", *(("weights",) if self.weighted else ()))))

    @property
    def made(self) -> tuple[str, ...]:
        """Keys of all that is made of what it is drawn from."""
        return (*self.tables, *((self.key("quantum"),) if self.weighted else ()))

    @property
    def drawn_from(self) -> frozenset[str]:
        """Keys of the numbers that tables depend on."""
        return frozenset().union(*(wiring.drawn_from for wiring in self.wirings))
