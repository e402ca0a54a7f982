"""What the package shows of itself: public names, models, parameters."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest
from omegaconf import OmegaConf

import neurolab
from neurolab.cli.conf import conf_folder


def test_public_names_are_what_is_listed():
    assert set(neurolab.__all__) < set(dir(neurolab))
    assert all(getattr(neurolab, name) is not None for name in dir(neurolab))
    assert not {"Any", "TYPE_CHECKING", "annotations"} & set(dir(neurolab))
    assert neurolab.__version__ == importlib.metadata.version("neurolab")
    assert issubclass(neurolab.ConfigError, ValueError)
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        _ = neurolab.runn


def test_importing_neurolab_loads_nothing_heavy():
    heavy = {"jax", "brainunit", "brainstate", "hydra", "numpy", "pandas", "xarray", "matplotlib"}
    code = "import sys, neurolab; dir(neurolab), neurolab.__version__, neurolab.ConfigError\n"
    code += f"print(sorted({heavy!r} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_models_are_the_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = neurolab.models().set_index(["group", "option"])
    assert table.loc[("neuron", "gif"), "class"] == "neurolab.neurons.Gif"
    assert table.loc[("neuron", "naud2008/tonic"), "class"].endswith("AdExIF")
    assert table.loc[("synapse/output", "conductance"), "text"]
    assert table.index.is_unique and (table["text"] != "").all()
    own = tmp_path / "conf" / "neuron"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("# My cell.\ndefaults: [/neuron/gif@_here_, _self_]\ntau: 9 ms")
    table = neurolab.models().set_index(["group", "option"])
    assert tuple(table.loc[("neuron", "mine")]) == ("neurolab.neurons.Gif", "My cell.")
    assert neurolab.parameters("mine").loc["tau", "default"] == "9 ms"
    assert neurolab.parameters("mine").loc["R", "default"] == "20 ohm"
    assert set(neurolab.models("neuron")["group"]) == {"neuron"}
    assert "mine" in set(neurolab.models("neuron")["option"])
    with pytest.raises(neurolab.ConfigError, match="did you mean 'neuron'"):
        neurolab.models("neurons")


def test_every_option_has_its_parameters():
    for group, name, target, _ in neurolab.models().itertuples(index=False):
        if target:
            table = neurolab.parameters(f"{group}={name}")
            file = OmegaConf.load(conf_folder() / group / f"{name}.yaml")
            given = OmegaConf.to_container(file)
            texts = {k: v for k, v in given.items() if isinstance(v, str) and k in table.index}
            assert table.loc[list(texts), "default"].to_dict() == texts


def test_a_file_of_ones_own_that_is_none_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "input").mkdir(parents=True)
    (tmp_path / "conf" / "input" / "odd.yaml").write_text("a: [")
    with pytest.raises(neurolab.ConfigError, match=r"odd\.yaml"):
        neurolab.models()


def test_parameters_have_units_ranges_and_sources():
    gif = neurolab.parameters("gif")
    assert tuple(gif.loc["tau"])[:4] == (
        "20 ms", "a time", "> 0", "membrane time constant"
    )  # fmt: skip
    assert gif.loc["spk_reset", "range"] == "soft or hard"
    assert gif.loc["V_reset", "range"] == "< V_th_inf" or "V_th" in gif.loc["V_th_reset", "range"]
    assert "Mihalas & Niebur 2009" in gif.loc["A1", "source"]
    assert neurolab.parameters(neurolab.neurons.Gif).loc["R", "default"] == "20 ohm"
    tonic = neurolab.parameters("naud2008/tonic")
    assert tonic.loc["C", "default"] == "200 pF" and "Naud" in tonic.loc["C", "source"]


def test_what_there_is_not_is_told_with_what_there_is():
    for given, words in (
        ("nope", "There are: "),
        ("adexi", "did you mean 'adexif'"),
        ("none", "synapse=none or input=none"),
        ("neuron", "is a group, of which there are: adexif, "),
    ):
        with pytest.raises(neurolab.ConfigError) as error:
            neurolab.parameters(given)
        assert words in str(error.value)
