"""The sweeper ``points``: ranges with units, samples, zipped lists; any launcher may follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from neurolab.config.settings import read_settings
from neurolab.results.axes import plain_key

if TYPE_CHECKING:
    from neurolab.results.plan import Plan

__all__ = ["PointSweeper", "plan_of"]


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
        settings = read_settings(dict(config.get("sweep") or {}))
        loader = self.hydra_context.config_loader  # type: ignore[union-attr]
        plan = plan_of(self.params, arguments, loader, settings.seed)
        if hasattr(launcher, "launch_plan"):
            launcher.launch_plan(plan)
            return None
        folder = Path(str(config.hydra.sweep.dir))
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(config, folder / "multirun.yaml")
        results = launcher.launch(list(map(plan.overrides, range(len(plan)))), initial_job_idx=0)
        for result in results:
            _ = result.return_value  # raises what a job raised
        return [results]


def plan_of(
    params: Mapping[str, Any] | None, arguments: Sequence[str], loader: ConfigLoader, seed: int
) -> Plan:
    """The plan of a sweep; arguments replace what the configuration sweeps."""
    from neurolab.cli.forms import read_plan

    typed = {plain_key(argument.partition("=")[0]) for argument in arguments}
    own = [f"{k}={value}" for k, value in (params or {}).items() if plain_key(k) not in typed]
    return read_plan([*own, *arguments], loader, seed)
