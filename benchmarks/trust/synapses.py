"""The charge that synapses deliver, and the order of integrators with and without them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.trust.experiments import DOUBLE, INTEGRATORS, quantities, run
from benchmarks.trust.rows import Row, Section, absolute, at_least

__all__ = ["charge_of", "charges", "orders", "sections"]

DT = 0.1  # ms
ALLOWED = 1e-3
RATIOS = (0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0)  # tau / dt
COARSE, EVENTS, END = 0.4, (0.8, 2.4, 4.0), 8.0  # ms
START, CURRENT = -58.0, -5.0  # mV, mA: from where the exponential is felt
ORDERS = {"exp_euler": 1, "euler": 1, "heun": 2, "rk4": 4}
#: Of a spike of weight 1: the area under the response, by the shortest time constant.
AREAS: dict[str, Callable[[float], float]] = {
    "expon": lambda tau: tau,
    "alpha": lambda tau: tau,
    "dual_expon": lambda tau: 4.0 * tau,  # tau_decay = 2 tau_rise: N = 4, times their difference
}


def sections() -> Iterator[Section]:
    yield Section(
        "Charge that a spike delivers",
        "One spike of weight 1 into a perfect integrator (a LIF whose time constant is 10^15 ms), "
        f"dt = {DT} ms, float64; seven neurons with tau/dt = 0.2, 0.5, 1, 2, 5, 20 and 100 "
        "(dual_expon: of the rise, and twice that of the decay). Theory: the area under the "
        "response. A conductance is one far below the reversal potential. The worst of the seven "
        "is shown.",
        charges(),
    )
    yield Section(
        "Order of the integrators",
        "V of an AdEx neuron below its threshold, driven by a constant current and, with a "
        "synapse, three spikes, at dt = 0.2 and 0.1 ms in float64, beside "
        "scipy.integrate.solve_ivp (DOP853, tolerance 1e-12), which starts anew at each spike. "
        "Errors are root mean squares over 8 ms; the order is the binary logarithm of their ratio.",
        orders(),
    )


def charges(
    integrators: Sequence[str] = INTEGRATORS, kinetics: Sequence[str] = tuple(AREAS)
) -> list[Row]:
    """Of every synapse, as a current and as a conductance, with every integrator."""
    rows = []
    for kind in kinetics:
        for output in ("current", "conductance"):
            for integrator in integrators:
                share = charge_of(kind, output, integrator)
                off = np.abs(share - 1)
                worst, good = int(np.argmax(off)), _from_where(off <= ALLOWED)
                name = f"{kind}, {output}, {integrator}: worst at tau/dt = {RATIOS[worst]:g}{good}"
                rows.append(absolute(name, 1.0, share[worst], ALLOWED))
    return rows


def _from_where(holds: np.ndarray) -> str:
    """From which ratio on a statement holds that does not hold for all."""
    failing = np.flatnonzero(~holds)
    if failing.size == 0:
        return ""
    first = failing[-1] + 1
    return ", allowed nowhere" if first == len(RATIOS) else f", allowed from {RATIOS[first]:g} on"


def charge_of(kind: str, output: str, integrator: str) -> np.ndarray:
    """The charge as a share of the area under the response, for each ratio of tau to dt."""
    taus = DT * np.array(RATIOS)
    keys = ("tau_rise", "tau_decay") if kind == "dual_expon" else ("tau",)
    times = [f"synapse.{key}={quantities(taus * (i + 1), 'ms')}" for i, key in enumerate(keys)]
    weight, strength, more = {
        "current": ("1 mA", 1.0, []),
        # Of a conductance of 1e-9 S, a volt below its reversal potential: 1e-6 mA.
        "conductance": ("1e-9 S", 1e-6, ["synapse.output.E=1V"]),
    }[output]
    with spikes_file([(1.0, neuron) for neuron in range(taus.size)]) as file:
        found = run(
            "neuron=lif", "neuron.tau=1e15ms", "neuron.R=1e15ohm", "neuron.V_th=1e9mV",
            f"size={taus.size}", f"dt={DT}ms", f"integrator={integrator}", DOUBLE,
            f"synapse={kind}", f"synapse/output={output}", *times, *more,
            "input=spikes_from_file", f"input.file={file}", f"input.weight={weight}",
            f"duration={60 * taus[-1]}ms", "record=full", "record.variables=[V]",
            "record.rate_bin=null",
        )  # fmt: skip
    areas = np.array([AREAS[kind](tau) for tau in taus])
    return found.traces["V"].values[-1] / (strength * areas)


def orders(integrators: Sequence[str] = INTEGRATORS) -> list[Row]:
    """Of every integrator, without a synapse and with each."""
    rows = []
    for name, synapse in SYNAPSES.items():
        exact = Cell(synapse).potential()
        for integrator in integrators:
            errors = [
                np.sqrt(np.mean((stepped(synapse, integrator, dt) - exact) ** 2))
                for dt in (COARSE / 2, COARSE / 4)
            ]
            found = float(np.log2(errors[0] / errors[1]))
            statement = f"{integrator}, {name}: error at 0.1 ms {errors[1]:.1e} mV"
            # A lower order misses; a higher one is no fault.
            rows.append(at_least(statement, ORDERS[integrator], found, 0.25))
    return rows


def stepped(synapse: Synapse | None, integrator: str, dt: float) -> np.ndarray:
    """V at the points of the coarse grid, by neurolab."""
    more: list[str] = []
    with spikes_file([(time, 0) for time in EVENTS]) as file:
        if synapse is not None:
            more = [
                f"synapse={synapse.kind}",
                f"synapse/output={synapse.output}",
                *(f"synapse.{key}={value}ms" for key, value in synapse.times.items()),
                "input=spikes_from_file",
                f"input.file={file}",
                f"input.weight={synapse.weight} {synapse.unit}",
                "+input@inputs.steady=constant",
                f"inputs.steady.amplitude={CURRENT} mA",
            ]
            if synapse.output == "conductance":
                more.append("synapse.output.E=0mV")
        else:
            more = ["input=constant", f"input.amplitude={CURRENT} mA"]
        found = run(
            "neuron=adexif", "neuron.V_th=0mV", "neuron.a=0.2siemens",
            f"neuron.V_initializer={START}mV", "size=1",
            f"dt={dt}ms", f"duration={END}ms", f"integrator={integrator}", DOUBLE,
            "record=full", "record.variables=[V]", "record.rate_bin=null",
            f"record.interval={COARSE}ms", *more,
        )  # fmt: skip
    return found.traces["V"].values[:, 0]


@dataclass(frozen=True)
class Synapse:
    """A synapse of a configuration."""

    kind: str
    output: str
    times: Mapping[str, float]
    weight: float
    unit: str

    def response(self, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The response to its two variables, their slopes, and what a spike adds to them."""
        if self.kind == "expon":
            return x[0], np.array([-x[0] / self.times["tau"], 0.0]), np.array([1.0, 0.0])
        if self.kind == "alpha":
            tau = self.times["tau"]
            return x[0], np.array([(x[1] - x[0]) / tau, -x[1] / tau]), np.array([0.0, 1.0])
        rise, decay = self.times["tau_rise"], self.times["tau_decay"]
        top = rise * decay / (decay - rise) * np.log(decay / rise)
        norm = 1 / (np.exp(-top / decay) - np.exp(-top / rise))
        return norm * (x[1] - x[0]), np.array([-x[0] / rise, -x[1] / decay]), np.ones(2)


SYNAPSES: dict[str, Synapse | None] = {
    "no synapse": None,
    "expon as a current": Synapse("expon", "current", {"tau": 2.0}, 3.0, "mA"),
    "expon as a conductance": Synapse("expon", "conductance", {"tau": 2.0}, 0.1, "S"),
    "dual_expon as a conductance": Synapse(
        "dual_expon", "conductance", {"tau_rise": 1.0, "tau_decay": 4.0}, 0.1, "S"
    ),
    "alpha as a current": Synapse("alpha", "current", {"tau": 2.0}, 3.0, "mA"),
}


@dataclass(frozen=True)
class Cell:
    """The AdEx neuron of `stepped`, and its synapse, as equations."""

    synapse: Synapse | None

    def potential(self) -> np.ndarray:
        """V at the points of the coarse grid, by scipy, which starts anew where a spike arrives."""
        grid = COARSE * np.arange(1, round(END / COARSE) + 1)
        y, begin, found = np.array([START, 0.0, 0.0, 0.0]), 0.0, []
        for end in (*EVENTS, END):
            times = grid[(grid > begin + 1e-9) & (grid < end + 1e-9)]
            solved = solve_ivp(
                self._slopes, (begin, times[-1]), y, "DOP853", times, rtol=1e-12, atol=1e-12
            )
            found.append(solved.y[0])
            y, begin = solved.y[:, -1], end
            if self.synapse:
                y[2:] += self.synapse.weight * self.synapse.response(y[2:])[2]
        return np.concatenate(found)

    def _slopes(self, t: float, y: np.ndarray) -> np.ndarray:
        V, w, current, slopes = y[0], y[1], CURRENT, np.zeros(2)
        if self.synapse:
            g, slopes, _ = self.synapse.response(y[2:])
            current += g * (0.0 - V) if self.synapse.output == "conductance" else g
        dV = (-(V + 65.0) + 3.48 * np.exp((V + 59.9) / 3.48) - w + current) / 10.0
        return np.array([dV, (0.2 * (V + 65.0) - w) / 30.0, *slopes])


@contextmanager
def spikes_file(events: Sequence[tuple[float, int]]) -> Iterator[Path]:
    """A table of times in ms and neurons, as `input=spikes_from_file` reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spikes.npy"
        np.save(path, np.array(events))
        yield path
