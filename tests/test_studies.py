"""Every study runs, small, and makes its figure; the closed forms drawn are what is simulated."""

from __future__ import annotations

import importlib.util
import os
import runpy
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

import neurolab

STUDIES = Path(__file__).parent.parent / "experiments"
CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
FEWER = ("populations.E.size=400", "populations.I.size=100")
SMALL = {
    "fi_curves": [
        "neuron=if,lif,lif_ref,quaif,adexif", "input.amplitude=0.9rheobase,1.5rheobase,2.5rheobase",
        "duration=1s",
    ],
    "adex_adaptation": [
        "input.rate=linspace:10Hz:30Hz:7", "neuron.b=linspace:0mA:20mA:7", "size=10",
        "duration=400ms",
    ],
    "naud_patterns": [],
    "mihalas_niebur_patterns": [],
    "coba_cuba": ["duration=150ms", *FEWER],
    "microcircuit": ["network.scale=0.02,0.03", "duration=100ms"],
    "brunel_states": ["duration=60ms", *FEWER],
    "brunel_phase_diagram": [
        "projections.I_E.weight=linspace:-0.4mV:-0.8mV:3", "duration=60ms",
        "populations.E.inputs.external.rate=linspace:10Hz:40Hz:3", *FEWER,
    ],
}  # fmt: skip


#: Those that take a minute to compile wait for the night.
LONG = ("microcircuit", "mihalas_niebur_patterns")
NAMES = [
    pytest.param(name, marks=[pytest.mark.nightly] * (name in LONG))
    for name in sorted(path.name for path in STUDIES.iterdir() if path.is_dir())
]


@pytest.fixture(scope="module", params=NAMES)
def study(request, tmp_path_factory):
    """Name, figure.py and the sweep of a study."""
    folder = tmp_path_factory.mktemp(request.param) / "sweep"
    sweep = neurolab.run_sweep([f"experiment={request.param}", *SMALL[request.param], KEEP], folder)
    path = STUDIES / request.param / "figure.py"
    spec = importlib.util.spec_from_file_location(f"figure_{request.param}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return request.param, module, sweep


def test_a_study_runs_and_draws(study, tmp_path):
    """All points are completed, and the figure is drawn with labels and units; beside theory."""
    name, module, sweep = study
    assert set(sweep.table["status"]) == {"completed"}
    figure = module.draw(sweep)
    figure.savefig(tmp_path / "figure.png")
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert any("Hz" in text or "mV" in text for text in texts)
    assert name != "brunel_phase_diagram" or "rate (Hz) beside theory" in texts
    for file in ("README.md", f"{name}.png", f"{name}.yaml"):
        assert (STUDIES / name / file).stat().st_size > 300
    assert "hydra" in (STUDIES / name / f"{name}.yaml").read_text()


#: Of Naud et al. 2008 and of Mihalas & Niebur 2009, figure 1A to T.
SPIKES = {
    "naud_patterns": [60, 12, 12, 11, 45, 32, 1, 33],
    "mihalas_niebur_patterns": [
        9, 2, 10, 5, 3, 1, 1, 8, 1, 14, 3, 13, 24, 7, 7, 19, 1, 25, 3, 1,
    ],
}  # fmt: skip


def test_patterns_are_those_of_the_papers(study):
    """As many spikes, in currents of the papers' units."""
    name, _, sweep = study
    if name in SPIKES:
        assert sweep.table["spike_count"].tolist() == SPIKES[name]
        current = "w" if name == "naud_patterns" else "I1"
        assert sweep[0].traces[current].attrs["units"] == "pA"


def test_closed_forms_are_what_is_simulated(study):
    """Of n spikes in a second each interval is long by less than dt, and the last is not whole."""
    name, module, sweep = study
    if name != "fi_curves":
        return
    for index, neuron in enumerate(["if", "lif", "lif_ref", "quaif"]):
        rate = module.closed_form(neuron, sweep.config(3 * index))
        assert rate(0.9) == sweep.rate_hz.sel(neuron=neuron)[0] == 0
        for x, found in zip((1.5, 2.5), sweep.rate_hz.sel(neuron=neuron)[1:].values, strict=True):
            exact = float(rate(x))
            late = exact**2 * 0.02e-3 * 1.5  # QIF: exponential Euler adds less than half a step
            assert exact - late - 1.0 <= found <= exact + late * (neuron == "lif_ref") + 1.0
    assert module.closed_form("adexif", sweep.config(12)) is None
    assert np.isfinite(sweep.rate_hz).all()


def test_theory_is_that_of_the_paper():
    """Rates of Brunel 2000, in Hz, from Siegert's formula, that a replication prints."""
    path = STUDIES / "brunel_states" / "figure.py"
    theory = runpy.run_path(str(path))["theory"]
    for (g, eta), rate in {(3, 2): 327, (6, 4): 55.8, (5, 2): 38.0, (4.5, 0.9): 6.5}.items():
        assert theory(g, eta) == pytest.approx(rate, rel=5e-3)


def test_figures_are_of_sweeps_of_their_studies(tmp_path, monkeypatch):
    """Lines of rates were labelled as adaptation currents; another study's sweep was a KeyError."""
    typed = ["input.rate=10Hz,20Hz", "size=2", "duration=20ms", KEEP]
    neurolab.run_sweep(["experiment=adex_adaptation", "neuron.b=1mA,2mA", *typed], tmp_path / "few")
    for name, said in (
        ("adex_adaptation", "2 values of input.rate"),
        ("fi_curves", "no values of"),
    ):
        path = STUDIES / name / "figure.py"
        monkeypatch.setattr("sys.argv", [str(path), str(tmp_path / "few")])
        with pytest.raises(SystemExit, match=f"few has {said}.* as experiment={name} has"):
            runpy.run_path(str(path), run_name="__main__")


def test_theory_is_drawn_beside_the_network_that_it_is_of(tmp_path):
    name = "brunel_phase_diagram"
    typed = [f"experiment={name}", *SMALL[name], "populations.E.neuron.tau=10ms", KEEP]
    sweep = neurolab.run_sweep(typed, tmp_path / "s")
    draw = runpy.run_path(str(STUDIES / name / "figure.py"))["draw"]
    told = [text.get_text() for text in draw(sweep).findobj(Text)]
    assert any("like Brunel's, with other numbers" in text for text in told)
    assert not {"A", "rate (Hz) beside theory", "Siegert's theory"} & set(told)
