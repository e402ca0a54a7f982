"""The spikes of a run, played to another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.inputs import InputFileError
from neurolab.results.run import open_run
from neurolab.units import UnitError

__all__ = ["spikes_of_run"]


def spikes_of_run(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the spikes of a run in place of its folder, which has a unit of its own."""
    file = settings.get("file")
    if not isinstance(file, (str, Path)) or not Path(file).is_dir():
        return dict(settings)
    if str(settings.get("unit", "ms")) != "ms":
        raise UnitError("is for a table; the folder of a run has its own: leave it out")
    try:
        spikes = open_run(file).spikes
    except (ValueError, OSError) as error:
        raise InputFileError(f"{file} cannot be opened as a run: {error}") from error
    if spikes is None:
        raise InputFileError(f"{file} is a run that recorded no spikes (record.spikes=true)")
    table = np.column_stack([spikes["time"].values, spikes["neuron"].values])
    return {**settings, "file": table, "unit": "ms"}
