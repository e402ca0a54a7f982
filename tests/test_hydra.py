"""neurolab beside another Hydra, and what Hydra's own options and flags do on the command line."""

from __future__ import annotations

import logging
import os
import sys
import threading

import hydra
import pytest
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.version import VersionBase
from nights import every
from omegaconf import OmegaConf

import neurolab
from neurolab.cli.main import main
from neurolab.problems import ConfigError
from neurolab.simulation.log import log_to

SHORT = ["size=2", "duration=2ms", "device=cpu", "device.cache_dir=null", "record=summary"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in with an option in mine/neuron, and the configuration of another
    application in other/ and conf/."""
    monkeypatch.chdir(tmp_path)
    for folder in ("mine/neuron", "other/db", "conf/db"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mine" / "neuron" / "mine.yaml").write_text("defaults:\n  - lif\ntau: 7 ms\n")
    (tmp_path / "other" / "app.yaml").write_text(
        "defaults:\n  - db: small\n  - _self_\nname: app\n"
    )
    (tmp_path / "other" / "db" / "small.yaml").write_text("size: 1\n")
    (tmp_path / "conf" / "db" / "small.yaml").write_text("size: 99\n")
    return tmp_path


def state():
    """What Hydra, Python and logging keep for a process, and what another application composes."""
    path = [str(entry) for entry in sys.path]
    return (
        GlobalHydra.instance().hydra, HydraConfig.instance().cfg, VersionBase.instance().getbase(),
        path, logging.getLogger().handlers[:], logging.getLogger().level,
        logging.getLogger("neurolab").level, hydra.compose("app", ["name=other"]),
    )  # fmt: skip


def both():
    """A run and a sweep, and what was wrong if there was."""
    run = neurolab.run([*SHORT, "neuron.tau=6ms"], "run")
    sweep = neurolab.run_sweep([*SHORT, "neuron.tau=5ms,6ms"], "sweep")
    assert run.config.neuron.tau == "6ms"
    assert [sweep.config(k).neuron.tau for k in range(2)] == ["5ms", "6ms"]


def test_a_notebook_keeps_its_hydra(place):
    """After initialize_config_dir: runs and sweeps work, and nothing of the host has changed."""
    before = Plugins.instance()
    with hydra.initialize_config_dir(str(place / "other"), version_base="1.2"):
        was = state()
        both()
        assert state() == was
        assert hydra.compose("app").db.size == 1
    assert Plugins.instance() is before


def test_an_application_of_hydra_can_run_and_sweep(place, monkeypatch):
    """Inside another @hydra.main job: its configuration is what it was, also ${hydra:...}."""
    found = []

    def job(config):
        was = HydraConfig.get().job.name
        both()
        found.append((HydraConfig.get().job.name == was, config.name, config.job))

    monkeypatch.setattr(sys, "argv", ["app", "+job=${hydra:job.name}"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    levels = logging.getLogger().level, logging.getLogger().handlers[:]
    try:
        start = hydra.main(version_base="1.3", config_path=str(place / "other"), config_name="app")
        start(job)()
    finally:
        logging.getLogger().setLevel(levels[0])
        logging.getLogger().handlers[:] = levels[1]
    assert found == [(True, "app", "test_hydra")]


def test_two_threads_run_at_once(place):
    """Each gets the results of its own configuration."""
    found = {}

    def one(k):
        found[k] = neurolab.run([*SHORT, f"neuron.tau={k}ms"], f"run{k}").config.neuron.tau

    threads = [threading.Thread(target=one, args=(k,)) for k in (5, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {5: "5ms", 6: "6ms"}


def test_logging_is_as_it_was_after_runs_that_overlap(tmp_path):
    """Whichever of two that began one after the other ends first."""
    log = logging.getLogger("neurolab")
    before = log.level, log.propagate, log.handlers[:]
    one, other = log_to(tmp_path / "one", terminal=True), log_to(tmp_path / "other")
    for call in (one.__enter__, other.__enter__):
        call()
    log.info("said")
    for call in (one.__exit__, other.__exit__):
        call(None, None, None)
    assert (log.level, log.propagate, log.handlers) == before
    assert "said" in (tmp_path / "other" / "neurolab.log").read_text()


def told(capsys, monkeypatch, *arguments):
    """Exit code, standard output and error of the command."""
    monkeypatch.setattr(sys, "argv", ["neurolab", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return end.value.code or 0, out, err


@pytest.mark.parametrize(
    ("arguments", "key", "words"),
    every([
        (["--config-dir", "mine", "neuron=mine", "neuron.tauu=5ms"], "neuron.tauu = 5ms",
         "did you mean 'tau'"),
        (["-m", "--config-dir", "mine", "neuron=mine", "neuron.tauu=5ms,6ms"],
         "neuron.tauu = 5ms", "did you mean 'tau'"),
        (["--resolve"], "--resolve", "--cfg job"),
        (["hydra.searchpath=[file://mine]", "neuron=mine", "neuron.tauu=5ms"],
         "neuron.tauu = 5ms", "did you mean 'tau'"),
        (["--config-dir", "nowhere"], "--config-dir = nowhere", "no such folder"),
        (["--config-dir", "mine", "neuron=mime"], "neuron = mime", "did you mean 'mine'"),
        (["-cn", "neurolap"], "--config-name = neurolap", "did you mean 'neurolab'"),
        (["--cfg", "job", "-m", "neuron.tau=5ms,6ms"], "--cfg = job", "leave out -m"),
        (["neuron=null"], "neuron = null", "adexif"),
        (["experiment=naud_pattern"], "experiment = naud_pattern", "naud_patterns"),
        (["network=brunl"], "network = brunl", "brunel"),
        (["-m", "neuron=lif,null"], "neuron = null", "adexif"),
        (["neuron=zip:lif:expif"], "neuron = zip:lif:expif", "add -m"),
        (["neuron.tau=linspace:5ms:6ms:2"], "neuron.tau = linspace:5ms:6ms:2", "add -m"),
        (["neuron.tau=5ms,6ms"], "neuron.tau = 5ms,6ms", "[a,b]"),
        (["neuron=lif", "duration=1s", "neuron=expif"], "neuron",
         "given twice: lif and expif; leave one out"),
        (["-m", "neuron.tau=5ms,6ms", "++neuron.tau=7ms"], "neuron.tau",
         "given twice: 5ms,6ms and 7ms"),
        (["--cfg", "job", "size=2", "size=2", "+vars.a=1", "++vars.a=2"], "vars.a", "1 and 2"),
        (["hydra.run.dir=a", "hydra.run.dir=b"], "hydra.run.dir", "a and b"),
        (["device.jax.jax_enable_x64=true"], "device.jax.jax_enable_x64 = true",
         "or add it: +device.jax.jax_enable_x64=true"),
        (["synapse.tau=5ms"], "synapse.tau = 5ms", "choose an option that has this"),
        (["sweep.batch=3"], "sweep.batch = 3", "add -m"),
        (["seed=${nothing}"], "seed", "cannot be resolved"),
    ], 2),
)  # fmt: skip
def test_one_mistake_is_one_problem(place, capsys, monkeypatch, arguments, key, words):
    """Exit 2 and one problem: with the options that Hydra had, and without a traceback."""
    code, _, err = told(capsys, monkeypatch, *arguments)
    assert code == 2
    assert "1 problem in the configuration" in err
    assert f"\n  {key}\n" in err
    assert words in err
    assert "Traceback" not in err
    assert not (place / "outputs").exists()


def test_what_is_merged_or_the_same_is_not_given_twice(place, capsys, monkeypatch):
    """Nor is what replaces a value of an experiment's file, or is appended in Python."""
    given = ["size=2", "size=2", "neuron=lif", "neuron={tau:5ms}", "neuron={R:2ohm}"]
    code, out, err = told(capsys, monkeypatch, "--cfg", "job", "experiment=fi_curves", *given)
    assert code == 0, err
    assert yaml.safe_load(out)["neuron"]["tau"] == "5ms"
    assert neurolab.run([*SHORT, "size=2"], save=False).config["size"] == 2


@pytest.mark.parametrize("text", ["linspace:5ms:20ms:3", "linspace(5ms, 20ms, 3)", "5ms,6ms"])
def test_cfg_shows_what_is_swept_as_it_was_typed(place, capsys, monkeypatch, text):
    """--cfg job prints one configuration: a key that is swept has the text that was typed."""
    code, out, _ = told(capsys, monkeypatch, "--cfg", "job", f"neuron.tau={text}")
    assert code == 0
    assert yaml.safe_load(out)["neuron"]["tau"] == text


def test_a_mode_that_is_typed_is_that_of_the_flag(place, capsys, monkeypatch):
    """hydra.mode=MULTIRUN sweeps like -m, forms too."""
    given = ["hydra.mode=MULTIRUN", "neuron.tau=linspace:5ms:7ms:3", "hydra.sweep.dir=sweep"]
    code, _, err = told(capsys, monkeypatch, *given, *SHORT)
    assert code == 0, err
    assert neurolab.open_sweep("sweep").rate_hz.sizes == {"neuron.tau": 3}


def test_hydra_can_be_told_to_write_nothing(place, capsys, monkeypatch):
    """hydra.output_subdir=null: no .hydra; results and page are there, from Python too."""
    given = [*SHORT, "hydra.output_subdir=null"]
    code, _, err = told(capsys, monkeypatch, *given, "hydra.run.dir=run")
    assert code == 0, err
    neurolab.run(given, "again")
    for folder in (place / "run", place / "again"):
        assert not (folder / ".hydra").exists()
        assert (folder / "report.html").exists()
        assert neurolab.open_run(folder).summary["status"] == "completed"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["experiment=fi_curves"], "neurolab.run_sweep"),
        (["hydra.mode=MULTIRUN"], "neurolab.run_sweep"),
        (["neuron.tau=linspace(5ms, 6ms, 2)"], "neurolab.run_sweep"),
        (["neuron=lif,expif"], "neurolab.run_sweep"),
        (["neuron=lif", "+sweep={folders:true}"], "neurolab.run_sweep"),
        ("neuron=lif size=3", "['neuron=lif', 'size=3']"),
    ],
)
def test_a_run_is_no_sweep_and_overrides_are_a_list(place, given, words):
    """neurolab.run says what to call, or to write, instead."""
    with pytest.raises(ConfigError) as refused:
        neurolab.run(given)
    assert words in str(refused.value)
    assert not (place / "outputs").exists()


def test_an_experiment_that_sweeps_can_run_alone(place):
    """hydra.mode=RUN, as its page writes the command of a point."""
    given = ["experiment=fi_curves", "hydra.mode=RUN", "neuron=lif", *SHORT]
    assert neurolab.run(given, "run").summary["status"] == "completed"


def test_a_file_that_was_changed_is_read_anew(place):
    """Between two runs of a process: edited twice in no time, replaced, gone, stored in Python."""
    from hydra.core.config_store import ConfigStore

    from neurolab.cli.compose import compose_config

    folder = place / "conf" / "neuron"
    folder.mkdir()
    for tau in (1, 2, 3):
        (folder / "mine.yaml").write_text(f"defaults:\n  - lif\ntau: {tau} ms\n")
        for _ in range(2):
            assert compose_config(["neuron=mine", "size=3"]).neuron.tau == f"{tau} ms"
    (folder / "mine.yaml").unlink()
    with pytest.raises(ConfigError):
        compose_config(["neuron=mine"])
    for tau in (4, 5):
        ConfigStore.instance().store("stored", {"_target_": "x.Y", "tau": tau}, "neuron")
        for _ in range(2):
            assert compose_config(["neuron=stored"]).neuron.tau == tau


def test_an_option_that_asks_the_environment_is_asked_again(place, monkeypatch):
    """A defaults list may name its options by ${oc.env:...}."""
    from neurolab.cli.compose import compose_config

    file = place / "conf" / "neuron" / "mine.yaml"
    file.parent.mkdir()
    file.write_text("defaults: [{/neuron@more: '${oc.env:CELL}'}]\n")
    for path in (place / "conf").rglob("*.yaml"):
        os.utime(path, (1e9, 1e9))
    for cell, name in (("lif", "LIF"), ("expif", "ExpIF")):
        monkeypatch.setenv("CELL", cell)
        mine, typed = compose_config(["neuron=mine"]), compose_config(["neuron=${oc.env:CELL}"])
        assert mine.neuron.more._target_.endswith(f".{name}")
        assert typed.neuron._target_.endswith(f".{name}")


@pytest.mark.parametrize(
    "overrides",
    [
        ["neuron=adexif", "neuron.tau=7ms", "size=5"],
        ["experiment=adex_benchmark", "neuron.b=3mA", "synapse/output=conductance"],
        ["neuron={tau:8ms}", "neuron.tau=9ms"],
        ["neuron.tau=9ms", "neuron={tau:8ms}"],
        ["+neuron.more=1", "++neuron.tau=2ms", "neuron.tau=3ms", "hydra.job.name=x"],
        ["record.variables=[V,w]", "+vars.b=3", "neuron.tau=${vars.b}ms"],
        ["record.variables=[V,w]", "neuron.tau=${neuron.R}", "+input@inputs.b=ou", "~tracker"],
    ],
)
def test_what_is_composed_again_is_what_hydra_composes(place, overrides):
    """The second time, from what is known: the same configuration, Hydra's own part included."""
    from neurolab.cli import compose

    compose._COMPOSED.clear()
    with compose.own_hydra():
        whole = hydra.compose("neurolab", overrides, return_hydra_config=True)
    other = [f"{o}0" if o[-1].isdigit() else o for o in overrides]
    for given in (other, overrides, overrides):
        found = compose.compose_config(given)
    assert OmegaConf.to_yaml(found) == OmegaConf.to_yaml(whole)


def test_a_model_by_its_path_is_printed_whole(capsys, monkeypatch):
    """What is printed is what runs: the class's values, not those of the option it replaces."""
    typed = ["neuron._target_=neurolab.neurons.AdExIFRef", "neuron.tau=12ms", "--cfg", "job"]
    monkeypatch.setattr("sys.argv", ["neurolab", *typed])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    printed = OmegaConf.to_container(OmegaConf.create(capsys.readouterr().out))
    assert printed["neuron"]["tau"] == "12ms"
    assert printed["neuron"]["V_T"] == "-59.9 mV"
    assert printed["neuron"]["spk_reset"] == "hard"
    assert printed["device"]["cache_dir"].startswith("${oc.env:")
