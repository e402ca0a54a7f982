"""The rate neuron, whose step NEST documents for its rate_neuron_ipn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.trust.experiments import DOUBLE, run
from benchmarks.trust.rows import Row, Section, absolute, relative

__all__ = ["propagators", "sections", "spread"]

TAU, DT = 10.0, 2.0  # ms
DECAYS = np.array([0.0, 1e-3, 0.25, 1.0, 4.0])  # lambda
SIZE, SURE = 20_000, 4.0


def sections() -> Iterator[Section]:
    yield Section(
        "NEST's propagators of rate neurons",
        f"sigmoid_rate at dt = {DT:g} ms, tau = {TAU:g} ms, float64, after one step and after "
        "fifty. Theory: P1 = exp(-lambda dt/tau), P2 = (1 - P1)/lambda, the noise's standard "
        "deviation sqrt((1 - P1²)/(2 lambda)), and their limits at lambda = 0, as in NEST's "
        "rate_neuron_ipn. Allowed for the noise: "
        f"{SURE:g} standard errors of {SIZE} neurons' variance.",
        [*propagators(), *spread()],
    )


def _theory(decay: float, steps: int) -> tuple[float, float, float]:
    """What is left of the rate after some steps, what a drive of 1 has added, and the variance."""
    time = steps * DT / TAU
    if decay == 0:
        return 1.0, time, time
    return (
        float(np.exp(-decay * time)),
        float(-np.expm1(-decay * time) / decay),
        float(-np.expm1(-2 * decay * time) / (2 * decay)),
    )


def _rates(steps: int, *more: str) -> np.ndarray:
    found = run(
        "neuron=sigmoid_rate", f"neuron.tau={TAU}ms", "neuron.g=0", "input=none", f"dt={DT}ms",
        f"duration={steps * DT}ms", DOUBLE, "record=full", "record.spikes=false",
        "record.rate_bin=null", f"record.interval={steps * DT}ms", *more,
    )  # fmt: skip
    return found.traces["rate"].values[-1]


def propagators(steps: Sequence[int] = (1, 50)) -> list[Row]:
    """Without noise: the decay of a rate of 1, and the rise under a drive of 1."""
    rows, decays = [], f"[{','.join(map(str, DECAYS))}]"
    for n in steps:
        common = ["neuron.sigma=0", f"neuron.lambda_={decays}", f"size={DECAYS.size}"]
        falls = _rates(n, *common, "neuron.rate_initializer=1")
        rises = _rates(n, *common, "neuron.mu=1")
        for decay, fall, rise in zip(DECAYS, falls, rises, strict=True):
            P1, P2, _ = _theory(decay, n)
            when = f"lambda = {decay:g}, {n} step{'s' * (n > 1)}"
            rows.append(absolute(f"P1, {when}", P1, fall, 1e-12))
            rows.append(relative(f"P2, {when}", P2, rise, 1e-12))
    return rows


def spread(steps: Sequence[int] = (1, 50), size: int = SIZE) -> list[Row]:
    """The variance of free noise."""
    rows = []
    for n in steps:
        for seed, decay in enumerate(DECAYS, start=1):
            rate = _rates(n, f"neuron.lambda_={decay}", f"size={size}", f"seed={seed}")
            name = f"variance, lambda = {decay:g}, {n} step{'s' * (n > 1)}"
            rows.append(relative(name, _theory(decay, n)[2], rate.var(), SURE * np.sqrt(2 / size)))
    return rows
