"""neurolab: experiments with spiking neurons, from a configuration to results.

    import neurolab
    run = neurolab.run(["neuron=adexif_ref", "input=poisson", "duration=2s"])
    run.summary["rate_hz_mean"], run.spikes, run.traces

`run` does what ``python -m neurolab`` does and returns the results; `open_run` opens the folder
of an earlier run.  The models are in `neurolab.neurons`, `neurolab.synapses`, `neurolab.inputs`
and `neurolab.integrators`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurolab.api import run
    from neurolab.results import Run, open_run

__all__ = ["Run", "open_run", "run"]


def __getattr__(name: str) -> Any:
    # Imported when used: the command line prints a configuration without loading any of it.
    if name == "run":
        from neurolab.api import run

        return run
    if name in ("Run", "open_run"):
        from neurolab import results

        return getattr(results, name)
    raise AttributeError(f"module 'neurolab' has no attribute '{name}'")
