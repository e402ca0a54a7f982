"""What numbers of a computer cannot hold is right, refused or warned of."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest
from test_nothing_ignored import warned

import neurolab
from neurolab.cli.compose import compose_config, effective
from neurolab.config.experiment import read_experiment
from neurolab.inputs import SignalFromFile, SpikesFromFile
from neurolab.neurons import ALIF, LIF
from neurolab.problems import ConfigError


class Pairs(LIF):
    """Two more numbers for each neuron, which nothing uses."""

    def init_state(self, batch_size=None, **_):
        super().init_state(batch_size)
        self.pair = brainstate.HiddenState(jnp.zeros((*self.varshape, 2)))


def read(*overrides):
    return read_experiment(effective(compose_config(overrides), overrides))


def test_a_state_that_is_not_one_number_per_neuron_is_not_recorded():
    """Its first row was, as if of the first neurons."""
    typed = ("neuron=lif", f"neuron._target_={__name__}.Pairs", "size=4", "duration=5ms")
    run = neurolab.run([*typed, "record=full", "record.variables=[V]"], save=False)
    assert set(run.traces) == {"V"}
    with pytest.raises(ConfigError) as caught:
        read(*typed, "record=full", "record.variables=[V,pair]")
    (problem,) = caught.value.problems
    assert (problem.key, problem.given) == ("record.variables", "[pair]")
    assert "(4, 2)" in problem.advice
    told = read(*typed, "record=full", "record.variables=all")
    assert told.structure.recording.variables == ("neuron.V",)
    assert "pair" in str(told.warnings)


def test_recordings_end_where_they_end_however_fine():
    """With 1000 samples in a step the row left the range of int32 after 2.1e6 steps, and the first
    sample was played again."""
    values = np.arange(5.0)[:, None] * u.mA
    with brainstate.environ.context(dt=1.0 * u.ms):
        model = SignalFromFile(1, values=values, sampling=1.0 * u.us)
        late = model.draw(2_147_484, 4)
    np.testing.assert_array_equal(late / u.mA, np.full((4, 1), 4.0))


def test_events_that_never_come_stay_in_order():
    """Times beyond 2^31 steps were before all others."""
    times = np.array([1.0, 2.0, 1e12]) * u.ms
    with brainstate.environ.context(dt=0.1 * u.ms):
        model = SpikesFromFile(2, times=times, neurons=np.array([0, 1, 1]), weight=1.0 * u.mV)
        assert (np.diff(model.steps()) > 0).all()
        assert int(model.draw(0, 100).sum()) == 2


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (("neuron=alif", "neuron.tau_a=1000s"), "neuron.tau_a"),
        (("neuron=gif", "neuron.b=1e-7/ms"), "neuron.b"),
        (("synapse=expon", "synapse.tau=20s"), "synapse.tau"),
        (
            ("input=step", "input.start=12345678.9ms", "input.stop=12345.7s", "duration=12346s"),
            "input.start",
        ),
    ],
)
def test_what_float32_does_not_hold_is_told(overrides, key):
    found = warned(*overrides)
    assert "device.precision=float64" in found[key]
    assert not warned(*overrides, "device.precision=float64")


def test_a_slow_variable_decays_in_float64_as_the_warning_says():
    """a of `ALIF` after 1000 steps at tau_a / dt = 1e8: in float32 it has not moved."""
    found = {}
    for precision in (32, 64):
        with brainstate.environ.context(precision=precision, dt=0.1 * u.ms):
            neuron = ALIF(1, tau_a=1e7 * u.ms, a_initializer=3.0)
            neuron.init_state()

            def step(i, neuron=neuron):
                with brainstate.environ.context(i=i):
                    neuron.update()
                return neuron.a.value

            found[precision] = float(brainstate.transform.for_loop(step, jnp.arange(1000))[-1, 0])
    assert found[32] == 3.0
    assert found[64] == pytest.approx(3.0 * np.exp(-1e-5), rel=1e-9)
