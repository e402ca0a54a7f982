"""Neurons that are computed from themselves alone are computed in parts, with the same result."""

from __future__ import annotations

from functools import cache

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from nights import by_night
from test_config import CONF
from test_program import assert_identical, experiment, simulate

from neurolab.cli.compose import compose_config, effective
from neurolab.config.experiment import read_experiment
from neurolab.engine.independence import independent, shown_independent
from neurolab.engine.parts import NEURONS_TOGETHER
from neurolab.engine.program import Program
from neurolab.neurons import LIF

NAMES = {group: sorted(p.stem for p in (CONF / group).glob("*.yaml")) for group in (
    "neuron", "synapse", "input", "integrator"
)}  # fmt: skip
OWN = [
    *[(f"neuron={name}", "input=poisson", "synapse=expon") for name in NAMES["neuron"]],
    *[(f"synapse={name}", "input=poisson") for name in NAMES["synapse"]],
    *[(f"integrator={name}", "neuron=gif_ref") for name in NAMES["integrator"]],
    *[(f"input={name}",) for name in NAMES["input"] if "file" not in name],
    ("neuron.tau=[normal,10ms,1ms]", "device.precision=float64", "input=poisson_rates"),
    ("synapse=alpha", "synapse/output=conductance", "input=poisson"),
]


@pytest.mark.parametrize("overrides", OWN, ids=" ".join)
def test_the_step_of_every_own_model_shows_that_it_is_independent(overrides):
    e = experiment(*overrides, "size=24")
    assert e.structure.independent
    assert shown_independent(e.structure, e.numbers)


class Mean(LIF):
    """Drawn to the mean of all."""

    def derivatives(self, y, current):
        return {"V": (u.math.mean(y["V"]) - y["V"]) / self.tau}


class Neighbour(LIF):
    """Drawn to the neuron beside it."""

    def derivatives(self, y, current):
        return {"V": (jnp.roll(y["V"].mantissa, 1) * u.mV - y["V"]) / self.tau}


class Matrix(LIF):
    """Coupled by a matrix."""

    def derivatives(self, y, current):
        n = self.varshape[0]
        return {"V": ((np.eye(n, dtype="f") @ y["V"].mantissa) * u.mV - y["V"]) / self.tau}


class Scaled(LIF):
    """Of a slope that depends on how many there are."""

    def derivatives(self, y, current):
        return {"V": (current(y["V"]) * self.R - y["V"]) / (self.tau * self.varshape[0])}


class Placed(LIF):
    """Of a slope that depends on the place."""

    def derivatives(self, y, current):
        place = jnp.arange(self.varshape[0]) + 1.0
        return {"V": (current(y["V"]) * self.R - y["V"]) / (self.tau * place)}


class Counted(LIF):
    """Of a slope that depends on the number of the neuron, which a part knows."""

    def derivatives(self, y, current):
        return {"V": (current(y["V"]) * self.R - y["V"]) / (self.tau * (self.elements() + 1.0))}


class Ordered(LIF):
    """Drawn to the neuron of its rank."""

    def derivatives(self, y, current):
        return {"V": (jnp.sort(y["V"].mantissa) * u.mV - y["V"]) / self.tau}


class First(LIF):
    """Drawn to the first, until the first has got there."""

    def derivatives(self, y, current):
        V = y["V"].mantissa
        there = jax.lax.cond(V[0] > 1.0, lambda: V, lambda: 0 * V)
        return {"V": (there * u.mV - y["V"]) / self.tau}


class Looped(LIF):
    """Halved as often as every neuron needs by itself: a loop whose end is common."""

    def derivatives(self, y, current):
        V = jax.lax.fori_loop(0, 3, lambda k, V: V / (k + 2.0), y["V"].mantissa)
        return {"V": (V * u.mV - y["V"]) / self.tau}


class Drawn(LIF):
    """With noise of brainstate, one word after the other."""

    def derivatives(self, y, current):
        import brainstate

        noise = brainstate.random.normal(size=self.varshape)
        return {"V": (noise * u.mV - y["V"]) / self.tau}


@cache
def user(name: str, size: int = 24):
    overrides = (f"neuron._target_={__name__}.{name}", f"size={size}")
    return read_experiment(effective(compose_config(overrides), overrides))


@pytest.mark.parametrize(
    ("name", "apart"),
    [
        ("Mean", False),
        ("Neighbour", False),
        ("Matrix", False),
        ("Scaled", False),
        ("Placed", False),
        ("Ordered", False),
        ("First", False),
        ("Drawn", False),
        ("Counted", True),
        ("Looped", True),
    ],
)
def test_a_users_model_is_looked_at(name, apart):
    e = user(name)
    assert e.structure.independent is apart
    assert independent(e.structure, e.numbers) is apart


LARGE = (
    "neuron=adexif_ref", "input=poisson", "synapse=expon", "+input@inputs.noise=ou", "size=210",
    "inputs.noise.mean=1mA", "neuron.tau_w=[normal,30ms,1ms]", "record=full",
    "record.interval=0.7ms",
)  # fmt: skip


def parted(monkeypatch, structure, together: int, n_devices: int = 1, **how) -> Program:
    monkeypatch.setitem(NEURONS_TOGETHER, "cpu", together)
    return Program(structure, 300, jax.devices()[:n_devices], **how)


@pytest.mark.parametrize("bits", by_night([32, 64], [32]))
@pytest.mark.parametrize("neurons", ["all", "[209,0,3,100,101,102,57]"])
@pytest.mark.parametrize("n_devices", [1, 2])
def test_parts_give_what_the_whole_gives(monkeypatch, bits, neurons, n_devices):
    e = experiment(*LARGE, f"device.precision=float{bits}", f"record.neurons={neurons}")
    whole = Program(e.structure, 300, jax.devices()[:1])
    parts = parted(monkeypatch, e.structure, 40, n_devices)
    assert (whole.loop.local_size, parts.loop.local_size) == (210, 35)
    assert_identical(simulate(whole, e.numbers), simulate(parts, e.numbers, (77, 223)))


def test_points_of_large_populations_are_computed_in_parts_too(monkeypatch):
    e = experiment(*LARGE)
    numbers = {**e.numbers, "neuron.b": np.float32([0, 3]) + e.numbers["neuron.b"]}
    varying = {"neuron.b"}
    whole = Program(e.structure, 300, points=2, varying=varying)
    parts = parted(monkeypatch, e.structure, 40, points=2, varying=varying)
    assert (whole.loop.local_size, parts.loop.local_size) == (210, 35)
    found = []
    for program in (whole, parts):
        placed = program.place(numbers)
        _, records = program.advance(placed, program.start(placed), 300)
        found.append((program.spikes(records, 0, 300), records, program.columns[""]))
    (spikes, records, columns), (others, other_records, other_columns) = found
    for one, other in zip(spikes, others, strict=True):
        np.testing.assert_array_equal(one, other)
    for name in e.structure.recording.variables:
        one = np.asarray(records[name])[:, :42, columns]
        np.testing.assert_array_equal(one, np.asarray(other_records[name])[:, :42, other_columns])


@pytest.mark.parametrize(("size", "n_parts"), [(79, 1), (80, 2), (83, 1), (90, 3), (400, 10)])
def test_parts_are_equal_and_at_most_as_large_as_a_cache_holds(monkeypatch, size, n_parts):
    """83 is prime: the whole is computed at once."""
    e = experiment("neuron=lif", f"size={size}")
    program = parted(monkeypatch, e.structure, 40)
    assert program.loop.local_size * n_parts == size


def test_coupled_neurons_are_computed_together(monkeypatch):
    e = user("Mean", 400)
    assert parted(monkeypatch, e.structure, 40).loop.local_size == 400


def test_parts_can_be_mapped_and_differentiated(monkeypatch):
    e = experiment("neuron=lif", "size=80", "record=summary")
    rates = []
    for program in (Program(e.structure, 300), parted(monkeypatch, e.structure, 40)):

        def last(tau, program=program):
            numbers = e.numbers | {"neuron.tau": tau}
            return program.advance(numbers, program.start(numbers), 50)[0]["neuron.V"]

        taus = jnp.float32([8.0, 12.0])
        rates.append((jax.vmap(last)(taus), jax.jacfwd(last)(jnp.float32(10.0))))
    for one, other in zip(*rates, strict=True):
        assert np.abs(one).max() > 0
        np.testing.assert_array_equal(one, other)


TABLE = jnp.linspace(0.5, 1.5, 24)


class Sized(LIF):
    """Of one size alone."""

    def derivatives(self, y, current):
        return {"V": (current(y["V"]) * self.R * TABLE - y["V"]) / self.tau}


class Common(LIF):
    """With noise of brainstate that all share."""

    def derivatives(self, y, current):
        import brainstate

        return {"V": (brainstate.random.normal() * u.mV - y["V"]) / self.tau}


class Power(LIF):
    """Of a slope whose exponent is how many there are."""

    def derivatives(self, y, current):
        factor = jnp.asarray(0.999) ** self.varshape[0]
        return {"V": (current(y["V"]) * self.R * factor - y["V"]) / self.tau}


class Many(LIF):
    """Of a slope that is found in as many rounds as there are neurons."""

    def derivatives(self, y, current):
        factor = jax.lax.fori_loop(0, self.varshape[0], lambda k, x: x * 0.999, 1.0)
        return {"V": (current(y["V"]) * self.R * factor - y["V"]) / self.tau}


@pytest.mark.parametrize("name", ["Sized", "Common", "Power", "Many"])
def test_what_depends_on_the_size_or_the_part_is_computed_together(monkeypatch, name):
    """And runs: what cannot be built at half the size was refused at any."""
    e = user(name)
    assert not e.structure.independent
    program = parted(monkeypatch, e.structure, 5)
    assert program.loop.local_size == 24
    program.advance(e.numbers, program.start(e.numbers), 10)


def test_one_neuron_of_a_user_runs():
    assert not user("First", 1).structure.independent


@pytest.mark.parametrize(("neurons", "n_parts"), [("8", 6), ("20", 1), ("60", 1), ("all", 6)])
def test_records_of_the_first_neurons_are_not_made_for_every_part(monkeypatch, neurons, n_parts):
    """Those of a few hundred of many took 35 times as long."""
    e = experiment("neuron=lif", "size=210", f"record.neurons={neurons}")
    program = parted(monkeypatch, e.structure, 40)
    assert program.loop.local_size * n_parts == 210
    wanted = 210 if neurons == "all" else int(neurons)
    assert program.columns[""].size == wanted
