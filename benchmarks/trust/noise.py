"""Rates of leaky neurons under noise, against Siegert's formula and beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.sparse import coo_matrix, eye
from scipy.sparse.linalg import spsolve
from scipy.special import erfcx
from scipy.stats import poisson, skellam

from benchmarks.trust.experiments import rates_hz, run
from benchmarks.trust.rows import Row, Section, absolute

__all__ = ["Shots", "chain_rate", "sections", "shot_noise", "siegert", "white_noise"]

TAU, TAU_REF, THETA = 10.0, 2.0, 15.0  # ms, ms, mV above rest and reset: NEST's test of Siegert
DT = 0.1  # ms
ZETA_HALF = -1.4603545088095868  # Riemann's zeta function at 1/2
SURE = 4.0  # standard errors


@dataclass(frozen=True)
class Shots:
    """Poisson spikes that move V by ``jump``: ``excitation`` up and ``inhibition`` down, per ms."""

    jump: float
    excitation: float
    inhibition: float = 0.0

    @property
    def mu(self) -> float:
        """The mean of V without a threshold; kicks come at the ends of steps, after the decay."""
        mean = self.jump * (self.excitation - self.inhibition) * DT
        return float(mean / -np.expm1(-DT / TAU))

    @property
    def sigma(self) -> float:
        """sqrt(2) times the standard deviation of V without a threshold."""
        variance = self.jump**2 * (self.excitation + self.inhibition) * DT
        return float(np.sqrt(2.0 * variance / -np.expm1(-2.0 * DT / TAU)))


#: Small jumps, for which Siegert's diffusion is valid, and large ones, for which it is not.
SMALL = (Shots(0.1, 15.0), Shots(0.1, 18.0), Shots(0.05, 220.0, 194.0))
LARGE = (Shots(0.5, 2.6), Shots(1.5, 0.8), Shots(5.0, 0.2), Shots(1.0, 1.6, 0.5))


def sections() -> Iterator[Section]:
    yield Section(
        "Rates under white noise",
        "1000 lif_ref neurons (tau 10 ms, threshold 15 mV above rest and reset, refractory for 2 "
        "ms) for 6 s, driven by Ornstein-Uhlenbeck currents that are white for them; dt = 0.02 ms. "
        "Theory: Siegert (1951) with the threshold raised by 0.583 standard deviations of a step, "
        "since V is looked at every dt (Siegmund 1985). Allowed: "
        f"{SURE:g} standard errors and the next order, dt/tau.",
        white_noise(),
    )
    yield Section(
        "Rates under shot noise",
        f"The same neurons for 12 s, driven by Poisson spikes without synapse, dt = {DT} ms. "
        "Theory, for any jump: the mean time to the threshold of the Markov chain "
        "V ← V exp(-dt/tau) + J × (Poisson count), as a linear system on a grid of "
        f"potentials. Allowed: {SURE:g} standard errors and what the grid is worth. Where jumps "
        "are small, Siegert's formula is valid too, with the mean and the variance that V has on "
        "the grid and the raised threshold; its next order is dt/tau. For large ones it is named "
        "beside the chain: it is not valid there.",
        shot_noise(),
    )


def siegert(mu: float, sigma: float, theta: float = THETA) -> float:
    """Rate in Hz: 1/rate = tau_ref + tau sqrt(pi) times the integral of exp(x^2) (1 + erf x) from
    (V_reset - mu)/sigma to (theta - mu)/sigma, with V_reset = 0."""
    integral, _ = quad(
        lambda x: erfcx(-x), -mu / sigma, (theta - mu) / sigma, epsabs=0, epsrel=1e-12, limit=500
    )
    return float(1000.0 / (TAU_REF + TAU * np.sqrt(np.pi) * integral))


def raised(sigma: float, dt: float) -> float:
    """The threshold of a diffusion that is looked at every dt."""
    return float(THETA - ZETA_HALF / np.sqrt(2 * np.pi) * sigma * np.sqrt(dt / TAU))


def chain_rate(shots: Shots, grid: float, dt: float = DT) -> float:
    """The rate of V -> exp(-dt/tau) V + jump * count with threshold and reset.

    The mean time T(v) to the threshold obeys T(v) = dt + E[T(next v), below threshold], a linear
    system on a grid of potentials, interpolated linearly.
    """
    up, down = shots.excitation * dt, shots.inhibition * dt
    reach = 9.0 * np.sqrt(up + down) + 9.0
    kicks = np.arange(np.floor(min(up - down - reach, 0.0)), up - down + reach)
    law = skellam(up, down).pmf(kicks) if down else poisson(up).pmf(kicks)
    kicks, law = kicks[law > 1e-15], law[law > 1e-15]
    low = min(shots.mu - 7.0 * shots.sigma, 0.0) if down else 0.0
    v = THETA - grid * np.arange(1, int((THETA - low) / grid) + 2)[::-1]
    after = np.exp(-dt / TAU) * v[:, None] + shots.jump * kicks
    row, kick = np.nonzero(after < THETA)
    place = np.maximum((after[row, kick] - v[0]) / grid, 0.0)
    cell = np.minimum(place.astype(int), v.size - 2)
    share = place - cell  # beyond the last point of the grid the line goes on
    entries = np.concatenate([law[kick] * (1 - share), law[kick] * share])
    columns = np.concatenate([cell, cell + 1])
    step = coo_matrix((entries, (np.tile(row, 2), columns)), (v.size, v.size)).tocsc()
    time = spsolve(eye(v.size, format="csc") - step, np.full(v.size, dt))
    return float(1000.0 / (TAU_REF + np.interp(0.0, v, time)))


def white_noise(
    drives: Sequence[tuple[float, float]] = ((15.0, np.sqrt(1.5)), (13.0, 4.0), (10.0, 10.0)),
    size: int = 1000,
    seconds: float = 6.0,
) -> list[Row]:
    rows, dt = [], 0.02
    for seed, (mu, sigma) in enumerate(drives, start=1):
        # The deviation with which V has its variance, sigma^2 / 2, if every step is independent.
        keep = np.exp(-dt / TAU)
        deviation = sigma / np.sqrt(2) * np.sqrt((1 + keep) / (1 - keep))
        rate, error = simulated(
            dt, size, seconds, seed,
            "input=ou", f"input.mean={mu}mA", f"input.sigma={deviation}mA",
            f"input.tau={dt / 50}ms",
        )  # fmt: skip
        theory = siegert(mu, sigma, raised(sigma, dt))
        statement = f"mean {mu:g} mV, sigma {sigma:.3g} mV"
        allowed = SURE * error + dt / TAU * theory
        rows.append(absolute(statement, theory, rate, allowed, "Hz", f"s.e. {error:.2g}"))
    return rows


def shot_noise(
    small: Sequence[Shots] = SMALL,
    large: Sequence[Shots] = LARGE,
    size: int = 1000,
    seconds: float = 12.0,
) -> list[Row]:
    rows = []
    for seed, shots in enumerate((*small, *large), start=1):
        name = f"J = {shots.jump:g} mV, {shots.excitation:g} up"
        name += f" and {shots.inhibition:g} down per ms" if shots.inhibition else " per ms"
        rate, error = simulated(DT, size, seconds, seed, *_inputs(shots))
        why = f"s.e. {error:.2g}"
        diffusion, beside = siegert(shots.mu, shots.sigma, raised(shots.sigma, DT)), ""
        if shots in small:
            allowed = SURE * error + DT / TAU * diffusion
            rows.append(absolute(f"{name}: Siegert", diffusion, rate, allowed, "Hz", why))
        else:
            beside = f" (Siegert: {diffusion:.4g} Hz)"
        coarse, fine = (chain_rate(shots, grid) for grid in (0.02, 0.01))
        allowed = SURE * error + abs(fine - coarse)
        rows.append(absolute(f"{name}: chain{beside}", fine, rate, allowed, "Hz", why))
    return rows


def _inputs(shots: Shots) -> list[str]:
    """1000 sources each, so that none fires often in a step."""
    up = ["input=poisson", "input.n=1000", f"input.rate={shots.excitation} Hz",
          f"input.weight={shots.jump} mV"]  # fmt: skip
    if not shots.inhibition:
        return up
    name = "inputs.inhibition"
    down = [f"+input@{name}=poisson", f"{name}.n=1000", f"{name}.rate={shots.inhibition} Hz",
            f"{name}.weight={-shots.jump} mV"]  # fmt: skip
    return up + down


def simulated(dt: float, size: int, seconds: float, seed: int, *source: str) -> tuple[float, float]:
    """Mean rate in Hz after the first 0.3 s, and its standard error."""
    found = run(
        "neuron=lif_ref", f"neuron.tau={TAU}ms", f"neuron.V_th={THETA}mV", "neuron.spk_reset=hard",
        f"neuron.tau_ref={TAU_REF + dt}ms",  # of m steps of refractoriness m - 1 are held
        f"size={size}", f"dt={dt}ms", f"duration={seconds}s", f"seed={seed}",
        "record.variables=[]", "record.rate_bin=null", *source,
    )  # fmt: skip
    return rates_hz(found, 300.0)
