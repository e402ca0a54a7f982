"""`record.summary=[lv,peak_hz,..]`: statistics of spikes as numbers of runs and of points."""

from __future__ import annotations

import numpy as np
import pytest
from sweeps import KEEP, stop_at
from test_resume import same, stopped

import neurolab
from neurolab import ConfigError
from neurolab.results.statistics import STATISTICS
from neurolab.results.verify import verify

CELL = ["neuron=adexif_ref", "input=poisson", "size=12", "duration=600ms", KEEP]
NETWORK = ["network=coba_ei", "populations.E.size=80", "populations.I.size=20", "duration=200ms",
    KEEP]  # fmt: skip


def asked(*names):
    return f"record.summary=[{','.join(names or STATISTICS)}]"


def by_hand(run):
    """As a user computes them from the run."""
    with np.errstate(invalid="ignore"):
        of_each = {name: np.nanmean(getattr(run, name)())
                   for name in ("cv2", "lv", "adaptation_index", "fano_factor")}  # fmt: skip
    return of_each | {
        "active": np.unique(run.spike_arrays[1]).size / run.n_neurons,
        "correlation": run.correlation().mean,
        "synchrony": run.synchrony(),
        "peak_hz": run.psd().attrs["peak_hz"],
    }


def test_values_are_those_of_the_run(tmp_path):
    run = neurolab.run([*CELL, asked()], tmp_path / "run")
    expected = by_hand(run)
    assert set(expected) == set(STATISTICS)
    for name, value in expected.items():
        assert run.summary[name] == pytest.approx(float(value), rel=1e-12), name
        assert run.summary[f"{name}_unit"] == STATISTICS[name].unit
    memory = neurolab.run([*CELL, asked()], save=False).summary
    assert {name: memory[name] for name in STATISTICS} == {
        name: run.summary[name] for name in STATISTICS
    }


def test_points_of_a_sweep_have_them(tmp_path):
    """Each its own, also where points of other lengths are computed with it; in the table, in
    xarray with words and units, as a picture and on the page."""
    typed = [*CELL, "record.summary=[lv,synchrony,V_mean]", "neuron.b=0mA,5mA"]
    sweep = neurolab.run_sweep([*typed, "duration=300ms,600ms"], tmp_path / "sweep")
    for k, point in enumerate(sweep):
        known = by_hand_of(point)
        for name, value in known.items():
            assert sweep.table[name][k] == pytest.approx(value, rel=1e-12), (k, name)
            assert point.summary[name] == sweep.table[name][k]
    assert sweep.data["lv"].attrs["long_name"] == "local variation of intervals"
    assert (tmp_path / "sweep" / "lv.png").exists()
    assert "local variation of intervals" in (tmp_path / "sweep" / "report.html").read_text()
    assert verify(tmp_path / "sweep") == []


def by_hand_of(run):
    return {"lv": float(np.nanmean(run.lv())), "synchrony": run.synchrony()}


def test_each_population_has_its_own():
    run = neurolab.run([*NETWORK, asked("lv", "I.synchrony")], save=False)
    told = run.summary["populations"]
    for name in ("E", "I"):
        assert told[name]["lv"] == pytest.approx(float(np.nanmean(run[name].lv())), rel=1e-12)
    assert told["I"]["synchrony"] == run["I"].synchrony()
    assert "synchrony" not in told["E"]
    assert "lv" not in run.summary


def test_of_too_few_spikes_nothing_is_known(tmp_path):
    """A silent point is completed, and has no such value."""
    typed = ["neuron=lif", "input=constant", "input.amplitude=0.5rheobase,2rheobase", "size=2",
        "duration=50ms", KEEP, asked("lv", "active", "fano_factor")]  # fmt: skip
    sweep = neurolab.run_sweep(typed, tmp_path / "sweep")
    assert [*sweep.table["status"]] == ["completed"] * 2
    assert np.isnan(sweep.table["lv"][0]) and sweep.table["lv"][1] == pytest.approx(0, abs=1e-12)
    assert [*sweep.table["active"]] == [0, 1]
    assert sweep.table["fano_factor"].isna().all()  # windows of 100 ms


def test_a_run_that_was_stopped_has_them_of_the_whole(tmp_path, monkeypatch):
    expected = neurolab.run([*CELL, asked()], tmp_path / "whole")
    stopped(monkeypatch, tmp_path / "run", [*CELL, asked()], 3000)
    same(neurolab.resume(tmp_path / "run"), expected)


def test_a_sweep_that_was_stopped_has_them_of_the_whole(tmp_path, monkeypatch):
    typed = [*CELL, asked("lv", "peak_hz"), "seed=range:6", "sweep.batch=3"]
    expected = neurolab.run_sweep(typed, tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_at(patch, 12)
        begun = neurolab.run_sweep(typed, tmp_path / "sweep")
    assert "completed" not in [*begun.table["status"]][3:]
    found = neurolab.resume(tmp_path / "sweep")
    for name in ("lv", "peak_hz"):
        assert found.table[name].equals(expected.table[name])


def test_a_longer_sweep_has_them_anew(tmp_path):
    typed = [*CELL, asked("lv"), "neuron.b=0mA,5mA"]
    neurolab.run_sweep([*typed, "duration=300ms"], tmp_path / "sweep")
    found = neurolab.resume(tmp_path / "sweep", ["duration=600ms"])
    for k, point in enumerate(found):
        assert found.table["lv"][k] == pytest.approx(float(np.nanmean(point.lv())), rel=1e-12)


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        (["record.summary=[lvv]"], "of spikes active, cv2, lv"),
        (["record.spikes=false", "record.summary=[lv]"], "record.spikes=false does not keep"),
        (["neuron=leaky_integrator", "record.summary=[lv]"], "nothing fires"),
    ],
)
def test_what_cannot_be_is_refused(typed, advice):
    with pytest.raises(ConfigError) as error:
        neurolab.run([*CELL[1:], *typed], save=False)
    assert any(advice in problem.advice for problem in error.value.problems)
