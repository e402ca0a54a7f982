"""Folders of the points of a sweep, as Hydra's own launchers make them (``sweep.folders``)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.callbacks import Callbacks
from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict

from neurolab.cli.compose import compose_master
from neurolab.problems import ConfigError, Problem
from neurolab.report.pictures import show_page

if TYPE_CHECKING:
    from neurolab.results.plan import Plan
    from neurolab.results.table import Table

__all__ = ["PointFolders", "returned", "write_again"]


class PointFolders:
    """A folder for each point of a sweep.

    Parameters
    ----------
    context
        With what Hydra composes.
    config
        What is common to the points.
    sweep
        The folder of the sweep.
    """

    def __init__(self, context: HydraContext, config: DictConfig, sweep: Path) -> None:
        self.context, self.config, self.sweep = context, config, sweep.absolute()

    def configs(self, jobs: Sequence[Sequence[str]], first: int = 0) -> dict[int, DictConfig | str]:
        """The configuration of each job as Hydra's launchers have it, or why there is none.

        Raises
        ------
        ConfigError
            Two jobs would have one folder.
        """
        from neurolab.cli.points import Composer

        compose = Composer(self.context.config_loader, self.config)
        found: dict[int, DictConfig | str] = {}
        folders: dict[str, int] = {}
        for index in range(first, len(jobs)):
            try:
                config = compose(jobs[index])
            except Exception as error:  # refused: its row says why
                found[index] = str(error)
                continue
            with open_dict(config):
                config.hydra.job.id = index
                config.hydra.job.num = index
                config.hydra.sweep.dir = str(self.sweep)
            folder = str(config.hydra.sweep.subdir)
            if folders.setdefault(folder, index) != index:
                advice = f"is the folder of points {folders[folder]} and {index}; give each its own"
                raise ConfigError([Problem("hydra.sweep.subdir", folder, advice)])
            found[index] = config
        return found

    def write(
        self,
        jobs: Sequence[Sequence[str]],
        configs: Mapping[int, DictConfig | str],
        table: Table,
    ) -> list[JobReturn]:
        """Write the folders of jobs, and the page of the sweep, which has links to theirs."""
        found = [
            returned(jobs[point], {**table.get(point, {}), "message": config})
            if isinstance(config, str)
            else self._one(config, point, jobs[point], table.get(point, {}))
            for point, config in configs.items()
        ]
        show_page(self.sweep, bool(self.config.report.standalone))
        return found

    def _one(
        self, config: DictConfig, index: int, job: Sequence[str], row: Mapping[str, Any]
    ) -> JobReturn:
        """The folder that Hydra's own launchers make for a job, with the point's results in it."""
        from neurolab.cli.compose import effective
        from neurolab.cli.record import save_config, save_defaults
        from neurolab.results.export import export_point

        def task(config: DictConfig) -> float:
            from hydra.core.hydra_config import HydraConfig

            hydra = HydraConfig.get()
            folder = Path(hydra.runtime.output_dir)
            save_config(effective(config, job), job, folder, hydra.output_subdir)
            export_point(self.sweep, index, folder)
            save_defaults(folder, hydra)
            show_page(folder, bool(self.config.report.standalone))
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


def write_again(plan: Plan, table: Table, sweep: Path, typed: Sequence[str]) -> None:
    """Write the folders of a sweep that went on, whose points may have other numbers now.

    Parameters
    ----------
    typed
        What was typed for the sweep, but for its values.
    """
    quiet = ["hydra/job_logging=none", "hydra/hydra_logging=none"]  # as it is told already
    with compose_master([*typed, *quiet]) as (loader, master):
        folders = PointFolders(HydraContext(loader, Callbacks()), master, sweep)
        jobs = list(map(plan.overrides, range(len(plan))))
        for result in folders.write(jobs, folders.configs(jobs), table):
            _ = result.return_value  # raises what went wrong with a folder


def returned(job: Sequence[str], row: Mapping[str, Any], raises: bool = False) -> JobReturn:
    """What a sweeper that optimises hears of a point: its rate, or that it failed; where that
    would end all (``raises`` not), NaN."""
    result = JobReturn(overrides=list(job), status=JobStatus.COMPLETED)
    result.return_value = rate = _rate(row)
    if raises and math.isnan(rate):
        result.status = JobStatus.FAILED
        reason = f"{row.get('status', 'missing')}: {row.get('message') or 'it has no rate'}"
        result.return_value = RuntimeError(f"{' '.join(job)} is {reason}")
    return result


def _rate(row: Mapping[str, Any]) -> float:
    rate = row.get("rate_hz") if row.get("status") == "completed" else None
    return float("nan") if rate is None else float(rate)
