"""The stationary rate of leaky integrate-and-fire neurons under noise, against Siegert (1951).

The parameters are those of NEST's acceptance test of its siegert_neuron: tau = 10 ms, a refractory
period of 2 ms, a threshold 15 mV above rest and reset, white noise with mean mu = 15 mV and
sigma^2 = 1.5 mV^2.  Their rate is 27.1095934379 Hz.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.sparse import csc_matrix, eye
from scipy.sparse.linalg import spsolve
from scipy.special import erfcx
from scipy.stats import poisson

from neurolab.config.experiment import read_experiment
from neurolab.engine.program import Program

TAU, TAU_REF, THETA, MU = 10.0, 2.0, 15.0, 15.0  # ms, ms, mV, mV
SIGMA = np.sqrt(0.1 * MU)  # mV; without a threshold V has the variance sigma^2 / 2
SIZE = 1024
ZETA_HALF = -1.4603545088095868  # Riemann's zeta function at 1/2


def siegert(mu: float = MU, sigma: float = SIGMA, theta: float = THETA) -> float:
    """Rate in Hz: 1 / rate = tau_ref + tau sqrt(pi) int exp(x^2) (1 + erf x) dx, with x from
    (V_reset - mu) / sigma to (theta - mu) / sigma, here with V_reset = 0."""
    integral, _ = quad(
        lambda x: erfcx(-x), -mu / sigma, (theta - mu) / sigma, epsabs=0, epsrel=1e-13, limit=500
    )
    return 1000.0 / (TAU_REF + TAU * np.sqrt(np.pi) * integral)


def simulated(dt: float, source: dict, seconds: float) -> tuple[float, float]:
    """Mean rate in Hz of independent neurons after the first 0.3 s, and its standard error."""
    neuron = {
        "_target_": "neurolab.neurons.LIFRef",
        "tau": f"{TAU} ms",
        "V_th": f"{THETA} mV",
        "spk_reset": "hard",
        # m steps of refractoriness hold m - 1 (see test_closed_forms).
        "tau_ref": f"{TAU_REF + dt} ms",
    }
    experiment = read_experiment(
        {
            "size": SIZE,
            "duration": f"{seconds} s",
            "dt": f"{dt} ms",
            "seed": 7,
            "neuron": neuron,
            "input": source,
            "integrator": {"_target_": "neurolab.integrators.ExpEuler"},
            "tracker": {"_target_": "neurolab.trackers.NoTracker"},
        }
    )
    numbers, chunk = experiment.numbers, round(300.0 / dt)
    program, counts = Program(experiment.structure, chunk), np.zeros(SIZE)
    state, _ = program.advance(numbers, program.start(numbers), chunk)
    n_chunks = experiment.n_steps // chunk - 1
    for first in chunk * np.arange(1, n_chunks + 1):
        state, records = program.advance(numbers, state, chunk)
        counts += np.bincount(program.spikes(records, first, chunk)[2], minlength=SIZE)
    rates = counts / (n_chunks * chunk * dt) * 1000.0
    return rates.mean(), rates.std(ddof=1) / np.sqrt(SIZE)


def test_formula_gives_the_published_rate():
    """The Siegert rate at threshold, mu = theta and sigma^2 = 0.1 mu, is 27.1095934379 Hz."""
    assert siegert() == pytest.approx(27.1095934379, abs=1e-9)


def test_formula_without_noise_is_the_closed_form():
    """For sigma -> 0 the rate is that of a constant current, and 0 below threshold."""
    closed = 1000.0 / (TAU_REF + TAU * np.log(22.5 / (22.5 - THETA)))
    assert siegert(mu=22.5, sigma=0.015) == pytest.approx(closed, rel=1e-5)
    assert siegert(mu=13.5, sigma=0.15) < 1e-12


@pytest.mark.parametrize(("mu", "sigma"), [(MU, SIGMA), (10.0, 10.0)])
def test_white_noise_fires_at_the_siegert_rate(mu, sigma):
    """Neurons driven by white noise fire at the Siegert rate of a threshold that lies higher by
    -zeta(1/2) / sqrt(2 pi) = 0.583 standard deviations of a step, sigma sqrt(dt / tau).

    That is what looking only every dt costs (Siegmund 1985); the next order is dt.  The
    Ornstein-Uhlenbeck input is white if its correlation time is far below dt, and its deviation
    follows from V's exact variance in a step, sigma^2 / 2 (1 - exp(-2 dt / tau)).
    """
    dt = 0.02
    keep = np.exp(-dt / TAU)
    deviation = sigma / np.sqrt(2) * np.sqrt((1 + keep) / (1 - keep))
    source = {
        "_target_": "neurolab.inputs.OrnsteinUhlenbeck",
        "mean": f"{mu} mA",
        "sigma": f"{deviation} mA",
        "tau": f"{dt / 50} ms",
    }
    rate, error = simulated(dt, source, seconds=6.3)
    raised = THETA - ZETA_HALF / np.sqrt(2 * np.pi) * sigma * np.sqrt(dt / TAU)
    expected = siegert(mu, sigma, raised)
    next_order = dt / TAU * expected
    assert error < 0.002 * expected
    assert abs(rate - expected) < 4.5 * error + next_order
    # The correction is seen: without it the formula is off by more than these errors.
    assert siegert(mu, sigma) - rate > 4.5 * error + next_order


def chain_rate(rate: float, jump: float, dt: float, grid: float) -> float:
    """The rate of V -> exp(-dt/tau) V + jump * Poisson(rate dt) with threshold and reset.

    The mean time T(v) to the threshold obeys T(v) = dt + E[T(next v), below threshold], a linear
    system on a grid of potentials, interpolated linearly.
    """
    v = np.arange(0.0, THETA, grid)
    kicks = np.arange(40)
    after = np.exp(-dt / TAU) * v[:, None] + jump * kicks
    row, kick = np.nonzero(after < THETA)
    place = np.minimum(after[row, kick] / grid, v.size - 1)
    cell = np.minimum(place.astype(int), v.size - 2)
    weight = poisson.pmf(kicks, rate * dt)[kick]
    above = place - cell
    entries = np.concatenate([weight * (1 - above), weight * above])
    columns = np.concatenate([cell, cell + 1])
    step = csc_matrix((entries, (np.tile(row, 2), columns)), (v.size, v.size))
    time = spsolve(eye(v.size, format="csc") - step, np.full(v.size, dt))
    return 1000.0 / (TAU_REF + time[0])


def test_poisson_spikes_fire_at_the_siegert_rate():
    """15000 spikes/s of 0.1 mV have mu = 15 mV and sigma^2 = 1.5 mV^2, hence about that rate.

    A jump overshoots the threshold by at most itself: the rate lies between the Siegert rates for
    thresholds of 15 and 15.1 mV.  And it is that of the exact Markov chain of V.
    """
    dt, rate_ms, jump = 0.1, 15.0, 0.1
    assert rate_ms * jump * TAU == pytest.approx(MU)
    assert rate_ms * jump**2 * TAU == pytest.approx(SIGMA**2)
    source = {
        "_target_": "neurolab.inputs.Poisson",
        "n": 1000,
        "rate": f"{rate_ms} Hz",  # 1000 sources of 15 Hz: 15 per ms
        "weight": f"{jump} mV",
    }
    rate, error = simulated(dt, source, seconds=12.3)
    assert error < 0.002 * rate
    assert siegert(theta=THETA + jump) - 4.5 * error < rate < siegert() + 4.5 * error
    coarse, fine = (chain_rate(rate_ms, jump, dt, grid) for grid in (0.01, 0.005))
    assert abs(rate - fine) < 4.5 * error + abs(fine - coarse)
