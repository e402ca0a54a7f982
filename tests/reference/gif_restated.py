"""The Gif neuron written out in NumPy, independently of the package under test."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def phi(z: np.ndarray) -> np.ndarray:
    """``(exp(z) - 1) / z``, 1 at z = 0."""
    return np.where(z == 0, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z))


def gif_step(
    p: Arrays,
    y: Arrays,
    drives: Arrays,
    reversals: list[np.ndarray],
    *,
    hard: bool,
    dt: float,
    late: bool,
    held: Any = False,
) -> Arrays:
    """One step from the stored variables ``y``, all numbers in ms, mV, mA and ohm.

    ``late`` lets V see the currents I1 and I2 of the end of the step, as the recorded Gif does;
    otherwise it sees those of its beginning, as the recorded GifRef does.  ``held`` neurons keep
    what the reset left.
    """
    fires = y["V"] >= y["V_th"]
    after_reset = np.broadcast_to(p["V_reset"], fires.shape) if hard else None
    after_reset = y["V"] - (y["V_th"] - p["V_reset"]) if after_reset is None else after_reset
    start = {
        "V": np.where(fires, after_reset, y["V"]),
        "I1": np.where(fires, p["R1"] * y["I1"] + p["A1"], y["I1"]),
        "I2": np.where(fires, p["R2"] * y["I2"] + p["A2"], y["I2"]),
        "V_th": np.where(fires, np.maximum(p["V_th_reset"], y["V_th"]), y["V_th"]),
    }
    new = {key: start[key] * np.exp(-p[k] * dt) for key, k in (("I1", "k1"), ("I2", "k2"))}
    V, V_th = start["V"], start["V_th"]

    slope = p["a"] * (V - p["V_rest"]) - p["b"] * (V_th - p["V_th_inf"])
    new["V_th"] = V_th + dt * phi(-p["b"] * dt) * slope

    seen = new if late else start
    total = seen["I1"] + seen["I2"] + drives["x"]
    conductance = 0.0
    for key, E in zip(("g0", "g1"), reversals, strict=True):
        total = total + drives[key] * (E - V)
        conductance = conductance + drives[key]
    slope = (-(V - p["V_rest"]) + p["R"] * total) / p["tau"]
    decay = -(1.0 + p["R"] * conductance) / p["tau"]
    new["V"] = V + dt * phi(decay * dt) * slope + drives["delta"]
    return {key: np.where(held, start[key], new[key]) for key in y}
