"""What the tables of docs/trust.md and docs/peers.md are made with, at small sizes.

What the tables themselves state is computed by ``python -m benchmarks.trust``.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from benchmarks.peers.__main__ import Line, misses, parameters, synapses
from benchmarks.peers.cells import CELLS, trains
from benchmarks.trust import draws, intervals, noise, rate_neuron, upstroke
from benchmarks.trust import synapses as delivered
from benchmarks.trust.__main__ import write
from benchmarks.trust.independent import MihalasNiebur, adex, quadratic, steady_interval
from benchmarks.trust.rows import Section, absolute, at_least, relative, within
from neurolab.api import experiment_of


def test_the_independent_integration_agrees_with_closed_forms():
    """The quadratic neuron fires at 31.168 Hz under 10 mA, its upstroke being a tangent; that of
    Mihalas and Niebur without spike currents after tau ln(R I / (R I - 20 mV)), and a refractory
    period is added whole."""
    assert 1e3 / steady_interval(quadratic(V_th=-30.0, I=10.0), 400.0) == pytest.approx(
        31.168, abs=5e-4
    )
    for tau_ref in (0.0, 3.3):
        period = tau_ref + 20.0 * np.log(30.0 / 10.0)
        cell = MihalasNiebur(I=1.5, tau_ref=tau_ref)
        assert steady_interval(cell, 400.0) == pytest.approx(period, rel=1e-9)


def test_the_independent_integration_of_exponential_neurons_agrees_with_the_quadrature():
    drive = 1.3
    cell = adex(V_th=-30.0, I=drive * (5.1 - 3.48))
    assert steady_interval(cell, 2000.0) == pytest.approx(intervals._exponential(drive), rel=1e-8)


def test_siegert_and_the_chain():
    """The rate of NEST's test of Siegert's formula, 27.1095934379 Hz; and where jumps are small
    the chain is within dt/tau of the formula."""
    assert noise.siegert(15.0, np.sqrt(1.5)) == pytest.approx(27.1095934379, abs=1e-9)
    shots = noise.SMALL[0]
    theory = noise.siegert(shots.mu, shots.sigma, noise.raised(shots.sigma, noise.DT))
    assert noise.chain_rate(shots, 0.02) == pytest.approx(theory, rel=noise.DT / noise.TAU)


@pytest.mark.parametrize("mean", [0.3, 4.0, 200.0])
def test_the_chi_square_knows_a_poisson_law_from_another(mean):
    rng = np.random.default_rng(1)
    drawn = rng.poisson(mean, 200_000)
    statistic, freedom = draws.chi_square(drawn, mean)
    assert stats.chi2.sf(statistic, freedom) > 1e-3
    statistic, freedom = draws.chi_square(drawn, 1.02 * mean)
    assert stats.chi2.sf(statistic, freedom) < 1e-3


def test_rows_say_what_misses(tmp_path):
    rows = [
        relative("a", 2.0, 2.02, 0.02),
        relative("b", 2.0, 2.2, 0.02, "Hz"),
        absolute("c", 1.0, 0.9, 0.2, "mV"),
        absolute("d", 1.0, 0.9, 0.05, "mV", "why"),
        at_least("e", 2.0, 2.5, 0.25),
        at_least("f", 2.0, 1.5, 0.25),
        within("g", "0", "0", [0.2, -0.1], -1, 1, "steps"),
        within("h", "0", "0", [0.2, -1.1], -1, 1, "steps"),
        absolute("i", 1.0, np.nan, 0.5),
        within("j", "0", "0", [0.2, np.nan], -1, 1, "steps"),
    ]
    assert "".join(row.statement for row in rows if row.holds) == "aceg"
    write([Section("Title", "How.", rows)], tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert "4 hold, 6 miss" in text
    assert "| b | 2 Hz | 2.2 Hz | +10 % | 2 % | **misses** |" in text


def test_statements_at_small_sizes():
    """One of each kind that needs no long run."""
    rows = [
        *intervals.closed_forms(["lif_ref", "gif"]),
        *intervals.refractory(["gif_ref"]),
        *upstroke.cut_offs(["adexif"], ["heun"]),
        *draws.poisson_counts([0.01, 20.0], ["poisson"], share=0.1),
        *draws.ornstein_uhlenbeck([5.0], size=200, samples=100),
        *noise.shot_noise(noise.SMALL[:1], (), size=100, seconds=2.0),
        *rate_neuron.propagators([1]),
    ]
    assert [row.statement for row in rows if not row.holds] == []


def test_charges_are_compared_with_the_area_under_the_response():
    """At tau = 100 dt, where every integrator delivers it within a percent."""
    for kind in delivered.AREAS:
        assert delivered.charge_of(kind, "conductance", "exp_euler")[-1] == pytest.approx(1, 0.01)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.neuron)
def test_peers_get_what_neurolab_gets(cell, tmp_path):
    """Each configuration is one, and a cell's description is JSON."""
    receptors = cell.drives[0]
    tables = trains(receptors, 100, 50.0, 0.1, seed=0)
    for name, table in tables.items():
        np.save(tmp_path / f"{name}.npy", table)
        rate = len(table) / 100 / 0.05
        expected = next(one.rate_hz for one in receptors if one.name == name)
        assert rate == pytest.approx(expected, abs=5 * np.sqrt(expected / 5.0))
    typed = [f"neuron={cell.neuron}", "record=summary", *parameters(cell)]
    experiment = experiment_of([*typed, *synapses(receptors, tmp_path)])
    C, g_L = cell.parameters["C"], cell.parameters["g_L"]
    assert experiment.numbers["neuron.tau"] == pytest.approx(C / g_L)
    json.dumps(cell.description(0))


def test_a_rate_misses_if_it_is_far_from_either_peer():
    rates = {("brian2", 0.01): 10.0, ("nest", 0.01): 10.04, ("rk4", 0.1): 10.045}
    assert not misses(Line("cell", "drive", rates), "rk4")
    for rate in (9.99, np.nan):
        assert misses(Line("cell", "drive", rates | {("brian2", 0.01): rate}), "rk4")
