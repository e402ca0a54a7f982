"""The neurons of a point on one device, part after part: what a core's cache holds is computed
through all steps before the next is begun."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from neurolab.engine.loop import Loop, Records, State
from neurolab.engine.records import choose_columns
from neurolab.engine.structure import Numbers, Structure

__all__ = ["NEURONS_TOGETHER", "Parts"]

#: Neurons that one device steps together: what stays in a core's cache (measured, AdEx with an
#: exponential synapse, updates per second: 1.00 at 1024, 0.94 at 2048, 0.80 at 10000).
NEURONS_TOGETHER = {"cpu": 1024}


class Parts:
    """The loop over steps for equal parts of the neurons that a device has.

    There is one part where the neurons hear of each other (`Structure.independent`), and where the
    variables of many of one part would be recorded.
    """

    def __init__(self, structure: Structure, capacity: int, n_shards: int, platform: str) -> None:
        self.size = structure.size // n_shards
        self.n = 1
        together = NEURONS_TOGETHER.get(platform, self.size)
        apart = structure.independent and len(structure.populations) == 1
        apart = apart and not structure.projections
        if apart and self.size >= 2 * together:
            most = 4 * self.size // together  # smaller ones would not be worth their overhead
            fitting = (n for n in range(-(-self.size // together), most) if self.size % n == 0)
            self.n = next(fitting, 1)
        # Each part records as many neurons as the one that has the most to record: where these are
        # the first of many, most of that would be for nothing.
        wanted, n_all = structure.recording.neurons, n_shards * self.n
        if wanted is not None and self.n > 1:
            columns = sum(chosen.size for chosen in choose_columns(structure, n_all)[1].values())
            if columns > max(2 * len(wanted), structure.size // 64, 64):
                self.n = 1
        self.loop = Loop(structure, capacity, n_shards * self.n)

    def advance(
        self, numbers: Numbers, chosen: Any, state: State, n_steps: Any, shard: Any
    ) -> tuple[State, Records]:
        """As `Loop.advance`, ``chosen`` with a first axis of parts; records have the neurons of
        one part after those of another."""
        if self.n == 1:
            chosen = jax.tree.map(lambda neurons: neurons[0], chosen)
            return self.loop.advance(numbers, chosen, state, n_steps, shard)
        per_neuron = self.loop.structure.per_neuron
        alike = {name: v for name, v in state.items() if v.shape[-1:] != (self.size,)}
        common = {key: v for key, v in numbers.items() if key not in per_neuron}
        own = (
            {key: self._split(v) for key, v in numbers.items() if key not in common},
            {name: self._split(v) for name, v in state.items() if name not in alike},
        )

        def one(part: Any) -> tuple[State, Records]:
            k, chosen, (numbers, state) = part
            place = shard * self.n + k
            return self.loop.advance(common | numbers, chosen, alike | state, n_steps, place)

        after, records = jax.lax.map(one, (jnp.arange(self.n), chosen, own))
        after = {name: v[0] if name in alike else _joined(v) for name, v in after.items()}
        return after, jax.tree.map(_joined, records)

    def _split(self, whole: jax.Array) -> jax.Array:
        """Parts of the last axis, along a new first one."""
        parts = whole.reshape(*whole.shape[:-1], self.n, self.size // self.n)
        return jnp.moveaxis(parts, -2, 0)


def _joined(parts: jax.Array) -> jax.Array:
    """Parts, along the first axis, one after the other in the last."""
    return jnp.moveaxis(parts, 0, -2).reshape(*parts.shape[1:-1], -1)
