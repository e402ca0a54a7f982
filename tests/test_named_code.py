"""A configuration names models, trackers and the user's own code; no other is imported."""

from __future__ import annotations

import sys

import pytest
import yaml
from omegaconf import OmegaConf
from sweeps import KEEP
from test_config import problems, read

import neurolab
from neurolab.cli.main import main
from neurolab.problems import ConfigError

SHORT = ("neuron=lif", "size=2", "duration=1ms", KEEP)
#: Whoever imports this leaves a file.
CANARY = """
from pathlib import Path
Path({path!r}).touch()
from neurolab.neurons import LIF
class Cell(LIF):
    pass
"""
TRACKERS = """
MADE = []
class Quiet:
    def __init__(self, colour, size=1):
        MADE.append(colour)
        if colour == "blue":
            raise OSError("no blue")
    def start(self, tracked): pass
    def log(self, step, metrics): pass
    def finish(self, exit_code, summary): pass
class Open(Quiet):
    def __init__(self, **settings):
        MADE.append(settings)
    def check(self):  # its own, of no settings
        raise RuntimeError
class Half:
    start = log = None
    def finish(self, exit_code, summary): pass
"""


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """Where packages are installed, and the file that importing one of them leaves."""
    folder, touched = tmp_path / "site-packages", tmp_path / "touched"
    folder.mkdir()
    name = f"canary_{abs(hash(str(tmp_path)))}"
    (folder / f"{name}.py").write_text(CANARY.format(path=str(touched)))
    monkeypatch.syspath_prepend(str(folder))
    return folder / f"{name}.py", touched


@pytest.fixture
def trackers(tmp_path, monkeypatch):
    name = f"trackers_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(TRACKERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_nothing_is_called_while_a_configuration_is_checked(tmp_path, monkeypatch):
    """It ran, and the configuration was refused after that."""
    monkeypatch.chdir(tmp_path)
    (problem,) = problems("tracker._target_=subprocess.Popen", "+tracker.args=[touch,pwned]")
    assert problem.key == "tracker._target_"
    assert "Python's own library" in problem.advice
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["neuron", "input", "integrator", "tracker"])
@pytest.mark.parametrize(
    "path", ["this.s", "antigravity.X", "sys.X", "zipimport.zipimporter", "idlelib.idle.X"]
)
def test_pythons_own_library_is_not_imported(key, path):
    before = set(sys.modules)
    (problem,) = problems(f"{key}._target_={path}")
    assert (problem.key, problem.given) == (f"{key}._target_", path)
    assert "Python's own library" in problem.advice
    assert path.rpartition(".")[0] in before or path.rpartition(".")[0] not in sys.modules


@pytest.mark.parametrize("module", ["__main__", "report.__main__", "cli.main", "nothing"])
def test_of_neurolab_models_and_trackers_may_be_named(module):
    (problem,) = problems(f"neuron._target_=neurolab.{module}.X")
    assert problem.key == "neuron._target_"
    assert "neurolab.neurons, neurolab.synapses" in problem.advice


@pytest.mark.parametrize("path", [".os.X", "a..b", "os path.X", "numpy.", "1a.b", "..", "a"])
def test_what_is_no_path_is_not_looked_for(path):
    (problem,) = problems(f"neuron._target_='{path}'")
    assert "the dotted path of a class" in problem.advice


def test_an_installed_package_is_not_imported_unless_it_offers_itself(canary, monkeypatch):
    module, touched = canary
    typed = f"neuron._target_={module.stem}.Cell"
    (problem,) = problems(typed)
    assert problem.key == "neuron._target_"
    assert "neurolab.models" in problem.advice and "mycells.Name" in problem.advice
    assert not touched.exists()
    about = module.with_name("canary-1.0.dist-info")
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: canary\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[neurolab.models]\ncells = {module.stem}\n")
    assert read(typed).structure.populations[0].neuron.target.__name__ == "Cell"
    assert touched.exists()


def test_a_folder_that_packages_were_installed_into_is_no_users(canary, tmp_path, monkeypatch):
    """As by ``pip install --target``."""
    module, touched = canary
    folder = tmp_path / "lib"
    (folder / "canary-1.0.dist-info").mkdir(parents=True)
    module.rename(folder / module.name)
    monkeypatch.syspath_prepend(str(folder))
    (problem,) = problems(f"neuron._target_={module.stem}.Cell")
    assert "an installed package" in problem.advice
    assert not touched.exists()


def test_a_class_of_an_installed_package_is_named_by_a_module_of_ones_own(
    canary, tmp_path, monkeypatch
):
    module, _ = canary
    own = f"own_{module.stem}"
    (tmp_path / f"{own}.py").write_text(f"from {module.stem} import Cell\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert read(f"neuron._target_={own}.Cell").structure.populations


def test_a_tracker_is_made_when_it_is_used(trackers, tmp_path):
    typed = [*SHORT, f"tracker._target_={trackers}.Quiet", "+tracker.colour=red"]
    read(*typed)
    made = sys.modules[trackers].MADE
    assert made == []
    neurolab.run(typed, tmp_path / "run")
    assert made == ["red"]
    swept = ["integrator=euler,heun,exp_euler", "device=cpu"]
    neurolab.run_sweep([*typed, *swept], tmp_path / "sweep")
    assert made == ["red", "red"]
    read(*SHORT, f"tracker._target_={trackers}.Open", "+tracker.anything=1")


@pytest.mark.parametrize(
    ("name", "settings", "key", "words"),
    [
        ("Quiet", [], "tracker.colour", "is needed by Quiet: add +tracker.colour="),
        ("Quiet", ["+tracker.colour=red", "+tracker.sise=3"], "tracker.sise", "mean 'size'"),
        ("Half", [], "tracker._target_", "lacks start, log;"),
    ],
)
def test_settings_of_a_tracker_are_checked_by_its_signature(trackers, name, settings, key, words):
    (problem,) = problems(f"tracker._target_={trackers}.{name}", *settings)
    assert problem.key == key
    assert words in problem.advice
    assert sys.modules[trackers].MADE == []


def test_a_tracker_that_cannot_be_made_is_told_before_anything_is_computed(trackers, tmp_path):
    typed = (f"tracker._target_={trackers}.Quiet", "+tracker.colour=blue")
    with pytest.raises(ConfigError) as caught:
        neurolab.run([*SHORT, *typed], tmp_path / "run")
    (problem,) = caught.value.problems
    assert (problem.key, problem.given) == ("tracker", f"{trackers}.Quiet")
    assert "OSError: no blue" in problem.advice and "tracker=none" in problem.advice
    assert not (tmp_path / "run" / "results.zarr").exists()


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("+hydra.callbacks.x={{_target_:{canary}.X}}", "hydra.callbacks.x._target_"),
        ("+hydra.callbacks.x={{_target_:subprocess.Popen}}", "hydra.callbacks.x._target_"),
        ("hydra.callbacks.check._target_={canary}.X", "hydra.callbacks.check._target_"),
        ("hydra.launcher._target_={canary}.X -m", "hydra.launcher._target_"),
        ("hydra.sweeper._target_=subprocess.Popen -m", "hydra.sweeper._target_"),
        ("hydra.job_logging.handlers.file.class={canary}.X",
         "hydra.job_logging.handlers.file.class"),
        ("hydra.hydra_logging.handlers.console.stream=ext://{canary}.X",
         "hydra.hydra_logging.handlers.console.stream"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["typed", "in a file"])
def test_what_hydra_would_call_is_known_before_it_does(
    canary, tmp_path, monkeypatch, capsys, typed, key, place
):
    """Typed, or in the experiment of somebody else."""
    module, touched = canary
    arguments = typed.format(canary=module.stem).split()
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    if place == "in a file":
        text, _, path = arguments[0].lstrip("+").partition("=")
        config = OmegaConf.create({"defaults": ["_self_"]})
        OmegaConf.update(
            config, text, yaml.safe_load(path.replace(":", ": ", 1) if path[0] == "{" else path)
        )
        (here / "conf" / "experiment").mkdir(parents=True)
        file = here / "conf" / "experiment" / "theirs.yaml"
        file.write_text(f"# @package _global_\n{OmegaConf.to_yaml(config)}")
        arguments[0] = "experiment=theirs"
    before = sorted(here.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["neurolab", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert f"  {key} = " in capsys.readouterr().err
    assert not touched.exists()
    assert sorted(here.rglob("*")) == before
