"""Adaptation and the upstroke: rates of two-variable neurons beside an independent integration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks.trust.experiments import DOUBLE, INTEGRATORS, quantities, run, steady_intervals
from benchmarks.trust.independent import (
    Adaptive,
    MihalasNiebur,
    adex,
    quadratic,
    spike_times,
    steady_interval,
)
from benchmarks.trust.rows import Row, Section, absolute, relative, within

__all__ = ["cut_offs", "held", "patterns", "sections"]

DT = 0.1  # ms
#: Naud, Marcille, Clopath & Gerstner, Biol Cybern 99 (2008), table 1, in pF, nS, mV, nS, ms, pA,
#: mV, pA; V_T = -50 mV, delta_T = 2 mV.  Spikes in 600 ms, by Euler's method at dt = 0.1 ms with
#: V cut off at 0 mV, from V = E_L and w = 0.
NAUD = {  # C, g_L, E_L, a, tau_w, b, V_r, I, spikes
    "tonic": (200, 10, -70, 2, 30, 0, -58, 500, 60),
    "adaptation": (200, 12, -70, 2, 300, 60, -58, 500, 12),
    "initial burst": (130, 18, -58, 4, 150, 120, -50, 400, 12),
    "regular bursting": (200, 10, -58, 2, 120, 100, -46, 210, 11),
    "delayed accelerating": (200, 12, -70, -10, 300, 0, -58, 300, 45),
    "delayed regular bursting": (100, 10, -65, -10, 90, 30, -47, 110, 32),
    "transient": (100, 10, -65, 10, 90, 100, -47, 180, 1),
    "irregular": (100, 12, -60, -11, 130, 30, -48, 160, 33),
}
DELTA, STEPS, DRIVES = 3.48, (4, 8, 15, 30), (1.1, 1.5)


def sections() -> Iterator[Section]:
    yield Section(
        "What is held while refractory",
        "Rates of neurons with a refractory period of 5 ms under a constant current (the last five "
        f"of the intervals in 2 s), dt = {DT} ms, default integrator, where V alone is held "
        "(holds=V) and where all variables are (holds=all). Theory: scipy.integrate.solve_ivp "
        "(DOP853, tolerance 1e-10) from event to event, nothing on a grid. Allowed: 2 %.",
        held(),
    )
    yield Section(
        "Where the upstroke is cut off",
        f"Rates for V_th of V_T + 4, 8, 15 and 30 delta_T (quadratic: V_c + 4, 8, 15 and 30 times "
        f"3.48 mV) at 1.1 and 1.5 rheobases, dt = {DT} ms, float32: of the eight, the extreme "
        "differences from the independent integration, which goes over V instead of time in the "
        "upstroke.",
        cut_offs(),
    )
    yield Section(
        "The patterns of Naud et al. (2008)",
        "Spikes in 600 ms of the eight published AdEx neurons: by Euler's method at dt = 0.1 ms in "
        "float64 the published counts; by the default integrator those of the independent "
        "integration within one (the irregular pattern is chaotic: no count is right).",
        patterns(),
    )


def held() -> list[Row]:
    cells: dict[str, tuple[Callable[..., Adaptive | MihalasNiebur], list[str]]] = {
        "adexif_ref, 8 mA": (lambda **more: adex(V_th=-55.0, a=1.0, b=1.0, I=8.0, **more), []),
        "adexif_ref, 12 mA, b = 10 mA": (
            lambda **more: adex(V_th=-55.0, a=0.2, b=10.0, tau_w=100.0, I=12.0, **more),
            ["neuron.a=0.2siemens", "neuron.b=10mA", "neuron.tau_w=100ms"],
        ),
        "adquaif_ref, 30 mA": (
            lambda **more: quadratic(V_th=-30.0, a=1.0, b=5.0, tau_w=10.0, I=30.0, **more),
            ["neuron.b=5mA"],
        ),
        "gif_ref, 3 mA, A1 = 1 mA, A2 = -0.2 mA, a = 0.005/ms": (
            lambda **more: MihalasNiebur(A1=1.0, A2=-0.2, a=0.005, I=3.0, **more),
            ["neuron.A1=1mA", "neuron.A2=-0.2mA", "neuron.a=0.005/ms", "neuron.spk_reset=hard"],
        ),
    }  # fmt: skip
    rows = []
    for name, (make, more) in cells.items():
        for holds in ("V", "all"):
            cell = make(tau_ref=5.0, holds=holds)
            found = run(
                f"neuron={name.partition(',')[0]}", "size=1", f"dt={DT}ms", "duration=2s",
                "input=constant", f"input.amplitude={cell.I}mA", "neuron.tau_ref=5ms",
                f"neuron.holds={holds}", *more,
            )  # fmt: skip
            theory, rate = 1e3 / steady_interval(cell, 2000.0), 1e3 / steady_intervals(found)[0]
            rows.append(relative(f"{name}, holds={holds}", theory, rate, 0.02, "Hz"))
    return rows


def cut_offs(
    names: Sequence[str] = (
        "expif", "expif_ref", "adexif", "adexif_ref", "quaif", "adquaif", "adquaif_ref"
    ),
    integrators: Sequence[str] = INTEGRATORS,
) -> list[Row]:  # fmt: skip
    rows = []
    for name in names:
        begins = -50.0 if "qua" in name else -59.9
        V_th = [begins + k * DELTA for k in STEPS for _ in DRIVES]
        drives = [drive for _ in STEPS for drive in DRIVES]
        theory = np.array([
            1e3 / steady_interval(_cell(name, V, drive), 2000.0)
            for V, drive in zip(V_th, drives, strict=True)
        ])  # fmt: skip
        for integrator in integrators:
            rates = 1e3 / steady_intervals(
                run(
                    f"neuron={name}", f"neuron.V_th={quantities(V_th, 'mV')}", "size=8",
                    f"dt={DT}ms", "duration=2s", f"integrator={integrator}", "input=constant",
                    f"input.amplitude={quantities(drives, 'rheobase')}",
                )
            )  # fmt: skip
            ends = [f"{found.min():.4g} to {found.max():.4g} Hz" for found in (theory, rates)]
            rows.append(
                within(f"{name}, {integrator}", *ends, 100 * (rates / theory - 1), -2, 2, "%")
            )
    return rows


def _cell(name: str, V_th: float, drive: float) -> Adaptive:
    """With the defaults of neurolab's model; the rheobase as Touboul & Brette (2008) have it."""
    adapts, tau_ref = name.startswith("ad"), 1.7 if name.endswith("_ref") else 0.0
    if "qua" in name:
        a, b, tau_w = (1.0, 0.1, 10.0) if adapts else (0.0, 0.0, 10.0)
        slope = min(a, 10.0 / tau_w)
        V = -57.5 + slope / (2 * 0.07)
        rheobase = a * (V + 65.0) - 0.07 * (V + 65.0) * (V + 50.0)
        return quadratic(
            V_th=V_th, a=a, b=b, tau_w=tau_w, I=float(drive * rheobase), tau_ref=tau_ref
        )
    a, b, tau_w = (1.0, 1.0, 30.0) if adapts else (0.0, 0.0, 30.0)
    slope = min(a, 10.0 / tau_w)
    V = -59.9 + DELTA * np.log(1 + slope)
    rheobase = (1 + a) * (V + 65.0) - DELTA * (1 + slope)
    return adex(V_th=V_th, a=a, b=b, tau_w=tau_w, I=float(drive * rheobase), tau_ref=tau_ref)


def patterns() -> list[Row]:
    C, g_L, E_L, a, tau_w, b, V_r, I, _ = np.array(list(NAUD.values()), float).T
    given = {
        "R": (1e3 / g_L, "Mohm"), "tau": (C / g_L, "ms"), "V_reset": (V_r, "mV"),
        "V_rest": (E_L, "mV"), "V_initializer": (E_L, "mV"), "a": (a, "nS"), "b": (b, "pA"),
        "tau_w": (tau_w, "ms"),
    }  # fmt: skip
    common = [f"neuron.{key}={quantities(*value)}" for key, value in given.items()]

    def counts(integrator: str) -> np.ndarray:
        found = run(
            "neuron=adexif", "neuron.V_th=0mV", "neuron.V_T=-50mV", "neuron.delta_T=2mV", *common,
            f"size={len(NAUD)}", "input=constant", f"input.amplitude={quantities(I, 'pA')}",
            "duration=600ms", f"dt={DT}ms", f"integrator={integrator}", DOUBLE,
        )  # fmt: skip
        return np.bincount(found.spikes.neuron.values, minlength=len(NAUD))

    euler, default = counts("euler"), counts("exp_euler")
    rows = []
    for k, (name, values) in enumerate(NAUD.items()):
        rows.append(absolute(f"{name}: published, euler", values[-1], euler[k], 0))
        if name == "irregular":
            continue
        cell = adex(
            V_rest=E_L[k], V_reset=V_r[k], V_th=0.0, tau=C[k] / g_L[k], R=1 / g_L[k], a=a[k],
            b=b[k], tau_w=tau_w[k], I=I[k], delta_T=2.0, V_T=-50.0,
        )  # fmt: skip
        limit = spike_times(cell, 600.0).size
        rows.append(absolute(f"{name}: independent, exp_euler", limit, default[k], 1))
    return rows
