"""A run leaves a complete folder, however it ends, and its numbers can be recomputed."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from nights import every

import neurolab
from neurolab.results.arrays import Arrays
from neurolab.results.layout import Chunk

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
SHORT = ("size=20", "duration=200ms", KEEP)
SUMMARY = {
    "status", "n_neurons", "n_steps", "dt_ms", "duration_ms", "seed", "spike_count",
    "rate_hz_mean", "rate_hz_std", "isi_cv_mean", "neuron_updates_per_s", "compile_s", "wall_s",
    "peak_rss_mb", "device", "precision", "versions", "git_revision", "config_hash",
}  # fmt: skip


def run(folder, *overrides):
    return neurolab.run([*SHORT, *overrides], folder=folder)


def command(folder, *overrides):
    return [sys.executable, "-m", "neurolab", *overrides, f"hydra.run.dir='{folder}'"]


def spikes(run):
    return np.stack([run.spikes["time"].values, run.spikes["neuron"].values])


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A run with a synapse, a conductance, two inputs, and everything recorded."""
    return run(
        tmp_path_factory.mktemp("full") / "run", "neuron=lif", "synapse=expon",
        "synapse/output=conductance", "+input@inputs.noise=ou", "record=full",
    )  # fmt: skip


def test_the_folder_is_complete(full):
    """Configuration, overrides, log, results, commit, summary and plots are there, none empty."""
    there = {path.relative_to(full.path).as_posix() for path in full.path.rglob("*")}
    wanted = {
        ".hydra/config.yaml", ".hydra/overrides.yaml", "neurolab.log", "results.zarr/zarr.json",
        "commit.json", "summary.json", "raster.png", "traces.png", "rate.png",
    }  # fmt: skip
    assert wanted <= there
    assert all((full.path / name).stat().st_size > 0 for name in wanted)
    assert not [name for name in there if name.endswith(".partial")]


def test_the_summary_says_what_the_issue_asks(full):
    """summary.json is strict JSON with every key, and open_run gives it back."""

    def refuse(text):
        raise ValueError(text)

    text = (full.path / "summary.json").read_text()
    summary = json.loads(text, parse_constant=refuse)
    assert summary.keys() >= SUMMARY
    del summary["sha256"]
    assert summary == full.summary == neurolab.open_run(full.path).summary
    assert (summary["status"], summary["n_neurons"], summary["n_steps"]) == ("completed", 20, 2000)
    assert (summary["dt_ms"], summary["duration_ms"], summary["seed"]) == (0.1, 200, 0)
    assert summary["precision"] == "float32"
    assert {"python", "jax", "brainstate", "numpy"} <= summary["versions"].keys()
    assert 0 < summary["compile_s"] <= summary["wall_s"]
    assert summary["neuron_updates_per_s"] > 0
    assert summary["peak_rss_mb"] > 50


def test_the_summary_is_that_of_the_spikes(full):
    """Rates, their spread, and the CV of intervals are those of the recorded spikes."""
    times, neurons = spikes(full)
    counts = np.bincount(neurons.astype(int), minlength=20)
    rates = counts / 0.2
    cvs = []
    for k in range(20):
        intervals = np.diff(times[neurons == k])
        if len(intervals) >= 2:
            cvs.append(intervals.std() / intervals.mean())
    assert full.summary["spike_count"] == len(times) > 20
    assert full.summary["rate_hz_mean"] == pytest.approx(rates.mean())
    assert full.summary["rate_hz_std"] == pytest.approx(rates.std())
    assert full.summary["isi_cv_mean"] == pytest.approx(np.mean(cvs))


def test_an_opened_run_has_dimensions_and_units(full):
    """Traces lie over time (ms) and neuron in their units, spikes over a spike dimension."""
    assert full.config.neuron._target_ == "neurolab.neurons.LIF"
    assert full.config.inputs.noise.tau == "5 ms"
    assert set(full.traces) == {"V", "synapse.g", "inputs.noise.I"}
    units = {name: full.traces[name].attrs["units"] for name in full.traces}
    assert units["V"] == "mV"
    assert units["inputs.noise.I"] == "mA"
    assert units["synapse.g"] in ("mA/mV", "siemens", "S")
    V = full.traces["V"]
    assert V.dims == ("time", "neuron")
    assert V.shape == (2000, 20)
    np.testing.assert_allclose(V["time"], 0.1 * np.arange(1, 2001))
    assert V["time"].attrs["units"] == full.spikes["time"].attrs["units"] == "ms"
    assert full.spikes["time"].dims == full.spikes["neuron"].dims == ("spike",)


def test_a_spike_is_stamped_with_the_end_of_its_step(full):
    """At the time of a spike V has reached the threshold, 1 mV, and only there."""
    above = full.traces["V"].values >= 1.0
    rows = np.rint(full.spikes["time"].values / 0.1).astype(int) - 1
    found = np.zeros_like(above)
    found[rows, full.spikes["neuron"].values] = True
    np.testing.assert_array_equal(found, above)


def test_the_rate_is_that_of_the_spikes(full):
    """The population rate counts the spikes in bins of 5 ms, each closed at its end."""
    steps = np.rint(full.spikes["time"].values / 0.1).astype(int) - 1
    counts = np.bincount(steps // 50, minlength=40)
    np.testing.assert_allclose(full.rate.values, counts / (20 * 5e-3))
    np.testing.assert_allclose(full.rate["time"], 2.5 + 5 * np.arange(40))


def test_what_is_recorded_can_be_chosen(tmp_path, full):
    """record=summary keeps no spike but counts them all; variables, neurons, interval and bins
    are parts of the full recording."""
    same = ("neuron=lif", "synapse=expon", "synapse/output=conductance", "+input@inputs.noise=ou")
    bare = run(tmp_path / "summary", *same, "record=summary")
    assert bare.spikes is None
    assert list(bare.traces) == []
    for key in ("spike_count", "rate_hz_mean", "isi_cv_mean"):
        assert bare.summary[key] == pytest.approx(full.summary[key])
    np.testing.assert_array_equal(bare.rate, full.rate)

    part = run(
        tmp_path / "part", *same, "record=spikes", "record.variables=[synapse.g,V]",
        "record.neurons=[7,3]", "record.interval=2ms", "record.rate_bin=20ms",
    )  # fmt: skip
    np.testing.assert_array_equal(spikes(part), spikes(full))
    assert list(part.traces) == ["synapse.g", "V"]
    for name in part.traces:
        expected = full.traces[name].sel(neuron=[7, 3])[19::20]
        np.testing.assert_array_equal(part.traces[name], expected)
        np.testing.assert_allclose(part.traces[name]["time"], expected["time"])
        assert part.traces[name]["neuron"].values.tolist() == [7, 3]
    np.testing.assert_allclose(part.rate, full.rate.values.reshape(10, 4).mean(axis=1))


def test_inputs_add_up(tmp_path):
    """Two constant currents drive as their sum does: V after 20 ms is that of 0.8 mA."""
    found = run(
        tmp_path / "run", "neuron=lif", "size=2", "duration=20ms", "input=constant",
        "input.amplitude=0.5mA", "+input@inputs.more=constant", "inputs.more.amplitude=300uA",
        "record=full",
    )  # fmt: skip
    t = found.traces["V"]["time"].values
    expected = 0.8 * -np.expm1(-t / 5.0)
    np.testing.assert_allclose(found.traces["V"].values[:, 0], expected, rtol=1e-5)


def test_runs_in_one_process_do_not_see_each_other(tmp_path):
    """A run of other precision, step and seed in between leaves a run what it was."""
    first = run(tmp_path / "1")
    other = run(tmp_path / "2", "device.precision=float64", "dt=0.2ms", "seed=5", "record=full")
    again = run(tmp_path / "3")
    assert other.traces["V"].dtype == np.float64
    assert (other.summary["precision"], other.summary["n_steps"]) == ("float64", 1000)
    assert again.summary["precision"] == "float32"
    np.testing.assert_array_equal(spikes(first), spikes(again))
    np.testing.assert_array_equal(first.traces["V"], again.traces["V"])
    assert first.summary["config_hash"] == again.summary["config_hash"]
    assert first.summary["config_hash"] != other.summary["config_hash"]
    assert spikes(first).shape != spikes(other).shape or (spikes(first) != spikes(other)).any()


def test_a_hash_of_a_configuration_is_also_of_its_files(tmp_path):
    """With another recording it is another experiment."""
    found = []
    for times in ([1.0], [1.0], [2.0]):
        np.save(tmp_path / "spikes.npy", np.column_stack([times, np.zeros(1)]))
        given = ("input=spikes_from_file", f"input.file={tmp_path}/spikes.npy", "duration=5ms")
        found.append(neurolab.run([*SHORT, *given], save=False).summary["config_hash"])
    assert found[0] == found[1] != found[2]


def test_the_command_is_the_function(tmp_path):
    """`python -m neurolab` and neurolab.run give the same spikes, configuration and hash."""
    overrides = ("neuron=lif", *SHORT)
    done = subprocess.run(command(tmp_path / "a", *overrides), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "completed" in done.stdout
    one, other = neurolab.open_run(tmp_path / "a"), run(tmp_path / "b", "neuron=lif")
    np.testing.assert_array_equal(spikes(one), spikes(other))
    assert one.config == other.config
    assert one.summary["config_hash"] == other.summary["config_hash"]
    files = [{p.name for p in r.path.iterdir()} for r in (one, other)]
    assert files[0] == files[1]


def test_a_diverging_run_is_stopped_and_told(tmp_path):
    """Where V becomes infinite or NaN the run ends: variable, step, time and neuron are named,
    exit code 3, and the data before are kept, to the step."""
    overrides = (*SHORT, "neuron=lif", "integrator=euler", "input=constant", "record=full",
                 "neuron.tau=[uniform,0.03ms,0.045ms]")  # fmt: skip
    done = subprocess.run(command(tmp_path / "a", *overrides), capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    found = neurolab.open_run(tmp_path / "a")
    message = found.summary["message"]
    assert found.summary["status"] == "diverged"
    assert message in done.stderr
    assert "smaller dt" in done.stderr
    assert "spk_reset=hard" in done.stderr
    good = found.committed_steps
    assert message.startswith("V became ")
    assert f"in step {good} ({(good + 1) * 0.1:g} ms), neuron " in message
    assert 0 < good < 2000
    V = found.traces["V"].values
    assert V.shape == (good, 20)
    assert np.isfinite(V).all()
    # Euler's method is unstable for dt > 2 tau; the neuron named is the one that swings widest.
    assert np.abs(V[-1]).argmax() == int(message.rpartition(" ")[2])


BROKEN = '''
from neurolab.neurons import LIF

class Broken(LIF):
    """A model with a mistake."""
    def derivatives(self, y, current):
        raise RuntimeError("the cell is broken")
'''


def test_a_run_that_fails_says_why(tmp_path):
    """A mistake in a user's model: exit 1, status failed, the traceback in the log, no more."""
    (tmp_path / "mycells.py").write_text(BROKEN)
    done = subprocess.run(
        command(tmp_path / "a", "neuron._target_=mycells.Broken", *SHORT),
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": _path()},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "the cell is broken" in done.stderr
    assert "neurolab.log" in done.stderr
    assert json.loads((tmp_path / "a" / "summary.json").read_text())["status"] == "failed"
    log = (tmp_path / "a" / "neurolab.log").read_text()
    assert "Traceback" in log
    assert "mycells.py" in log
    assert neurolab.open_run(tmp_path / "a").committed_steps == 0


def _path() -> str:
    """Where this package is, for a process that is started in another folder."""
    return os.path.dirname(os.path.dirname(neurolab.__file__))  # noqa: PTH120


@pytest.mark.parametrize(
    ("number", "code"), every([(signal.SIGTERM, 143), (signal.SIGINT, 130)], 2)
)
def test_a_stopped_run_keeps_what_was_committed(tmp_path, number, code):
    """Ctrl-C and SIGTERM: status interrupted, exit 130 or 143, whole data up to the stop."""
    folder = tmp_path / "a"
    process = subprocess.Popen(
        command(folder, "size=10", "duration=100000s", KEEP),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        commit, patience = folder / "commit.json", time.monotonic() + 120
        while not commit.exists() and process.poll() is None and time.monotonic() < patience:
            time.sleep(0.05)
        process.send_signal(number)
        _, told = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == code, told
    assert "Traceback" not in told
    found = neurolab.open_run(folder)
    assert found.summary["status"] == "interrupted"
    assert signal.Signals(number).name in found.summary["message"]
    assert found.committed_steps == found.summary["n_steps"] > 0
    assert found.summary["spike_count"] == found.spikes.sizes["spike"] > 0
    assert found.spikes["time"].values.max() <= found.duration_ms
    assert found.traces["V"].shape == (found.committed_steps // 2, 4)
    assert math.isfinite(found.summary["rate_hz_mean"])
    assert (folder / "raster.png").exists()


def test_a_write_that_failed_is_not_made_a_second_time(tmp_path, monkeypatch):
    """A disk that is full for a moment: what was committed stays as it was, in order."""
    append, written = Arrays.append, []

    def full_for_once(self, name, values):
        written.append(name)
        if written.count("spike_step") == 2 and name == "spike_step":
            raise OSError(28, "No space left on device")
        append(self, name, values)

    monkeypatch.setattr(Arrays, "append", full_for_once)
    monkeypatch.setattr("neurolab.simulation.runner._CHUNK_SECONDS", 0.0)  # a commit for each chunk
    with pytest.raises(OSError, match="No space"):
        run(tmp_path / "run", "duration=2s")
    broken = neurolab.open_run(tmp_path / "run")
    assert 0 < broken.committed_steps < 20000
    time_ms = broken.traces["time"].values
    assert time_ms.size == broken.commit.lengths["time"]
    np.testing.assert_allclose(np.diff(time_ms), 0.2)
    assert written.count("spike_step") == 2


def test_what_waits_to_be_written_is_bounded(tmp_path, monkeypatch):
    """Small chunks wait for one another, but no more of them than record.memory allows."""
    joined = []
    monkeypatch.setattr(Chunk, "joined", staticmethod(_noted(joined, Chunk.joined)))
    given = ("record=full", "record.memory=1MiB", "duration=2s", "size=100")
    one = neurolab.run([*given, KEEP], tmp_path / "run")
    bytes_per_step = one.traces.nbytes / one.committed_steps
    assert max(joined) * bytes_per_step <= 2**20
    assert sum(joined) == 20000


def _noted(lengths, join):
    def noting(chunks):
        lengths.append(sum(chunk.n_steps for chunk in chunks))
        return join(chunks)

    return noting
