"""One compiled program for a structure: what it returns depends on numbers and steps alone."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurolab.cli.compose import compose_config, effective
from neurolab.config.experiment import read_experiment
from neurolab.engine.program import Program
from neurolab.engine.records import pack

N_STEPS = 300
MIXED = (
    "neuron=adexif_ref", "input=poisson", "synapse=expon", "+input@inputs.noise=ou",
    "inputs.noise.mean=1mA", "size=37", "record=full", "record.interval=0.3ms",
)  # fmt: skip


@cache
def experiment(*overrides: str):
    return read_experiment(effective(compose_config(overrides), overrides))


@cache
def program(*overrides: str, capacity: int = N_STEPS) -> Program:
    return Program(experiment(*overrides).structure, capacity)


def simulate(program: Program, numbers, cuts=(N_STEPS,)):
    """Spikes (step, neuron) and traces of a run made in chunks of the given lengths."""
    state, steps, neurons, first = program.start(numbers), [], [], 0
    recording = program.structure.recording
    traces: dict = {name: [] for name in recording.variables}
    for n in cuts:
        state, records = program.advance(numbers, state, n)
        _, step, neuron = program.spikes(records, first, n)
        rows = (first + n) // recording.every - first // recording.every
        for name, parts in traces.items():
            parts.append(np.asarray(records[name])[:rows, program.columns[""]])
        steps, neurons, first = [*steps, step], [*neurons, neuron], first + n
    spikes = np.stack([np.concatenate(steps), np.concatenate(neurons)])
    return spikes, {name: np.concatenate(parts) for name, parts in traces.items()}


def assert_identical(one, other):
    (spikes, traces), (others, other_traces) = one, other
    assert spikes.size > 0
    np.testing.assert_array_equal(spikes, others)
    assert traces.keys() == other_traces.keys()
    for name in traces:
        np.testing.assert_array_equal(traces[name], other_traces[name], err_msg=name)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.sets(st.integers(1, N_STEPS - 1), max_size=8))
def test_chunks_do_not_matter(cuts):
    """However a run is cut into chunks, its spikes and traces are the same bits."""
    edges = np.array([0, *sorted(cuts), N_STEPS])
    there, numbers = program(*MIXED), experiment(*MIXED).numbers
    assert_identical(simulate(there, numbers), simulate(there, numbers, np.diff(edges)))


def test_capacity_does_not_matter():
    """A program of another capacity gives the same bits; more steps than that are refused."""
    small, numbers = program(*MIXED, capacity=50), experiment(*MIXED).numbers
    assert 50 <= small.capacity < N_STEPS
    assert_identical(simulate(program(*MIXED), numbers), simulate(small, numbers, [50] * 6))
    with pytest.raises(ValueError, match="exceed the program's capacity"):
        small.advance(numbers, small.start(numbers), small.capacity + 1)


def test_unpack_finds_every_spike():
    """Packed bits come back as (step, neuron), sorted, from any first step and any length."""
    there = program("size=70")
    rng = np.random.default_rng(0)
    fired = rng.random((there.loop.n_blocks * there.block, 70)) < 0.05
    packed = np.asarray(pack(jnp.asarray(fired)))
    assert packed.shape == (len(fired), 3)
    for first, n in ((0, 1), (0, 200), (5, 250), (3 * there.block + 7, 100)):
        offset = first % there.block
        step, neuron = np.nonzero(fired[offset : offset + n])
        _, *found = there.spikes({"spikes": packed}, first, n)
        np.testing.assert_array_equal(found[0], step + first)
        np.testing.assert_array_equal(found[1], neuron)


def test_what_is_recorded_does_not_change_it():
    """A subset of neurons every 0.9 ms is that part of the full recording."""
    some = (*MIXED, "record.interval=0.9ms", "record.neurons=[30,2,17]", "record.variables=[w,V]")
    full = simulate(program(*MIXED), experiment(*MIXED).numbers)
    part = simulate(program(*some), experiment(*some).numbers, (100, 200))
    np.testing.assert_array_equal(part[0], full[0])
    assert list(part[1]) == ["neuron.w", "neuron.V"]
    for name, values in part[1].items():
        np.testing.assert_array_equal(values, full[1][name][2::3, [30, 2, 17]])


ALIKE = ("neuron=lif_ref", "input=poisson", "size=4", "record=full")
TAUS = (4.0, 5.0, 7.5, 20.0)


def test_a_value_for_each_neuron_is_as_many_runs():
    """Neuron k of a heterogeneous population is neuron k of a run in which all are as it is."""
    listed = (*ALIKE, f"neuron.tau=[{','.join(f'{tau}ms' for tau in TAUS)}]", "input.weight=0.11mV")
    spikes, traces = simulate(program(*listed), experiment(*listed).numbers)
    one = (*ALIKE, "input.weight=0.11mV")
    assert experiment(*listed).structure != experiment(*one).structure
    for k, tau in enumerate(TAUS):
        alone, V = simulate(program(*one), experiment(*one).numbers | {"neuron.tau": tau})
        np.testing.assert_array_equal(spikes[:, spikes[1] == k], alone[:, alone[1] == k])
        np.testing.assert_allclose(
            traces["neuron.V"][:, k], V["neuron.V"][:, k], rtol=1e-5, atol=1e-6
        )
    assert len(set(spikes[1])) > 1


def pure(there: Program):
    """The program's two functions as one function of the numbers."""

    def run(numbers):
        with there.loop.environment():
            chosen, state = {"": np.arange(there.structure.size)}, there.loop.start(numbers, 0)
            return there.loop.advance(numbers, chosen, state, jnp.int32(N_STEPS), 0)[1]

    return run


def test_vmap_over_numbers_is_as_many_runs():
    """The pure functions mapped over a table of numbers give the spikes of separate runs."""
    there, numbers = program(*ALIKE), experiment(*ALIKE).numbers
    values = there.loop.arguments(numbers)
    table = values | {"neuron.tau": np.float32(TAUS), "seed": np.arange(4, dtype=np.uint32)}
    axes = dict.fromkeys(values, None) | {"neuron.tau": 0, "seed": 0}
    mapped = jax.jit(jax.vmap(pure(there), in_axes=(axes,)))(table)
    counts = []
    for k, tau in enumerate(TAUS):
        one = numbers | {"neuron.tau": tau, "seed": np.uint32(k)}
        spikes, traces = simulate(there, one)
        found = np.stack(there.spikes({"spikes": mapped["spikes"][k]}, 0, N_STEPS)[1:])
        np.testing.assert_array_equal(found, spikes)
        V = np.asarray(mapped["neuron.V"])[k, :N_STEPS]
        np.testing.assert_allclose(V, traces["neuron.V"], rtol=1e-5, atol=1e-6)
        counts.append(spikes.shape[1])
    assert min(counts) > 0


def test_a_derivative_passes_through_the_program():
    """d(mean V)/d(tau), forward through the steps, is the finite difference.

    The current is negative: V stays below V_reset, where the surrogate gradient is zero.  Central
    differences of float64 with h = 1e-4 are off by less than 1e-6 of the value.
    """
    calm = ("input=constant", "input.amplitude=-0.9mA", "size=1", "record=full",
            "device.precision=float64")  # fmt: skip
    there, values = program(*calm), experiment(*calm).numbers

    def mean(tau):
        V = pure(there)(there.loop.arguments(values) | {"neuron.tau": tau})["neuron.V"]
        return V[:N_STEPS].mean()

    with jax.enable_x64(True):
        _, slope = jax.jit(lambda tau: jax.jvp(mean, (tau,), (jnp.ones_like(tau),)))(5.0)
    h = 1e-4
    up, down = (
        simulate(there, values | {"neuron.tau": 5.0 + sign * h})[1]["neuron.V"].mean()
        for sign in (1, -1)
    )
    assert float(slope) == pytest.approx((up - down) / (2 * h), rel=1e-5)
    assert float(slope) > 0.01  # a slower membrane stays nearer to rest


def test_numbers_do_not_recompile(caplog):
    """Other numbers, another seed, another length: the same compiled program, other results."""
    there, numbers = program(*ALIKE), experiment(*ALIKE).numbers
    first = simulate(there, numbers, (N_STEPS,))
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        other = simulate(there, numbers | {"neuron.tau": 6.0}, (10, 100, 190))
        seeded = simulate(there, numbers | {"seed": np.uint32(5)})
    compiled = [r.getMessage() for r in caplog.records if "XLA compilation" in r.getMessage()]
    assert [message for message in compiled if "lambda" in message] == []
    assert not np.array_equal(first[1]["neuron.V"], other[1]["neuron.V"])
    assert not np.array_equal(first[1]["neuron.V"], seeded[1]["neuron.V"])


DEVICES = """
import json, sys
import jax, numpy as np
sys.path.insert(0, sys.argv[1])
from test_program import MIXED, experiment, simulate
from neurolab.engine.program import Program
spikes = sys.argv[2]
assert len(jax.devices()) == 4
found = {}
for size, bits in ((36, 32), (39, 64)):
    taus = ",".join(f"{10 + k / 10}ms" for k in range(size))
    overrides = (*MIXED, f"size={size}", f"device.precision=float{bits}", f"neuron.tau=[{taus}]",
                 "record.neurons=[35,1,2,20,0]", "+input@inputs.spikes=spikes_from_file",
                 f"inputs.spikes.file='{spikes}'")
    e = experiment(*overrides)
    runs = {}
    for count in (1, 2, 4):
        program = Program(e.structure, 300, jax.devices()[:count])
        used = len(program.devices)
        if used not in runs:
            runs[used] = simulate(program, e.numbers, (300,) if count == 1 else (77, 223))
    one = runs[1]
    assert one[1]["neuron.V"].dtype == np.dtype(f"float{bits}")
    found[size] = {
        used: [bool(np.array_equal(one[0], run[0])), int(one[0].shape[1])]
        + [name for name in one[1] if not np.array_equal(one[1][name], run[1][name])]
        for used, run in runs.items()
    }
print(json.dumps(found))
"""


@pytest.mark.nightly
def test_devices_do_not_matter(tmp_path):
    """1, 2, 3 or 4 devices give the same spikes and traces, bit for bit, in both precisions.

    As many of the devices are used as divide the size: of 4, all for 36 neurons, 3 for 39.
    """
    table = np.column_stack([np.arange(60) * 0.5, np.arange(60) % 36])
    np.save(tmp_path / "spikes.npy", table)
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    done = subprocess.run(
        [sys.executable, "-c", DEVICES, str(Path(__file__).parent), str(tmp_path / "spikes.npy")],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {size: list(runs) for size, runs in found.items()} == {
        "36": ["1", "2", "4"], "39": ["1", "3"],
    }  # fmt: skip
    for runs in found.values():
        for same_spikes, n_spikes, *different in runs.values():
            assert same_spikes
            assert n_spikes > 0
            assert different == []


def test_a_second_process_with_other_numbers_is_served_by_the_cache(tmp_path):
    """neuron.tau=12ms after neuron.tau=10ms adds nothing to the folder of compiled programs."""
    kept = []
    for tau in ("10ms", "12ms"):
        command = [
            sys.executable, "-m", "neurolab", f"neuron.tau={tau}", "size=10", "duration=20ms",
            f"device.cache_dir='{tmp_path / 'cache'}'", f"hydra.run.dir='{tmp_path / tau}'",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        kept.append({path.name for path in (tmp_path / "cache").glob("*-cache")})
    assert kept[0] == kept[1]
    assert len(kept[0]) >= 2
