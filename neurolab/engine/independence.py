"""Whether the neurons of a structure are computed each from itself alone, as its program says.

Such neurons may be computed in any parts and any order with the same result: a cache is full soon,
and a thousand neurons taken through a chunk before the next thousand are a fifth faster than all in
each step.  Neurolab's own models are so (a test holds them to it).  Others are anybody's code, so
their traced step is read: every operation that its results depend on must keep the axis of neurons
as it is, and one that is not known to do so (a sum over neurons, a product with a matrix, a look
into a table) says no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from neurolab.engine.loop import Loop
from neurolab.engine.structure import Structure

__all__ = ["independent", "shown_independent"]

#: Operations that make each element of the result from the same elements of their arguments.
_ELEMENTWISE = frozenset(
    """
    abs acos acosh add add_any and asin asinh atan atan2 atanh bitcast_convert_type cbrt ceil
    clamp clz complex convert_element_type copy cos cosh digamma div eq erf erf_inv erfc exp exp2
    expm1 floor ge gt imag integer_pow is_finite le lgamma log log1p logistic lt max min mul ne neg
    nextafter not or population_count pow real reduce_precision rem reshard round rsqrt select_n
    shift_left shift_right_arithmetic shift_right_logical sign sin sinh sqrt square
    stop_gradient sub tan tanh xor
    """.split()  # noqa: SIM905 - a table of eighty quoted names would be eighty lines
)
#: Parameters of operations that are lengths of axes.
_LENGTHS = ("shape", "new_sizes", "slice_sizes", "limit_indices")
_CALLS = frozenset(("jit", "pjit", "closed_call", "core_call", "custom_jvp_call"))
#: What an operation must not do with the last axis: the parameter that names the axis it acts on.
_ALONG = {
    "reduce_sum": "axes",
    "reduce_max": "axes",
    "reduce_min": "axes",
    "reduce_and": "axes",
    "reduce_or": "axes",
    "cumsum": "axis",
    "cumprod": "axis",
    "concatenate": "dimension",
    "rev": "dimensions",
}
#: Operations that leave the last axis alone where it is as long after as before.
_ELSEWHERE = frozenset(
    ("reshape", "squeeze", "expand_dims", "slice", "dynamic_slice", "dynamic_update_slice", "stack")
)


def independent(structure: Structure, numbers: Mapping[str, Any]) -> bool:
    """Whether parts of the neurons, computed by themselves, give what they give together.

    ``numbers`` are those of one point.
    """
    package = __name__.partition(".")[0]
    modules = (model.target.__module__ for model in structure.named().values())
    own = all(module.partition(".")[0] == package for module in modules)
    return own or shown_independent(structure, numbers)


def shown_independent(structure: Structure, numbers: Mapping[str, Any]) -> bool:
    """`independent` as the traced step shows it."""
    if structure.size < 2 or len(structure.populations) > 1:
        return False
    # What a model makes of its size (a weight divided by it, say) is a constant in its step.
    whole = _constants(Loop(structure, 1, 1), numbers)
    return whole is not None and whole == _constants(Loop(structure, 1, 2), numbers)


def _constants(loop: Loop, numbers: Mapping[str, Any]) -> list[Any] | None:
    """The constants of a step; None if it does not keep its neurons apart."""
    with loop.environment():
        try:
            return _traced_constants(loop, loop.arguments(numbers))
        except Exception:  # a model of one size alone, or a mistake, which the run itself will tell
            return None


def _traced_constants(loop: Loop, numbers: Mapping[str, Any]) -> list[Any] | None:
    size, per_neuron = loop.local_size, loop.structure.per_neuron

    def shape(key: str, value: Any) -> jax.ShapeDtypeStruct:
        own = (*np.shape(value)[:-1], size) if key in per_neuron else np.shape(value)
        return jax.ShapeDtypeStruct(own, value.dtype)

    given = {key: shape(key, value) for key, value in numbers.items()}
    state = jax.eval_shape(lambda numbers: loop.start(numbers, 0), given)
    index, i = (jax.ShapeDtypeStruct((size,), jnp.int32),), jax.ShapeDtypeStruct((), jnp.int32)
    has = (
        {key: key in per_neuron for key in given},
        {name: value.shape[-1:] == (size,) for name, value in state.items()},
        True,
        False,
    )
    closed = jax.make_jaxpr(loop.one_step)(given, state, index, i, i)
    walk = _Walk(size)
    try:
        walk(closed, [*jax.tree.leaves(has), False])
    except _MixedError:
        return None
    used = {id(v) for eqn in _needed(closed.jaxpr) for v in eqn.invars}
    of_the_part = closed.jaxpr.invars[-1]  # brainstate's random numbers are those of a part
    return None if id(of_the_part) in used else walk.constants


class _MixedError(Exception):
    """An operation that may bring neurons together, or knows where in the array they are."""


class _Walk:
    """Follows the axis of neurons, of length ``size``, through operations."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.constants: list[Any] = []

    def __call__(self, closed: ClosedJaxpr, given: Sequence[bool]) -> list[bool]:
        """Which results have the axis of neurons, from which of the arguments have it."""
        jaxpr = closed.jaxpr
        self.constants += [np.asarray(value).tobytes() for value in closed.consts]
        has: dict[Any, bool] = dict.fromkeys(jaxpr.constvars, False)
        has |= dict(zip(jaxpr.invars, given, strict=True))
        for eqn in _needed(jaxpr):
            literals = [v.val for v in eqn.invars if isinstance(v, Literal)]
            self.constants += [np.asarray(value).tobytes() for value in literals]
            self.constants.append((eqn.primitive.name, *self._made(eqn)))
            inside = [not isinstance(v, Literal) and has[v] for v in eqn.invars]
            has |= dict(zip(eqn.outvars, self._results(eqn, inside), strict=True))
        return [not isinstance(v, Literal) and has[v] for v in jaxpr.outvars]

    def _made(self, eqn: Any) -> tuple[Any, ...]:
        """What an operation is made with, the length of the axis of neurons left open."""
        shapes = [self._open(getattr(v.aval, "shape", ())) for v in eqn.outvars]
        plain = {k: v for k, v in eqn.params.items() if isinstance(v, int | float | str | tuple)}
        open_ = {k: self._open(v) if k in _LENGTHS else v for k, v in plain.items()}
        return tuple(shapes), repr(sorted(open_.items()))

    def _open(self, lengths: Any) -> Any:
        """Lengths of axes but for that of the last if it is the neurons."""
        is_last = isinstance(lengths, tuple) and lengths[-1:] == (self.size,)
        return (*lengths[:-1], None) if is_last else lengths

    def _results(self, eqn: Any, has: list[bool]) -> list[bool]:
        name, parameters = eqn.primitive.name, eqn.params
        if name == "while":
            return self._loop(parameters, has)
        if name == "scan":
            return self._scan(eqn, has)
        if name == "cond":
            branches = [self(branch, has[1:]) for branch in parameters["branches"]]
            if has[0] or any(branch != branches[0] for branch in branches):
                raise _MixedError
            return branches[0]
        if name in _CALLS:
            return self(parameters.get("jaxpr") or parameters["call_jaxpr"], has)
        ends = [self._long(v) for v in eqn.outvars]
        if any(self._long(v) and not one for v, one in zip(eqn.invars, has, strict=True)):
            raise _MixedError  # as long as there are neurons, and says something else
        if name == "broadcast_in_dim":
            kept = parameters["broadcast_dimensions"][-1:] == (eqn.outvars[0].aval.ndim - 1,)
            if has[0] and not kept:
                raise _MixedError
            return ends  # one value for all neurons is as good as one of each
        if any(ends) and not any(has):
            raise _MixedError  # an element for each neuron, given by none: a place in the array
        if any(has) and not (all(ends) and self._keeps_axis(name, parameters, eqn.invars, has)):
            raise _MixedError
        return ends

    def _keeps_axis(
        self, name: str, parameters: Mapping[str, Any], given: Sequence[Any], has: Sequence[bool]
    ) -> bool:
        """Whether the last axis of what is given goes into the last axis of the result."""
        last = given[0].aval.ndim - 1
        if name in _ALONG:
            where = parameters[_ALONG[name]]
            return all(has) and last not in (where if isinstance(where, tuple) else (where,))
        if name == "dynamic_update_slice":
            return has[0] and has[1]
        return name in _ELEMENTWISE or name in _ELSEWHERE

    def _loop(self, parameters: Mapping[str, Any], has: list[bool]) -> list[bool]:
        """A loop, whose end no neuron may decide."""
        n_cond, n_body = parameters["cond_nconsts"], parameters["body_nconsts"]
        cond, body, carry = has[:n_cond], has[n_cond : n_cond + n_body], has[n_cond + n_body :]
        if self(parameters["body_jaxpr"], [*body, *carry]) != carry:
            raise _MixedError
        if any(self(parameters["cond_jaxpr"], [*cond, *carry])):
            raise _MixedError
        return carry

    def _scan(self, eqn: Any, has: list[bool]) -> list[bool]:
        """A loop over the first axis of arrays."""
        n_first, n_carry = eqn.params["num_consts"], eqn.params["num_carry"]
        scanned = eqn.invars[n_first + n_carry :], eqn.outvars[n_carry:]
        if any(self._long(v) and v.aval.ndim == 1 for v in (*scanned[0], *scanned[1])):
            raise _MixedError
        after = self(eqn.params["jaxpr"], has)
        if after[:n_carry] != has[n_first : n_first + n_carry]:
            raise _MixedError
        return after

    def _long(self, value: Any) -> bool:
        return getattr(value.aval, "shape", ())[-1:] == (self.size,)


def _needed(jaxpr: Jaxpr) -> list[Any]:
    """The operations that the results depend on, in their order."""
    wanted = {v for v in jaxpr.outvars if not isinstance(v, Literal)}
    found = []
    for eqn in reversed(jaxpr.eqns):
        if wanted.intersection(eqn.outvars):
            found.append(eqn)
            wanted |= {v for v in eqn.invars if not isinstance(v, Literal)}
    return found[::-1]
