"""A simulation that is stepped from Python: advanced, looked at, changed, advanced further."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import brainunit as u
import jax
import numpy as np

from neurolab.config.doubts import doubts, later
from neurolab.config.experiment import Experiment
from neurolab.config.order import disorder
from neurolab.config.values import UnfitValueError, read_number
from neurolab.engine.cache import program_of
from neurolab.engine.structure import short_name
from neurolab.neurons import Spiking
from neurolab.problems import did_you_mean, show, tell
from neurolab.results.run import Run
from neurolab.results.summary import as_config
from neurolab.results.writer import ResultsWriter
from neurolab.simulation.computation import Computation
from neurolab.simulation.facts import facts_of
from neurolab.simulation.stop import StopRequest
from neurolab.units import Relative, typed, with_unit

__all__ = ["Stepwise"]

_MOST_STEPS = 2**31 - 2
_CAPACITY = 2**14
_CHUNK_SECONDS = 0.5


class Stepwise:
    """See `neurolab.Simulation`.

    Parameters
    ----------
    experiment
        What is simulated.
    """

    def __init__(self, experiment: Experiment) -> None:
        structure = experiment.structure
        self.experiment, self.dt_ms = experiment, structure.dt_ms
        self._writer = ResultsWriter(None, **experiment.layout)
        stepped = replace(structure, stepped=True)
        program = program_of(stepped, min(experiment.capacity(), _CAPACITY), experiment.devices)
        self._computation = Computation(
            experiment, program, experiment.numbers, [_MOST_STEPS], self._writer, _CHUNK_SECONDS
        )
        self._computation.state = program.start(self._computation.numbers)
        self._writer.open()
        over = later(structure, experiment.numbers, experiment.n_steps)  # there is no end
        tell(one for one in experiment.warnings if one not in over and one.key != "duration")
        #: Variables of the models by name, with units: ``sim.state["V"]``, ``["synapse.g"]``.
        self.state: MutableMapping[str, Any] = _States(self)
        #: Parameters by key, as quantities: ``sim.numbers["neuron.tau"]``; texts are read as in a
        #: configuration.  A change counts from the next step on.
        self.numbers = _Numbers(self)

    @property
    def time(self) -> u.Quantity:
        """Simulated time so far."""
        broken = self._computation.broken
        return (self._computation.done if broken else self._computation.sent) * self.dt_ms * u.ms

    def check_whole(self) -> None:
        """That nothing has diverged.

        Raises
        ------
        FloatingPointError
            Of a simulation that has: there is no way on from NaN or infinity.
        """
        if self._computation.broken:
            what = f"{self._computation.broken[0]}; what was recorded before stays in `run`"
            raise FloatingPointError(f"{what}; make another Simulation to go on differently")

    def advance(self, duration: u.Quantity) -> None:
        """Simulate for a while.

        Raises
        ------
        ValueError
            For a time that is not a positive, whole number of steps.
        FloatingPointError
            If a variable becomes NaN or infinite; what was recorded before stays.
        """
        self.check_whole()
        if not isinstance(duration, u.Quantity) or not duration.unit.has_same_dim(u.ms):
            raise ValueError(f"advance({duration!r}): give a time, such as 100 * u.ms")
        steps = float(u.maybe_decimal(duration / (self.dt_ms * u.ms)))
        if not steps > 0:
            raise ValueError(f"advance({duration}): give a positive time, such as 100 * u.ms")
        if not (steps > 0.5 and abs(steps - round(steps)) < 1e-6 * steps):
            raise ValueError(
                f"{duration} is {steps:g} steps of dt = {self.dt_ms:g} ms; give whole ones"
            )
        until = self._computation.sent + round(steps)
        if until > _MOST_STEPS:
            raise ValueError(f"{until} steps in all; at most {_MOST_STEPS} are counted")
        with StopRequest() as stop, ThreadPoolExecutor(1) as worker:
            self._computation.go(stop, worker, lambda sent: None, until=until)
            self._computation.wait()
        self._computation.commit()
        self.check_whole()
        if stop.requested:
            raise KeyboardInterrupt

    @property
    def run(self) -> Run:
        """What was recorded so far: spikes, traces, rate; a summary by the numbers as they are now,
        and the configuration that it began with."""
        run = Run(Path(), self._writer.commit, self._writer.store)
        facts = facts_of(self._computation, self.numbers.now)
        run.summary = {"status": "in progress", **facts}
        run.config = as_config(self.experiment.config)
        return run


class _States(MutableMapping[str, Any]):
    def __init__(self, simulation: Stepwise) -> None:
        self._simulation, self._of = simulation, simulation._computation
        self._units = simulation.experiment.units

    def _name(self, name: str) -> str:
        for full in self._units:
            if name in (full, short_name(full)):
                return full
        known = [short_name(key) for key in self._units]
        raise KeyError(f"no variable '{name}'; {did_you_mean(name, known)}")

    def _values(self, name: str) -> np.ndarray:
        """Those of the neurons that there are: devices may have places for more."""
        values, group = np.asarray(self._of.state[name]), self._of.experiment.structure.of(name)
        padded = values.shape[-1:] == self._of.program.arrays[group.prefix]
        return values[..., : group.size] if padded else values

    def __getitem__(self, name: str) -> Any:
        name = self._name(name)
        values = self._simulation.experiment.in_shown_unit(name, self._values(name))
        return with_unit(values, self._simulation.experiment.shown[name])

    def __setitem__(self, name: str, value: Any) -> None:
        self._simulation.check_whole()
        name = self._name(name)
        unit, before = self._units[name], self._values(name)
        if not u.get_unit(value).has_same_dim(unit):
            raise ValueError(f"{name} = {value}: expected {unit}")
        number = u.get_mantissa(value if unit.is_unitless else value.to(unit))
        exact = np.asarray(number)
        try:
            np.broadcast_to(exact, before.shape)
        except ValueError:
            shapes = f"{exact.shape}; give one value, or an array of shape {before.shape}"
            raise ValueError(f"state['{name}'] = {value} is of shape {shapes}") from None
        with np.errstate(all="ignore"):
            array = np.broadcast_to(exact.astype(before.dtype), before.shape)
        if before.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} = {value} is not finite in {before.dtype}")
        if before.dtype.kind != "f" and not (array == exact).all():
            raise ValueError(f"{name} = {value}: it holds values of type {before.dtype}")
        changed = {name: array}
        group = self._simulation.experiment.structure.of(name)
        neuron, fired = group.neuron.target, f"{group.prefix}neuron.fired"
        if issubclass(neuron, Spiking) and name == f"{group.prefix}neuron.{neuron.potential}":
            # A spike resets the V that it left: one that is set instead stays, and may fire.
            changed[fired] = self._values(fired) & (before == array)
        for key, values in changed.items():
            more = self._of.state[key].shape[-1] - values.shape[-1] if values.ndim else 0
            if more:
                changed[key] = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, more)], "edge")
        with self._of.program.loop.environment():
            placed = {k: jax.device_put(v, self._of.state[k].sharding) for k, v in changed.items()}
        self._of.state = {**self._of.state, **placed}

    def __delitem__(self, name: str) -> None:
        raise TypeError("a variable cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(key for key in self._of.state if key in self._units)

    def __len__(self) -> int:
        return len(self._units)


class _Numbers(MutableMapping[str, Any]):
    def __init__(self, simulation: Stepwise) -> None:
        self._simulation, self._of = simulation, simulation._computation
        self._experiment = simulation.experiment
        self.now = dict(simulation.experiment.numbers)
        self._doubts = doubts(simulation.experiment.structure, self.now)

    def _reading(self, key: str) -> Any:
        if key not in self._experiment.parsed:
            hint = did_you_mean(key, self._experiment.parsed)
            raise KeyError(f"'{key}' is no number of this simulation; {hint}")
        return self._experiment.parsed[key]

    def __getitem__(self, key: str) -> Any:
        reading, value = self._reading(key), self.now[key]
        if not reading.relative:
            quantity = with_unit(value, reading.unit)
            return quantity if reading.given is None else quantity.to(reading.given)
        return Relative(value, u.ms if reading.declared.role == "weight" else u.UNITLESS)

    def __setitem__(self, key: str, value: Any) -> None:
        self._simulation.check_whole()
        reading, structure = self._reading(key), self._experiment.structure
        if reading.declared.initial:
            name = key.removesuffix("_initializer")
            raise ValueError(f"{key}: the simulation has begun; set sim.state['{name}']")
        typed = _text(value, reading.unit_name)
        try:
            number, relative = read_number(
                typed, reading.unit, reading.declared,
                size=structure.of(key).size, seed=int(self.now["seed"]), key=key,
            )  # fmt: skip
        except UnfitValueError as error:
            raise ValueError(f"{key} = {value}: {error}") from error
        if relative != reading.relative or np.shape(number) != reading.shape:
            what = "relative to the rheobase" if reading.relative else "a quantity with a unit"
            shape = f"of shape {reading.shape}" if reading.shape else "one for all neurons"
            compiled = f"the program was compiled for {what}, {shape}"
            advice = f"give that, or make another Simulation with {key}={show(typed)}"
            raise ValueError(f"{key} = {value}: {compiled}; {advice}")
        values = {**self.now, key: number}
        for part in structure.named().values():
            for problem in disorder(part, values):
                raise ValueError(str(problem))
        kept = {k for of in structure.bundles if key not in of.drawn_from for k in of.made}
        synapses = {name: self._of.numbers.arguments[name] for name in kept}
        self._of.numbers = self._of.program.place({**values, **synapses})
        before, self.now, self._doubts = self._doubts, values, doubts(structure, values)
        tell(doubt for doubt in self._doubts if doubt not in before)

    def __delitem__(self, key: str) -> None:
        raise TypeError("a number cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._experiment.parsed)

    def __len__(self) -> int:
        return len(self._experiment.parsed)


def _text(value: Any, unit: str) -> Any:
    """A value as it is written in a configuration."""
    if isinstance(value, u.Quantity):
        return typed(value)
    if not isinstance(value, Relative):
        return value
    numbers = np.asarray(value.value)
    return [f"{x} {unit}" for x in numbers] if numbers.ndim else f"{numbers} {unit}"
