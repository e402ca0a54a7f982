"""The populations of a structure as brainstate modules: what one step of all of them is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import brainstate
import brainunit as u
import jax

from neurolab.dynamics import Dynamics
from neurolab.engine.population import Population
from neurolab.engine.structure import Numbers, Structure
from neurolab.units import with_unit

__all__ = ["Network", "kept_random", "seed_random"]


class Network:
    """The models of a structure, their numbers in place and their states made.

    Parameters
    ----------
    structure, numbers
        What is simulated.
    indices
        Of each population, the numbers of the neurons that are here.
    """

    def __init__(self, structure: Structure, numbers: Numbers, indices: Sequence[Any]) -> None:
        self.populations: dict[str, Population] = {}
        for spec, index in zip(structure.populations, indices, strict=True):
            population = Population.of(spec, structure.integrator, index.shape[0], numbers)
            for model in population.nodes().values():  # those inside of others too
                if isinstance(model, Dynamics):
                    model.seed = numbers["seed"]
                    model.index = index
            brainstate.nn.init_all_states(population)
            recorded = {*spec.currents} & {*structure.recording.variables}
            kept = [name for name, _ in spec.inputs if spec.full(name) in recorded]
            population.keep(kept, spec.current_unit)
            self.populations[spec.prefix] = population

    def draw(self, first: Any, n_steps: int) -> dict[str, dict[str, Any]]:
        """What the models draw for a block of steps; leading axis of steps."""
        return {prefix: some.draw(first, n_steps) for prefix, some in self.populations.items()}

    def update(self, drawn: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """One step; what each population gives, its spikes or rates."""
        return {prefix: some.update(drawn[prefix]) for prefix, some in self.populations.items()}

    def states(self) -> dict[str, Any]:
        """All states by name, a neuron's first: ``neuron.V``, ``synapse.g``, ..."""
        found: dict[str, Any] = {}
        order = ("neuron", "receptors", "inputs", "currents")
        for prefix, population in self.populations.items():
            states: Any = population.states()
            ranked = sorted(states.items(), key=lambda kv: order.index(kv[0][0]))
            for path, held in ranked:
                own = path if path[0] == "neuron" else path[1:]
                found[prefix + ".".join(map(str, own))] = held
        return found

    def read(self) -> dict[str, Any]:
        """The values of all states, as plain numbers."""
        return {name: u.get_mantissa(held.value) for name, held in self.states().items()}

    def write(self, values: Mapping[str, Any]) -> None:
        """Put values in place of those of all states."""
        for name, held in self.states().items():
            held.value = with_unit(values[name], u.get_unit(held.value))


def seed_random(seed: tuple[Any, ...]) -> None:
    """Make ``brainstate.random``, which a user's model may draw from, a function of the step."""
    key = jax.random.PRNGKey(0)
    for number in seed:
        key = jax.random.fold_in(key, number)
    brainstate.random.DEFAULT.value = key


@contextmanager
def kept_random() -> Iterator[None]:
    """Leave ``brainstate.random`` as it was."""
    before = brainstate.random.DEFAULT.value
    try:
        yield
    finally:
        brainstate.random.DEFAULT.value = before
