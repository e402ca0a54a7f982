"""Points of one structure as one compiled program: its loop mapped over points.

Devices share the points.  The numbers that differ between points have a leading axis of lanes, one
lane a point; the others are shared, and so is all that is computed from them alone: with one seed
for all points, the random words.  Nothing passes between lanes, so a point gives what it gives
alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec

from neurolab.engine.loop import Loop, Records, State
from neurolab.engine.records import choose_columns
from neurolab.engine.structure import Numbers, Structure

__all__ = ["Batch"]


class Batch:
    """`Program` for ``n_lanes`` points.

    Parameters
    ----------
    structure
        What is compiled.
    capacity
        Most steps that one `advance` may make.
    devices
        Devices that share the points.
    n_lanes
        Points in the batch, a multiple of the number of devices.
    varying
        Keys of the numbers that have a value for each point, along their first axis.
    at_once
        Points that a device steps together, before it goes on to its next ones: a divisor of the
        points that it has. What they need should stay in a core's cache.
    """

    def __init__(
        self,
        structure: Structure,
        capacity: int,
        devices: Sequence[Any],
        n_lanes: int,
        varying: Collection[str],
        at_once: int,
    ) -> None:
        self.structure, self.n_lanes, self.devices = structure, n_lanes, list(devices)
        self.at_once = at_once
        self.loop = Loop(structure, capacity)
        self.varying = frozenset(varying)
        self.columns, chosen = choose_columns(structure, 1)
        self._chosen = chosen[0]
        auto = (jax.sharding.AxisType.Auto,)
        self.mesh = jax.make_mesh((len(self.devices),), ("points",), auto, devices=self.devices)
        self._lanes = np.arange(n_lanes)
        self._start, self._advance = self._functions()
        self._compiled: Any = None

    def start(self, numbers: Numbers) -> State:
        """The states of all points before the first step; each variable has its lanes first."""
        with self.loop.environment():
            return self._start(*self._split(numbers), self._lanes)

    def advance(self, numbers: Numbers, state: State, n_steps: int) -> tuple[State, Records]:
        """The states ``n_steps`` later, and the records of these steps: (lanes, rows, columns)."""
        with self.loop.environment():
            run = self._compiled or self._advance
            return run(*self._split(numbers), state, jnp.int32(n_steps))

    def compile(self, numbers: Numbers) -> None:
        """Compile both functions, so that a first `advance` is as fast as any other."""
        with self.loop.environment():
            fixed, own = self._split(numbers)
            state = self._start(fixed, own, self._lanes)
            lowered = self._advance.lower(fixed, own, state, jnp.int32(1))
            self._compiled = lowered.compile()

    def _split(self, numbers: Numbers) -> tuple[dict[str, Any], dict[str, Any]]:
        values = self.loop.arguments(numbers)
        own = {key: value for key, value in values.items() if key in self.varying}
        return {key: value for key, value in values.items() if key not in own}, own

    def _functions(self) -> tuple[Any, Any]:
        loop, chosen = self.loop, self._chosen

        def start(fixed: Numbers, own: Numbers, lanes: Any) -> Any:
            def one(own: Numbers, lane: Any) -> State:
                state = loop.start({**fixed, **own}, 0)
                del state["step"]  # one clock for all
                return state

            return {"values": jax.vmap(one)(own, lanes), "step": jnp.int32(0)}

        def advance(fixed: Numbers, own: Numbers, state: Any, n_steps: Any) -> Any:
            def one(lane: tuple[Numbers, State]) -> Any:
                before = {**lane[1], "step": state["step"]}
                after, records = loop.advance({**fixed, **lane[0]}, chosen, before, n_steps, 0)
                del after["step"]
                return after, records

            lanes = (own, state["values"])
            after, records = jax.lax.map(one, lanes, batch_size=self.at_once)
            return {"values": after, "step": state["step"] + n_steps}, records

        lanes, whole = PartitionSpec("points"), PartitionSpec()
        states = {"values": lanes, "step": whole}
        return (
            self._compilable(start, (whole, lanes, lanes), states),
            self._compilable(advance, (whole, lanes, states, whole), (states, lanes)),
        )

    def _compilable(self, function: Any, inputs: Any, outputs: Any) -> Any:
        return jax.jit(
            jax.shard_map(
                function, mesh=self.mesh, in_specs=inputs, out_specs=outputs, check_vma=False
            )
        )
