"""The command line: compose, check, and only then import JAX and run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from neurolab.problems import ConfigError, Problem

__all__ = ["main"]


def main() -> None:
    """``python -m neurolab`` and the console script ``neurolab``."""
    arguments = sys.argv[1:]
    if "--help" in arguments or "-h" in arguments:
        from neurolab.cli.help import help_text

        print(help_text())
        return
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)  # the user's own models, as with `python -m`
    sys.exit(_run(arguments))


def _run(arguments: list[str]) -> int:
    import hydra
    from hydra.errors import HydraException
    from omegaconf import DictConfig
    from omegaconf.errors import OmegaConfBaseException

    from neurolab.cli import compose

    compose.register_plugins()
    multirun = not {"-m", "--multirun", "hydra.mode=MULTIRUN"}.isdisjoint(arguments)
    if any(mark in argument for argument in arguments for mark in ("(", ":")):
        from neurolab.cli.forms import hydra_form, unread

        if not multirun and "experiment=" not in " ".join(arguments) and unread(arguments):
            return _refuse(ConfigError(unread(arguments)))
        arguments = [a if a.startswith("-") else hydra_form(a) for a in arguments]
        sys.argv[1:] = arguments
    codes: list[int] = []

    def job(config: DictConfig) -> float | None:
        code, rate = _job(config)
        codes.append(code)
        return rate

    job.codes = codes  # type: ignore[attr-defined]  # where a launcher of many jobs says how it ended

    # Hydra prints its own errors and exits with 1 unless told to let them through.
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        folder = str(compose.conf_folder())
        hydra.main(version_base="1.3", config_path=folder, config_name=compose.PRIMARY)(job)()
    except ConfigError as error:
        return _refuse(error)
    except (HydraException, OmegaConfBaseException) as error:
        overrides = [a for a in arguments if not a.startswith("-")]
        problems = _diagnose(overrides, multirun)
        return _refuse(ConfigError(problems or [Problem("configuration", "", str(error))]))
    except (PermissionError, NotADirectoryError) as error:
        given = str(error.filename or "")
        return _refuse(ConfigError([Problem("hydra.run.dir", given, f"{error.strerror}")]))
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before
    return max(codes, default=0)


def _diagnose(overrides: list[str], multirun: bool) -> list[Problem]:
    if multirun:
        from neurolab.cli.points import diagnose_sweep

        return diagnose_sweep(overrides)
    from neurolab.cli.compose import diagnose

    return diagnose(overrides)


def _job(config: Any) -> tuple[int, float | None]:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    from neurolab.cli.compose import effective
    from neurolab.engine.device import prepare

    hydra_config = HydraConfig.get()
    folder = Path(hydra_config.runtime.output_dir)
    plain = effective(config, hydra_config.overrides.task)
    OmegaConf.save(OmegaConf.create(plain), folder / ".hydra" / "config.yaml")
    prepare(plain.get("device") or {})
    from neurolab.simulation.progress import print_summary
    from neurolab.simulation.runner import simulate

    overrides = list(hydra_config.overrides.task)
    multirun = hydra_config.mode == RunMode.MULTIRUN
    group = Path(hydra_config.sweep.dir).name if multirun else None
    outcome = simulate(plain, folder, print_summary, overrides, group)
    if outcome.status == "diverged":
        print(f"neurolab: diverged: {outcome.message}\n{_DIVERGED}", file=sys.stderr)
    elif outcome.status == "failed":
        print(f"neurolab: {outcome.message}\n  see {folder}/neurolab.log", file=sys.stderr)
    return outcome.exit_code, outcome.summary.get("rate_hz_mean")


_DIVERGED = """\
  The data before it are kept. Try a smaller dt, neuron.spk_reset=hard, a weaker input,
  or integrator=exp_euler."""


def _refuse(error: ConfigError) -> int:
    print(f"neurolab: {error}", file=sys.stderr)
    return 2
