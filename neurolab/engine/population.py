"""A population and all that drives it: what one step of the simulation is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import brainstate
import brainunit as u

from neurolab.inputs import Input, SpikeInput
from neurolab.neurons import Neuron
from neurolab.synapses import Output, Synapse
from neurolab.units import Relative

__all__ = ["Population"]


class Population(brainstate.nn.Module):
    """Neurons, the synapse that spikes come through, and the inputs.

    In a step the inputs are evaluated; their spikes, weighted, go through the synapse, or, without
    one, straight to the potential; the synaptic current joins the other currents; the neurons are
    stepped.  Drives that are given relative to the neuron take their size here.
    """

    def __init__(
        self,
        neuron: brainstate.nn.Dynamics,
        synapse: Synapse | None,
        output: Output | None,
        inputs: Mapping[str, Input],
    ) -> None:
        super().__init__()
        self.neuron = neuron
        self.synapse = synapse
        self.output = output
        self.inputs = dict(inputs)
        for model in self.inputs.values():
            self._size_drive(model)
        kicked = synapse is None and any(isinstance(m, SpikeInput) for m in self.inputs.values())
        through = output is not None and output.depends_on_potential
        for needed, method in ((kicked, "add_delta_input"), (through, "add_current_input")):
            if needed and not hasattr(neuron, method):
                raise ValueError(
                    f"{type(neuron).__name__} has no {method}; give it currents: a current input, "
                    "or synapse=expon with synapse/output=current"
                )
        if synapse is not None and output is not None and output.depends_on_potential:
            neuron.add_current_input(
                "synapse", lambda V: output.current(synapse.response(), V, neuron)
            )

    def models(self) -> dict[str, brainstate.nn.Dynamics]:
        """Every model that draws or keeps a state, by its name in the configuration."""
        synapse = {} if self.synapse is None else {"synapse": self.synapse}
        return {"neuron": self.neuron, **synapse, **self.inputs}

    def draw(self, first: Any, n_steps: int) -> dict[str, Any]:
        """What the models draw for a block of steps; leading axis of steps."""
        drawn = {
            name: model.draw(first, n_steps)
            for name, model in self.models().items()
            if hasattr(model, "draw")
        }
        return {name: value for name, value in drawn.items() if value is not None}

    def update(self, drawn: Mapping[str, Any]) -> Any:
        """One step; returns what the neuron's update returns, its spikes or rates."""
        current: Any = None
        jump: Any = None
        for name, model in self.inputs.items():
            drive = model.update(drawn.get(name))
            if isinstance(model, SpikeInput):
                jump = drive if jump is None else jump + drive
            else:
                current = drive if current is None else current + drive
        if self.synapse is not None and self.output is not None:
            noise = {"noise": drawn["synapse"]} if "synapse" in drawn else {}
            response = self.synapse.update(jump, **noise)
            if not self.output.depends_on_potential:
                passed = self.output.current(response, None, self.neuron)
                current = passed if current is None else current + passed
        elif jump is not None:
            self.neuron.add_delta_input("input", jump)
        arguments = {"noise": drawn["neuron"]} if "neuron" in drawn else {}
        return (
            self.neuron.update(**arguments)
            if current is None
            else self.neuron.update(current, **arguments)
        )

    def _size_drive(self, model: Input) -> None:
        """Turn what was given relative to the neuron into quantities."""
        for key, declared in model.parameters.items():
            value = getattr(model, key)
            if not isinstance(value, Relative):
                continue
            drive = value.value * self._neuron_scale(key) * value.unit
            setattr(model, key, self._weight_of(drive) if declared.role == "weight" else drive)

    def _neuron_scale(self, key: str) -> Any:
        if not isinstance(self.neuron, Neuron):
            raise ValueError(
                f"{key} is relative to the rheobase, which {type(self.neuron).__name__} does not "
                "have; give it a unit of its own, such as 1 mA"
            )
        return self.neuron.rheobase()

    def _weight_of(self, charge: Any) -> Any:
        """The weight with which a spike carries a charge into a neuron about to fire."""
        if self.synapse is None or self.output is None:
            return self.neuron.kick(charge)
        return u.maybe_decimal(charge / self.synapse.area() / self.output.strength(self.neuron))
