"""A population and all that drives it: what one step of the simulation is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import brainstate
import brainunit as u
import jax.numpy as jnp

from neurolab.engine.structure import Numbers, PopulationSpec
from neurolab.inputs import Input, Signal, SpikeInput
from neurolab.integrators import Integrator
from neurolab.neurons import Neuron, Spiking
from neurolab.synapses import Synapse
from neurolab.units import Relative, magnitude, with_unit

__all__ = ["Population", "receptor_of"]


def receptor_of(given: str | None, receptors: Mapping[str, Any]) -> str | None:
    """The name of the receptor that an input feeds: the one it names, ``synapse``, or the only one;
    None where there is none.  A `ValueError` says which there are."""
    names = {name.removeprefix("receptors."): name for name in receptors}
    if given is None and (not names or "synapse" in names or len(names) == 1):
        return names.get("synapse", next(iter(names.values()), None))
    if not isinstance(given, str) or given not in names:
        there = " or ".join(names) or "none; +synapse@receptors.gaba=expon adds one"
        raise ValueError(f"{'names no receptor' if given else 'is needed'}; there is {there}")
    return names[given]


class Population(brainstate.nn.Module):
    """Neurons, the receptors that spikes come through, and the inputs.

    In a step the inputs are evaluated.  Spikes arrive at its beginning, weighted, at the receptor
    that their input feeds, or, without one, kick the potential at its end.  The neurons integrate
    over the step the currents of receptors and inputs as they vary within it.  Drives that are
    given relative to the neuron take their size here.
    """

    def __init__(
        self,
        neuron: brainstate.nn.Dynamics,
        receptors: Mapping[str, Synapse],
        inputs: Mapping[str, Input],
    ) -> None:
        super().__init__()
        self.neuron = neuron
        self.receptors = dict(receptors)
        self.inputs = dict(inputs)
        #: The receptor that each input of spikes feeds.
        self.feeds = {
            name: receptor_of(model.receptor, receptors)
            for name, model in inputs.items()
            if isinstance(model, SpikeInput)
        }
        #: The currents of the inputs that are recorded (`keep`), as they last were.
        self.currents: dict[str, brainstate.State] = {}
        for name, model in self.inputs.items():
            self._size_drive(name, model)
        through = {k: s for k, s in self.receptors.items() if s.output.depends_on_potential}
        kicked = None in self.feeds.values()
        for needed, method in ((kicked, "add_delta_input"), (through, "add_current_input")):
            if needed and not hasattr(neuron, method):
                raise ValueError(
                    f"{type(neuron).__name__} has no {method}; give it currents: a current input, "
                    "or synapse=expon with synapse/output=current"
                )
        #: The times within a step at which it is asked for drives; None for their mean.
        self.times: tuple[float | None, ...] = (None,)
        #: The shares in a step of those after the first.
        self.shares: tuple[float, ...] = ()
        if isinstance(neuron, Spiking):
            nodes, weights = neuron.integrator.nodes, neuron.integrator.weights
            self.times += tuple(sorted({c for c in nodes if c is not None}))
            self.shares = tuple(
                sum(w for w, c in zip(weights, nodes, strict=True) if c == time)
                for time in self.times[1:]
            )
        else:
            for name, synapse in through.items():
                neuron.add_current_input(name, partial(self._mean, synapse))

    @classmethod
    def of(
        cls, spec: PopulationSpec, integrator: type[Integrator], size: int, numbers: Numbers
    ) -> Population:
        """``size`` neurons of a population, with their numbers in place."""
        neuron = spec.neuron.build(size, numbers, f"{spec.prefix}neuron")
        if isinstance(neuron, Neuron):
            neuron.integrator = integrator()
        receptors, inputs = (
            {name: part.build(size, numbers, spec.full(name)) for name, part in parts}
            for parts in (spec.receptors, spec.inputs)
        )
        return cls(neuron, receptors, inputs)

    def keep(self, names: Iterable[str], unit: u.Unit) -> None:
        """Have as states the currents that some of the inputs bring: their mean over the step."""
        for name in names:
            nothing = jnp.zeros(self.neuron.varshape, brainstate.environ.dftype())
            self.currents[name] = brainstate.HiddenState(with_unit(nothing, unit))

    def models(self) -> dict[str, brainstate.nn.Dynamics]:
        """Every model that draws or keeps a state, by its name in the configuration."""
        return {"neuron": self.neuron, **self.receptors, **self.inputs}

    def draw(self, first: Any, n_steps: int) -> dict[str, Any]:
        """What the models draw for a block of steps; leading axis of steps."""
        drawn = {}
        for name, model in self.models().items():
            if isinstance(model, Signal) and model.continuous:
                drawn[name] = tuple(model.draw(first, n_steps, c) for c in self.times)
            elif hasattr(model, "draw"):
                drawn[name] = model.draw(first, n_steps)
        return {name: value for name, value in drawn.items() if value is not None}

    def update(self, drawn: Mapping[str, Any]) -> Any:
        """One step; returns what the neuron's update returns, its spikes or rates."""
        arrivals: dict[str | None, Any] = {}
        #: Currents at `times`, which do not depend on the potential.
        currents: list[Any] = [None] * len(self.times)
        for name, model in self.inputs.items():
            if drawn.get(name, model) is None:
                continue  # what it brings comes with that of another
            drive = model.update(drawn.get(name))
            if name in self.feeds:
                to = self.feeds[name]
                arrivals[to] = drive if to not in arrivals else arrivals[to] + drive
            else:
                varies = isinstance(drive, tuple)
                if name in self.currents:
                    self._set_current(name, drive[0] if varies else drive)
                currents = [
                    _plus(total, drive[k] if varies else drive) for k, total in enumerate(currents)
                ]
        conductances = []
        for name, synapse in self.receptors.items():
            responses = self._responses(name, synapse, arrivals.get(name), drawn)
            if not synapse.output.depends_on_potential:
                passed = [self._passed(synapse, g, None) for g in responses]
                currents = list(map(_plus, currents, passed))
            elif isinstance(self.neuron, Spiking):
                conductances.append((synapse, responses))
        if None in arrivals:
            self.neuron.add_delta_input("input", arrivals[None])

        def current(c: float | None, V: Any) -> Any:
            k = self.times.index(c)
            total = currents[k]
            for synapse, responses in conductances:
                total = _plus(total, self._passed(synapse, responses[k], V))
            return total

        arguments = {"noise": drawn["neuron"]} if "neuron" in drawn else {}
        varies = bool(conductances) or len(self.times) > 1
        if currents[0] is None and not conductances:
            found = self.neuron.update(**arguments)
        else:
            found = self.neuron.update(current if varies else currents[0], **arguments)
        for synapse in self.receptors.values():
            if not _own_step(synapse):
                synapse.advance()
        return found

    def _set_current(self, name: str, mean: Any) -> None:
        before = self.currents[name].value
        now = magnitude(mean, u.get_unit(before))
        now = jnp.broadcast_to(now, u.math.shape(before)).astype(before.dtype)
        self.currents[name].value = with_unit(now, u.get_unit(before))

    def _responses(self, name: str, synapse: Synapse, x: Any, drawn: Mapping[str, Any]) -> Any:
        """What a receptor answers at `times`, after ``x`` has arrived."""
        noise = {"noise": drawn[name]} if name in drawn else {}
        if _own_step(synapse):
            return [synapse.update(x, **noise)] * len(self.times)
        synapse.arrive(x, **noise)
        mean, *stages = [synapse.during(c) for c in self.times]
        # Stages are a rule of quadrature for the charge, right to its order; a shift of that order
        # makes it whole, also of a synapse that is over within the step.
        found = sum((w * g for w, g in zip(self.shares, stages, strict=True)), 0.0 * mean)
        return [mean, *(g + (mean - found) for g in stages)]

    def _passed(self, synapse: Synapse, g: Any, V: Any) -> Any:
        return synapse.output.current(g, V, self.neuron)

    def _mean(self, synapse: Synapse, V: Any) -> Any:
        g = synapse.response() if _own_step(synapse) else synapse.during(None)
        return self._passed(synapse, g, V)

    def _size_drive(self, name: str, model: Input) -> None:
        """Turn what was given relative to the neuron into quantities."""
        for key, declared in model.parameters.items():
            value = getattr(model, key)
            if not isinstance(value, Relative):
                continue
            drive = value.value * self._neuron_scale(key) * value.unit
            weight = declared.role == "weight"
            setattr(model, key, self._weight_of(drive, self.feeds[name]) if weight else drive)

    def _neuron_scale(self, key: str) -> Any:
        if not isinstance(self.neuron, Neuron):
            raise ValueError(
                f"{key} is relative to the rheobase, which {type(self.neuron).__name__} does not "
                "have; give it a unit of its own, such as 1 mA"
            )
        return self.neuron.rheobase()

    def _weight_of(self, charge: Any, receptor: str | None) -> Any:
        """The weight with which a spike carries a charge into a neuron about to fire."""
        if receptor is None:
            return self.neuron.kick(charge)
        synapse = self.receptors[receptor]
        return u.maybe_decimal(charge / synapse.area() / synapse.output.strength(self.neuron))


def _plus(total: Any, more: Any) -> Any:
    return more if total is None else total + more


def _own_step(synapse: Synapse) -> bool:
    """Whether a synapse is stepped by an `update` of its own; its response holds for the step."""
    return type(synapse).update is not Synapse.update
