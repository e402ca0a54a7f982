"""The devices a run uses, and what JAX and XLA are told about them.

Some settings are read once, when JAX makes its devices: `prepare` must come before that, and warns
in a process (a notebook) where it comes too late.
"""

from __future__ import annotations

import importlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from neurolab.problems import ConfigError, Problem, Problems

__all__ = ["choose", "prepare"]

log = logging.getLogger("neurolab")

_WIDE = "--xla_cpu_prefer_vector_width=512"
#: Fewest neurons for which another device is worth its overhead (measured on a CPU).
_WORTHWHILE = 512
#: Fewest updates of neurons between two exchanges of spikes for which it is, in a network (measured
#: on a CPU, on which an exchange takes 0.5 ms).
_WORTH_EXCHANGING = 75_000


def prepare(device: Mapping[str, Any]) -> None:
    """Set what JAX reads once, if it has not started.

    Raises
    ------
    ConfigError
        For flags with which XLA would end the process.
    """
    # JAX tells at length which platforms it looked for in vain.
    logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
    if _started():
        _warn_if_slow(str(device.get("platform", "auto")))
        return
    flags = [os.environ.get("XLA_FLAGS", "")]
    if device.get("platform", "auto") in ("auto", "cpu"):
        count = device.get("count")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        devices = count if isinstance(count, int) and count > 0 else cores
        flags.append(f"--xla_force_host_platform_device_count={devices}")
        # A step is many small operations: one device uses one thread (handing pieces to a pool
        # costs more than they take), and a loop over steps becomes one function.
        os.environ.setdefault("NPROC", "1")
        flags.append(
            "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=100000000"
        )
        # Vectors as wide as the processor has: 1.6 times faster with AVX-512, where LLVM would
        # choose half of that; without effect elsewhere.
        flags.append(_WIDE)
    own = str(device.get("xla_flags") or "")
    if own and not _starts_with(own):
        advice = "XLA does not start with these; leave out what this version of it does not know"
        raise ConfigError([Problem("device.xla_flags", own, advice)])
    flags.append(own)
    os.environ["XLA_FLAGS"] = " ".join(flag for flag in flags if flag)
    _import_without_matplotlib()


def _started() -> bool:
    """Whether JAX has made its devices: then it reads nothing more."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    return bridge is not None and bool(bridge.backends_are_initialized())


@cache
def _warn_if_slow(platform: str) -> None:
    """Say, once, where a processor is used without its settings, and what helps."""
    import jax

    on_cpu = platform == "cpu" or jax.default_backend() == "cpu"
    if on_cpu and _WIDE not in os.environ.get("XLA_FLAGS", ""):
        log.warning(
            "JAX was used before neurolab, which could not set it up for this processor: runs are "
            "up to 4 times slower, on one core. Use neurolab first (neurolab.run, run_sweep, "
            "Simulation or compile), or start Python with NPROC=1 XLA_FLAGS='%s "
            "--xla_force_host_platform_device_count=CORES'",
            _WIDE,
        )


def enough(updates: int) -> int:
    """How many devices may share a network that makes so many updates between exchanges."""
    return max(1, updates // _WORTH_EXCHANGING)


def choose(device: Mapping[str, Any], size: int | None, problems: Problems) -> list[Any]:
    """The devices to share ``size`` neurons; applies the JAX settings of the configuration.

    Without a size all there are: points of a sweep need nothing of each other.  A GPU or TPU
    platform counts its own devices; a CPU has one for each core.  Problems: a
    platform that is not there, more devices than there are, a setting JAX does not have.
    """
    import jax

    platform = device.get("platform", "auto")
    given = device.get("jax") or {}
    if not isinstance(given, Mapping):
        advice = "expected settings by their names, such as +device.jax.jax_debug_nans=true"
        problems.add("device.jax", given, advice)
        given = {}
    for name, value in given.items():
        try:
            jax.config.update(name, value)
        except (AttributeError, ValueError, TypeError) as error:
            problems.add(f"device.jax.{name}", value, f"not a setting of JAX: {error}")
    _use_cache(device.get("cache_dir"), problems)
    if not isinstance(platform, str):
        problems.add("device.platform", platform, "expected auto, cpu, gpu or tpu")
        return []
    try:
        found = list(jax.devices(None if platform == "auto" else platform))
    except RuntimeError:
        there = ", ".join(sorted({d.platform for d in jax.devices()}))
        advice = f"there is none (JAX has: {there}); try device=auto"
        if platform == "gpu":
            advice += ", or install neurolab[cuda]"
        problems.add("device", platform, advice)
        return []
    count = device.get("count")
    if count is None and size is None:
        return found
    if count is None:
        on_cpu = found[0].platform == "cpu"
        worth = (size or 1) // _WORTHWHILE
        return found[: max(1, min(len(found), worth))] if on_cpu else found[:1]
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= len(found):
        advice = f"expected 1 to {len(found)}, as many as there are"
        if found[0].platform == "cpu":
            advice += "; those of a CPU are counted when a process first uses JAX"
        problems.add("device.count", count, advice)
        return []
    return found[:count]


@cache
def _starts_with(flags: str) -> bool:
    """Whether XLA starts with these flags: at one that it does not know it ends the process."""
    start = [sys.executable, "-c", "import jax; jax.devices()"]
    environ = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": ""}
    return subprocess.run(start, capture_output=True, check=False, env=environ).returncode == 0


def _use_cache(folder: Any, problems: Problems) -> None:
    import jax

    path = None if folder is None else str(Path(str(folder)).expanduser())
    if path is not None:
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            advice = f"cannot be made ({error}): no cache is used, programs are compiled anew"
            problems.warnings.append(Problem("device.cache_dir", path, advice))
            path = None
    jax.config.update("jax_compilation_cache_dir", path)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _import_without_matplotlib() -> None:
    """Import brainunit without Matplotlib, which it would load to plot quantities, 0.4 to 0.9 s;
    it does when somebody else has imported that."""
    if {"matplotlib", "brainunit"} & sys.modules.keys():
        return
    sys.modules["matplotlib"] = None  # type: ignore[assignment]
    try:
        import brainunit  # noqa: F401
    finally:
        del sys.modules["matplotlib"]
    sys.meta_path.insert(0, _Quantities())


class _Quantities(MetaPathFinder):
    """Whenever Matplotlib's axes are imported, has brainunit teach them quantities."""

    def __init__(self) -> None:
        self._thread = threading.local()  # which asks the others

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != "matplotlib.axes" or getattr(self._thread, "asks", False):
            return None
        self._thread.asks = True
        try:
            spec = find_spec(name)
        finally:
            self._thread.asks = False
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def and_teach(module: ModuleType) -> None:
                execute(module)
                if compat := sys.modules.get("saiunit._matplotlib_compat"):
                    importlib.reload(compat)

            spec.loader.exec_module = and_teach  # type: ignore[method-assign]
        return spec
