"""``neurolab.run`` and ``neurolab.run_sweep``: the main command as functions."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from neurolab.cli.compose import (
    compose_config,
    compose_master,
    effective,
    output_problem,
    sweep_folder_problem,
)
from neurolab.engine.device import prepare
from neurolab.problems import ConfigError, Problem, Problems
from neurolab.results.run import Run, open_run
from neurolab.simulation.log import log_to

if TYPE_CHECKING:
    from neurolab.config.settings import Settings
    from neurolab.results.sweep import Sweep

__all__ = ["run", "run_sweep"]


def run(overrides: Iterable[str] = (), folder: str | Path | None = None) -> Run:
    """Simulate a configuration and return its results.

    Parameters
    ----------
    overrides
        As on the command line: ``["neuron=lif", "neuron.tau=12ms"]``.
    folder
        The run folder; by default one under ``outputs/``, as on the command line.

    Raises
    ------
    ConfigError
        For a configuration that cannot be run, with every problem found.
    Exception
        Whatever made the run fail; its folder holds what was committed.  A run that diverged or
        was interrupted is returned, with that status in its summary.
    """
    overrides = list(overrides)
    config = compose_config(overrides)
    plain = effective(config, overrides)
    prepare(plain.get("device") or {})
    from neurolab.config.experiment import check
    from neurolab.simulation.runner import simulate

    path = Path(config.hydra.run.dir if folder is None else folder)
    blocked = output_problem(path)
    if blocked:
        raise ConfigError([blocked])
    check(plain)
    (path / ".hydra").mkdir(parents=True, exist_ok=True)
    OmegaConf.save(OmegaConf.create(plain), path / ".hydra" / "config.yaml")
    OmegaConf.save(OmegaConf.create(overrides), path / ".hydra" / "overrides.yaml")
    with log_to(path):
        outcome = simulate(plain, path, overrides=overrides)
    if outcome.error is not None:
        raise outcome.error
    return open_run(path)


def run_sweep(overrides: Iterable[str], folder: str | Path | None = None) -> Sweep:
    """Compute the points of a sweep, as ``python -m neurolab -m`` does, and return its results.

    Parameters
    ----------
    overrides
        As on the command line: ``["neuron=lif", "input.rate=linspace(10Hz, 30Hz, 5)"]``.
    folder
        The sweep's folder; by default one under ``outputs/``, as on the command line.

    Raises
    ------
    ConfigError
        For a sweep that cannot be computed, with every problem found.  Points that diverge or
        fail are no error: the table says so.
    """
    from neurolab.cli.forms import hydra_form
    from neurolab.cli.points import Composer, compose_plan, diagnose_sweep
    from neurolab.cli.sweeper import plan_of
    from neurolab.config.settings import read_settings
    from neurolab.results.sweep import open_sweep
    from neurolab.sweep.executors import read_executor
    from neurolab.sweep.run import run_sweep as compute

    began = time.perf_counter()
    given = [hydra_form(override) for override in overrides]
    with ExitStack() as stack:
        try:
            loader, master = stack.enter_context(compose_master(given))
        except (HydraException, OmegaConfBaseException) as error:
            problems = diagnose_sweep(given)
            raise ConfigError(problems or [Problem("configuration", "", str(error))]) from None
        settings = read_settings(dict(master.sweep))
        launcher = dict(master.hydra.launcher)
        _only_ours(str(launcher.pop("_target_")), str(master.hydra.sweeper._target_), settings)
        executor = read_executor(launcher.pop("executor", None), launcher)
        arguments: Any = OmegaConf.to_container(master.hydra.overrides.task)  # references and all
        plan = plan_of(master.hydra.sweeper.get("params"), arguments, loader, settings.seed)
        path = settings.resume or Path(master.hydra.sweep.dir if folder is None else folder)
        blocked = sweep_folder_problem(path, settings.resume, 0)
        if blocked:
            raise ConfigError([blocked])
        refused = compose_plan(plan, Composer(loader, master))
        with log_to(path):
            compute(plan, refused, path, settings, executor, began=began)
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
