"""One neuron over repetitions: ``sweep.trials(neuron=3, b=5).psth(200, 50, 300, 5)``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.results.trains import Trains

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Trials"]


class Trials(Trains):
    """The spikes of one neuron in several runs, which stand where a run has neurons: what a run
    says of its neurons (`psth`, `fano_factor`, `cv`, `plot.raster`, ..) this says of trials.

    Parameters
    ----------
    runs
        Runs, or populations of these, of the same length.
    neuron
        Which neuron of each.
    names
        What tells the trials apart: their seeds.

    Raises
    ------
    ValueError
        There are none, or they have other steps, or no such neuron.
    """

    member = "trial"

    def __init__(self, runs: Sequence[Trains], neuron: int, names: Sequence[Any]) -> None:
        if not runs:
            raise ValueError("no run of these was completed")
        steps = {(run.dt_ms, run.committed_steps) for run in runs}
        if len({run.start_ms for run in runs}) > 1:
            raise ValueError("trials are recorded from the same time on; these are not")
        if len(steps) > 1:
            lasted = ", ".join(f"{n * dt:g} ms in steps of {dt:g} ms" for dt, n in sorted(steps))
            raise ValueError(f"trials are as long as one another; these are {lasted}")
        n = min(run.n_neurons for run in runs)
        if not 0 <= neuron < n:
            raise ValueError(f"neurons are 0 to {n - 1}; got {neuron}")
        self.runs, self.neuron, self.names = list(runs), int(neuron), list(names)

    @property
    def attributes(self) -> dict[str, Any]:
        about = self.runs[0].attributes
        return {"dt_ms": about["dt_ms"], "record_spikes": about["record_spikes"],
            "rate_bin_steps": None, "traces": about["traces"],
            "start_step": self.runs[0].start_step}  # fmt: skip

    @property
    def n_neurons(self) -> int:
        """How many trials."""
        return len(self.runs)

    @property
    def committed_steps(self) -> int:
        return self.runs[0].committed_steps

    def read(self, name: str) -> np.ndarray:
        raise KeyError(f"trials have no array {name!r}; their runs have")

    @cached_property
    def spike_arrays(self) -> tuple[np.ndarray, np.ndarray] | None:
        own = [self._of(run) for run in self.runs]
        if any(one is None for one in own):
            return None
        times = [one for one in own if one is not None]
        time = np.concatenate(times)
        trial = np.repeat(np.arange(len(times)), [one.size for one in times])
        order = np.argsort(time, kind="stable")
        return time[order], trial[order]

    def _of(self, run: Trains) -> np.ndarray | None:
        if run.spike_arrays is None:
            return None
        time, neuron = run.spike_arrays
        found: np.ndarray = time[neuron == self.neuron]
        return found

    @cached_property
    def traces(self) -> xr.Dataset:
        """Recorded variables of the neuron over (time in ms, trial)."""
        import xarray as xr

        found = []
        for run in self.runs:
            kept = {str(name): values for name, values in run.traces.items()
                    if self.neuron in values[values.dims[1]].values}  # fmt: skip
            one = {name: values.sel({values.dims[1]: self.neuron}, drop=True)
                   for name, values in kept.items()}  # fmt: skip
            found.append(xr.Dataset(one))
        trials = xr.IndexVariable("neuron", np.arange(self.n_neurons), {"long_name": "trial"})
        whole = xr.concat(found, dim=trials, combine_attrs="override")
        return whole.transpose(..., "neuron").assign_attrs(n_neurons=self.n_neurons)

    def __repr__(self) -> str:
        return (
            f"Trials: neuron {self.neuron} in {self.n_neurons} runs of {self.duration_ms:g} ms, "
            f"{', '.join(map(str, self.names[:8]))}{', ..' * (self.n_neurons > 8)}"
        )
