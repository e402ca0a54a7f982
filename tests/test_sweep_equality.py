"""A point of a sweep is the run it would be alone, whatever it is computed with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as property_of
from hypothesis import strategies as st
from sweeps import same_spikes, sweep, trace_difference

import neurolab
from neurolab.sweep import compute


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch):
    """Pictures have tests of their own."""
    monkeypatch.setattr("neurolab.plots.run.draw_all", lambda run: [])
    monkeypatch.setattr("neurolab.plots.sweep.draw_all", lambda *_: [])


STRUCTURES = {
    "conductance": (
        "neuron=gif", "synapse=expon", "synapse/output=conductance", "+input@inputs.noise=ou",
        "input.rate=60Hz", "inputs.noise.sigma=linspace:0.5rheobase:2rheobase:5",
    ),
    "file": (
        "neuron=lif_ref", "integrator=rk4", "input=spikes_from_file", "input.file='{file}'",
        "input.weight=linspace:5rheobase*ms:15rheobase*ms:5", "+input@inputs.step=step",
        "inputs.step.start=20ms", "neuron.tau=[normal,8ms,1ms]",
    ),
}  # fmt: skip
BATCHES = {
    "all on 2": ("device.count=2",), "3 on 1": ("sweep.batch=3", "device.count=1"),
    "1": ("sweep.batch=1",),
}  # fmt: skip
COMPARED = """
import json, sys
import neurolab.plots.run, neurolab.plots.sweep
neurolab.plots.run.draw_all = neurolab.plots.sweep.draw_all = lambda *_: []
sys.path.insert(0, sys.argv[1])
import test_sweep_equality
print(json.dumps(test_sweep_equality.compare(sys.argv[2])))
"""


def compare(folder):
    """How points of all structures differ from single runs, in batches of several sizes."""
    folder, found = Path(folder), {}
    np.save(folder / "spikes.npy", np.column_stack([np.arange(80) * 1.2, np.arange(80) % 10]))
    for name, overrides in STRUCTURES.items():
        given = [text.format(file=folder / "spikes.npy") for text in overrides]
        given.append("device.precision=float64")
        there = {k: sweep(folder / name / k, *given, *more) for k, more in BATCHES.items()}
        first = there["all on 2"]
        for index in (1, 4):
            alone = neurolab.run(first.overrides(index), folder / name / str(index))
            found[f"{name} {index}"] = {
                "spikes": alone.summary["spike_count"],
                "same": {k: same_spikes(s[index], alone) for k, s in there.items()},
                "differ": max(trace_difference(s[index], alone) for s in there.values()),
            }
    return found


def test_batches_and_devices_do_not_matter(tmp_path):
    """In float64 a point is the run it would be alone: all five at once on 2 devices, 3 on one, 1.

    Spikes are identical, traces to 1e-12 of V in mV.  The points are computed in a process of their
    own: one that has loaded JAX cannot have more devices.
    """
    environment = os.environ | {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "PYTHONPATH": str(Path(neurolab.__file__).parent.parent),
    }
    done = subprocess.run(
        [sys.executable, "-c", COMPARED, str(Path(__file__).parent), str(tmp_path)],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == 4
    for point, told in found.items():
        assert told["same"] == dict.fromkeys(BATCHES, True), point
        assert told["differ"] <= 1e-12, point
    assert sum(told["spikes"] > 0 for told in found.values()) == 4


def test_points_that_wait_for_others_are_no_different(tmp_path, monkeypatch):
    """A device steps three of its points at once, then the next three: all as if at once."""
    given = ("input.rate=linspace:20Hz:90Hz:8", "device.precision=float64", "device.count=1")
    whole = sweep(tmp_path / "whole", *given)
    monkeypatch.setitem(compute.NEURONS_TOGETHER, "cpu", 30)
    parts = sweep(tmp_path / "parts", *given)
    assert whole.spike_count.sum() > 50
    assert [same_spikes(*pair) for pair in zip(whole, parts, strict=True)] == [True] * 8
    assert max(trace_difference(*pair) for pair in zip(whole, parts, strict=True)) <= 1e-12


@property_of(points=st.integers(1, 5000), n_devices=st.integers(1, 9), at_once=st.integers(1, 300))
def test_points_are_shared_equally(points, n_devices, at_once):
    """Every device has as many, in equal parts that fit, and few are there for that alone."""
    n, part = compute._shared(points, n_devices, at_once)
    assert n >= points
    assert n % (n_devices * part) == 0
    assert 1 <= part <= at_once
    assert n - points < n_devices * (n // (n_devices * part) + 1)
    assert part > 1 or at_once == 1


def test_in_float32_spikes_are_the_same_as_well(tmp_path):
    """50 points in float32, at once, 7 at a time, and one alone: all spikes are identical.

    Rounding may differ between programs, so this is a measurement: of 150 points of three
    structures (LIF; AdEx with a synapse; GIF with a conductance and noise), each in four kinds of
    batches, none had another spike than alone, and V differed by at most 2.4e-7 mV.
    """
    given = ("neuron.tau=linspace:4ms:12ms:5", "input.rate=linspace:20Hz:60Hz:10")
    whole, seven = sweep(tmp_path / "a", *given), sweep(tmp_path / "b", *given, "sweep.batch=7")
    assert len(list((tmp_path / "b" / "batches").iterdir())) > 5
    assert whole.spike_count.sum() > 1000
    assert [same_spikes(*pair) for pair in zip(whole, seven, strict=True)] == [True] * 50
    alone = neurolab.run(whole.overrides(17), tmp_path / "alone")
    assert same_spikes(whole[17], alone)
    assert trace_difference(whole[17], alone) < 1e-6
