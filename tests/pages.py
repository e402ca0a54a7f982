"""A folder of results with their pages, as a user's `outputs/` is; and the data in a page."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path

import numpy as np
from sweeps import KEEP

import neurolab
from neurolab.report import write_index, write_report

#: Text of a user that must stay text.
HOSTILE = "</script><img src=x onerror=alert(1)>"
RUN, OTHER = "2026-11-20/12-00-00-run", "2026-11-20/12-30-00-other"
SWEEP = "2026-11-20/13-00-00-sweep"
SHORT = ("size=20", "duration=300ms", KEEP)


def make_outputs(folder: Path) -> Path:
    """Two runs, what is left of a killed one, and two sweeps: a grid, and one with mishaps."""
    outputs = folder / "outputs"
    day = outputs / "2026-11-20"
    full = ("record=full", "neuron=adexif_ref", "neuron.b=5mA")
    neurolab.run([*SHORT, *full], day / "12-00-00-run")
    neurolab.run([*SHORT, "neuron=lif", "neuron.tau=12ms", "seed=3"], day / "12-30-00-other")
    grid = ["input.rate=linspace:10Hz:40Hz:6", "neuron.tau=linspace:5ms:15ms:7", "seed=0,1"]
    neurolab.run_sweep([*SHORT, "neuron=lif_ref", *grid], day / "13-00-00-sweep")
    bad = ("neuron=lif", "integrator=euler", "input=constant", "input.amplitude=0.5rheobase")
    neurolab.run_sweep(
        ["size=10", "duration=100ms", KEEP, *bad, "neuron.V_reset=0mV,20mV",
         "neuron.tau=5ms,0.02ms"], outputs / "mishaps",
    )  # fmt: skip
    shutil.copytree(day / "12-00-00-run" / ".hydra", outputs / "killed" / ".hydra")
    (outputs / "killed" / ".hydra" / "overrides.yaml").write_text(f"- 'neuron.name={HOSTILE}'\n")
    write_report(outputs / "killed")
    write_index(outputs)
    return outputs


def data_of(page: Path) -> dict:
    """What a page embeds as JSON."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())
    return json.loads(found.group(1))


def array_of(page: Path, name: str) -> np.ndarray:
    """An array that a page embeds."""
    found = re.search(rf'data-name="{name}" data-type="(\w+)">([^<]*)<', page.read_text())
    return np.frombuffer(base64.b64decode(found.group(2)), found.group(1))


def copied(outputs, name, folder, *files):
    """Some files of a result, in a folder of its own."""
    for file in files:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((outputs / name / file).read_bytes())
    return folder
