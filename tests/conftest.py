"""Compiled programs are kept between runs of the tests, under pytest's cache."""

import fcntl
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from absl import logging as absl_logging


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(200_000, 20, 50)  # much that tracing makes stays: an eighth of the time
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a script
        signal.signal(signal.SIGINT, signal.default_int_handler)  # processes that tests begin hear
    cache = getattr(config, "cache", None)  # none with -p no:cacheprovider
    if cache is not None:
        folder = cache.mkdir("jax")
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    # absl, which JAX's world brings, logs to the stderr of its import, and when Hydra sets up its
    # logging closes that stream unless it is the process's own: not the one pytest captures with.
    absl_logging.get_absl_handler().python_handler.setStream(sys.__stderr__)


def pytest_collection_finish() -> None:
    gc.freeze()  # what was imported stays


@pytest.fixture(autouse=True)
def _logs_of_one_test() -> Iterator[None]:
    """A command within a test has Hydra log to the streams of that test, which are closed then."""
    before = logging.root.handlers[:]
    yield
    for handler in [handler for handler in logging.root.handlers if handler not in before]:
        logging.root.removeHandler(handler)


@pytest.fixture(scope="session")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs and sweeps with their pages; not to be changed. Made once for all of xdist's workers."""
    from pages import make_outputs

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "pages"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            make_outputs(folder)
            (folder / "made").touch()
    return folder / "outputs"
