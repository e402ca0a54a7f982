"""Spiking neurons integrated without neurolab: by scipy, from event to event.

Spikes are found to the precision of the solver, and nothing is on a grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

__all__ = ["Adaptive", "MihalasNiebur", "adex", "quadratic", "spike_times", "steady_interval"]

_EXACT = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-10}


@dataclass(frozen=True)
class Adaptive:
    """tau dV/dt = F(V) - R w + R I and tau_w dw/dt = a (V - V_rest) - w; a spike adds b to w.

    In ms, mV, mA, ohm and siemens, or in ms, mV, pA, Gohm and nS.
    """

    curve: Callable[[float], float]
    turns: float  #: V from which the upstroke is integrated over V instead of time
    V_th: float
    V_reset: float
    V_rest: float
    I: float
    tau: float = 10.0
    R: float = 1.0
    a: float = 0.0
    b: float = 0.0
    tau_w: float = 30.0
    tau_ref: float = 0.0
    holds: str = "V"

    def start(self) -> np.ndarray:
        return np.array([self.V_rest, 0.0])

    def slopes(self, t: float, y: np.ndarray) -> np.ndarray:
        V, w = y
        dV = (self.curve(V) + self.R * (self.I - w)) / self.tau
        return np.array([dV, (self.a * (V - self.V_rest) - w) / self.tau_w])

    def distance(self, y: np.ndarray) -> float:
        return float(y[0] - self.turns)

    def after(self, y: np.ndarray) -> np.ndarray:
        return np.array([self.V_reset, y[1] + self.b])

    def upstroke(self, y: np.ndarray) -> tuple[float, np.ndarray]:
        """How long V takes from here to V_th, and the variables there."""

        def over_V(V: float, ty: np.ndarray) -> np.ndarray:
            dV, dw = self.slopes(0.0, np.array([V, ty[1]]))
            if dV <= 0:
                raise ValueError("V turns around in its upstroke; take a higher `turns`")
            return np.array([1.0, dw]) / dV

        time, w = solve_ivp(over_V, (y[0], self.V_th), [0.0, y[1]], **_EXACT).y[:, -1]
        return time, np.array([self.V_th, w])


@dataclass(frozen=True)
class MihalasNiebur:
    """The generalised neuron of Mihalas and Niebur (2009), with neurolab's names and defaults."""

    I: float
    A1: float = 0.0
    A2: float = 0.0
    a: float = 0.0
    b: float = 0.01
    k1: float = 0.2
    k2: float = 0.02
    tau_ref: float = 0.0
    holds: str = "V"

    def start(self) -> np.ndarray:
        return np.array([-70.0, 0.0, 0.0, -50.0])

    def slopes(self, t: float, y: np.ndarray) -> np.ndarray:
        V, I1, I2, V_th = y
        dV = (-(V + 70.0) + 20.0 * (I1 + I2 + self.I)) / 20.0
        dV_th = self.a * (V + 70.0) - self.b * (V_th + 50.0)
        return np.array([dV, -self.k1 * I1, -self.k2 * I2, dV_th])

    def distance(self, y: np.ndarray) -> float:
        return float(y[0] - y[3])

    def after(self, y: np.ndarray) -> np.ndarray:
        return np.array([-70.0, self.A1, y[2] + self.A2, max(-60.0, y[3])])

    def upstroke(self, y: np.ndarray) -> tuple[float, np.ndarray]:
        """None: it fires where V meets the threshold."""
        return 0.0, y


def adex(**given: float | str) -> Adaptive:
    """With the exponential of neurolab's defaults, or delta_T and V_T of one's own."""
    delta, V_T = float(given.pop("delta_T", 3.48)), float(given.pop("V_T", -59.9))
    V_rest = float(given.setdefault("V_rest", -65.0))
    values = {"V_reset": -68.0, **given}
    return Adaptive(
        lambda V: -(V - V_rest) + delta * np.exp((V - V_T) / delta), V_T + 3 * delta, **values
    )  # type: ignore[arg-type]


def quadratic(**given: float | str) -> Adaptive:
    """With the parabola of neurolab's defaults."""
    values = {"V_reset": -68.0, "V_rest": -65.0, **given}
    return Adaptive(lambda V: 0.07 * (V + 65.0) * (V + 50.0), -45.0, **values)  # type: ignore[arg-type]


def spike_times(cell: Adaptive | MihalasNiebur, duration: float, most: int = 10**6) -> np.ndarray:
    """When a neuron fires, in ms from its start at rest: until ``duration``, ``most`` times."""

    def meets(t: float, y: np.ndarray) -> float:
        return cell.distance(y)

    meets.terminal, meets.direction = True, 1  # type: ignore[attr-defined]
    now, y, spikes = 0.0, cell.start(), []
    while now < duration and len(spikes) < most:
        # Time begins anew after each spike, so that it keeps its digits.
        if cell.distance(y) < 0 or cell.slopes(0.0, y)[0] <= 0:
            done = solve_ivp(cell.slopes, (0.0, duration - now), y, events=meets, **_EXACT)
            if done.status == 0:
                break
            now, y = now + done.t[-1], done.y[:, -1]
        took, y = cell.upstroke(y)
        now += took
        if now > duration:
            break
        spikes.append(now)
        y = cell.after(y)
        now, y = now + cell.tau_ref, _held(cell, y)
    return np.array(spikes)


def _held(cell: Adaptive | MihalasNiebur, y: np.ndarray) -> np.ndarray:
    """The variables after the refractory period; the others too are held if ``holds`` says so."""
    if cell.tau_ref == 0 or cell.holds == "all":
        return y

    def slopes(t: float, y: np.ndarray) -> np.ndarray:
        return np.array([0.0, *cell.slopes(t, y)[1:]])

    return np.asarray(solve_ivp(slopes, (0.0, cell.tau_ref), y, **_EXACT).y[:, -1])


def steady_interval(cell: Adaptive | MihalasNiebur, duration: float, last: int = 5) -> float:
    """The mean of the last inter-spike intervals in ms; NaN for fewer spikes."""
    spikes = spike_times(cell, duration)
    return float(np.diff(spikes[-last - 1 :]).mean()) if spikes.size > last else np.nan
