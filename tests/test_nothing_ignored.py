"""What a configuration says is used, or refused, or warned of with what is used instead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sweeps import KEEP
from test_config import problems

import neurolab
from neurolab.api import experiment_of

SHORT = ("neuron=lif", "size=6", "duration=20ms", KEEP)


def warned(*overrides):
    return {w.key: f"{w.given} {w.advice}" for w in experiment_of([*SHORT, *overrides]).warnings}


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("+device.cont=2", "device.cont"),
        ("+device.dtype=float64", "device.dtype"),
        ("+integrator.order=4", "integrator.order"),
    ],
)
def test_unknown_keys_of_groups_are_refused(override, key):
    found = problems(*SHORT[:-1], override)
    assert [problem.key for problem in found] == [key]


@pytest.mark.parametrize(
    ("overrides", "key", "used"),
    [
        (("duration=20.04ms",), "duration", "20 ms is used"),
        (("duration=20ms", "dt=0.3ms"), "duration", "20.1 ms is used"),
        (("record.interval=0.25ms",), "record.interval", "0.2 ms is used"),
        (("record.interval=0.03ms",), "record.interval", "0.1 ms is used"),
        (("record.rate_bin=1.26ms", "duration=26ms"), "record.rate_bin", "1.3 ms is used"),
        (("neuron=lif_ref", "neuron.tau_ref=1.71ms"), "neuron.tau_ref", "1.8 ms is used"),
    ],
)
def test_times_that_are_no_multiple_of_dt_are_told(overrides, key, used):
    assert used in warned(*overrides)[key]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("record=summary", "record.neurons=5", "record.interval=1ms"),
         {"record.neurons": "variables names none", "record.interval": "variables names none"}),
        (("record=summary", "record.variables=[V]"), {"record.variables": "neurons is 0"}),
        (("record.neurons=7",), {"record.neurons": "size = 6"}),
        (("record.neurons=[2,0,2]",), {"record.neurons": "[2, 0]"}),
        (("record.rate_bin=1h",), {"record.rate_bin": "longer than the duration, 20 ms"}),
        (("record.rate_bin=15ms",), {"record.rate_bin": "the last 5 ms"}),
        (("record.variables=[V]", "record.interval=30ms"),
         {"record.interval": "longer than the duration, 20 ms: there is no sample of neuron.V"}),
        (("size=1", "duration=12ms"), {}),  # 4 neurons and 5 ms, which the option has
        (("record.variables=[]",), {}),
        (("record.neurons=0", "record.rate_bin=null"), {}),
        (("record=summary",), {}),
        (("record=full", "duration=1ms"), {}),
    ],
)  # fmt: skip
def test_settings_of_record_that_do_less_than_they_say_are_told(overrides, told):
    found = warned(*overrides)
    assert found.keys() == told.keys()
    assert all(words in found[key] for key, words in told.items())


def test_neurons_to_record_are_told_by_their_populations():
    sizes = ("populations.E.size=16", "populations.I.size=4", "duration=2ms")
    network = (*sizes, "network=coba_ei", "device.cache_dir=null")
    told = {
        typed: {w.key: w.advice for w in experiment_of([*network, *typed.split()]).warnings}
        for typed in (
            "record.neurons=[3,10]",
            "record.neurons=[10,10]",
            "record.neurons=[10] record.variables=[E.V]",
        )
    }
    nothing, twice, meant = told.values()
    assert not nothing and not meant
    assert "names none of I, which has neurons 0 to 3" in twice["record.neurons"]
    assert "[10] are recorded" in twice["record.neurons"]
    (problem,) = problems(*network, "record.neurons=[0,17]")
    assert "some of 0 to 15 (of E, the largest population)" in problem.advice


def test_a_sweep_has_no_points_of_more_recorded_neurons_than_there_are(tmp_path):
    typed = (*SHORT, "record.neurons=1,2,4", "size=2", "duration=1ms", "device=cpu")
    sweep = neurolab.run_sweep(typed, tmp_path)
    assert list(sweep.table["status"]) == ["completed", "completed", "refused"]
    assert "size = 2" in sweep.table["message"].iloc[2]


@pytest.mark.parametrize("dt", ["0.1ms", "0.05ms", "0.025ms", "0.3ms", "1us", "(1/3)ms"])
def test_times_that_are_multiples_but_for_rounding_are_not_told(dt):
    if "/" in dt:
        dt = f"{1 / 3!r}ms"
    ms = float(dt.removesuffix("ms").removesuffix("us")) * (1e-3 if "us" in dt else 1)
    found = warned(f"dt={dt}", f"duration={700 * ms!r}ms", f"record.interval={7 * ms!r}ms",
                   f"record.rate_bin={70 * ms!r}ms", "neuron=lif_ref",
                   f"neuron.tau_ref={7 * ms!r}ms")  # fmt: skip
    assert not {"duration", "record.interval", "record.rate_bin", "neuron.tau_ref"} & found.keys()


def test_an_integrator_that_is_not_used_is_told():
    assert "a step of its own" in warned("neuron=sigmoid_rate", "integrator=rk4")["integrator"]
    assert "integrator" not in warned("neuron=sigmoid_rate")
    assert "integrator" not in warned("neuron=lif", "integrator=rk4")


def test_devices_that_cannot_share_the_neurons_are_told():
    """Two are asked for, and 7 neurons have no halves."""
    code = (
        "from neurolab.api import experiment_of\n"
        "for size in (6, 7):\n"
        f"    e = experiment_of([*{SHORT!r}, f'size={{size}}', 'device.count=2'])\n"
        "    print(len(e.devices), [w.advice for w in e.warnings])\n"
    )
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    assert python(code, flags).stdout.splitlines() == [
        "2 []",
        "1 ['is more than can share these 7 neurons: 1 are used']",
    ]


def test_durations_of_a_sweep_are_told(tmp_path, caplog):
    found = neurolab.run_sweep([*SHORT, "duration=10ms,20.04ms,30ms,10.06ms"], tmp_path)
    assert [found[k].committed_steps for k in range(4)] == [100, 200, 300, 101]
    assert "duration = 20.04ms is no multiple of dt = 0.1 ms: 20 ms is used" in caplog.text
    assert "duration = 10.06ms is no multiple of dt = 0.1 ms: 10.1 ms is used" in caplog.text
    assert caplog.text.count("multiple of dt") == 2


def python(code, environment=None):
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)], capture_output=True, text=True,
        check=False,
        env=os.environ | {"XLA_FLAGS": ""} | (environment or {}),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_settings_come_in_time_where_jax_was_only_imported():
    """As in a notebook whose first line is ``import jax``."""
    done = python(
        "import jax, os, neurolab\n"
        f"neurolab.run({[*SHORT]!r}, save=False)\n"
        "assert 'prefer_vector_width' in os.environ['XLA_FLAGS']\n"
        "assert len(jax.devices()) == len(os.sched_getaffinity(0))\n"
    )
    assert "JAX was used" not in done.stderr


def test_settings_that_come_too_late_are_told_once():
    done = python(
        "import jax.numpy as jnp\njnp.zeros(3)\nimport neurolab\n"
        f"for _ in range(2): neurolab.run({[*SHORT]!r}, save=False)\n"
    )
    assert done.stderr.count("JAX was used before neurolab") == 1
    assert "XLA_FLAGS=" in done.stderr


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (("neuron.tau=0.15ms",), "neuron.tau"),
        (("neuron=adexif", "neuron.tau_w=0.1ms"), "neuron.tau_w"),
        (("input=poisson", "synapse=expon", "synapse.tau=0.1ms"), "synapse.tau"),
        (("input=ou", "input.tau=0.1ms"), "input.tau"),
        (("neuron=lif_ref", "neuron.tau_ref=0.05ms"), "neuron.tau_ref"),
        (("neuron=lif_ref", "neuron.tau_ref=0.1ms"), "neuron.tau_ref"),
    ],
)
def test_time_constants_too_short_for_the_step_are_told(overrides, key):
    assert dict.fromkeys(warned(*overrides)) == {key: None}


def test_cells_that_start_above_their_threshold_are_told(tmp_path, caplog):
    """V_initializer does not follow V_rest: 50 mV above the threshold here."""
    physiology = ("neuron=lif_ref", "neuron.V_rest=-70mV", "neuron.V_th=-50mV",
                  "neuron.V_reset=-60mV", "neuron.R=40Mohm")  # fmt: skip
    assert "neuron.V_th = -50" in warned(*physiology)["neuron.V_initializer"]
    assert not warned(*physiology, "neuron.V_initializer=-70mV")
    assert warned(*physiology, "neuron.V_initializer=[uniform,-60mV,-49mV]", "size=99")
    assert not warned(*physiology, "neuron.V_initializer=[uniform,-60mV,-51mV]", "size=99")
    typed = (*SHORT, *physiology, "neuron.V_initializer=-70mV,-40mV,-60mV")
    neurolab.run_sweep(typed, tmp_path)
    assert caplog.text.count("starts at or above the threshold") == 1


def test_spikes_into_a_gain_that_saturates_are_told():
    """The rate falls with dt: a kick of charge / dt passes the sigmoid."""
    assert "synapse=expon" in warned("neuron=sigmoid_rate", "input=poisson")["synapse"]
    assert not warned("neuron=sigmoid_rate", "input=poisson", "synapse=expon")
    assert not warned("neuron=sigmoid_rate", "input=ou")


def test_receptors_that_nothing_feeds_are_told():
    assert "no input" in warned("input=constant", "synapse=ampa")["synapse"]
    two = ("input=poisson", "synapse=ampa", "+synapse@receptors.gaba=gaba_a")
    assert warned(*two).keys() == {"receptors.gaba"}
    assert warned(*two, "input.receptor=gaba").keys() == {"synapse"}
    assert not warned("input=poisson", "synapse=none", "+synapse@receptors.gaba=gaba_a")  # alone
    assert not warned(*two, "+input@inputs.inh=poisson", "inputs.inh.receptor=gaba")


def test_coupled_neurons_are_on_one_device():
    """Each device would have averaged its own."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_independence import user\n"
        "from neurolab.cli.compose import compose_config, effective\n"
        "from neurolab.config.experiment import check\n"
        "for name in ('Mean', 'Counted'):\n"
        "    typed = [f'neuron._target_=test_independence.{name}', 'size=2048']\n"
        "    print(len(check(effective(compose_config(typed), typed)).devices))\n"
    )
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    assert python(code, flags).stdout.split() == ["1", "2"]
