"""neurolab: experiments with spiking neurons, from a configuration to results.

    import neurolab
    run = neurolab.run(["neuron=adexif_ref", "input=poisson", "duration=2s"])
    run.summary["rate_hz_mean"], run.spikes, run.traces

    sweep = neurolab.run_sweep(["neuron=adexif_ref", "neuron.b=linspace(0mA, 20mA, 11)"])
    sweep.rate_hz.sel({"neuron.b": 10}), sweep.table, sweep[3].spikes

    sim = neurolab.Simulation(["neuron=adexif_ref"])  # stepped from here, in memory
    program = neurolab.compile(["neuron=lif"])  # pure functions, for users of JAX

Keywords say the same: ``neurolab.run(neuron="lif", neuron__tau=12 * u.ms)``.

`run` does what ``python -m neurolab`` does and returns the results, `run_sweep` what it does with
``-m``; `open_run` and `open_sweep` open the folders of earlier ones, `resume` goes on with them,
`reproduce` computes them again, and `verify` says what of one is damaged.
The models are in `neurolab.neurons`, `neurolab.synapses`, `neurolab.inputs` and
`neurolab.integrators`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurolab.api import compile, run, run_sweep
    from neurolab.cli.reproduce import reproduce
    from neurolab.cli.resume import resume
    from neurolab.interactive import Simulation
    from neurolab.results import Run, Sweep, open_run, open_sweep
    from neurolab.results.verify import verify

__all__ = [
    "Run",
    "Simulation",
    "Sweep",
    "compile",
    "open_run",
    "open_sweep",
    "reproduce",
    "resume",
    "run",
    "run_sweep",
    "verify",
]


def __getattr__(name: str) -> Any:
    # Imported when used: the command line prints a configuration without loading any of it.
    if name in ("compile", "run", "run_sweep"):
        from neurolab import api

        return getattr(api, name)
    if name in ("reproduce", "resume"):
        from importlib import import_module

        return getattr(import_module(f"neurolab.cli.{name}"), name)
    if name == "Simulation":
        from neurolab.engine.device import prepare

        prepare({})  # what JAX reads once, before it is imported
        from neurolab.interactive import Simulation

        return Simulation
    if name == "verify":
        from neurolab.results.verify import verify

        return verify
    if name in ("Run", "Sweep", "open_run", "open_sweep"):
        from neurolab import results

        return getattr(results, name)
    if name in ("dynamics", "inputs", "integrators", "neurons", "synapses"):
        from importlib import import_module

        return import_module(f"neurolab.{name}")
    raise AttributeError(f"module 'neurolab' has no attribute '{name}'")
