"""One population of a run, as a run of its own: ``run["E"]``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.results.stimulus import Stimulus
from neurolab.results.trains import Trains

if TYPE_CHECKING:
    import xarray as xr

    from neurolab.results.run import Run

__all__ = ["Population"]


class Population(Trains):
    """One population of a run, its neurons numbered from 0. See `Run.__getitem__`."""

    def __init__(self, run: Run, name: str) -> None:
        self._run, self.name = run, name
        #: Which neurons of the run they are.
        self.neurons = run.populations[name]

    @property
    def attributes(self) -> dict[str, Any]:
        return self._run.attributes

    @property
    def n_neurons(self) -> int:
        return int(self.neurons.stop - self.neurons.start)

    @property
    def committed_steps(self) -> int:
        return self._run.committed_steps

    @property
    def summary(self) -> dict[str, Any]:
        """What the run's summary has of the population."""
        return dict((self._run.summary.get("populations") or {}).get(self.name, {}))

    @property
    def stimuli(self) -> dict[str, Stimulus]:
        return {"": own} if (own := self._run.stimuli.get(self.name)) else {}

    @cached_property
    def traces(self) -> xr.Dataset:
        """Its recorded variables over (time in ms, neuron), without its name."""
        traces, prefix = self._run.traces, f"{self.name}."
        found = traces[[name for name in traces.data_vars if str(name).startswith(prefix)]]
        axes = {dim: "neuron" for dim in found.dims if str(dim).startswith("neuron")}
        found = found.rename({name: str(name).removeprefix(prefix) for name in found} | axes)
        if "neuron" in found.coords:
            found = found.assign_coords(neuron=found["neuron"] - self.neurons.start)
        return found.assign_attrs(n_neurons=self.n_neurons)

    @cached_property
    def spike_arrays(self) -> tuple[np.ndarray, np.ndarray] | None:
        if self._run.spike_arrays is None:
            return None
        (time_ms, neuron), own = self._run.spike_arrays, self.neurons
        here = (own.start <= neuron) & (neuron < own.stop)
        return time_ms[here], neuron[here] - own.start

    def read(self, name: str) -> np.ndarray:
        values = self._run.read(name)
        if name != "rate_counts":
            return values
        place = list(self._run.populations).index(self.name)
        return values[:, place] if values.ndim > 1 else values[:0]  # before the first bin

    def __repr__(self) -> str:
        return f"Population {self.name} of {self.n_neurons} neurons in {self._run!r}"
