"""Text and quantities: every spelling, the round trip, and what is refused."""

from __future__ import annotations

import contextlib

import brainunit as u
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neurolab.config.values import read_time
from neurolab.problems import Problems
from neurolab.units import (
    Relative,
    UnitError,
    dimension_name,
    format_quantity,
    parse,
    parse_unit,
    typed,
)

UNITS = """
ms s us mV V mA uA nA pA nS uS mS siemens ohm kohm Mohm Gohm Hz kHz pF nF uF um cm 1/ms 1/s 1/mV
mV/ms mV/s mA/ms nA/ms pA/ms nS/ms pA/pF nS/cm^2 mS/cm^2 uF/cm^2 uA/cm^2 mV*ms mV^2 mA*ms nA*ms
"""
FIELD = UNITS.split()
finite = st.floats(allow_nan=False, allow_infinity=False)


def unit_of(text: str) -> u.Unit:
    """The unit as the unit library builds it, `parse_unit` of this package left aside."""
    top, *bottom = text.split("/")
    unit = u.UNITLESS
    for sign, factors in ((1, top), *((-1, b) for b in bottom)):
        for factor in factors.split("*"):
            name, _, power = factor.partition("^")
            if name != "1":
                unit = unit * u.parse_unit(name) ** (sign * int(power or 1))
    return unit


def same(found: u.Quantity, expected: u.Quantity) -> bool:
    return found.unit.has_same_dim(expected.unit) and bool(
        np.isclose(found.to(expected.unit).mantissa, expected.mantissa, rtol=1e-14, atol=0.0)
    )


# -- spellings and the round trip -----------------------------------------------------------------


@given(finite, st.sampled_from(FIELD))
@example(-0.0, "mV")
@example(1e15, "ms")
@example(1e-310, "nS")
def test_a_printed_quantity_reads_back_to_the_same(number, text):
    """parse(format_quantity(q)) == q to the last bit, for every unit of the field."""
    quantity = u.Quantity(np.float64(number), unit=unit_of(text))
    back = parse(format_quantity(quantity))
    assert back.unit == quantity.unit
    assert back.mantissa == quantity.mantissa


@given(finite, st.sampled_from(["", "*ms", "*s", "/ms"]))
def test_a_printed_relative_drive_reads_back_to_the_same(number, factor):
    """A drive relative to the neuron, such as 0.5 rheobase*ms, round trips as well."""
    relative = Relative(number, unit_of("1" + factor) if factor else u.UNITLESS)
    assert parse(format_quantity(relative)) == relative
    assert parse(f"{number!r} rheobase{factor}") == relative


@given(finite, st.sampled_from(FIELD))
def test_space_and_star_before_the_unit_mean_nothing(number, text):
    """20mV, 20 mV, 20*mV, 20 * mV and " 20  mV " are the same, and so are ^2, **2 and 2."""
    expected = u.Quantity(np.float64(number), unit=unit_of(text))
    powers = {text, text.replace("^", "**"), text.replace("^", "")}
    for spelt in powers:
        joints = ("/",) if spelt.startswith("1/") else ("", " ", "*", " * ", "  ")
        for joint in joints:
            found = parse(f" {number!r}{joint}{spelt.removeprefix('1/')} ")
            assert found.mantissa == expected.mantissa
            assert found.unit == expected.unit


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("20ms", 20.0, u.ms),
        ("20 ms", 20.0, u.ms),
        ("20*ms", 20.0, u.ms),
        ("1e-3 s", 1.0, u.ms),
        (".5 sec", 500.0, u.ms),
        ("1/ms", 1.0, u.kHz),
        ("1 1/ms", 1.0, u.kHz),
        ("1 ms^-1", 1.0, u.kHz),
        ("1 ms**-1", 1.0, u.kHz),
        ("0.07/mV", 0.07, 1 / u.mV),
        ("0.07 1/mV", 0.07, 1 / u.mV),
        ("-55mV", -55.0, u.mV),
        ("+5 mV", 5.0, u.mV),
        ("2 mV**2", 2.0, u.mV**2),
        ("2*mV**2", 2.0, u.mV**2),
        ("2 mV²", 2.0, u.mV**2),
        ("5 mV/ms**2", 5.0, u.mV / u.ms**2),
        ("5uS", 5.0, u.uS),
        ("5 \u00b5S", 5.0, u.uS),  # the micro sign
        ("5 \u03bcS", 5.0, u.uS),  # the Greek letter
        ("3 M\u03a9", 3.0, u.Mohm),  # the Greek letter
        ("3 M\u2126", 3.0, u.Mohm),  # the ohm sign
        ("3 Mohms", 3.0, u.Mohm),
        ("2.5nS/cm2", 2.5, u.nS / u.cm**2),
        ("2.5 nS/cm^2", 2.5, u.nS / u.cm**2),
        ("2.5 nS/cm**2", 2.5, u.nS / u.cm**2),
        ("2.5 nS·cm^-2", 2.5, u.nS / u.cm**2),
        ("3 Mohm*nA", 3.0, u.mV),
        ("1 siemens", 1.0, u.siemens),
        ("1 S", 1.0, u.siemens),
    ],
)
def test_spellings(text, number, unit):
    """What people type in a shell or a YAML means what it says."""
    assert same(parse(text), number * unit)


def test_numbers_without_unit_are_dimensionless_and_quantities_pass():
    """0.5, "0.5" and np.float32(0.5) are the plain number 0.5; a quantity stays what it is."""
    for value in (0.5, "0.5", " .5 ", np.float32(0.5), "5e-1"):
        assert parse(value).unit.is_unitless
        assert parse(value).mantissa == 0.5
    quantity = 3.0 * u.mV
    assert parse(quantity) is quantity
    assert format_quantity(0.5) == "0.5"


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", " ", "ms", "fast", "--5ms", "5 5ms", "5 ms ms", "5 //ms", "5 ms*", "5 ms/", "5 */ ms",
     "5 mss", "5 ms**2.5", "5 ms^", "1_000 ms", "0x5 ms", "5e ms", "5,0 ms", "5 ms;", "(5 ms)",
     "5 rheobases", "5 rheobase ms", "5 rheobase*mss", "5 ms rheobase", "[5 ms]", "5 \x00",
     "20 rad/s", "20 degree/s", "20 mrad*Hz"],
)  # fmt: skip
def test_garbage_is_refused(text):
    """A text that is no quantity raises UnitError, never another error, and is never guessed."""
    with pytest.raises(UnitError):
        parse(text)


@given(st.text(max_size=12))
@example("1/")
@example("1 ?")
def test_any_text_is_a_quantity_or_a_unit_error(text):
    """Whatever is typed, the answer is a quantity or a UnitError."""
    with contextlib.suppress(UnitError):
        assert isinstance(parse(text), (u.Quantity, Relative))


@pytest.mark.parametrize("value", [None, True, False, np.bool_(True), [1], {"a": 1}])
def test_values_of_other_kinds_are_refused(value):
    """true, null, lists and mappings are not quantities."""
    with pytest.raises(UnitError):
        parse(value)


def test_a_time_that_stands_alone_is_a_positive_time():
    """The duration of a run is a time, and has no neuron whose rheobase it could be measured by."""
    problems = Problems()
    assert read_time("2 s", "duration", problems) == 2000.0
    assert not problems.found
    for value in ("1 rheobase", "1 rheobase*ms", 20, "2 mV", "0 ms", "-1 ms", "inf s", "nan s"):
        problems = Problems()
        assert read_time(value, "duration", problems) is None
        assert [problem.key for problem in problems.found] == ["duration"]


@given(st.sampled_from(FIELD))
def test_an_expected_dimension_comes_with_an_example_of_it(text):
    """ "a time such as 10 ms": the example that an error gives has the dimension it asks for."""
    unit = unit_of(text)
    name, _, sample = dimension_name(unit).partition(" such as ")
    if sample:
        assert parse(sample).unit.has_same_dim(unit)
    else:
        assert parse_unit(name.removeprefix("a quantity in ")).has_same_dim(unit)


def test_an_array_is_typed_as_its_elements_are():
    """Of one as `format_quantity` writes it; of an array a text of each, nested as it is."""
    for unit in (u.mV, u.nS, u.mV**-1, u.mV / u.ms, u.UNITLESS, u.siemens / u.cmeter2):
        values = np.array([[0.07, -3.0], [1e-12, 5.0]])
        texts = typed(u.Quantity(values, unit=unit))
        assert texts == [[format_quantity(u.Quantity(x, unit=unit)) for x in row] for row in values]
        assert typed(u.Quantity(0.07, unit=unit)) == texts[0][0]
