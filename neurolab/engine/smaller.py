"""What to do when memory runs out: the same program for fewer steps at a time."""

from __future__ import annotations

from typing import Any

import jax

from neurolab.engine.cache import program_of
from neurolab.engine.memory import available
from neurolab.engine.placed import Placed
from neurolab.engine.program import Program
from neurolab.problems import OutOfMemoryError

__all__ = ["exhausted", "halved", "too_little"]


def exhausted(error: BaseException | None) -> bool:
    """Whether memory ran out, of the host or of a device."""
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


def halved(program: Program, numbers: Placed) -> tuple[Program, Placed] | None:
    """The program that makes half as many steps at a time, to the same results, and its numbers;
    None where these would be less than two blocks."""
    capacity = program.capacity // 2
    if capacity < 2 * program.block:
        return None
    devices, varying = tuple(program.devices), program.varying
    smaller = program_of(
        program.structure, capacity, devices, program.points, varying, program.at_once
    )
    return smaller, Placed(numbers, numbers.arguments, smaller)


def too_little(program: Program, numbers: Placed) -> OutOfMemoryError:
    """What the program needs, and what there is."""

    def whole(state: Any) -> Any:
        return program.advance(numbers, state, program.capacity)[1]

    state = jax.eval_shape(lambda: program.start(numbers))
    states, kept = (
        sum(of.size * of.dtype.itemsize for of in jax.tree.leaves(tree)) / 1e9
        for tree in (state, jax.eval_shape(whole, state))
    )
    return OutOfMemoryError(
        f"memory ran out, of which {available() / 1e9:.3g} GB are free: the states of "
        f"{program.structure.size} neurons take {states:.3g} GB, twice, and what is recorded in "
        f"{program.capacity} steps {kept:.3g} GB, three times; fewer neurons (size) or variables "
        "(record) and a smaller record.memory need less"
    )
