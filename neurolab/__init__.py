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
`models` and `parameters` are tables of what there is to choose.
The models are in `neurolab.neurons`, `neurolab.synapses`, `neurolab.inputs` and
`neurolab.integrators`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurolab.api import compile, run, run_sweep
    from neurolab.cli.catalogue import models, parameters
    from neurolab.cli.reproduce import reproduce
    from neurolab.cli.resume import resume
    from neurolab.interactive import Simulation, phase_plane
    from neurolab.problems import ConfigError
    from neurolab.results import Run, Sweep, open_run, open_sweep
    from neurolab.results.verify import verify

    __version__: str

__all__ = [
    "ConfigError",
    "Run",
    "Simulation",
    "Sweep",
    "__version__",
    "compile",
    "models",
    "open_run",
    "open_sweep",
    "parameters",
    "phase_plane",
    "reproduce",
    "resume",
    "run",
    "run_sweep",
    "verify",
]

#: Where what is public is: imported when it is used, as the command line prints a configuration
#: without loading any of it.
_PLACES = {
    "api": ("compile", "run", "run_sweep"),
    "cli.catalogue": ("models", "parameters"),
    "cli.reproduce": ("reproduce",),
    "cli.resume": ("resume",),
    "interactive": ("Simulation", "phase_plane"),
    "problems": ("ConfigError",),
    "results": ("Run", "Sweep", "open_run", "open_sweep"),
    "results.verify": ("verify",),
}
_MODULES = ("analysis", "dynamics", "inputs", "integrators", "neurons", "plots", "synapses")


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        return version("neurolab")
    if name == "Simulation":
        from neurolab.engine.device import prepare

        prepare({})  # what JAX reads once, before it is imported
    if name in _MODULES:
        return import_module(f"neurolab.{name}")
    for place, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"neurolab.{place}"), name)
    raise AttributeError(f"module 'neurolab' has no attribute '{name}'")
