"""``neurolab.run``: the main command as a function."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from omegaconf import OmegaConf

from neurolab.compose import compose_config, effective, output_problem
from neurolab.device import prepare
from neurolab.problems import ConfigError
from neurolab.results import Run, open_run

__all__ = ["run"]


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
    from neurolab.config import check
    from neurolab.runner import simulate

    path = Path(config.hydra.run.dir if folder is None else folder)
    blocked = output_problem(path)
    if blocked:
        raise ConfigError([blocked])
    check(plain)
    (path / ".hydra").mkdir(parents=True, exist_ok=True)
    OmegaConf.save(OmegaConf.create(plain), path / ".hydra" / "config.yaml")
    OmegaConf.save(OmegaConf.create(overrides), path / ".hydra" / "overrides.yaml")
    handler = logging.FileHandler(path / "neurolab.log", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("neurolab")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        outcome = simulate(plain, path)
    finally:
        log.setLevel(level)
        log.removeHandler(handler)
        handler.close()
    if outcome.error is not None:
        raise outcome.error
    return open_run(path)
