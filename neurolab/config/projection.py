"""One projection of a network: its rule of connectivity, its weights and its delays.

weight: 1 nS                        one for all synapses
weight: [normal, 1 nS, 0.1 nS]      drawn for each
weight: [file, 1 nS]                those of the file that lists the synapses, times 1 nS
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import brainunit as u
import numpy as np

from neurolab.config.reader import CONDUCTANCE, ModelReader
from neurolab.config.values import UnfitValueError, out_of_range, read_drawn, read_time, rounded
from neurolab.connectivity import Connectivity
from neurolab.distributions import FILE, least
from neurolab.dynamics import Parameter
from neurolab.engine.projections import Wiring
from neurolab.engine.structure import ModelSpec, Number, PopulationSpec, Structure
from neurolab.engine.wiring import synapse_problems, synapses
from neurolab.inputs.projection import Projection
from neurolab.problems import Problem, show

__all__ = ["BOUNDS", "WEIGHT", "ProjectionReader", "at_risk", "unfit_synapses"]

_DELAY = Parameter(1.0 * u.ms, "time from a spike to its arrival", positive=True)
#: Which arguments of a distribution bound what it gives.
BOUNDS = {"uniform": (0, 1), "truncated_normal": (2, 3)}
WEIGHT = Projection.parameters["weight"]


@dataclass
class ProjectionReader:
    """Reads a projection between two populations that are read already."""

    key: str
    node: Mapping[str, Any]
    source: PopulationSpec
    target: PopulationSpec
    #: That of the target.
    reader: ModelReader
    dt_ms: float

    def read(self) -> tuple[Wiring, ModelSpec] | None:
        """The synapses, and the input of the target that they are; None if they cannot be."""
        where, given = f"{self.key}.connectivity", self.node.get("connectivity") or {}
        rule = self.reader.model(given, where, Connectivity)
        own = None if rule is None else self._own(rule, given)
        model, weights = self._weight(own)
        delays, slots = self._delay(own)
        if own is None or rule is None or model is None or delays is None:
            return None
        prefixes = self.source.prefix, self.target.prefix
        signed = not self.reader.bounded(WEIGHT).nonnegative
        return Wiring(self.key, *prefixes, rule, delays, weights, slots, signed), model

    def _own(self, rule: ModelSpec, given: Mapping[str, Any]) -> dict[str, np.ndarray] | None:
        """The weights and delays that a rule has from its file; None if its synapses cannot be."""
        where, target, numbers = f"{self.key}.connectivity", rule.target, self.reader.numbers
        recorded = target.recorded  # type: ignore[attr-defined]
        if recorded and not rule.numbers:  # its file could not be read
            return None
        if not recorded:
            many = [number.key for _, number in rule.numbers if np.ndim(numbers[number.key])]
            for key in many:
                value = show(given[key.rpartition(".")[2]])
                self.reader.problems.add(key, value, "expected one value, which is for all pairs")
            return None if many else {}
        edges: Connectivity = rule.build(1, numbers, where)
        file = f"{where}.{recorded[0]}", str(given[recorded[0]])
        if why := edges.refuses(edges.pairs(self.source.size, self.target.size, same=False)):
            self.reader.problems.add(*file, why)
            return None
        if doubt := edges.doubts():
            self.reader.problems.warnings.append(Problem(*file, doubt))
        keys = {name: f"{where}.{name}" for name in ("weight", "delay")}
        return {name: numbers[key] for name, key in keys.items() if key in numbers}

    def _of_file(
        self, name: str, drawn: tuple[str, np.ndarray] | None, own: Mapping[str, Any] | None
    ) -> Any:
        """Weights or delays of the file, where they are to be taken; what is not is told."""
        there = (own or {}).get(name)
        if drawn is not None and drawn[0] == FILE:
            if there is None and own is not None:
                advice = f"takes {name}s that the rule of connectivity brings, and it brings none: "
                advice += f"connectivity=edges or sonata with a file of {name}s does"
                raise UnfitValueError(f"{advice}; or give one for all")
            return there
        if there is not None:
            example = f"[{FILE}, {'1 ms' if name == 'delay' else '1 nS'}]"
            advice = f"leaves the {name}s of the file unused; such as {example} takes them"
            where, given = f"{self.key}.{name}", show(self.node.get(name))
            self.reader.problems.warnings.append(Problem(where, given, advice))
        return None

    def _weight(self, own: Mapping[str, Any] | None) -> tuple[ModelSpec | None, str | None]:
        """The input that the projection is, and the distribution of its weights."""
        reader, where, value = self.reader, f"{self.key}.weight", self.node.get("weight")
        known = len(reader.problems.found)
        reader.output = reader.fed(self.key, self.node)
        if len(reader.problems.found) > known:
            return None, None
        declared = WEIGHT
        fixed = (("receptor", self.node.get("receptor")),)
        try:
            if value is None:
                raise UnfitValueError(f"is needed: {declared.doc}")
            drawn = read_drawn(value, reader.unit(declared), declared)
            there = self._of_file("weight", drawn, own)
            if drawn is None:
                if isinstance(value, list) and len(value) != reader.size:
                    each = f"one value for each neuron of the target {self.target.name}"
                    advice = f"a list of {len(value)} values; expected {each} ({reader.size}), one "
                    advice += "for all, or a distribution such as [normal, mean, std]"
                    raise UnfitValueError(advice)
                number = reader.number(where, value, declared)
                return ModelSpec(Projection, fixed, (("weight", number),)), None
            name, arguments = drawn
            wrong = there is not None and out_of_range(
                there * arguments[0], reader.bounded(declared)
            )
            if wrong:
                raise UnfitValueError(wrong)
        except UnfitValueError as error:
            reader.problems.add(where, show(value), str(error))
            return None, None
        # What arrives is the sum of weights already; of those of a file the factor comes after, so
        # that another one needs no other tables.
        of_file, one = name == FILE, np.ones(1)
        reader.numbers[where] = one if of_file else arguments
        reader.numbers[f"{self.key}.unit"] = (arguments if of_file else one)[0]
        factor = Number(f"{self.key}.unit", reader.unit(declared))
        return ModelSpec(Projection, fixed, (("weight", factor),)), name

    def _delay(self, own: Mapping[str, Any] | None) -> tuple[tuple[int, int] | None, str | None]:
        """The least and the most delay in steps, and the distribution of them."""
        where, value, dt_ms = f"{self.key}.delay", self.node.get("delay"), self.dt_ms
        try:
            drawn = None if value is None else read_drawn(value, u.ms, _DELAY)
            there = self._of_file("delay", drawn, own)
            if drawn is None:
                delay = read_time(value, where, self.reader.problems)
                if delay is None:
                    return None, None
                if delay < dt_ms * (1 - 1e-9):
                    advice = f"is less than a step, dt = {dt_ms:g} ms; at least one is needed"
                    raise UnfitValueError(advice)
                self.reader.problems.warnings += rounded(where, value, delay, dt_ms)
                steps = max(round(delay / dt_ms), 1)
                return (steps, steps), None
            name, arguments = drawn
            if name == FILE:
                found = None if there is None else self._steps(there * arguments[0])
            else:
                found = self._bounds(name, arguments)
        except UnfitValueError as error:
            self.reader.problems.add(where, show(value), str(error))
            return None, None
        self.reader.numbers[where] = arguments
        return found, name

    def _bounds(self, name: str, arguments: np.ndarray) -> tuple[int, int]:
        """The least and the most delay, in steps, that a distribution may give."""
        bounds = BOUNDS.get(name)
        if bounds is None:
            advice = "delays need bounds: [uniform, low, high] or [truncated_normal, mean, std, "
            raise UnfitValueError(f"{advice}low, high]")
        low, high = (arguments[k] / self.dt_ms for k in bounds)
        if low < 0.5 * (1 - 1e-9):
            advice = f"may be less than half a step, dt = {self.dt_ms:g} ms; at least one is needed"
            raise UnfitValueError(f"{advice}: raise the lower bound")
        return max(int(np.rint(low)), 1), max(int(np.rint(high)), 1)

    def _steps(self, delay_ms: np.ndarray) -> tuple[int, int]:
        """The least and the most of the delays of a file, in steps."""
        steps = delay_ms / self.dt_ms
        whole = np.maximum(np.rint(steps), 1)
        bad = np.flatnonzero(~((steps >= 0.5 * (1 - 1e-9)) & (whole < 2**31)))
        if bad.size:
            advice = f"gives edge {bad[0]} (from 0) of the file a delay of {delay_ms[bad[0]]:g} ms"
            advice += f"; expected half a step, dt = {self.dt_ms:g} ms, or more, below 2^31 steps"
            raise UnfitValueError(advice)
        off = np.flatnonzero(np.abs(steps - whole) > 1e-6 * whole)
        if off.size:
            at, where = off[0], f"{self.key}.delay"
            advice = f"is no multiple of dt = {self.dt_ms:g} ms for {off.size} of {steps.size} "
            advice += f"edges: of edge {at} (from 0) {whole[at] * self.dt_ms:.10g} ms is used, not "
            warning = Problem(where, show(self.node["delay"]), f"{advice}{delay_ms[at]:g} ms")
            self.reader.problems.warnings.append(warning)
        return int(whole.min(initial=2**31 - 1)) if steps.size else 1, int(whole.max(initial=1))


def unfit_synapses(
    structure: Structure, numbers: Mapping[str, Any], config: Mapping[str, Any]
) -> list[Problem]:
    """What is wrong with the rules of projections, before any synapse is drawn; and with the
    weights of those `at_risk`, which are drawn to see."""
    found = synapse_problems(structure, numbers)
    for wiring in () if found else at_risk(structure, numbers):
        weights = np.asarray(synapses(structure, wiring, numbers).weight)
        wrong = out_of_range(weights, replace(WEIGHT, nonnegative=True, why=CONDUCTANCE))
        given = config["projections"][wiring.name.removeprefix("projections.")]["weight"]
        found += [Problem(wiring.key("weight"), show(given), wrong)] if wrong else []
    return found


def at_risk(structure: Structure, numbers: Mapping[str, Any]) -> list[Wiring]:
    """The projections that may draw weights below zero, where none may be."""
    return [
        wiring
        for wiring in structure.projections
        if wiring.weights not in (None, FILE) and not wiring.signed
        if least(wiring.weights, numbers[wiring.key("weight")]) < 0
    ]
