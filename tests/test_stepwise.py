"""From Python: a simulation stepped, a program's pure functions, a run that leaves no folder."""

from __future__ import annotations

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurolab
from neurolab.problems import ConfigError

LIF = ("neuron=lif", "input=constant", "size=3", "synapse=none")


def test_a_run_that_is_not_saved_is_the_run_that_is(tmp_path, monkeypatch):
    """The same spikes, traces, rate and statistics, and no folder anywhere."""
    typed = ["neuron=adexif_ref", "size=20", "duration=300ms", "record=full"]
    saved = neurolab.run(typed, tmp_path / "saved")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    run = neurolab.run(typed, save=False)
    assert not list((tmp_path / "empty").iterdir())
    for name in ("time", "neuron"):
        np.testing.assert_array_equal(run.spikes[name], saved.spikes[name])
    np.testing.assert_array_equal(run.traces["w"], saved.traces["w"])
    assert run.traces["w"].attrs["units"] == "mA"
    np.testing.assert_array_equal(run.rate, saved.rate)
    for key in ("status", "spike_count", "rate_hz_mean", "isi_cv_mean", "config_hash"):
        assert run.summary[key] == saved.summary[key]
    assert run.config.neuron._target_.endswith("AdExIFRef")
    assert "in memory" in repr(run)
    with pytest.raises(ConfigError, match="tracker"):
        neurolab.run([*typed, "tracker=wandb"], save=False)
    with pytest.raises(ConfigError, match="folder"):
        neurolab.run(typed, tmp_path / "x", save=False)


def test_a_second_run_of_a_structure_compiles_nothing(caplog):
    """Other numbers, another seed and another duration are arguments of the same program."""
    first = ["neuron=alif", "size=7", "input=ou", "record=full"]
    neurolab.run([*first, "duration=50ms"], save=False)
    with jax.log_compiles():
        run = neurolab.run([*first, "duration=80ms", "seed=5", "neuron.tau=9ms"], save=False)
    assert run.committed_steps == 800
    assert not [r for r in caplog.records if "Finished XLA compilation" in r.getMessage()]


def test_advanced_in_parts_it_is_the_run():
    """What was advanced in three parts is what a run gives at once."""
    typed = ["neuron=adexif_ref", "size=20", "record=full"]
    run = neurolab.run([*typed, "duration=120ms"], save=False)
    sim = neurolab.Simulation(typed)
    for duration in (50 * u.ms, 0.1 * u.ms, 0.0699 * u.second):
        sim.advance(duration)
    assert sim.time == 120 * u.ms
    for name in ("time", "neuron"):
        np.testing.assert_array_equal(sim.run.spikes[name], run.spikes[name])
    np.testing.assert_array_equal(sim.run.traces["V"], run.traces["V"])
    np.testing.assert_array_equal(sim.run.rate, run.rate)


def test_state_and_numbers_are_read_and_changed_between():
    """V decays towards what R I is now: tau dV/dt = -V + R I, exactly."""
    sim = neurolab.Simulation([*LIF, "neuron.V_th=10mV", "neuron.tau=5ms", "input.amplitude=1mA"])
    sim.advance(10 * u.ms)
    V = 1.0 - np.exp(-2.0)
    assert np.allclose(sim.state["V"].to(u.mV).mantissa, V, rtol=1e-5)
    assert sim.numbers["neuron.tau"] == 5 * u.ms
    sim.numbers["input.amplitude"] = "3 mA"
    sim.numbers["neuron.tau"] = 0.002 * u.second
    sim.state["V"] = np.array([0.0, 1.0, 2.0]) * u.mV
    sim.advance(4 * u.ms)
    expected = 3.0 + (np.arange(3.0) - 3.0) * np.exp(-2.0)
    assert np.allclose(sim.state["V"].to(u.mV).mantissa, expected, rtol=1e-5)
    assert dict(sim.state).keys() == {"neuron.V", "neuron.fired"}


def test_what_cannot_be_is_refused_with_what_can():
    """Times off the grid, unknown names, wrong units and shapes; nothing is changed by them."""
    sim = neurolab.Simulation(LIF)
    with pytest.raises(ValueError, match="whole"):
        sim.advance(0.25 * u.ms)
    with pytest.raises(KeyError, match="did you mean"):
        sim.numbers["neuron.tu"] = 3 * u.ms
    with pytest.raises(ValueError, match="neuron"):
        sim.numbers["neuron.tau"] = 3 * u.mV
    with pytest.raises(ValueError, match="rheobase"):
        sim.numbers["input.amplitude"] = 1 * u.mA
    with pytest.raises(ValueError, match="one for all"):
        sim.numbers["neuron.tau"] = [3 * u.ms, 4 * u.ms, 5 * u.ms]
    with pytest.raises(ValueError, match=r"Simulation with neuron.tau=\[3 ms, 4 ms, 5 ms\]"):
        sim.numbers["neuron.tau"] = [3 * u.ms, 4 * u.ms, 5 * u.ms]
    with pytest.raises(ValueError, match=r"Simulation with input\.amplitude=1 mA"):
        sim.numbers["input.amplitude"] = 1 * u.mA
    with pytest.raises(ValueError, match="expected"):
        sim.state["V"] = 1 * u.mA
    with pytest.raises(ValueError, match=r"neuron.V.*\(2,\); give one value, or .* \(3,\)"):
        sim.state["V"] = [1, 2] * u.mV
    for no_time in (0 * u.ms, -1 * u.ms):
        with pytest.raises(ValueError, match="positive"):
            sim.advance(no_time)
    sim.advance(1 * u.ms)
    assert sim.numbers["neuron.tau"] == 5 * u.ms
    assert sim.run.config.neuron.tau == "5 ms"
    found = {"duration_ms": 1.0, "rheobase": 1.0, "rheobase_unit": "mA", "message": ""}
    assert {key: sim.run.summary[key] for key in found} == pytest.approx(found)
    sim.numbers["neuron.V_th"] = "2 mV"
    assert sim.run.summary["rheobase"] == pytest.approx(2.0)


def test_a_neuron_that_fires_in_every_step_is_told(caplog):
    """As pA that are typed as mA do: 10000 Hz, and nothing was said."""
    strong = ["neuron=izhikevich2003/RS", "input=constant", "input.amplitude=10mA", "size=1"]
    summary = neurolab.run([*strong, "duration=50ms"], save=False).summary
    assert (summary["status"], summary["spike_count"]) == ("completed", 500)
    assert summary["message"].startswith("neuron 0 fired in 500 of 500 steps")
    (told,) = [r for r in caplog.records if r.levelname == "WARNING"]
    assert "unit" in told.getMessage()


def test_a_divergence_is_an_error_and_what_was_before_stays():
    """Time stops at the last finite step, and nothing leads on from there."""
    sim = neurolab.Simulation([*LIF, "neuron.tau=0.02ms", "integrator=euler", "record=full"])
    assert sim.run.spikes.sizes["spike"] == 0
    for _ in range(2):
        with pytest.raises(FloatingPointError, match="V became"):
            sim.advance(100 * u.ms)
    with pytest.raises(FloatingPointError, match="another Simulation"):
        sim.state["V"] = 0 * u.mV
    V = sim.run.traces["V"].values
    assert 10 < len(V) < 1000
    assert float(sim.time / u.ms) == pytest.approx(len(V) * 0.1)
    assert np.isfinite(V).all()


def test_values_go_round_and_those_of_no_effect_are_refused():
    """What is read can be assigned; what a configuration would refuse, or has no effect, cannot."""
    sim = neurolab.Simulation(["neuron=adexif_ref", "size=2", "device.precision=float64"])
    sim.advance(1 * u.ms)
    for key in sim.numbers:
        if not key.endswith("_initializer"):
            sim.numbers[key] = sim.numbers[key]
    for name in sim.state:
        sim.state[name] = sim.state[name]
    sim.state["V"] = u.Quantity(np.array([-60.0, -61 - 1 / 3]), unit=u.mV)
    assert sim.state["V"].mantissa[1] == -61 - 1 / 3
    sim.advance(1 * u.ms)
    with pytest.raises(ValueError, match="must lie above"):
        sim.numbers["neuron.V_th"] = "-100 mV"
    with pytest.raises(ValueError, match="state"):
        sim.numbers["neuron.V_initializer"] = "-60 mV"
    with pytest.raises(ValueError, match="int32"):
        sim.state["last_spike_step"] = 3.7
    with pytest.raises(ValueError, match="give a time"):
        sim.advance(100)
    with pytest.raises(ConfigError, match="tracker"):
        neurolab.Simulation(["tracker=wandb"])


def test_larger_numbers_than_a_program_is_made_for_are_refused():
    """Poisson counts beyond its tables would be cut off without a word (a mean of 0.8 for 2)."""
    sim = neurolab.Simulation(["neuron=lif", "input.rate=20Hz"])
    with pytest.raises(ValueError, match="smaller numbers"):
        sim.numbers["input.rate"] = "2000 Hz"
    program = neurolab.compile(["neuron=lif", "input.rate=20Hz"])
    with pytest.raises(ValueError, match="smaller numbers"):
        program.start({**program.numbers, "input.rate": 2000.0})
    with pytest.raises(ValueError, match="did you mean"):
        program.start({**program.numbers, "neuron.taus": 2.0})
    with pytest.raises(ValueError, match="in ms"):
        program.start({**program.numbers, "neuron.tau": 12 * u.ms})
    with pytest.raises(ValueError, match=r"input\.weight is left out"):
        program.start({key: 1.0 for key in program.numbers if key != "input.weight"})
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        program.start({**program.numbers, "neuron.tau": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"neuron\.tau = -3\.0: must be positive"):
        program.start({**program.numbers, "neuron.tau": -3.0})
    with pytest.raises(ValueError, match="must lie above"):
        program.start({**program.numbers, "neuron.V_th": -70.0})
    state = program.start(program.numbers)
    for n in (program.capacity + 1, jnp.int32(program.capacity + 1), -1):
        with pytest.raises(ValueError, match="capacity"):
            program.advance(program.numbers, state, n)
    with pytest.raises(TypeError):
        program.advance(program.numbers, state, 10.7)


def test_arguments_that_are_equal_and_not_the_same_have_programs_of_their_own():
    """True == 1 == 1.0: a program kept for one of them is not another's."""
    typed = ["neuron._target_=test_stepwise.Flagged", "input=constant", "size=1", "duration=50ms"]
    counts = [neurolab.run([*typed, f"+neuron.m={m}"], save=False).summary["spike_count"]
              for m in ("true", "1", "1.0", "true")]  # fmt: skip
    assert counts[0] == counts[3] > 0 == counts[1] == counts[2]


def test_rates_for_each_neuron_are_swept(tmp_path):
    """Tables of Poisson counts of points whose rates are lists; refused by the check of sizes."""
    typed = ["neuron=lif", "size=3", "duration=10ms"]
    sweep = neurolab.run_sweep([*typed, "input.rate=[5Hz,100Hz,500Hz],[20Hz,1Hz,1Hz]"], tmp_path)
    assert list(sweep.table["status"]) == ["completed"] * 2


def test_a_mean_that_would_never_end_is_refused():
    with pytest.raises(ConfigError, match="events per step"):
        neurolab.run(["neuron=lif", "input.rate=1e12Hz"], save=False)


def test_a_compiled_program_is_mapped_and_differentiated():
    """dV/dtau of a leaky integrator by forward differentiation, and V for many tau at once:
    V = R I (1 - exp(-t / tau)), dV/dtau = -R I t / tau^2 exp(-t / tau).  I < 0, where the surrogate
    of a spike has no gradient."""
    typed = [*LIF, "input.amplitude=-1mA", "device.precision=float64"]
    program = neurolab.compile(typed)
    assert program.units["neuron.tau"] == "ms"

    def V(tau):
        numbers = {**program.numbers, "neuron.tau": tau}
        state, _ = program.advance(numbers, program.start(numbers), 100)
        return state["neuron.V"][0]

    with jax.enable_x64(True):
        tau = jnp.array([3.0, 5.0, 8.0])
        values, slopes = jax.vmap(lambda t: jax.jvp(V, (t,), (jnp.ones_like(t),)))(tau)
        jitted = jax.jit(V)(tau[1])
    tau = np.array([3.0, 5.0, 8.0])
    np.testing.assert_allclose(values, np.exp(-10.0 / tau) - 1.0, rtol=1e-12)
    np.testing.assert_allclose(slopes, 10.0 / tau**2 * np.exp(-10.0 / tau), rtol=1e-12)
    assert float(jitted) == pytest.approx(float(values[1]), rel=1e-14)
    with pytest.raises(ValueError, match="capacity"):
        program.advance(program.numbers, program.start(program.numbers), program.capacity + 1)


def test_infinite_steps_between_chunk_ends_are_found():
    """An infinity that a reset washes away in the next step is found in the step it happens in; it
    was looked for at the ends of chunks alone."""
    import brainstate

    from neurolab.cli.compose import compose_config, effective
    from neurolab.config.experiment import read_experiment
    from neurolab.engine.loop import FINITE, NONFINITE
    from neurolab.engine.program import Program

    typed = ["neuron._target_=test_stepwise.Washed", "size=3", "input=none", "record=full"]
    structure = read_experiment(effective(compose_config(typed), typed))
    program = Program(structure.structure, 100)
    state, _ = program.advance(structure.numbers, program.start(structure.numbers), 50)
    assert np.asarray(state[NONFINITE]).tolist() == [FINITE, 17, FINITE]
    assert np.isfinite(np.asarray(state["neuron.V"])).all()
    assert brainstate.environ.get("i", default=None) is None
    run = neurolab.run([*typed, "duration=10ms"], save=False)
    assert run.summary["status"] == "diverged"
    assert run.summary["message"] == "V became inf in step 17 (1.8 ms), neuron 1"
    assert run.committed_steps == 17


from neurolab.dynamics import parameter  # noqa: E402
from neurolab.neurons import LIF as _LIF  # noqa: E402


class Flagged(_LIF):
    """Fires if its flag is one."""

    m = parameter(None, "a flag, or a number")

    def curve(self, V):
        return super().curve(V) * (1.0 if isinstance(self.m, bool) else 3.0)


class Washed(_LIF):
    """Infinite in step 17 in neuron 1, and 0 again in the next."""

    def update(self, x=None):
        import brainstate

        spikes = super().update(x)
        i, index = brainstate.environ.get("i"), self.elements()
        V = jnp.where((i == 17) & (index == 1), jnp.inf, 0.0)
        self.V.value = V * u.mV
        return spikes


@pytest.mark.parametrize("reset", ["soft", "hard"])
@pytest.mark.parametrize("name", ["lif", "lif_ref"])
def test_a_cell_that_starts_above_its_threshold_fires_in_the_first_step(name, reset):
    """V is looked at after a step, as in Brian2 2.9 and NEST 3.10: of 1.5 mV, 1.47 mV are left, a
    spike; of 1.01 mV, 0.99 mV, none.  Such a cell was reset and no spike counted."""
    typed = [f"neuron={name}", f"neuron.spk_reset={reset}", "neuron.V_initializer=[1.5mV,1.01mV]"]
    common = ["input=none", "synapse=none", "size=2", "record=full", "duration=4ms"]
    run = neurolab.run([*typed, *common], save=False)
    assert list(run.spikes["time"]) == pytest.approx([0.1])
    assert list(run.spikes["neuron"]) == [0]
    V = run.traces["V"].values[0]
    np.testing.assert_allclose(V, np.array([1.5, 1.01]) * np.exp(-0.1 / 5.0), rtol=1e-6)


@pytest.mark.parametrize("reset", ["soft", "hard"])
def test_a_v_that_is_set_above_the_threshold_is_a_spike(reset):
    """Brian2 2.9 fires at 1.1 ms, and a cell set to 3 mV while refractory, whose V stays so, when
    it is free; one that fired and whose V is not touched is reset and does not fire again."""
    typed = ["neuron=lif_ref", f"neuron.spk_reset={reset}", "input=none", "synapse=none", "size=3"]
    sim = neurolab.Simulation([*typed, "record=full", "neuron.V_initializer=[0mV,0mV,1.5mV]"])
    sim.advance(0.1 * u.ms)  # neuron 2 fires
    sim.state["V"] = sim.state["V"]
    sim.advance(0.9 * u.ms)
    for _ in range(2):  # free, then refractory
        sim.state["V"] = (
            np.where([False, True, False], 3.0, sim.state["V"].to(u.mV).mantissa) * u.mV
        )
        sim.advance(1 * u.ms)
    sim.advance(8 * u.ms)
    assert list(sim.run.spikes["time"]) == pytest.approx([0.1, 1.1, 6.1])
    assert list(sim.run.spikes["neuron"]) == [2, 1, 1]
    V = sim.run.traces["V"].values[:, 1]
    assert (V[20:60] == 3.0).all()
    assert V[60] == pytest.approx(3.0 * np.exp(-0.1 / 5.0))


def test_a_threshold_that_is_lowered_is_crossed():
    """V has not changed, and is above it after the next step: a spike, and one reset."""
    typed = ["neuron=lif", "neuron.V_initializer=0.5mV", "input=none", "synapse=none", "size=1"]
    sim = neurolab.Simulation(typed)
    sim.advance(0.1 * u.ms)
    sim.numbers["neuron.V_th"] = "0.2 mV"
    sim.numbers["neuron.V_reset"] = "-10 mV"
    sim.advance(1 * u.ms)
    assert list(sim.run.spikes["time"]) == pytest.approx([0.2])


def test_a_state_that_is_put_back_goes_on_as_it_did():
    """Just after a spike too: which neurons fired is part of it, and is not counted again."""
    typed = ["neuron=lif", "input=constant", "input.amplitude=3mA", "synapse=none", "size=2"]
    sim = neurolab.Simulation(typed)
    while not sim.run.spikes["time"].size:
        sim.advance(0.1 * u.ms)
    saved = {name: sim.state[name] for name in sim.state}
    sim.advance(0.1 * u.ms)
    other = neurolab.Simulation(typed)
    for name, value in saved.items():
        other.state[name] = value
    other.advance(0.1 * u.ms)
    assert (other.state["V"] == sim.state["V"]).all()
    assert other.run.spikes["time"].size == 0


def test_what_a_run_warns_of_is_told_here_too(caplog):
    """`neuron.tau_ref=5.55ms` held for 5.6 ms, untold. There is no end before which inputs begin,
    and what was told of before is not told again."""
    typed = ["neuron=lif_ref", "neuron.tau_ref=5.55ms", "input=step", "size=2"]
    typed += ["input.start=3s", "input.stop=4s"]
    sim = neurolab.Simulation(typed)

    def told():
        texts = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
        caplog.clear()
        return texts

    assert told() == ["neuron.tau_ref = 5.55 ms is no multiple of dt = 0.1 ms: 5.6 ms is used"]
    sim.numbers["neuron.tau_ref"] = "5.33 ms"
    assert told() == ["neuron.tau_ref = 5.33 ms is no multiple of dt = 0.1 ms: 5.4 ms is used"]
    sim.numbers["neuron.tau_ref"] = "5 ms"
    sim.numbers["neuron.V_rest"] = "-64 mV"
    assert told() == []
    idle = ["neuron=lif", "+synapse@receptors.a=expon", "+synapse@receptors.b=expon"]
    sim = neurolab.Simulation([*idle, "input.receptor=a", "neuron.C=200pF", "neuron.g_L=10nS"])
    (text,) = told()
    assert text.startswith("receptors.b = Expon does nothing")
    sim.numbers["neuron.g_L"] = "2000 nS"  # tau = C / g_L is a step: told of C
    assert any("dt = 0.1 ms" in text for text in told())
