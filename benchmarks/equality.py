"""Whether a change of the code changes results: record before it, compare after it.

    python -m benchmarks.equality record before.npz
    python -m benchmarks.equality compare before.npz

Runs and sweeps over neurons, synapses, inputs, integrators, precisions and devices; spikes, traces,
rates, summaries and tables must be equal bit for bit, on one machine with one version of XLA.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import neurolab

SHORT = ("size=40", "duration=250ms", "device.cache_dir=null")
RUNS = {
    "lif": "neuron=lif record=full",
    "lif_ref 2 devices": "neuron=lif_ref size=1024 device.count=2 record.neurons=[0,3,700]",
    "lif_ref 1 device": "neuron=lif_ref size=1024 device.count=1 record.neurons=[0,3,700]",
    "adexif_ref": "neuron=adexif_ref input=poisson synapse=expon record=full",
    "adexif conductance": "neuron=adexif synapse=expon synapse/output=conductance input.rate=30Hz",
    "adquaif 64": "neuron=adquaif_ref device.precision=float64 integrator=heun record=full",
    "quaif ramp rk4": "neuron=quaif input=ramp integrator=rk4 record=full duration=1s",
    "gif alpha": "neuron=gif_ref synapse=alpha input=poisson_rates record.interval=0.5ms",
    "alif ou": "neuron=alif input=ou +input@inputs.more=sinusoidal record=full",
    "if dual": "neuron=if synapse=dual_expon input=poisson_spikes seed=7 record=spikes",
    "expif euler": "neuron=expif integrator=euler input=step record.neurons=3 duration=1s",
    "rate": "neuron=sigmoid_rate input=ou record=full",
    "spread": "neuron=adexif neuron.tau=[normal,10ms,1ms] neuron.b=[uniform,0mA,9mA] size=33",
    "summary": "neuron=lif record=summary record.rate_bin=3ms duration=260.5ms",
    "diverges": "neuron=lif neuron.tau=0.02ms integrator=euler input=constant record=full",
    "diverges in one": "neuron=lif neuron.tau=[uniform,0.035ms,0.3ms] integrator=euler "
    "input=constant record=full device.precision=float64",
    "2 devices 64": "neuron=adexif_ref size=64 device.count=2 device.precision=float64 "
    "synapse=expon record=full",
}
SWEEPS = {
    "grid": "neuron=adexif_ref input.rate=14Hz,18Hz,22Hz neuron.b=linspace:0mA:20mA:4 record=full",
    "groups": "neuron=lif,expif,quaif input=constant "
    "input.amplitude=linspace:1rheobase:3rheobase:4",
    "sobol": "neuron.tau=sobol:5ms:20ms:16 input.rate=sobol:10Hz:40Hz:16",
    "random": "neuron.tau=random:5ms:20ms:9 "
    "input.weight=random:0.2rheobase*ms:0.9rheobase*ms:9:log",
    "zip": "neuron.tau=zip:5ms:9ms:12ms seed=zip:3:4:5 input.rate=10Hz,30Hz",
    "seeds": "neuron=adexif synapse=expon seed=range:6 device.precision=float64 record=full",
    "mishaps": "neuron=lif integrator=euler input=constant neuron.tau=5ms,0.02ms,9ms "
    "neuron.V_reset=0mV,2mV record=full",
    "durations": "duration=0.1s,0.13s,0.2s neuron.tau=5ms,9ms",
    "sizes": "size=5,10,20 input.n=50,100 record=full",
}
#: What may differ after the change named, and why.
EXCEPTIONS: dict[str, str] = {
    "sweep durations": "points of unlike durations are one batch now; in float32 the last bit of V "
    "may depend on the shape of a batch",
}
_SUMMARY = (
    "status",
    "message",
    "n_steps",
    "spike_count",
    "rate_hz_mean",
    "rate_hz_std",
    "isi_cv_mean",
)


def of_run(run: Any) -> dict[str, np.ndarray]:
    """The arrays of a run."""
    found = {f"trace {k}": v.values for k, v in run.traces.items()}
    if run.spikes is not None:
        found |= {f"spike {k}": run.spikes[k].values for k in ("time", "neuron")}
    if run.rate is not None:
        found["rate"] = run.rate.values
    return found


def of_sweep(sweep: Any) -> dict[str, np.ndarray]:
    """The table of a sweep, and the arrays of its points."""
    table = sweep.table
    found = {f"table {k}": table[k].to_numpy() for k in ("status", "rate_hz", "isi_cv", "message")}
    found["overrides"] = table["overrides"].to_numpy()
    for index, status in enumerate(table["status"]):
        if status in ("completed", "diverged"):
            for key, value in of_run(sweep[index]).items():
                found[f"{index} {key}"] = value
    return found


def measure() -> dict[str, np.ndarray]:
    """All of it, by names that say what it is of."""
    found: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        for name, typed in RUNS.items():
            run = neurolab.run([*SHORT, *typed.split()], Path(folder) / name)
            facts = {f"summary {key}": np.asarray(str(run.summary[key])) for key in _SUMMARY}
            found |= {f"{name}: {k}": np.asarray(v) for k, v in {**facts, **of_run(run)}.items()}
            print(
                f"{name}: {run.summary['status']}, {run.summary['spike_count']} spikes", flush=True
            )
        for name, typed in SWEEPS.items():
            sweep = neurolab.run_sweep([*SHORT, *typed.split()], Path(folder) / f"s {name}")
            values = {k: np.asarray(v) for k, v in of_sweep(sweep).items()}
            found |= {
                f"sweep {name}: {k}": v.astype(str) if v.dtype == object else v
                for k, v in values.items()
            }
            print(f"sweep {name}: {len(sweep)} points", flush=True)
    return found


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Bit for bit, NaN included."""
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return False
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def main() -> int:
    """The command; exit code 1 if something differs that may not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    now = measure()
    if given.what == "record":
        np.savez_compressed(given.file, **now)
        print(f"{len(now)} arrays recorded")
        return 0
    with np.load(given.file) as saved:
        before = dict(saved)
    bad = [key for key in before if key not in now or not same(before[key], now[key])]
    bad += [key for key in now if key not in before]
    excused = {k: why for k in bad for name, why in EXCEPTIONS.items() if k.startswith(name)}
    for key in bad:
        print(f"differs: {key}{' (expected: ' + excused[key] + ')' if key in excused else ''}")
    print(f"{len(before) - len(bad)} of {len(before)} arrays are the same bit for bit")
    return int(any(key not in excused for key in bad))


if __name__ == "__main__":
    raise SystemExit(main())
