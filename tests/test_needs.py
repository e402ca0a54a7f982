"""What results will take on a disk is told, or refused, before any are computed."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from sweeps import KEEP
from test_every_write import command, disk  # noqa: F401

import neurolab
from neurolab.api import experiment_of
from neurolab.results.room import used
from neurolab.simulation.needs import doubted, needs_of, refuse

RUN = ("duration=1s", "record=full", KEEP)


def test_traces_are_known_to_the_byte():
    found = needs_of(experiment_of(["size=100", "duration=1s", "record=full", "dt=0.1ms"]))
    assert found.traces == 100 * 10_000 * 4
    more = ["record.interval=1ms", "record.neurons=10", "device.precision=float64"]
    found = needs_of(experiment_of(["size=100", "duration=1s", "record=full", *more]))
    assert found.traces == 10 * 1000 * 8
    assert found.rates == 200 * 8
    assert needs_of(experiment_of(["record=summary"])).all == found.rates


@pytest.mark.parametrize(
    ("typed", "certain"),
    [
        ((), True),
        (("input=ou", "input.sigma=0.01rheobase", "input.mean=0.1rheobase"), True),  # never fires
        (("input=poisson_spikes",), False),  # each spike fires: V takes few values
        (("input.rate=1Hz",), False),  # at rest mostly
        (("input.rate=0Hz",), False),
        (("input=constant",), False),
        (("input=poisson_rates",), False),
    ],
)
def test_what_is_counted_on_is_written_at_the_least(tmp_path, typed, certain):
    """And of what is not, as of neurons that all do the same, nothing is."""
    given = [*RUN, "size=100", "record.variables=[V]", *typed]
    needs = needs_of(experiment_of(given))
    assert (needs.least > 0) == certain
    run = neurolab.run(given, tmp_path / "run")
    written = used(run.path / "results.zarr" / "V")
    assert needs.least <= written <= needs.traces * 1.01
    spikes = sum(used(run.path / "results.zarr" / f"spike_{name}") for name in ("step", "neuron"))
    assert spikes < 4 * run.summary["spike_count"] + 2**15


def test_traces_that_cannot_fit_are_refused(disk, monkeypatch, capfd):  # noqa: F811
    """32 MB of V on a disk of 8 MB; what is advised runs."""
    folder = disk(size=2**23)
    monkeypatch.chdir(folder.parent.parent)
    typed = (*RUN, "size=800", f"hydra.run.dir={folder}")
    assert command(monkeypatch, *typed) == 2
    said = capfd.readouterr().err
    assert "record.variables = [V]" in said
    assert "take 32 MB, 12.8 MB at the least when compressed, and 8.39 MB are free" in said
    assert "record.interval=0.5ms" in said
    assert list(folder.parent.iterdir()) == []
    command(monkeypatch, *typed, "record.interval=0.5ms")
    assert neurolab.open_run(folder).summary["status"] == "completed"
    shutil.rmtree(folder)
    capfd.readouterr()
    command(monkeypatch, *typed, "input=constant")  # 320 kB
    assert neurolab.open_run(folder).summary["status"] == "completed"
    assert "32 MB of traces before they are compressed" in capfd.readouterr().err


def test_those_of_a_sweep_are_of_all_its_points(disk, monkeypatch, capfd):  # noqa: F811
    folder = disk(size=2**21)
    monkeypatch.chdir(folder.parent.parent)
    typed = ("-m", *RUN, "size=100", f"hydra.sweep.dir={folder}", "seed=range:3")
    assert command(monkeypatch, *typed) == 2
    assert "take 12 MB, 4.8 MB at the least" in capfd.readouterr().err
    assert not (folder / "definition.json").exists()
    assert command(monkeypatch, *typed, "input.rate=0Hz,20Hz", "sweep.batch=3") == 1
    assert "about 24 MB" in capfd.readouterr().err  # of silent neurons nobody can tell


def test_spikes_are_estimated_and_refused_by_nobody(disk):  # noqa: F811
    folder = disk(size=2**20)
    experiment = experiment_of(["size=1000", "duration=100s", "record.neurons=0"])
    needs = needs_of(experiment)
    refuse(needs, folder)
    (told,) = doubted(needs, folder)
    assert told.key == "record.spikes"
    assert "6 MB of spikes if neurons fire at 20 Hz" in told.advice
    assert not doubted(replace(needs, spikes=2e5), folder)


def test_results_in_memory_are_refused_by_the_memory():
    huge = needs_of(experiment_of(["size=1000000", "duration=10000s", "record=full"]))
    with pytest.raises(neurolab.problems.ConfigError, match="free in memory"):
        refuse(huge, None)
