"""Inputs that read files: what they take, and what they refuse."""

from __future__ import annotations

import brainunit as u
import numpy as np
import pytest
from test_config import problems, read
from test_inputs import columns, drawn, environment, mA, ms, mV

import neurolab
from neurolab.inputs import (
    InputFileError,
    SignalFromFile,
    SpikesFromFile,
)


def write(path, table):
    """A table as .npy, .npz, text with commas (and a comment), or text with spaces."""
    if path.suffix == ".npy":
        np.save(path, table)
    elif path.suffix == ".npz":
        np.savez(path, table=table)
    else:
        np.savetxt(path, table, delimiter="," if path.suffix == ".csv" else " ", header="a comment")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".npy", ".npz"])
def test_a_signal_is_read_from_a_file(tmp_path, suffix):
    """One column for all neurons or one each, in the unit given; the last sample is held."""
    each = np.array([[1.0, 2.0], [3.0, -4.0], [5.0, 6.5]])
    file = write(tmp_path / f"each{suffix}", each)
    found = drawn(SignalFromFile(2, file=file, unit="nA", sampling=0.2 * ms), 10)
    np.testing.assert_allclose(found, each[[0, 0, 1, 1, 2, 2, 2, 2, 2, 2]])
    file = write(tmp_path / f"all{suffix}", each[:, 0])
    model = SignalFromFile(2, file=str(file), unit="nA", sampling=0.1 * ms)
    found = drawn(model, 4)  # once, since it is common to both
    np.testing.assert_allclose(found, [[1.0], [3.0], [5.0], [5.0]])
    np.testing.assert_allclose(u.get_mantissa(model.drive(found[1] * u.nA)), [3.0, 3.0])
    assert model.values.unit == u.nA


@pytest.mark.parametrize(("sampling", "dt"), [(1.0, 0.1), (0.01, 0.1), (0.1, 0.1), (0.3, 0.1)])
def test_a_step_takes_the_sample_that_its_beginning_lies_in(sampling, dt):
    """Sample k holds from k sampling until (k + 1) sampling, also where dt is coarser than it."""
    samples = np.arange(5000.0)
    model = SignalFromFile(1, values=samples[:, None] * mA, sampling=sampling * ms)
    steps = np.arange(400)
    ratio = round(dt * 1000) / round(sampling * 1000)
    expected = np.floor(steps * ratio + 1e-9)
    np.testing.assert_array_equal(drawn(model, 400, dt)[:, 0], expected)


@pytest.mark.parametrize("sampling", [0.1, 0.2, 1.0])
def test_samples_are_exact_after_many_steps(sampling):
    """Also after 2000000 steps a sample begins and ends where it should."""
    first, every = 2_000_000, round(sampling / 0.1)
    rows = np.arange(first // every - 10, first // every + 10)
    samples = np.zeros(first // every + 100)
    samples[rows] = rows
    model = SignalFromFile(1, values=samples[:, None] * mA, sampling=sampling * ms)
    steps = first - 5 + np.arange(10)
    np.testing.assert_array_equal(drawn(model, 10, first=first - 5)[:, 0], steps // every)


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".npy", ".npz"])
def test_spikes_are_read_from_a_file_and_arrive_in_their_step(tmp_path, suffix):
    """A spike at t arrives in the step that begins at t or holds it; order does not matter."""
    times, neurons = [0.35, 0.0, 0.3, 0.3, 90.0, 0.1], [1, 0, 2, 2, 1, 0]
    file = write(tmp_path / f"spikes{suffix}", columns(times, neurons))
    counts = drawn(SpikesFromFile(3, file=file, weight=1.0 * mV), 1000)
    expected = np.zeros((1000, 3))
    for step, neuron in zip([3, 0, 3, 3, 900, 1], neurons, strict=True):
        expected[step, neuron] += 1
    np.testing.assert_array_equal(counts, expected)
    in_seconds = write(tmp_path / f"s{suffix}", columns(np.array(times) / 1000, neurons))
    model = SpikesFromFile(3, file=in_seconds, unit="s", weight=1.0 * mV)
    np.testing.assert_array_equal(drawn(model, 1000), expected)


@pytest.mark.parametrize("dt", [0.1, 0.01, 0.3, 1 / 7])
def test_times_on_the_grid_arrive_in_their_own_step(dt):
    """Times n dt, however rounded, arrive in step n, for all n up to 10^5 and near 10^7."""
    steps = np.concatenate([np.arange(100_000), 10**7 + np.arange(1000)])
    model = SpikesFromFile(1, times=steps * dt * ms, neurons=np.zeros(steps.size, np.int32))
    with environment(dt):
        np.testing.assert_array_equal(model.steps(), steps)


def test_the_spikes_of_a_run_arrive_one_step_after_they_were_fired(tmp_path):
    """A run folder serves as a file: its spikes, stamped (n+1) dt, arrive in step n+1."""
    overrides = ["neuron=lif", "input=constant", "size=5", "duration=60ms", "device=cpu"]
    drive = "input.amplitude=[1.1rheobase,1.3rheobase,2rheobase,4rheobase,9rheobase]"
    run = neurolab.run([*overrides, drive], folder=tmp_path / "run")
    times, neurons = run.spikes["time"].values, run.spikes["neuron"].values
    assert times.size > 50
    expected = np.zeros((602, 5))
    np.add.at(expected, (np.rint(times / 0.1).astype(int), neurons), 1)
    numbers = read("size=5", "input=spikes_from_file", f"input.file={run.path}").numbers
    model = SpikesFromFile(
        5, arrivals=numbers["input.arrivals"], neurons=numbers["input.neurons"], weight=1.0 * mV
    )
    np.testing.assert_array_equal(drawn(model, 602), expected)
    (problem,) = problems("size=2", "input=current_from_file", f"input.file={run.path}")
    assert problem.key == "input.file"
    of_run = ("size=5", "input=spikes_from_file", f"input.file={run.path}")
    (problem,) = problems(*of_run, "input.unit=s")
    assert (problem.key, problem.given) == ("input.unit", "s")
    assert "leave it out" in problem.advice
    (late,) = read(*of_run, "duration=40ms").warnings
    assert (late.key, late.given) == (
        "input.file",
        f"{(times > 39.99).sum()} of {times.size} spikes",
    )
    assert not read(*of_run, "duration=61ms").warnings


BAD_SAMPLES = {
    "empty": (np.empty((0, 2)), "is empty"),
    "shape": (np.zeros((4, 3)), r"shape \(4, 3\); expected one column .* each of the 2"),
    "cube": (np.zeros((4, 2, 2)), r"shape \(4, 2, 2\); expected one column"),
    "nan": (np.array([[1.0, 2.0], [1.0, np.nan]]), "holds NaN or infinity, first in row 1"),
    "infinity": (np.array([np.inf, 1.0]), "holds NaN or infinity, first in row 0"),
    "words": (np.array(["a", "b"]), "cannot be read as a table of numbers"),
    "objects": (np.array([{}, None], object), "cannot be read as a table of numbers"),
}
BAD_SPIKES = {
    "one column": (np.zeros(4), r"shape \(4,\); expected two columns: the time .* the neuron"),
    "three columns": (np.zeros((4, 3)), "expected two columns"),
    "high neuron": ([[1.0, 0], [2.0, 2]], "from 0 to 2; expected whole numbers from 0 to 1"),
    "low neuron": ([[1.0, -1]], "from -1 to -1; expected whole numbers from 0 to 1"),
    "half neuron": ([[1.0, 0.5]], "expected whole numbers from 0 to 1"),
    "negative time": ([[1.0, 0], [-2.5, 1]], "negative time, -2.5 ms"),
    "nan time": ([[np.nan, 0]], "NaN"),
    "nan neuron": ([[1.0, np.nan]], "NaN"),
    "empty": (np.empty((0, 2)), "is empty"),
}


def refused(kind, file, message):
    with pytest.raises(InputFileError, match=message or None) as error:
        kind(2, file=file)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("case", BAD_SAMPLES)
def test_a_bad_file_of_samples_is_refused(tmp_path, case):
    """The error names the file, what it holds and what was expected."""
    table, message = BAD_SAMPLES[case]
    file = tmp_path / "samples.npy"
    np.save(file, table, allow_pickle=case == "objects")
    refused(SignalFromFile, file, message)


@pytest.mark.parametrize("case", BAD_SPIKES)
def test_a_bad_file_of_spikes_is_refused(tmp_path, case):
    """The error names the file, what it holds and what was expected."""
    table, message = BAD_SPIKES[case]
    file = tmp_path / "spikes.npy"
    np.save(file, np.asarray(table, np.float64))
    refused(SpikesFromFile, file, message)


@pytest.mark.parametrize(
    "text",
    [
        "time,neuron\n1.5,0\n2.5,1\n", "1.5;0\n2.5;1\n", "time;neuron\r\n1,5;0\r\n2,5;1\r\n",
        "# of a cell\ntime neuron\n1.5 0\n2.5\t1\n", "\ufefftime,neuron\n1.5, 0\n2.5, 1",
    ],
)  # fmt: skip
def test_tables_are_read_as_programs_write_them(tmp_path, text):
    """With a line of names, semicolons and decimal commas, a byte order mark."""
    file = tmp_path / "spikes.csv"
    file.write_text(text, encoding="utf-8")
    spikes = SpikesFromFile(2, file=str(file), unit="ms")
    np.testing.assert_allclose(spikes.times.to_decimal(ms), [1.5, 2.5])
    np.testing.assert_array_equal(spikes.neurons, [0, 1])


@pytest.mark.parametrize("kind", [SignalFromFile, SpikesFromFile])
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty"),
        ("comment.csv", b"# time, neuron\n", "is empty"),
        ("text.csv", b"time,neuron\nms,-\n1,0\n", "with one line of names at most"),
        ("word.csv", b"1,0\ntwo,1\n", "cannot be read as a table of numbers"),
        ("half.csv", b"1,neuron\n2,0\n", "cannot be read as a table of numbers"),
        ("ragged.csv", b"1,0\n2\n", "cannot be read as a table of numbers"),
        ("nan.csv", b"1,0\nnan,1\n", "holds NaN or infinity, first in row 1"),
        ("gap.csv", b"1,0\n2,,1\n", "line 2 has an empty field"),
        ("last.csv", b"1,0\n2,\n", "line 2 has an empty field"),
        ("binary.csv", bytes(range(128, 256)), "cannot be read as a table of numbers"),
        ("empty.npy", b"", "cannot be read as a table of numbers"),
        ("broken.npy", b"\x93NUMPY\x01\x00v\x00{'descr'", "cannot be read as a table of numbers"),
        ("broken.npz", b"PK\x03\x04 and no more", "cannot be read as a table of numbers"),
    ],
)
def test_an_unreadable_file_is_refused(tmp_path, kind, name, content, message):
    """Whatever the file holds, the error is an InputFileError that names it and says why."""
    file = tmp_path / name
    file.write_bytes(content)
    refused(kind, file, message)


@pytest.mark.parametrize("kind", [SignalFromFile, SpikesFromFile])
def test_a_missing_file_or_an_archive_of_two_is_refused(tmp_path, kind):
    """The error of a missing file lists those beside it; an .npz must hold one array."""
    write(tmp_path / "other.csv", np.zeros((2, 2)))
    refused(kind, tmp_path / "missing.csv", r"does not exist; beside it are other\.csv")
    refused(kind, tmp_path / "no" / "folder.npy", "does not exist")
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(2))
    refused(kind, tmp_path / "two.npz", "expected one array")


@pytest.mark.parametrize("kind", [SignalFromFile, SpikesFromFile])
def test_a_folder_that_is_no_run_is_refused(tmp_path, kind):
    """A folder without results is no input: an InputFileError that names it."""
    refused(kind, tmp_path, "")
