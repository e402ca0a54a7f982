"""What is in Trackio's database after a run and a sweep."""

from __future__ import annotations

import json
import sqlite3

import pytest
from sweeps import SHORT

import neurolab
from neurolab.problems import ConfigError

pytest.importorskip("trackio")


def read(folder):
    """Rows of metrics, and configurations by run."""
    with sqlite3.connect(folder / "neurolab.db") as database:
        rows = database.execute("select run_name, step, metrics from metrics order by id")
        found = [(name, step, json.loads(text)) for name, step, text in rows]
        configs = dict(database.execute("select run_name, config from configs"))
    return found, {name: json.loads(text) for name, text in configs.items()}


def test_a_run_and_a_sweep_are_in_its_database(tmp_path):
    """Metrics over time, pictures, a table with a row for each point, configurations."""
    place = ("tracker=trackio", f"tracker.folder={tmp_path / 'database'}")
    run = neurolab.run([*SHORT, *place, "neuron.tau=0.01s"], tmp_path / "run")
    neurolab.run_sweep([*SHORT, *place, "neuron.tau=5ms,10ms"], tmp_path / "sweep")
    rows, configs = read(tmp_path / "database")
    one, whole = configs
    assert "neuron.tau=0.01s" in one
    assert configs[one]["neuron"]["tau"] == 10
    assert configs[one]["units"]["neuron"]["tau"] == "ms"
    of_run = [(step, metrics) for name, step, metrics in rows if name == one]
    assert [step for step, _ in of_run] == [*range(10, 1001, 10), 1000]
    assert of_run[99][1]["spikes"] == run.summary["spike_count"]
    last = of_run[-1][1]
    assert last["summary/exit_code"] == 0
    assert last["summary/status"] == "completed"
    image = tmp_path / "database" / "media" / last["plots/raster"]["file_path"]
    assert image.stat().st_size > 1000
    (of_sweep,) = [metrics for name, _, metrics in rows if name == whole]
    assert [row["neuron.tau (ms)"] for row in of_sweep["points"]["_value"]] == [5, 10]


def test_without_the_package_it_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'neurolab\[trackio\]'"):
        neurolab.run([*SHORT, "tracker=trackio"], tmp_path / "run")
