"""``neurolab.run`` and ``neurolab.run_sweep``: the main command as functions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.types import RunMode
from omegaconf import OmegaConf

from neurolab.cli.compose import (
    check_folder,
    check_sweep_folder,
    compose_config,
    compose_master,
    sweep_key,
)
from neurolab.cli.diagnose import checked, not_of_a_run
from neurolab.cli.keywords import listed, told_as_keywords
from neurolab.cli.raised import explained
from neurolab.cli.record import save_config, save_defaults
from neurolab.problems import ConfigError, Problem, Problems
from neurolab.results.kept import keeping_inputs, kept_in
from neurolab.results.lease import Lease
from neurolab.results.room import keeping
from neurolab.results.run import Run, open_run
from neurolab.simulation.log import log_to

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from neurolab.config.experiment import Experiment
    from neurolab.config.settings import Settings
    from neurolab.engine.program import Program
    from neurolab.results.sweep import Sweep

__all__ = ["compile", "experiment_of", "experiment_of_run", "run", "run_sweep", "untracked"]


@told_as_keywords
def run(
    overrides: Iterable[str | Mapping[str, Any]] = (),
    folder: str | Path | None = None,
    *,
    save: bool = True,
    **keys: Any,
) -> Run:
    """Simulate a configuration and return its results.

        neurolab.run(neuron="adexif_ref", neuron__b=5 * u.mA, duration=2 * u.second)
        neurolab.run(neuron="lif", input=np.sin(np.arange(10_000) / 50) * u.mA)

    Parameters
    ----------
    overrides
        As on the command line: ``["neuron=lif", "neuron.tau=12ms"]``; but of a key that is given
        twice, as in ``[*usual, "duration=2s"]``, the last counts.  A mapping is a network, written
        as the file of one: ``[{"populations": ..., "projections": ...}, "duration=2s"]``.
    folder
        The run folder; by default one under ``outputs/``, as on the command line.
    save
        False keeps the results in memory and leaves no folder, no picture and no page.
    keys
        The same as keywords, two underscores for a dot: ``neuron__tau=12 * u.ms``,
        ``inputs__noise="ou"``.  Values are texts as they are typed, numbers, quantities, lists,
        arrays, or mappings of keys (``neuron={"tau": 12 * u.ms}``, ``network={...}``); a class is a
        model of one's own.  An array with a unit as ``input`` is a current with a row for each
        step (``input__sampling`` is another time), and a column for all neurons or for each; an
        array may be given for any ``file``.  The run's folder keeps such arrays.

    Raises
    ------
    ConfigError
        For a configuration that cannot be run, with every problem found.
    Exception
        Whatever made the run fail; its folder holds what was committed.  A run that diverged or
        was interrupted is returned, with that status in its summary.
    """
    overrides = listed(overrides, keys)
    config = _one(overrides)
    if not save:
        return _in_memory(checked(config, overrides), folder)
    path = Path(config.hydra.run.dir if folder is None else folder)
    check_folder(path)
    experiment = checked(config, overrides)
    from neurolab.simulation.needs import needs_of, refuse
    from neurolab.simulation.runner import simulate

    refuse(needs_of(experiment), path)

    def on_summary(_: Mapping[str, Any], folder: Path) -> None:
        save_defaults(folder, config.hydra)

    kept = keeping_inputs(path, overrides)
    with Lease(path) as lease, log_to(path), keeping(path), kept:
        typed: list[str] = kept_in(path, overrides)
        experiment = replace(experiment, config=kept_in(path, experiment.config))
        save_config(experiment.config, typed, path, config.hydra.output_subdir)
        outcome = simulate(experiment, path, on_summary, typed, lease=lease)
    if outcome.error is not None:
        raise outcome.error
    return open_run(path)


def _in_memory(experiment: Experiment, folder: str | Path | None) -> Run:
    from neurolab.simulation.runner import simulate

    if folder is not None:
        raise ConfigError([Problem("folder", str(folder), "with save=False there is none")])
    untracked(experiment)
    outcome = simulate(experiment, None)
    if outcome.error is not None or outcome.run is None:
        raise outcome.error or RuntimeError(outcome.message)
    return outcome.run


@told_as_keywords
def compile(
    overrides: Iterable[str | Mapping[str, Any]] = (), capacity: int = 1000, **keys: Any
) -> Program:
    """The compiled program of a configuration, for users of JAX.

    ``program.start(numbers)`` is the state before the first step, ``program.advance(numbers, state,
    n_steps)`` the state ``n_steps`` later and the records of these steps.  Both are pure, and
    may be traced: under `jax.jit`, `jax.vmap` and forward differentiation (`jax.jvp`,
    `jax.jacfwd`; reverse differentiation does not pass through a loop of traced length).
    Of traced numbers nothing can be checked: compile for the largest rates of Poisson inputs, as
    tables for their counts are made.  A spike's derivative is its surrogate's (``spk_fun``).
    ``program.numbers`` are those of the configuration, by key (``neuron.tau``), in the units of
    ``program.units``: ``program.numbers | {...}`` are others, and ``program.place`` of these draws
    synapses from them, and brings all to the device, once for many calls.
    ``program.spikes(records, first, n_steps)`` unpacks spikes.  It runs on one device.

    Parameters
    ----------
    overrides
        As on the command line; a mapping is a network, as for `run`.
    capacity
        Most steps that one `advance` may make, at least.
    keys
        The same as keywords, as for `run`.

    Raises
    ------
    ConfigError
        For a configuration that cannot be run.
    """
    if capacity < 1:
        raise ValueError(f"capacity={capacity}: a program makes at least one step at a time")
    experiment = experiment_of(overrides, keys)
    from neurolab.config.plain import check_plain
    from neurolab.engine.program import Program
    from neurolab.units import unit_text

    structure = replace(experiment.structure, stepped=True)  # a state may be changed between calls
    program = Program(structure, capacity, experiment.devices[:1])
    program.numbers = program.place(experiment.numbers)
    program.check = partial(check_plain, experiment)
    program.units = {key: reading.unit_name for key, reading in experiment.parsed.items()}
    program.units |= {name: unit_text(unit) for name, unit in experiment.units.items()}
    for of in experiment.structure.projections:
        drawn = ["weight"] * bool(of.weights) + ["delay"] * bool(of.slots)
        unit = unit_text(experiment.structure.unit(of))
        program.units |= {of.key(part): "ms" if part == "delay" else unit for part in drawn}
    return program


def untracked(experiment: Experiment) -> None:
    """That no tracker is asked for where there is no folder.

    Raises
    ------
    ConfigError
        Where one is.
    """
    target = str((experiment.config.get("tracker") or {}).get("_target_"))
    if not target.endswith(".NoTracker"):
        advice = "keeps what it is told in a run's folder, and here is none: tracker=none"
        raise ConfigError([Problem("tracker", target, advice)])


def experiment_of(
    overrides: Iterable[str | Mapping[str, Any]], keys: Mapping[str, Any] | None = None
) -> Experiment:
    """What a configuration asks for."""
    overrides = listed(overrides, keys or {})
    return checked(_one(overrides), overrides)


def experiment_of_run(run: Run) -> Experiment:
    """What a run was asked for."""
    from neurolab.config.experiment import check

    return check(OmegaConf.to_container(run.config, resolve=True))  # type: ignore[arg-type]


def _one(overrides: list[str]) -> DictConfig:
    """The composed configuration of what is no sweep."""
    several = not_of_a_run(overrides)
    if several:
        raise ConfigError(several)
    config = compose_config(overrides)
    if config.hydra.mode == RunMode.MULTIRUN:
        advice = "the configuration is a sweep: use neurolab.run_sweep, or add hydra.mode=RUN"
        raise ConfigError([Problem("hydra.mode", "MULTIRUN", advice)])
    return config


@told_as_keywords
def run_sweep(
    overrides: Iterable[str | Mapping[str, Any]] = (),
    folder: str | Path | None = None,
    **keys: Any,
) -> Sweep:
    """Compute the points of a sweep, as ``python -m neurolab -m`` does, and return its results.

        neurolab.run_sweep(neuron="adexif_ref", neuron__b=np.linspace(0, 20, 11) * u.mA)

    Parameters
    ----------
    overrides
        As on the command line: ``["neuron=lif", "input.rate=linspace(10Hz, 30Hz, 5)"]``; a mapping
        is a network, as for `run`.
    folder
        The sweep's folder; by default one under ``outputs/``, as on the command line.
    keys
        The same as keywords, as for `run`; a list, a range or an array is an axis, a tuple one
        value that is a list, and a text may be a form: ``neuron__tau="linspace(5ms, 20ms, 4)"``.

    Raises
    ------
    ConfigError
        For a sweep that cannot be computed, with every problem found.  Points that diverge or
        fail are no error: the table says so.
    """
    from neurolab.cli.forms import hydra_form, plan_of
    from neurolab.cli.points import Composer, compose_plan, diagnose_sweep
    from neurolab.config.settings import read_settings
    from neurolab.results.sweep import open_sweep
    from neurolab.sweep.executor_options import read_executor
    from neurolab.sweep.run import run_sweep as compute

    began = time.perf_counter()
    if "save" in keys:
        advice = "is of neurolab.run; a sweep always has a folder: leave it out"
        raise ConfigError([Problem("save", str(keys["save"]), advice)])
    given = [hydra_form(text, swept=True) for text in listed(overrides, keys, swept=True)]
    with ExitStack() as stack:
        with explained(lambda: diagnose_sweep(given), given):
            loader, master = stack.enter_context(compose_master(given))
        settings = read_settings(master.sweep)
        launcher = dict(master.hydra.launcher)
        _only_ours(str(launcher.pop("_target_")), str(master.hydra.sweeper._target_), settings)
        executor = read_executor(launcher.pop("executor", None), launcher)
        arguments: Any = OmegaConf.to_container(master.hydra.overrides.task)  # references and all
        if settings.resume and folder and Path(folder).resolve() != settings.resume.resolve():
            advice = f"is the folder that goes on; leave out {folder}"
            raise ConfigError([Problem("sweep.resume", str(settings.resume), advice)])
        path = settings.resume or Path(master.hydra.sweep.dir if folder is None else folder)
        check_sweep_folder(path, settings.resume, 0)
        lease = stack.enter_context(Lease(path, sweep_key(settings.resume)))
        stack.enter_context(keeping_inputs(path, arguments))
        arguments = kept_in(path, arguments)
        plan = plan_of(master.hydra.sweeper.get("params"), arguments, loader, settings.seed)
        refused = compose_plan(plan, Composer(loader, master))
        late = stack.enter_context(log_to(path))
        stack.enter_context(keeping(path))
        begun = partial(setattr, late, "begun", True)
        compute(plan, refused, path, settings, executor, began=began, on_begin=begun, lease=lease)
    return open_sweep(path)


def _only_ours(launcher: str, sweeper: str, settings: Settings) -> None:
    """Refuse what only the command does."""
    problems = Problems()
    advice = "is for the command, python -m neurolab -m; this function has "
    if not launcher.endswith(".BatchLauncher"):
        problems.add("hydra/launcher", launcher, f"{advice}hydra/launcher=batch")
    if not sweeper.endswith(".Points"):
        problems.add("hydra/sweeper", sweeper, f"{advice}hydra/sweeper=points")
    if settings.folders:
        problems.add("sweep.folders", "true", f"{advice}one folder: read its points, sweep[0]")
    problems.raise_if_any()
