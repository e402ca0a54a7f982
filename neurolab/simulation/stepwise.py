"""A simulation that is stepped from Python: advanced, looked at, changed, advanced further."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import brainunit as u
import jax
import numpy as np

from neurolab.config.experiment import Experiment
from neurolab.config.values import UnfitValueError, read_number
from neurolab.engine.loop import CLOCK, NONFINITE
from neurolab.engine.program import program_of
from neurolab.problems import did_you_mean
from neurolab.results.run import Run
from neurolab.results.writer import ResultsWriter
from neurolab.simulation.computation import Computation
from neurolab.simulation.stop import StopRequest
from neurolab.units import Relative, with_unit

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
        structure, kept = experiment.structure, experiment.kept
        self.experiment, self.dt_ms = experiment, structure.dt_ms
        self._writer = ResultsWriter(
            None,
            n_neurons=structure.size,
            dt_ms=structure.dt_ms,
            traces=experiment.traces,
            record_spikes=kept.spikes,
            rate_bin_steps=kept.rate_bin_steps,
        )
        program = program_of(structure, min(experiment.capacity(), _CAPACITY), experiment.devices)
        self._computation = Computation(
            experiment, program, experiment.numbers, [_MOST_STEPS], self._writer, _CHUNK_SECONDS
        )
        self._computation.state = program.start(self._computation.numbers)
        #: Variables of the models by name, with units: ``sim.state["V"]``, ``["synapse.g"]``.
        self.state: MutableMapping[str, Any] = _States(self)
        #: Parameters by key, as quantities: ``sim.numbers["neuron.tau"]``; texts are read as in a
        #: configuration.  A change counts from the next step on.
        self.numbers: MutableMapping[str, Any] = _Numbers(self)

    @property
    def time(self) -> u.Quantity:
        """Simulated time so far."""
        return self._computation.sent * self.dt_ms * u.ms

    def advance(self, duration: u.Quantity) -> None:
        """Simulate for a while.

        Raises
        ------
        ValueError
            For a time that is not a positive, whole number of steps.
        FloatingPointError
            If a variable becomes NaN or infinite; what was recorded before stays.
        """
        steps = float(u.maybe_decimal(duration / (self.dt_ms * u.ms)))
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
        if self._computation.broken:
            raise FloatingPointError(self._computation.broken[0])
        if stop.requested:
            raise KeyboardInterrupt

    @property
    def run(self) -> Run:
        """What was recorded so far: spikes, traces, rate."""
        run = Run(Path(), self._writer.commit, self._writer.store)
        done = max(self._computation.done, 1) * self.dt_ms
        found = self._computation.statistics.result(self.dt_ms, done)
        run.summary = {"status": "in progress", **found}
        return run


class _States(MutableMapping[str, Any]):
    def __init__(self, simulation: Stepwise) -> None:
        self._of, self._units = simulation._computation, simulation.experiment.units

    def _name(self, name: str) -> str:
        for full in (name, f"neuron.{name}"):
            if full in self._units:
                return full
        known = [key.removeprefix("neuron.") for key in self._units]
        raise KeyError(f"no variable '{name}'; {did_you_mean(name, known)}")

    def __getitem__(self, name: str) -> Any:
        name = self._name(name)
        return with_unit(np.asarray(self._of.state[name]), self._units[name])

    def __setitem__(self, name: str, value: Any) -> None:
        name = self._name(name)
        unit, before = self._units[name], self._of.state[name]
        if not u.get_unit(value).has_same_dim(unit):
            raise ValueError(f"{name} = {value}: expected {unit}")
        number = u.get_mantissa(value if unit.is_unitless else value.to(unit))
        array = np.broadcast_to(np.asarray(number, before.dtype), before.shape)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} = {value} is not finite")
        self._of.state = {**self._of.state, name: jax.device_put(array, before.sharding)}

    def __delitem__(self, name: str) -> None:
        raise TypeError("a variable cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(key for key in self._of.state if key not in (CLOCK, NONFINITE))

    def __len__(self) -> int:
        return len(self._units)


class _Numbers(MutableMapping[str, Any]):
    def __init__(self, simulation: Stepwise) -> None:
        self._of, self._experiment = simulation._computation, simulation.experiment
        self._values = dict(simulation.experiment.numbers)

    def _reading(self, key: str) -> Any:
        if key not in self._experiment.readings:
            hint = did_you_mean(key, self._experiment.readings)
            raise KeyError(f"'{key}' is no number of this simulation; {hint}")
        return self._experiment.readings[key]

    def __getitem__(self, key: str) -> Any:
        reading, value = self._reading(key), self._values[key]
        return Relative(value) if reading.relative else with_unit(value, reading.unit)

    def __setitem__(self, key: str, value: Any) -> None:
        reading, structure = self._reading(key), self._experiment.structure
        given: Any = value
        if isinstance(value, u.Quantity):
            mantissa, unit = np.asarray(value.mantissa), f" {value.unit}"
            given = [f"{x}{unit}" for x in mantissa] if mantissa.ndim else f"{mantissa}{unit}"
        try:
            number, relative = read_number(
                given, reading.unit, reading.declared, size=structure.size,
                seed=int(self._values["seed"]), key=key,
            )  # fmt: skip
        except UnfitValueError as error:
            raise ValueError(f"{key} = {value}: {error}") from error
        if relative != reading.relative or np.shape(number) != reading.shape:
            what = "relative to the rheobase" if reading.relative else "a quantity with a unit"
            shape = f"of shape {reading.shape}" if reading.shape else "one for all neurons"
            raise ValueError(f"{key} = {value}: the program was compiled for {what}, {shape}")
        values = {**self._values, key: number}
        self._of.numbers = self._of.program.place(values)
        self._values = values

    def __delitem__(self, key: str) -> None:
        raise TypeError("a number cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._experiment.readings)

    def __len__(self) -> int:
        return len(self._experiment.readings)
