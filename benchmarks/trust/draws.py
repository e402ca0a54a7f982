"""Random numbers: the counts of Poisson inputs, and the Ornstein-Uhlenbeck process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import chi2, poisson

from benchmarks.trust.experiments import run
from benchmarks.trust.rows import Row, Section, absolute, likely

__all__ = ["ornstein_uhlenbeck", "poisson_counts", "sections"]

DT = 0.1  # ms
MEANS = (1e-6, 1e-4, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0)
RARE = 0.05  # a mean below is seen in sums over many steps
SURE = 4.0  # standard errors


def sections() -> Iterator[Section]:
    yield Section(
        "Poisson counts",
        "Counts per step of 1000 neurons, read from V of a LIF without leak that each spike moves "
        "by 1 mV, in float32: 2 million counts for each mean of 0.1 and more, in classes of at "
        "least a hundred expected counts. Of smaller means the sums over a run, for each of 10,000 "
        "neurons (10^9 draws for the smallest). Theory: chi-square has as many degrees of freedom "
        "as classes, but one.",
        poisson_counts(),
    )
    yield Section(
        "Ornstein-Uhlenbeck currents",
        "1000 processes (mean 0, sigma 1 mA, tau 5 ms), 1000 samples each after the first 10 tau. "
        f"Allowed: {SURE:g} standard errors, from the differences between the processes.",
        ornstein_uhlenbeck(),
    )


def poisson_counts(
    means: Sequence[float] = MEANS,
    inputs: Sequence[str] = ("poisson", "poisson_rates"),
    share: float = 1.0,
) -> list[Row]:
    """``share`` is how many of the draws are made, for a quick look."""
    rows = []
    for mean in means:
        for kind in inputs:
            seed = len(rows) + 1
            drawn, law = _counts(kind, mean, seed, share)
            statistic, freedom = chi_square(drawn, law)
            p = float(chi2.sf(statistic, freedom))
            rows.append(likely(f"{kind}, mean {mean:g} per step", statistic, freedom, p))
    return rows


def _counts(kind: str, mean: float, seed: int, share: float) -> tuple[np.ndarray, float]:
    """What was counted, and the mean that it should have."""
    rare = mean < RARE
    size, n_steps = (10_000, round(10**5 * share)) if rare else (1000, round(2000 * share))
    n_steps = min(n_steps, round(5.0 / mean)) if rare else n_steps
    # 1000 sources make a mean of 1000 per step with 10 kHz each.
    key, more = ("rate", []) if kind == "poisson" else ("rates.amplitude", ["input/rates=constant"])
    found = run(
        "neuron=lif", "neuron.tau=1e12ms", "neuron.V_th=1e9mV", f"size={size}", f"dt={DT}ms",
        f"duration={n_steps * DT}ms", f"seed={seed}", f"input={kind}", *more, "input.n=1000",
        f"input.{key}={mean / 1000 / DT!r}/ms", "input.weight=1mV", "record=full",
        "record.spikes=false", "record.variables=[V]", "record.rate_bin=null",
        f"record.interval={(n_steps if rare else 1) * DT}ms",
    )  # fmt: skip
    V = found.traces["V"].values
    if rare:
        return V[-1], mean * n_steps
    return np.diff(V, axis=0, prepend=0.0).ravel(), mean


def chi_square(drawn: np.ndarray, mean: float) -> tuple[float, int]:
    """Pearson's statistic in classes of at least a hundred expected counts, and its freedom."""
    law, least = poisson(mean), 100.0 / drawn.size
    values = np.arange(int(law.ppf(1e-12)), int(law.isf(1e-12)) + 2)
    edges, before = [], 0.0
    for value in values:  # a class ends where enough is expected in it, and beyond it
        if law.cdf(value) - before >= least and law.sf(value) >= least:
            edges.append(value)
            before = law.cdf(value)
    expected = np.diff(law.cdf(edges), prepend=0.0, append=1.0) * drawn.size
    observed = np.bincount(np.searchsorted(edges, drawn), minlength=len(edges) + 1)
    return float(((observed - expected) ** 2 / expected).sum()), len(edges)


def ornstein_uhlenbeck(
    ratios: Sequence[float] = (0.5, 5.0, 50.0), size: int = 1000, samples: int = 1000
) -> list[Row]:
    """Variance, and correlation over half to two time constants, for ratios of tau to dt."""
    rows, tau = [], 5.0
    for seed, ratio in enumerate(ratios, start=1):
        dt = tau / ratio
        every = max(1, round(ratio / 2))
        steps = samples * every + round(10 * ratio)
        found = run(
            "neuron=lif", "neuron.V_th=1e9mV", f"size={size}", f"dt={dt}ms", f"seed={seed}",
            f"duration={steps * dt}ms", "input=ou", "input.mean=0mA", "input.sigma=1mA",
            f"input.tau={tau}ms", "record=full", "record.spikes=false", "record.rate_bin=null",
            "record.variables=[input.I]", f"record.interval={every * dt}ms",
        )  # fmt: skip
        process = found.traces["input.I"].values[-samples:]
        for lag in (0, 1, 2, 4):
            # The mean is known to be 0, so products have the covariance as their mean.
            products = (process[: samples - lag] * process[lag:]).mean(axis=0)
            error = products.std(ddof=1) / np.sqrt(size)
            time = lag * every * dt / tau
            name = f"autocovariance at {time:g} tau" if lag else "variance"
            rows.append(
                absolute(
                    f"tau/dt = {ratio:g}: {name}", float(np.exp(-time)), float(products.mean()),
                    SURE * error, "mA²", f"s.e. {error:.2g}",
                )
            )  # fmt: skip
    return rows
