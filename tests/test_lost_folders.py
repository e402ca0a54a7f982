"""A folder that is removed while its run or sweep goes stays removed, and that is told."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import pytest
from sweeps import KEEP, sweep
from test_store import chunk, writer
from zarr.storage import LocalStore

import neurolab
from neurolab.problems import ResultsLostError
from neurolab.results.arrays import Arrays
from neurolab.results.writer import ResultsWriter
from neurolab.simulation.computation import Computation

RUN = ("size=10", "duration=2s", "record=full", KEEP)


@pytest.mark.parametrize("when", ["V", "spike_step", "rate_counts"])
def test_nothing_is_made_again_in_the_middle_of_a_chunk(tmp_path, monkeypatch, when):
    """Zarr makes folders that are missing: half a store, without what it had said of itself."""
    results, append = writer(tmp_path / "run"), Arrays.append
    results.append(chunk(0, 50))

    def removes(self, name, values):
        if name == when:
            shutil.rmtree(tmp_path / "run")
        append(self, name, values)

    monkeypatch.setattr(Arrays, "append", removes)
    with pytest.raises(ResultsLostError, match=r"removed or emptied.*until step 50 is lost"):
        results.append(chunk(50, 50))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_made_again_by_the_write_itself(tmp_path, monkeypatch):
    """Also where it is removed, or moved away, when Zarr had been told to write."""
    results, write = writer(tmp_path / "run"), LocalStore.set
    results.append(chunk(0, 50))

    async def removes(self, key, value):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        await write(self, key, value)

    monkeypatch.setattr(LocalStore, "set", removes)
    with pytest.raises(ResultsLostError, match=r"removed or emptied.*until step 50 is lost"):
        results.append(chunk(50, 50))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_made_again_where_an_array_is_made(tmp_path, monkeypatch):
    """With an array Zarr makes the group that it is in, if there is none any more."""
    results, make = writer(tmp_path / "run"), Arrays._create_trace

    def removes(self, trace, values):
        (tmp_path / "run").rename(tmp_path / "elsewhere")
        return make(self, trace, values)

    monkeypatch.setattr(Arrays, "_create_trace", removes)
    with pytest.raises(ResultsLostError, match="removed or emptied"):
        results.append(chunk(0, 50))
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]


def test_a_folder_that_is_removed_before_the_first_chunk_stays_so(tmp_path):
    results = writer(tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(ResultsLostError, match="removed"):
        results.open()
    with pytest.raises(ResultsLostError, match="removed"):
        results.close()
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_results_are_removed_does_not_say_they_can_be_opened(
    tmp_path, monkeypatch, caplog
):
    keep, calls = ResultsWriter.keep, []

    def removes(self, *arguments):
        keep(self, *arguments)
        calls.append(1)
        if len(calls) == 2:
            shutil.rmtree(tmp_path / "run" / "results.zarr")

    monkeypatch.setattr(ResultsWriter, "keep", removes)
    monkeypatch.setattr("neurolab.simulation.runner._CHUNK_SECONDS", 0.0)
    with pytest.raises(ResultsLostError, match="is lost"):
        neurolab.run(RUN, tmp_path / "run")
    assert "can be opened" not in caplog.text
    assert not (tmp_path / "run" / "results.zarr").exists()
    with pytest.raises(ValueError, match=r"results\.zarr is damaged: it is missing"):
        neurolab.open_run(tmp_path / "run")


@pytest.mark.parametrize("anew", [False, True])
def test_a_sweep_whose_folder_is_removed_ends(tmp_path, monkeypatch, anew):
    """It says what is lost, computes no further batch and leaves nothing behind; nor of a batch
    that was being begun, whose arrays made the folder anew."""
    begun, close = [], Computation.close

    def removes(self):
        close(self)
        begun.append(self.points)
        if len(begun) == 2:
            shutil.rmtree(tmp_path / "sweep")
            if anew:
                (tmp_path / "sweep" / "batches" / "000009-0" / "results.zarr").mkdir(parents=True)

    monkeypatch.setattr(Computation, "close", removes)
    with pytest.raises(ResultsLostError, match="sweep was removed or emptied meanwhile"):
        sweep(tmp_path / "sweep", "seed=range:8", "sweep.batch=1", "device.count=1")
    assert list(tmp_path.iterdir()) == []
    assert len(begun) <= 4


@pytest.mark.parametrize(
    ("given", "there"),
    [(("-m", "seed=range:200", "duration=1s", "sweep.batch=1", "hydra.sweep.dir=x"),
      "batches/000003-*/commit.json"),
     (("hydra.run.dir=x", "duration=1000s"), "commit.json")],
)  # fmt: skip
def test_removed_under_a_command(tmp_path, given, there):
    """Exit code 1, one sentence, no traceback; nothing is there in the end."""
    typed = ("size=50", "record=full", KEEP, *given)
    process = subprocess.Popen(
        [sys.executable, "-m", "neurolab", *typed],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        while not list((tmp_path / "x").glob(there)):
            assert process.poll() is None
            time.sleep(0.02)
        while (tmp_path / "x").exists():  # it may have written meanwhile
            shutil.rmtree(tmp_path / "x", ignore_errors=True)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 1, told
    assert "removed or emptied meanwhile" in told
    if "-m" in given:  # a run has it in its log as well
        assert "Traceback" not in told
    assert "can be opened" not in told
    assert list(tmp_path.iterdir()) == []
