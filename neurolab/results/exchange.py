"""Spikes and traces for other libraries: Neo, pynapple, and files of Neurodata Without Borders.

Each library is an extra of neurolab's, imported here when it is asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import numpy as np

from neurolab.results.layout import replacing

if TYPE_CHECKING:
    from neurolab.results.trains import Trains

__all__ = ["to_neo", "to_nwb", "to_pynapple"]


class _Signal(NamedTuple):
    """A trace: values over (time, neuron), and when the first sample is, and every how long."""

    name: str
    values: np.ndarray
    unit: str
    neurons: np.ndarray
    first_ms: float
    every_ms: float


def to_neo(trains: Trains) -> Any:
    """A `neo.Block` of one segment, with a `neo.SpikeTrain` for each neuron and a
    `neo.AnalogSignal` for each trace; see `Trains.to_neo`."""
    neo = _library("neo", "neo")
    segment = neo.Segment(name="run")
    spikes = trains.spike_trains() if trains.attributes["record_spikes"] else []
    for neuron, (times, name) in enumerate(zip(spikes, _names(trains), strict=False)):
        about = {"neuron": neuron, "population": name}
        when = {"t_start": trains.start_ms, "t_stop": trains.duration_ms}
        train = neo.SpikeTrain(times, units="ms", **when, **about)
        segment.spiketrains.append(train)
    for signal in _signals(trains):
        segment.analogsignals.append(
            neo.AnalogSignal(
                signal.values,
                units="dimensionless" if signal.unit == "1" else signal.unit,
                name=signal.name,
                t_start=signal.first_ms * _ms(neo),
                sampling_period=signal.every_ms * _ms(neo),
                array_annotations={"neuron": signal.neurons},
            )
        )
    block = neo.Block(name="neurolab")
    block.segments.append(segment)
    return block


def to_pynapple(trains: Trains) -> dict[str, Any]:
    """``spikes`` as a `pynapple.TsGroup` and each trace as a `pynapple.TsdFrame`, by name; see
    `Trains.to_pynapple`."""
    nap = _library("pynapple", "pynapple")
    whole = nap.IntervalSet(trains.start_ms * 1e-3, trains.duration_ms * 1e-3)
    found: dict[str, Any] = {}
    if trains.attributes["record_spikes"]:
        spikes = {
            neuron: nap.Ts(times * 1e-3, time_support=whole)
            for neuron, times in enumerate(trains.spike_trains())
        }
        population = _names(trains)
        found["spikes"] = nap.TsGroup(
            spikes, time_support=whole, metadata={"population": population}
        )
    for signal in _signals(trains):
        found[signal.name] = nap.TsdFrame(
            _times_ms(signal) * 1e-3, signal.values, time_support=whole, columns=signal.neurons
        )
    return found


def to_nwb(trains: Trains, path: str | Path) -> Path:
    """A file with the spikes as units and each trace as a time series; see `Trains.to_nwb`."""
    nwb = _library("pynwb", "nwb")
    path = Path(path)
    if path.exists():
        raise FileExistsError(f"{path} is there already; choose another name")
    file = nwb.NWBFile(
        session_description="a simulation by neurolab; no animal was recorded",
        identifier=str(uuid4()),
        session_start_time=datetime.now(UTC),
    )
    if trains.attributes["record_spikes"]:
        file.add_unit_column("population", "name of the neuron's population")
        whole = np.array([[trains.start_ms, trains.duration_ms]]) * 1e-3
        for neuron, (times, name) in enumerate(
            zip(trains.spike_trains(), _names(trains), strict=True)
        ):
            seconds = times * 1e-3
            file.add_unit(id=neuron, spike_times=seconds, obs_intervals=whole, population=name)
    for signal in _signals(trains):
        file.add_acquisition(
            nwb.TimeSeries(
                name=signal.name,
                data=signal.values,
                unit=signal.unit,
                starting_time=signal.first_ms * 1e-3,
                rate=1e3 / signal.every_ms,
                comments=f"columns are the neurons {signal.neurons.tolist()}",
            )
        )
    with replacing(path) as partial, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*does not end in '\.nwb'")  # not yet
        with nwb.NWBHDF5IO(partial, "w") as out:
            out.write(file)
    return path


def _library(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        advice = f"{name} is not installed: pip install 'neurolab[{extra}]'"
        raise ImportError(advice) from error


def _ms(neo: Any) -> Any:
    """A millisecond of the library by which Neo has units."""
    return neo.SpikeTrain([], units="ms", t_stop=1.0).t_stop


def _names(trains: Trains) -> list[str]:
    """The name of each neuron's population; empty without populations."""
    found = [getattr(trains, "name", "")] * trains.n_neurons
    for name, of in getattr(trains, "populations", {}).items():
        found[of] = [name] * (of.stop - of.start)
    return found


def _signals(trains: Trains) -> Iterator[_Signal]:
    for name, trace in trains.traces.items():
        time, neuron = trace.dims
        times = trace[time].values
        if times.size:
            yield _Signal(
                str(name),
                trace.values,
                str(trace.attrs.get("units", "1")),
                trace[neuron].values,
                float(times[0]),
                int(trace.attrs["every"]) * trains.dt_ms,
            )


def _times_ms(signal: _Signal) -> np.ndarray:
    return signal.first_ms + np.arange(len(signal.values)) * signal.every_ms
