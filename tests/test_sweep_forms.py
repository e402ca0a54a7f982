"""How the arguments of a sweep become points: forms, units, joint axes, Hydra's own sweeps."""

import itertools

import numpy as np
import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from neurolab.cli.forms import hydra_form, is_form, read_plan
from neurolab.problems import ConfigError
from neurolab.units import parse


def texts(column):
    return [column.text(place) for place in range(len(column))]


def points(plan):
    return [plan.overrides(point) for point in range(len(plan))]


def values(argument, seed=0):
    """The texts that one swept key walks through."""
    (axis,) = read_plan([argument], seed=seed).axes
    (column,) = axis.columns.values()
    return texts(column)


def numbers(plan):
    """The values of the keys of the one axis of a sample."""
    return np.column_stack([column.values for column in plan.axes[0].columns.values()])


def refusal(*arguments):
    with pytest.raises(ConfigError) as caught:
        read_plan(arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["a=1,2", "b=x,y", "c=3"],
        ["a=range(1,4)", "n=choice(lif,'a b')", "k=[1,2]"],
        ["a=1,2", "a=3,4", "+new.key=5ms,6ms", "~gone"],
        ["d='20 ms','30 ms'", "e=0.07/mV,1/ms", "f=null,true"],
    ],
)
def test_hydras_own_sweeps_mean_what_they_mean_to_hydra(arguments):
    """Points and their texts equal those of Hydra's basic sweeper."""
    parsed = OverridesParser.create().parse_overrides(arguments)
    assert points(read_plan(arguments)) == BasicSweeper.split_arguments(parsed, None)[0]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("b=linspace(0mA,50mA,6)", ["0mA", "10mA", "20mA", "30mA", "40mA", "50mA"]),
        ("b=linspace:0mA:0.3mA:4", ["0mA", "0.1mA", "0.2mA", "0.3mA"]),
        ("b='linspace( 0 , 1 mA, 3 )'", ["0mA", "0.5mA", "1mA"]),
        ("r=logspace(1Hz,1000Hz,4)", ["1Hz", "10Hz", "100Hz", "1000Hz"]),
        ("t=range(5ms,20ms,5ms)", ["5ms", "10ms", "15ms"]),
        ("t=range:0.1ms:0.4ms:0.1ms", ["0.1ms", "0.2ms", "0.3ms"]),
        ("t=range:100us:1ms:300us", ["100us", "400us", "700us"]),
        ("seed=range:3", ["0", "1", "2"]),
        ("V=range:-55mV:-70mV:-5mV", ["-55mV", "-60mV", "-65mV"]),
        ("x=linspace:0.8rheobase:1.2rheobase:3", ["0.8rheobase", "1rheobase", "1.2rheobase"]),
        ("k=linspace:0.05/mV:0.15/mV:3", ["0.05/mV", "0.1/mV", "0.15/mV"]),
        ("n=zip(lif,expif)", ["lif", "expif"]),
        ("t=zip([1ms,2ms],[3ms,4ms])", ["[1ms,2ms]", "[3ms,4ms]"]),
        ("R=linspace(1MΩ,2MΩ,2)", ["1Mohm", "2Mohm"]),
    ],
)
def test_a_form_is_these_values(form, expected):
    """Both ends of linspace and logspace belong to it, the stop of range does not."""
    assert values(form) == expected
    assert is_form(form)


def test_units_of_the_bounds_may_differ():
    """Bounds are brought to the unit of the first that has one."""
    assert values("t=linspace(100us,1ms,4)") == ["100us", "400us", "700us", "1000us"]
    assert "do not measure the same" in refusal("t=linspace(1ms,2mV,3)")


def test_what_hydra_refuses_is_written_so_that_it_does_not():
    """A form in parentheses becomes one with colons; the rest stays as it was typed."""
    assert hydra_form("b=linspace(0mA, 50mA,11)") == "b=linspace:0mA:50mA:11"
    same = ["a=range(1,5)", "a=1,2", "a=normal(10 ms, 1 ms)", "a=linspace:1:2:3", "--cfg", "a=b(c"]
    assert [hydra_form(argument) for argument in same] == same
    for form in ("a=zip([1ms,2ms],[3ms,4ms])", "a=range(5ms,20ms,5ms)", "a=sobol(1Hz,2Hz,8,log)"):
        OverridesParser.create().parse_override(hydra_form(form))
        assert points(read_plan([hydra_form(form)])) == points(read_plan([form]))


def test_distributions_and_plain_values_are_no_sweeps():
    """``normal(10 ms, 1 ms)`` is a value."""
    for argument in (
        "a=normal(10 ms, 1 ms)",
        "a=[uniform,0mV,1mV]",
        "a=5ms",
        "a=linspacing",
        "zip",
    ):
        assert not is_form(argument)


def test_axes_span_a_grid_in_the_order_they_are_given():
    """The last axis is the fastest, and each point lists its overrides as they were typed."""
    plan = read_plan(["neuron=lif,expif", "size=10", "b=linspace:1mA:2mA:2", "seed=range:2"])
    assert plan.shape == (2, 2, 2)
    wanted = itertools.product(("lif", "expif"), ("1mA", "2mA"), ("0", "1"))
    assert points(plan) == [[f"neuron={n}", "size=10", f"b={b}", f"seed={s}"] for n, b, s in wanted]


def test_zipped_lists_are_walked_together():
    """All keys with zip make one axis; lists of unequal length are refused."""
    plan = read_plan(["a=zip:1mA:2mA", "c=1,2", "b=zip(5ms,6ms)"])
    assert [axis.name for axis in plan.axes] == ["zip", "c"]
    assert points(plan)[0] == ["a=1mA", "c=1", "b=5ms"]
    assert points(plan)[3] == ["a=2mA", "c=2", "b=6ms"]
    assert "a 2, b 3" in refusal("a=zip:1:2", "b=zip:1:2:3")


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_samples_lie_within_bounds_and_more_of_them_begin_alike(kind):
    """n points in all dimensions together, reproducible by seed, a longer sample extends it."""
    few = read_plan([f"a={kind}:1mA:2mA:8", f"b={kind}(1Hz,100Hz,8,log)"], seed=3)
    many = read_plan([f"a={kind}:1mA:2mA:16", f"b={kind}(1Hz,100Hz,16,log)"], seed=3)
    assert few.shape == (8,)
    assert points(many)[:8] == points(few)
    found = numbers(many)
    assert ((found >= [1, 1]) & (found <= [2, 100])).all()
    assert len(np.unique(found[:, 0])) == 16
    assert np.median(np.log10(found[:, 1])) == pytest.approx(1.0, abs=0.5)
    again = read_plan([f"a={kind}:1mA:2mA:8", f"b={kind}(1Hz,100Hz,8,log)"], seed=4)
    assert points(again) != points(few)


def test_keys_of_whole_numbers_are_drawn_whole():
    """Also sizes and synapses of a network; its rates are not."""
    keys = ("size", "populations.E.size", "projections.E_I.connectivity.n")
    plan = read_plan([f"{key}=random:1:3:40" for key in keys])
    assert {tuple(set(column)) for column in numbers(plan).T} == {(1.0, 2.0, 3.0)}
    assert len(np.unique(numbers(read_plan(["populations.E.inputs.d.n=random:1:3:40"])))) == 40


def test_sobol_points_are_spread_evenly():
    """Of 16 Sobol points in a square one lies in each cell of a 4 by 4 grid."""
    plan = read_plan(["a=sobol:0:4:16", "b=sobol:0:4:16"])
    cells = set(map(tuple, numbers(plan).astype(int).tolist()))
    assert len(cells) == 16


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["b=linspace(1mA,2mA)"], "linspace takes start, stop, n"),
        (["b=linspace(1mA,2mA,0)"], "not a number of values"),
        (["b=linspace:5ms:20ms:1"], "one value cannot be both ends"),
        (["b=logspace:5ms:20ms:1"], "one value cannot be both ends"),
        (["b=linspace(1mA,two,3)"], "'two' is not a number"),
        (["b=logspace(0Hz,2Hz,3)"], "of one sign and not 0"),
        (["b=range(5ms,20ms,-1ms)"], "leads away"),
        (["b=range(5ms,20ms,0ms)"], "must not be 0"),
        (["b=sobol(-1mA,2mA,3,log)"], "must be positive"),
        (["a=random(1,2,3)", "b=sobol(1,2,4)"], "a 3, b 4"),
        (["b=interval(1,2)"], "random(low, high, n)"),
        (["b=foo(1,2)"], "cannot be read"),
        (["a=range(2000)", "b=range(2000)"], "4e+06 points"),
    ],
)
def test_what_is_wrong_is_told(arguments, told):
    """The key, what was given, and a form that works."""
    assert told in refusal(*arguments)


def test_all_mistakes_are_told_at_once():
    """Two wrong axes are two problems."""
    text = refusal("a=linspace(1mA,2mA)", "b=range(5ms,20ms,0ms)", "c=1,2")
    assert "2 problems" in text
    assert "a = linspace(1mA, 2mA)" in text


@settings(max_examples=50, deadline=None)
@given(
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
    st.integers(2, 20),
    st.sampled_from(["mV", "nS", ""]),
)
def test_what_is_generated_reads_back(start, stop, n, unit):
    """Every value is read by Hydra's grammar and by the units, to twelve digits."""
    found = values(f"a=linspace({start!r}{unit},{stop!r}{unit},{n})")
    read = [OverridesParser.create().parse_override(f"a={text}").value() for text in found]
    given = [float(parse(text).mantissa) for text in read]
    wanted = np.linspace(start, stop, n)
    np.testing.assert_allclose(given, wanted, rtol=1e-10, atol=1e-11 * max(abs(wanted)) + 1e-300)


@pytest.mark.parametrize("text", ["linspace(0,1,5)", "range(1,4)", "zip(a,b)", "sobol(1,2,4,log)"])
def test_every_spelling_is_the_same_sweep(text):
    """A function, colons, and either in quotes of both kinds: one plan."""
    colons = text.replace("(", ":").replace(",", ":").rstrip(")")
    spelt = [text, colons, f"'{text}'", f'"{text}"', f"'{colons}'", f'"{colons}"']
    assert len({str(points(read_plan([f"a={one}"]))) for one in spelt}) == 1


@pytest.mark.parametrize(
    "form",
    [
        "a=linspace(1mV^2,2mV^2,2)",
        "a=linspace:1µS:2µS:2",
        "a=linspace(1mV²,2mV²,2)",
        "a=zip('a,b',\"it's\")",
        "a=zip('x(y',normal(10 ms, 1 ms))",
        "a=zip:[1,2]:[3,4]",
        "a=zip(data/µ.npy,b)",
        "a=random(1 1/mV, 2 1/mV, 2, log)",
    ],
)
def test_whatever_stands_in_a_form_hydra_reads_it(form):
    """So does each point that comes of it; Hydra's form is the same sweep and needs no other."""
    parser = OverridesParser.create()
    parser.parse_override(hydra_form(form))
    assert hydra_form(hydra_form(form)) == hydra_form(form)
    found = points(read_plan([form]))
    assert len(found) == 2
    assert points(read_plan([hydra_form(form)])) == found
    assert not any(parser.parse_override(o).is_sweep_override() for (o,) in found)


def test_texts_in_zip_stay_what_they_are():
    """Quotes hold commas and brackets together; a path keeps its letters."""
    assert values("a=zip('a,b','x(y')") == ["'a,b'", "'x(y'"]
    assert values("a=zip(data/µ.npy,b)") == ["'data/µ.npy'", "b"]


def test_relative_drives_are_converted_and_whole_numbers_exact():
    """Charges relative to the neuron have units too; a seed keeps all its digits."""
    assert values("w=linspace(0.5rheobase*ms,0.001 rheobase * s,2)") == [
        "0.5rheobase*ms",
        "1rheobase*ms",
    ]
    assert values("t=range(1ms,1.3ms,100us)") == ["1ms", "1.1ms", "1.2ms"]
    assert values("seed=range:1234567890123456:1234567890123458")[1] == "1234567890123457"
    assert values("a=random(1e-200,1e200,3,log)") != ["inf"] * 3


def test_a_distribution_in_yaml_needs_no_quotes():
    """``normal(10 ms, 1 ms)`` among the parameters of a sweep is a fixed value."""
    plan = read_plan(["a=normal(10 ms, 1 ms)", "b=1,2"])
    assert points(plan)[0] == ["a='normal(10 ms, 1 ms)'", "b=1"]


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("a=range(1,5,0)", "must not be zero"),
        ("a=range(0.5,5,0)", "Invalid range"),
        ("a=range(5,1)", "no values"),
        ("a=glob(*)", "cannot be read"),
        ("a=range(0,1000000000)", "points; at most"),
        ("a=linspace:0:1:1000000000", "1e+09 points"),
        ("a=random:0:1:1000000000", "1e+09 points"),
        ("a=random:5:1:3", "low must be below high"),
        ("a=zip(choice(1,2),3)", "is a sweep itself"),
        ("a=1,linspace:0:1:2", "cannot hold a form"),
        ("a=linspace(1mX,2mX,2)", "'mX' is not the name of a unit"),
        ("~a=linspace(0,1,2)", "cannot be read"),
    ],
)
def test_a_mistake_is_a_problem_and_no_crash(argument, told):
    """Nor is anything of a size computed that is refused."""
    assert told in refusal(argument)


def test_a_mistake_that_is_overridden_is_told_as_well():
    """The last of a key given twice holds, but both must be readable."""
    assert "linspace takes" in refusal("a=linspace(1,2)", "a=3")


def test_another_random_key_changes_no_value():
    """Each key has a stream of its own."""
    alone = numbers(read_plan(["a=random:0:1:4"]))
    beside = numbers(read_plan(["b=random:0:1:4", "a=random:0:1:4"]))
    np.testing.assert_array_equal(beside[:, 1], alone[:, 0])
