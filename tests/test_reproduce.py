"""`reproduce=<folder>`: the same again, or the first difference and what changed."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import zarr

import neurolab
from neurolab.problems import ConfigError

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR", "")
KEEP = f"device.cache_dir={CACHE}" if CACHE else "device.precision=float32"
RUN = ("neuron=adexif_ref", "size=10", "duration=200ms", "record=full", KEEP)


def test_a_run_is_the_same_again(tmp_path):
    run = neurolab.run(RUN, tmp_path / "run")
    files = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    found = neurolab.reproduce(tmp_path / "run")
    assert found.identical and found.steps == 2000 and not found.changed
    assert str(found) == "identical: 2000 steps"
    assert files == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("what", ["V", "spike_neuron"])
def test_the_first_difference_is_told(tmp_path, what):
    """A value that is another by the last bit; a spike of another neuron; and another machine."""
    run = neurolab.run(RUN, tmp_path / "run")
    array = zarr.open_group(run.path / "results.zarr", mode="r+", use_consolidated=False)[what]
    if what == "V":
        array[700, 3] = np.nextafter(array[700, 3], np.float32(0))
        expected = "differs: V of neuron 3 in step 700: "
    else:
        step, neuron = int(run.read("spike_step")[0]), int(array[0])
        array[0] = (neuron + 1) % 10
        first = min(neuron, (neuron + 1) % 10)
        expected = f"differs: spike of neuron {first} in step {step}: "
    record = json.loads((run.path / "run.json").read_text())
    del record["sha256"]
    record["sessions"][0] |= {"device": "abacus x 7", "git_revision": "0123456789ab"}
    (run.path / "run.json").write_text(json.dumps(record))
    command = [sys.executable, "-m", "neurolab", f"reproduce={run.path}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(expected)
    assert "changed: device was abacus x 7, is cpu x 1" in done.stdout


def test_points_of_a_sweep(tmp_path):
    """Some or all; what is swept decides what the program takes, so one alone is computed as it
    was among the others."""
    typed = ("neuron.tau_w=30ms,50ms,70ms", "duration=100ms,200ms")
    sweep = neurolab.run_sweep([*RUN, *typed], tmp_path / "sweep")
    one = neurolab.reproduce(sweep.path, [4])
    assert one.identical and one.points == (4,) and one.steps == 2000
    assert str(neurolab.reproduce(sweep.path)) == "identical: 6 points, 9000 steps in all"
    [batch] = (sweep.path / "batches").iterdir()
    array = zarr.open_group(batch / "results.zarr", mode="r+", use_consolidated=False)["w"]
    array[2, 44, 1] = 0
    found = neurolab.reproduce(sweep.path)
    assert list(found.differences) == [2]
    assert str(found).startswith("differs: point 2: w of neuron 1 in step 44: 0.0, ")
    with pytest.raises(ConfigError, match=r"points = 9\n.*6 points that are done"):
        neurolab.reproduce(sweep.path, [9])
    with pytest.raises(ConfigError, match="this is a run"):
        neurolab.reproduce(neurolab.run(RUN, tmp_path / "run").path, [0])


def test_numbers_of_a_summary_are_compared(tmp_path):
    """Nothing else is recorded; a file that has other samples now is another mean of V."""
    samples = tmp_path / "samples.csv"
    samples.write_text("0.5\n0.7\n")
    typed = ["input=current_from_file", f"input.file={samples}", "input.sampling=25ms", KEEP]
    typed += ["neuron=lif", "size=5", "duration=50ms", "record=summary", "record.summary=[V_mean]"]
    neurolab.run(typed, tmp_path / "run")
    neurolab.run_sweep([*typed, "seed=1,2"], tmp_path / "sweep")
    for folder in ("run", "sweep"):
        assert neurolab.reproduce(tmp_path / folder).identical
    samples.write_text("0.5\n0.6\n")
    assert "differs: V_mean: " in str(neurolab.reproduce(tmp_path / "run"))
    assert set(neurolab.reproduce(tmp_path / "sweep").differences) == {0, 1}
