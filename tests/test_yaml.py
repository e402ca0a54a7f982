"""The YAML files say what the classes say: every parameter, value, unit, with a comment."""

from __future__ import annotations

import importlib
import re

import brainunit as u
import pytest
from omegaconf import OmegaConf

from neurolab.cli import conf
from neurolab.cli.compose import conf_folder
from neurolab.config.classes import declared_parameters
from neurolab.neurons.membrane import Membrane
from neurolab.units import Relative, parse

CONF = conf_folder()


MODELS = sorted(
    path.relative_to(CONF).with_suffix("").as_posix()
    for group in ("neuron", "synapse", "synapse/output", "input", "input/rates", "connectivity")
    for path in (CONF / group).glob("*.yaml")
    if path.stem
    not in ("none", "ampa", "gaba_a", "nmda")  # cells of papers, with values of their own
)


#: Parameters that no YAML names, and why.
ABSENT = {
    ("SigmoidRate", "mult_coupling"): "has one value only",
    ("SignalFromFile", "values"): "the content of the file",
    ("Piecewise", "samples"): "made of values",
    ("Piecewise", "ends"): "made of durations",
    ("SpikesFromFile", "times"): "the content of the file",
    ("SpikesFromFile", "neurons"): "the content of the file",
    ("SpikesFromFile", "arrivals"): "the content of the file",
    **{
        (rule, name): "the content of the file"
        for rule in ("Edges", "Sonata")
        for name in ("source", "target", "weight", "delay")
    },
    ("Sonata", "multiple"): "the content of the file",
    ("PoissonRates", "rates"): "a group of its own, input/rates",
    **{(c, "output"): "a group, synapse/output" for c in ("Expon", "DualExpon", "Alpha")},
}


def option(path: str) -> tuple[type, dict]:
    """The class that a YAML file names, and its values."""
    values = OmegaConf.to_container(OmegaConf.load(CONF / f"{path}.yaml"))
    module, _, name = values.pop("_target_").rpartition(".")
    values.pop("defaults", None)
    return getattr(importlib.import_module(module), name), values


def same(given, default) -> bool:
    if default is None:
        return given in (None, "???")  # may, or must, be given
    if isinstance(default, (bool, str, tuple)):
        return given == (list(default) if isinstance(default, tuple) else default)
    given, default = parse(given), parse(default)
    if isinstance(default, Relative):
        if not isinstance(given, Relative):
            return False
        given, default = (q.value * u.maybe_decimal(1.0 * q.unit) for q in (given, default))
        return bool(u.math.all(given == default))
    if float(given.mantissa) == 0 and float(default.mantissa) == 0:
        return True  # zero is zero in any unit
    alike = given.unit.has_same_dim(default.unit)
    return alike and float(given.to(default.unit).mantissa) == pytest.approx(
        float(default.mantissa), rel=1e-12
    )


@pytest.mark.parametrize("path", MODELS)
def test_yaml_and_class_have_the_same_parameters_and_defaults(path):
    """A YAML names every parameter of its class, nothing else, with the class's default.

    In input/rates a signal is a rate, while a class by itself is a current relative to the neuron.
    """
    target, values = option(path)
    declared = declared_parameters(target)
    absent = {name for cls, name in ABSENT if cls == target.__name__}
    assert set(values) == set(declared) - absent
    for name, value in values.items():
        if path.startswith("input/rates/") and (declared[name].role == "signal" or name == "unit"):
            assert value == "Hz" or parse(value).unit == u.Hz
        else:
            assert same(value, declared[name].default), name


@pytest.mark.parametrize("path", MODELS)
def test_numbers_in_yaml_have_units(path):
    """A number stands without a unit only where its parameter has none."""
    target, values = option(path)
    for name, value in values.items():
        declared = declared_parameters(target)[name]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert declared.unit.is_unitless, name
            assert not declared.role, name


@pytest.mark.parametrize(
    "path",
    sorted(
        path.relative_to(CONF).as_posix()
        for path in CONF.rglob("*.yaml")
        if path.relative_to(CONF).parts[0] not in ("hydra", "experiment")
    ),
)
def test_every_value_in_yaml_has_a_comment(path):
    """Every file begins with a line that says what it is, every value has a comment beside it."""
    text = (CONF / path).read_text().partition("\nhydra:")[0]
    assert text.startswith("# ")
    values = [line for line in text.splitlines() if re.match(r"(?!_target_)(?!defaults)\w+:", line)]
    assert [line for line in values if "#" not in line] == []


def test_a_key_that_is_printed_in_quotes_is_the_same_bare():
    """OmegaConf quotes n, which strict YAML 1.1 takes for false; read back both are the text n."""
    composed = OmegaConf.create({"n": 100})
    assert "'n': 100" in OmegaConf.to_yaml(composed)
    for text in (OmegaConf.to_yaml(composed), "n: 100"):
        assert OmegaConf.create(text) == composed


def test_what_follows_from_another_number_is_the_same_without_jax():
    """Composing knows the pairs by itself: printing a configuration imports no model."""
    assert Membrane.alternatives == conf._ALTERNATIVES
