"""Inputs: what a neuron receives from outside, as spikes or as currents.

An input draws whatever no state decides for a block of steps at once (`draw`), and turns one
step's share of it into a drive (`update`).  Alone, ``update()`` draws for the current step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp

from neurolab.dynamics import Dynamics, environ_step, parameter
from neurolab.units import Relative, magnitude

__all__ = ["Input", "SpikeInput"]


class Input(Dynamics):
    """Base of the inputs that are currents, added to the neuron's input current.

    One that plays recorded data names in ``recorded`` the parameters that say where they are and
    of what kind, and makes in `load` those parameters of them that have the role ``samples`` or
    ``events``.  They are numbers of the program: another recording needs no new one.
    """

    recorded: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def load(cls, settings: Mapping[str, Any], size: int) -> Mapping[str, Any]:
        """Parameters for ``size`` neurons from what ``recorded`` names.

        Samples are a quantity or relative to the neuron, events whole numbers.

        Raises
        ------
        InputFileError
            For data that cannot serve.
        """
        raise NotImplementedError

    def update(self, drawn: Any = None) -> Any:
        """The drive of this step; ``drawn`` is the step's share of `draw`."""
        if drawn is None:
            drawn = jax.tree.map(lambda x: x[0], self.draw(environ_step(), 1))
        return self.drive(drawn)

    def drive(self, drawn: Any) -> Any:
        """The drive that the drawn numbers amount to."""
        return drawn


class SpikeInput(Input):
    """Base of the inputs that are spikes; each brings ``weight`` to a receptor, or, without one,
    to the potential."""

    weight = parameter(
        Relative(0.5, u.ms),
        "what a spike brings: a voltage without synapse, a current or a conductance with one, "
        "or a charge relative to the neuron",
        role="weight",
    )
    receptor = parameter(None, "receptor that it feeds, where there are several")

    def drive(self, drawn: Any) -> Any:
        if isinstance(self.weight, Relative):
            raise ValueError(
                f"{type(self).__name__}: weight={self.weight.value} rheobase*ms is relative to a "
                "neuron; alone, give a quantity such as 1 mV"
            )
        return self.weight * drawn.astype(brainstate.environ.dftype())


def in_steps(time: u.Quantity) -> jax.Array:
    """The number of the first step that begins at or after a time; later than any for infinity."""
    ratio = jnp.asarray(u.maybe_decimal(time / brainstate.environ.get_dt()), float)
    whole = jnp.round(ratio)
    # Whole numbers of steps come out a rounding error away from themselves.
    near = jnp.abs(ratio - whole) <= jnp.maximum(1e-3, 2.4e-7 * jnp.abs(ratio))
    steps = jnp.where(near, whole, jnp.ceil(ratio))
    late = ~(steps < 2.0**31)
    return jnp.where(late, 2**31 - 1, jnp.where(late, 0.0, steps).astype(jnp.int32))


def per_step(rate: Any) -> jax.Array:
    """The mean number of events in a step of a process with the given rate."""
    return magnitude(rate * brainstate.environ.get_dt(), u.UNITLESS)
