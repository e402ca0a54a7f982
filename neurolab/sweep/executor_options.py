"""What ``hydra.launcher`` says of where a sweep is computed, read and checked.

Keys are ours for what each task may use, whatever the executor; all others are submitit's own
parameters of a Slurm job, by the names that submitit has for them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from neurolab.config.settings import SettingsReader
from neurolab.problems import Problems, did_you_mean
from neurolab.sweep.executors import Executor

__all__ = ["read_executor"]

log = logging.getLogger("neurolab")
_OURS = ("executor", "points_per_task", "processes", "time", "memory", "cpus", "gpus", "sbatch")
#: What submitit, Hydra's launcher of it, or sbatch calls what has a name here.
_NAMES = {
    "timeout_min": "time='30 min'",
    **dict.fromkeys(("mem", "mem_gb"), "memory='8 GiB'"),
    "cpus_per_task": "cpus=4",
    **dict.fromkeys(("gpus_per_node", "num_gpus"), "gpus=1"),
    "name": "job_name=fit",
    "additional_parameters": "sbatch.reservation=course",
}
_ONE_PROCESS = (
    "a task is one process; hydra.launcher.points_per_task decides how many tasks there are"
)
_EACH = "is each task's own"
_NOT_GIVEN = {
    **dict.fromkeys(("nodes", "ntasks", "ntasks_per_node", "tasks_per_node"), _ONE_PROCESS),
    "submitit_folder": "is tasks/ in the folder of the sweep",
    **dict.fromkeys(("output", "error", "open_mode", "array", "signal"), _EACH),
}
#: Kinds of submitit's parameters that are no text.
_WHOLE = ("array_parallelism", "signal_delay_s", "max_num_timeout", "cpus_per_gpu")
_FLAGS = ("stderr_to_stdout", "use_srun")
_LISTS = ("setup", "teardown", "srun_args")
#: What Slurm takes one of.
_INSTEAD = {"mem_per_cpu": "mem", "mem_per_gpu": "mem", "cpus_per_gpu": "cpus_per_task"}


def read_executor(kind: Any, options: Mapping[str, Any]) -> Executor | None:
    """The executor that ``hydra.launcher`` asks for; None for this process.  A `ConfigError` tells
    all that is wrong."""
    launcher = SettingsReader({"executor": kind, **options}, "hydra.launcher", Problems())
    if kind not in (None, "local", "slurm"):
        launcher.refuse("executor", "expected local, slurm, or null: here")
    lows = {"points_per_task": 1, "processes": 1, "cpus": 1, "gpus": 0}
    defaults = {"points_per_task": 1000, "processes": 2, "cpus": 2, "gpus": 0}
    whole = {key: launcher.whole(key, low, defaults[key]) for key, low in lows.items()}
    minutes = _minutes(launcher) if kind is not None else None
    memory = launcher.n_bytes("memory", "4 GiB") // 2**20 if kind is not None else 0
    given = {"mem": f"{memory}M", "cpus_per_task": whole["cpus"]}
    given |= {"gpus_per_node": whole["gpus"]} if whole["gpus"] else {}
    typed, more = _parameters(launcher), _sbatch(launcher)
    launcher.problems.raise_if_any()
    requeues = typed.pop("max_num_timeout", None)
    if kind != "slurm" and (named := ", ".join(sorted([*typed, *more]))):
        log.warning("hydra.launcher (%s) is for executor=slurm, and not used", named)
    typed |= {"additional_parameters": more} if more else {}
    for key in typed.keys() & _INSTEAD.keys():
        del given[_INSTEAD[key]]
    return kind and Executor(
        kind, whole["points_per_task"], whole["processes"], minutes, requeues, given | typed
    )


def _minutes(launcher: SettingsReader) -> int | None:
    """The time of a task, which Slurm counts in minutes."""
    if launcher.node.get("time") is None:
        return None
    minutes = (launcher.time_ms("time") or 0) / 60_000
    whole = max(1, round(minutes))
    if minutes and minutes != whole:
        used = f"is counted in minutes: {whole} min"
        log.warning("hydra.launcher.time = %s %s", launcher.node["time"], used)
    return whole


def _parameters(launcher: SettingsReader) -> dict[str, Any]:
    """Those of submitit, as they are typed."""
    typed = {k: v for k, v in launcher.node.items() if k not in _OURS}
    known = _known() if any(value is not None for value in typed.values()) else typed
    found: dict[str, Any] = {}
    for key, value in typed.items():
        if value is None:
            continue
        if key in _NAMES or key in _NOT_GIVEN:
            launcher.refuse(key, _instead(key))
        elif key not in known:
            launcher.refuse(key, did_you_mean(str(key), (*_OURS, *known)))
        elif key in _WHOLE:
            found[key] = launcher.whole(key, 0)
        elif key in _FLAGS:
            found[key] = launcher.flag(key, False)
        elif isinstance(value, Mapping):
            launcher.refuse(key, "expected a value, as for sbatch")
        elif key in _LISTS:
            several = isinstance(value, Sequence) and not isinstance(value, str)
            found[key] = list(map(str, value if several else [value]))
        elif value is not False:
            found[key] = value
    return found


def _known() -> tuple[str, ...]:
    """The parameters that submitit has for a job of Slurm and that are not ours."""
    import submitit

    all_of = {"max_num_timeout", *submitit.SlurmExecutor._valid_parameters()}
    return tuple(sorted(all_of - _NAMES.keys() - _NOT_GIVEN.keys() - {"time"}))


def _sbatch(launcher: SettingsReader) -> dict[str, Any]:
    """Options of sbatch that submitit has no parameters for."""
    named = launcher.node.get("sbatch") or {}
    if not isinstance(named, Mapping):
        launcher.refuse("sbatch", "expected options by their names, such as {reservation: course}")
        return {}
    sbatch = SettingsReader(named, "hydra.launcher.sbatch", launcher.problems)
    more = {str(key): value for key, value in named.items() if value not in (None, False)}
    known = _known() if more else ()
    for key in more:
        name = key.replace("-", "_")
        if name in _NAMES or name in _NOT_GIVEN:
            sbatch.refuse(key, _instead(name))
        elif name in known or name == "time":
            sbatch.refuse(key, f"is hydra.launcher.{name}; type it there")
    return {key.replace("-", "_"): value for key, value in more.items()}


def _instead(name: str) -> str:
    """What to type for what has another name here, or why it is not given."""
    if name in _NOT_GIVEN:
        return _NOT_GIVEN[name]
    example = f"hydra.launcher.{_NAMES[name]}"
    return f"is {example.partition('=')[0]} here; type {example}"
