"""The sweeper ``points``: ranges with units, samples, zipped lists; any launcher may follow it.
The launcher ``batch``: the jobs of any sweeper as points of one program."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from neurolab.cli.ending import held
from neurolab.cli.folders import PointFolders, returned
from neurolab.config.settings import read_settings
from neurolab.results.batches import SweepFolder
from neurolab.results.layout import write_whole
from neurolab.results.status import utc_now

if TYPE_CHECKING:
    from neurolab.results.plan import Plan
    from neurolab.results.table import Table

__all__ = ["PointSweeper", "SweepLauncher"]


class PointSweeper(Sweeper):
    """Expands the arguments of a sweep into points; see `neurolab.cli.forms`."""

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        self.params = dict(params or {})
        self.launcher: Launcher | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        launcher: Any = self.launcher
        config: Any = self.config
        from neurolab.cli.forms import plan_of

        settings = read_settings(config.get("sweep") or {})
        loader = self.hydra_context.config_loader  # type: ignore[union-attr]
        plan = plan_of(self.params, arguments, loader, settings.seed)
        if hasattr(launcher, "launch_plan"):
            launcher.launch_plan(plan)
            return None
        folder, jobs = (
            Path(str(config.hydra.sweep.dir)),
            list(map(plan.overrides, range(len(plan)))),
        )
        with held(folder, "hydra.sweep.dir"):
            OmegaConf.save(config, folder / "multirun.yaml")
            results = launcher.launch(jobs, initial_job_idx=0)
        for result in results:
            _ = result.return_value  # raises what a job raised
        return [results]


class SweepLauncher(Launcher):
    """Computes jobs that differ in numbers as one program; see `neurolab.sweep.run`."""

    def __init__(self, executor: Any = None, **options: Any) -> None:
        self.executor, self.options = executor, options
        self.started: str | None = None  # the first round

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.context, self.task, self.config = hydra_context, task_function, config
        self.settings = read_settings(config.get("sweep") or {})
        self.folder = self.settings.resume or Path(str(config.hydra.sweep.dir))
        from neurolab.sweep.executor_options import read_executor

        self.executor = read_executor(self.executor, self.options)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Compute the jobs of a sweeper, which may ask for more, round by round."""
        from neurolab.cli.overrides import plan_of_jobs

        jobs = list(map(list, job_overrides))
        if initial_job_idx:
            before = SweepFolder(self.folder).plan()
            jobs = [*map(before.overrides, range(initial_job_idx)), *jobs]
        folders = PointFolders(self.context, self.config, self.folder)
        configs = folders.configs(jobs, initial_job_idx) if self.settings.folders else {}
        table = self._run(plan_of_jobs(jobs), initial_job_idx)
        if self.settings.folders:
            return folders.write(jobs, configs, table)
        raises = not str(self.config.hydra.sweeper._target_).endswith("BasicSweeper")
        points = range(initial_job_idx, len(jobs))
        return [returned(jobs[point], table.get(point, {}), raises) for point in points]

    def launch_plan(self, plan: Plan) -> None:
        """Compute the points of a plan."""
        jobs = list(map(plan.overrides, range(len(plan)))) if self.settings.folders else []
        folders = PointFolders(self.context, self.config, self.folder)
        configs = folders.configs(jobs)
        table = self._run(plan, 0)
        if self.settings.folders:
            for result in folders.write(jobs, configs, table):
                _ = result.return_value  # raises what went wrong with a folder

    def _run(self, plan: Plan, first: int) -> Table:
        """Compute the points from the first on; what became of all of them."""
        began = time.perf_counter()
        from neurolab.cli.compose import check_sweep_folder, sweep_key
        from neurolab.cli.points import Composer, compose_plan
        from neurolab.results.room import keeping
        from neurolab.simulation.log import log_to
        from neurolab.sweep.gather import print_sweep
        from neurolab.sweep.run import run_sweep

        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        check_sweep_folder(self.folder, self.settings.resume, first)
        strict = str(self.config.hydra.sweeper._target_).endswith(".Points")
        self.started = (first and self.started) or utc_now()
        with (
            held(self.folder, sweep_key(self.settings.resume), keep=True) as lease,
            ExitStack() as logging,
            keeping(self.folder),
        ):
            refused = compose_plan(plan, Composer(self.context.config_loader, self.config))
            late = logging.enter_context(log_to(self.folder, terminal=True))

            def on_begin() -> None:
                late.begun = True
                self._record()

            outcome = run_sweep(
                plan, refused, self.folder, self.settings, self.executor, first, began=began,
                started=self.started, strict=strict, on_begin=on_begin, lease=lease,
            )  # fmt: skip
        print_sweep(SweepFolder(self.folder), outcome.plan, outcome.table, outcome.summary)
        codes = getattr(self.task, "codes", None)
        if codes is not None:
            codes.append(outcome.exit_code)
        return outcome.table

    def _record(self) -> None:
        """Write the command that began the sweep."""
        record = self.folder / "multirun.yaml"
        if self.settings.resume is None or not record.exists():
            write_whole(record, OmegaConf.to_yaml(self.config))
