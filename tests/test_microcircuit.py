"""The cortical microcircuit: its configuration against the published tables and its theory."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from nights import every
from scipy.integrate import quad
from scipy.special import erfcx

import neurolab
from neurolab.api import experiment_of
from neurolab.engine.wiring import synapses

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
N = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
#: Potjans & Diesmann 2014, table 5: [target, source].
C = np.array([
    [.1009, .1689, .0437, .0818, .0323, 0, .0076, 0],
    [.1346, .1371, .0316, .0515, .0755, 0, .0042, 0],
    [.0077, .0059, .0497, .135, .0067, .0003, .0453, 0],
    [.0691, .0029, .0794, .1597, .0033, 0, .1057, 0],
    [.1004, .0622, .0505, .0057, .0831, .3726, .0204, 0],
    [.0548, .0269, .0257, .0022, .06, .3158, .0086, 0],
    [.0156, .0066, .0211, .0166, .0572, .0197, .0396, .2252],
    [.0364, .001, .0034, .0005, .0277, .008, .0658, .1443],
])  # fmt: skip
K_EXT = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
#: Of the full network, in Hz: NEST, with which scaling down keeps the mean input.
FULL = np.array([.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])  # fmt: skip
#: A tenth of it, in Hz: NEST 3.10, three seeds of 10 s after 0.5 s, scaled in this way; L5E had
#: 7.06, 6.83 and 6.27.  (Romaro et al. 2021, table A.1, scale down in another way and have up to
#: half more, 0.75 and 3.28 in L23.)
TENTH = np.array([.49, 2.14, 4.00, 5.02, 6.72, 7.82, .86, 7.01])  # fmt: skip


@cache
def experiment(*overrides: str):
    return experiment_of(["network=microcircuit", *overrides])


def table(numbers, part: str) -> np.ndarray:
    """Numbers of projections, [target, source]; 0 where there is none."""
    found = np.zeros((8, 8, *np.shape(numbers[f"projections.L23E_L23E.{part}"])))
    for target, to in enumerate(NAMES):
        for source, of in enumerate(NAMES):
            found[target, source] = numbers.get(f"projections.{of}_{to}.{part}", 0)
    return found


def synapse_counts(of) -> np.ndarray:
    found = np.zeros((8, 8), int)
    for wiring in of.structure.projections:
        source, target = wiring.name.removeprefix("projections.").split("_")
        found[NAMES.index(target), NAMES.index(source)] = dict(wiring.rule.fixed)["n"]
    return found


def test_synapses_are_as_many_as_the_probabilities_say():
    """C is the probability that a pair has one at least, of K with replacement."""
    known = C > 0
    pairs = np.outer(N, N)
    expected = np.zeros((8, 8))
    expected[known] = np.log1p(-C[known]) / np.log1p(-1 / pairs[known])
    found = synapse_counts(experiment())
    assert np.abs(found - expected).max() <= 1
    assert abs(found.sum() - 298_880_970) <= 5
    assert experiment().structure.sizes == tuple(N)


def test_a_synapse_moves_a_cell_by_a_seventh_of_a_millivolt():
    """The current that peaks at 0.15 mV, of 0.5 ms into a membrane of 250 pF and 10 ms."""
    tau_m, tau_s, capacity = 10.0, 0.5, 250.0
    rate = 1 / (tau_s - tau_m)
    fraction = (tau_m / tau_s) ** rate
    factor = 1 / (tau_m * tau_s / capacity * rate * (fraction**tau_m - fraction**tau_s))
    assert factor == pytest.approx(585.389957, rel=1e-6)
    weights = table(experiment().numbers, "weight") * 1e9  # mA to pA
    weight = 0.15 * factor
    expected = np.where(np.arange(8) % 2, -4, 1) * np.where(C > 0, weight, 0)
    expected[0, 2] *= 2
    np.testing.assert_allclose(weights[..., 0], expected, rtol=1e-6)
    np.testing.assert_allclose(weights[..., 1], np.abs(expected) / 10, rtol=1e-6)
    tenth = table(experiment("network.scale=0.1").numbers, "weight") * 1e9
    np.testing.assert_allclose(tenth, weights * np.sqrt(10), rtol=1e-6)


@pytest.mark.parametrize(
    ("scale", "poisson", "constant"),
    every([
        (1.0, [0.0] * 8, [562.0, 526.9, 737.6, 667.3, 702.5, 667.3, 1018.6, 737.6]),
        (0.5, [12.4, 48.1, 48.4, 49.3, 53.7, 65.0, 18.8, 65.8],
         [409.8, 420.7, 569.9, 521.1, 550.4, 536.9, 739.0, 587.4]),
        (0.1, [29.0, 112.4, 113.0, 115.0, 125.4, 151.7, 43.8, 153.7],
         [206.7, 279.0, 346.2, 326.0, 347.6, 362.7, 365.9, 387.0]),
    ], 3),
)  # fmt: skip
def test_currents_keep_the_mean_input(scale, poisson, constant):
    """Those of the authors' program, in pA: what scaling down loses, and what Poisson sources
    amount to where currents replace them."""
    numbers = experiment(f"network.scale={scale}").numbers
    of = "populations.{}.inputs.{}.amplitude"
    found = [numbers[of.format(name, "balance")] * 1e9 for name in NAMES]
    np.testing.assert_allclose(found, poisson, atol=0.1)
    numbers = experiment("network=microcircuit/dc", f"network.scale={scale}").numbers
    parts = [[numbers[of.format(name, p)] * 1e9 for name in NAMES] for p in ("balance", "external")]
    np.testing.assert_allclose(np.sum(parts, axis=0), constant, atol=0.11)


TAU_M, TAU_S, T_REF, CAPACITY = 10e-3, 0.5e-3, 2e-3, 250.0  # s, pF


def inputs_of(of):
    """Mean and standard deviation of what cells get, in mV above rest, as a function of rates."""
    sizes = np.array(of.structure.sizes)
    jump = table(of.numbers, "weight")[..., 0] * 1e9 * TAU_S * 1e3 / CAPACITY
    degree = synapse_counts(of) / sizes[:, None]
    groups = {group.name: dict(group.inputs) for group in of.structure.populations}
    n = np.array([dict(groups[name]["inputs.external"].fixed)["n"] for name in NAMES])
    own, current = (
        np.array([of.numbers[f"populations.{name}.inputs.{key}"] * 1e9 for name in NAMES])
        for key in ("external.weight", "balance.amplitude")
    )
    own = own * TAU_S * 1e3 / CAPACITY

    def at(nu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean = TAU_M * ((degree * jump) @ nu + n * own * 8.0) + current * TAU_M * 1e3 / CAPACITY
        return mean, np.sqrt(TAU_M * (1.01 * (degree * jump**2) @ nu + n * own**2 * 8.0))

    return at


def test_theory_gives_the_rates_of_the_network():
    """Of every number of the configuration, with no simulation: the rates at which every population
    gets what gives it that rate (Siegert's formula with threshold and reset shifted for the time
    constant of synapses, Fourcaud & Brunel 2002).

    Expected: the same fixed point solved from the published tables.  Simulated rates are within 6 %
    of it but for L23E, which is 16 % above.
    """
    at, nu, shift = inputs_of(experiment()), np.ones(8), np.sqrt(TAU_S / TAU_M) * 1.0326

    def rate(mu: float, sigma: float) -> float:
        low, high = ((v - mu) / sigma + shift for v in (0.0, 15.0))
        return 1 / (T_REF + TAU_M * np.sqrt(np.pi) * quad(lambda x: erfcx(-x), low, high)[0])

    for _ in range(600):
        nu = nu + 0.05 * (np.array([rate(*of) for of in zip(*at(nu), strict=True)]) - nu)
    expected = [.756, 2.800, 4.440, 5.830, 7.153, 8.479, 1.161, 7.765]  # fmt: skip
    np.testing.assert_allclose(nu, expected, rtol=0.01)


@pytest.mark.parametrize("scale", [0.5, 0.1])
def test_scaling_keeps_mean_and_variance_of_the_input(scale):
    """At the rates of the full network; numbers of sources are whole."""
    full, scaled = (inputs_of(experiment(f"network.scale={f}"))(FULL) for f in (1.0, scale))
    np.testing.assert_allclose(scaled[0], full[0], atol=0.05)
    np.testing.assert_allclose(scaled[1], full[1], rtol=0.005)


@cache
def drawn(name: str):
    of = experiment("network.scale=0.05")
    wiring = next(w for w in of.structure.projections if w.name == f"projections.{name}")
    return of, wiring, synapses(of.structure, wiring, of.numbers)


@pytest.mark.parametrize("name", ["L23E_L23E", "L4E_L23E", "L5I_L5E"])
def test_synapses_are_drawn_with_replacement(name):
    """As many as they should be, in-degrees multinomial, and pairs with several of them as many as
    chance leaves."""
    of, wiring, found = drawn(name)
    n_source, n_target = (of.structure.of(p).size for p in (wiring.source, wiring.target))
    k = dict(wiring.rule.fixed)["n"]
    assert len(found.row) == k
    degree = np.bincount(found.target, minlength=n_target)
    expected = k / n_target * (1 - 1 / n_target)
    assert degree.var() == pytest.approx(expected, rel=5 * np.sqrt(2 / n_target))
    source = found.row // (wiring.delays[1] - wiring.delays[0] + 1)
    pairs = np.unique(source.astype(np.int64) * n_target + found.target).size
    chance = n_source * n_target * -np.expm1(k * np.log1p(-1 / (n_source * n_target)))
    assert pairs == pytest.approx(chance, rel=0.005)


@pytest.mark.parametrize(
    ("name", "mean", "sd"), [("L23E_L23E", 1.5475, 0.7013), ("L23I_L23E", 0.7772, 0.3486)]
)
def test_delays_are_drawn_again_below_half_a_step(name, mean, sd):
    """Means and standard deviations of 2e7 draws of the published rule, ms: not those of the normal
    distributions that it begins with, 1.5 and 0.75."""
    _, wiring, found = drawn(name)
    delay = 0.1 * (found.row % (wiring.delays[1] - wiring.delays[0] + 1) + wiring.delays[0])
    error = sd / np.sqrt(len(delay))
    assert delay.min() == pytest.approx(0.1)
    assert delay.mean() == pytest.approx(mean, abs=5 * error)
    assert delay.std() == pytest.approx(sd, abs=5 * error)
    weight = found.weight * 1e9 * np.sqrt(0.05)
    size = 87.80849 if name.startswith("L23E") else -4 * 87.80849
    assert weight.mean() == pytest.approx(size, rel=1e-3)
    assert weight.std() == pytest.approx(abs(size) / 10, rel=0.02)


def simulated(seconds: int, *overrides: str):
    usual = ["network=microcircuit", "network.scale=0.1", "record=spikes", "record.neurons=0"]
    run = neurolab.run([*usual, f"duration={seconds}s", *overrides], save=False)
    groups = [run[name] for name in NAMES]
    spikes = [group.spikes["time"].values for group in groups]
    sizes = [group.n_neurons for group in groups]
    lasted = seconds - 0.5
    return run, np.array([(t > 500).sum() / n / lasted for t, n in zip(spikes, sizes, strict=True)])


def close(rates: np.ndarray, hz: float, rtol: float) -> bool:
    """L23E and L6E, which vary between seconds, within so many Hz; the others by their ratio, L5E,
    which varies between seeds, by twice that."""
    allowed = np.where(np.isin(NAMES, ("L23E", "L6E")), hz, rtol * TENTH)
    allowed[NAMES.index("L5E")] *= 2
    return bool((np.abs(rates - TENTH) < allowed).all())


def test_a_tenth_of_it_fires_as_in_nest():
    _, rates = simulated(4, "seed=1")
    assert close(rates, 0.15, 0.08), rates


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_seconds_of_a_tenth_of_it_fire_as_in_nest(seed):
    """Intervals are as irregular as published for a tenth of it, .80 to .94, or less: 10 s have few
    long ones."""
    run, rates = simulated(10, f"seed={seed}")
    assert close(rates, 0.1, 0.05), rates
    cv = np.array([of["isi_cv_mean"] for of in run.summary["populations"].values()])
    assert ((cv > 0.7) & (cv < 0.97)).all(), cv
