"""The phase plane of neurons against closed forms of their nullclines and bifurcations."""

import brainunit as u
import numpy as np
import pytest
from nights import every
from sweeps import KEEP

import neurolab
from neurolab.neurons import LIF, AdExIF, AdQuaIF, Izhikevich
from neurolab.neurons.phase_plane import phase_plane


def test_nullclines_of_adex():
    """w = (-(V - V_rest) + delta_T exp((V - V_T) / delta_T)) / R + I and w = a (V - V_rest)."""
    neuron = AdExIF(1, a=0.5 * u.siemens, R=2.0 * u.ohm)
    plane = phase_plane(neuron, 3.0 * u.mA, high=-55.0 * u.mV)
    number = {name: u.get_mantissa(getattr(neuron, name)) for name in ("V_rest", "V_T", "delta_T")}
    V = plane.potential
    assert V[0] == number["V_rest"] - 30 and V[-1] == -55
    spike = number["delta_T"] * np.exp((V - number["V_T"]) / number["delta_T"])
    closed = (number["V_rest"] - V + spike) / 2.0 + 3.0
    np.testing.assert_allclose(plane.nullclines["V"], closed, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(plane.nullclines["w"], 0.5 * (V - number["V_rest"]), atol=1e-9)
    assert plane.units == {"V": u.mV, "w": u.mA}


@pytest.mark.parametrize(
    ("kind", "a"), every([(kind, a) for kind in (AdExIF, AdQuaIF) for a in (0.1, 1.0)], 4)
)
def test_rest_is_lost_at_the_rheobase(kind, a):
    """Below it one fixed point is stable and one a saddle, above it none is stable."""
    neuron = kind(1, a=a * u.siemens)
    stable, saddle = phase_plane(neuron, 0.97 * neuron.rheobase()).fixed_points
    assert stable.stable and saddle.kind == "saddle" and not saddle.stable
    above = phase_plane(neuron, 1.03 * neuron.rheobase()).fixed_points
    assert not any(point.stable for point in above)
    saddle_node = a <= float(neuron.tau / neuron.tau_w)  # else a Hopf bifurcation, before it
    assert len(above) == (0 if saddle_node else 2)


def test_a_point_at_rest_is_where_the_model_rests():
    """With its Jacobian by hand: of AdEx (-1 + exp, -R; a, -1) over time constants."""
    neuron = AdExIF(1)
    point = phase_plane(neuron).fixed_points[0]
    V, w = point.values["V"], point.values["w"]
    assert w == pytest.approx(V + 65.0, abs=1e-9)  # a = 1 S, V_rest = -65 mV
    slope = -1 + np.exp((V - u.get_mantissa(neuron.V_T)) / u.get_mantissa(neuron.delta_T))
    jacobian = np.array([[slope / 10, -1 / 10], [1 / 30, -1 / 30]])
    assert np.sort_complex(point.eigenvalues) == pytest.approx(
        np.sort_complex(np.linalg.eigvals(jacobian)), rel=1e-6
    )


def test_fixed_points_of_izhikevich():
    """Roots of 0.04 v^2 + (5 - b) v + 140 + I, which are two until I = 4 at b = 0.2."""
    for current in (0.0, 2.0, 3.7):
        points = phase_plane(Izhikevich(1), current * u.pA).fixed_points
        roots = np.sort(np.roots([0.04, 5 - 0.2, 140 + current]))
        assert [point.values["V"] for point in points] == pytest.approx(roots, abs=1e-6)
        assert [point.values["u"] for point in points] == pytest.approx(0.2 * roots, abs=1e-6)
    assert phase_plane(Izhikevich(1), 4.1 * u.pA).fixed_points == []


@pytest.mark.parametrize(
    ("neuron", "options", "words"),
    [
        (LIF(1), {}, "one other variable; LIF has V"),
        (AdExIF(3), {}, "of one neuron"),
        (AdExIF(1), {"low": -50.0 * u.mV, "high": -60.0 * u.mV}, "high must be above low"),
    ],
)
def test_what_has_no_phase_plane(neuron, options, words):
    with pytest.raises(ValueError, match=words):
        phase_plane(neuron, **options)


def test_a_run_is_drawn_in_its_plane():
    """What it did, both nullclines and the fixed points, filled where they are stable."""
    usual = ["neuron=adexif", "size=1", "record=full", "duration=100ms", KEEP]
    run = neurolab.run(usual, save=False)
    plane = phase_plane(AdExIF(1), 0.97 * AdExIF(1).rheobase())
    ax = run.plot.phase("V", "w", plane=plane)
    labels = [line.get_label() for line in ax.lines]
    assert labels[1:3] == ["dV/dt = 0", "dw/dt = 0"] and len(ax.lines) == 3 + 2
    assert np.array_equal(ax.lines[2].get_ydata(), plane.nullclines["w"])
    filled = [line.get_markerfacecolor() != "white" for line in ax.lines[3:]]
    assert filled == [True, False]
    with pytest.raises(ValueError, match="the plane is of V, w; got w, V"):
        run.plot.phase("w", "V", plane=plane)


def test_a_plane_is_drawn_in_the_units_of_the_run():
    """A cell in pA comes to rest at the stable fixed point, wherever it is drawn."""
    cell = {"C": 281 * u.pF, "g_L": 30 * u.nS, "V_rest": -70.6 * u.mV, "V_reset": -70.6 * u.mV}
    cell |= {"V_T": -50.4 * u.mV, "delta_T": 2 * u.mV, "V_th": 20 * u.mV, "tau_w": 144 * u.ms}
    cell |= {"a": 4 * u.nS, "b": 80.5 * u.pA, "R": None, "tau": None}
    plane = phase_plane(AdExIF(1, **cell), 400 * u.pA)
    typed = ["neuron=brette2005/regular_spiking", "input=constant", "input.amplitude=400pA"]
    typed += ["size=1", "record=full", "duration=2s", "device.precision=float64"]
    run = neurolab.run(typed, save=False)
    ax = run.plot.phase("V", "w", plane=plane)
    assert ax.get_ylabel() == "w (pA)"
    line, *_, stable, _saddle = ax.lines
    assert line.get_ydata()[-1] > 40  # pA
    at_rest = (line.get_xdata()[-1], line.get_ydata()[-1])
    assert (stable.get_xdata()[0], stable.get_ydata()[0]) == pytest.approx(at_rest, rel=1e-4)
    again = plane.to({"w": u.nA})
    assert again.nullclines["V"] == pytest.approx(1e-3 * plane.to({"w": "pA"}).nullclines["V"])
    assert again.units["w"] == u.nA and np.array_equal(again.potential, plane.potential)
    with pytest.raises(u.UnitMismatchError):
        plane.to({"w": u.mV})


def test_a_run_has_the_plane_of_its_neuron():
    """Under its current, in the units of its traces; as the model by itself has it."""
    cell = ["neuron=naud2008/regular_bursting", "input=constant", "input.amplitude=30pA", "size=1"]
    run = neurolab.run([*cell, "duration=100ms", "record=full"], save=False)
    plane = neurolab.phase_plane(run)
    assert {name: str(unit) for name, unit in plane.units.items()} == {"V": "mV", "w": "pA"}
    g_L, E_L, V_T, delta_T, a, V = 10.0, -58.0, -50.0, 2.0, 2.0, plane.potential
    np.testing.assert_allclose(plane.nullclines["w"], a * (V - E_L), rtol=1e-4, atol=1e-3)
    near = V < -40
    closed = -g_L * (V - E_L) + g_L * delta_T * np.exp((V - V_T) / delta_T) + 30
    np.testing.assert_allclose(plane.nullclines["V"][near], closed[near], rtol=1e-4, atol=1e-3)
    typed = neurolab.phase_plane(cell)
    other = neurolab.phase_plane(cell[:1], current="30pA")
    for one in (typed, other):
        np.testing.assert_allclose(one.nullclines["V"], plane.nullclines["V"], rtol=1e-6, atol=1e-3)
        assert [p.kind for p in one.fixed_points] == ["stable node", "saddle"]


def test_each_neuron_has_its_own():
    """Of those whose parameters differ, and of populations."""
    cells = ["neuron=adexif_ref", "neuron.a=[uniform,1siemens,3siemens]", "size=5", "input=none"]
    slopes = [np.gradient(p.nullclines["w"], p.potential)[10] for p in
              (neurolab.phase_plane(cells, neuron=k) for k in range(5))]  # fmt: skip
    experiment = neurolab.api.experiment_of(cells)
    np.testing.assert_allclose(slopes, experiment.numbers["neuron.a"], rtol=1e-3)
    with pytest.raises(ValueError, match="neurons are 0 to 4; got 5"):
        neurolab.phase_plane(cells, neuron=5)
    with pytest.raises(ValueError, match="no population 'E'"):
        neurolab.phase_plane(cells, population="E")


@pytest.mark.parametrize("given", ["poisson", "step", "ou"])
def test_a_plane_is_of_one_current(given):
    """Of an input that varies none is chosen in silence."""
    cell = ["neuron=adexif_ref", f"input={given}"]
    with pytest.raises(ValueError, match="current=200"):
        neurolab.phase_plane(cell)
    assert neurolab.phase_plane(cell, current=0 * u.mA).fixed_points


def test_resets_are_not_drawn():
    """A neuron does not go from the threshold to its reset: the line begins anew after each."""
    cell = ["neuron=naud2008/tonic", "input=constant", "input.amplitude=500pA", "size=2",
        "duration=200ms", "record=full"]  # fmt: skip
    run = neurolab.run(cell, save=False)
    for of in (run, neurolab.run([*cell, "record.interval=0.5ms"], save=False)):
        (line,) = of.plot.phase("V", "w", neuron=1).lines
        V = line.get_xdata()
        spikes = np.count_nonzero(of.spike_arrays[1] == 1)
        assert spikes > 10
        assert np.isnan(V).sum() == spikes
        assert np.nanmin(np.diff(V)) > -12  # mV: a reset is from 0 to -58
