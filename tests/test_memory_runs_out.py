"""Memory that runs out while something is computed: it goes on with less at a time, to the same
result, or says what it needs."""

from __future__ import annotations

import logging
import subprocess
import sys

import jax
import numpy as np
import pytest
from nights import every
from sweeps import KEEP, same_spikes

import neurolab
from neurolab.cli.main import main
from neurolab.engine.program import Program
from neurolab.problems import OutOfMemoryError

RUN = ("size=300", "duration=500ms", "record=full", KEEP)
TIMES = ("neuron_updates_per_s", "compile_s", "wall_s", "peak_rss_mb", "config_hash")

#: The memory of a process is bounded by the system; XLA then says what `exhausted` reads.
LIMITED = """
import resource
from pathlib import Path
import jax
import numpy as np
from neurolab.api import experiment_of
from neurolab.engine.program import Program
from neurolab.engine.smaller import exhausted, halved

experiment = experiment_of(["size=1000", "record=full", "record.variables=[V]"])
small = Program(experiment.structure, 2000)
numbers = small.place(experiment.numbers)
small.compile(numbers)
state, records = small.advance(numbers, small.start(numbers), 2000)
program = Program(experiment.structure, 2**18)
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + 700 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
numbers, raised = program.place(experiment.numbers), 0
while True:
    try:
        program.compile(numbers)
        break
    except Exception as error:
        assert exhausted(error), error
        raised += 1
        program, numbers = halved(program, numbers)
# What has no memory in a thread of XLA's own may never be said to have ended: no limit any more.
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
after, again = program.advance(numbers, program.start(numbers), 2000)
assert all(np.array_equal(after[name], state[name]) for name in state)
assert np.array_equal(again["neuron.V"][:2000], records["neuron.V"][:2000])
print("raised", raised, "capacity", program.capacity)
"""


def test_a_program_whose_records_have_no_memory_is_halved():
    """A GB of them has no place in 700 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    _, raised, _, capacity = done.stdout.split()
    assert int(raised) > 0
    assert int(capacity) == 2**18 >> int(raised)


@pytest.fixture
def memory(monkeypatch):
    """Bounds the steps of which a device has memory for the records, and from which call on."""
    found = {"steps": 2**30, "calls": 0, "after": 0}
    before = {name: getattr(Program, name) for name in ("compile", "advance")}

    def bounded(name):
        def call(self, *arguments):
            found["calls"] += 1
            steps = self.capacity * (self.points or 1)
            if any(isinstance(of, jax.core.Tracer) for of in jax.tree.leaves(arguments[1:])):
                steps = 0  # nothing is computed
            if steps > found["steps"] and found["calls"] > found["after"]:
                raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9.")
            return before[name](self, *arguments)

        return call

    for name in before:
        monkeypatch.setattr(Program, name, bounded(name))
    monkeypatch.setattr("neurolab.simulation.runner._CHUNK_SECONDS", 0.02)
    return found


@pytest.mark.parametrize("after", [0, 3])
def test_a_run_goes_on_in_shorter_chunks(memory, caplog, after):
    """When it is compiled, or in the midst of it."""
    whole = neurolab.run(RUN, save=False)
    memory |= {"steps": 600, "calls": 0, "after": after}
    run = neurolab.run(RUN, save=False)
    assert "not enough memory: chunks of 512 steps at most" in caplog.text
    assert same_spikes(run, whole)
    np.testing.assert_array_equal(run.traces["V"].values, whole.traces["V"].values)
    assert {**run.summary, **dict.fromkeys(TIMES)} == {**whole.summary, **dict.fromkeys(TIMES)}


def test_what_does_not_fit_at_all_says_what_it_needs(memory, tmp_path, monkeypatch, capfd):
    memory["steps"] = 0
    logging.getLogger().handlers.clear()  # of tests before, to streams that are closed
    with pytest.raises(OutOfMemoryError, match="the states of 300 neurons take"):
        neurolab.run(RUN, save=False)
    monkeypatch.setattr("sys.argv", ["neurolab", *RUN, f"hydra.run.dir={tmp_path}/run"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr().err
    assert ended.value.code == 1
    assert "neurolab: memory ran out, of which" in said and "fewer neurons (size)" in said
    assert "Traceback" not in said
    assert neurolab.open_run(tmp_path / "run").summary["status"] == "failed"


@pytest.mark.parametrize(
    ("steps", "told"), every([(12000, "points at once from now on"), (1200, "chunks of ")], 2)
)
def test_points_of_a_sweep_are_fewer_then_their_chunks_shorter(
    memory, tmp_path, caplog, steps, told
):
    given = ["size=20", "duration=500ms", "record=full", "seed=range:4", "device.count=1", KEEP]
    whole = neurolab.run_sweep(given, tmp_path / "whole")
    memory["steps"] = steps
    found = neurolab.run_sweep(given, tmp_path / "limited")
    assert told in caplog.text
    assert set(found.table["status"]) == {"completed"}
    for k in range(4):
        assert same_spikes(found[k], whole[k])
        np.testing.assert_array_equal(found[k].traces["V"].values, whole[k].traces["V"].values)
