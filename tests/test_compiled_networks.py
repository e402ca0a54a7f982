"""`neurolab.compile` of a network: its numbers changed, traced and differentiated by its users."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import neurolab

N_STEPS = 400
SMALL = ("network=coba_ei", "populations.E.size=120", "populations.I.size=30")
DRAWN = (
    *SMALL,
    *(f"projections.{one}.weight=[lognormal,2nS,1nS]" for one in ("E_E", "E_I")),
    *(f"projections.{one}.weight=67nS" for one in ("I_E", "I_I")),
    "populations.E.neuron.V_initializer=-55mV",
    "populations.E.inputs.drive.amplitude=[uniform,150pA,650pA]",
    "projections.E_E.delay=[uniform,0.1ms,1ms]",
)


@pytest.fixture(scope="module")
def program():
    return neurolab.compile(DRAWN)


def spikes(program, numbers, n_steps=N_STEPS):
    _, records = program.advance(numbers, program.start(numbers), n_steps)
    return program.spikes(records, 0, n_steps)[1:]


def test_numbers_are_those_of_the_configuration(program):
    """And not what is drawn from them; each but the seed has its unit."""
    assert program.numbers["projections.E_E.connectivity.p"] == 0.02
    assert np.array_equal(program.numbers["projections.E_E.weight"], [2e-9, 1e-9])
    tables = ("first", "places", "weights", "quantum")
    assert not [key for key in program.numbers if key.rpartition(".")[2] in tables]
    assert program.units["projections.E_E.weight"] == "S"
    own = {key for key in program.numbers if key != "seed" and not key.endswith(".unit")}
    assert own <= program.units.keys()


@pytest.mark.parametrize(
    ("key", "value", "typed"),
    [
        ("projections.E_E.delay", [0.5, 1.0], "projections.E_E.delay=[uniform,0.5ms,1ms]"),
        ("projections.E_I.connectivity.p", 0.3, "projections.E_I.connectivity.p=0.3"),
        ("projections.E_E.weight", [4e-9, 1e-9], "projections.E_E.weight=[lognormal,4nS,1nS]"),
        ("projections.I_E.weight", 0.0, "projections.I_E.weight=0nS"),
    ],
)
def test_changed_numbers_are_another_configuration(program, key, value, typed):
    """Also those that synapses are drawn from."""
    found = spikes(program, program.numbers | {key: value})
    other = neurolab.compile([one for one in DRAWN if one.partition("=")[0] != key] + [typed])
    expected = spikes(other, other.numbers)
    assert found[0].size > 50
    assert not np.array_equal(found, spikes(program, program.numbers))
    np.testing.assert_array_equal(found, expected)


def test_another_seed_draws_other_synapses(program):
    """What neurons were given by a distribution stays: those are numbers already."""
    found = spikes(program, program.numbers | {"seed": 3})
    drives = [f"populations.{one}.inputs.drive.amplitude" for one in "EI"]
    other = neurolab.compile([*DRAWN[1:], "seed=3", DRAWN[0]])
    expected = spikes(other, other.numbers | {key: program.numbers[key] for key in drives})
    assert not np.array_equal(found, spikes(program, program.numbers))
    np.testing.assert_array_equal(found, expected)


def test_unchanged_numbers_have_the_synapses_that_there_are(program, monkeypatch):
    from neurolab.engine import wiring

    def drawn_again(*args):
        raise AssertionError("synapses are drawn again")

    monkeypatch.setattr(wiring, "synapses", drawn_again)
    found = spikes(program, program.numbers | {"projections.I_E.weight": 20e-9})
    assert not np.array_equal(found, spikes(program, program.numbers | {}))
    with pytest.raises(AssertionError, match="again"):
        program.place(program.numbers | {"seed": 2})


def test_numbers_cannot_be_changed_where_they_are(program):
    with pytest.raises(TypeError):
        program.numbers["seed"] = 3
    with pytest.raises(ValueError, match="read-only"):
        program.numbers["projections.E_E.weight"][0] = 5e-9
    changed = dict(program.numbers)
    with pytest.raises(ValueError, match="read-only"):
        changed["projections.E_E.weight"] *= 2


def test_derivatives_pass_through_projections(program):
    """By the weight of a projection, beside differences: before anything fires again."""

    def final(weight):
        numbers = program.numbers | {"projections.I_E.weight": weight}
        state, _ = program.advance(numbers, program.start(numbers), 60)
        return state["populations.E.receptors.inh.g"].sum()

    at, h = np.float32(67e-9), np.float32(1e-9)
    _, slope = jax.jvp(final, (at,), (np.float32(1),))
    differences = (final(at + h) - final(at - h)) / (2 * h)
    assert float(slope) > 0
    np.testing.assert_allclose(float(slope), float(differences), rtol=1e-3)


def test_what_synapses_are_drawn_from_cannot_be_traced(program):
    with pytest.raises(ValueError, match=r"projections.E_I.connectivity.p is traced: synapses"):
        jax.jit(lambda p: program.start(program.numbers | {"projections.E_I.connectivity.p": p}))(
            np.float32(0.1)
        )


def test_numbers_that_do_not_fit_are_refused(program):
    for key, value, why in (
        ("projections.E_I.connectivity.q", 0.1, "did you mean"),
        ("projections.E_E.unit", 2.0, r"give the weights of projections.E_E.weight"),
        ("projections.I_E.weight", -1.0, "zero or positive"),
        ("projections.E_E.connectivity.p", 1.5, "at most 1"),
        ("projections.E_E.delay", [0.5, 3.0], r"of 5 to 30 steps; it was compiled for 1 to 10"),
        ("projections.E_E.delay", 1.0, "has 0 axes"),
        ("projections.E_E.weight", [1e-9, 1e-9, 0.0], "the arguments of lognormal"),
        ("seed", 2.5, "a whole number"),
    ):
        with pytest.raises(ValueError, match=why):
            program.place(program.numbers | {key: value})


def test_numbers_of_another_program_are_looked_at(program):
    """Its arguments are for its own structure: spikes of 2 kHz would be cut off."""
    slow = neurolab.compile(["neuron=lif", "input.rate=1Hz", "size=3"])
    fast = neurolab.compile(["neuron=lif", "input.rate=2kHz", "size=3"])
    with pytest.raises(ValueError, match="made for smaller numbers"):
        slow.start(fast.numbers)
    with pytest.raises(ValueError, match=r"neuron\.R: There are: populations"):
        program.start(fast.numbers)


def test_weights_that_may_not_be_negative_are_refused_here_too(tmp_path):
    np.savez(tmp_path / "e.npz", source=[0, 1], target=[2, 3], weight=[1.0, 2.0], delay=[1.0, 2.0])
    drawn = ("projections.E_E.weight=[uniform,1nS,2nS]",)
    file = (
        "connectivity@projections.E_E.connectivity=edges", "~projections.E_E.connectivity.p",
        f"projections.E_E.connectivity.file={tmp_path / 'e.npz'}",
        "projections.E_E.weight=[file,1nS]", "projections.E_E.delay=[file,1ms]",
    )  # fmt: skip
    rest = ("projections.E_I.weight=6nS",)
    by_file = neurolab.compile([*SMALL, *file, *rest])
    by_rule = neurolab.compile([*SMALL, *drawn, *rest])
    for compiled, key, value, why in (
        (by_rule, "weight", [-1e-9, 1e-9], "zero or positive"),
        (by_file, "unit", -2e-9, "zero or positive"),
        (by_file, "connectivity.weight", [-1.0, 2.0], "zero or positive"),
        (by_file, "connectivity.delay", [1.0, 3.0], "compiled for 10 to 20"),
    ):
        with pytest.raises(ValueError, match=why):
            compiled.place(compiled.numbers | {f"projections.E_E.{key}": value})
        compiled.place(compiled.numbers | {})


def test_a_potential_that_is_set_in_a_state_stays():
    """Of a neuron that fired in the last step too: it is no more above its threshold."""
    typed = ["neuron=lif", "neuron.spk_reset=hard", "neuron.tau=10ms", "size=2"]
    program = neurolab.compile([*typed, "input=constant", "input.amplitude=0rheobase"])
    fired, numbers = np.array([True, False]), program.numbers
    state = {**program.start(numbers), "neuron.fired": fired}
    for V, after in ((0.5, [0.5, 0.5]), (1.5, [0.0, 1.5])):  # of a threshold of 1 mV, rest at 0
        given = {**state, "neuron.V": np.full(2, V, np.float32)}
        found = np.asarray(program.advance(numbers, given, 1)[0]["neuron.V"])
        np.testing.assert_allclose(found, np.array(after) * np.exp(-0.01), rtol=1e-6)
