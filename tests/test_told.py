"""What an attack on receptors, drives, units and cells of papers found: told, or right."""

from __future__ import annotations

import brainstate
import numpy as np
import pytest
from test_nothing_ignored import warned
from test_receptors import BOTH, INHIBITION, problems, read

import neurolab
from neurolab.cli.main import main
from neurolab.config.shown import rheobase_of
from neurolab.neurons import LIF
from neurolab.problems import ConfigError

TONIC = ("neuron=naud2008/tonic", "input=constant", "input.amplitude=500pA", "size=1")


class Other(LIF):
    """A parameter C of another meaning."""

    C = neurolab.dynamics.parameter(3.0, "a count")


def test_weights_of_inputs_with_a_signal_inside_are_read_by_their_receptor():
    """`poisson_rates` was read as if it fed the potential itself."""
    rates = ("synapse=ampa", "input=poisson_rates")
    assert problems("neuron=lif", *rates, "input.weight=-1nS")[0].key == "input.weight"
    assert problems("neuron=lif", *rates, "input.weight=1mV")[0].key == "input.weight"
    assert read("neuron=lif", *rates, "input.weight=1nS").numbers["input.weight"] == 1e-9


@pytest.mark.parametrize("typed", ["neuron.tau=10ms", "neuron.tau=15ms", "neuron.R=1ohm"])
def test_what_follows_from_others_is_refused_whatever_its_value(typed):
    """A value equal to the class's default was dropped in silence."""
    (problem,) = problems(*TONIC, typed)
    assert problem.key == typed.partition("=")[0]
    assert "leave one out" in problem.advice


def test_what_is_recorded_of_a_membrane_is_what_is_used(tmp_path):
    given = [
        "neuron=adexif",
        "neuron.g_L=10nS",
        "neuron.a=2nS",
        "size=1",
        "duration=1ms",
        "device=cpu",
    ]
    run = neurolab.run([*given, "neuron.C=200pF"], tmp_path / "run")
    assert (run.config.neuron.R, run.config.neuron.tau) == (None, None)
    sweep = neurolab.run_sweep([*given, "neuron.C=200pF,300pF"], tmp_path / "sweep")
    assert sweep.config(1).neuron.tau is None
    mixed = neurolab.run_sweep(
        ["neuron=adexif", "neuron.R=1ohm,null", "neuron.g_L=10nS,null", *given[2:]],
        tmp_path / "mixed",
    )
    assert list(mixed.table["status"]) == ["refused", "completed", "completed", "refused"]


@pytest.mark.parametrize(("name", "word"), [("synapse", "no name"), ("my-2", "letters")])
def test_names_of_receptors_are_names(name, word):
    found = problems("neuron=lif", "synapse=ampa", f"+synapse@receptors.{name}=gaba_a")
    assert any(p.key == f"receptors.{name}" and word in p.advice for p in found)


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (("input=step", "input.start=10.05ms"), "input.start"),
        (("input=step", "input.stop=1.01ms", "input.start=0ms"), "input.stop"),
        (("input=piecewise", "input.values=[0mA,5mA]", "input.durations=[0.04ms,1ms]"),
         "input.durations"),
    ],
)  # fmt: skip
def test_edges_off_the_grid_are_told(overrides, key):
    assert "is used" in warned(*overrides)[key]
    assert not warned("input=step", "input.start=0.3ms", "input.stop=7.1ms")


@pytest.mark.parametrize("kind", ["input=step", "input=ramp", "input/rates=step"])
def test_a_stop_before_the_start_is_one_problem(kind):
    """A second one told to lower its rate or n."""
    path = "input.rates" if "/" in kind else "input"
    others = ("input=poisson_rates", "input.rates.amplitude=20Hz", "input.rates.baseline=0Hz")
    given = [kind, f"{path}.start=50ms", f"{path}.stop=20ms", *others[: 3 * ("/" in kind)]]
    (problem,) = problems("neuron=lif", *given)
    assert problem.key == f"{path}.stop"


def test_a_ramp_begins_and_ends_where_it_is_said():
    """Also between steps: V of a membrane that only integrates is the integral of the ramp."""
    given = ["neuron=lif", "neuron.tau=1e9ms", "neuron.V_th=1e9mV", "input=ramp", "size=1",
             "input.initial=0mA", "input.final=4mA", "input.start=0.33ms", "input.stop=17.56ms",
             "duration=20ms", "device.precision=float64", "device=cpu", "record=full"]  # fmt: skip
    for integrator in ("exp_euler", "rk4"):
        run = neurolab.run([*given, f"integrator={integrator}"], save=False)
        charge = float(run.traces["V"].values[-1, 0]) * 1e9
        assert charge == pytest.approx(4 * (17.56 - 0.33) / 2 + 4 * (20 - 17.56), rel=1e-4)


def test_weights_without_a_finite_size_are_refused(tmp_path):
    """At the reversal potential no conductance carries a charge."""
    at_brink = ("neuron=lif", "synapse=ampa", "synapse.output.E=1mV")
    assert "reversal" in problems(*at_brink)[0].advice
    assert read("neuron=sigmoid_rate", "synapse=gaba_a").structure.populations[0].receptors
    sweep = neurolab.run_sweep(
        ["neuron=lif", "synapse=ampa", "synapse.output.E=linspace:0mV:2mV:3", "size=1",
         "duration=1ms", "device=cpu"], tmp_path / "E"
    )  # fmt: skip
    assert list(sweep.table["status"]) == ["completed", "refused", "completed"]
    with pytest.raises(ConfigError, match="infinite"):
        neurolab.run_sweep(["neuron=gif", "input=constant", "neuron.a=0.02/ms", "seed=1,2",
                            "size=1", "duration=1ms"], tmp_path / "a")  # fmt: skip


@pytest.mark.parametrize(
    ("drive", "key", "unit"),
    [
        (("input=constant",), "input.amplitude", "such as 1 pA"),
        (("input=poisson", "synapse=none"), "input.weight", "such as 1 mV"),
        (("input=poisson", "synapse=ampa"), "input.weight", "such as 1 nS"),
    ],
)
def test_a_cell_without_rest_has_no_relative_drives(drive, key, unit):
    """a = -g_L: the current that holds V is -g_L delta_T exp((V - V_T) / delta_T), and 0 its
    supremum; -0.02 pA was told, in mA, with units that do not fit."""
    cell = "neuron=naud2008/delayed_regular_bursting"
    (problem,) = problems(cell, *drive)
    assert problem.key == key
    assert "the rheobase, which is 0 pA here" in problem.advice
    assert problem.advice.endswith(unit)
    given = read(cell, "input=constant", "input.amplitude=1pA")
    assert rheobase_of(
        given.structure, given.structure.populations[0], given.parsed, given.numbers
    ) == (0.0, "pA")


def test_words_and_numbers_of_one_key_in_any_order(tmp_path):
    given = ["neuron=lif", *BOTH, *INHIBITION, "size=1", "duration=1ms", "device=cpu"]
    values = "receptors.gaba.output.E=-80mV,inhibitory"
    sweep = neurolab.run_sweep([*given, values], tmp_path)
    assert list(sweep.table["status"]) == ["completed", "completed"]


def test_a_parameter_of_ones_own_named_C_is_ones_own():
    assert float(Other(1).C) == 3.0
    typed = ("neuron=lif", f"neuron._target_={__name__}.Other", "neuron.C=4")
    assert np.isclose(read(*typed).numbers["neuron.tau"], 5.0)


def test_a_cell_of_a_paper_in_a_file_of_ones_own(tmp_path, monkeypatch):
    """Without @_here_ it lands beside what it should be."""
    (tmp_path / "conf" / "neuron").mkdir(parents=True)
    mine = tmp_path / "conf" / "neuron" / "mine.yaml"
    monkeypatch.chdir(tmp_path)
    mine.write_text("defaults:\n  - naud2008/tonic\nb: 7 pA\n")
    assert any("@_here_" in problem.advice for problem in problems("neuron=mine"))
    mine.write_text("defaults:\n  - /neuron/naud2008/tonic@_here_\n  - _self_\nb: 7 pA\n")
    assert read("neuron=mine").numbers["neuron.b"] == pytest.approx(7e-9)


class Timed(LIF):
    """A state with a name that results have."""

    def init_state(self, batch_size=None, **_):
        super().init_state(batch_size)
        self.time = brainstate.HiddenState(self.V.value)


def test_states_with_names_of_results_are_refused():
    """A traceback, and a folder without results."""
    typed = ("neuron=lif", f"neuron._target_={__name__}.Timed", "size=2")
    (problem,) = problems(*typed, "record=full", "record.variables=[V,time]")
    assert (problem.key, problem.given) == ("record.variables", "time")


def test_a_point_of_an_experiment_runs_alone(tmp_path):
    """What is typed for it, and what its page says, was a sweep again."""
    given = ["experiment=fi_curves", "neuron=lif", "input.amplitude=2rheobase,3rheobase",
             "duration=5ms", "device=cpu"]  # fmt: skip
    sweep = neurolab.run_sweep(given, tmp_path / "sweep")
    assert neurolab.run(sweep.overrides(1), save=False).summary["status"] == "completed"
    assert "hydra.mode=RUN" in (tmp_path / "sweep" / "report.html").read_text()


def test_a_sweep_that_goes_on_has_one_folder(tmp_path):
    typed = ["neuron=lif", "seed=1,2", "size=1", "duration=1ms", "device=cpu"]
    neurolab.run_sweep(typed, tmp_path / "a")
    with pytest.raises(ConfigError, match="leave out"):
        neurolab.run_sweep([*typed, f"sweep.resume='{tmp_path}/a'"], tmp_path / "b")


class OfPaper(neurolab.neurons.AdExIFRef):
    """A cell with the values of the option that is typed."""


CELL = f"neuron._target_={__name__}.OfPaper"


def test_an_option_that_is_typed_keeps_its_values(tmp_path, capsys, monkeypatch):
    """They gave way in silence to the defaults of the class given beside it."""
    option = read("neuron=naud2008/tonic", "input=constant").config["neuron"]
    given = ["neuron=naud2008/tonic", CELL, "input=constant", "neuron.V_reset=-57mV"]
    found = read(*given).config["neuron"]
    own = {"_target_": f"{__name__}.OfPaper", "V_reset": "-57mV"}
    assert {key: found[key] for key in option} == option | own
    assert found["tau_ref"] == "1.7 ms"
    monkeypatch.setattr("sys.argv", ["neurolab", *given, "--cfg", "job"])
    with pytest.raises(SystemExit):
        main()
    assert f"b: {option['b']}\n" in capsys.readouterr().out
    plan = ["neuron=naud2008/tonic,naud2008/adaptation", *given[1:], "size=1", "duration=1ms"]
    sweep = neurolab.run_sweep([*plan, "device=cpu"], tmp_path)
    assert sweep.config(0).neuron.b != sweep.config(1).neuron.b


@pytest.mark.parametrize(
    ("option", "model", "others"),
    [
        ("neuron=lif", "neuron._target_=neurolab.neurons.ExpIF", ()),
        ("synapse=gaba_a", "synapse._target_=neurolab.synapses.Alpha", ("input=poisson",)),
        ("+synapse@receptors.b=ampa", "receptors.b._target_=neurolab.synapses.Alpha", ()),
        ("input=constant", "input._target_=neurolab.inputs.Step", ()),
    ],
)
def test_a_model_beside_an_option_of_another_is_refused(option, model, others):
    (problem,) = problems(option, model, *others)
    assert problem.key == model.partition("=")[0]
    assert f"leave out {option}" in problem.advice


def test_a_drive_that_is_too_weak_is_told_of_each_population():
    """200 pA into 1 ohm: two cells of a network were silent, and nothing said why."""
    cell = ("populations.E.neuron.C=null", "populations.E.neuron.g_L=null")
    weak = ("populations.E.neuron.R=1ohm", "populations.E.neuron.tau=20ms")
    found = {one.key: one.advice for one in read("network=coba_ei", *cell, *weak).warnings}
    for name in ("E", "I"):
        advice = found[f"populations.{name}.inputs.drive.amplitude"]
        assert "2e-08 rheobase" in advice and f"populations.{name}.neuron.R" in advice
    for network in ("coba_ei", "coba_ei/kick", "cuba_ei", "microcircuit/dc", "feedforward"):
        advices = [one.advice for one in read(f"network={network}").warnings]
        assert not any("too weak" in advice for advice in advices)
