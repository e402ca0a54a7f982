"""What results of a sweep depend on: gain and rheobase, and the variance a key explains."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from sweeps import KEEP

import neurolab
from neurolab.analysis import fi_curve, main_effect
from neurolab.results.dependence import importance_of

FI = ("neuron=lif_ref", "input=constant", "size=1", "record=summary", "duration=200ms", KEEP)


def test_a_line_has_its_slope_and_its_first_input():
    x = np.arange(10.0)
    rates = np.array([np.maximum(3 * (x - 4.5), 0), np.zeros(10), 2 * x + 1, 0 * x + (x == 9)])
    found = fi_curve(x, rates)
    np.testing.assert_allclose(found.gain, [3, np.nan, 2, np.nan])
    np.testing.assert_allclose(found.rheobase, [5, np.nan, 0, 9])
    np.testing.assert_allclose(found.silent, [4, np.nan, np.nan, 8])
    order = np.random.default_rng(0).permutation(10)
    for one, other in zip(found, fi_curve(x[order], rates[:, order]), strict=True):
        np.testing.assert_allclose(one, other)


def test_a_gain_is_the_slope_that_numpy_fits():
    """Also of a part of the curve, above a threshold, and with points that are missing."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1e-3, 40)
    rate = 5e4 * x**1.5 * 1e2 + rng.normal(0, 1, 40)
    rate[3] = np.nan
    used = (rate > 10) & (x > 3e-4) & (x < 8e-4)
    found = fi_curve(x, rate, above_hz=10.0, between=(3e-4, 8e-4))
    assert found.gain == pytest.approx(np.polyfit(x[used], rate[used], 1)[0])
    assert found.rheobase == x[rate > 10].min()
    assert found.silent == x[(rate <= 10) & (x < found.rheobase)].max()


def sweep_of(shape, of, names="abc"):
    """A grid with a result, as a sweep has it."""
    dims = names[: len(shape)]
    values = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    coords = {name: np.linspace(0, 1, n) for name, n in zip(dims, shape, strict=True)}
    data = {"rate_hz": (list(dims), of(*values)), "status": (list(dims), np.zeros(shape, "U1"))}
    return xr.Dataset(data, coords)


def test_on_a_grid_factors_and_their_interaction_are_all_of_the_variance():
    """Of independent a and b: a sum has their variances, a product the rest besides."""
    found = importance_of(sweep_of((5, 4, 3), lambda a, b, c: 3 * a + b + 0 * c), "rate_hz", None)
    of_a, of_b = 9 * np.var(np.linspace(0, 1, 5)), np.var(np.linspace(0, 1, 4))
    np.testing.assert_allclose(found, np.array([of_a, of_b, 0]) / (of_a + of_b), atol=1e-12)
    assert found["key"].values.tolist() == ["a", "b", "c"]
    product = importance_of(sweep_of((5, 5), lambda a, b: (a - 0.5) * (b - 0.5)), "rate_hz", None)
    np.testing.assert_allclose(product, 0, atol=1e-12)
    constant = importance_of(sweep_of((3, 3), lambda a, b: 0 * a + 7), "rate_hz", None)
    assert np.isnan(constant).all()


def ishigami(x):
    a, b, c = x
    return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def sampled(n, method, seed=0):
    """The function of Ishigami and Homma at points that were sampled, as a sweep has it."""
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    drawn = qmc.Sobol(3, rng=rng).random(n) if method == "sobol" else rng.random((n, 3))
    x = (2 * drawn.T - 1) * np.pi
    data = {"rate_hz": ("sample", ishigami(x)), "status": ("sample", np.zeros(n, "U1"))}
    return xr.Dataset(data, {name: ("sample", one) for name, one in zip("abc", x, strict=True)})


@pytest.mark.parametrize("method", ["sobol", "random"])
def test_samples_have_the_indices_of_ishigamis_function(method):
    """0.3139, 0.4424 and 0 in closed form (Saltelli et al. 2008, Global Sensitivity Analysis)."""
    found = importance_of(sampled(4096, method), "rate_hz", 40)
    np.testing.assert_allclose(found, [0.3139, 0.4424, 0], atol=0.035)
    rough = importance_of(sampled(4096, method), "rate_hz", 4)
    assert rough.sel(key="b") < 0.4  # its two periods are not seen with four bins


def test_samples_beside_another_axis_are_as_few_as_they_are():
    """Two repetitions of each sample, one with a noise: the share of what is common is the same,
    and what is explained of all is less by the noise's part."""
    data = sampled(512, "random", seed=1)
    alone = importance_of(data, "rate_hz", None)
    twice = xr.concat([data.rate_hz + 3, data.rate_hz - 3], dim="seed")
    both = xr.Dataset(
        {"rate_hz": twice, "status": xr.full_like(twice, "", "U1")}, coords={"seed": [0, 1]}
    )
    found = importance_of(both, "rate_hz", None)
    part = data.rate_hz.var().item() / (data.rate_hz.var().item() + 9)
    np.testing.assert_allclose(found.sel(key=list("abc")), alone * part)
    assert found.sel(key="seed") == pytest.approx(1 - part)


def test_what_is_walked_together_is_one_factor_and_few_values_are_bins():
    data = sweep_of((4, 3), lambda a, b: a + b)
    zipped = data.rename(a="zip", b="point").drop_vars(["zip", "point"])
    zipped = zipped.assign_coords(x=("zip", [1, 2, 3, 4]), y=("zip", list("abcd")))
    found = importance_of(zipped, "rate_hz", None)
    assert found["key"].values.tolist() == ["x, y", "point"]
    np.testing.assert_allclose(found, importance_of(data, "rate_hz", None))
    few = {"c": ("point", np.arange(40) % 3), "d": ("point", np.array(["u", "v"] * 20))}
    of = {"rate_hz": ("point", np.arange(40) % 3.0), "status": ("point", np.zeros(40, "U1"))}
    listed = importance_of(xr.Dataset(of, few), "rate_hz", None)
    assert listed.sel(key="c") == pytest.approx(1) and listed.sel(key="d") < 0.05


def test_what_explains_nothing_has_nothing_on_average_of_random_points():
    """Of 100 samples of 64 points in bins of 8; without the correction it would be 7 / 63."""
    rng = np.random.default_rng(0)
    group = np.arange(64) // 8
    values = rng.normal(size=(1000, 64))
    found = [main_effect(one, group, sampled=True) for one in values]
    sem = np.std(found) / np.sqrt(1000)
    assert np.mean(found) == pytest.approx(0, abs=4 * sem)
    rough = [main_effect(one, group) for one in values]
    assert np.mean(rough) == pytest.approx(7 / 63, abs=4 * sem)


def test_missing_points_are_left_out():
    values, group = np.array([1.0, 1, np.nan, 3, 3]), np.array([0, 0, 0, 2, 2])
    assert main_effect(values, group) == pytest.approx(1)
    assert np.isnan(main_effect(values[:2], group[:2], sampled=True))


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    keys = ["input.amplitude=linspace:0.8rheobase:3rheobase:12", "neuron.tau_ref=1ms,5ms"]
    return neurolab.run_sweep([*FI, *keys, "seed=0,1"], tmp_path_factory.mktemp("fi") / "sweep")


def test_a_sweep_has_the_gain_and_the_rheobase_of_its_neurons(sweep):
    """At the rheobase, 1, V reaches the threshold after an endless time: the next one fires."""
    found = sweep.fi("amplitude")
    assert found.gain.sizes == {"neuron.tau_ref": 2, "seed": 2}
    for of in (found.sel(seed=0), found.sel(seed=1)):
        np.testing.assert_allclose(of.rheobase, 1.2)
        np.testing.assert_allclose(of.silent, 1.0)
        assert of.gain[0] > 2 * of.gain[1] > 0
    curve = sweep.rate_hz.isel({"neuron.tau_ref": 0, "seed": 0})
    fires = curve.values > 0
    slope = np.polyfit(curve["input.amplitude"][fires], curve[fires], 1)[0]
    assert found.gain[0, 0] == pytest.approx(slope)
    steep = sweep.fi("amplitude", between=(1.1, 1.7)).gain
    assert (steep > found.gain).all()
    above = sweep.fi("amplitude", above_hz=100.0).rheobase.sel({"neuron.tau_ref": 5, "seed": 0})
    slow = sweep.rate_hz.sel({"neuron.tau_ref": 5, "seed": 0})
    assert slow.sel({"input.amplitude": above}) > 100 and (slow[:5] <= 100).all() and above > 1.5


def test_a_sweep_has_the_importance_of_its_keys(sweep):
    """The seed of what is not random explains nothing."""
    found = sweep.importance()
    assert found.sizes == {"key": 3}
    own = sweep.rate_hz.mean("seed")
    by_hand = own.mean("neuron.tau_ref").var() / own.var()
    assert found.sel(key="input.amplitude") == pytest.approx(by_hand.item())
    assert found.sel(key="seed") == pytest.approx(0, abs=1e-12)
    assert 0.5 < found.sum() < 1


def test_populations_have_their_own(sweep):
    data = sweep_of((4, 3), lambda a, b: a + b)
    rates = np.stack([data.rate_hz, data.rate_hz["a"] * xr.ones_like(data.rate_hz)], -1)
    data["population_rate_hz"] = (("a", "b", "population"), rates)
    data = data.assign_coords(population=["E", "I"])
    found = importance_of(data, "population_rate_hz", None)
    np.testing.assert_allclose(found.sel(population="I"), [1, 0], atol=1e-12)
    assert found.dims == ("key", "population")


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        (lambda s: s.fi(), "give one of input.amplitude, neuron.tau_ref"),
        (lambda s: s.fi("amplitude", "rate"), "no result 'rate'; it has rate_hz"),
        (lambda s: s.importance("spikes"), "no result 'spikes'"),
        (lambda s: s.fi("b"), "was not swept"),
    ],
)
def test_what_is_not_in_a_sweep_is_told(sweep, asks, words):
    with pytest.raises((ValueError, KeyError), match=words):
        asks(sweep)


def test_samples_are_no_curve_and_need_their_bins():
    from neurolab.results.dependence import fi_of

    data = sampled(16, "sobol")
    with pytest.raises(ValueError, match="over a alone; b, c change with it"):
        fi_of(data, "a", "rate_hz")
    with pytest.raises(ValueError, match="16 samples of a are for 2 to 8 bins, got 9"):
        importance_of(data, "rate_hz", 9)
    with pytest.raises(ValueError, match="needs four samples"):
        importance_of(sampled(2, "random"), "rate_hz", None)
    with pytest.raises(ValueError, match="as many"):
        main_effect(np.zeros(3), np.zeros(2, int))
    with pytest.raises(ValueError, match="finite"):
        fi_curve(np.zeros(3), np.zeros(2))
