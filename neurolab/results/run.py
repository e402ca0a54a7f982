"""Reading a run folder: `open_run` gives traces, spikes and rate as xarray, with units.

    run = open_run("outputs/2025-01-31/12-00-00")
    run.traces["V"], run.spikes, run.rate, run.summary, run.config
    run["E"].spikes, run["E"].isi(), run.synchrony()  # `neurolab.results.trains`

All is trimmed to the last commit: a run that was killed, or still goes, opens like any other.
"""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.results.damage import (
    SUMMARY,
    DamagedError,
    check_file,
    checked_commit,
    lost_results,
    read_mapping,
)
from neurolab.results.layout import RESULTS, Commit, kept
from neurolab.results.population import Population
from neurolab.results.status import read_summary, standing
from neurolab.results.stimulus import STIMULUS, Stimulus, read_stimuli
from neurolab.results.stored import whole
from neurolab.results.trains import Trains

if TYPE_CHECKING:
    import xarray as xr
    from omegaconf import DictConfig

log = logging.getLogger("neurolab")


class Run(Trains):
    """One run's results, read from its folder and trimmed to the last commit. See `open_run`."""

    #: Where it is among points that were computed together; None where it was alone.
    _in_batch: int | None = None

    def __init__(self, path: str | Path, commit: Commit | None = None, store: Any = None) -> None:
        self.path = Path(path)
        #: Where Zarr finds the arrays: a folder, or what a run that leaves none keeps in memory.
        self.store = self.path / RESULTS if store is None else store
        #: What was found to be damaged, by name; it raises when it is read, the rest can be read.
        self.damaged: dict[str, DamagedError] = {}
        if commit is None:
            commit, self.damaged = checked_commit(self.path, self.attributes)
        self.commit = commit

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """What the writer said about the recording, read without importing zarr."""
        if not isinstance(self.store, Path):
            return dict(self._group.attrs)
        path = self.store / "zarr.json"
        found = read_mapping(path).get("attributes")
        if not isinstance(found, dict) or "traces" not in found:
            raise DamagedError(path, "it does not say what was recorded")
        return found

    def beginning(self, most: int) -> Run:
        """As much of the run from its start as has at most ``most`` spikes, and as many samples
        of each trace: what a picture can show, however long the run."""
        lengths, every = dict(self.commit.lengths), self.attributes["traces"]
        steps = self.commit.steps
        if lengths.get("spike_step", 0) > most:
            steps = int(self.part("spike_step", slice(most, most + 1))[0])
        steps = min([steps, *(self.start_step + trace["every"] * most for trace in every.values())])
        if steps == self.commit.steps:
            return self
        if "spike_step" in lengths:
            known = self.part("spike_step", slice(0, min(most, lengths["spike_step"])))
            count = int(np.searchsorted(known, steps))
            lengths |= {"spike_step": count, "spike_neuron": count}
        for name, trace in every.items():
            own = kept(steps, trace["every"], self.start_step)
            lengths |= dict.fromkeys((name, trace["axes"][0]), own)
        if "rate_counts" in lengths:
            lengths["rate_counts"] = kept(steps, self.attributes["rate_bin_steps"], self.start_step)
        found = Run(self.path, Commit(steps, lengths, self.commit.extra), self.store)
        found.damaged = self.damaged
        return found

    @property
    def committed_steps(self) -> int:
        return self.commit.steps

    @property
    def n_neurons(self) -> int:
        return int(self.attributes["n_neurons"])

    @property
    def populations(self) -> dict[str, slice]:
        """Of a network, which neurons are of each population, by its name."""
        found = self.attributes.get("populations") or {}
        return {name: slice(*ends) for name, ends in found.items()}

    @property
    def silent(self) -> tuple[str, ...]:
        """Names of the populations that cannot fire, as those without a threshold."""
        return tuple(self.attributes.get("silent", ()))

    @property
    def firing(self) -> np.ndarray:
        found = np.ones(self.n_neurons, bool)
        for name in self.silent:
            found[self.populations[name]] = False
        return found if found.any() else ~found

    def __getitem__(self, name: str) -> Population:
        """One population of a network, with its neurons numbered from 0.

        Raises:
            KeyError: there is none of this name.
        """
        if name not in self.populations:
            there = ", ".join(self.populations) or "none, as the run is of one population"
            raise KeyError(f"no population {name!r}; there are: {there}")
        return Population(self, name)

    def name_of(self, neuron: int) -> str:
        """A neuron as it is called: ``E 17``, numbered in its population; ``neuron 17`` alone."""
        for name, of in self.populations.items():
            if of.start <= neuron < of.stop:
                return f"{name} {neuron - of.start}"
        return f"neuron {neuron}"

    @cached_property
    def config(self) -> DictConfig:
        """The composed configuration (empty when the folder has none)."""
        from omegaconf import DictConfig, OmegaConf

        check_file(self.path, ".hydra/config.yaml", self.commit)
        path = self.path / ".hydra" / "config.yaml"
        config = OmegaConf.load(path) if path.exists() else OmegaConf.create({})
        if isinstance(config, DictConfig):
            return config
        raise ValueError(f"{path} must hold a mapping.")

    @cached_property
    def summary(self) -> dict[str, Any]:
        """`summary.json` (empty when the run wrote none, so for a run that was killed)."""
        return read_summary(self.path)

    @property
    def status(self) -> str:
        """How it ended, or how far it is; ``damaged`` if that cannot be read."""
        try:
            return str(self.summary.get("status") or standing(self.path)[0])
        except DamagedError:
            return "damaged"

    @cached_property
    def traces(self) -> xr.Dataset:
        """Recorded variables over (time in ms, neuron); values are read when first used.

        Units are in each variable's `units` attribute. Variables with another sampling interval
        or other neurons have axes of their own, `time_<name>` and `neuron_<name>`.
        """
        import xarray as xr

        from neurolab.results.lazy import lazy, unreadable

        lengths, group = self.commit.lengths, self._group
        traces = {n: t for n, t in self.attributes["traces"].items() if n in lengths}
        many = {} if self._in_batch is None else {"point": self._in_batch}
        damaged, coordinates = dict(self.damaged), {}
        for axis in sorted({axis for trace in traces.values() for axis in trace["axes"]}):
            try:
                values = self.part(axis, slice(0, lengths[axis]))
                coordinates[axis] = (axis, values, dict(group[axis].attrs))
            except DamagedError as error:
                damaged[axis] = error
        variables = {}
        for name, trace in traces.items():
            axes = trace["axes"]
            if bad := next((damaged[n] for n in (name, *axes) if n in damaged), None):
                variables[name] = unreadable(bad, axes, [lengths[axis] for axis in axes])
                continue
            variables[name] = lazy(group, name, (*many, *axes)).isel(
                {**many, axes[0]: slice(0, lengths[name])}
            )
        data = xr.Dataset(variables)
        data.attrs = {"n_neurons": self.n_neurons, "duration_ms": self.duration_ms}
        return data.assign_coords(coordinates)

    @property
    def stimuli(self) -> dict[str, Stimulus]:
        return read_stimuli(self.path) if isinstance(self.store, Path) and not self.place else {}

    @property
    def place(self) -> tuple[int, ...]:
        """Where it is along an axis of points, if its arrays have one."""
        return () if self._in_batch is None else (self._in_batch,)

    def kind(self, name: str) -> str:
        """What the values of an array are, as NumPy has it; a `DamagedError` if it is damaged."""
        self.part(name, *self.place, slice(0, 0))
        return str(self._group[name].dtype.kind)

    def __repr__(self) -> str:
        where = self.path if isinstance(self.store, Path) else "in memory"
        name = "Run" if self._in_batch is None else f"Point {self.summary['point']} in"
        lengths, lines = self.commit.lengths, [f"{name} {where}"]
        lines.append(
            f"  {self.n_neurons} neurons, {self.committed_steps} steps of {self.dt_ms:g} ms "
            f"= {self.duration_ms:g} ms ({self.status})"
            + (f", recorded from {self.start_ms:g} ms on" if self.start_step else "")
        )
        if self.populations:
            sizes = (f"{name} {of.stop - of.start}" for name, of in self.populations.items())
            lines.append(f"  .populations     {', '.join(sizes)}")
        for name, trace in self.attributes["traces"].items():
            lines.append(
                f"  .traces.{name:<8} [{trace['unit'] or '1'}] {lengths.get(name, 0)} samples, "
                f"every {trace['every']} step{'s' * (trace['every'] > 1)}"
            )
        if self.attributes["record_spikes"]:
            lines.append(f"  .spikes          {lengths.get('spike_step', 0)} spikes")
        if self.attributes["rate_bin_steps"] is not None:
            bin_ms = self.attributes["rate_bin_steps"] * self.dt_ms
            lines.append(
                f"  .rate            {lengths.get('rate_counts', 0)} bins of {bin_ms:g} ms"
            )
        return "\n".join([*lines, "  .config, .summary", *map(str, self.damaged.values())])

    def _repr_html_(self) -> str:
        from neurolab.results.notebook import of_run

        return of_run(self)

    @cached_property
    def _group(self) -> Any:
        import zarr

        return zarr.open_group(self.store, mode="r", use_consolidated=False)

    def read(self, name: str) -> np.ndarray:
        length = self.commit.lengths.get(name, 0)
        return self.part(name, slice(0, length)) if length else np.zeros(0, np.int64)

    def part(self, name: str, *where: Any) -> np.ndarray:
        """A part of an array as it is stored; a `DamagedError` says if it is damaged."""
        if name in self.damaged:
            raise self.damaged[name]
        return whole(self._group, name, *where)


def open_run(path: str | Path) -> Run:
    """Open a run folder, also one that is still being written or whose run was killed.

    What of it is damaged is told and raises when it is read (`Run.damaged`); the rest can be read.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is not a run folder, or the run recorded nothing; a `DamagedError`, if what
            says how much there is of what is missing or not as it was written.
    """
    path = Path(path)
    if path.name == RESULTS and path.is_dir():
        path = path.parent
    if (path / RESULTS / "zarr.json").exists():
        run = Run(path)
        for name, read in ((SUMMARY, lambda: run.summary), (STIMULUS, lambda: run.stimuli)):
            try:
                read()
            except DamagedError as error:
                run.damaged[name] = error
        for damaged in run.damaged.values():
            log.warning("%s", damaged)
        return run
    lost = lost_results(path, read_mapping(path / SUMMARY, needed=False))
    if lost is not None:
        raise lost
    runs = ", ".join(map(str, _runs_near(path)))
    hint = f"Runs nearby: {runs}." if runs else "Runs are usually under outputs/."
    if not path.exists():
        raise FileNotFoundError(f"there is no run folder {path}. {hint}")
    if (path / ".hydra").is_dir():
        raise ValueError(
            f"{path} is a run that failed before it recorded anything ({RESULTS} is missing); "
            f"its log says why. {hint}"
        )
    raise ValueError(f"{path} is not a run folder: those hold {RESULTS} and .hydra. {hint}")


def _runs_near(path: Path, at_most: int = 3) -> list[Path]:
    """The newest runs under `path`, or under its nearest existing parent's outputs."""
    while not path.exists() and path != path.parent:
        path = path.parent
    depths = ("", "*/", "*/*/")
    runs = [found.parent for depth in depths for found in path.glob(f"{depth}*/{RESULTS}")]
    return sorted(runs, key=lambda run: run.stat().st_mtime, reverse=True)[:at_most]
