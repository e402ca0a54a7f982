"""The order within a step of Gif.

In the recordings the two forms of one neuron differ: V of a GifRef sees the after-spike currents
I1 and I2 of the beginning of the step, V of a Gif those of its end.  Here both follow GifRef, so
that a refractory period of zero changes nothing.
"""

from __future__ import annotations

import brainstate
import brainunit as u
import numpy as np
import pytest
from reference.gif_restated import gif_step
from reference.population import Population, groups
from reference.recordings import raster, recording

from neurolab.units import magnitude, parse_unit

GIF = {key: tuple(names) for key, names in groups().items() if key.startswith("Gif-")}
GIF_REF = {key: tuple(names) for key, names in groups().items() if key.startswith("GifRef-")}


@pytest.fixture(autouse=True)
def double_precision():
    with brainstate.environ.context(precision=64):
        yield


def recorded_steps(names: tuple[str, ...]):
    """Recorded states, the numbers of the steps that follow them, and the states these lead to."""
    rows = [recording(name) for name in names]
    at = np.flatnonzero(np.diff(rows[0]["steps"]) == 1)
    variables = ("V", "I1", "I2", "V_th")
    before, after = (
        {v: np.stack([row[v][k] for row in rows], axis=1) for v in variables} for k in (at, at + 1)
    )
    return before, rows[0]["steps"][at + 1].astype(np.int32), after


def restate(population: Population, before, steps, *, late: bool, held=False):
    """One step of every recorded state by the independent restatement."""
    neuron = population.neuron()
    units = {"R": u.ohm, "tau": u.ms, "R1": u.UNITLESS, "R2": u.UNITLESS}
    units |= dict.fromkeys(("V_rest", "V_reset", "V_th_inf", "V_th_reset"), u.mV)
    units |= dict.fromkeys(("a", "b", "k1", "k2"), parse_unit("1/ms"))
    units |= dict.fromkeys(("A1", "A2"), u.mA)
    p = {key: np.asarray(magnitude(getattr(neuron, key), unit)) for key, unit in units.items()}
    drives = {key: array[steps] for key, array in population.drives.items()}
    reversals = [E.mantissa for E in population.reversals]
    hard = neuron.spk_reset == "hard"
    dt = float(population.dt.mantissa)
    return gif_step(p, before, drives, reversals, hard=hard, dt=dt, late=late, held=held)


def largest(one, other, variables=("V", "I1", "I2", "V_th")) -> float:
    return max(float(np.abs(one[v] - other[v]).max()) for v in variables)


@pytest.mark.parametrize("key", GIF_REF)
def test_recorded_gif_ref_takes_the_currents_of_the_beginning(key):
    """Every recorded step of GifRef is that of the restatement, held steps included."""
    population = Population(GIF_REF[key])
    before, steps, after = recorded_steps(population.names)
    last = np.stack([recording(n)["last_spike_step"][:-1] for n in population.names], axis=1)
    last = last[: len(steps)]
    tau_ref = population.neuron().tau_ref.to(u.ms).mantissa
    dt = float(population.dt.mantissa)
    since = steps[:, None, None] * dt - np.where(last < 0, -1e7, last * dt)
    restated = restate(population, before, steps, late=False, held=since < tau_ref)
    assert largest(restated, after) < 1e-12


@pytest.mark.parametrize("key", GIF)
def test_recorded_gif_takes_the_currents_of_the_end(key):
    """Every recorded step of Gif is that of the restatement with I1 and I2 of the step's end.

    With those of its beginning V differs, by more than any rounding.
    """
    population = Population(GIF[key])
    before, steps, after = recorded_steps(population.names)
    assert largest(restate(population, before, steps, late=True), after) < 1e-12
    assert largest(restate(population, before, steps, late=False), after, ("V",)) > 1e-4


@pytest.mark.parametrize("key", GIF)
def test_gif_takes_the_currents_of_the_beginning(key):
    """From every recorded state, a step of Gif is that of the restatement in GifRef's order."""
    population = Population(GIF[key])
    before, steps, _ = recorded_steps(population.names)
    restated = restate(population, before, steps, late=False)
    after, spikes = population.one_step(before, steps)
    assert largest(restated, after) < 1e-12
    assert (spikes == (restated["V"] >= restated["V_th"])).all()


def test_gif_runs_as_the_recorded_gif_ref_without_refractory_period():
    """Gif, given the input of the recorded GifRef with tau_ref = 0, repeats it to 1e-9."""
    variables, spikes = Population(("Gif__late_closure__soft__x",)).free_run()
    rows = recording("GifRef__tauref0__soft__x")
    assert (spikes[:, 0] == raster("GifRef__tauref0__soft__x")).all()
    for variable in ("V", "I1", "I2", "V_th"):
        difference = variables[variable][rows["steps"], 0] - rows[variable]
        assert np.abs(difference).max() < 1e-9


def test_gif_with_default_parameters_follows_the_recording():
    """With the default parameters I1 = I2 = 0, no order matters, and Gif repeats its recording."""
    variables, spikes = Population(("Gif__defaults__soft__x",)).free_run()
    rows = recording("Gif__defaults__soft__x")
    assert (spikes[:, 0] == raster("Gif__defaults__soft__x")).all()
    assert np.abs(variables["V"][rows["steps"], 0] - rows["V"]).max() < 1e-9
