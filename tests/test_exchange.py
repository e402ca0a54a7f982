"""Spikes and traces in other libraries and files, read back by these."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import neurolab

NETWORK = {
    "defaults": [
        {"/neuron@populations.E.neuron": "lif"},
        {"/neuron@populations.I.neuron": "expif"},
        {"/input@populations.E.inputs.drive": "poisson"},
        {"/input@populations.I.inputs.drive": "poisson"},
    ],
    "populations": {"E": {"size": 4}, "I": {"size": 2}},
}


@pytest.fixture(scope="module")
def run():
    return neurolab.run(
        network=NETWORK, duration="200ms", device="cpu", record="full", record__interval="0.5ms",
        save=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def silent():
    return neurolab.run(size=3, duration="20ms", device="cpu", record="summary", save=False)


def test_neo_has_trains_and_signals_with_units(run):
    pytest.importorskip("neo")
    (segment,) = run.to_neo().segments
    assert [t.annotations["population"] for t in segment.spiketrains] == ["E"] * 4 + ["I"] * 2
    for train, times in zip(segment.spiketrains, run.spike_trains(), strict=True):
        np.testing.assert_allclose(train.rescale("s").magnitude, times * 1e-3)
        assert float(train.t_stop.rescale("ms")) == 200
    assert sum(len(train) for train in segment.spiketrains) > 10
    signals = {signal.name: signal for signal in segment.analogsignals}
    assert set(signals) == {str(name) for name in run.traces}
    for name, signal in signals.items():
        np.testing.assert_array_equal(signal.magnitude, run.traces[name].values)
        assert str(signal.dimensionality) == run.traces[name].attrs["units"]
        axis = run.traces[name].dims[0]
        np.testing.assert_allclose(signal.times.rescale("ms").magnitude, run.traces[axis].values)


def test_neo_of_a_population_is_its_own(run):
    pytest.importorskip("neo")
    (segment,) = run["I"].to_neo().segments
    assert [t.annotations["population"] for t in segment.spiketrains] == ["I"] * 2
    assert "V" in [signal.name for signal in segment.analogsignals]


def test_pynapple_has_seconds_and_populations(run):
    pytest.importorskip("pynapple")
    found = run.to_pynapple()
    spikes = found["spikes"]
    assert list(spikes["population"]) == ["E"] * 4 + ["I"] * 2
    for neuron, times in enumerate(run.spike_trains()):
        np.testing.assert_allclose(spikes[neuron].times(), times * 1e-3)
    assert spikes.time_support["end"][0] == pytest.approx(0.2)
    frame = found["E.V"]
    np.testing.assert_allclose(frame.times() * 1e3, run.traces["time"].values)
    np.testing.assert_array_equal(frame.values, run.traces["E.V"].values)


def test_nwb_reads_back(run, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    path = run.to_nwb(tmp_path / "run.nwb")
    with pynwb.NWBHDF5IO(path, "r") as file:
        read = file.read()
        assert list(read.units["population"][:]) == ["E"] * 4 + ["I"] * 2
        for neuron, times in enumerate(run.spike_trains()):
            np.testing.assert_allclose(read.units["spike_times"][neuron], times * 1e-3)
        np.testing.assert_allclose(read.units["obs_intervals"][0], [[0, 0.2]])
        series = read.acquisition["E.V"]
        np.testing.assert_array_equal(series.data[:], run.traces["E.V"].values)
        assert (series.unit, series.rate) == ("mV", pytest.approx(2000))
        assert series.starting_time == pytest.approx(0.5e-3)
    assert pynwb.validate(path=str(path)) == []
    with pytest.raises(FileExistsError):
        run.to_nwb(path)


def test_a_run_without_spikes_has_none_there(silent):
    pytest.importorskip("neo")
    (segment,) = silent.to_neo().segments
    assert len(segment.spiketrains) == len(segment.analogsignals) == 0


@pytest.mark.parametrize(
    ("name", "extra"), [("to_neo", "neo"), ("to_pynapple", "pynapple"), ("to_nwb", "pynwb")]
)
def test_a_library_that_is_not_installed_is_named(run, name, extra, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(ImportError, match=r"pip install 'neurolab\["):
        getattr(run, name)(*([tmp_path / "a.nwb"] if name == "to_nwb" else []))
