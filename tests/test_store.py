"""What a run folder promises: whole after a kill at any moment, and readable as xarray."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neurolab.results.writer
from neurolab.problems import ResultsLostError
from neurolab.results.arrays import Arrays
from neurolab.results.layout import Chunk, Trace
from neurolab.results.run import Run, open_run
from neurolab.results.writer import ResultsWriter

N_NEURONS, DT_MS, BIN_STEPS = 20, 0.1, 10
TRACES = (
    Trace("V", "mV", np.arange(N_NEURONS), 1),
    Trace("w", "pA", np.arange(N_NEURONS), 1),
    Trace("g", "nS", np.array([3, 17]), 4),
)


def writer(folder: Path, **changed) -> ResultsWriter:
    options = {"n_neurons": N_NEURONS, "dt_ms": DT_MS, "traces": TRACES, "record_spikes": True}
    return ResultsWriter(folder, **(options | {"rate_bin_steps": BIN_STEPS} | changed))


def chunk(first: int, n_steps: int) -> Chunk:
    """Values that tell their step and neuron; neuron n % 20 spikes in every third step n."""
    steps = np.arange(first, first + n_steps)
    spikes = steps[steps % 3 == 0]
    traces = {}
    for trace in TRACES:
        samples = steps[(steps + 1) % trace.every == 0]
        values = samples[:, None] + trace.neurons[None, :] / 100
        traces[trace.name] = values.astype(np.float64)
    bins = np.arange(first // BIN_STEPS, (first + n_steps) // BIN_STEPS)
    starts, ends = bins * BIN_STEPS, (bins + 1) * BIN_STEPS
    counts = (ends + 2) // 3 - (starts + 2) // 3
    return Chunk(first, n_steps, spikes, (spikes % N_NEURONS).astype(np.int32), traces, counts)


def check(run: Run) -> None:
    """Everything in a run is what `chunk` made of its committed steps, neither more nor less."""
    expected = chunk(0, run.committed_steps)
    for trace in TRACES:
        variable = run.traces[trace.name]
        np.testing.assert_array_equal(variable.values, expected.traces[trace.name])
        time_axis, neuron_axis = variable.dims
        np.testing.assert_allclose(
            variable[time_axis], (np.floor(variable.values[:, 0]) + 1) * DT_MS
        )
        np.testing.assert_array_equal(variable[neuron_axis], trace.neurons)
    np.testing.assert_array_equal(run.spikes["time"], (expected.spike_step + 1) * DT_MS)
    np.testing.assert_array_equal(run.spikes["neuron"], expected.spike_neuron)
    bin_s = BIN_STEPS * DT_MS * 1e-3
    np.testing.assert_allclose(run.rate, expected.rate_counts / (N_NEURONS * bin_s))


def test_round_trip(tmp_path):
    """What was appended in uneven chunks comes back whole, with axes in ms and units.

    Traces sampled alike share `time` and `neuron`; another has axes of its own.
    """
    with writer(tmp_path) as out:
        first = 0
        for n_steps in (1, 2, 50, 7, 1000, 3):
            out.append(chunk(first, n_steps))
            first += n_steps
    run = open_run(tmp_path)
    assert run.committed_steps == first
    check(run)
    assert run.traces["V"].dims == run.traces["w"].dims == ("time", "neuron")
    assert run.traces["g"].dims == ("time_g", "neuron_g")
    assert run.traces["V"].attrs["units"] == "mV"
    assert run.traces["time"].attrs["units"] == run.spikes["time"].attrs["units"] == "ms"
    assert run.rate.attrs["units"] == "Hz"
    assert run.rate["time"].values[0] == pytest.approx(BIN_STEPS * DT_MS / 2)


def test_xarray_reads_the_store_by_itself(tmp_path):
    """`xarray.open_zarr` alone reads a closed store, times and zeros unchanged."""
    import xarray as xr

    with writer(tmp_path) as out:
        out.append(chunk(0, 100))
    data = xr.open_zarr(tmp_path / "results.zarr", chunks=None)
    assert data["V"].values[0, 0] == 0.0
    assert data["time"].values[-1] == pytest.approx(10.0)
    assert data["time"].dtype == np.float64


def test_killed_at_any_moment_it_opens_at_the_last_commit(tmp_path):
    """After kill -9, wherever it strikes, every array agrees with the marker."""
    child = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from pathlib import Path\n"
        "from test_store import chunk, writer\n"
        "out = writer(Path(sys.argv[3])); first = 0\n"
        "while True:\n"
        "    out.append(chunk(first, 100 + first % 37)); first += 100 + first % 37\n"
        "    print(first, flush=True)\n"
    )
    here = [str(Path(neurolab.results.writer.__file__).parents[2]), str(Path(__file__).parent)]
    processes = {
        tmp_path / str(commits): subprocess.Popen(
            [sys.executable, "-c", child, *here, str(tmp_path / str(commits))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for commits in (1, 2, 5, 9)
    }
    for folder, process in processes.items():
        with process:  # waits at its end
            said = [int(process.stdout.readline()) for _ in range(int(folder.name))]
            process.kill()
        run = open_run(folder)
        assert run.committed_steps >= said[-1]
        check(run)


@pytest.mark.parametrize("name", ["w", "rate_counts"])
def test_torn_tail_is_trimmed(tmp_path, monkeypatch, name):
    """A chunk that was written in part, up to any array, before its commit, is not seen."""
    out = writer(tmp_path)
    out.append(chunk(0, 50))
    append = Arrays.append

    def dies(self, array, values):
        if array == name:
            raise KeyboardInterrupt
        append(self, array, values)

    monkeypatch.setattr(Arrays, "append", dies)
    with pytest.raises(KeyboardInterrupt):
        out.append(chunk(50, 50))
    assert open_run(tmp_path).committed_steps == 50
    check(open_run(tmp_path))


def test_results_are_never_overwritten(tmp_path):
    """A second writer in the same folder is refused, and harms nothing."""
    with writer(tmp_path) as out:
        out.append(chunk(0, 50))
    with pytest.raises(FileExistsError, match="Choose another folder"):
        writer(tmp_path)
    check(open_run(tmp_path))


def test_a_run_without_commit_is_empty(tmp_path):
    """A folder whose run was killed before its first commit opens with nothing in it."""
    writer(tmp_path).open()
    run = open_run(tmp_path)
    assert run.committed_steps == 0
    assert len(run.traces) == run.spikes.sizes["spike"] == run.rate.size == 0


def test_what_was_not_recorded_is_none(tmp_path):
    """Spikes that were not kept differ from no spikes."""
    with writer(tmp_path, traces=(), record_spikes=False, rate_bin_steps=None) as out:
        out.append(Chunk(0, 5, np.empty(0, int), np.empty(0, int)))
    run = open_run(tmp_path)
    assert run.spikes is None
    assert run.rate is None
    assert run.duration_ms == pytest.approx(0.5)


def test_no_spikes_and_no_samples_in_a_chunk(tmp_path):
    """A chunk shorter than the sampling interval, without spikes, is a chunk like any other."""
    trace = Trace("V", "mV", np.arange(2), 10)
    none = np.empty(0, int)
    with writer(tmp_path, traces=[trace], rate_bin_steps=None) as out:
        out.append(Chunk(0, 5, none, none, {"V": np.empty((0, 2), np.float32)}))
        out.append(Chunk(5, 5, none, none, {"V": np.ones((1, 2), np.float32)}))
    run = open_run(tmp_path)
    assert run.traces["V"].dtype == np.float32
    assert run.traces["time"].values == pytest.approx([1.0])


WRONG = {
    "follow one another": {"first_step": 7},
    "equal length": {"spike_step": np.array([99])},
    "neurons 20 to 20, allowed are 0 to 19": {"spike_neuron": np.full(4, 20)},
    "steps 10 to 10, allowed are 0 to 9": {"spike_step": np.full(4, 10)},
    "must be": {"traces": {}},
    "rate_bin_steps": {"rate_counts": None},
}


def test_wrong_chunks_are_refused(tmp_path):
    """A chunk that contradicts the recording is refused before anything is written."""
    out = writer(tmp_path)
    for message, change in WRONG.items():
        with pytest.raises(ValueError, match=message):
            out.append(dataclasses.replace(chunk(0, 10), **change))
    out.append(chunk(0, 10))
    check(open_run(tmp_path))


@pytest.mark.parametrize("name", ["", "time", "a/b", "../x", "a..b", "1V"])
def test_names_that_cannot_be_stored_are_refused(tmp_path, name):
    """A trace's name must be a plain or dotted name, and no name the store uses itself."""
    with pytest.raises(ValueError, match="cannot be named"):
        writer(tmp_path, traces=[Trace(name, "mV", np.arange(2), 1)])


def test_commit_carries_notes(tmp_path):
    """`extra` is kept with the commit it was given to."""
    with writer(tmp_path) as out:
        out.append(chunk(0, 10), extra={"seconds": 1.5})
    assert open_run(tmp_path).commit.extra == {"seconds": 1.5}


def test_open_run_says_what_to_try(tmp_path):
    """A wrong path is answered with what a run folder holds and the runs nearby."""
    with writer(tmp_path / "day" / "run") as out:
        out.append(chunk(0, 10))
    with pytest.raises(FileNotFoundError, match=r"Runs nearby.*run"):
        open_run(tmp_path / "day" / "rum")
    with pytest.raises(ValueError, match=r"hold results\.zarr and \.hydra.*run"):
        open_run(tmp_path)
    (tmp_path / "failed" / ".hydra").mkdir(parents=True)
    with pytest.raises(ValueError, match="failed before it recorded"):
        open_run(tmp_path / "failed")
    check(open_run(tmp_path / "day" / "run" / "results.zarr"))


def test_run_tells_what_it_has(tmp_path):
    """The repr of a run names its size, traces, units and spikes; the configuration is read."""
    with writer(tmp_path) as out:
        out.append(chunk(0, 90))
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("seed: 3\n")
    (tmp_path / "summary.json").write_text('{"status": "completed"}')
    run = open_run(tmp_path)
    text = repr(run)
    for part in ("20 neurons", "90 steps", "9 ms", "completed", "V", "[mV]", "30 spikes"):
        assert part in text
    assert run.config.seed == 3


def damaged(tmp_path, name):
    """A file of an array of a run that is whole but for it."""
    with writer(tmp_path) as results:
        results.append(chunk(0, 500))
    check(open_run(tmp_path))
    return next(path for path in (tmp_path / "results.zarr" / name).glob("c.*") if path.is_file())


@pytest.mark.parametrize("name", ["spike_step", "spike_neuron", "rate_counts"])
@pytest.mark.parametrize("what", ["lost", "changed", "cut", "empty"])
def test_damaged_results_are_not_read_as_data(tmp_path, name, what):
    """A file that is missing, in which a byte differs, or that was not copied whole, is told."""
    file = damaged(tmp_path, name)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    if what == "lost":
        file.unlink()
    else:
        file.write_bytes({"changed": data, "cut": data[: len(data) // 2], "empty": b""}[what])
    with pytest.raises(ValueError, match=rf"{name}/c\.0 is damaged"):
        open_run(tmp_path).read(name)


def test_traces_that_are_lost_are_told(tmp_path):
    """They were 0 mV; those that changed are refused.  Where all are NaN there is a file."""
    file = damaged(tmp_path, "V")
    data = bytearray(file.read_bytes())
    file.unlink()
    with pytest.raises(ValueError, match=r"V/c\.0\.0 is damaged: it is missing"):
        open_run(tmp_path).traces["V"].values
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match="checksum"):
        open_run(tmp_path).traces["V"].values


def test_zeros_are_values(tmp_path):
    """One neuron, whose index is 0 in every spike, and a potential of 0 mV."""
    traces = [Trace("V", "mV", np.arange(1), 1)]
    with ResultsWriter(tmp_path, n_neurons=1, dt_ms=0.1, traces=traces) as results:
        zeros = np.zeros(10, np.int64)
        results.append(Chunk(0, 10, np.arange(10), zeros, {"V": np.zeros((10, 1))}, None))
    run = open_run(tmp_path)
    np.testing.assert_array_equal(run.spikes["neuron"], 0)
    np.testing.assert_array_equal(run.traces["V"], 0.0)


@pytest.mark.parametrize("text", ["", "[1]", '{"steps": '])
def test_a_damaged_commit_is_named(tmp_path, text):
    damaged(tmp_path, "V")
    (tmp_path / "commit.json").write_text(text)
    with pytest.raises(ValueError, match=r"commit\.json is damaged"):
        open_run(tmp_path)


def test_a_commit_of_more_than_there_is_is_no_result(tmp_path):
    damaged(tmp_path, "V")
    commit = json.loads((tmp_path / "commit.json").read_text())
    del commit["sha256"]
    commit["lengths"]["spike_step"] *= 10
    (tmp_path / "commit.json").write_text(json.dumps(commit))
    with pytest.raises(ValueError, match="spike_step is damaged: a part of it is missing"):
        open_run(tmp_path).read("spike_step")


def test_results_whose_folder_is_removed_are_not_continued(tmp_path):
    """Zarr makes what is missing: the second half of a run was "completed"."""
    results = writer(tmp_path / "run")
    results.append(chunk(0, 10))
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(ResultsLostError, match="until step 10 is lost"):
        results.append(chunk(10, 10))
    assert not (tmp_path / "run").exists()
