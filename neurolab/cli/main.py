"""The command line: compose, check, and only then import JAX and run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from neurolab.cli.ending import held, holding
from neurolab.engine import memory
from neurolab.problems import ConfigError, Problem, ResultsLostError
from neurolab.results.damage import DamagedError

if TYPE_CHECKING:
    from neurolab.results.lease import Lease

__all__ = ["main"]


def main(leases: dict[Path, Lease] | None = None) -> None:
    """``python -m neurolab`` and the console script ``neurolab``; ``leases`` has the folders that
    it holds while it goes."""
    arguments = sys.argv[1:]
    if "--help" in arguments or "-h" in arguments:
        from neurolab.cli.help import help_text

        print(help_text())
        return
    memory.give_back()
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)  # the user's own models, as with `python -m`
    try:
        with holding({} if leases is None else leases):
            sys.exit(_run(arguments))
    except ConfigError as error:
        print(f"neurolab: {error}", file=sys.stderr)
        sys.exit(2)
    except MemoryError as error:
        less = "fewer neurons (size), fewer points at once (sweep.batch) or a smaller record.memory"
        print(f"neurolab: memory ran out: {error}; {less} need less", file=sys.stderr)
        sys.exit(1)
    except (DamagedError, ResultsLostError) as error:
        print(f"neurolab: {error}", file=sys.stderr)
        sys.exit(1)


def _run(arguments: list[str]) -> int:
    for command in ("resume", "reproduce", "verify"):  # what is done with a folder
        if any(argument.startswith(f"{command}=") for argument in arguments):
            return int(import_module(f"neurolab.cli.{command}").main(arguments))
    import hydra

    from neurolab.cli import conf
    from neurolab.cli.diagnose import given_twice
    from neurolab.cli.raised import explained

    conf.register_plugins()
    options = _read(arguments)
    flags = [argument for argument in arguments if argument not in options.overrides]
    arguments = sys.argv[1:] = [*flags, *options.overrides]  # Hydra wants flags in one place
    if doubles := given_twice(options.overrides):
        raise ConfigError(doubles)
    commands = [
        f"--{name}"
        for name in ("run", "multirun", "cfg", "info", "shell_completion")
        if getattr(options, name) not in (None, False)
    ]
    if len(commands) > 1 and commands != ["--multirun", "--cfg"]:
        advice = f"does something else than {commands[0]}: leave one out"
        raise ConfigError([Problem(commands[1].replace("_", "-"), "", advice)])
    if options.cfg and options.multirun:
        advice = "prints one configuration: leave out -m; what is swept is shown as it was typed"
        raise ConfigError([Problem("--cfg", options.cfg, advice)])
    if options.resolve and not options.cfg:
        raise ConfigError([Problem("--resolve", "", "belongs to --cfg job: add that")])
    if any(mark in argument for argument in arguments for mark in ("(", ":", ",")):
        from neurolab.cli.forms import hydra_form

        read = _as_typed if options.cfg else partial(hydra_form, swept=options.multirun)
        sys.argv[1:] = [a if a.startswith("-") else read(a) for a in arguments]
    codes: list[int] = []

    def job(config: Any) -> float | None:
        code, rate = _job(config)
        codes.append(code)
        return rate

    job.codes = codes  # type: ignore[attr-defined]  # where a launcher of many jobs says how it ended

    # Hydra prints its own errors and exits with 1 unless told to let them through.
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        with explained(lambda: _diagnose(options), options.overrides):
            if options.cfg == "job" and any("._target_=" in text for text in options.overrides):
                print(_printed(options), end="")
                return 0
            if not options.cfg:
                _refuse_for_hydra(options)
            folder = str(conf.conf_folder())
            hydra.main(version_base="1.3", config_path=folder, config_name=conf.PRIMARY)(job)()
    except SystemExit as ends:
        if ends.code == 1 and options.package:
            advice = "is no part of what --cfg prints; leave it out to see all"
            raise ConfigError([Problem("--package", options.package, advice)]) from None
        raise
    except (PermissionError, NotADirectoryError) as error:
        given, advice = str(error.filename or ""), f"{error.strerror}; choose another folder"
        raise ConfigError([Problem("hydra.run.dir", given, advice)]) from None
    except OSError as error:  # of what Hydra writes itself
        from neurolab.results.room import not_kept

        raise not_kept(error, Path(error.filename or ".").parent) or error from None
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before
    return max(codes, default=0)


def _read(arguments: list[str]) -> Any:
    """The flags and overrides that were typed, in any order."""
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        what, _, typed = message.partition(": ")
        known = what.startswith("argument ")
        advice = typed if known else "is no flag; keys are given without --, as size=10"
        flag = what.removeprefix("argument ") if known else typed
        raise ConfigError([Problem(flag, "", f"{advice}; see neurolab --help")])

    parser.error = refuse  # type: ignore[method-assign]
    return parser.parse_intermixed_args(arguments)


def _printed(options: Any) -> str:
    """What ``--cfg job`` prints where models are given by their dotted paths: with their values,
    which Hydra does not know."""
    from hydra import compose
    from hydra._internal.utils import get_args_parser
    from omegaconf import OmegaConf

    from neurolab.cli import conf

    overrides = get_args_parser().parse_args().overrides
    if options.config_dir:
        overrides = _searched_too(f"file://{Path(options.config_dir).resolve()}", overrides)
    with conf.own_hydra():
        config: Any = compose(options.config_name or conf.PRIMARY, overrides, True)
    plain: Any = OmegaConf.to_container(config, resolve=options.resolve)
    del plain["hydra"]
    found = OmegaConf.create(conf.with_own_values(plain, options.overrides, config.hydra))
    return OmegaConf.to_yaml(OmegaConf.select(found, options.package or "") or found)


def _refuse_for_hydra(options: Any) -> None:
    """A `ConfigError` of what Hydra would call that may not be named; of its own options it knows
    that there is nothing."""
    from hydra.types import RunMode

    from neurolab.cli import conf
    from neurolab.cli.diagnose import sweeps_in
    from neurolab.cli.hydras import unfit_for_hydra

    typed = any(text.lstrip("+~").startswith("hydra") for text in options.overrides)
    others = options.config_dir or options.config_name or conf.user_folder().is_dir()
    if not (typed or others):
        return
    overrides = [  # of others what is swept is not Hydra's to read, as zip:lif:expif
        text
        for text in options.overrides
        if text.lstrip("+~").startswith("hydra") or not sweeps_in([text])
    ]
    if options.config_dir:
        overrides = _searched_too(f"file://{Path(options.config_dir).resolve()}", overrides)
    primary = options.config_name or conf.PRIMARY
    with conf.own_hydra() as loader:
        config = loader.load_configuration(primary, overrides, RunMode.MULTIRUN, False, False)
    if found := unfit_for_hydra(config.hydra):
        raise ConfigError(found)


def _as_typed(argument: str) -> str:
    """An argument of a sweep as one that prints what was typed."""
    from neurolab.cli.diagnose import sweeps_in
    from neurolab.cli.forms import quoted

    key, _, value = argument.partition("=")
    return f"{key}={quoted(value)}" if sweeps_in([argument]) else argument


def _diagnose(options: Any) -> list[Problem]:
    """What is wrong with what was typed, by the options and the file that Hydra had."""
    from neurolab.cli.conf import PRIMARY
    from neurolab.cli.diagnose import asks_for_a_sweep, diagnose

    overrides, primary = list(options.overrides), options.config_name or PRIMARY
    if options.config_path:
        advice = "is where the built-in options are; your own go into ./conf or the --config-dir"
        return [Problem("--config-path", options.config_path, advice)]
    if options.shell_completion:
        return [Problem("--shell-completion", "", "wants install=bash, or zsh or fish, beside it")]
    if options.config_dir:
        place = Path(options.config_dir).resolve()
        if not place.is_dir():
            return [Problem("--config-dir", options.config_dir, "there is no such folder")]
        overrides = _searched_too(f"file://{place}", overrides)
    if options.multirun or asks_for_a_sweep(overrides, primary):
        from neurolab.cli.points import diagnose_sweep

        return diagnose_sweep(overrides) if primary == PRIMARY else []
    return diagnose(overrides, primary)


def _searched_too(place: str, overrides: list[str]) -> list[str]:
    """The overrides with one more folder of options: what ``--config-dir`` means to Hydra."""
    from omegaconf import OmegaConf

    key = "hydra.searchpath="
    given = [text.removeprefix(key) for text in overrides if text.startswith(key)]
    others: Any = OmegaConf.create(given[0]) if given else []
    rest = [text for text in overrides if not text.startswith(key)]
    return [f"{key}[{','.join([place, *others])}]", *rest]


def _job(config: Any) -> tuple[int, float | None]:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from neurolab.cli.conf import effective, typed
    from neurolab.cli.record import save_config, save_defaults
    from neurolab.engine.device import prepare
    from neurolab.results.room import keeping

    hydra_config = HydraConfig.get()
    folder = Path(hydra_config.runtime.output_dir)
    overrides = typed(hydra_config)
    multirun = hydra_config.mode == RunMode.MULTIRUN

    def on_summary(summary: Mapping[str, Any], folder: Path) -> None:
        print_summary(summary, folder)
        save_defaults(folder, hydra_config, plain)  # for the page, which is written next

    with held(folder, "hydra.sweep.dir" if multirun else "hydra.run.dir") as lease, keeping(folder):
        plain = effective(config, overrides)
        save_config(plain, overrides, folder, hydra_config.output_subdir)
        prepare(plain.get("device") or {})
        from neurolab.config.experiment import check
        from neurolab.simulation.progress import print_summary
        from neurolab.simulation.runner import simulate

        group = Path(hydra_config.sweep.dir).name if multirun else None
        outcome = simulate(check(plain), folder, on_summary, overrides, group, lease)
    if multirun and outcome.exit_code > 128:
        sys.exit(outcome.exit_code)  # nor are other jobs wanted
    if outcome.status == "diverged":
        print(f"neurolab: diverged: {outcome.message}\n{_DIVERGED}", file=sys.stderr)
    elif outcome.status == "failed":
        more = (
            "" if isinstance(outcome.error, ResultsLostError) else f"\n  see {folder}/neurolab.log"
        )
        print(f"neurolab: {outcome.message}{more}", file=sys.stderr)
    return outcome.exit_code, outcome.summary.get("rate_hz_mean")


_DIVERGED = """\
  The data before it are kept. Try a smaller dt, neuron.spk_reset=hard, a weaker input,
  or integrator=exp_euler."""
