"""Values that follow from others: ``${calc:'..'}``."""

from __future__ import annotations

import pytest

import neurolab
from neurolab.api import experiment_of
from neurolab.cli.arithmetic import calculate
from neurolab.problems import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("round(20683 * 0.1)", 2068),
        ("2 ** 3 / 4", 2.0),
        ("2 ** 3", 8),
        ("(-3) ** 2 - -(3 ** 2)", 18),
        ("5 - 3 ** 2", -4),
        ("2 ** -1", 0.5),
        ("0.1 * 3 mV", "0.3 mV"),
        ("-(1 + 2)", -3),
        ("max(1, sqrt(16), 3)", 4.0),
        ("2 nS", "2 nS"),
        ("-5 * 0.1 mV", "-0.5 mV"),
        ("1e-3nS + 2nS", "2.001 nS"),
        ("-1e-05 * 0.5 mA", "-5e-06 mA"),
        ("2E-3 * 1 mA + 1e+1mA", "10.002 mA"),
        ("1e17 * 1", 1e17),
        ("2.e-1 * 5", 1.0),
        ("87.5 pA / sqrt(0.25)", "175 pA"),
        ("3 mV / 2 mV", 1.5),
        ("2 * (1.5 ms - .5ms)", "2 ms"),
        (3, 3),
    ],
)
def test_numbers_and_quantities(text, value):
    found = calculate(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 mV + 2 nA", "different units"),
        ("1 mV + 2", "different units"),
        ("1 mV * 2 nS", "one of two factors"),
        ("sqrt(2 mV)", "plain numbers"),
        ("2 ** 1 mV", "plain numbers"),
        ("1 / 0", "division by zero"),
        ("1e308 * 10", "inf"),
        ("g * 2", "is not known"),
        ("__import__('os')", "is not known"),
        ("(1).real", "is not known"),
        ("9 ** 9 ** 9", "out of range"),
        ("1 +", "no expression"),
        ("-3**2", "needs brackets"),
        ("2 - -3 ** 2", "needs brackets"),
        ("2 * (-1e-1**2)", "needs brackets"),
        ("-" * 5000 + "1", "no expression"),
        ("True + 1", "is not known"),
        ("", "no expression"),
    ],
)
def test_what_is_no_expression_is_refused(text, words):
    with pytest.raises(ValueError, match="calc") as error:
        calculate(text)
    assert words in str(error.value)


def test_what_cannot_be_calculated_is_told_with_its_key():
    with pytest.raises(ConfigError) as error:
        experiment_of(["neuron.tau=${calc:'1 mV + 2 ms'}"])
    (problem,) = error.value.problems
    assert problem.key == "neuron.tau" and "different units" in str(error.value)


def test_a_sweep_over_what_others_follow_from_is_one_program(tmp_path):
    """Each point has its own weights, those of a run of it alone."""
    small = ["network=brunel", "populations.E.size=200", "populations.I.size=50", "duration=50ms"]
    swept = neurolab.run_sweep([*small, "network.g=4,8", "network.eta=2,4", "device=cpu"], tmp_path)
    assert len(list((swept.path / "batches").iterdir())) == 1
    counts = set()
    for k, (g, eta) in enumerate([(4, 2), (4, 4), (8, 2), (8, 4)]):
        config = swept.config(k)
        assert config.projections.I_I.weight == f"-{g / 10:g} mV"
        assert config.populations.I.inputs.external.rate == f"{eta * 10} Hz"
        alone = neurolab.run(
            [*small, f"network.g={g}", f"network.eta={eta}", "device=cpu"], save=False
        )
        assert swept[k].spikes["neuron"].size == alone.spikes["neuron"].size > 0
        counts.add(alone.spikes["neuron"].size)
    assert len(counts) == 4


def test_sizes_that_follow_are_programs_of_their_own(tmp_path):
    swept = neurolab.run_sweep(
        ["size=\"${calc:'round(10 * ${vars.scale})'}\"", "+vars.scale=1,2", "duration=5ms"],
        tmp_path,
    )
    assert [swept[k].n_neurons for k in range(2)] == [10, 20]
