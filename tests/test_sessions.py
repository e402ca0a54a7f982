"""What is in a user's own session beside neurolab: Matplotlib, other systems."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from nights import every

from neurolab.results.lease import Lease
from neurolab.results.status import StatusFile, standing

PLOT = """
import matplotlib.pyplot as plt, numpy as np, brainunit as u
figure, axes = plt.subplots(1, 3)
t, v = np.arange(3.0) * u.ms, np.arange(3.0) * u.mV
axes[0].plot(t, v)
axes[0].plot(1000 * t.to(u.second) / 1000, v)  # of the axis's unit, whatever its own
axes[1].errorbar(t, v, yerr=v)
axes[2].hist(v)
print([(a.get_xlabel(), a.get_ylabel()) for a in axes], axes[0].lines[1].get_xdata(orig=False))
"""
NEUROLAB = "import neurolab, sys\nneurolab.Simulation\n"
FIRST = NEUROLAB + "assert 'matplotlib' not in sys.modules\n"


def said(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MPLBACKEND": "Agg"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "before",
    every(
        [FIRST, FIRST + "import matplotlib.figure\n", "import matplotlib.pyplot\n" + NEUROLAB], 3
    ),
    ids=["first", "of a run", "last"],
)
def test_quantities_are_plotted_as_without_neurolab(before):
    """They could not be any more: brainunit had been imported as if Matplotlib were not there."""
    assert said(before + PLOT) == said(PLOT)


WRAPPED = """
class Wrapped:
    def __init__(self, finder):
        self.find_spec = finder.find_spec
sys.meta_path = [Wrapped(finder) for finder in sys.meta_path]
"""


@pytest.mark.parametrize(
    "before",
    every(
        ["import importlib.util\nassert importlib.util.find_spec('matplotlib.axes')\n", WRAPPED], 2
    ),
    ids=["asked for", "wrapped"],
)
def test_quantities_are_plotted_however_matplotlib_is_found(before):
    """What only asks whether it is there took the lesson; in a list of others it was an error."""
    assert said(FIRST + before + PLOT) == said(PLOT)


def test_a_system_without_the_module_resource_runs():
    """Windows has none; importing failed."""
    code = "import sys; sys.modules['resource'] = None\n"
    code += "from neurolab.results import summary; print(summary.peak_memory_mb())"
    assert said(code) == "None\n"


def test_no_process_of_windows_is_sent_a_signal(tmp_path, monkeypatch):
    """There the signal 0 ends a process: looking at a run would have killed it."""
    killed = []
    with Lease(tmp_path) as lease:
        StatusFile(tmp_path, lease=lease).write("running")
        system = SimpleNamespace(
            name="nt", fstat=os.fstat, kill=lambda *given: killed.append(given)
        )
        with monkeypatch.context() as patch:
            patch.setattr("neurolab.results.holder.os", system)
            assert standing(tmp_path)[0] == "running"
    assert not killed
