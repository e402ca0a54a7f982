"""All spiking neurons against trajectories recorded from an independent package.

The package counts the refractory period in whole steps.  The recordings compared times instead,
``(t - last_spike_time) < tau_ref`` in floats, so a period on the time grid was held for one step
more or less, as rounding had it.  Such steps are left out, and a free run is followed up to the
first of them; everything else must agree.

The recordings also let the V of exponential and quadratic neurons pass V_th by what a step brings,
up to infinity, and w see it, which is wrong: the upstroke takes a fraction of a step, so how far V
gets depends on dt and the integrator alone (`tests/test_upstroke.py`).  The package cuts V off at
V_th.  Compared is therefore the package without that one line, to the last digit, and then that
with it nothing differs but what a spiking step leaves in V and w.
"""

from __future__ import annotations

from functools import cache

import brainstate
import brainunit as u
import numpy as np
import pytest
from reference.population import NEVER, Population, groups
from reference.recordings import SIZE, cases, raster, recording, value

# A Gif of the recordings does not follow the order of its own refractory form; see
# test_reference_gif.py.
GROUPS = {key: names for key, names in groups().items() if not key.startswith("Gif-")}
ON_GRID = [
    "LIFRef__defaults__soft__x",
    "LIFRef__tauref_on_grid__soft__x",
    "GifRef__defaults__soft__x",
    "AdExIFRef__defaults__soft__x",
    "AdQuaIFRef__defaults__soft__x",
]


@pytest.fixture(autouse=True)
def double_precision():
    with brainstate.environ.context(precision=64):
        yield


def refractory_steps(name: str) -> np.ndarray:
    """``ceil(tau_ref / dt)``, a whole number to rounding being that number."""
    ratio = value(cases()[name]["params"]["tau_ref"]) / value(cases()[name]["dt"])
    return np.ceil(np.round(np.broadcast_to(u.maybe_decimal(ratio), SIZE), 6))


def same_hold(name: str, steps: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Whether counting steps and comparing times in floats say the same of being refractory."""
    if "tau_ref" not in cases()[name]["params"]:
        return np.full(last.shape, True)
    dt = value(cases()[name]["dt"]).mantissa
    tau_ref = np.broadcast_to(value(cases()[name]["params"]["tau_ref"]).mantissa, SIZE)
    since = steps * dt - np.where(last < 0, -1e7, last * dt)
    counted = np.where(last < 0, False, steps - last < refractory_steps(name))
    return (since < tau_ref) == counted


def trusted_steps(name: str) -> np.ndarray:
    """How many steps of a free run to compare, per neuron: to chaos, or to a hold cut short."""
    trusted = np.full(SIZE, cases()[name]["horizon"])
    if "tau_ref" in cases()[name]["params"]:
        for step, neuron in recording(name)["spikes"]:
            later = step + np.arange(1, refractory_steps(name)[neuron] + 2)[:, None]
            agree = same_hold(name, later, np.full((len(later), SIZE), step))[:, neuron]
            if not agree.all():
                odd = int(later[np.argmin(agree), 0])
                trusted[neuron] = min(trusted[neuron], odd)
    return trusted


@cache
def free_run(key: str):
    return Population(tuple(groups()[key])).free_run()


@pytest.mark.parametrize("key", GROUPS)
def test_one_step_from_every_recorded_row(key):
    """One step from a recorded state leads to the next recorded state, to 1e-9 of its unit."""
    names = GROUPS[key]
    population = Population(tuple(names))
    rows = [recording(name) for name in names]
    consecutive = np.flatnonzero(np.diff(rows[0]["steps"]) == 1)
    steps = rows[0]["steps"][consecutive + 1].astype(np.int32)

    before = {v: np.stack([r[v][consecutive] for r in rows], axis=1) for v in population.units}
    agree = np.full(before["V"].shape, True)
    if "last_spike_step" in rows[0]:
        last = np.stack([r["last_spike_step"][consecutive] for r in rows], axis=1).astype(np.int32)
        before["last_spike_step"] = np.where(last < 0, NEVER, last)
        for k, name in enumerate(names):
            agree[:, k] = same_hold(name, steps[:, None], last[:, k])
    after, spikes = population.one_step(before, steps)

    for k, name in enumerate(names):
        ok, row = agree[:, k], rows[k]
        assert ok.mean() > 0.98
        for variable in population.units:
            difference = np.abs(after[variable][:, k] - row[variable][consecutive + 1])[ok]
            assert difference.max() < 1e-9, f"{name}: {variable}"
        assert (spikes[:, k] == raster(name)[steps])[ok].all(), name
        if "last_spike_step" in row:
            last = np.maximum(after["last_spike_step"][:, k], -1)
            assert (last == row["last_spike_step"][consecutive + 1])[ok].all(), name
        if "refractory" in row:
            assert (after["refractory"][:, k] == row["refractory"][consecutive + 1])[ok].all(), name


@pytest.mark.parametrize("key", [key for key in GROUPS if "Exp" in key or "Qua" in key])
def test_the_cut_of_the_upstroke_changes_spiking_steps_only(key):
    """From a recorded row, a step without spike leads to the next row, as it did before; one with a
    spike leaves V = V_th, and in w what its linear equation gives for that V, not for V beyond.
    """
    names = GROUPS[key]
    population = Population(tuple(names), cut_off=True)
    rows = [recording(name) for name in names]
    consecutive = np.flatnonzero(np.diff(rows[0]["steps"]) == 1)
    steps = rows[0]["steps"][consecutive + 1].astype(np.int32)
    before = {v: np.stack([r[v][consecutive] for r in rows], axis=1) for v in population.units}
    after, spikes = population.one_step(free(before, rows), steps)
    for k, name in enumerate(names):
        of = {key: value(text) for key, text in cases()[name]["params"].items()}
        peak = np.broadcast_to(of["V_th"].to(u.mV).mantissa, SIZE)
        moved = ~held(rows[k], steps, name)
        fired = (spikes[:, k] != 0) & moved
        same = (spikes[:, k] == 0) & moved
        assert (spikes[:, k] == raster(name)[steps])[moved].all()
        assert (after["V"][:, k][fired] == np.broadcast_to(peak, fired.shape)[fired]).all()
        for variable in population.units:
            difference = np.abs(after[variable][:, k] - rows[k][variable][consecutive + 1])
            assert difference[same].max() < 1e-9, f"{name}: {variable}"
        if "w" in population.units:
            unit = population.units["w"]
            share = -np.expm1(-u.maybe_decimal(value(cases()[name]["dt"]) / of["tau_w"]))
            beyond = (rows[k]["V"][consecutive + 1] - peak) * u.mV
            extra = np.asarray((share * of["a"] * beyond).to(unit).mantissa)
            expected = rows[k]["w"][consecutive + 1] - extra
            close = np.abs(after["w"][:, k] - expected) <= 1e-9 + 1e-12 * np.abs(extra)
            assert close[fired].all(), name


def held(row, steps: np.ndarray, name: str) -> np.ndarray:
    """Where a neuron is refractory, or the recording's rounding decides whether it is."""
    if "last_spike_step" not in row:
        return np.full((len(steps), SIZE), False)
    at = np.searchsorted(row["steps"], steps - 1)
    last = row["last_spike_step"][at]
    return (last >= 0) & (steps[:, None] - last <= refractory_steps(name))


def free(before: dict, rows: list) -> dict:
    """The state of neurons that have not fired for long."""
    if "last_spike_step" not in rows[0]:
        return before
    return before | {"last_spike_step": np.full(before["V"].shape, NEVER, np.int32)}


@pytest.mark.parametrize("key", GROUPS)
def test_free_run(key):
    """A run from the initial state follows the recording, spike by spike, until chaos parts them.

    Tolerance 1e-7, and 1e-9 where a relative change of 1e-12 in V stays below 1e-8.
    """
    variables, spikes = free_run(key)
    for k, name in enumerate(GROUPS[key]):
        case, row = cases()[name], recording(name)
        calm = case["horizon"] == case["n_steps"] and case["sensitivity"] < 1e-8
        trusted = trusted_steps(name)
        all_steps = np.arange(case["n_steps"])[:, None]
        assert (spikes[:, k] == raster(name))[all_steps < trusted].all(), name
        compared = row["steps"][:, None] < trusted
        for variable in case["state_units"]:
            difference = np.abs(variables[variable][row["steps"], k] - row[variable])[compared]
            assert difference.max() < (1e-9 if calm else 1e-7), f"{name}: {variable}"


def holds(V: np.ndarray, spikes: np.ndarray) -> set[int]:
    """For how many steps V stands still after the last of adjacent spikes: all complete holds."""
    found = set()
    for step, neuron in zip(*np.nonzero(spikes), strict=True):
        after = V[step + 1 :, neuron]
        moved = np.flatnonzero(after != after[:1])
        if moved.size and not spikes[step + 1, neuron]:
            found.add(int(moved[0]))
    return found


@pytest.mark.parametrize("name", ON_GRID)
def test_hold_on_the_grid_depends_on_rounding_in_the_recording_but_not_here(name):
    """Where tau_ref is a whole number m of steps, a neuron is held for m - 1 steps, always.

    The recording holds it for m - 1 steps after some spikes and m after others, in one run with
    one tau_ref, so no rule of the model can follow it.  (Of the case that sets tau_ref, the first
    50 ms, which alone are recorded at every step, happen to show the shorter hold only.)
    """
    key = next(key for key, names in GROUPS.items() if name in names)
    variables, spikes = free_run(key)
    k = GROUPS[key].index(name)
    m = int(refractory_steps(name)[0])

    consecutive = recording(name)["steps"] < 500
    recorded = holds(recording(name)["V"][consecutive], raster(name)[:500])
    assert recorded == ({m - 1, m} if "defaults" in name else {m - 1})
    assert holds(variables["V"][:, k], spikes[:, k]) == {m - 1}
