"""What every model is: parameters with units, states, and inputs that others add.

A model declares its parameters as class attributes,

    class LIF(Neuron):
        tau = parameter(5.0 * u.ms, "membrane time constant", positive=True)

and inherits a constructor ``LIF(in_size, *, tau=..., name=None)`` that checks units and shapes.
The same declarations tell the configuration which keys there are, what each measures and which
values it may take, so a model is described once.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar

import brainstate
import brainunit as u
import jax
import numpy as np
from brainstate.mixin import ParamDescriber

from neurolab.units import Relative, dimension_name, magnitude, with_unit

__all__ = ["Dynamics", "Parameter", "concrete", "environ_step", "parameter", "stream_of"]


@dataclass(frozen=True)
class Parameter:
    """One declared constructor argument of a model.

    ``role`` says that the unit is not the model's to choose but that of what it acts on: a
    ``current``, the ``weight`` of a spike, a ``potential``, a synaptic variable ``g``, or the
    ``signal`` that an input stands for.  ``measures`` is the unit of a number that may be None,
    ``part`` the class of a model inside of this one, ``why`` the reason of a constraint.
    """

    default: Any
    doc: str
    positive: bool = False
    nonnegative: bool = False
    role: str = ""
    choices: tuple[Any, ...] = ()
    initial: bool = False
    is_surrogate: bool = False
    measures: u.Unit | None = None
    part: type | None = None
    why: str = ""

    @property
    def is_number(self) -> bool:
        """Whether the value is a floating quantity, hence an argument of the program."""
        number = isinstance(self.default, (u.Quantity, Relative, float)) or bool(self.role)
        return number or self.measures is not None

    @property
    def unit(self) -> u.Unit:
        """The unit of the default, or of what may be None; dimensionless where there is none."""
        own = self.default.unit if isinstance(self.default, u.Quantity) else self.measures
        return u.UNITLESS if own is None else own


def parameter(default: Any, doc: str, **constraints: Any) -> Any:
    """Declare a parameter of a model; see `Parameter` for the constraints."""
    return Parameter(default, doc, **constraints)


def concrete(value: Any) -> bool:
    """Whether a value is known now, that is, not a tracer of a program being compiled."""
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(value))


def environ_step() -> Any:
    """The number of the current step: ``i`` of the environment, or ``t / dt`` in whole steps.

    Programs give both. Count with this: ``t = i dt`` is rounded, in float32 to 1 part in 2^24."""
    if (step := brainstate.environ.get("i", default=None)) is not None:
        return step
    ratio = u.maybe_decimal(brainstate.environ.get("t") / brainstate.environ.get_dt())
    return jax.numpy.asarray(jax.numpy.round(ratio), dtype=jax.numpy.int32)


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


def _label(name: str, label: str | None) -> str:
    return name if label is None else f"{label} // {name}"


class Dynamics(brainstate.nn.Dynamics):
    """Base of all models: declared parameters, states, current and delta inputs.

    Parameters
    ----------
    in_size
        Number of elements, or the shape of the population.
    name
        Name of the module and of its random draws: models of one name draw the same.

    Raises
    ------
    TypeError
        For a parameter the model does not have, a wrong unit, or a shape that does not fit.
    ValueError
        For a value out of the parameter's range.
    """

    parameters: ClassVar[dict[str, Parameter]] = {}

    #: Pairs of parameters of which the first must be the smaller.
    ordered: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        found: dict[str, Parameter] = {}
        for base in reversed(cls.__mro__):
            for key, value in vars(base).items():
                if isinstance(value, Parameter):
                    found[key] = value
                elif key in found:  # a subclass that fixes it
                    del found[key]
        cls.parameters = found
        if "__init__" not in vars(cls) and found:
            kind = inspect.Parameter.KEYWORD_ONLY
            defaults = {key: declared.default for key, declared in found.items()} | {"name": None}
            first = inspect.Parameter("in_size", inspect.Parameter.POSITIONAL_OR_KEYWORD)
            own = [inspect.Parameter(key, kind, default=value) for key, value in defaults.items()]
            cls.__signature__ = inspect.Signature([first, *own])

    def __init__(self, in_size: Any, *, name: str | None = None, **given: Any) -> None:
        super().__init__(in_size=in_size, name=name)
        self._current_inputs: dict[str, Any] | None = None
        self._delta_inputs: dict[str, Any] | None = None
        if unknown := set(given) - set(self.parameters):
            raise TypeError(
                f"{type(self).__name__} has no parameter {', '.join(sorted(unknown))}; "
                f"it has {', '.join(self.parameters)}"
            )
        for key, declared in self.parameters.items():
            setattr(self, key, self._accept(key, declared, given.get(key, declared.default)))
        for low, high in self.ordered:
            self._check_order(low, high)

    def _check_order(self, low: str, high: str) -> None:
        lower, upper = getattr(self, low), getattr(self, high)
        if not concrete((lower, upper)) or Relative in (type(lower), type(upper)):
            return
        unit = u.get_unit(lower)
        if np.any(np.asarray(magnitude(lower, unit)) >= np.asarray(magnitude(upper, unit))):
            where = f"{type(self).__name__}: {high}={upper}"
            raise ValueError(f"{where} must be larger than {low}={lower}")

    def _accept(self, key: str, declared: Parameter, value: Any) -> Any:
        where = f"{type(self).__name__}: {key}={value}"
        word = isinstance(value, str) or not declared.is_number
        if word and declared.choices and value not in declared.choices:
            raise ValueError(f"{where}; it may be {' or '.join(map(str, declared.choices))}")
        plain = not declared.is_number or (value is None and declared.measures is not None)
        shaped = declared.initial or declared.role in ("samples", "events")  # of a shape of its own
        if plain or shaped or isinstance(value, (Relative, brainstate.nn.Dynamics)):
            return value
        if callable(value) and not isinstance(value, u.Quantity):
            value = value(self.varshape)
        if not declared.role and not u.get_unit(value).has_same_dim(declared.unit):
            raise TypeError(f"{where}; expected {dimension_name(declared.unit)}")
        shape = u.math.shape(value)
        if not _fits(shape, self.varshape):
            raise TypeError(f"{where} has shape {shape}; expected one value or {self.varshape}")
        if (declared.positive or declared.nonnegative) and concrete(value):
            least = np.min(np.asarray(u.get_mantissa(value)))
            if least < 0 or (declared.positive and least == 0):
                raise ValueError(f"{where} must be {'positive' if declared.positive else '>= 0'}")
        return value

    def initial_value(self, value: Any, batch_size: int | None = None) -> Any:
        """A quantity, an array or an initialiser, filled to ``(batch_size, *varshape)``."""
        shape = self.varshape if batch_size is None else (batch_size, *self.varshape)
        if callable(value) and not isinstance(value, u.Quantity):
            value = value(shape)
        dtype = brainstate.environ.dftype()
        mantissa = u.math.broadcast_to(u.math.asarray(u.get_mantissa(value), dtype=dtype), shape)
        return with_unit(mantissa, u.get_unit(value))

    # -- what others add ------------------------------------------------------------------

    current_inputs = property(attrgetter("_current_inputs"), doc="What waits, by key, or None.")
    delta_inputs = property(attrgetter("_delta_inputs"), doc="Jumps that wait, by key, or None.")

    def add_current_input(
        self, key: str, inp: Callable[..., Any] | Any, label: str | None = None
    ) -> None:
        """Add a current: an array, consumed by its first use, or a callable of the potential,
        which stays and is called at every use."""
        self._current_inputs = self._add(self._current_inputs, _label(key, label), inp)

    def add_delta_input(
        self, key: str, inp: Callable[..., Any] | Any, label: str | None = None
    ) -> None:
        """Add a jump, applied to the potential (or synaptic variable) after its integration."""
        self._delta_inputs = self._add(self._delta_inputs, _label(key, label), inp)

    def _add(self, inputs: dict[str, Any] | None, key: str, inp: Any) -> dict[str, Any]:
        inputs = {} if inputs is None else inputs
        if key in inputs and inputs[key] is not inp:
            raise ValueError(f"{self}: an input named '{key}' is already waiting; use another key")
        inputs[key] = inp
        return inputs

    def get_input(self, key: str) -> Any:
        """The current or delta input of that key."""
        for inputs in (self._current_inputs, self._delta_inputs):
            if inputs is not None and key in inputs:
                return inputs[key]
        raise ValueError(f"{self}: no current or delta input is named '{key}'")

    def sum_current_inputs(self, init: Any, *args: Any, label: str | None = None) -> Any:
        """``init`` plus all current inputs (those of one label, if given); callables get args."""
        return _sum(self._current_inputs, init, args, label)

    def sum_delta_inputs(self, init: Any, *args: Any, label: str | None = None) -> Any:
        """``init`` plus all delta inputs (those of one label, if given)."""
        return _sum(self._delta_inputs, init, args, label)

    def align_pre(self, dyn: Any) -> Any:
        """Run ``dyn`` (a model, or a description of one) after each update of this model."""
        if isinstance(dyn, brainstate.nn.Dynamics):
            self.add_after_update(id(dyn), dyn)
            return dyn
        if isinstance(dyn, ParamDescriber) and issubclass(dyn.cls, brainstate.nn.Dynamics):
            if not self.has_after_update(dyn.identifier):
                sized = bool(dyn.args) or "in_size" in dyn.kwargs
                model = dyn() if sized else dyn(in_size=self.varshape)
                self.add_after_update(dyn.identifier, model)
            return self.get_after_update(dyn.identifier)
        raise TypeError(f"align_pre takes a model or a description of one, not {dyn!r}")

    # -- random numbers ---------------------------------------------------------------------

    #: Seed, random stream and element numbers of the draws; a program sets its own.
    seed: Any = 0
    index: Any = None

    @property
    def stream(self) -> int:
        """The number that tells this model's draws from any other's: a hash of its name.

        The contract of draws: a model is named (a program names all, those inside of others too),
        or refused, and draws words of (seed, stream; step, element) alone; one that needs several
        words of a step takes the streams that follow.  No two of a configuration may meet.
        """
        if not self.name:
            kind = type(self).__name__
            advice = f"give it one of its own, {kind}(..., name='noise')"
            raise ValueError(f"{kind} draws random numbers by its name and has none; {advice}")
        return stream_of(self.name)

    def elements(self) -> Any:
        """The number of each element in the whole population, which may be split over devices."""
        return jax.numpy.arange(self.varshape[-1]) if self.index is None else self.index

    def draw(self, first: Any, n_steps: int) -> Any:
        """All that the steps ``first .. first + n_steps`` need and that no state decides, with a
        leading axis of steps: random numbers above all, which are cheapest drawn together."""
        return None

    def sizes(self, n_steps: int) -> dict[str, Any]:
        """Attributes that decide array sizes, from the parameters while they are known; a program,
        whose numbers are arguments, sets them beforehand for blocks of ``n_steps``."""
        return {}


def stream_of(name: str) -> int:
    """The random stream of a name."""
    return zlib.crc32(name.encode())


def _sum(inputs: dict[str, Any] | None, init: Any, args: tuple[Any, ...], label: str | None) -> Any:
    for key in tuple(inputs or ()):
        if label is not None and not key.startswith(_label("", label)):
            continue
        value = inputs[key]  # type: ignore[index]
        called = callable(value) and not isinstance(value, (u.Quantity, jax.Array))
        try:
            init = init + (value(*args) if called else value)
        except Exception as error:
            given = f"an array of shape {u.math.shape(init)} in {u.get_unit(init)}"
            text = f"input '{key}' ({value}) cannot be added to {given}: {error}"
            raise ValueError(text) from error
        if not called:
            inputs.pop(key)  # type: ignore[union-attr]
    return init
