"""Cells of papers, in the units of physiology: options in folders, C and g_L, results in pA."""

from __future__ import annotations

import brainunit as u
import jax
import numpy as np
import pytest

import neurolab
from neurolab.cli.compose import compose_config, conf_folder, effective
from neurolab.cli.help import help_text
from neurolab.config.experiment import read_experiment
from neurolab.neurons import LIF, AdExIF
from neurolab.problems import ConfigError

CELLS = sorted(
    path.relative_to(conf_folder() / "neuron").with_suffix("").as_posix()
    for path in (conf_folder() / "neuron").glob("*/*.yaml")
)
LEAK = ["neuron.C=200pF", "neuron.g_L=10nS"]
QUIET = ["input=constant", "size=2", "duration=20ms"]


def read(*overrides: str):
    return read_experiment(effective(compose_config(overrides), overrides))


# -- options in folders ------------------------------------------------------------------------


def test_a_cell_of_a_paper_is_an_option_in_any_package():
    """It is typed as neuron=naud2008/tonic, and is the same under another package."""
    alone = compose_config(["neuron=naud2008/irregular"])
    inside = compose_config(["+neuron@populations.E.neuron=naud2008/irregular"])
    assert alone.neuron == inside.populations.E.neuron
    assert alone.neuron.C == "100 pF"
    assert alone.neuron.V_th == "0 mV"  # of naud2008/tonic
    assert alone.neuron.spk_fun == "ReluGrad"  # of adexif


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_can_be_simulated(cell):
    """Read without a warning; the summary says its rheobase in pA, if it has one."""
    experiment = read(f"neuron={cell}", "input=constant", "input.amplitude=10pA")
    assert not experiment.warnings
    run = neurolab.run([f"neuron={cell}", "input.amplitude=10pA", *QUIET], save=False)
    assert run.summary["rheobase_unit"] == "pA"
    endless = "hyperpolarization" in cell  # a > b: the threshold runs ahead of the potential
    assert (run.summary["rheobase"] is None) == endless
    assert endless or -1 < run.summary["rheobase"] < 1000  # 0 where a = -g_L


def test_help_and_mistakes_know_cells(tmp_path, monkeypatch):
    """Folders are listed with their group, a user's too; a slip is answered from the folder."""
    own = tmp_path / "conf" / "neuron" / "lab"
    own.mkdir(parents=True)
    (own / "cell.yaml").write_text("# Ours.\ndefaults: [/neuron/lif@_here_, _self_]\ntau: 9 ms\n")
    monkeypatch.chdir(tmp_path)
    group = help_text().partition("\nneuron=\n")[2].partition("\n\n")[0]
    assert "lab/...            cell" in group
    assert "izhikevich2003/... CH, FS, IB, LTS, RS, RZ, TC" in group
    assert "\ninput/rates=\n" in help_text()
    assert compose_config(["neuron=lab/cell"]).neuron.tau == "9 ms"
    for typed, hint in {
        "neuron=naud2008/tonicc": "did you mean 'naud2008/tonic'",
        "neuron=tonic": "naud2008/tonic",
        "neuron=naud208/tonic": "did you mean 'naud2008/tonic'",
    }.items():
        with pytest.raises(ConfigError, match=hint):
            compose_config([typed])
    with pytest.raises(ConfigError, match=r"neuron.tua.*\n.*did you mean 'tau'"):
        compose_config(["neuron=lab/cell", "neuron.tua=3ms"])


# -- C and g_L ---------------------------------------------------------------------------------


def test_conductance_and_capacitance_are_resistance_and_time_constant():
    """The rate of a LIF neuron is 1 / (tau log(x / (x - 1))), tau = C / g_L, at x rheobases."""
    typed = ["neuron=lif", *LEAK, "neuron.V_th=20mV", "neuron.spk_reset=hard", "input=constant"]
    more = ["input.amplitude=300pA", "size=1", "duration=1.99s", "dt=0.01ms", "record=summary"]
    summary = neurolab.run([*typed, *more], save=False).summary
    assert summary["rheobase"] == pytest.approx(200.0, rel=1e-5)
    assert summary["rheobase_unit"] == "pA"
    period = 20.0 * np.log(1.5 / 0.5)
    assert summary["spike_count"] == int(1990.0 / period)
    one, other = LIF(1, g_L=10 * u.nS), LIF(1, R=100 * u.Mohm, C=200 * u.pF)
    assert one.R.to(u.Mohm).mantissa == pytest.approx(100.0)
    assert other.tau.to(u.ms).mantissa == pytest.approx(20.0)


def test_what_follows_from_another_is_not_given_too():
    """R beside g_L, or tau beside C, is refused with the key and what to leave out."""
    for typed, key in (("neuron.tau=3ms", "neuron.tau"), ("neuron.R=1Mohm", "neuron.R")):
        with pytest.raises(ConfigError, match=rf"{key} = .*\n.*leave one out: {key}=null"):
            read("neuron=lif", *LEAK, typed)
        read("neuron=lif", *LEAK, f"{key}=null")
    with pytest.raises(ConfigError, match=r"neuron.R = null\n.*is needed, or g_L"):
        read("neuron=lif", "neuron.R=null")
    with pytest.raises(ConfigError, match=r"neuron.g_L = -1nS\n.*positive"):
        read("neuron=lif", "neuron.g_L=-1nS")
    with pytest.raises(TypeError, match="R follows from g_L"):
        AdExIF(1, R=1 * u.Mohm, g_L=10 * u.nS)


def test_capacitances_are_numbers_of_one_program():
    """Swept, one for each neuron, and differentiated: tau = C / g_L, so V after a while under a
    current depends on C as the closed form does."""
    typed = ["neuron=lif", *LEAK, "input=constant", "input.amplitude=-100pA"]
    program = neurolab.compile([*typed, "size=1", "duration=20ms", "dt=0.1ms"])

    def V(C):
        numbers = program.numbers | {"neuron.C": C}
        return program.advance(numbers, program.start(numbers), 200)[0]["neuron.V"][0]

    value, slope = jax.jvp(V, (200.0,), (1.0,))
    decay = np.exp(-20.0 / (200.0 / 10.0))
    assert value == pytest.approx(-10.0 * (1 - decay), rel=1e-4)
    assert slope == pytest.approx(10.0 * decay * 20.0 * 10.0 / 200.0**2, rel=1e-3)
    drawn = read("neuron=lif", "neuron.C=[normal,200pF,10pF]", "size=5")
    assert drawn.numbers["neuron.C"].shape == (5,)


def test_a_short_time_constant_is_warned_of():
    """Also where it follows from C and g_L."""
    (warning,) = read("neuron=lif", "neuron.C=1pF", "neuron.g_L=10nS").warnings
    assert warning.key == "neuron.C"
    assert warning.given == "tau = 0.1 ms"


def test_a_sweep_of_capacitances_in_unlike_units(tmp_path):
    """0.2 nF is 200 pF, coordinates are in the unit of the first point."""
    typed = ["neuron=lif", *LEAK[1:], "neuron.C=100pF,0.2nF,200pF", "neuron.V_th=1mV", *QUIET]
    sweep = neurolab.run_sweep(typed, tmp_path / "sweep")
    assert sweep.rate_hz["neuron.C"].values.tolist() == [100.0, 200.0, 200.0]
    assert sweep.rate_hz["neuron.C"].attrs["units"] == "pF"
    assert sweep.rate_hz.values[1] == sweep.rate_hz.values[2]
    assert len(list((tmp_path / "sweep" / "batches").iterdir())) == 1


# -- units -------------------------------------------------------------------------------------


def test_results_are_in_the_units_that_were_typed():
    """w as b is, a conductance as g_L is, and state and numbers of a simulation too; what is
    computed is the same whatever was typed, to the last bit."""
    cell = ["neuron=adexif", *LEAK, "neuron.a=2nS", "synapse=expon", "synapse/output=conductance"]
    more = ["record.variables=all", "size=3", "duration=30ms"]
    pA, nA = (neurolab.run([*cell, f"neuron.b={b}", *more], save=False) for b in ("60pA", "0.06nA"))
    assert pA.traces["w"].attrs["units"] == "pA"
    assert nA.traces["w"].attrs["units"] == "nA"
    assert pA.traces["synapse.g"].attrs["units"] == "nS"
    assert pA.traces["V"].attrs["units"] == "mV"
    np.testing.assert_array_equal(pA.traces["V"], nA.traces["V"])
    np.testing.assert_allclose(pA.traces["w"], nA.traces["w"] * 1e3, rtol=3e-7)
    simulation = neurolab.Simulation([*cell, "neuron.b=60pA", *more])
    simulation.advance(30 * u.ms)
    assert str(simulation.numbers["neuron.b"]) == "60. pA"
    assert simulation.state["w"].unit == u.pA
    np.testing.assert_allclose(simulation.state["w"].mantissa, pA.traces["w"][-1], rtol=1e-6)


def test_defaults_are_in_their_own_units():
    """Nothing typed, nothing changed: V in mV, w in mA, a program of the declared units."""
    experiment = read("neuron=adexif", "record.variables=all")
    assert experiment.shown == experiment.units
    assert experiment.units["neuron.w"] == u.mA


@pytest.mark.parametrize("cell", ["naud2008/tonic", "naud2008/delayed_accelerating"])
def test_the_summary_says_what_a_rheobase_is(cell):
    """Of Touboul & Brette 2008: (g_L + a) (V_T - E_L - delta_T + delta_T log(1 + a/g_L)), where
    a/g_L < tau/tau_w."""
    run = neurolab.run([f"neuron={cell}", *QUIET], save=False)
    g, a = (10.0, 2.0) if cell.endswith("tonic") else (12.0, -10.0)
    E = -70.0
    exact = (g + a) * (-50.0 - E - 2.0 + 2.0 * np.log(1 + a / g))
    assert run.summary["rheobase"] == pytest.approx(exact, rel=1e-5)
    assert run.summary["rheobase_unit"] == "pA"
    assert neurolab.run(["neuron=adexif", *QUIET], save=False).summary["rheobase_unit"] == "mA"
    typed = ["neuron=lif", "input.amplitude=500pA", *QUIET]
    assert neurolab.run(typed, save=False).summary["rheobase"] == pytest.approx(1e9)


# -- Izhikevich --------------------------------------------------------------------------------


def test_izhikevich_as_printed(tmp_path):
    """The seven cells of figure 2 under I = 10, spike for spike as the printed equations (Euler,
    0.1 ms) give, written out here; for as long as rounding errors, which grow, are small."""
    cells = {
        "RS": (0.02, 0.2, -65, 8), "IB": (0.02, 0.2, -55, 4), "CH": (0.02, 0.2, -50, 2),
        "FS": (0.1, 0.2, -65, 2), "LTS": (0.02, 0.25, -65, 2), "TC": (0.02, 0.25, -65, 0.05),
        "RZ": (0.1, 0.26, -65, 2),
    }  # fmt: skip
    options = ",".join(f"izhikevich2003/{name}" for name in cells)
    typed = [f"neuron={options}", "input=constant", "input.amplitude=10pA", "integrator=euler"]
    more = ["size=1", "duration=200ms", "device.precision=float64"]
    sweep = neurolab.run_sweep([*typed, *more], tmp_path / "sweep")
    for (a, b, c, d), point in zip(cells.values(), sweep, strict=True):
        v, w, times = -65.0, b * -65.0, []
        for step in range(2000):
            v, w = v + 0.1 * (0.04 * v**2 + 5 * v + 140 - w + 10), w + 0.1 * a * (b * v - w)
            if v >= 30:
                times.append((step + 1) * 0.1)
                v, w = c, w + d
        np.testing.assert_allclose(point.spikes["time"], times, atol=1e-9)
        assert len(times) > 4
