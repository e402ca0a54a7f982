"""Every number parameter of every model takes its dimension and refuses all others."""

from __future__ import annotations

import brainunit as u
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_units import FIELD, unit_of

import neurolab.inputs
import neurolab.neurons
import neurolab.synapses
from neurolab.config.reader import ModelReader
from neurolab.config.values import UnfitValueError, read_number
from neurolab.dynamics import Dynamics, Parameter
from neurolab.problems import Problems
from neurolab.units import Relative, format_quantity

finite = st.floats(allow_nan=False, allow_infinity=False)


numbers = finite.filter(bool)


MODELS = sorted(
    {
        kind
        for module in (neurolab.neurons, neurolab.synapses, neurolab.inputs)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Dynamics)
    },
    key=lambda kind: kind.__name__,
)
MODELS = [pytest.param(kind, id=kind.__name__) for kind in MODELS]
WRONG = {text: u.Quantity(np.float64(2.5), unit=unit_of(text)) for text in FIELD}


def number_parameters(kind: type[Dynamics]) -> list[str]:
    return [
        name
        for name, declared in kind.parameters.items()
        if declared.is_number and declared.role not in ("samples", "events")
    ]


def declaration(kind: type[Dynamics], name: str) -> tuple[Parameter, u.Unit]:
    """A parameter, and its unit where LIF neurons are driven through a conductance."""
    reader = ModelReader(3, 0, Problems())
    reader.neuron, reader.output = neurolab.neurons.LIF, neurolab.synapses.Conductance
    return kind.parameters[name], reader.unit(kind.parameters[name])


def read(value, declared: Parameter, unit: u.Unit):
    return read_number(value, unit, declared, size=3, seed=0, key="key")


EVERY = pytest.mark.parametrize("kind", MODELS)


@EVERY
def test_a_wrong_dimension_is_refused(kind):
    """A value in any unit of another dimension is refused, for every parameter."""
    for name in number_parameters(kind):
        declared, unit = declaration(kind, name)
        for text, value in WRONG.items():
            if not value.unit.has_same_dim(unit):
                with pytest.raises(UnfitValueError, match="expected"):
                    read(value, declared, unit)
                    pytest.fail(f"{name} = 2.5 {text} was taken")


@settings(max_examples=200, deadline=None)
@given(st.data(), numbers, st.sampled_from(FIELD))
def test_a_wrong_dimension_is_refused_in_any_form(data, number, text):
    """Also as a text, in a list, in a distribution, and whatever the number."""
    kinds = [model.values[0] for model in MODELS]
    kind = data.draw(st.sampled_from([kind for kind in kinds if number_parameters(kind)]))
    declared, unit = declaration(kind, data.draw(st.sampled_from(number_parameters(kind))))
    assume(not unit_of(text).has_same_dim(unit))
    value = f"{number!r} {text}"
    for form in (value, [value] * 3, ["normal", value, value], f"exponential({value})"):
        with pytest.raises(UnfitValueError, match="expected"):
            read(form, declared, unit)


@EVERY
def test_a_right_dimension_is_read_in_the_unit_of_the_parameter(kind):
    """Values in the parameter's unit are read exactly, its declared default among them."""
    for name in number_parameters(kind):
        declared, unit = declaration(kind, name)
        found, relative = read(u.Quantity(np.float64(2.5), unit=unit), declared, unit)
        assert found == 2.5
        assert found.dtype == np.float64
        assert not relative
        default = declared.default
        if isinstance(default, Relative):
            assert read(format_quantity(default), declared, unit) == (default.value, True)
        elif isinstance(default, (u.Quantity, float)) and declared.role != "g":
            found = read(format_quantity(default), declared, unit)
            assert found == (u.get_mantissa(default), False)


@EVERY
def test_a_number_without_unit_is_refused_where_there_is_a_dimension(kind):
    """20 is no time: it is refused, with what to write. But 0 is 0 in any unit."""
    for name in number_parameters(kind):
        declared, unit = declaration(kind, name)
        for value in (20, 2.5, "1e-3"):
            if unit.is_unitless:
                assert read(value, declared, unit)[0] == float(value)
            else:
                with pytest.raises(UnfitValueError, match=f"no unit; write for example {value}"):
                    read(value, declared, unit)
        if not declared.positive:
            assert read(0, declared, unit)[0] == 0


@EVERY
def test_ranges_and_infinities_are_refused(kind):
    """What has to be positive is, and nothing is NaN or infinite."""
    for name in number_parameters(kind):
        declared, unit = declaration(kind, name)
        for number in (np.nan, np.inf, -np.inf):
            with pytest.raises(UnfitValueError, match="finite"):
                read(u.Quantity(number, unit=unit), declared, unit)
        negative = u.Quantity(np.float64(-1.0), unit=unit)
        if declared.positive or declared.nonnegative:
            with pytest.raises(UnfitValueError, match="positive"):
                read(negative, declared, unit)
        else:
            assert read(negative, declared, unit)[0] == -1


@EVERY
def test_only_drives_may_be_relative_to_the_neuron(kind):
    """A current may be 2 rheobase and a weight 2 rheobase*ms, and neither the other; nor may some
    values of a list be relative and some not."""
    fits = {"current": "2 rheobase", "signal": "2 rheobase", "weight": "2 rheobase*ms"}
    for name in number_parameters(kind):
        declared, unit = declaration(kind, name)
        for text in ("2 rheobase", "2 rheobase*ms", "2 rheobase*mV"):
            if fits.get(declared.role) == text:
                assert read(text, declared, unit) == (2.0, True)
                with pytest.raises(UnfitValueError, match="some"):
                    read([text, text, u.Quantity(1.0, unit=unit)], declared, unit)
            else:
                with pytest.raises(UnfitValueError, match="expected"):
                    read(text, declared, unit)
