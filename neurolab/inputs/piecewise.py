"""A current that is constant in pieces: steps and pulses in any number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from neurolab.dynamics import parameter
from neurolab.inputs.base import in_steps
from neurolab.inputs.files import InputFileError
from neurolab.inputs.signals import Signal
from neurolab.units import Relative, UnitError, parse, with_unit

__all__ = ["Piecewise"]


class Piecewise(Signal):
    """``values`` one after the other, each for its duration; the last goes on.

    The same for all elements.  Both are lists of texts or quantities; values are of one unit's
    dimension, or all relative to the neuron.
    """

    values = parameter(("0 rheobase", "1.5 rheobase", "0 rheobase"), "values, one after the other")
    durations = parameter(("200 ms", "600 ms", "200 ms"), "how long each is held")
    samples = parameter(None, "the values, shape (pieces,)", role="samples")
    ends = parameter(None, "when each ends, in ms", role="events")

    recorded = ("values", "durations")

    def __init__(self, in_size: Any, *, name: str | None = None, **given: Any) -> None:
        super().__init__(in_size, name=name, **given)
        if self.samples is None:
            settings = {key: getattr(self, key) for key in self.recorded}
            for key, value in self.load(settings, self.varshape[-1]).items():
                setattr(self, key, value)

    @classmethod
    def load(cls, settings: Mapping[str, Any], size: int) -> Mapping[str, Any]:
        given = [settings[key] for key in cls.recorded]
        if not all(isinstance(some, (list, tuple)) and some for some in given):
            raise InputFileError("values and durations are lists, such as [0 pA, 500 pA]")
        values, durations = given
        if len(values) != len(durations):
            raise InputFileError(f"{len(values)} values for {len(durations)} durations")
        try:
            samples, times = _alike(values), _alike(durations)
            lengths = times.to(u.ms).mantissa
        except (UnitError, u.UnitMismatchError, AttributeError) as error:
            raise InputFileError(f"{error}; values are such as 500 pA, durations 20 ms") from error
        if not (np.all(lengths > 0) and np.all(np.isfinite(lengths[:-1]))):
            raise InputFileError("durations must be positive, and finite but for the last")
        finite = samples.value if isinstance(samples, Relative) else samples.mantissa
        if not np.all(np.isfinite(finite)):
            raise InputFileError("values must be finite")
        return {"samples": samples, "ends": np.cumsum(lengths)}

    def at(self, steps: jax.Array, c: float | None = None) -> Any:
        ends = in_steps(u.Quantity(jnp.asarray(self.ends), unit=u.ms))
        piece = jnp.sum(steps >= ends[:-1], axis=-1, keepdims=True)
        samples = self.samples
        return with_unit(jnp.asarray(u.get_mantissa(samples))[piece], u.get_unit(samples))

    def largest(self) -> Any:
        return u.math.max(self.samples)


def _alike(values: Any) -> Any:
    """Values of one dimension as an array."""
    read = [parse(value) for value in values]
    relative = [one.value for one in read if isinstance(one, Relative) and one.unit.is_unitless]
    if len(relative) == len(read):
        return Relative(np.array(relative))
    plain = [one for one in read if isinstance(one, u.Quantity)]
    if len(plain) < len(read):
        raise UnitError("some values are relative to the neuron and some are not")
    unit = plain[0].unit
    return u.Quantity(np.array([one.to(unit).mantissa for one in plain]), unit=unit)
