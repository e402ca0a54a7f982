"""`record.summary`: means, spreads and bounds of variables, which need no traces."""

from __future__ import annotations

import numpy as np
import pytest
from sweeps import KEEP, stop_at
from test_resume import same, stopped

import neurolab
from neurolab import ConfigError
from neurolab.cli.main import main
from neurolab.numbers import number
from neurolab.simulation import computation, runner

HOW = ("mean", "std", "min", "max", "final")
CELL = ["neuron=adexif_ref", "input=ou", "size=7", "duration=100ms", "record.interval=null", KEEP]
ASKED = [f"{name}_{how}" for name in ("V", "w", "input") for how in HOW]
NETWORK = ["network=coba_ei", "populations.E.size=40", "populations.I.size=10", "duration=20ms"]


def asked(names=ASKED) -> str:
    return f"record.summary=[{','.join(names)}]"


def of(values: np.ndarray) -> dict[str, float]:
    values = values.astype(np.float64)
    every = (values.mean(), values.std(), values.min(), values.max(), values[-1].mean())
    return dict(zip(HOW, every, strict=True))


def test_values_are_those_of_all_samples(tmp_path):
    """Of each variable, and of the current of an input, over all neurons and steps."""
    traced = [*CELL, "record.variables=[V,w,input]", "record.neurons=all"]
    run = neurolab.run([*traced, asked()], tmp_path / "run")
    for name in ("V", "w", "input"):
        for how, value in of(run.traces[name].values).items():
            found = run.summary[f"{name}_{how}"]
            assert found == pytest.approx(value, rel=1e-12, abs=1e-12), (name, how)
            assert run.summary[f"{name}_{how}_unit"] == run.traces[name].attrs["units"]


def test_no_traces_are_kept_of_them_and_others_stay():
    """They are of all neurons, whichever are traced."""
    alone = neurolab.run([*CELL, "record.variables=[V]", "record.neurons=[1,5]"], save=False)
    beside = neurolab.run(
        [*CELL, "record.variables=[V]", "record.neurons=[1,5]", asked()], save=False
    )
    assert list(beside.traces) == ["V"]
    np.testing.assert_array_equal(alone.traces["V"], beside.traces["V"])
    assert beside.traces["V"]["neuron"].values.tolist() == [1, 5]
    none = neurolab.run([*CELL, "record=summary", "record.interval=null", asked()], save=False)
    assert not none.traces
    same = {key: value for key, value in beside.summary.items() if key.startswith(("V_", "w_"))}
    assert same.items() <= none.summary.items()


def test_samples_are_those_of_the_interval():
    typed = ["record.variables=[V]", "record.neurons=all", "record.interval=0.7ms"]
    run = neurolab.run([*CELL, *typed, asked(["V_mean", "V_final"])], save=False)
    found = of(run.traces["V"].values)
    assert run.summary["V_mean"] == pytest.approx(found["mean"], rel=1e-12)
    assert run.summary["V_final"] == pytest.approx(found["final"], rel=1e-12)


def test_chunks_do_not_show(monkeypatch):
    """To the last bit: sums go on sample after sample."""
    whole = neurolab.run([*CELL, asked()], save=False).summary
    monkeypatch.setattr(computation, "FIRST_CHUNK_STEPS", 37)
    monkeypatch.setattr(runner, "_CHUNK_SECONDS", 1e-6)
    parts = neurolab.run([*CELL, asked()], save=False).summary
    assert [parts[name] for name in ASKED] == [whole[name] for name in ASKED]


def test_a_constant_has_no_spread():
    """Of -70 mV in float32 over 20,000 samples the mean is -70 mV, exactly."""
    typed = ["neuron=lif", "neuron.V_rest=-70mV", "neuron.V_reset=-70mV", "neuron.V_th=-50mV"]
    typed += ["neuron.V_initializer=-70mV", "input=none", "duration=2s", "record.interval=null"]
    run = neurolab.run([*typed, "size=3", asked(["V_mean", "V_std", "V_final"])], save=False)
    values = [run.summary[name] for name in ("V_mean", "V_std", "V_final")]
    assert values == [-70.0, 0.0, -70.0]


def test_points_have_what_their_samples_have(tmp_path):
    """Also a point that ends before others; in batches of any size to the last bit."""
    axes = ["input.sigma=0.1mA,0.4mA", "duration=60ms,100ms"]
    traced = ["record.variables=[V,w,input]", "record.neurons=all"]
    sweep = neurolab.run_sweep([*CELL, asked(), *traced, *axes], tmp_path / "sweep")
    for k, point in enumerate(sweep):
        for name in ("V", "w", "input"):
            for how, value in of(point.traces[name].values).items():
                found = point.summary[f"{name}_{how}"]
                assert found == pytest.approx(value, rel=1e-12, abs=1e-12), (k, name, how)
    parts = neurolab.run_sweep([*CELL, asked(), "sweep.batch=1", *axes], tmp_path / "parts")
    for name in ASKED:
        np.testing.assert_array_equal(parts.data[name], sweep.data[name])
    assert sweep.V_mean.attrs == {"units": "mV", "long_name": "mean of V", "measured": 1}
    assert sweep.V_mean.shape == (2, 2)
    assert sweep.V_mean.values[1, 1] == sweep[3].summary["V_mean"]
    header = (sweep.path / "sweep.csv").read_text().splitlines()[0].split(",")
    assert set(ASKED) <= set(header)
    again = neurolab.open_sweep(sweep.path)
    np.testing.assert_array_equal(again.w_std, sweep.w_std)


def test_a_sweep_of_a_rate_neuron_has_a_result(tmp_path):
    """Its potential under a current I, in the end: I R."""
    typed = ["neuron=leaky_integrator", "input=constant", "size=2", "duration=200ms", KEEP]
    typed += ["input.amplitude=linspace:1mA:3mA:5", asked(["V_final", "V_max"])]
    sweep = neurolab.run_sweep(typed, tmp_path / "sweep")
    assert sweep.V_final.values == pytest.approx(np.linspace(1, 3, 5), rel=1e-5)
    pictures = sorted(path.name for path in sweep.path.glob("*.png"))
    assert pictures == ["V_final.png", "V_max.png"]
    page = (sweep.path / "report.html").read_text()
    assert '"name": "V_final"' in page or '"name":"V_final"' in page
    assert '"picture": null' not in page and '"picture":null' not in page


@pytest.mark.parametrize(
    ("neuron", "name", "unit"), [("leaky_integrator", "V", "mA"), ("sigmoid_rate", "rate", "")]
)
def test_where_nothing_fires_potentials_are_the_result(tmp_path, neuron, name, unit):
    """Unasked; other values if others are asked for, and none with null."""
    typed = [f"neuron={neuron}", "input=constant", "size=2", "duration=20ms", KEEP]
    run = neurolab.run([*typed, "record.neurons=all", "record.interval=null"], tmp_path / "run")
    samples = run.traces[name].values
    assert run.summary[f"{name}_mean"] == pytest.approx(samples.mean(), rel=1e-5)
    assert run.summary[f"{name}_std"] == pytest.approx(samples.std(), rel=1e-4)
    sweep = neurolab.run_sweep([*typed, f"input.amplitude=1{unit},2{unit}"], tmp_path / "sweep")
    assert np.isfinite(sweep.data[f"{name}_mean"]).all()
    assert (sweep.path / f"{name}_mean.png").exists()
    other = neurolab.run([*typed, asked([f"{name}_max"])], save=False)
    assert f"{name}_max" in other.summary and f"{name}_mean" not in other.summary
    none = neurolab.run([*typed, "record.summary=null"], save=False)
    assert not {f"{name}_mean", f"{name}_std"} & {*none.summary}


def test_where_something_fires_they_are_not():
    run = neurolab.run(["neuron=lif", "size=2", "duration=5ms"], save=False)
    assert "V_mean" not in run.summary


def test_populations_have_values_of_their_own(tmp_path):
    names = ["V_mean", "E.V_std"]
    typed = [*NETWORK, "record.neurons=all", "record.interval=null", asked(names), KEEP]
    run = neurolab.run(typed, tmp_path / "run")
    told = run.summary["populations"]
    for name in ("E", "I"):
        values = of(run.traces[f"{name}.V"].values)
        assert told[name]["V_mean"] == pytest.approx(values["mean"], rel=1e-12)
        assert ("V_std" in told[name]) == (name == "E")
    assert "V_mean" not in run.summary
    sweep = neurolab.run_sweep([*typed, "seed=0,1"], tmp_path / "sweep")
    assert sweep.population_V_mean.sel(population="I").values[0] == told["I"]["V_mean"]
    assert np.isnan(sweep.population_V_std.sel(population="I")).all()
    assert sweep[0]["E"].summary["V_std"] == told["E"]["V_std"]


def test_it_is_told_at_the_end(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["neurolab", *CELL, asked(["V_mean", "w_max"])])
    with pytest.raises(SystemExit) as ends:
        main()
    assert not ends.value.code
    told = capsys.readouterr().out
    run = neurolab.open_run(next(tmp_path.glob("outputs/*/*/results.zarr")))
    for name, unit in (("V_mean", "mV"), ("w_max", "mA")):
        assert f"{number(run.summary[name])} {unit}" in told


def test_what_diverged_has_none(tmp_path):
    typed = ["neuron=lif", "integrator=euler", "input=constant", "size=2", "duration=20ms", KEEP]
    typed += [asked(["V_mean"]), "neuron.tau=10ms,0.02ms"]
    sweep = neurolab.run_sweep(typed, tmp_path / "sweep")
    assert sweep.status.values.tolist() == ["completed", "diverged"]
    assert np.isfinite(sweep.V_mean.values).tolist() == [True, False]


@pytest.mark.nightly
def test_a_run_that_was_stopped_goes_on_to_the_same(tmp_path, monkeypatch):
    """To the last bit, from a checkpoint in the middle of it."""
    typed = [*CELL, asked(), "record.interval=0.3ms"]
    whole = neurolab.run(typed, tmp_path / "whole")
    stopped(monkeypatch, tmp_path / "run", [*CELL[:-1], *typed[-2:]], 500)
    same(neurolab.resume(tmp_path / "run"), whole)


def test_a_sweep_that_was_stopped_goes_on_to_the_same(tmp_path, monkeypatch):
    axes = ["input.sigma=0.1mA,0.4mA,0.2mA"]
    whole = neurolab.run_sweep([*CELL, asked(), *axes], tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_at(patch, 3)
        part = neurolab.run_sweep([*CELL, asked(), *axes], tmp_path / "part")
    assert set(part.status.values) == {"partial"}
    assert np.isnan(part.V_mean).all()
    found = neurolab.resume(tmp_path / "part")
    for name in ASKED:
        np.testing.assert_array_equal(found.data[name], whole.data[name])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("[V_median]", "expected a variable and mean, std, min, max, final, such as V_mean"),
        ("[v_mean]", "is of no variable; did you mean 'V'"),
        ("[fired_mean]", "is of no variable"),
        ("V_mean", "expected a list, such as"),
    ],
)
def test_what_cannot_be_asked_for(given, words):
    with pytest.raises(ConfigError, match=r"record\.summary") as refused:
        neurolab.run([*CELL, f"record.summary={given}"], save=False)
    assert words in str(refused.value)
