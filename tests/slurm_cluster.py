"""A Slurm of one node for the tests that ask for it: `pytest_plugins = ["slurm_cluster"]`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "slurm"
CANNOT = 3  # what tests/slurm/start exits with on a machine that cannot run Slurm


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which sbatch, squeue and submitit use a Slurm of this test session.

    Where Slurm cannot run the test is skipped, unless NEUROLAB_REQUIRE_SLURM is set, as CI does.
    """
    folder = tmp_path_factory.mktemp("slurm")
    told = subprocess.run([SCRIPTS / "start", folder], capture_output=True, text=True)
    if told.returncode == CANNOT and not os.environ.get("NEUROLAB_REQUIRE_SLURM"):
        pytest.skip(told.stderr.strip())
    if told.returncode != 0:
        pytest.fail(f"{SCRIPTS / 'start'} exited with {told.returncode}:\n{told.stderr}")
    try:
        yield os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
    finally:
        subprocess.run([SCRIPTS / "stop", folder], check=True)
