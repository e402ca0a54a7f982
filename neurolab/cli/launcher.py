"""The launcher ``batch``: Hydra's jobs as points of one sweep."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from neurolab.config.settings import read_settings

__all__ = ["SweepLauncher"]

log = logging.getLogger("neurolab")


class SweepLauncher(Launcher):
    """Computes jobs that differ in numbers as one program; see `neurolab.sweep.run`."""

    def __init__(self, executor: Any = None, **options: Any) -> None:
        self.executor, self.options = executor, options
        #: The axes of the jobs, where a sweeper knows them.
        self.axes: Sequence[Mapping[str, Any]] | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.context, self.task, self.config = hydra_context, task_function, config
        self.settings = read_settings(dict(config.get("sweep") or {}))
        self.folder = self.settings.resume or Path(str(config.hydra.sweep.dir))
        from neurolab.sweep.executors import read_executor

        self.executor = read_executor(self.executor, self.options)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        from neurolab.cli.compose import sweep_folder_problem
        from neurolab.cli.points import Composer
        from neurolab.problems import ConfigError
        from neurolab.simulation.log import log_to
        from neurolab.sweep.run import run_sweep

        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        blocked = sweep_folder_problem(self.folder, self.settings.resume, initial_job_idx)
        if blocked:
            raise ConfigError([blocked])
        composer = Composer(self.context.config_loader, self.config)
        with log_to(self.folder, terminal=True):
            outcome = run_sweep(
                job_overrides,
                composer,
                self.folder,
                self.settings,
                self.axes,
                self.executor,
                initial_job_idx,
            )
            OmegaConf.save(self.config, self.folder / "multirun.yaml")
        from neurolab.results.batches import SweepFolder
        from neurolab.sweep.gather import print_sweep

        print_sweep(SweepFolder(self.folder), outcome.summary, outcome.rows)
        codes = getattr(self.task, "codes", None)
        if codes is not None:
            codes.append(outcome.exit_code)
        indices = range(initial_job_idx, initial_job_idx + len(job_overrides))
        if self.settings.folders:
            returned = [
                self._in_folder(composer, index, job, outcome.rows.get(index, {}))
                for index, job in zip(indices, job_overrides, strict=True)
            ]
            self._page(self.folder)  # anew: with links to the points' pages
            return returned
        return [
            _returned(job, outcome.rows.get(index, {}))
            for index, job in zip(indices, job_overrides, strict=True)
        ]

    def _page(self, folder: Path) -> None:
        """A report; what fails in it is logged, as the results are complete without."""
        from neurolab.report import write_report

        try:
            write_report(folder, bool(self.config.report.standalone))
        except Exception:
            log.exception("the page could not be written; the results are complete")

    def _in_folder(
        self, composer: Any, index: int, job: Sequence[str], row: Mapping[str, Any]
    ) -> JobReturn:
        """The folder that Hydra's own launchers make for a job, with the point's results in it."""
        from neurolab.cli.compose import effective
        from neurolab.results.export import export_point

        try:
            config = composer(job)
        except Exception as error:  # refused: its row says why
            return _returned(job, {**row, "message": str(error)})
        with open_dict(config):
            config.hydra.job.id = index
            config.hydra.job.num = index
            config.hydra.sweep.dir = str(self.folder)

        def task(config: DictConfig) -> float:
            from hydra.core.hydra_config import HydraConfig

            folder = Path(HydraConfig.get().runtime.output_dir)
            plain = effective(config, job)
            OmegaConf.save(OmegaConf.create(plain), folder / ".hydra" / "config.yaml")
            export_point(self.folder, index, folder)
            self._page(folder)
            return _rate(row)

        result = run_job(
            task_function=task,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
            hydra_context=self.context,
        )
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        return result


def _returned(job: Sequence[str], row: Mapping[str, Any]) -> JobReturn:
    """What a sweeper that optimises hears of a point: its rate, NaN if it has none."""
    result = JobReturn(overrides=list(job), status=JobStatus.COMPLETED)
    result.return_value = _rate(row)
    return result


def _rate(row: Mapping[str, Any]) -> float:
    rate = row.get("rate_hz") if row.get("status") == "completed" else None
    return float("nan") if rate is None else float(rate)
