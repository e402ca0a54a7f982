"""A folder's results: written, committed, opened.  NumPy, Zarr, xarray; no JAX and no model."""

from __future__ import annotations

from neurolab.results.run import Run, open_run
from neurolab.results.sweep import Sweep, open_sweep

__all__ = ["Run", "Sweep", "open_run", "open_sweep"]
