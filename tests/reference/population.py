"""Cases of one class as one population ``(cases, neurons)``, stepped by the package under test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

import neurolab.neurons
from neurolab.neurons import Spiking
from neurolab.units import magnitude, parse, parse_unit

from .recordings import SIZE, cases, inputs, value

NEVER = -(10**8)

State = dict[str, Any]


def groups() -> dict[str, list[str]]:
    """Names of the neuron cases that share class, kind of reset, step and units."""
    found: dict[str, list[str]] = {}
    for name, case in cases().items():
        if "spk_reset" in case:
            unit = case["inputs"]["x"]["unit"]
            key = f"{case['class']}-{case['spk_reset']}-{case['dt'].replace(' ', '')}-{unit}"
            found.setdefault(key, []).append(name)
    return found


def overshooting(cls: type[Spiking]) -> type[Spiking]:
    """The class as it was recorded: without the cut of its upstroke, so that V passes V_th by what
    a step brings, and the variables that are stepped after it see that; and with spikes also while
    V is held, where a soft reset left it above the threshold.  Everything else is the same."""
    as_recorded = {"peak": lambda self, y: None, "_where_free": lambda self, spikes, *_: spikes}
    return type(cls.__name__, (cls,), as_recorded)


def _stack(quantities: list[u.Quantity]) -> u.Quantity:
    """One row of `SIZE` per case, in the unit of the first."""
    unit = quantities[0].unit
    rows = [np.broadcast_to(q.to(unit).mantissa, SIZE) for q in quantities]
    return u.Quantity(np.stack(rows), unit=unit)


def drive(case: dict[str, Any], source: dict[str, Any]) -> np.ndarray:
    """``offset + scale * drive`` over the steps of a case, ``(n_steps, SIZE)``."""
    array = inputs()[source["drive"]][: case["n_steps"]]
    return np.asarray(source["offset"]) + source["scale"] * array


@dataclass(frozen=True)
class Population:
    """Cases that run together; every method is to be called with 64-bit floats switched on."""

    names: tuple[str, ...]
    cut_off: bool = False  # whether an upstroke ends at its peak, as it does in the package

    @property
    def cases(self) -> list[dict[str, Any]]:
        return [cases()[name] for name in self.names]

    @cached_property
    def dt(self) -> u.Quantity:
        return parse(self.cases[0]["dt"])

    @cached_property
    def units(self) -> dict[str, u.Unit]:
        """The unit of each recorded variable."""
        return {key: parse_unit(text) for key, text in self.cases[0]["state_units"].items()}

    def neuron(self, cls: type[Spiking] | None = None, **more: Any) -> Spiking:
        """The population as a model of the package."""
        first = self.cases[0]
        cls = cls or getattr(neurolab.neurons, first["class"])
        given = {
            key: _stack([value(case["params"][key]) for case in self.cases])
            for key in first["params"]
        }
        given |= {
            f"{key}_initializer": _stack([value(case["init"][key]) for case in self.cases])
            for key in self.units
        }
        if "ref_var" in cls.parameters:
            given["ref_var"] = True
        if "holds" in cls.parameters:  # as brainpy.state
            given["holds"] = "all"
        given = {k: v if isinstance(v, str) else u.maybe_decimal(v) for k, v in given.items()}
        cls = cls if self.cut_off else overshooting(cls)
        return cls((len(self.names), SIZE), spk_reset=first["spk_reset"], **given, **more)

    @cached_property
    def drives(self) -> dict[str, np.ndarray]:
        """Input arrays ``(n_steps, cases, SIZE)`` in the units of `units_of_drives`."""
        none = np.zeros((self.cases[0]["n_steps"], SIZE))
        stacked: dict[str, list[np.ndarray]] = {"x": [], "g0": [], "g1": [], "delta": []}
        for case in self.cases:
            source = case["inputs"]
            stacked["x"].append(drive(case, source["x"]))
            for i in range(2):
                conductances = source.get("conductances")
                stacked[f"g{i}"].append(drive(case, conductances[i]) if conductances else none)
            stacked["delta"].append(drive(case, source["delta"]) if "delta" in source else none)
        return {key: np.stack(arrays, axis=1) for key, arrays in stacked.items()}

    @cached_property
    def reversals(self) -> list[u.Quantity]:
        """Reversal potential of either conductance, ``(cases, 1)``."""
        found = []
        for i in range(2):
            each = [case["inputs"].get("conductances") for case in self.cases]
            numbers = [parse(g[i]["E"]).to(u.mV).mantissa if g else 0.0 for g in each]
            found.append(np.array(numbers)[:, None] * u.mV)
        return found

    @cached_property
    def units_of_drives(self) -> dict[str, u.Unit]:
        """Unit of ``x`` and of the conductances."""
        each = [case["inputs"].get("conductances") for case in self.cases]
        conductance = next((g[0]["unit"] for g in each if g), "siemens")
        return {
            "x": parse_unit(self.cases[0]["inputs"]["x"]["unit"]),
            "g": parse_unit(conductance),
        }

    def start(self) -> State:
        """The state before the first step."""
        neuron = self.neuron()
        neuron.init_state()
        return self._state(neuron)

    def _state(self, neuron: Spiking) -> State:
        state = {
            key: magnitude(getattr(neuron, key).value, unit) for key, unit in self.units.items()
        }
        for key in ("last_spike_step", "refractory"):
            if hasattr(neuron, key) and isinstance(getattr(neuron, key), brainstate.State):
                state[key] = getattr(neuron, key).value
        return state

    def step(self, neuron: Spiking, state: State, drives: State, i: Any) -> tuple[State, Any]:
        """The state after one step, and the spikes; leading axes of the state are a batch."""
        batch = state["V"].shape[0] if state["V"].ndim == 3 else None
        neuron.init_state(batch)
        for key, array in state.items():
            array = jnp.asarray(array)
            unit = self.units.get(key)
            getattr(neuron, key).value = array if unit is None else u.maybe_decimal(array * unit)
        # What was recorded took any V at the threshold for that of a neuron that had just fired.
        neuron.fired.value = neuron.get_spike() != 0
        conductance = self.units_of_drives["g"]
        for key, E in zip(("g0", "g1"), self.reversals, strict=True):
            g = drives[key] * conductance
            neuron.add_current_input(key, lambda V, g=g, E=E: g * (E - V))
        neuron.add_delta_input("delta", drives["delta"] * u.mV)
        with brainstate.environ.context(dt=self.dt, i=i, t=i * self.dt):
            spikes = neuron.update(drives["x"] * self.units_of_drives["x"])
        return self._state(neuron), spikes

    def one_step(self, rows: State, steps: np.ndarray) -> tuple[State, np.ndarray]:
        """Step ``steps[k]`` from the state ``rows[k]``, for all k at once."""

        def program(rows: State, drives: State, i: jax.Array) -> tuple[State, Any]:
            return self.step(self.neuron(), rows, drives, i)

        drives = {key: array[steps] for key, array in self.drives.items()}
        return jax.device_get(jax.jit(program)(rows, drives, steps[:, None, None]))

    def free_run(self) -> tuple[State, np.ndarray]:
        """All steps from the initial state: each variable ``(n_steps, cases, SIZE)``."""

        def program(state: State, drives: State) -> Any:
            def body(state: State, now: tuple[Any, State]) -> tuple[State, Any]:
                i, drives = now
                state, spikes = self.step(self.neuron(), state, drives, i)
                return state, (state, spikes)

            n_steps = drives["x"].shape[0]
            return jax.lax.scan(body, state, (jnp.arange(n_steps, dtype=jnp.int32), drives))[1]

        return jax.device_get(jax.jit(program)(self.start(), self.drives))
