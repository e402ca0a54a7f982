"""Configurations that a newcomer typed: each is refused with its key and a remedy, or warned of."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from nights import every
from test_config import problems
from test_nothing_ignored import warned

from neurolab.cli.main import main

LIF = "_target_: neurolab.neurons.LIF\n"

# What was typed; the key that is told, and words of the advice.
REFUSED = [
    ("~record", "record", ["choose an option"]),
    ("~neuron.tau", "neuron.tau", ["give it a value"]),
    ("~record.memory", "record.memory", ["give it a value"]),
    ("neuron=LIF", "neuron", ["did you mean 'lif'"]),
    ("+size=5", "size", ["leave out the +"]),
    ("size=1e4", "size", ["10000"]),
    ("size=1000000000000000000000", "size", ["GB of memory", "are free"]),
    ("synapse/output=conductance", "synapse/output", ["synapse=expon"]),
    ("input=poisson input/rates=sinusoidal", "input/rates", ["has it"]),
    ("neuron.tau=5,5ms", "neuron.tau", ["5.5ms"]),
    ("neuron.tau=nan", "neuron.tau", ["finite"]),
    ("neuron.tau=1e308ms", "neuron.tau", ["3.4e+38"]),
    ("neuron.V_th=1e300mV", "neuron.V_th", ["3.4e+38"]),
    ("neuron.R=1e-38ohm", "neuron.R", ["positive, and at least 1.2e-38"]),
    ("neuron.tau=1e-300ms", "neuron.tau", ["at least 1.2e-38"]),
    ("record.interval=1e30ms", "record.interval", ["1e+31 steps", "2147483647"]),
    ("record.rate_bin=1e30ms", "record.rate_bin", ["1e+31 steps", "2147483647"]),
    ("neuron.V_rest=−5mV", "neuron.V_rest", ["'−'", "minus"]),
    ("neuron.τ=5ms", "neuron.τ", ["'τ'"]),
    ("input=current_from_file input.file=~/no.npy", "input.file", ["$HOME/no.npy"]),
    ("neuron=expif neuron.V_T=-80mV", "input.weight", ["rheobase", "give a unit"]),
    ("input.rate=1e12Hz", "input", ["1e+10 events per step", "a smaller dt"]),
    ("input=ou input.sigma=-1mA", "input.sigma", ["zero or positive"]),
    ("tracker._target_=neurolab.neurons.LIF", "tracker._target_", ["start", "log", "finish"]),
    ("tracker._target_=neurolab.trackers.process.main", "tracker._target_", ["expected a class"]),
    ("tracker._target_=builtins.dict", "tracker._target_", ["Python's own library"]),
    ("tracker._target_=os.system", "tracker._target_", ["Python's own library"]),
    ("neuron._target_=neurolab.inputs.Constant", "neuron._target_", ["no neuron"]),
    ("neuron._target_=neurolab.neurons.Spiking", "neuron._target_", ["derivatives", "threshold"]),
    ("neuron._target_=neurolab.neurons.base.Neuron", "neuron._target_", ["initial"]),
    ("integrator._target_=neurolab.integrators.Integrator", "integrator._target_", ["step"]),
    ("integrator._target_=null", "integrator._target_", ["--help"]),
    ("+inputs.x.rate=5Hz", "inputs.x", ["+input@inputs.x=ou"]),
    ("hydra.run.dir=null", "hydra.run.dir", ["cannot be"]),
    ("vars=5", "vars", ["+vars.b=5"]),
    ("input=spikes_from_file input.file=[a]", "input.file", ["cannot be read", "not list"]),
    ("input=poisson_rates input.rates=5Hz", "input.rates", ["input/rates"]),
    ("device.jax=5", "device.jax", ["by their names"]),
    ("device.platform=1e3", "device.platform", ["auto, cpu"]),
    ("record.variables={a:1}", "record.variables", ["cannot be this"]),
    ("=5", "=5", ["key=value"]),
    ("duration.x=5ms", "duration.x", ["duration is 1 s, which has no keys"]),
    ("neuron.Q=[1,a]", "neuron.Q", ["neuron.Q = [1, a]"]),
    ("~neuron.tau=7", "neuron.tau", ["cannot be this", "is 5 ms and not 7"]),
    ("++record@populations.I=summary", "record@populations.I", ["not supported"]),
    ("tracker=wandb tracker.tags=5", "tracker.tags", ["a list"]),
    ("tracker=wandb tracker.dir=[1]", "tracker.dir", ["a text"]),
    ("tracker=trackio tracker.folder=[1]", "tracker.folder", ["a text"]),
    ("network=coba_ei projections.E_E.from=[1]", "projections.E_E.from", ["There are: E, I"]),
    ("network=coba_ei projections.E_E.to={a:1}", "projections.E_E.to", ["There are: E, I"]),
    ("network=coba_ei projections.E_E.receptor=[1]", "projections.E_E.receptor", ["exc or inh"]),
    ("network=coba_ei projections.E_E.receptor=x", "projections.E_E.receptor", ["exc or inh"]),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "key", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_it_is_refused_with_key_and_remedy(typed, key, words):
    """One problem and no more: what follows from it is not told beside it."""
    (found,) = problems(*typed.split())
    assert found.key == key
    assert [word for word in words if word not in str(found)] == []
    assert "TypeError" not in found.advice
    assert "derived from object" not in found.advice


def test_what_hydra_refuses_does_not_hide_what_else_is_wrong():
    found = {p.key for p in problems("hydra.callbacks=null", "neuron.tua=1ms", "+size=5")}
    assert found == {"hydra.callbacks", "neuron.tua", "size"}


# Files; what was typed; the key, and words of the advice.
WITH_FILES = [
    ("conf/neuron/mine.yaml", f"{LIF}\ttau: 5 ms\n", "neuron=mine", "conf", ["mine", "spaces"]),
    ("conf/neuron/mine.yaml", f"# Zellkörper\n{LIF}", "neuron=mine", "conf", ["mine", "UTF-8"]),
    ("conf/neuron/mine.yaml", f"defaults: [mine]\n{LIF}", "neuron=mine", "conf", ["itself"]),
    ("mycells.py", "class A(:\n", "neuron._target_=mycells.A", "neuron._target_", ["mycells.py"]),
    ("mycells.py", "raise RuntimeError('no licence')\n", "neuron._target_=mycells.A",
     "neuron._target_", ["no licence"]),
    ("mycells.py", "from neurolab.neurons import Spiking\nclass A(Spiking):\n    pass\n",
     "neuron._target_=mycells.A", "neuron._target_", ["derivatives"]),
    ("conf/experiment/e.yaml", "# @package _global_\ndefaults:\n  - override /neuron: lyf\n",
     "experiment=e", "neuron", ["did you mean 'lif'"]),
    ("conf/experiment/e.yaml", "# @package _global_\ndefaults:\n  - /neuron: adexif\n",
     "experiment=e", "neuron", ["override /neuron: adexif"]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "typed", "key", "words"), WITH_FILES)
def test_files_of_ones_own_are_refused_alike(tmp_path, monkeypatch, file, text, typed, key, words):
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="latin1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mycells", raising=False)
    (found,) = problems(typed)
    assert found.key == key
    assert [word for word in words if word not in str(found)] == []


# Arguments of the command; what is told.
COMMANDS = [
    ("--neuron=lif", ["--neuron=lif", "without --", "--help"]),
    ("--size 10", ["--size", "without --"]),
    ("neuron.tau=${nothing}", ["neuron.tau", "'nothing' not found", "--cfg job"]),
    ("--halp", ["--halp", "--help"]),
    ("--cfg nonsense", ["--cfg", "'job'"]),
    ("size=4 -m --info defaults", ["--info", "something else than --multirun"]),
    ("hydra.overrides.hydra=${unknown:1}ms", ["hydra.overrides.hydra", "cannot be"]),
    ("--shell-completion", ["--shell-completion", "install=bash"]),
    ("--config-path /nope", ["--config-path = /nope", "--config-dir"]),
    ("size=4 -m neuron.tau=1mV,2mV", ["neuron.tau = 1mV", "a time such as"]),
    ("-m neuron.tau=linspce:5ms:6ms:3", ["did you mean 'linspace'"]),
    ("hydra.job.name=x/y", ["hydra.job.name = x/y", "without /"]),
    ("hydra.run.dir='~/x'", ["hydra.run.dir = ~/x", "$HOME/x"]),
    ("-m seed=1,2 neuron.V_rest=−5mV", ["neuron.V_rest", "'−' is not ASCII"]),
    ("-m seed=1,2 ~record", ["record", "choose an option"]),
    ("-m seed=1,2 hydra.sweep.dir=/proc/foo", ["hydra.sweep.dir = /proc/foo", "choose another"]),
    (f"hydra.run.dir={'x' * 300}", ["hydra.run.dir = xxx", "too long"]),
    (f"hydra.sweep.dir={'x' * 300} -m", ["hydra.sweep.dir = xxx", "too long"]),
    ("hydra.run.dir=/proc/foo", ["hydra.run.dir = /proc/foo", "choose another"]),
    ("=5,6 -m", ["=5,6", "key=value"]),
    ("--cfg job -p nothing", ["--package = nothing", "is no part"]),
    ("synapse/output=current ++record@x=full", ["record@x = full", "not supported"]),
    ("++sweep=5 -m", ["sweep = 5", "sweep.batch=100"]),
    ("hydra.verbose=5", ["hydra.verbose = 5", "names of loggers"]),
    ("hydra.searchpath=5", ["hydra.searchpath = 5", "a list of folders"]),
    ("hydra.job.env_copy=[NO_SUCH]", ["hydra.job.env_copy = [NO_SUCH]", "this: 'NO_SUCH'"]),
    ("hydra.callbacks.check=null", ["hydra.callbacks.check = null"]),
    ("~hydra.callbacks.check", ["hydra.callbacks.check", "neurolab.cli.compose.Check"]),
    ("~hydra.launcher._target_ -m", ["hydra.launcher._target_", "hydra/launcher="]),
    ("neuron=lif inputs.n=ou", ["inputs.n = ou", "+input@inputs.n=ou"]),
    ("neuron=lif receptors.a.tau=5ms", ["receptors.a", "+synapse@receptors.a=<option>"]),
    ("integrator=euler --hydra-help", ["integrator = euler", "No match in the defaults"]),
    ("hydra.launcher.constraint=1,2 -m", ["hydra.launcher.constraint = 1,2", "over Hydra"]),
    ("hydra.hydra_logging.root.level=x", ["hydra.hydra_logging.root.level = x", "Unknown level"]),
    ("hydra.hydra_logging.version=0", ["hydra.hydra_logging.version = 0", "version: 0"]),
    ("device=${oc.create:[1]}", ["device = ${oc.create:[1]}", "auto, cpu"]),
    ("network=coba_ei,cuba_ei populations.E.size=9 -m",
     ["populations.E.size = 9", "of network, which is swept", "++populations.E.size=9"]),
    ("network=coba_ei,cuba_ei +populations.E.size=9 -m",
     ["populations.E.size = 9", "which is swept" , "++populations.E.size=9"]),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "words"), every(COMMANDS, 2), ids=[row[0] for row in COMMANDS])
def test_the_command_says_what_would_be_right(tmp_path, monkeypatch, capsys, typed, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["neurolab", *typed.split()])
    with pytest.raises(SystemExit) as caught:
        main()
    told = capsys.readouterr().err
    assert caught.value.code == 2
    assert [word for word in words if word not in told] == [], told
    assert "usage:" not in told
    assert list(tmp_path.iterdir()) == []


# What was typed; the key that is warned of, and words of the warning.
DOUBTS = [
    (["input=step"], "input.start", ["200 ms", "duration = 20 ms"]),
    (["input=spikes_from_file", "input.file=late.csv"], "input.file", ["duration = 20 ms"]),
    (["input=sinusoidal", "input.frequency=20kHz"], "input.frequency", ["5 kHz", "dt"]),
    (["input=constant", "input.amplitude=500pA"], "input.amplitude",
     ["500 pA", "5e-07 rheobase", "neuron.R"]),
    (["neuron=if", "neuron.V_th=20mV", "input=constant", "input.amplitude=1nA"],
     "input.amplitude", ["rheobase"]),
    (["device.cache_dir=late.csv"], "device.cache_dir", ["late.csv", "no cache"]),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "key", "words"), DOUBTS)
def test_what_is_probably_not_meant_is_warned_of(tmp_path, monkeypatch, typed, key, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "late.csv").write_text("1000, 0\n2000, 1\n")
    told = warned(*typed)[key]
    assert [word for word in words if word not in told] == [], told


def test_what_is_meant_is_not_warned_of():
    assert not warned("input=step", "duration=1s")
    assert not warned("input=constant", "input.amplitude=0mA")
    cell = ("neuron=lif", "neuron.R=100Mohm", "neuron.V_th=20mV")
    assert not warned(*cell, "input=constant", "input.amplitude=300pA")
    assert not warned("input=sinusoidal", "input.frequency=1kHz")


def test_a_population_that_memory_cannot_hold_is_refused(monkeypatch):
    """Counts of spikes and one variable of a million neurons, in 16 MiB."""
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 4096}.get)
    (found,) = problems("size=1000000")
    assert (found.key, found.given) == ("size", "1000000")
    assert "0.08 GB" in found.advice
    assert "0.0168 GB" in found.advice


def test_complex_samples_are_refused(tmp_path):
    np.save(tmp_path / "c.npy", np.ones(9) * 1j)
    (found,) = problems("input=current_from_file", f"input.file='{tmp_path}/c.npy'")
    assert found.key == "input.file"
    assert "complex" in found.advice
