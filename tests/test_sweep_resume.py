"""A sweep that goes on is computed with the same models: sources and versions."""

from __future__ import annotations

import importlib
import json
import logging

import numpy as np
import pytest
from sweeps import sweep

from neurolab.problems import ConfigError
from neurolab.results import digests as files
from neurolab.results.batches import SweepFolder
from neurolab.simulation.stop import StopRequest
from neurolab.sweep.task import Task

BASES = "from neurolab.neurons import LIF\n\n\nclass Base(LIF):\n    pass\n"
CELLS = "from lab.bases import Base\n\n\nclass Slow(Base):\n    pass\n"
TYPED = ("neuron._target_=neurolab.neurons.LIF,lab.cells.Slow", "size=2", "duration=10ms")


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A package of somebody's own."""
    package = tmp_path / "lab"
    package.mkdir()
    (package / "bases.py").write_text(BASES)
    (package / "cells.py").write_text(CELLS)
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in ("lab", "lab.cells", "lab.bases"):
        importlib.sys.modules.pop(name, None)


def resumed(folder):
    return sweep(folder, *TYPED, f"sweep.resume='{folder}'")


def computed_by_a_task(folder):
    task = Task(folder, {}, np.array([1]), None)
    store = SweepFolder(folder)
    task._compute(store, store.plan(), task.points, StopRequest())


def edit(folder, what="versions", **given):
    path = folder / "definition.json"
    definition = json.loads(path.read_text())
    definition.pop("sha256", None)
    definition[what] |= given
    path.write_text(json.dumps(definition))
    return definition


@pytest.mark.parametrize("name", ["cells", "bases"])
def test_a_model_whose_source_changed_is_another_sweep(tmp_path, lab, name):
    """The module of the class, or of one that it is derived from; it mixed two models."""
    sweep(tmp_path / "sweep", *TYPED)
    assert set(resumed(tmp_path / "sweep").table["status"]) == {"completed"}
    source = lab / f"{name}.py"
    source.write_text(source.read_text() + "\n    note = 1\n")
    with pytest.raises(ConfigError, match=rf"lab/{name}\.py .*put back.*another folder"):
        resumed(tmp_path / "sweep")
    with pytest.raises(ConfigError, match=rf"lab/{name}\.py"):  # a task that began later
        computed_by_a_task(tmp_path / "sweep")


def test_another_version_of_neurolab_is_refused_and_of_jax_noted(tmp_path, lab, caplog):
    """Rounding may differ with jax: that is warned of, once, and kept in the definition."""
    folder = tmp_path / "sweep"
    sweep(folder, *TYPED)
    assert edit(folder, neurolab=["0.0.1"])["versions"].keys() == {"neurolab", "jax", "brainstate"}
    with pytest.raises(ConfigError, match=r"neurolab 0\.0\.1.*another folder"):
        resumed(folder)
    sweep(tmp_path / "other", *TYPED)
    edit(tmp_path / "other", jax=["0.0.2"])
    with caplog.at_level(logging.WARNING, "neurolab"):
        resumed(tmp_path / "other")
        assert caplog.text.count("jax 0.0.2") == 1
        resumed(tmp_path / "other")
        assert caplog.text.count("jax 0.0.2") == 1
    versions = json.loads((tmp_path / "other" / "definition.json").read_text())["versions"]
    assert versions["jax"][0] == "0.0.2"
    assert len(versions["jax"]) == 2


def test_another_source_of_neurolab_is_refused(tmp_path, lab, monkeypatch):
    """A checkout changes and keeps its version: two states of it were mixed."""
    sweep(tmp_path / "sweep", *TYPED)
    edit(tmp_path / "sweep", "files", **{"neurolab's own source": "another"})
    with pytest.raises(ConfigError, match=r"neurolab's own source has other .*another folder"):
        resumed(tmp_path / "sweep")
    with pytest.raises(ConfigError, match="neurolab's own source"):
        computed_by_a_task(tmp_path / "sweep")
    edit(tmp_path / "sweep", neurolab=["0.0.1"])
    with pytest.raises(ConfigError, match=r"begun with neurolab 0\.0\.1"):
        resumed(tmp_path / "sweep")


def test_the_digest_of_neurolab_is_of_each_module(tmp_path, monkeypatch):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "cells.py").write_text("a = 1")
    monkeypatch.setattr(files, "__file__", str(tmp_path / "results" / "digests.py"))
    own = files._own_source.__wrapped__
    before = own()
    assert own() == before
    (tmp_path / "cells.py").write_text("a = 2")
    assert own() != before


def test_a_sweep_of_before_goes_on(tmp_path, lab):
    """Its definition has neither digests nor versions."""
    sweep(tmp_path, *TYPED)
    path = tmp_path / "definition.json"
    definition = json.loads(path.read_text())
    del definition["versions"], definition["files"], definition["sha256"]
    path.write_text(json.dumps(definition))
    assert set(resumed(tmp_path).table["status"]) == {"completed"}
