"""Inputs that are spikes: Poisson processes in their forms, and recorded spikes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from neurolab import random
from neurolab.dynamics import parameter
from neurolab.inputs.base import Input, SpikeInput, per_step
from neurolab.inputs.files import read_spikes
from neurolab.inputs.signals import Signal, Sinusoidal
from neurolab.units import Relative

__all__ = ["Poisson", "PoissonRates", "PoissonSpikes", "SpikesFromFile"]


class _PoissonCounts(SpikeInput):
    """Counts of a Poisson process per step and element."""

    #: Words and thresholds per word (`random.poisson_tables`); a program whose rates are
    #: arguments fixes them beforehand for the largest.
    tables: tuple[int, int] | None = None

    def largest_mean(self) -> float:
        """The largest mean count per step, while the parameters are known."""
        raise NotImplementedError

    def sizes(self, n_steps: int) -> dict[str, Any]:
        return {"tables": random.poisson_tables(self.largest_mean())}

    def counts(self, mean: jax.Array, first: Any, n_steps: int) -> jax.Array:
        tables = self.tables or random.poisson_tables(self.largest_mean())

        def draw(d: Any) -> jax.Array:
            stream = jnp.uint32(self.stream) + jnp.asarray(d, jnp.uint32)  # wraps
            return random.words(self.seed, stream, first, n_steps, self.elements())

        return random.poisson(draw, mean, tables)


class Poisson(_PoissonCounts):
    """Spikes of ``n`` independent Poisson sources per neuron, each with rate ``rate``.

    The superposition is drawn, not the sources: a Poisson count with mean ``n rate dt``.
    """

    n = parameter(100, "number of sources per neuron")
    rate = parameter(20.0 * u.Hz, "rate of each source", nonnegative=True)

    def largest_mean(self) -> float:
        return float(np.max(np.asarray(self.n * per_step(self.rate))))

    def draw(self, first: Any, n_steps: int) -> jax.Array:
        mean = jnp.asarray(self.n * per_step(self.rate), brainstate.environ.dftype())
        return self.counts(mean, first, n_steps)


class PoissonRates(_PoissonCounts):
    """Spikes of ``n`` Poisson sources per neuron whose common rate varies in time.

    ``rates`` is a signal in Hz, such as ``Sinusoidal(10, mean=20*u.Hz, amplitude=15*u.Hz)``; where
    it is negative the rate is 0.
    """

    n = parameter(100, "number of sources per neuron")
    rates = parameter(None, "signal that gives the rate of each source over time", part=Input)

    def __init__(self, in_size: Any, *, name: str | None = None, **given: Any) -> None:
        super().__init__(in_size, name=name, **given)
        if self.rates is None:
            mean, amplitude = 20.0 * u.Hz, 15.0 * u.Hz
            self.rates = Sinusoidal(in_size, mean=mean, amplitude=amplitude)

    def largest_mean(self) -> float:
        peak = self.rates.largest()
        return float(np.max(np.asarray(self.n * per_step(peak))))

    def draw(self, first: Any, n_steps: int) -> jax.Array:
        common = isinstance(self.rates, Signal)
        rate = per_step((self.rates.during if common else self.rates.draw)(first, n_steps))
        mean = jnp.asarray(self.n * rate, brainstate.environ.dftype())
        return self.counts(jnp.maximum(mean, 0.0), first, n_steps)


class PoissonSpikes(SpikeInput):
    """One Poisson spike train per neuron, at a fixed rate.

    In a step there is a spike with probability p = 1 - exp(-rate dt), never more than one.
    """

    weight = parameter(Relative(5.0, u.ms), "what a spike brings", role="weight")
    rate = parameter(100.0 * u.Hz, "rate of the train", nonnegative=True)

    def draw(self, first: Any, n_steps: int) -> jax.Array:
        word = random.words(self.seed, self.stream, first, n_steps, self.elements())
        p = -jnp.expm1(-jnp.asarray(per_step(self.rate), brainstate.environ.dftype()))
        bits = jnp.minimum(p * 2.0**32, 4294967040.0).astype(jnp.uint32)
        return (word < bits).astype(jnp.int8)


class SpikesFromFile(SpikeInput):
    """Recorded spikes: ``times`` of events and the ``neurons`` they go to.

    An event at time t arrives in the step that begins at t, so that spikes recorded by a run
    (stamped with the end of their step) arrive one step after they were fired.
    """

    weight = parameter(Relative(5.0, u.ms), "what a spike brings", role="weight")
    file = parameter(
        None, "table of time and neuron (.csv, .npy, .npz); in a configuration also a run folder"
    )
    unit = parameter("ms", "unit of the times in the file")
    times = parameter(None, "times of the events, sorted", role="events")
    neurons = parameter(None, "neuron of each event", role="events")
    arrivals = parameter(None, "step in which each event arrives, instead of times", role="events")

    recorded = ("file", "unit")
    #: Most events in any block of steps; fixed beforehand where the times are arguments.
    window: int | None = None

    def __init__(self, in_size: Any, *, name: str | None = None, **given: Any) -> None:
        super().__init__(in_size, name=name, **given)
        if self.times is None and self.file is not None:
            self.times, self.neurons = read_spikes(self.file, self.unit, self.varshape[-1])

    @classmethod
    def load(cls, settings: Mapping[str, Any], size: int) -> Mapping[str, Any]:
        times, neurons = read_spikes(settings["file"], str(settings["unit"]), size)
        return {"arrivals": arrival_steps(times), "neurons": neurons}

    def steps(self) -> Any:
        """The step in which each event arrives."""
        return arrival_steps(self.times) if self.arrivals is None else self.arrivals

    def most_in(self, n_steps: int) -> int:
        """The largest number of events in any ``n_steps`` consecutive steps."""
        steps = np.asarray(self.steps())
        reach = np.searchsorted(steps, steps + n_steps, side="left") - np.arange(steps.size)
        return int(reach.max(initial=1))

    def sizes(self, n_steps: int) -> dict[str, Any]:
        return {"window": self.most_in(n_steps)}

    def draw(self, first: Any, n_steps: int) -> jax.Array:
        size = self.varshape[-1]
        steps = jnp.asarray(self.steps())
        window = min(self.window or self.most_in(n_steps), steps.shape[0])
        begin = jnp.searchsorted(steps, first)
        row = jax.lax.dynamic_slice_in_dim(steps, begin, window) - first
        column = jax.lax.dynamic_slice_in_dim(jnp.asarray(self.neurons), begin, window)
        column = column - self.elements()[0]
        inside = (row >= 0) & (row < n_steps) & (column >= 0) & (column < size)
        place = jnp.where(inside, row * size + column, n_steps * size)
        counts = jnp.zeros(n_steps * size, jnp.int32).at[place].add(1, mode="drop")
        return counts.reshape(n_steps, size)


def arrival_steps(times: u.Quantity) -> np.ndarray:
    """The steps that begin at the given times, or in which they lie."""
    dt = brainstate.environ.get_dt().to(u.ms).mantissa
    ratio = np.asarray(times.to(u.ms).mantissa, np.float64) / float(dt)
    steps = np.floor(ratio * (1 + 1e-9) + 1e-6)
    return np.clip(steps, -(2.0**31), 2.0**31 - 1).astype(np.int32)
