"""Inter-spike intervals under constant currents, and refractory periods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

from benchmarks.trust.experiments import INTEGRATORS, quantities, run, steady_intervals
from benchmarks.trust.rows import Row, Section, within

__all__ = ["closed_forms", "refractory", "sections"]

DT = 0.1  # ms
DRIVES = np.array([1.02, 1.1, 1.3, 1.7, 2.5])  # rheobases
PERIODS = np.array([0.1, 0.25, 0.3, 1.7, 2.0, 5.01])  # ms
REFRACTORY = ("lif_ref", "expif_ref", "adexif_ref", "adquaif_ref", "gif_ref")


def sections() -> Iterator[Section]:
    yield Section(
        "f-I curves in closed form",
        f"Intervals between spikes under constant currents of 1.02 to 2.5 rheobases, dt = {DT} ms, "
        "float32, default parameters but for those named, with the default integrator; of all "
        "five currents the extreme differences are shown, in steps. A spike is stamped at the end "
        "of its step: an interval is up to one step late, and early by as much with a refractory "
        "period, of whose m steps m - 1 are held. Where V is not integrated exactly (exponential "
        "and quadratic neurons) the difference is that of the rate.",
        closed_forms(),
    )
    yield Section(
        "Refractory periods",
        f"The shortest interval between spikes, for periods of {', '.join(map(str, PERIODS))} ms, "
        f"dt = {DT} ms, with every integrator: under a drive that makes the neuron fire at once, "
        "and under 10 kHz of Poisson spikes of 3 rheobase·ms. Theory: the period, in "
        "whole steps upwards.",
        refractory(),
    )


@dataclass(frozen=True)
class Closed:
    """The interval in closed form, for a drive in rheobases, and what the neuron is beside its
    defaults."""

    interval: Callable[[float], float]
    steps: tuple[int, int] | None  #: bounds of the difference, in steps; None: of the rate
    more: Sequence[str] = ()


def _lif(drive: float) -> float:
    return 5.0 * float(np.log(drive / (drive - 1.0)))


def _alif(drive: float) -> float:
    """a is 1 + a e^{-T/tau_a} after each spike, V meets 1 + 0.1 a."""

    def distance(T: float) -> float:
        a = 1.0 / np.expm1(T / 100.0)
        return float(-drive * np.expm1(-T / 5.0) - 1.0 - 0.1 * a)

    return float(brentq(distance, 1e-3, 1e4, xtol=1e-12))


def _gif(drive: float) -> float:
    """R I = 20 mV x drive; I1 is 0.2 mA after each spike, I2 falls by 0.05 mA at each."""

    def distance(T: float) -> float:
        left = np.exp(-T / 20.0)
        V = 20.0 * drive * (1.0 - left)
        I2 = -0.05 / -np.expm1(-0.02 * T)
        for current, k in ((0.2, 0.2), (I2, 0.02)):
            V += 20.0 * current * (np.exp(-k * T) - left) / (1.0 - 20.0 * k)
        return float(V - 20.0)

    return float(brentq(distance, 0.1, 1e4, xtol=1e-12))


def _exponential(drive: float) -> float:
    """The integral of dt/dV from reset to V_th, in two parts: the second is the upstroke."""
    current = drive * (5.1 - 3.48)

    def slowness(V: float) -> float:
        return 10.0 / (-(V + 65.0) + 3.48 * np.exp((V + 59.9) / 3.48) + current)

    parts = ((-68.0, -59.9), (-59.9, -50.0), (-50.0, -30.0))
    return float(sum(quad(slowness, *ends, epsabs=0, epsrel=1e-11, limit=500)[0] for ends in parts))


def _quadratic(drive: float) -> float:
    """tau dV/dt = c (V - m)^2 + k: a tangent."""
    m, c = -57.5, 0.07
    k = (drive - 1.0) * c * 15.0**2 / 4
    angles = [np.arctan((V - m) * np.sqrt(c / k)) for V in (-68.0, -30.0)]
    return float(10.0 / np.sqrt(c * k) * (angles[1] - angles[0]))


HARD = ("neuron.spk_reset=hard",)
FORMS: Mapping[str, Closed] = {
    "if": Closed(_lif, (0, 1), HARD),
    "lif": Closed(_lif, (0, 1), HARD),
    "lif_ref": Closed(lambda drive: 5.0 + _lif(drive), (-1, 0), HARD),
    "alif": Closed(_alif, (0, 1), HARD),
    "gif": Closed(_gif, (0, 1), (*HARD, "neuron.A1=0.2mA", "neuron.A2=-0.05mA")),
    "expif": Closed(_exponential, None),
    "expif_ref": Closed(lambda drive: 1.7 + _exponential(drive), None),
    "quaif": Closed(_quadratic, None),
}


def closed_forms(names: Sequence[str] = tuple(FORMS)) -> list[Row]:
    rows = []
    for name in names:
        form = FORMS[name]
        theory = np.array([form.interval(drive) for drive in DRIVES])
        found = steady_intervals(
            run(
                f"neuron={name}", f"size={DRIVES.size}", f"dt={DT}ms", "duration=3s",
                "input=constant", f"input.amplitude={quantities(DRIVES, 'rheobase')}", *form.more,
            )
        )  # fmt: skip
        ends = [f"{interval[0]:.4g} to {interval[-1]:.4g} ms" for interval in (theory, found)]
        more = "".join(f", {value.removeprefix('neuron.')}" for value in form.more)
        if form.steps:
            bounds, unit = form.steps, "steps"
            differences = (found - theory) / DT
        else:
            bounds, unit = (-2, 2), "%"
            differences = 100 * (theory / found - 1)
        rows.append(within(name + more, *ends, differences, *bounds, unit))
    return rows


def refractory(names: Sequence[str] = REFRACTORY) -> list[Row]:
    theory = DT * np.ceil(PERIODS / DT * (1 - 1e-9))
    rows = []
    for name in names:
        found = np.array([[_shortest(name, integrator, drive) for drive in STRONG]
                          for integrator in INTEGRATORS]).min(axis=1)  # fmt: skip
        ends = [", ".join(f"{one:.4g}" for one in row) for row in (theory, found.min(axis=0))]
        rows.append(within(name, f"{ends[0]} ms", ends[1], (found - theory) / DT, 0, 0, "steps"))
    return rows


STRONG = (
    ("input=constant", "input.amplitude=1e4rheobase", "duration=100ms"),
    ("input=poisson", "input.rate=100Hz", "input.weight=3rheobase*ms", "duration=3s"),
)


def _shortest(name: str, integrator: str, drive: Sequence[str]) -> np.ndarray:
    found = run(
        f"neuron={name}", f"neuron.tau_ref={quantities(PERIODS, 'ms')}", f"size={PERIODS.size}",
        f"dt={DT}ms", f"integrator={integrator}", *drive,
    )  # fmt: skip
    time, neuron = found.spikes.time.values, found.spikes.neuron.values
    return np.array([np.diff(np.sort(time[neuron == i])).min() for i in range(PERIODS.size)])
